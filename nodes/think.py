"""One turn of the engineer: the only place that counts steps.

Before each turn the limits are looked at, and what a person told the run, or the guard has to say, is put before the
engineer. After it, the answer's calls go to `act`, to `approve_tools` first when one of them needs a person, or back to
the engineer with a reminder when there is none. A turn that fails in a way that nobody foresaw, or a call before it
that did, ends the stage; one that fails because the model behind it cannot go on leaves the transcript to be resumed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command, Send

from trainwright.engineers import BUILT_IN
from trainwright.engineers.protocol import Engineer, Stage, StopRequested
from trainwright.graph import ledger, runs, tellings, thresholds
from trainwright.graph.database import transaction
from trainwright.graph.errors import ContextTooSmall, LimitReached, ModelError, NeedsPerson
from trainwright.graph.ledger import Ledger, Sums
from trainwright.graph.limits import reached, remaining
from trainwright.graph.settings import run_path
from trainwright.graph.state import Settings, StageState, Status
from trainwright.tools.toolbox import Workbench

from .boundary import changes_said, charge_time, emit, failure, time_key, with_limits
from .budget import emit_all, standing_of, warn
from .guard import heed, refusals, tidy
from .offered import offered
from .permission import permission
from .refusing import one_at_a_time, refuse_calls
from .research import NAME as RESEARCH
from .research import is_research, together

__all__ = [
    "ANSWER_LIMIT",
    "REMINDERS",
    "load_bench",
    "open_calls",
    "send_calls",
    "think",
]

UNREADABLE = "The arguments are not readable JSON"

REMINDERS = 2
"""How often an answer without a tool call is answered with a reminder before the stage gives up."""

CALLS = 32
"""Calls of one answer that are run, at most."""

ANSWER_LIMIT = 60_000
"""Characters of a tool's answer that reach the transcript, unless the engineer has an `answer_limit` of its own."""

Goto = Command[Any]


def load_bench(run: str, inputs: str) -> Workbench:
    """The workbench that `prepare` left in the run's folder."""
    text = (run_path(run) / inputs).read_text(encoding="utf-8")
    return Workbench.model_validate_json(text)


def send_calls(
    stage: Stage, state: StageState, calls: list[dict[str, Any]], alone: bool, limit: int = ANSWER_LIMIT
) -> list[Send]:
    """One task a call, so that the finished ones survive a kill."""
    base = {"run": state["run"], "inputs": state["inputs"], "alone": alone, "limit": limit}
    asking = {"stage": stage.name, "settings": state["settings"], "steps": state["steps"]}
    return [
        Send(RESEARCH, {**base, **asking, "call": call})
        if is_research(stage, call)
        else Send("act", {**base, "call": call})
        for call in calls
    ]


def open_calls(message: AIMessage) -> list[dict[str, Any]]:
    """The calls of an answer; those whose arguments could not be read are among them, marked as `malformed`."""
    calls: list[dict[str, Any]] = [{"id": c["id"], "name": c["name"], "args": c["args"]} for c in message.tool_calls]
    bad: list[dict[str, Any]] = [
        {"id": c["id"], "name": c["name"], "args": {}, "malformed": c["error"] or UNREADABLE}
        for c in message.invalid_tool_calls
    ]
    return calls + bad


async def think(
    stage: Stage, choose: Callable[[Settings], Engineer], state: StageState, context: Settings | None = None
) -> Goto:
    """Let the engineer that `choose` gives for the run's settings take one turn."""
    # The turns that helpers took in the step before count from here on: whatever comes of this turn, they are written.
    steps = state["steps"] + state.get("helped", 0)
    state = {**state, "steps": steps}
    goto = await _think(stage, choose, state, context)
    return Command(goto=goto.goto, update={"steps": steps, **(goto.update or {})}) if state.get("helped") else goto


async def _think(
    stage: Stage, choose: Callable[[Settings], Engineer], state: StageState, context: Settings | None
) -> Goto:
    if failures := state.get("failures"):
        return Command(goto="conclude", update=failures[0])
    try:
        return await _turn(stage, choose(with_limits(state["settings"], context)), state, context)
    except GraphBubbleUp:
        raise
    except StopRequested:
        return Command(goto="think", update={"settings": with_limits(state["settings"], context)})
    except (ModelError, ContextTooSmall, LimitReached, NeedsPerson) as error:
        changed = {"settings": with_limits(state["settings"], context)}
        return Command(goto="conclude", update={**failure(error, stage.name), **changed, "keep": True})
    except Exception as error:  # noqa: BLE001 - the boundary of a turn: a stage ends by conclude, also in trouble
        return Command(goto="conclude", update=failure(error, stage.name))


