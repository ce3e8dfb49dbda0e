"""A research helper: decide → look_up → decide … → conclude, with a transcript of its own.

It decides by the same engineer as its stage. It ends when it reports, and at its own limits of turns, money, tokens and
minutes; then what it has read by then is what it reports. Whatever goes wrong in it is the reason of a failed finding:
nothing that happens here ends the run.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command

from trainwright.engineers import BUILT_IN
from trainwright.engineers.protocol import Engineer, StopRequested
from trainwright.engineers.researcher_rules import report_of
from trainwright.graph.errors import RunBusy, StoreError, TrainwrightError
from trainwright.graph.redaction import redact
from trainwright.graph.state import HelperState, Request, Settings
from trainwright.tools.research import Finding, Read, Report, held_to, ranked
from trainwright.tools.research.bench import HelperBench
from trainwright.tools.toolbox import Workbench

from .boundary import emit, with_limits
from .guard import heed, refusals, tidy
from .research import helper_stage
from .research_calls import answered
from .research_limits import HeldTurn, hold_turn, out_of, standing_of_helper, sums_of
from .think import load_bench, open_calls

__all__ = ["bench_of", "conclude", "decide", "look_up"]

log = logging.getLogger("trainwright")

REMINDERS = 1
"""How often a helper that calls nothing is reminded."""

CALLS = 8
"""Calls of one answer that are run, at most."""

Goto = Command[Any]


def bench_of(run: str, inputs: str, stage: str, settings: Settings) -> Workbench:
    """The workbench of the stage that asks; a bare one outside a run."""
    if inputs:
        return load_bench(run, inputs).model_copy(update={"settings": settings})
    return Workbench(run=run, stage=stage, request=Request(), settings=settings)


async def decide(engineer: Engineer, state: HelperState, context: Settings | None) -> Goto:
    """One turn of the helper."""
    try:
        return await _turn(engineer, state, with_limits(state["settings"], context))
    except (GraphBubbleUp, RunBusy, StoreError):
        raise
    except StopRequested:
        return Command(goto="decide")
    except TimeoutError:
        return _ends(f"Its {state['settings'].research_minutes:g} minutes are over.")
    except TrainwrightError as error:
        return _ends(str(error))
    except Exception as error:
        log.error("unexpected error in a research helper", exc_info=error)
        return _ends(f"Unexpected error: {type(error).__name__}: {error}. The log has the details.")


def _ends(reason: str, **update: Any) -> Goto:
    return Command(goto="conclude", update={**update, "ended": redact(reason)[:1_000]})


async def _turn(engineer: Engineer, state: HelperState, settings: Settings) -> Goto:
    run, node, turn, most = state["run"], state["node"], state["turns"] + 1, state["allowance"]
    left = settings.research_minutes * 60 - state["seconds"]
    if turn > most:
        return _ends(f"Its {most} turns are used up.")
    if left <= 0:
        raise TimeoutError
    sums = await asyncio.to_thread(sums_of, run)
    if reason := out_of(sums, settings, node, paid=settings.engineer != BUILT_IN):
        return _ends(reason)
    found = heed(state["transcript"], state.get("repeats", 0), state.get("barred", []))
    update: dict[str, Any] = {"repeats": found.repeats, "barred": found.barred}
    if found.gives_up:
        return _ends(found.gives_up, **update)
    before = [*found.hints, *_nearly_over(turn, most)]
    bench = await asyncio.to_thread(_bench, state, settings)
    standing = standing_of_helper(sums, settings, node, state["turns"], most, left)
    bench = bench.model_copy(update={"standing": standing})
    held = await asyncio.to_thread(hold_turn, run, settings, node, turn, state["together"])
    answer = await _taken(held, engineer, bench, [*state["transcript"], *before], left, update)
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


async def _taken(
    held: HeldTurn,
    engineer: Engineer,
    bench: HelperBench,
    transcript: Sequence[Any],
    left: float,
    update: dict[str, Any],
) -> AIMessage:
    """The answer of the engineer, within the time that is left; the turn counts if there is one."""
    taken = False
    try:
        thinking = engineer.think(helper_stage(), bench, transcript)
        answer = tidy(await asyncio.wait_for(thinking, left), transcript)
        taken = True
        return answer
    finally:
        spent = await asyncio.shield(asyncio.to_thread(held.taken if taken else held.not_taken))
        update["seconds"] = left_after(bench, left, spent)


def left_after(bench: HelperBench, left: float, spent: float) -> float:
    """Seconds that a helper has been at work after a turn."""
    return bench.settings.research_minutes * 60 - left + spent


def _nearly_over(turn: int, most: int) -> list[HumanMessage]:
    if turn < most - 1 or turn == 1 < most - 1:
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
    started = time.monotonic()
    settings = with_limits(state["settings"], context)
    answer = next(m for m in reversed(state["transcript"]) if isinstance(m, AIMessage))
    calls = open_calls(answer)
    try:
        bench = await asyncio.to_thread(_bench, state, settings)
        refused = refusals(calls, state.get("barred", []), CALLS)
        left = [call for call in calls if call["id"] not in {m.tool_call_id for m in refused}]
        deadline = settings.research_minutes * 60 - state["seconds"]
        results = await asyncio.gather(
            *(answered(helper_stage(), bench, call, len(calls) == 1, state["limit"], deadline) for call in left)
        )
    except (GraphBubbleUp, RunBusy, StoreError):
        raise
    except Exception as error:
        log.error("unexpected error in a research helper", exc_info=error)
        return _ends(f"Unexpected error: {type(error).__name__}: {error}. The log has the details.")
    seconds = time.monotonic() - started
    await asyncio.to_thread(_charge, state, seconds)
    update: dict[str, Any] = {
        "seconds": state["seconds"] + seconds,
        "transcript": [*refused, *(message for message, _ in results)],
    }
    report = next((report for _, report in results if report is not None), None)
    if report is not None:
        return Command(goto="conclude", update={**update, "report": report.model_dump(mode="json")})
    return Command(goto="decide", update=update)


def _charge(state: HelperState, seconds: float) -> None:
    from .boundary import charge_time

    charge_time(state["run"], state["node"], seconds / state["together"])


def conclude(state: HelperState) -> dict[str, Any]:
    """The finding: the report, held to what was really read; or what was read, and why there is no report."""
    ended, read = state.get("ended", ""), _read(state["transcript"])
    given = state.get("report")
    report = Report.model_validate(given) if given else report_of(state["question"], read)
    turns = state["turns"]
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
