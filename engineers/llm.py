"""A model as the engineer: any that litellm knows, through langchain-litellm, loaded when the first turn needs it.

One turn is one answer. `engineers/turn.py` takes it, with every call reserved in the ledger first; here it is decided
which model does. Another one takes over only where the person named one, and it is announced. What will not pass is an
error that says what to do, or a question to a person, and the run keeps its transcript.

A turn runs in a thread of its own, since litellm blocks here and there also where it says that it does not. Here it is
looked several times a second whether the run is to stop: then a wait ends, and the stream is closed at its next piece.
A server that is silent is not waited for: what its call took counts in full, unless the call still ends in this process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage

from trainwright.graph.errors import ContextTooSmall, ModelError, RequestError
from trainwright.graph.state import Settings
from trainwright.graph.stopping import stop_requested
from trainwright.tools.toolbox import Workbench

from .advice import trouble_told
from .budget import settle_left
from .call import Failed
from .client import Model, takes_effort
from .model_errors import Kind
from .protocol import Stage, StopRequested
from .providers import Line, line_of
from .threads import in_thread
from .turn import Turn

__all__ = ["ModelEngineer"]

LOOK = 0.25
"""Seconds between two looks whether the run is to stop."""

GRACE = 2.0
"""Seconds in which a turn that is to stop may still close its stream, or end."""


class ModelEngineer:
    """Decides by asking a model; one for all runs of a process with the same settings."""

    answer_limit = 16_000

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._models: dict[str, Model] = {}
        self._fallen: set[str] = set()

    async def think(self, stage: Stage, bench: Workbench, transcript: Sequence[AnyMessage]) -> AIMessage:
        """The next turn."""
        turn = Turn(stage, bench, transcript, threading.Event())
        answering = in_thread(lambda: self._taken(turn), f"{bench.run}-{stage.name}")
        try:
            while not (await asyncio.wait({answering}, timeout=LOOK))[0]:
                if stop_requested():
                    turn.cancelled.set()
                    await asyncio.wait({answering}, timeout=GRACE)
                    break
        except asyncio.CancelledError:
            turn.cancelled.set()  # the thread cannot be stopped from outside
            raise
        if not answering.done():
            raise StopRequested
        return answering.result()

    def _taken(self, turn: Turn) -> AIMessage:
        """The answer, by the first model that can go on."""
        run, (first, *others) = turn.bench.run, self._names()
        for text in settle_left(run):
            turn.remark(text)
        name = others[0] if others and run in self._fallen else first
        model = self._model(name, turn)
        try:
            answer = turn.taken(model)
        except (Failed, ContextTooSmall) as error:
            other = self._model(others[0], turn) if others and name == first else None
            if other is None or not _helps(error, model.line, other.line):
                raise _told(error, model.line, self.settings) from error
            self._take_over(turn, model.line, other.line, error)
            try:
                answer = turn.taken(other)
            except Failed as failed:
                raise _told(failed, other.line, self.settings) from failed
        if turn.remarks:
            answer.response_metadata["took_over"] = " ".join(turn.remarks)
        return answer

    def _names(self) -> list[str]:
        return [self.settings.engineer, *([self.settings.fallback] if self.settings.fallback else [])]

    def _take_over(self, turn: Turn, first: Line, other: Line, error: Failed | ContextTooSmall) -> None:
        """Let the other model take this turn and all further ones of the run in this process."""
        self._fallen.add(turn.bench.run)
        trouble = error.trouble if isinstance(error, Failed) else None
        turn.emit(
            "fallback",
            model=other.name,
            instead_of=first.name,
            reason=trouble.message if trouble else str(error),
        )
        why = trouble.kind if trouble else Kind.OVERFLOW
        turn.remarks.append(f"{other.name} took over from {first.name}, which could not go on ({why}).")

    def _model(self, name: str, turn: Turn) -> Model:
        """The model of that name; the first turn looks up how to call it, and a later one again what was not reached."""
        model = self._models.get(name)
        if model is None:
            model = self._models.setdefault(name, self._looked_up(name, turn))
        elif not model.line.reached and (line := self._line(name)).reached:
            model.line, model.room = line, line.window - line.answer
        return model

    def _looked_up(self, name: str, turn: Turn) -> Model:
        line, effort = self._line(name), self.settings.effort
        if effort and not takes_effort(line):
            turn.emit("note", text=f"{name} takes no effort ({effort} was asked for); it is asked without.")
            effort = ""
        return Model(line, effort, line.window - line.answer)

    def _line(self, name: str) -> Line:
        own = name == self.settings.engineer
        try:
            return line_of(name, self.settings.base_url if own else "", self.settings.context_tokens if own else 0)
        except RequestError as error:
            raise ModelError(error.message, hint=error.hint) from error


def _helps(error: Failed | ContextTooSmall, first: Line, other: Line) -> bool:
    """Whether another model may take what this one cannot: not what is refused for its content."""
    if isinstance(error, ContextTooSmall):
        return other.window > first.window
    return error.trouble.kind != Kind.POLICY


def _told(error: Failed | ContextTooSmall, line: Line, settings: Settings) -> Exception:
    return trouble_told(line, settings, error.trouble) if isinstance(error, Failed) else error
