"""Whole runs through the real command: the demo twice, and a table of 20,000 rows and 50 columns.

The overhead of the table's run is everything but the training itself: its wall-clock time less the seconds that the
training job took.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import Figure

MAIN = "import sys; from trainwright.cli.main import main; sys.exit(main())"


def trainwright(home: str, *arguments: str) -> tuple[dict[str, Any], float]:
    """The result of a command with `--json`, and its wall-clock seconds.

    Raises:
        RuntimeError: it did not end well.
    """
    started = time.perf_counter()
    environment = {**os.environ, "TRAINWRIGHT_HOME": home}
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *arguments, "--json"], env=environment, capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result, taken


def write_table(path: Path, rows: int = 20_000, columns: int = 50) -> None:
    """A classification table: ten informative columns, five categories, some missing values, the rest noise."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    numbers = random.normal(size=(rows, columns - 5))
    logits = numbers[:, :10] @ random.normal(size=10) + numbers[:, 0] * numbers[:, 1] - (numbers[:, 2] > 1)
    frame = pd.DataFrame(numbers, columns=[f"x{i}" for i in range(columns - 5)])
    for i in range(5):
        codes = random.integers(0, 4 + i, size=rows)
        frame[f"c{i}"] = [f"level {code}" for code in codes]
        logits = logits + (codes == 1)
    frame = frame.mask(random.random(frame.shape) < 0.02)
    frame["outcome"] = np.where(logits + random.logistic(size=rows) > 0, "yes", "no")
    frame.to_csv(path, index=False)


def measure() -> list[Figure]:
    """The figures."""
    figures = []
    with tempfile.TemporaryDirectory() as home:
        demos = [trainwright(home, "demo") for _ in range(2)]
        scores = [result["evaluation"]["value"] for result, _ in demos]
        same = "the same" if scores[0] == scores[1] else "DIFFERENT"
        slowest = max(taken for _, taken in demos)
        command = "python -m benchmarks whole_runs"
        figures.append(Figure("`make demo` after set-up", "60 s", f"{slowest:.1f} s", command))
        figures.append(Figure("its score, twice", "the same", f"{scores[0]:.4f}, {same}", command))
        table = Path(home) / "table.csv"
        write_table(table)
        goal = "Predict the outcome with histogram gradient boosting"
        result, taken = trainwright(
            home, "run", "--goal", goal, "--data", str(table), "--target-column", "outcome", "--approvals", "auto"
        )
        training = sum(attempt["seconds"] for attempt in result["attempts"])
        shown = f"{taken - training:.1f} s (of {taken:.1f} s)"
        figures.append(Figure("own overhead, 20,000 × 50, gradient boosting", "20 s", shown, command))
    return figures
