"""Limits inside a stage: a reached one stops it with everything kept, a raised one goes on there; warnings, and time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage

from trainwright.engineers.protocol import StopRequested
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.errors import LimitReached, ModelError, NeedsPerson
from trainwright.graph.ledger import Ledger
from trainwright.graph.limits import limits_of
from trainwright.graph.settings import run_path
from trainwright.graph.state import Request, Settings, State, Status
from trainwright.graph.workflow import Compiled

from .scripted import FINISH, Desk, Scripted, Turn, call, one_stage, says

CONFIG: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 10_000}
GOAL = {"request": Request(goal="a goal", name="limited")}
PAID = "openai/test"


class Bench:
    """One run of one stage, with its events."""

    def __init__(self, graph: Compiled, engineer: Scripted, desk: Desk) -> None:
        self.graph, self.engineer, self.desk = graph, engineer, desk
        self.events: list[dict[str, Any]] = []

    async def run(self, given: Any = GOAL, **settings: Any) -> State:
        """Invoke the graph and return its state."""
        place = {"base_url": "http://127.0.0.1:9/v1"} if "engineer" in settings else {}
        context = Settings.model_validate({**settings, **place})
        stream = self.graph.astream(
            given, CONFIG, context=context, durability="sync", stream_mode="custom", subgraphs=True
        )
        async for _, event in stream:
            self.events.append(event)  # type: ignore[arg-type]
        return State.model_validate((await self.graph.aget_state(CONFIG)).values)

    async def resume(self, state: State, **changed: Any) -> State:
        """Go on where a limit stopped, as `resume` does."""
        assert state.settings is not None
        settings = Settings.model_validate({**state.settings.model_dump(), **changed})
        update = {"status": Status.RUNNING, "settings": settings}
        await self.graph.aupdate_state(CONFIG, update, as_node="read_paper")
        await self.graph.aupdate_state(CONFIG, GOAL, as_node="__start__")
        return await self.run(None)

    def warnings(self) -> list[tuple[str, int]]:
        """Limits and percents of the warnings so far."""
        return [(event["limit"], event["percent"]) for event in self.events if event["event"] == "budget"]


@pytest.fixture
async def opened(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setenv("TRAINWRIGHT_API_KEY", "x")
    async with open_checkpointer() as checkpointer:

        def make(*turns: Turn) -> Bench:
            engineer, desk = Scripted(turns), Desk()
            return Bench(one_stage(engineer, desk, checkpointer), engineer, desk)

        yield make


def notes(number: int, **used: int) -> Turn:
    """A turn that writes a note, and whose call of a model used that much."""

    def turn(transcript: Sequence[Any]) -> AIMessage:
        Ledger().charge_all("limited", used, key=f"limited/call/{number}", node="read_paper")
        return says(call("note", {"text": str(number)}, f"c{number}"))

    return turn


@pytest.mark.parametrize(
    ("used", "limit", "more"),
    [
        ({"input_tokens": 30, "output_tokens": 20}, {"max_tokens": 100}, {"max_tokens": 1_000}),
        ({"usd_micros": 50}, {"max_model_usd": 0.0001}, {"max_model_usd": 1}),
        ({"usd_micros": 50}, {"max_usd": 0.0001}, {"max_usd": 1}),
        (
            {"usd_micros": 50},
            {"stages": {"read_paper": {"max_usd": 0.0001}}},
            {"stages": {"read_paper": {"max_usd": 1}}},
        ),
        (
            {"output_tokens": 50},
            {"stages": {"read_paper": {"max_tokens": 100}}},
            {"stages": {"read_paper": {"max_tokens": 999}}},
        ),
    ],
)
async def test_a_budget_that_is_used_up_stops_the_stage_and_more_goes_on_there(
    opened: Any, used: dict[str, int], limit: dict[str, Any], more: dict[str, Any]
) -> None:
    bench: Bench = opened(*(notes(number, **used) for number in range(4)), FINISH)
    state = await bench.run(engineer=PAID, **limit)
    assert (state.status, state.steps, state.brief) == (Status.BUDGET_LIMIT, 2, None)
    assert "`trainwright resume limited --" in state.reason
    assert (run_path(state.run) / state.carry).is_file()

    state = await bench.resume(state, **more)
    assert (state.status, state.steps) == (Status.RUNNING, 5)
    assert bench.desk.notes == ["0", "1", "2", "3"], "no tool ran twice"
    heard = [m.content for m in bench.engineer.heard[-1] if isinstance(m, ToolMessage)]
    assert heard == [f"kept {number}" for number in range(4)], "the transcript went on"


async def test_a_step_limit_of_a_stage_stops_that_stage(opened: Any) -> None:
    bench: Bench = opened(*(notes(number) for number in range(4)), FINISH)
    state = await bench.run(stages={"read_paper": {"step_cap": 3}})
    assert (state.status, state.steps) == (Status.STEP_LIMIT, 3)
    assert "--stage-limit read_paper.step_cap=6`" in state.reason
    state = await bench.resume(state, stages={"read_paper": {"step_cap": 6}})
    assert (state.status, state.steps) == (Status.RUNNING, 5)


async def test_a_limit_of_another_stage_does_not(opened: Any) -> None:
    bench: Bench = opened(notes(0), FINISH)
    state = await bench.run(stages={"plan": {"step_cap": 1}})
    assert (state.status, state.steps) == (Status.RUNNING, 2)


async def test_a_call_that_does_not_fit_leaves_the_stage_to_be_taken_up_at_that_turn(opened: Any) -> None:
    def asks(transcript: Sequence[Any]) -> AIMessage:
        limits = limits_of(bench.engineer_settings)
        Ledger().reserve("limited", {"usd_micros": 500}, limits=limits, key="limited/call/x", node="read_paper")
        Ledger().settle("limited/call/x", {"usd_micros": 400})
        return FINISH

    bench: Any = opened(notes(0), asks)
    bench.engineer_settings = Settings(max_model_usd=0.0004)
    state = await bench.run(engineer=PAID, max_model_usd=0.0004)
    assert (state.status, state.stopped_at, state.steps) == (Status.BUDGET_LIMIT, "read_paper", 1)
    assert "max_model_usd" in state.reason
    assert "--max-model-usd 0.01`" in state.reason
    bench.engineer_settings = Settings(max_model_usd=0.01)
    state = await bench.resume(state, max_model_usd=0.01)
    assert (state.status, state.steps, state.brief is not None) == (Status.RUNNING, 2, True)
    assert Ledger().total("limited", "usd_micros") == 400


@pytest.mark.parametrize(
    "error", [ModelError("down"), NeedsPerson("what?", key="k"), LimitReached("max_usd", "no"), RuntimeError("oh")]
)
async def test_the_time_of_a_turn_that_fails_is_time_at_work(
    opened: Any, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainwright.nodes import think

    clock = [0.0]
    monkeypatch.setattr(think.time, "monotonic", lambda: clock[0])

    def fail(transcript: Sequence[Any]) -> AIMessage:
        clock[0] += 7.5
        raise error

    bench: Bench = opened(fail)
    await bench.run()
    assert Ledger().by_node("limited", "milliseconds")["read_paper"] >= 7_500
    assert Ledger().total("limited", "steps") == 0


async def test_a_turn_that_was_stopped_is_paid_in_time_and_counts_no_step(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainwright.nodes import think

    clock = [0.0]
    monkeypatch.setattr(think.time, "monotonic", lambda: clock[0])

    def stop(transcript: Sequence[Any]) -> AIMessage:
        clock[0] += 3
        if clock[0] < 4:
            raise StopRequested
        return FINISH

    bench: Bench = opened(stop)
    state = await bench.run()
    assert state.steps == Ledger().total("limited", "steps") == 1
    assert Ledger().total("limited", "milliseconds") >= 6_000


async def test_warnings_come_once_each_also_over_a_resume(opened: Any) -> None:
    bench: Bench = opened(*(notes(number, usd_micros=10) for number in range(11)), FINISH)
    state = await bench.run(engineer=PAID, max_model_usd=0.0001)
    assert state.status == Status.BUDGET_LIMIT
    assert bench.warnings() == [("max_model_usd", 50), ("max_model_usd", 80), ("max_model_usd", 95)]
    first = next(event for event in bench.events if event["event"] == "budget")
    assert (first["used"], first["of"]) == (0.00005, 0.0001)
    assert first["text"] == "50 % of the dollar limit of $0.0001 for calls of a model is used: $0.00005."

    bench.events.clear()
    state = await bench.resume(state, max_model_usd=0.0002)
    assert state.brief is not None
    assert bench.warnings() == [("max_model_usd", 50)], "anew for the raised limit, and no threshold twice"


async def test_every_turn_knows_what_remains(opened: Any) -> None:
    bench: Bench = opened(notes(0, usd_micros=400_000, input_tokens=70, output_tokens=20), FINISH)
    await bench.run(
        engineer=PAID, max_tokens=100, max_model_usd=1, max_gpu_hours=2, stages={"read_paper": {"max_usd": 0.5}}
    )
    before, after = bench.engineer.standings
    assert (before.tokens_left, before.usd_micros_left, before.gpu_seconds_left) == (100, 500_000, 7_200)
    assert (after.tokens, after.tokens_left, after.usd_micros, after.usd_micros_left) == (90, 10, 400_000, 100_000)
    assert after.near == [
        "10 tokens of the token limit of 100 tokens left",
        "$0.10 of the dollar limit of stage read_paper of $0.50 left",
    ]
    assert before.near == []
