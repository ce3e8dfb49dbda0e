"""One model in this process: its client, the parameters of its calls, and what was learnt that it refuses.

What a model does not take is left out from then on: an effort falls to the next lower one, other parameters go. This
module sends nothing; `engineers/call.py` does.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage

from .budget import LEAST
from .model_errors import Kind, Trouble
from .providers import Line, listed, load_litellm

__all__ = ["BYTES_PER_TOKEN", "THINKING", "Model", "chat_of", "gives_way", "options_of", "takes_effort"]

_lock = threading.Lock()

LOWER = {
    "max": "xhigh", "xhigh": "high", "high": "medium", "medium": "low", "low": "",
    "none": "minimal", "minimal": "low",
}  # fmt: skip
"""What is tried instead of an effort that a model refuses; its own default at last."""

BYTES_PER_TOKEN = 3.0
"""Before a provider has counted: right for English and code, and for many other scripts."""

MARKED = ("anthropic", "bedrock", "vertex_ai")
"""Providers of Claude, which caches what is marked and thinks by its own rules."""

THINKING = ("anthropic", "bedrock", "vertex_ai", "deepseek", "moonshot", "gemini", "zai")
"""Providers that take an answer's thinking back; all others refuse it or are confused by it."""

TEMPLATED = ("hosted_vllm", "lm_studio", "llamafile")
"""Servers whose models are told by their template not to think, besides the parameter that not all of them read."""

UNNAMED = "chat_template_kwargs"
"""A parameter that servers refuse without naming it."""


@dataclass
class Model:
    """One model, with what was learnt about it.

    Attributes:
        line: how to call it.
        effort: the effort that it takes; empty for its own.
        room: tokens that a request may have besides functions and answer; shrinks when the provider says too long.
        per_token: bytes of a request by token, as the provider counted last.
        counted: whether it ever did.
        without: parameters that it refuses.
        told: runs that were told that nobody knows its price.
        chat: the client.
    """

    line: Line
    effort: str
    room: int
    per_token: float = BYTES_PER_TOKEN
    counted: bool = False
    without: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    chat: Any = None

    def tokens(self, size: int) -> int:
        """Tokens that a request of `size` bytes has at most, cautiously: before anyone has counted it is two bytes."""
        most = size / self.per_token * 1.25 if self.counted else size / 2
        return int(min(most, self.line.window) if self.line.window_known else most) + 1

    def longest(self) -> int:
        """Tokens that an answer has at most: what is asked for, or what it can where it does not take that."""
        if "max_tokens" not in self.without:
            return self.line.answer
        return int(listed(self.line.model).get("max_output_tokens") or self.line.window)

    def learn(self, size: int, tokens: int) -> None:
        """A request of `size` bytes had so many tokens, as the provider counted them."""
        if tokens:
            self.per_token, self.counted = min(max(size / tokens, 1.0), 4.5), True


def takes_effort(line: Line) -> bool:
    """Whether litellm knows that the provider takes an effort for this model; a server of one's own may."""
    return bool(line.base) or listed(line.model).get("supports_reasoning") is True


def chat_of(model: Model) -> Any:
    """The model's client, made when it is asked for the first time.

    Helpers ask at once: each must end its stream at the client that began it, so there is one.
    """
    with _lock:
        return _made(model)


def _made(model: Model) -> Any:
    if model.chat is None:
        load_litellm()
        from .chat import Chat

        line = model.line
        model.chat = Chat(
            model=line.model,
            api_base=line.base or None,
            api_key=line.key,
            streaming=True,
            request_timeout=600.0,
            max_retries=1,
            model_kwargs={"max_retries": 0, **line.options},  # one try: the others are ours, with our waits
        )
    return model.chat


def options_of(model: Model, messages: Sequence[AnyMessage], answer: int) -> dict[str, Any]:
    """The parameters of a call besides its messages and functions.

    Args:
        model: whose call it is.
        messages: of the request.
        answer: tokens that the answer may have.
    """
    options: dict[str, Any] = {"max_tokens": answer, **_effort(model, messages, answer)}
    if _claude(model.line):
        # The beginning (functions, rules, what is known) and all up to the last message, which stays as it is.
        options["cache_control_injection_points"] = [
            {"location": "message", "role": "system"},
            {"location": "message", "index": -1},
        ]
    if "stream_options" in model.without:
        options["stream_options"] = None
    return {name: value for name, value in options.items() if name not in model.without}


def _effort(model: Model, messages: Sequence[AnyMessage], answer: int) -> dict[str, Any]:
    """How hard to think, in the words that the server reads."""
    line = model.line
    if not model.effort:
        return {}
    if _claude(line):
        if model.effort == "none":
            return {"thinking": {"type": "disabled"}}  # litellm would send nothing, and leave it to the model
        short = answer < min(line.answer, 4 * LEAST)  # thinking would take all of a shortened answer
        return {} if short or _unthought(messages) else {"reasoning_effort": model.effort}
    options: dict[str, Any] = {"reasoning_effort": model.effort}
    if model.effort == "none" and line.provider in TEMPLATED and UNNAMED not in model.without:
        options["extra_body"] = {UNNAMED: {"enable_thinking": False}}
    return options


def _claude(line: Line) -> bool:
    return line.provider in MARKED and "claude" in line.model.lower()


def _unthought(messages: Sequence[AnyMessage]) -> bool:
    """Whether the last calls come without their thinking, as those of another model do: Claude then refuses to think."""
    last = next((m for m in reversed(messages) if isinstance(m, AIMessage)), None)
    return last is not None and bool(last.tool_calls) and not last.additional_kwargs.get("thinking_blocks")


def gives_way(model: Model, trouble: Trouble) -> bool:
    """Whether the model refused something that can be left out: then it is, from now on."""
    if trouble.kind == Kind.SIGNATURE:
        return _left_out(model, "thinking")
    if trouble.kind not in (Kind.PARAMETER, Kind.REFUSED):
        return False
    named = trouble.parameter.split(".", 1)[0]
    templated = model.effort == "none" and model.line.provider in TEMPLATED
    if templated and named in ("", UNNAMED) and _left_out(model, UNNAMED):
        return True
    about_effort = named in ("reasoning_effort", "reasoning", "thinking", "effort") or (
        trouble.kind == Kind.PARAMETER and not named
    )
    if model.effort and about_effort:
        model.effort = LOWER.get(model.effort, "")
        return True
    if named in ("max_tokens", "max_completion_tokens", "stream_options", "cache_control_injection_points"):
        return _left_out(model, "max_tokens" if named == "max_completion_tokens" else named)
    return False


def _left_out(model: Model, name: str) -> bool:
    if name in model.without:
        return False
    model.without.add(name)
    return True
