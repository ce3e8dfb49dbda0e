"""What a command costs before it does anything: `--help` and `runs` against a bare interpreter."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.machine import Figure

ROUNDS = 15
MAIN = "import sys; from trainwright.cli.main import main; sys.exit(main())"


def seconds(*arguments: str) -> float:
    """Median wall-clock time of a Python process."""
    with tempfile.TemporaryDirectory() as home:
        times = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            environment = {**os.environ, "TRAINWRIGHT_HOME": home}
            subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=True)
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def measure() -> list[Figure]:
    """The figures."""
    bare = seconds("-c", "pass")
    command = "python -m benchmarks startup"
    return [
        Figure(
            "`trainwright --help` more than `python -c pass`",
            "0.3 s",
            f"{seconds('-c', MAIN, '--help') - bare:.2f} s",
            command,
        ),
        Figure(
            "`trainwright runs` more than `python -c pass`",
            "0.5 s",
            f"{seconds('-c', MAIN, 'runs') - bare:.2f} s",
            command,
        ),
    ]
