"""Every call of a model under the ledger: held before it is sent, settled whatever comes of it, bounded by the limits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

from trainwright import engineers
from trainwright.engineers import llm
from trainwright.engineers.answers import Gathered
from trainwright.graph.ledger import Ledger, Reservation
from trainwright.graph.state import Request, Settings, State, Status

from . import Asked, Call, Reply, Usage, no_credit, rate_limited, server_error, unauthorized
from .conftest import CONFIG, Asking

FINISH = Reply(calls=(Call("finish", {"title": "T"}),), usage=Usage(1_000, 100))
PRICE = "10/100"
"""A thousand tokens read cost $0.01, a thousand written $0.10."""
EACH = 1_000 * 10 + 100 * 100
"""Micro-dollars of one of these answers."""


def note(text: str = "a", usage: Usage | None = FINISH.usage) -> Reply:
    """One call of the stage's tool."""
    return Reply(calls=(Call("note", {"text": text}),), usage=usage)


def still_held(stage: Asking) -> list[Reservation]:
    """What the run's reservations hold that are not settled."""
    return Ledger().open(stage.events[0]["run"])


async def test_the_most_that_a_call_can_take_is_held_while_it_is_under_way(asking: Any) -> None:
    seen: list[Reservation] = []

    def script(asked: Asked) -> Reply:
        seen.extend(still_held(stage))
        return note() if asked.turn == 1 else FINISH

    stage: Asking = asking(script)
    await stage.run(model_price=PRICE)
    first, second = stage.server.asked
    assert [one.node for one in seen] == ["read_paper", "read_paper"]
    assert seen[0].amounts["output_tokens"] == first.body["max_tokens"] == 8_192
    assert first.size / 3 < seen[0].amounts["input_tokens"] < first.size, "cautious before anyone has counted"
    for one in seen:
        tokens = one.amounts
        assert tokens["usd_micros"] == tokens["input_tokens"] * 10 + tokens["output_tokens"] * 100
    assert seen[1].amounts["input_tokens"] < seen[0].amounts["input_tokens"] < second.size
    assert still_held(stage) == []
    assert stage.spent()["usd_micros"] == 2 * EACH


@pytest.mark.parametrize("fault", [server_error(), rate_limited("0"), unauthorized(), no_credit()])
async def test_what_a_server_refused_is_given_back(asking: Any, fault: Reply) -> None:
    stage: Asking = asking([note(), *[fault] * 3])
    await stage.run(model_price=PRICE)
    assert still_held(stage) == []
    assert stage.spent()["usd_micros"] == EACH


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
async def test_an_answer_that_broke_off_is_settled_by_what_came(asking: Any, protocol: str) -> None:
    half = Reply(text="x" * 3_000, cut_after=150, usage=None)
    stage: Asking = asking([half, FINISH])
    await stage.run(protocol=protocol, model_price=PRICE)
    assert still_held(stage) == []
    broken, whole = (event for event in stage.told("call") if event["phase"] == "end")
    assert broken["broken"] is True
    assert "broken" not in whole
    assert 500 < broken["output_tokens"] < 1_000
    assert stage.server.asked[0].size / 5 < broken["input_tokens"]
    assert stage.spent()["usd_micros"] == pytest.approx(sum(e["usd"] for e in (broken, whole)) * 1e6)


async def test_an_answer_that_never_began_may_have_been_read(asking: Any) -> None:
    stage: Asking = asking([Reply(raw=b""), FINISH])
    await stage.run(model_price=PRICE)
    assert still_held(stage) == []
    assert stage.spent()["usd_micros"] > EACH + 10_000


