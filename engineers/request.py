"""The messages of one request: rules, what is known, what of the transcript fits, and what remains to the run.

Nothing leaves without the redactor, and no call goes back without its result. This module sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from trainwright.graph.errors import ContextTooSmall
from trainwright.graph.redaction import redact
from trainwright.prompts import known, system
from trainwright.tools.toolbox import Workbench

from .client import THINKING, Model
from .protocol import Stage
from .schemas import functions_of
from .window import TooLong, size_of, within

__all__ = ["Sent", "request_of"]


class Sent(NamedTuple):
    """What is sent to a model.

    Attributes:
        messages: in their order.
        functions: what it may call.
        size: bytes of both, about.
    """

    messages: list[AnyMessage]
    functions: tuple[dict[str, Any], ...]
    size: int


def request_of(stage: Stage, bench: Workbench, transcript: Sequence[AnyMessage], model: Model, before: str) -> Sent:
    """The request of one turn, within the model's window.

    Args:
        stage, bench: what is to be done.
        transcript: of the stage so far.
        model: whom it goes to.
        before: what stands right before the answer.

    Raises:
        ContextTooSmall: the model cannot take the smallest request.
    """
    functions = functions_of(stage)
    # What a person wrote, and what was known, may have come from anywhere: nothing leaves without the redactor.
    # The answers about its own price and credit are none of the model's business.
    answers = {key: text for key, text in bench.answers.items() if ":" not in key}
    shown = known(stage.name, bench.model_copy(update={"answers": answers}))
    head: list[AnyMessage] = [SystemMessage(system(stage.name)), HumanMessage(redact(shown))]
    tail: list[AnyMessage] = [HumanMessage(before)] if before else []
    taken = size_of([*head, *tail]) + len(str(functions))
    room = int(model.room * model.per_token) - taken
    try:
        middle = within(transcript[1:], room)
    except TooLong:
        middle = []
    if room < 0 or (not middle and len(transcript) > 1):
        raise ContextTooSmall(
            f"{model.line.name} reads {model.line.window:,} tokens, which cannot hold the smallest request of "
            f"{stage.name} (some {int(taken / model.per_token):,} and the last answers); nothing was sent.",
            hint="Resume with a model that reads more (--engineer), or say how much it reads (--context-tokens).",
        )
    messages = _joined([*head, *(_sent(message, model) for message in middle), *tail])
    return Sent(messages, functions, size_of(messages) + len(str(functions)))


def _sent(message: AnyMessage, model: Model) -> AnyMessage:
    """A message as it goes to this model: its thinking goes back only to a provider that takes it."""
    if not isinstance(message, AIMessage):
        return message
    kept = model.line.provider in THINKING and "thinking" not in model.without
    names = ("thinking_blocks", "reasoning_content", "reasoning_items") if kept else ()
    allowed = {name: value for name, value in message.additional_kwargs.items() if name in names}
    return message.model_copy(update={"additional_kwargs": allowed})


def _joined(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages with neighbours of a person joined: the templates of many local models want them to alternate."""
    joined: list[AnyMessage] = []
    for message in messages:
        last = joined[-1] if joined else None
        if isinstance(message, HumanMessage) and isinstance(last, HumanMessage):
            joined[-1] = HumanMessage(f"{last.text}\n\n{message.text}")
        else:
            joined.append(message)
    return joined
