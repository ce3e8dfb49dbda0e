"""One answer of a model, put together from the pieces of its stream.

Arguments of calls are read strictly: what is no JSON object is an unreadable call, never half of one. Nothing here
decides what follows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, InvalidToolCall, ToolCall

__all__ = ["Gathered"]

CUT = "The answer was cut at its limit of length in the middle of this call"
NO_JSON = "The arguments are not readable JSON"
NO_OBJECT = "The arguments are no JSON object"
KEPT = ("reasoning_content", "thinking_blocks", "reasoning_items")
"""What of an answer's extras goes back to the provider that made it."""


@dataclass
class _Call:
    identity: str
    name: str
    arguments: list[str] = field(default_factory=list)


@dataclass
class Gathered:
    """The pieces of one answer so far."""

    texts: list[str] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    places: dict[Any, _Call] = field(default_factory=dict)
    extras: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    usage: Any = None

    def take(self, piece: AIMessageChunk) -> str:
        """Add a piece; the text that it brings."""
        for chunk in piece.tool_call_chunks:
            self._call(chunk)
        for key in KEPT:
            if (value := piece.additional_kwargs.get(key)) is not None:
                self.extras[key] = self.extras[key] + value if key in self.extras else value
        self.metadata.update(piece.response_metadata)
        if piece.usage_metadata:
            self.usage = piece.usage_metadata
        text = str(piece.text)
        if text:
            self.texts.append(text)
        return text

    def _call(self, chunk: Any) -> None:
        """A piece of a call belongs to the call of its index, unless it brings another id: then a new one begins."""
        place, identity, name = chunk.get("index"), chunk.get("id") or "", chunk.get("name") or ""
        call = self.places.get(place)
        if call is None or (identity and call.identity and identity != call.identity):
            call = self.places[place] = _Call(identity, name)
            self.calls.append(call)
        else:
            call.identity = call.identity or identity
            call.name = call.name or name
        if arguments := chunk.get("args"):
            call.arguments.append(arguments if isinstance(arguments, str) else json.dumps(arguments))

    @property
    def began(self) -> bool:
        """Whether anything has come."""
        return bool(self.texts or self.calls or self.extras)

    @property
    def length(self) -> int:
        """Characters that came."""
        return sum(map(len, self.texts)) + sum(len(part) for call in self.calls for part in call.arguments)

    def message(self) -> AIMessage:
        """The answer. `response_metadata["cut"]` says that it was cut at its limit of length."""
        reason = str(self.metadata.get("finish_reason") or "")
        cut = reason == "length"
        good: list[ToolCall] = []
        bad: list[InvalidToolCall] = []
        for number, call in enumerate(self.calls, 1):
            text = "".join(call.arguments)
            last = number == len(self.calls)
            arguments, problem = _read(text)
            if problem:
                error = CUT if cut and last else problem
                bad.append({"name": call.name, "args": text[:2_000], "id": call.identity, "error": error, "type": "invalid_tool_call"})  # fmt: skip
            else:
                good.append({"name": call.name, "args": arguments, "id": call.identity, "type": "tool_call"})
        metadata: dict[str, Any] = {"model_name": self.metadata.get("model_name", ""), "finish_reason": reason}
        if cut:
            metadata["cut"] = True
        return AIMessage(
            "".join(self.texts),
            tool_calls=good,
            invalid_tool_calls=bad,
            additional_kwargs=dict(self.extras),
            response_metadata=metadata,
            usage_metadata=self.usage,
        )


def _read(text: str) -> tuple[dict[str, Any], str]:
    """The arguments, or what is wrong with them; a call without any has none."""
    if not text.strip():
        return {}, ""
    try:
        value = json.loads(text)
        if isinstance(value, str):  # some models encode the object twice
            value = json.loads(value)
    except (ValueError, RecursionError):
        return {}, NO_JSON
    return (value, "") if isinstance(value, dict) else ({}, NO_OBJECT)
