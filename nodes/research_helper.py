"""A research helper with a transcript of its own.

    decide → look_up → decide … → conclude; look_up → look_up where a stop came between

It decides by the same engineer as its stage. It ends when it reports, and at its own limits of turns, money, tokens and
minutes; then what it has read by then is what it reports. Whatever goes wrong in it is the reason of a failed finding:
nothing that happens here ends the run.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command

from trainwright.engineers import BUILT_IN
from trainwright.engineers.protocol import Engineer, StopRequested
from trainwright.engineers.researcher_rules import report_of
from trainwright.graph.errors import RunBusy, StoreError, TrainwrightError
from trainwright.graph.ledger import Ledger, Sums
from trainwright.graph.redaction import redact
from trainwright.graph.state import HelperState, Request, Settings
from trainwright.graph.stopping import stop_requested
from trainwright.tools.research import Finding, Read, Report, held_to, ranked
from trainwright.tools.research.bench import HelperBench
from trainwright.tools.research.finding import KEPT
from trainwright.tools.toolbox import Workbench

from .boundary import emit, with_limits
from .guard import heed, refusals, tidy
from .research import helper_stage
from .research_calls import answered
from .research_limits import (
    at_work,
    hold_turn,
    out_of,
    release_turn,
    seconds_left,
    standing_of_helper,
    sums_of,
)
from .think import load_bench, open_calls

__all__ = ["bench_of", "conclude", "decide", "look_up"]

log = logging.getLogger("trainwright")

REMINDERS = 1
"""How often a helper that calls nothing is reminded."""

HARD = ("xhigh", "max")
"""Efforts above that of helpers, which read more than they think."""

CALLS = 8
"""Calls of one answer that are run, at most."""

Goto = Command[Any]


def bench_of(run: str, inputs: str, stage: str, settings: Settings) -> Workbench:
    """The workbench of the stage that asks; a bare one outside a run."""
    if inputs:
        return load_bench(run, inputs).model_copy(update={"settings": settings})
    return Workbench(run=run, stage=stage, request=Request(), settings=settings)


class _TimeOver(Exception):
    """The helper's time is over, or the run's; the message says whose."""


async def decide(choose: Callable[[Settings], Engineer], state: HelperState, context: Settings | None) -> Goto:
    """One turn of the helper, by the engineer for its settings."""
    try:
        settings = with_limits(state["settings"], context)
        engineer = choose(settings.model_copy(update={"effort": "high"}) if settings.effort in HARD else settings)
        return await _turn(engineer, state, settings)
    except (GraphBubbleUp, RunBusy, StoreError):
        raise
    except StopRequested:
        return Command(goto="decide")
    except (_TimeOver, TrainwrightError) as error:
        return _ends(str(error))
    except Exception as error:
        log.error("unexpected error in a research helper", exc_info=error)
        return _ends(_unexpected(error))


def _unexpected(error: Exception) -> str:
    return f"Unexpected error: {type(error).__name__}: {error}. The log has the details."


def _ends(reason: str, **update: Any) -> Goto:
    return Command(goto="conclude", update={**update, "ended": redact(reason)[:1_000]})


async def _turn(engineer: Engineer, state: HelperState, settings: Settings) -> Goto:
    run, node, turn = state["run"], state["node"], state["turns"] + 1
    most = min(settings.research_turns, state["share"])
    if turn > most:
        return _ends("Its turn is used up." if most == 1 else f"Its {most} turns are used up.")
    sums = await asyncio.to_thread(sums_of, run)
    if reason := out_of(sums, settings, node, paid=settings.engineer != BUILT_IN):
        return _ends(reason)
    left, over = _left(state, settings, sums)
    if left <= 0:
        return _ends(over)
    found = heed(state["transcript"], state.get("repeats", 0), state.get("barred", []), end="finish")
    update: dict[str, Any] = {"repeats": found.repeats, "barred": found.barred}
    if found.gives_up:
        return _ends(found.gives_up, **update)
    before = [*found.hints, *_nearly_over(turn, most)]
    bench = await asyncio.to_thread(_bench, state, settings)
    standing = standing_of_helper(sums, settings, node, state["turns"], most, left)
    bench = bench.model_copy(update={"standing": standing})
    held = await asyncio.to_thread(hold_turn, run, settings, node, turn)
    started = time.monotonic()
    async with at_work(run, node):
        answer = await _taken(held, engineer, bench, [*state["transcript"], *before], left, over)
    update["seconds"] = state["seconds"] + time.monotonic() - started
    calls = open_calls(answer)
    emit(
        "helper",
        run,
        stage=state["stage"],
        helper=state["number"],
        phase="turn",
        turn=turn,
        tools=[c["name"] for c in calls],
    )
    update |= {"turns": turn, "transcript": [*before, answer]}
    if took_over := answer.response_metadata.get("took_over"):
        update["remarks"] = [str(took_over)]
    if calls:
        return Command(goto="look_up", update={**update, "reminders": 0})
    if (count := state.get("reminders", 0) + 1) > REMINDERS:
        return _ends("It stopped without a report, after a reminder.", **update)
    reminder = HumanMessage(
        "Answer with a call: look something up, or report with `finish`.", additional_kwargs={"hint": 0}
    )
    update["transcript"] = [*update["transcript"], reminder]
    return Command(goto="decide", update={**update, "reminders": count})


def _left(state: HelperState, settings: Settings, sums: Sums) -> tuple[float, str]:
    """Seconds that a helper still has, and what is over when they are."""
    own = settings.research_minutes * 60 - state["seconds"]
    of_run = seconds_left(sums, settings, state["node"])
    if own <= of_run:
        return own, f"Its {settings.research_minutes:g} minutes are over."
    return of_run, "The time of the run, or of the stage, is over."


async def _taken(
    held: str, engineer: Engineer, bench: HelperBench, transcript: Sequence[Any], left: float, over: str
) -> AIMessage:
    """The answer of the engineer, within the time that is left; the turn counts if there is one."""
    taken = False
    try:
        try:
            async with asyncio.timeout(left) as limit:
                answer = tidy(await engineer.think(helper_stage(), bench, transcript), transcript)
        except TimeoutError:
            if limit.expired():
                raise _TimeOver(over) from None
            raise
        taken = True
        return answer
    finally:
        ledger = Ledger()
        ended = (
            asyncio.to_thread(ledger.settle, held, {"steps": 1}) if taken else asyncio.to_thread(ledger.release, held)
        )
        await asyncio.shield(ended)


def _nearly_over(turn: int, most: int) -> list[HumanMessage]:
    if turn < most - 1 or turn == 1 < most:  # nothing was read yet at the first
        return []
    text = (
        "This is your last turn: report now with `finish`." if turn == most else "One more turn after this: report now."
    )
    return [HumanMessage(text, additional_kwargs={"hint": 0})]


def _bench(state: HelperState, settings: Settings) -> HelperBench:
    bench = bench_of(state["run"], state["inputs"], state["stage"], settings)
    known = {name: getattr(bench, name) for name in Workbench.model_fields}
    return HelperBench(**known, question=state["question"], context=state.get("context", ""), counted_at=state["node"])


async def look_up(state: HelperState, context: Settings | None) -> Goto:
    """Run the calls of the last answer at once, or take the report that ends it."""
    try:
        return await _look_up(state, with_limits(state["settings"], context))
    except (GraphBubbleUp, RunBusy, StoreError):
        raise
    except Exception as error:
        log.error("unexpected error in a research helper", exc_info=error)
        return _ends(_unexpected(error))


async def _look_up(state: HelperState, settings: Settings) -> Goto:
    started, run, node = time.monotonic(), state["run"], state["node"]
    answer = next(m for m in reversed(state["transcript"]) if isinstance(m, AIMessage))
    calls = open_calls(answer)
    async with at_work(run, node):
        bench = await asyncio.to_thread(_bench, state, settings)
        refused = refusals(calls, state.get("barred", []), CALLS)
        known = {message.tool_call_id for message in refused}
        left, _ = _left(state, settings, await asyncio.to_thread(sums_of, run))
        results = await asyncio.gather(
            *(
                answered(helper_stage(), bench, call, len(calls) == 1, state["limit"], left)
                for call in calls
                if call["id"] not in known
            )
        )
    update: dict[str, Any] = {"seconds": state["seconds"] + time.monotonic() - started}
    report = next((report for _, report in results if report is not None), None)
    if report is not None:
        return Command(goto="conclude", update={**update, "report": report.model_dump(mode="json")})
    if stop_requested():  # a lookup that was stopped may still have an answer, with less in it: all are asked again
        return Command(goto="look_up", update=update)
    update["transcript"] = [*refused, *(message for message, _ in results)]
    return Command(goto="decide", update=update)


def conclude(state: HelperState) -> dict[str, Any]:
    """The finding: the report, held to what was really read; or what was read, and why there is no report."""
    release_turn(state["run"], state["node"], state["turns"] + 1)
    try:
        finding = _finding(state)
    except (GraphBubbleUp, RunBusy, StoreError):
        raise
    except Exception as error:
        log.error("unexpected error at the end of a research helper", exc_info=error)
        why = redact(" ".join(filter(None, (state.get("ended", ""), _unexpected(error)))))[:1_000]
        finding = Finding(question=state["question"], status="failed", why=why, turns=state["turns"])
    emit(
        "helper",
        state["run"],
        stage=state["stage"],
        helper=state["number"],
        phase="end",
        status=finding.status,
        why=finding.why[:200],
    )
    return {"reports": [{"number": state["number"], **finding.model_dump(mode="json")}]}


def _finding(state: HelperState) -> Finding:
    ended, read, turns = state.get("ended", ""), _read(state["transcript"]), state["turns"]
    given = state.get("report")
    report = Report.model_validate(given, context=KEPT) if given else report_of(state["question"], read)
    if report is None:
        finding = Finding(question=state["question"], status="failed", why=ended or "It found nothing.", turns=turns)
    else:
        kept, notes = held_to(report, read)
        status = kept.status if given else ("partial" if kept.claims or kept.recipes else "failed")
        why = ended or ("" if status == "answered" else "See the summary.")
        finding = Finding(
            question=state["question"], status=status, why=why, summary=kept.summary, claims=kept.claims,
            recipes=ranked(kept.recipes, state["question"]), notes=notes, turns=turns,
        )  # fmt: skip
    if not given:
        finding.read = list(dict.fromkeys(_looked_at(read)))[:20]
    return finding


def _read(transcript: Sequence[Any]) -> list[Read]:
    """The lookups of a transcript that had an answer."""
    results = {m.tool_call_id: str(m.content) for m in transcript if isinstance(m, ToolMessage) and m.status != "error"}
    return [
        Read(dict(call["args"]), results[call["id"]])
        for message in transcript
        if isinstance(message, AIMessage)
        for call in message.tool_calls
        if call["id"] in results and call["name"] != "finish"
    ]


def _looked_at(read: Sequence[Read]) -> list[str]:
    """What was looked up, in few words."""
    return [str(one.arguments.get(key)) for one in read for key in ("id", "url", "repo") if one.arguments.get(key)]
