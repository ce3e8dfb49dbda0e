"""One call of a research helper: judged, run in a thread within the helper's time, answered.

Whatever goes wrong is the answer to the call: the helper reads it and goes another way.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.errors import GraphBubbleUp
from pydantic import BaseModel, ValidationError

from trainwright.engineers.protocol import Stage
from trainwright.engineers.threads import in_thread
from trainwright.graph.errors import StoreError, TrainwrightError
from trainwright.graph.redaction import redact
from trainwright.graph.stopping import stop_requested
from trainwright.tools.http import lookups
from trainwright.tools.toolbox import Workbench

from .permission import permission, refused_words
from .surroundings import surroundings

__all__ = ["GRACE", "answered"]

log = logging.getLogger("trainwright")

GRACE = 2.0
"""Seconds that a lookup has to give up once the helper's time is over; then it is not waited for."""


class _Refused(Exception):
    """The call is not run; the message is its answer."""


async def answered(
    stage: Stage, bench: Workbench, call: dict[str, Any], alone: bool, limit: int, seconds: float
) -> tuple[ToolMessage, BaseModel | None]:
    """The answer to a call, and the report if it was one.

    Args:
        stage: of the helper.
        bench: what it knows.
        call: what it wants.
        alone: whether it is the only call of its answer.
        limit: characters of an answer.
        seconds: that the helper still has.
    """
    report: BaseModel | None = None
    ok = True
    try:
        if call["name"] == "finish":
            report, content = _report(stage, call, alone), "Accepted."
        else:
            running = in_thread(lambda: _run(stage, bench, call, limit, seconds), f"{bench.run}-{call['name']}")
            content = await asyncio.wait_for(running, max(0.0, seconds) + GRACE)
    except (GraphBubbleUp, StoreError):
        raise
    except Exception as error:  # noqa: BLE001 - the boundary of a call
        ok, content = False, json.dumps(redact(_problem(error, call)))
    message = ToolMessage(content, tool_call_id=call["id"], name=call["name"], status="success" if ok else "error")
    return message, report


def _problem(error: Exception, call: dict[str, Any]) -> dict[str, str]:
    if isinstance(error, TrainwrightError):
        return {"error": error.message, "hint": error.hint, "kind": type(error).__name__}
    if isinstance(error, _Refused):
        return {"error": str(error), "hint": "", "kind": "call"}
    if isinstance(error, TimeoutError):
        return {"error": f"{call['name']} was not done in the time that is left.", "hint": "", "kind": "time"}
    log.error("unexpected error in %s, called by a research helper", call["name"], exc_info=error)
    return {"error": f"Unexpected error: {type(error).__name__}: {error}"[:500], "hint": "", "kind": "unexpected"}


def _arguments(schema: type[BaseModel], call: dict[str, Any]) -> BaseModel:
    if "malformed" in call:
        raise _Refused(f"{call['malformed']}; {call['name']} was not run. Send the call again.")
    try:
        return schema.model_validate(call["args"])
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:20]]
        raise _Refused(f"The arguments of {call['name']} do not fit; it was not run.\n" + "\n".join(lines)) from error


def _report(stage: Stage, call: dict[str, Any], alone: bool) -> BaseModel:
    if not alone:
        raise _Refused("finish ends the work, so it must be the only call of an answer. Send it again, alone.")
    return _arguments(stage.finish, call)


def _run(stage: Stage, bench: Workbench, call: dict[str, Any], limit: int, seconds: float) -> str:
    tool = stage.tool(call["name"])
    if tool is None:
        names = ", ".join([*(tool.name for tool in stage.tools), "finish"])
        raise _Refused(f"There is no {call['name']!r} here. There are: {names}.")
    arguments = _arguments(tool.arguments, call)
    verdict = permission(stage, call, bench)
    if verdict.decision == "refuse":
        raise _Refused(f"{refused_words(verdict)} It was not run.")
    if verdict.decision == "ask":
        why = f"A person would have to allow this (rule {verdict.rule}): {verdict.why}"
        raise _Refused(f"{why} A helper has nobody to ask, so it was not run. Go another way.")
    deadline = time.monotonic() + seconds

    def over() -> bool:
        return stop_requested() or time.monotonic() > deadline

    with surroundings(bench), lookups(offline=bench.settings.offline, cancelled=over):
        answer = tool.run(bench, arguments)
    text: str = redact(answer if isinstance(answer, str) else _json(answer))
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n… {len(text) - limit} characters cut; ask for less, such as one section or fewer results."


def _json(answer: BaseModel | dict[str, Any] | list[Any]) -> str:
    if isinstance(answer, BaseModel):
        return answer.model_dump_json(exclude_defaults=True)
    return json.dumps(answer, ensure_ascii=False, default=str)
