"""Two processes go on with one run at the same instant: one does, the other is told who."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.lease import holder
from trainwright.graph.ledger import Ledger
from trainwright.graph.runs import open_runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """The process of `tests/runs/racing.py`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.runs.racing"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.line() == "ready"

    def line(self) -> str:
        """What it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def bear(self, do: str, run: str, out: str, gate: str = "", told: str = "") -> int:
        """A child with that order; its process id."""
        assert self.process.stdin is not None
        order = {"do": do, "run": run, "out": str(self.folder / out), "gate": gate, "told": told}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.line())

    def race(self, run: str, *ways: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Two go at the same instant: what became of the one that went on, and of the one that was told."""
        gate, told = self.folder / f"{run}.gate", self.folder / f"{run}.told"
        os.mkfifo(gate)
        names = [f"{run}-{number}" for number in range(len(ways))]
        for name, do in zip(names, ways, strict=True):
            self.bear(do, run, name, str(gate), str(told))
        for name in names:
            self.outcome([f"{name}.ready"])
        handle = os.open(gate, os.O_RDWR)
        os.write(handle, b"go")  # a byte for each
        loser = self.outcome(names)
        os.close(handle)
        told.touch()
        winner = self.outcome([name for name in names if name != loser])
        return self.read(winner), self.read(loser)

    def outcome(self, names: list[str]) -> str:
        """The first of them that has ended."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for name in names:
                if (self.folder / name).exists():
                    return name
            time.sleep(0.005)
        raise AssertionError(f"neither of {names} ended")

    def read(self, name: str) -> dict[str, Any]:
        """What became of it."""
        found: dict[str, Any] = json.loads((self.folder / name).read_text())
        return found


@pytest.fixture
def nursery(own_home: Path, tmp_path: Path) -> Iterator[Nursery]:
    one = Nursery(tmp_path)
    yield one
    assert one.process.stdin is not None
    assert one.process.stdout is not None
    one.process.stdin.close()
    one.process.wait(30)
    one.process.stdout.close()


def check(run: str, winner: dict[str, Any], loser: dict[str, Any]) -> None:
    assert winner.get("ended") == "waiting", winner
    assert loser.get("error") == "RunBusy", loser
    assert f"{run} is at work already, in process {winner['pid']} (since 20" in loser["message"]
    row = open_runs().get(run)
    assert (row.status, row.stage) == ("waiting", "approve_plan")
    assert Ledger().total(run, "steps") == row.steps, "every turn counts once"
    assert holder(run) is None


def test_two_that_resume_a_killed_run(nursery: Nursery) -> None:
    for number in range(10):
        run = f"race-{number}"
        nursery.bear("start", run, "")
        assert open_runs().get(run).status == "running"
        assert holder(run) is None
        check(run, *nursery.race(run, "resume", "resume"))


@pytest.mark.parametrize("first", ["resume", "visit"])
def test_a_terminal_and_a_server(nursery: Nursery, first: str) -> None:
    """The one that is there first goes on; the other one is told, also when it is a node of the graph."""
    second = "visit" if first == "resume" else "resume"
    for number in range(3):
        run = f"mixed-{number}"
        nursery.bear("start", run, "")
        told = nursery.folder / f"{run}.told"
        leader = nursery.bear(first, run, "first", told=str(told))
        deadline = time.monotonic() + 30
        while (there := holder(run)) is None or there.pid != leader:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert there.what == ("drive" if first == "resume" else "visit")
        nursery.bear(second, run, "second", told=str(told))
        assert nursery.outcome(["second", "first"]) == "second"
        told.touch()
        nursery.outcome(["first"])
        check(run, nursery.read("first"), nursery.read("second"))
        (nursery.folder / "first").unlink()
        (nursery.folder / "second").unlink()


def test_at_the_same_instant_too(nursery: Nursery) -> None:
    for number in range(3):
        run = f"both-{number}"
        nursery.bear("start", run, "")
        check(run, *nursery.race(run, "resume", "visit"))
