"""A recipe's scripts by hand, from any folder: `uv run recipes/classical/train.py --data DIR --out DIR`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from uv import find_uv_bin

from . import folders
from .conftest import SCRIPTS

pytestmark = pytest.mark.slow

UV = {"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
"""The interpreter behind this one is the base; what is installed in it must not count."""


def index_problem() -> str:
    """Why uv cannot resolve from the package index here; empty if it can."""
    done = subprocess.run(
        [find_uv_bin(), "pip", "compile", "--quiet", "--no-cache", "--no-deps", "-"],
        input="numpy\n",
        env={**os.environ, **UV, "UV_HTTP_TIMEOUT": "10", "UV_HTTP_RETRIES": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip()[:300] or "it does not answer" if done.returncode else ""


@pytest.mark.parametrize("tool", ["python", "uv"])
def test_the_scripts_run_by_hand_from_another_folder(tool: str, tmp_path: Path) -> None:
    if tool == "uv" and (problem := index_problem()):
        pytest.skip(f"uv cannot build the environment of a header, the package index is not reachable: {problem}")
    command = [sys.executable, "-W", "error"] if tool == "python" else [find_uv_bin(), "run"]
    data, out, answers = folders.table(tmp_path / "data"), tmp_path / "out", tmp_path / "answers.csv"
    given = ["--model", str(out / "model"), "--inputs", str(data.path / "inputs.parquet"), "--out", str(answers)]
    flags = ["--data", str(data.path), "--out", str(out), "--smoke"]
    for script, arguments in (("train.py", flags), ("predict.py", given)):
        done = subprocess.run(
            [*command, str(SCRIPTS / script), *arguments],
            cwd=tmp_path,
            env={**os.environ, **UV, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "accuracy" in json.loads((out / "metrics.jsonl").read_text().splitlines()[0])
    assert len(pd.read_csv(answers)) == len(data.truth)
