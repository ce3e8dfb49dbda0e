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
from pydantic import BaseModel

from trainwright.engineers.protocol import Stage
from trainwright.engineers.threads import in_thread
from trainwright.graph.errors import StoreError, TrainwrightError
from trainwright.graph.redaction import redact
from trainwright.graph.stopping import stop_requested
from trainwright.tools.http import lookups
from trainwright.tools.research.fitting import fitting
from trainwright.tools.toolbox import Workbench

from .calls import Refused, answer_text, arguments_of, check_alone, problem_of, tool_of
from .permission import permission, refused_words
from .surroundings import surroundings

__all__ = ["GRACE", "answered"]

log = logging.getLogger("trainwright")

GRACE = 2.0
"""Seconds that a lookup has to give up once the helper's time is over; then it is not waited for."""


class _TimeOver(Exception):
    """The lookup was not done in the time that is left."""


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
            check_alone(call, "the work", alone)
            report, content = arguments_of(stage.finish, call), "Accepted."
        else:
            content = await _looked_up(stage, bench, call, limit, seconds)
    except (GraphBubbleUp, StoreError):
        raise
    except Exception as error:  # noqa: BLE001 - the boundary of a call
        ok, content = False, json.dumps(_problem(error, call))
    message = ToolMessage(content, tool_call_id=call["id"], name=call["name"], status="success" if ok else "error")
    return message, report


async def _looked_up(stage: Stage, bench: Workbench, call: dict[str, Any], limit: int, seconds: float) -> str:
    running = in_thread(lambda: _run(stage, bench, call, limit, seconds), f"{bench.run}-{call['name']}")
    done, _ = await asyncio.wait({running}, timeout=max(0.0, seconds) + GRACE)
    if not done:  # a time-out inside the lookup is another thing
        running.cancel()
        raise _TimeOver
    return running.result()


def _problem(error: Exception, call: dict[str, Any]) -> dict[str, str]:
    if isinstance(error, Refused | TrainwrightError):
        return problem_of(error)
    if isinstance(error, _TimeOver):
        return {"error": f"{call['name']} was not done in the time that is left.", "hint": "", "kind": "time"}
    log.error("unexpected error in %s, called by a research helper", call["name"], exc_info=error)
    text = redact(f"Unexpected error: {type(error).__name__}: {error}")[:500]
    return {"error": text, "hint": "", "kind": "unexpected"}


def _run(stage: Stage, bench: Workbench, call: dict[str, Any], limit: int, seconds: float) -> str:
    tool = tool_of(stage, call)
    arguments = arguments_of(tool.arguments, call)
    verdict = permission(stage, call, bench)
    if verdict.decision == "refuse":
        raise Refused(f"{refused_words(verdict)} It was not run.")
    if verdict.decision == "ask":
        why = f"A person would have to allow this (rule {verdict.rule}): {verdict.why}"
        raise Refused(f"{why} A helper has nobody to ask, so it was not run. Go another way.")
    deadline = time.monotonic() + seconds

    def over() -> bool:
        return stop_requested() or time.monotonic() > deadline

    with surroundings(bench), lookups(offline=bench.settings.offline, cancelled=over):
        answer = tool.run(bench, arguments)
    return fitting(answer_text(answer), limit)
