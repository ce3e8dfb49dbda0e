"""From the command `resume` to the next step of a run that was killed in the middle of a stage.

The run is the built-in engineer's; it is killed with SIGKILL in its first turn of `find_data`. What is measured is the
wall-clock time of the whole command, from the start of its process to the beginning of its next step: its `turn`, or the
`tool_started` of a call that was under way. What the tool itself takes is not in it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.machine import Figure

ROUNDS = 3
MAIN = "import sys; from trainwright.cli.main import main; sys.exit(main())"
GOAL = "Tell the wines apart with an RBF support vector machine with C=10 and gamma=0.05"
ASKED = ("run", "--goal", GOAL, "--data", "sklearn:wine", "--approvals", "auto")


def until(home: str, arguments: tuple[str, ...], there: Callable[[dict[str, Any]], bool]) -> float:
    """Kill a command at an event; the seconds until it came.

    Raises:
        RuntimeError: it never came.
    """
    started = time.perf_counter()
    environment = {**os.environ, "TRAINWRIGHT_HOME": home}
    command = [sys.executable, "-c", MAIN, *arguments, "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if there(json.loads(line)):
                taken = time.perf_counter() - started
                process.kill()
                return taken
        raise RuntimeError(f"{' '.join(arguments)} never came there")


def measure() -> list[Figure]:
    """The figure."""
    times = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as home:
            until(home, (*ASKED, "--name", "killed"), lambda e: e.get("event") == "turn" and e["stage"] == "find_data")
            times.append(until(home, ("resume", "killed"), lambda e: e.get("event") in ("turn", "tool_started")))
    shown = f"{statistics.median(times):.2f} s"
    return [Figure("`resume` of a killed run to its next step", "2.5 s", shown, "python -m benchmarks resume")]
