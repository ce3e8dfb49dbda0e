"""A scripted chat model: what it was asked, and what it answers, in the words of both protocols.

The vocabulary only. `server` puts it on loopback, `openai_wire` and `anthropic_wire` write it as the providers do.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Asked",
    "Call",
    "Json",
    "Reply",
    "Usage",
    "bad_request",
    "empty",
    "no_credit",
    "no_quota",
    "not_found",
    "overloaded",
    "pieces",
    "rate_limited",
    "server_error",
    "too_long",
    "unauthorized",
]

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request for an answer, as the server read it; `size` is the body's in bytes, `at` is `time.monotonic()`."""

    path: str
    headers: Mapping[str, str]
    body: Json
    size: int
    at: float
    number: int = 0
    """How many requests for an answer came before."""

    @property
    def stream(self) -> bool:
        """Whether the answer is to be streamed."""
        return bool(self.body.get("stream"))

    @property
    def model(self) -> str:
        """The model's name."""
        return str(self.body.get("model", ""))

    @property
    def messages(self) -> list[Json]:
        """The messages, as they were sent."""
        return list(self.body.get("messages", []))

    @property
    def system(self) -> str:
        """The system text of either protocol; several texts are joined by a line end."""
        texts = [_text(self.body.get("system"))]
        texts += [_text(message.get("content")) for message in self.messages if message["role"] in _SYSTEM]
        return "\n".join(text for text in texts if text)

    @property
    def tools(self) -> list[str]:
        """The names of the tools on offer."""
        return [str(tool.get("function", tool)["name"]) for tool in self.body.get("tools") or []]

    @property
    def last(self) -> str:
        """The text of the last message that the model did not write itself: a person's, or a tool's result."""
        heard = [message for message in self.messages if message["role"] in ("user", "tool")]
        return _text(heard[-1].get("content")) if heard else ""

    @property
    def turn(self) -> int:
        """1 for the first answer of a conversation."""
        return 1 + [message["role"] for message in self.messages].count("assistant")


_SYSTEM = ("system", "developer")


def _text(content: str | list[Json] | None) -> str:
    if isinstance(content, str):
        return content
    texts = [_text(b.get("content")) if b.get("type") == "tool_result" else b.get("text") for b in content or ()]
    return "\n".join(text for text in texts if text)


@dataclass(frozen=True)
class Call:
    """A tool call; a text as `args` is sent as it is, even if it is no JSON. `None` as `id` sends none."""

    name: str
    args: Json | str
    id: str | None = "auto"

    @property
    def arguments(self) -> str:
        """The arguments as text."""
        return self.args if isinstance(self.args, str) else json.dumps(self.args)


@dataclass(frozen=True)
class Usage:
    """Tokens; `input` is the whole prompt, the `cached` part included."""

    input: int = 100
    output: int = 20
    cached: int = 0


@dataclass(frozen=True)
class Reply:
    """One answer of the model, or one fault.

    It is an answer while `status` is 200 and neither `fault` nor `error` is set. `fault` names a row of the wires'
    tables of the providers' own errors, whose texts `values` fill in; `status` alone takes the row of that status, and
    `message` replaces the row's text. `error` is a body of the test's own, and `raw` is a body sent as it is.

    `cut_after` closes the connection in the middle: after that many events of a stream, or after half of a body.
    `done=False` ends a stream in good order, but without the `[DONE]` or `message_stop` that says so; together with
    `cut_after` it ends in good order there. The first byte waits for `before`; with `held_after`, that many events of a
    stream do not.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    thinking: str = ""
    signature: str = ""
    finish: str = ""
    usage: Usage | None = field(default_factory=Usage)
    status: int = 200
    fault: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)
    error: Json | str | None = None
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    done: bool = True
    before: threading.Event | None = None
    held_after: int = 0
    raw: bytes | None = None
    piece: int = 16
    """Characters of text, thinking or arguments in one event of a stream."""

    @property
    def refused(self) -> bool:
        """Whether this is an error rather than an answer."""
        return self.status != 200 or bool(self.fault) or self.error is not None

    @property
    def ending(self) -> str:
        """Why the answer ends, in OpenAI's words."""
        return self.finish or ("tool_calls" if self.calls else "stop")


def pieces(text: str, size: int) -> list[str]:
    """The text as a stream carries it."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def rate_limited(retry_after: str | None = None) -> Reply:
    """429: too many requests; `retry_after` is the header's text."""
    return Reply(fault="rate_limited", headers={} if retry_after is None else {"retry-after": retry_after})


def overloaded() -> Reply:
    """529 (Anthropic) or 503 (OpenAI): the provider has no room now."""
    return Reply(fault="overloaded")


def server_error() -> Reply:
    """500: the provider's own mistake."""
    return Reply(fault="server_error")


def unauthorized() -> Reply:
    """401: a wrong key."""
    return Reply(fault="unauthorized")


def no_credit() -> Reply:
    """402 in OpenRouter's words, or Anthropic's 400: nothing left to pay with."""
    return Reply(fault="no_credit")


def no_quota() -> Reply:
    """OpenAI's 429 `insufficient_quota`, which looks like a rate limit and is none; Anthropic's 400 for a spent limit."""
    return Reply(fault="no_quota")


def not_found(model: str) -> Reply:
    """404: no such model."""
    return Reply(fault="not_found", values={"model": model})


def bad_request(message: str) -> Reply:
    """400 with that message."""
    return Reply(fault="bad_request", message=message)


def too_long(tokens: int, window: int) -> Reply:
    """400: the prompt is longer than the model's window."""
    return Reply(fault="too_long", values={"tokens": tokens, "window": window})


def empty() -> Reply:
    """200, and neither text nor call."""
    return Reply(usage=Usage(output=0))
