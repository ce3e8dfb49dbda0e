"""What every tool call has in common, whoever makes it: its tool, its arguments, its answer, and what went wrong.

Nothing runs here: stages run their calls in `nodes/act.py`, research helpers theirs in `nodes/research_calls.py`.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ValidationError

from trainwright.engineers.protocol import Stage, verbs_of
from trainwright.graph.errors import Refusal, TrainwrightError
from trainwright.graph.redaction import redact
from trainwright.tools.toolbox import Tool

__all__ = ["Refused", "answer_text", "arguments_of", "check_alone", "problem_of", "tool_of"]


class Refused(Exception):
    """The call cannot be run; the message is its answer."""


def check_alone(call: dict[str, Any], ends: str, alone: bool) -> None:
    """Let a call that ends something pass if it is the only one of its answer.

    Args:
        call: of a verb.
        ends: what it ends.
        alone: whether it is the only call.

    Raises:
        Refused: it is not.
    """
    if not alone:
        raise Refused(f"{call['name']} ends {ends}, so it must be the only call of an answer. Send it again, alone.")


def tool_of(stage: Stage, call: dict[str, Any]) -> Tool:
    """The tool that a call names.

    Raises:
        Refused: the stage has none of that name.
    """
    tool = stage.tool(call["name"])
    if tool is None:
        names = ", ".join([*(tool.name for tool in stage.tools), "finish", *verbs_of(stage.name)])
        raise Refused(f"There is no tool {call['name']!r} in {stage.name}. There are: {names}.")
    return tool


def arguments_of(schema: type[BaseModel], call: dict[str, Any]) -> BaseModel:
    """The arguments of a call.

    Raises:
        Refused: they could not be read, or do not fit.
    """
    if "malformed" in call:
        raise Refused(f"{call['malformed']}; {call['name']} was not run. Send the call again.")
    try:
        return schema.model_validate(call["args"])
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:20]]
        raise Refused(f"The arguments of {call['name']} do not fit; it was not run.\n" + "\n".join(lines)) from error


def answer_text(answer: str | BaseModel | dict[str, Any] | list[Any]) -> str:
    """What a tool answered, as it reaches a transcript: without secrets."""
    if isinstance(answer, BaseModel):
        answer = answer.model_dump_json()
    elif not isinstance(answer, str):
        answer = json.dumps(answer, ensure_ascii=False, default=str)
    text: str = redact(answer)
    return text


def problem_of(error: Refused | TrainwrightError) -> dict[str, str]:
    """The answer to a call that went wrong on purpose, without secrets."""
    if isinstance(error, Refused):
        message, hint, kind = str(error), "", "call"
    else:
        message, hint, kind = error.message, error.hint, type(error).__name__
    if isinstance(error, Refusal):
        message = f"This cannot be accepted yet: {message}"
    problem: dict[str, str] = redact({"error": message, "hint": hint, "kind": kind})
    return problem
