"""`kill -9` at each moment of the helpers, then resume: no turn is lost or counted twice, what is done is not done again.

What was set aside for the call of a model then counts, also where the helper takes no further turn.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.models import Asked, Call, Reply, Usage
from tests.models.scientist import done as made
from tests.models.server import ModelServer
from trainwright.graph.ledger import Ledger
from trainwright.graph.settings import home

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


@pytest.mark.parametrize(("limit", "status"), [({}, "answered"), ({"research_minutes": 1e-9}, "failed")])
def test_killed_while_a_call_of_a_helper_is_paid(limit: dict[str, float], status: str) -> None:
    waits, go = threading.Event(), threading.Event()
    found: list[dict[str, Any]] = []

    def answer(asked: Asked) -> Reply:
        usage = Usage(1_000, 100)
        if "look" in asked.tools:
            claim = {"text": "Known.", "evidence": [{"source": "doc-a", "quote": "the answer is known there"}]}
            report = {"status": "answered", "summary": "Known.", "claims": [claim]}
            if asked.turn == 1:
                return Reply(calls=(Call("look", {"id": "doc-a"}),), usage=usage)
            before = None if waits.is_set() else go
            waits.set()
            return Reply(calls=(Call("finish", report),), usage=usage, before=before)
        if asked.turn == 1:
            return Reply(calls=(Call("research", {"questions": ["one?"]}),), usage=usage)
        found.extend(made(asked)[-1].answer["findings"])
        return Reply(calls=(Call("finish", {"title": "A paper"}),), usage=usage)

    def command(**more: float) -> list[str]:
        settings = {"engineer": "openai/test", "base_url": server.openai, "model_price": "3/15", **more}
        return [sys.executable, "-m", "tests.research.paying", json.dumps(settings)]

    with ModelServer(answer) as server:
        dies = subprocess.Popen(command())
        try:
            assert waits.wait(60)
        finally:
            dies.kill()
            dies.wait()
            go.set()
        done = subprocess.run(command(**limit), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    ended = json.loads((home() / "ended").read_text())
    ledger, run = Ledger(), ended["run"]
    assert ledger.open(run) == []
    paid = [e for e in ledger.entries(run) if e.resource == "usd_micros" and e.node.startswith("research/")]
    assert max(entry.amount for entry in paid) > 1_000 * 3 + 100 * 15, "what was set aside for the killed call"
    assert len([note for note in ended["notes"] if "was under way when the run was killed" in note]) == 1
    assert ended["steps"] == ledger.total(run, "steps") == (4 if status == "answered" else 3)
    assert [one["status"] for one in found] == [status]
