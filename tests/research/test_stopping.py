"""A stage with helpers that is asked to stop, killed, or resumed with other limits."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

from tests.graph.scripted import FINISH, call, says
from trainwright.engineers.protocol import Engineer, Stage, StopRequested
from trainwright.graph.errors import StoreError
from trainwright.graph.ledger import Ledger
from trainwright.graph.state import Settings
from trainwright.graph.stopping import stop_requested
from trainwright.nodes import research_helper
from trainwright.nodes.research_limits import share
from trainwright.tools.http.situation import check_stopped
from trainwright.tools.research.bench import HelperBench
from trainwright.tools.toolbox import Workbench

from .helping import Library, Look, Team, asks, looks, report, run, steps_of

TEXT = "With C=10 the machine reaches an accuracy of 98.9 % on digits."


def reader(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
    """Looks one thing up, and reports on it."""
    return looks("doc-a") if turn == 0 else report("C=10 is best.", "doc-a", "an accuracy of 98.9 % on digits")


def finding(team: Team) -> dict[str, Any]:
    """The one finding."""
    (found,) = json.loads(str(team.answers()[0].content))["findings"]
    return dict(found)


async def test_a_lookup_that_was_stopped_is_asked_again(
    saver: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.texts["doc-a"] = TEXT
    control, look = RunControl(), library.look

    def stops(bench: Workbench, wanted: Look) -> dict[str, Any]:
        if not library.asked:
            library.asked.append(wanted.id)
            control.request_drain("test")
            until = time.monotonic() + 20
            while time.monotonic() < until:
                check_stopped()
                time.sleep(0.005)
        return look(bench, wanted)

    monkeypatch.setattr(library, "look", stops)
    team = Team([says(asks("one?")), FINISH], reader)
    with pytest.raises(GraphDrained):
        await run(team, saver, control=control)
    assert team.helped == ["one?"]
    state, _ = await run(team, saver, None)
    assert library.asked == ["doc-a", "doc-a"]
    assert finding(team)["status"] == "answered"
    assert team.helped == ["one?", "one?"]
    assert state.steps == steps_of(state.run) == 2 + 2


async def test_a_lookup_that_had_less_since_it_was_stopped_is_asked_again(
    saver: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.texts["doc-a"] = TEXT
    control, look = RunControl(), library.look

    def with_one_source_less(bench: Workbench, wanted: Look) -> dict[str, Any]:
        if library.asked:
            return look(bench, wanted)
        library.asked.append(wanted.id)
        control.request_drain("test")
        return {"id": wanted.id, "text": "nothing", "notes": ["A source was not asked: the lookup was stopped."]}

    monkeypatch.setattr(library, "look", with_one_source_less)
    team = Team([says(asks("one?")), FINISH], reader)
    with pytest.raises(GraphDrained):
        await run(team, saver, control=control)
    await run(team, saver, None)
    assert library.asked == ["doc-a", "doc-a"]
    assert finding(team)["status"] == "answered"


async def test_a_turn_that_was_stopped_is_taken_again(saver: Any, library: Library) -> None:
    library.texts["doc-a"] = TEXT
    control = RunControl()

    def stops(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        if len(team.helped) == 2:
            control.request_drain("test")
            assert stop_requested()
            raise StopRequested
        return reader(bench, transcript, turn)

    team = Team([says(asks("one?")), FINISH], stops)
    with pytest.raises(GraphDrained):
        await run(team, saver, control=control)
    state, _ = await run(team, saver, None)
    assert finding(team)["status"] == "answered"
    assert library.asked == ["doc-a"]
    assert state.steps == steps_of(state.run) == 2 + 2
    assert not Ledger().open(state.run)


async def killed_in(turn: int, saver: Any, library: Library, **settings: Any) -> Team:
    """A team whose helper was killed in the middle of a turn, so that nobody gave it back."""
    library.texts["doc-a"] = TEXT
    runs: list[str] = []

    def dies(bench: HelperBench, transcript: Sequence[AnyMessage], number: int) -> AIMessage:
        if number == turn - 1:
            runs.append(bench.run)
            raise StoreError("This process is dead.")
        return reader(bench, transcript, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "release", lambda self, key: None)
        with pytest.raises(StoreError):
            await run(Team([says(asks("one?")), FINISH], dies), saver, **settings)
    assert [one.amounts for one in Ledger().open(runs[0])] == [{"steps": 1}]
    return Team([says(asks("one?")), FINISH], reader)


@pytest.mark.parametrize(("turn", "limit"), [(1, {"max_hours": 1e-9}), (2, {"research_minutes": 1e-9})])
async def test_a_turn_that_a_kill_left_held_is_given_back_where_it_is_not_taken(
    saver: Any, library: Library, turn: int, limit: dict[str, float]
) -> None:
    team = await killed_in(turn, saver, library)
    state, _ = await run(team, saver, None, **limit)
    assert team.helped == []
    assert Ledger().open(state.run) == []
    assert state.steps == steps_of(state.run)


async def test_a_turn_that_a_kill_left_held_is_taken_once(saver: Any, library: Library) -> None:
    team = await killed_in(2, saver, library)
    state, _ = await run(team, saver, None)
    assert finding(team)["status"] == "answered"
    assert Ledger().open(state.run) == []
    assert state.steps == steps_of(state.run) == 2 + 2


async def test_fewer_turns_at_the_resume_hold_for_helpers_at_work(saver: Any, library: Library) -> None:
    team = await killed_in(2, saver, library)
    await run(team, saver, None, research_turns=1)
    assert finding(team)["why"] == "Its turn is used up."
    assert team.helped == []


async def test_more_turns_at_the_resume_hold_for_helpers_at_work(saver: Any, library: Library) -> None:
    team = await killed_in(1, saver, library, research_turns=1)
    await run(team, saver, None, research_turns=2)
    assert finding(team)["status"] == "answered"
    assert finding(team)["turns"] == 2


async def test_the_minutes_of_the_resume_are_those_that_are_told(saver: Any, library: Library) -> None:
    team = await killed_in(2, saver, library)
    await run(team, saver, None, research_minutes=1e-9)
    assert finding(team)["why"] == "Its 1e-09 minutes are over."


async def test_the_time_of_the_run_ends_helpers_too(saver: Any, library: Library) -> None:
    waits = asyncio.Event()

    class Waits(Team):
        async def think(self, stage: Stage, bench: Workbench, transcript: Sequence[AnyMessage]) -> AIMessage:
            if isinstance(bench, HelperBench):
                await asyncio.wait_for(waits.wait(), 20)
            return await super().think(stage, bench, transcript)

    team = Waits([says(asks("one?")), FINISH], reader)
    began = time.monotonic()
    await run(team, saver, max_hours=1 / 3_600, research_minutes=10)
    assert time.monotonic() - began < 15
    assert team.helped == []


async def test_the_whole_time_at_work_is_charged_however_many_are_at_work(saver: Any, library: Library) -> None:
    library.texts["doc-a"] = TEXT

    def slow(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        time.sleep(0.6 if bench.question == "one?" else 0.01)
        return report(status="failed")

    team = Team([says(asks("one?", "two?", "three?")), FINISH], slow)
    state, _ = await run(team, saver)
    helpers = [
        e for e in Ledger().entries(state.run) if e.resource == "milliseconds" and e.node.startswith("research/")
    ]
    assert 590 <= sum(entry.amount for entry in helpers) < 1_100


async def test_a_time_out_inside_is_none_of_the_helper(saver: Any, library: Library) -> None:
    answers: list[str] = []

    def fails(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        answers[:] = [str(m.content) for m in transcript if isinstance(m, ToolMessage)]
        if turn == 0:
            return looks("doc-a")
        raise TimeoutError("the socket")

    def look(bench: Workbench, wanted: Look) -> dict[str, Any]:
        raise TimeoutError("the library's socket")

    library.look = look  # type: ignore[method-assign]
    team = Team([says(asks("one?")), FINISH], fails)
    await run(team, saver)
    assert json.loads(answers[0])["kind"] == "unexpected"
    assert "the library's socket" in answers[0]
    assert "TimeoutError: the socket" in finding(team)["why"]


async def test_a_report_that_cannot_be_made_is_a_failed_finding(
    saver: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(question: str, read: Any) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(research_helper, "report_of", fails)
    library.texts["doc-a"] = TEXT
    team = Team([says(asks("one?")), FINISH], lambda bench, transcript, turn: looks("doc-a"))
    state, _ = await run(team, saver, research_turns=1)
    found = finding(team)
    assert found["status"] == "failed"
    assert "Its turn is used up." in found["why"]
    assert "RecursionError: too deep" in found["why"]
    assert state.brief is not None


async def test_helpers_that_cannot_be_sent_are_a_failed_research(
    saver: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> int:
        raise ZeroDivisionError("no share")

    monkeypatch.setattr("trainwright.nodes.research_call.share", fails)
    team = Team([says(asks("one?")), FINISH], reader)
    state, events = await run(team, saver)
    assert [e["phase"] for e in events if e["event"] == "research"] == ["start", "end"]
    (answer,) = team.answers()
    assert answer.status == "error"
    assert "The research failed" in str(answer.content)
    assert "ZeroDivisionError: no share" in str(answer.content)
    assert state.brief is not None
    assert state.steps == steps_of(state.run) == 2


async def test_what_was_found_stays_where_the_next_helpers_cannot_be_sent(
    saver: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(sums: Any, settings: Any, node: str, waiting: int) -> int:
        if waiting < 3:
            raise ZeroDivisionError("no share")
        return share(sums, settings, node, waiting)

    monkeypatch.setattr("trainwright.nodes.research_call.share", fails)
    library.texts["doc-a"] = TEXT
    team = Team([says(asks("one?", "two?", "three?")), FINISH], reader)
    state, events = await run(team, saver, research_parallel=1)
    assert [e["phase"] for e in events if e["event"] == "research"] == ["start", "end"]
    (answer,) = team.answers()
    found = json.loads(str(answer.content))["findings"]
    assert [one["status"] for one in found] == ["answered", "failed", "failed"]
    assert [one["question"] for one in found] == ["one?", "two?", "three?"]
    assert found[0]["claims"]
    assert "ZeroDivisionError: no share" in found[2]["why"]
    assert any("ZeroDivisionError: no share" in note for note in state.notes)
    assert state.steps == steps_of(state.run) == 2 + 2


async def test_an_engineer_that_cannot_be_there_ends_its_helper_with_the_reason() -> None:
    def choose(settings: Settings) -> Engineer:
        raise ImportError("no such package")

    state: Any = {"settings": Settings()}
    goto = await research_helper.decide(choose, state, None)
    assert goto.goto == "conclude"
    assert isinstance(goto.update, dict)
    assert "ImportError: no such package" in goto.update["ended"]


@pytest.mark.parametrize(
    "odd", [{"year": 2500}, {"citations": 10**12}, {"value": float("inf")}, {"hyperparameters": {"lr": 1e300}}]
)
async def test_a_report_with_an_odd_number_is_sent_again(saver: Any, library: Library, odd: dict[str, Any]) -> None:
    library.texts["doc-a"] = TEXT
    quotes = [{"source": "doc-a", "quote": "an accuracy of 98.9 % on digits"}]
    answers: list[str] = []

    def reports(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        answers[:] = [str(m.content) for m in transcript if isinstance(m, ToolMessage)]
        if turn == 0:
            return looks("doc-a")
        recipe = {"paper": "doc-a", "sources": quotes, **(odd if turn == 1 else {})}
        return says(call("finish", {"status": "answered", "summary": "s", "recipes": [recipe]}, f"finish-{turn}"))

    team = Team([says(asks("one?")), FINISH], reports)
    await run(team, saver)
    assert "do not fit" in answers[1]
    assert next(iter(odd)) in answers[1]
    assert finding(team)["status"] == "answered"
    assert [one["paper"] for one in finding(team)["recipes"]] == ["doc-a"]