async def _turn(stage: Stage, engineer: Engineer, state: StageState, context: Settings | None) -> Goto:
    run, steps, settings = state["run"], state["steps"], with_limits(state["settings"], context)
    sums, told, warnings = await asyncio.to_thread(_look_up, run, state.get("told", 0), settings)
    emit_all(run, warnings)
    limit = reached(run, stage.name, sums, settings, steps=steps, paid=settings.engineer != BUILT_IN)
    if limit is not None:
        return Command(goto="conclude", update={"status": limit[0], "reason": limit[1], "settings": settings})
    started = time.monotonic()
    before, update = _before(stage, state, told)
    if settings != state["settings"]:
        update |= {"settings": settings, "remarks": [changes_said(state["settings"], settings)]}
    if reason := update.pop("gives_up", ""):
        return Command(goto="conclude", update={**update, "status": Status.GAVE_UP, "reason": reason})
    transcript = [*state["transcript"], *before]
    bench = await asyncio.to_thread(_bench, stage.name, state, settings, sums)
    stage = await asyncio.to_thread(offered, stage, bench)
    try:
        answer = tidy(await engineer.think(stage, bench, transcript), transcript)
    except Exception:
        await asyncio.to_thread(charge_time, run, stage.name, time.monotonic() - started)
        raise
    steps += 1
    await asyncio.to_thread(_record, run, stage.name, steps, started)
    calls = open_calls(answer)
    said = {"text": str(answer.text)[:500], "model": answer.response_metadata.get("model_name", "")}
    emit("turn", run, stage=stage.name, step=steps, tools=[c["name"] for c in calls], **said)
    update |= {"steps": steps, "transcript": [*before, answer]}
    if took_over := answer.response_metadata.get("took_over"):
        update["remarks"] = [*update.get("remarks", []), str(took_over)]
    if not calls:
        return _remind(state, update, answer)
    return await _call(stage, engineer, state, calls, update, bench)


async def _call(
    stage: Stage,
    engineer: Engineer,
    state: StageState,
    calls: list[dict[str, Any]],
    update: dict[str, Any],
    bench: Workbench,
) -> Goto:
    """Send the calls to where they run, but for those that are barred, or that the policy refuses."""
    update["reminders"] = 0
    refused = refusals(calls, update.get("barred", state.get("barred", [])), CALLS)
    known = {message.tool_call_id for message in refused}
    refused += one_at_a_time(call for call in together(stage, calls) if call["id"] not in known)
    left = [call for call in calls if call["id"] not in {message.tool_call_id for message in refused}]
    verdicts = await asyncio.to_thread(lambda: [permission(stage, call, bench) for call in left])
    forbidden = [(c, v) for c, v in zip(left, verdicts, strict=True) if v.decision == "refuse"]
    left = [call for call, verdict in zip(left, verdicts, strict=True) if verdict.decision != "refuse"]
    messages, records = refuse_calls(state["run"], forbidden)
    update["transcript"] = [*update["transcript"], *refused, *messages]
    if records:
        update["decided"] = records
    if not left:
        return Command(goto="think", update=update)
    if any(verdict.decision == "ask" for verdict in verdicts):
        return Command(goto="approve_tools", update=update)
    limit = getattr(engineer, "answer_limit", ANSWER_LIMIT)
    asking: StageState = {**state, "steps": update["steps"], "settings": update.get("settings", state["settings"])}
    return Command(goto=send_calls(stage, asking, left, alone=len(calls) == 1, limit=limit), update=update)


def _look_up(run: str, told: int, settings: Settings) -> tuple[Sums, list[tellings.Telling], list[dict[str, Any]]]:
    """What the run has used, what a person told it since message `told`, and which limits are near; one transaction."""
    with transaction(ledger.SCHEMA + tellings.SCHEMA + thresholds.SCHEMA) as db:
        sums = Ledger.sums(db, run)
        passed = thresholds.newly_passed(db, run, remaining(sums, settings))
        messages = tellings.read(db, run, told)
    return sums, messages, warn(run, passed)


def _before(stage: Stage, state: StageState, told: list[tellings.Telling]) -> tuple[list[HumanMessage], dict[str, Any]]:
    """What stands before the turn: messages of a person that are new, and the guard's hints; and what follows."""
    found = heed(state["transcript"], state.get("repeats", 0), state.get("barred", []))
    update: dict[str, Any] = {}
    if found.repeats != state.get("repeats", 0):
        update = {"repeats": found.repeats, "barred": found.barred, "gives_up": found.gives_up}
    messages = list(found.hints)
    for telling in told:
        emit("told", state["run"], stage=stage.name, text=telling.text)
        messages.append(HumanMessage(f"The person says: {telling.text}", additional_kwargs={"told": telling.id}))
        update["told"] = telling.id
    return messages, update


def _bench(stage: str, state: StageState, settings: Settings, sums: Sums) -> Workbench:
    """The workbench with what remains to the run at this turn."""
    standing = standing_of(stage, state["steps"], sums, settings)
    return load_bench(state["run"], state["inputs"]).model_copy(update={"settings": settings, "standing": standing})


def _record(run: str, stage: str, steps: int, started: float) -> None:
    """The turn in the ledger and in the table of runs, in one transaction: a run has hundreds of turns."""
    milliseconds = int((time.monotonic() - started) * 1000)
    with transaction(runs.SCHEMA + ledger.SCHEMA) as db:
        Ledger.enter(db, run, "steps", 1, key=f"{run}/step/{steps}", node=stage)
        Ledger.enter(db, run, "milliseconds", milliseconds, key=time_key(run, stage), node=stage)
        runs.Runs.write(db, run, stage=stage, steps=steps, status="running", waiting=None)


def _remind(state: StageState, update: dict[str, Any], answer: AIMessage) -> Goto:
    count = state.get("reminders", 0) + 1
    if count > REMINDERS:
        reason = f"The engineer answered {count} times without doing anything."
        return Command(goto="conclude", update={**update, "status": Status.GAVE_UP, "reason": reason})
    cut = "Your answer was cut at its limit of length. " if answer.response_metadata.get("cut") else ""
    text = f"{cut}Answer with a tool call; `finish` ends the stage and `give_up` says why it cannot be done."
    update["transcript"] = [*update["transcript"], HumanMessage(text, additional_kwargs={"hint": 0})]
    return Command(goto="think", update={**update, "reminders": count})


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that the file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    temporary.replace(path)