async def test_an_error_of_our_own_in_the_middle_is_settled_too(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    take, pieces = Gathered.take, iter(range(10_000))

    def failing(self: Gathered, piece: Any) -> str:
        if next(pieces) == 3:
            raise ValueError("nobody foresaw this")
        return take(self, piece)

    monkeypatch.setattr(Gathered, "take", failing)
    stage: Asking = asking([FINISH])
    state = await stage.run(model_price=PRICE)
    assert "nobody foresaw this" in state.reason
    assert still_held(stage) == []
    assert stage.spent()["usd_micros"] > 10_000


async def test_a_limit_in_the_middle_of_a_stage_keeps_all_and_names_the_flag(asking: Any) -> None:
    stage: Asking = asking(lambda asked: note(str(asked.turn), Usage(1_000, 2_000)))
    state = await stage.run(model_price=PRICE, max_model_usd=0.7)
    assert (state.status, state.stopped_at) == (Status.BUDGET_LIMIT, "read_paper")
    assert "A call of openai/test was not made: it may read" in state.reason
    assert "write 2,048" in state.reason
    assert f"`trainwright resume {state.run} --max-model-usd 1.4` goes on" in state.reason
    assert state.carry
    assert still_held(stage) == []
    assert stage.spent()["usd_micros"] == 210_000 * state.steps <= 700_000
    asked = [one.body["max_tokens"] for one in stage.server.asked]
    assert asked == sorted(asked, reverse=True)
    assert asked[0] < 8_192, "a shorter answer is asked for where the whole does not fit"
    assert asked[-1] == 2_048


async def test_a_limit_of_tokens_bounds_what_has_no_price(asking: Any) -> None:
    stage: Asking = asking(lambda asked: note(str(asked.turn), Usage(8_000, 2_000)))
    state = await stage.run(max_tokens=30_000)
    assert state.status == Status.BUDGET_LIMIT
    assert "--max-tokens" in state.reason
    assert stage.spent()["input_tokens"] + stage.spent()["output_tokens"] <= 30_000


async def test_where_an_answer_cannot_be_bounded_the_whole_window_is_held(asking: Any) -> None:
    seen: list[int] = []

    def script(asked: Asked) -> Reply:
        seen.append(still_held(stage)[0].amounts["output_tokens"])
        if "max_tokens" in asked.body:
            error = {"message": "no such parameter", "type": "invalid_request_error", "param": "max_tokens"}
            return Reply(status=400, error={"error": error})
        return FINISH

    stage: Asking = asking(script)
    state = await stage.run(model_price=PRICE)
    assert state.brief is not None, state.reason
    assert seen == [8_192, 32_768]
    again: Asking = asking(script)
    engineers._model_engineer.cache_clear()
    stage = again
    state = await stage.run(model_price=PRICE, max_model_usd=2.0)
    assert state.status == Status.BUDGET_LIMIT, "and is not made shorter, since nobody would hold it to that"
    assert "write 32,768" in state.reason


async def test_that_nobody_knows_the_price_of_ones_own_machine_is_said_once(asking: Any) -> None:
    stage: Asking = asking([note("a"), note("b"), FINISH])
    await stage.run()
    (told,) = stage.told("note")
    assert "openai/test runs at 127.0.0.1, on a machine of your own" in told["text"]
    assert "--max-tokens" in told["text"]
    again: Asking = asking([FINISH])
    await again.run(model_price=PRICE)
    assert again.told("note") == []


async def test_a_model_that_nobody_has_a_price_for_is_asked_about_before_anything_is_sent(
    asking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage: Asking = asking([])
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("OPENAI_BASE_URL", stage.server.openai)
    state = await stage.run(engineer="openai/unheard-of", base_url="")
    assert state.question is not None
    assert state.question.key == "price:openai/unheard-of"
    assert "Nothing was sent." in state.question.text
    assert stage.server.asked == []
    assert state.carry


async def until_drained(
    stage: Asking, control: RunControl, heed: Callable[[dict[str, Any]], None] | None = None
) -> None:
    """Drive the stage until it was asked to stop, and has; `heed` sees every event."""
    context = Settings(engineer="openai/test", base_url=stage.server.openai, model_price=PRICE)

    async def drive() -> None:
        stream = stage.graph.astream(
            {"request": Request(goal="g")},
            CONFIG,
            context=context,
            stream_mode="custom",
            control=control,
            subgraphs=True,
        )
        async for _, event in stream:
            stage.events.append(event)
            if heed is not None:
                heed(event)

    with pytest.raises(GraphDrained):
        await asyncio.wait_for(drive(), 60)


async def test_a_run_that_is_to_stop_closes_the_stream_and_settles_what_came(asking: Any) -> None:
    control, go = RunControl(), threading.Event()
    stage: Asking = asking([Reply(text="word " * 1_000, before=go, held_after=60)])

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "token":
            control.request_drain("test")
            asyncio.get_running_loop().call_later(2 * llm.LOOK, go.set)  # the next piece comes

    await until_drained(stage, control, stop)
    state = State.model_validate((await stage.graph.aget_state(CONFIG)).values)
    assert state.steps == 0, "the turn was not taken"
    assert still_held(stage) == []
    assert stage.spent()["usd_micros"] > 10_000
    assert stage.spent()["output_tokens"] < 1_000, "the rest was never read"


async def test_a_silent_server_does_not_keep_a_run_that_is_to_stop(asking: Any) -> None:
    control, go = RunControl(), threading.Event()

    def script(asked: Asked) -> Reply:
        control.request_drain("test")
        return Reply(text="late", before=go)

    stage: Asking = asking(script)
    await until_drained(stage, control)
    (left,) = still_held(stage)
    assert left.amounts["usd_micros"] > 0, "held for as long as nobody knows"
    (thread,) = (one for one in threading.enumerate() if one.name.endswith("-read_paper"))
    go.set()
    await asyncio.to_thread(thread.join, 60)
    assert still_held(stage) == []
    assert stage.spent()["usd_micros"] < left.amounts["usd_micros"]


async def test_a_turn_that_is_cancelled_settles_its_call(asking: Any) -> None:
    go = threading.Event()
    stage: Asking = asking([Reply(text="late", before=go)])
    running = asyncio.create_task(stage.run(model_price=PRICE))
    while not stage.server.asked:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (thread,) = (one for one in threading.enumerate() if one.name.endswith("-read_paper"))
    go.set()
    await asyncio.to_thread(thread.join, 60)
    # In a thread: the cancelled graph may have a write under way, which cannot end while this loop waits for SQLite.
    assert await asyncio.to_thread(still_held, stage) == []
    assert (await asyncio.to_thread(stage.spent))["usd_micros"] > 10_000
