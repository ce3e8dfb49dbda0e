"""One call of a model: reserved, sent, gathered piece by piece, and settled whatever comes of it.

A call that a server refused, or that never reached one, is given back: no provider charges for it. Any other is settled:
a whole answer by the provider's figures, a broken one by its request and what had come of it. Nothing is tried again
here; `engineers/turn.py` does that.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage

from .answers import Gathered
from .budget import Reserved
from .client import Model, chat_of, options_of
from .model_errors import Kind, Trouble, classify
from .pricing import BYTES_PER_TOKEN, Usage, usage_of
from .protocol import StopRequested
from .request import Sent

__all__ = ["Call", "Failed"]

SAID = 400
"""Characters of a text that are held back at most before they are shown: a secret is never shown in halves."""


class Failed(Exception):
    """One call, or one model, cannot go on."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


@dataclass
class Call:
    """One call.

    Attributes:
        model: whom it goes to.
        sent: the request.
        reserved: what it may take.
        emit: tells whoever watches.
        cancelled: set when nobody waits for the answer any more.
    """

    model: Model
    sent: Sent
    reserved: Reserved
    emit: Callable[..., None]
    cancelled: threading.Event
    gathered: Gathered = field(default_factory=Gathered)
    left: bool = False
    """Whether the request has left, or may have."""
    started: float = field(default_factory=time.monotonic)

    def answer(self) -> AIMessage:
        """Make it.

        Raises:
            Failed: what was raised, classified.
            StopRequested: nobody waits for the answer any more; the stream is closed.
        """
        name = self.model.line.name
        try:
            self.emit("call", model=name, phase="start", bytes=self.sent.size)
            self._receive()
        except BaseException as error:
            self._broken(error)
            raise
        usage = usage_of(self.gathered.usage, sent=self.sent.size, received=self.gathered.length)
        self._settle(usage)
        if not usage.estimated:
            self.model.learn(self.sent.size, usage.input)
        return self.gathered.message()

    def _receive(self) -> None:
        """Gather the answer, and show its text as it comes."""
        shown = _Shown(self.emit)
        try:
            for piece in self._pieces():
                shown.add(self.gathered.take(piece))
        finally:
            whole, counted = chat_of(self.model).finished()  # closes the stream, too
            if not counted:
                self.gathered.usage = None
        if not whole:
            raise Failed(Trouble(Kind.STREAM, 0, "The connection ended before the answer did."))
        shown.close()

    def _pieces(self) -> Iterator[Any]:
        """The pieces of the answer as they come."""
        model, sent = self.model, self.sent
        options = options_of(model, sent.messages, self.reserved.answer)
        pieces = iter(chat_of(model).stream(sent.messages, tools=list(sent.functions), **options))
        while not self.cancelled.is_set():
            self.left = True
            try:
                piece = next(pieces)
            except StopIteration:
                return
            except Exception as error:
                raise Failed(classify(error, began=self.gathered.began)) from error
            yield piece
        raise StopRequested

    def _broken(self, error: BaseException) -> None:
        """Give back what was reserved where nothing was taken; else settle by the request and what came."""
        if not self.left or (not self.gathered.began and _refused(error)):
            self.reserved.release()
            return
        usage = usage_of(self.gathered.usage, sent=self.sent.size, received=self.gathered.length)
        came = math.ceil(self.gathered.length / BYTES_PER_TOKEN)
        self._settle(usage._replace(output=max(usage.output, came)), broken=True)

    def _settle(self, usage: Usage, **more: Any) -> None:
        cost = self.reserved.settle(usage)
        self.emit(
            "call", model=self.model.line.name, phase="end", seconds=round(time.monotonic() - self.started, 3),
            input_tokens=usage.input, cached_tokens=usage.cached, output_tokens=usage.output,
            usd=None if cost is None else cost / 1e6, **more,
        )  # fmt: skip


def _refused(error: BaseException) -> bool:
    """Whether a server refused the call, or never got it."""
    trouble = error.trouble if isinstance(error, Failed) else None
    return trouble is not None and (trouble.status >= 400 or trouble.kind == Kind.UNREACHED)


@dataclass
class _Shown:
    """The text of an answer on its way to the screen, in whole lines, so that the redactor sees a secret whole."""

    emit: Callable[..., None]
    waiting: str = ""

    def add(self, text: str) -> None:
        """Show what is complete."""
        self.waiting += text
        if "-----BEGIN" in self.waiting and "-----END" not in self.waiting:
            return  # a key is over many lines
        end = self.waiting.rfind("\n") + 1
        if not end and len(self.waiting) > SAID:
            end = self.waiting.rfind(" ") + 1
        if end:
            self.emit("token", text=self.waiting[:end])
            self.waiting = self.waiting[end:]

    def close(self) -> None:
        """Show the rest."""
        if self.waiting:
            self.emit("token", text=self.waiting)
            self.waiting = ""
