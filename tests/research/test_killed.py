"""`kill -9` at each moment of the helpers, then resume: no turn is lost or counted twice, what is done is not done again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .dying import QUESTIONS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]


@pytest.mark.parametrize("parallel", [1, 3])
def test_killed_at_every_moment(tmp_path: Path, parallel: int) -> None:
    command = [sys.executable, "-m", "tests.research.dying", str(tmp_path), str(parallel)]
    deaths = 0
    while not (tmp_path / "ended").exists():
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr[-2_000:]
        deaths += done.returncode != 0
        assert deaths < 40
    ended = json.loads((tmp_path / "ended").read_text())
    # Each question has two turns, each with its moment of the turn and of the ledger, and a lookup.
    assert deaths == len(QUESTIONS) * 5
    assert ended == {"steps": 8, "ledger": 8, "held": 0, "answered": list(QUESTIONS), "title": "A paper"}
    if parallel == 1:
        moments = (tmp_path / "moments").read_text().splitlines()
        first = max(place for place, name in enumerate(moments) if name.startswith("first?"))
        second = min(place for place, name in enumerate(moments) if name.startswith("second?"))
        assert first < second
