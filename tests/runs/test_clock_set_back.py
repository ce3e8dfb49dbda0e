"""A clock that is set back between two processes: the run goes on from where it stands, not from an old checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from langgraph.checkpoint.base import id as ids

from trainwright.graph.driver import answer, resume, start
from trainwright.graph.forking import fork
from trainwright.graph.order import later_than
from trainwright.graph.pruning import prune
from trainwright.graph.settings import run_path
from trainwright.graph.state import Request, Settings

from .conftest import approve, driven

GOAL = "Tell the wines apart with an RBF support vector machine with C=10 and gamma=0.05"
HOUR = 3600 * 10**9

SetClock = Callable[[int], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """A new process, as far as checkpoints can tell, whose clock is so many hours off."""
    real = time.time_ns

    def set_clock(hours: int) -> None:
        monkeypatch.setattr(ids, "_last_v6_timestamp", None)
        monkeypatch.setattr(ids.time, "time_ns", lambda: real() + hours * HOUR)

    return set_clock


def test_ids_grow_whatever_the_clock_says(set_clock: SetClock) -> None:
    set_clock(2)
    last = str(ids.uuid6(clock_seq=-2))
    set_clock(0)
    assert str(ids.uuid6(clock_seq=-2)) < last, "so it would be without the order"
    set_clock(0)
    later_than(last)
    following = [str(ids.uuid6(clock_seq=step)) for step in range(3)]
    assert [last, *following] == sorted([last, *following])
    later_than("no id at all")
    later_than("00000000-0000-4000-8000-000000000000")
    assert str(ids.uuid6(clock_seq=4)) > following[-1]


@pytest.mark.slow
async def test_a_run_goes_on_where_it_stands(set_clock: SetClock) -> None:
    set_clock(2)
    first = await driven(start(Request(goal=GOAL, data="sklearn:wine", name="back"), Settings()))
    assert first.result["waiting"]["gate"] == "approve_plan"
    set_clock(0)
    second = await driven(answer("back", approve()))
    assert second.result["waiting"]["gate"] == "approve_job"
    set_clock(-1)
    await prune(["back"])
    third = await driven(answer("back", approve()))
    assert third.result["waiting"]["gate"] == "approve_publish"
    set_clock(-2)
    other = await fork("back")
    forked = await driven(resume(other))
    assert forked.result["waiting"]["gate"] == "approve_publish"
    set_clock(-3)
    done = await driven(answer("back", approve()))
    assert done.result["status"] == "published"


@pytest.mark.slow
async def test_a_report_that_cannot_be_written_does_not_change_how_a_run_ended() -> None:
    request = Request(goal=GOAL, data="sklearn:wine", name="blocked")
    async for event in start(request, Settings(approvals="auto", step_cap=4)):
        (run_path("blocked") / "report.html.part").mkdir(exist_ok=True)
        last = event
    assert last["status"] == "step_limit"
    assert last["report"] is None
    (run_path("blocked") / "report.html.part").rmdir()
    done = await driven(resume("blocked", step_cap=60))
    assert done.result["status"] == "published", done.state.reason
    assert any("could not be written" in note for note in done.state.notes)
    assert done.result["report"]
