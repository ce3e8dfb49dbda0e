"""Which answers of tools are the world's words, and how they are marked as such for a model.

An answer is marked with the tool that brought it and the sources that it names itself. What the program itself says to a
call (accepted, refused by the policy, arguments that do not fit) is not of the world; an error that tells of the world
is. The transcript keeps the plain answers: only what a model is shown is marked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from langchain_core.messages import ToolCall, ToolMessage

from trainwright.prompts import marked

from .protocol import VERBS

__all__ = ["USE", "as_outside", "source_of"]

OWN_KINDS = ("call", "policy", "time")
"""Kinds of errors in which nothing of the world is told."""

USE = "use_tool"
"""The tool that calls another one, which its argument `name` names: the words are that one's."""

OWN_WORDS = ("Not run: ", "[")
"""How texts begin that the program puts in the place of an answer."""


def as_outside(message: ToolMessage, calls: Iterable[ToolCall] = ()) -> ToolMessage:
    """The answer to a call as a model is shown it.

    Args:
        message: the answer.
        calls: those of the turn; one that calls another tool says which.
    """
    content = message.content if isinstance(message.content, str) else json.dumps(message.content, ensure_ascii=False)
    if _is_own(message, content):
        return message
    return message.model_copy(update={"content": marked(content, source_of(message, content, calls))})


def _is_own(message: ToolMessage, content: str) -> bool:
    if message.status != "error":
        return message.name == "finish" or message.name in VERBS
    if content.startswith(OWN_WORDS):
        return True
    problem = _parsed(content)
    return isinstance(problem, dict) and problem.get("kind") in OWN_KINDS


def source_of(message: ToolMessage, content: str, calls: Iterable[ToolCall] = ()) -> str:
    """The tool, and whom it asked, as far as the answer says so."""
    name = str(message.name or "tool")
    if name == USE:
        name = next((str(c["args"].get("name") or name) for c in calls if c["id"] == message.tool_call_id), name)
    if message.status == "error":
        return f"{name}, an error"
    answer = _parsed(content) if content.startswith("{") and '"sources"' in content else None
    sources = answer.get("sources") if isinstance(answer, dict) else None
    said = [
        " ".join(str(source.get(key) or "") for key in ("name", "address")).strip()
        for source in (sources if isinstance(sources, list) else [])
        if isinstance(source, dict)
    ]
    return f"{name}: {', '.join(said[-2:])}" if any(said) else name


def _parsed(content: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
