"""One tool call: validated, run in a thread, answered. Each call is a task of its own.

Whatever goes wrong on purpose (arguments that do not fit, an unknown tool, a file that cannot be read) is the answer
to the call: the engineer reads it and decides. Nothing here ends the run but the verbs of `engineers/protocol.py`, and
an error that nobody foresaw: its traceback goes to the log, and the stage concludes with it after the other calls.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command

from trainwright.engineers.protocol import VERBS, Ask, Contradict, GiveUp, Stage, verbs_of
from trainwright.graph.errors import TrainwrightError
from trainwright.graph.redaction import redact
from trainwright.graph.state import Question, Status
from trainwright.tools.toolbox import Workbench

from .boundary import charge_time, emit, failure
from .calls import Refused, answer_text, arguments_of, check_alone, problem_of, tool_of
from .deciding import said_of
from .offered import offered
from .surroundings import surroundings
from .think import ANSWER_LIMIT, load_bench

__all__ = ["act"]


CLOSING = {
    "ask": "Questions are asked in plan and find_data.",
    "contradict": "Only find_data can contradict the plan.",
    "give_up": "",
}
"""Where a verb is possible that a stage does not allow."""


async def act(stage: Stage, task: dict[str, Any]) -> Command[Any]:
    """Run one call of the engineer and hand its answer back."""
    try:
        return await _act(stage, task)
    except GraphBubbleUp:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary of a call: a stage ends by conclude, also in trouble
        update, call = failure(error, stage.name), task["call"]
        content = json.dumps({"error": update["reason"], "hint": "", "kind": "unexpected"})
        message = ToolMessage(content, tool_call_id=call["id"], name=call["name"], status="error")
        return Command(goto="think", update={"failures": [update], "transcript": [message]})


async def _act(stage: Stage, task: dict[str, Any]) -> Command[Any]:
    call, run = task["call"], task["run"]
    started = time.monotonic()
    bench = await asyncio.to_thread(load_bench, run, task["inputs"])
    stage = await asyncio.to_thread(offered, stage, bench)
    ok, goto, problem = True, "think", {"error": "", "hint": ""}
    update: dict[str, Any] = {}
    emit("tool_started", run, stage=stage.name, name=call["name"])
    try:
        if call["name"] == "finish" or call["name"] in VERBS:
            content, update = await asyncio.to_thread(_close, stage, bench, call, task["alone"])
            goto = "conclude"
        else:
            content = await asyncio.to_thread(_run_tool, stage, bench, call, task.get("limit", ANSWER_LIMIT))
            content = _with_change(content, call.get("changed", ""))
    except (Refused, TrainwrightError) as error:
        ok, problem = False, problem_of(error)
        content = json.dumps(problem)
    if said := said_of(update[stage.field]) if update.get(stage.field) is not None else None:
        emit("decided", run, stage=stage.name, text=said.text, why=said.why)
    seconds = time.monotonic() - started
    await asyncio.to_thread(charge_time, run, stage.name, seconds)
    emit(
        "tool",
        run,
        stage=stage.name,
        name=call["name"],
        ok=ok,
        seconds=round(seconds, 3),
        summary=_summary(content, problem),
    )
    message = ToolMessage(content, tool_call_id=call["id"], name=call["name"], status="success" if ok else "error")
    return Command(goto=goto, update={**update, "transcript": [message]})


def _summary(content: str, problem: dict[str, Any]) -> str:
    """The beginning of an answer; of a problem, JSON that is whole."""
    if problem["error"]:
        return json.dumps({"error": _short(problem["error"], 300), "hint": _short(problem["hint"], 200)})
    return _short(content, 200)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _run_tool(stage: Stage, bench: Workbench, call: dict[str, Any], limit: int) -> str:
    tool = tool_of(stage, call)
    with surroundings(bench):
        text = answer_text(tool.run(bench, arguments_of(tool.arguments, call)))
    if len(text) <= limit:
        return text
    # The id of a call is what a model wrote: it names no file.
    path = bench.folder / "stages" / f"{stage.name}-{hashlib.sha256(call['id'].encode()).hexdigest()[:12]}.txt"
    path.write_text(text, encoding="utf-8")
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters cut; read_output shows the whole: stages/{path.name} …\n{text[-half:]}"


def _with_change(content: str, changed: str) -> str:
    """An answer that says first what a person changed of the call; one that is an object stays one."""
    if not changed:
        return content
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return json.dumps({"changed_by_a_person": redact(changed), **answer}, ensure_ascii=False)
    return f"{redact(changed)}\n{content}"


def _close(stage: Stage, bench: Workbench, call: dict[str, Any], alone: bool) -> tuple[str, dict[str, Any]]:
    """The answer to a verb that ends the stage, and the update that it makes."""
    check_alone(call, "the stage", alone)
    if call["name"] == "finish":
        with surroundings(bench):
            return "Accepted.", {stage.field: stage.settle(bench, arguments_of(stage.finish, call))}
    if call["name"] not in verbs_of(stage.name):
        raise Refused(f"{call['name']} is not possible in {stage.name}. {CLOSING[call['name']]}")
    wish = arguments_of(VERBS[call["name"]], call)
    if isinstance(wish, Ask):
        back = stage.name
        assert back in ("plan", "find_data"), "verbs_of"
        return "Asked.", {"question": Question(key=wish.key, text=wish.text, options=wish.options, back_to=back)}
    if isinstance(wish, Contradict):
        return "The plan will be made anew.", {"feedback": wish.reason}
    assert isinstance(wish, GiveUp)
    status = Status.FAILED if wish.broken_input else Status.GAVE_UP
    return "The run ends.", {"status": status, "reason": wish.reason}
