"""One turn of one model: a call, made again where that may help, until there is an answer or nothing helps.

What may pass is tried again (rate limits, busy servers, broken streams), what the model does not take is left out, and
a request that is too long is made shorter. Each try is reserved and settled by itself. While it waits between two tries
it stops at once when the run is to stop. Which model takes the turn is decided by `engineers/llm.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage

from trainwright.graph.errors import ContextTooSmall
from trainwright.graph.events import emit
from trainwright.prompts import standing
from trainwright.tools.toolbox import Workbench

from .budget import LEAST, reserve
from .call import Call, Failed
from .client import Model, gives_way
from .model_errors import ATTEMPTS, Kind, Trouble, wait_before
from .pricing import Cost, Usage, cost_by
from .protocol import Stage, StopRequested
from .providers import place_of
from .request import Sent, request_of
from .window import STANDING, size_of

__all__ = ["Turn"]

SHRINKS = 4
"""How often a request that is too long is made shorter in one turn."""


@dataclass
class Turn:
    """One turn under way.

    Attributes:
        stage, bench, transcript: what is to be decided, and from what.
        cancelled: set when nobody waits for the answer any more.
        remarks: what the run notes beside the answer.
    """

    stage: Stage
    bench: Workbench
    transcript: Sequence[AnyMessage]
    cancelled: threading.Event
    remarks: list[str] = field(default_factory=list)

    def emit(self, kind: str, **details: Any) -> None:
        """Tell whoever watches; nobody does once the turn is given up."""
        if not self.cancelled.is_set():
            emit(kind, self.bench.run, stage=self.stage.name, **details)

    def remark(self, text: str) -> None:
        """Tell it, and note it in the run."""
        self.emit("note", text=text)
        self.remarks.append(text)

    def taken(self, model: Model) -> AIMessage:
        """The answer of this model.

        Raises:
            Failed: it cannot go on.
            ContextTooSmall: it cannot take the smallest request.
            LimitReached: not even a short answer fits into what is left.
            NeedsPerson: nobody knows what it costs.
            StopRequested: the run is to stop.
        """
        cost = self._cost(model)
        failed = shrunk = 0
        while True:
            before = standing(self.bench)
            sent = request_of(self.stage, self.bench, self.transcript, model, before)
            try:
                answer = self._called(model, sent, cost)
            except Failed as error:
                trouble = error.trouble
                if trouble.kind == Kind.OVERFLOW:
                    shrunk += 1
                    self._shrink(model, sent.messages, shrunk)
                elif gives_way(model, trouble):
                    self.emit("retry", model=model.line.name, reason=trouble.message, seconds=0.0)
                elif trouble.retried and (failed := failed + 1) < ATTEMPTS:
                    self._wait(model, trouble, wait_before(trouble, failed))
                else:
                    raise
                continue
            if before:
                answer.additional_kwargs[STANDING] = before
            return answer

    def _cost(self, model: Model) -> Cost:
        """What its calls cost; a person is told once in a run that nobody knows it of a machine of their own."""
        bench, line = self.bench, model.line
        cost = cost_by(line, bench.settings, bench.answers)
        unpriced = bench.standing.unpriced_tokens if bench.standing else 0
        if not unpriced and bench.run not in model.told and cost(Usage(1, 1)) is None:
            model.told.add(bench.run)
            self.emit(
                "note",
                text=f"{line.name} runs at {place_of(line)}, on a machine of your own: its calls are counted without a "
                "price, and bounded by tokens alone (--max-tokens). If they do cost, say how much: --model-price IN/OUT.",
            )
        return cost

    def _called(self, model: Model, sent: Sent, cost: Cost) -> AIMessage:
        """One call, reserved before it is made."""
        longest = model.longest()
        reserved = reserve(
            self.bench.run,
            self.bench.node,
            model.line.name,
            self.bench.settings,
            cost,
            read=model.tokens(sent.size),
            answer=longest,
            least=longest if "max_tokens" in model.without else min(LEAST, longest),
        )
        return Call(model, sent, reserved, self.emit, self.cancelled).answer()

    def _shrink(self, model: Model, messages: list[AnyMessage], times: int) -> None:
        """Take less room from now on.

        Raises:
            ContextTooSmall: it was made shorter often enough.
        """
        if times > SHRINKS:
            raise ContextTooSmall(
                f"{model.line.name} says that the request is too long after it was made shorter {SHRINKS} times.",
                hint="Say how many tokens it reads (--context-tokens), or resume with a model that reads more.",
            )
        was = int(size_of(messages) / model.per_token)
        model.room = max(1, min(model.room, was) * 2 // 3)
        self.emit("retry", model=model.line.name, reason=f"Too long: {was} tokens, made shorter.", seconds=0.0)

    def _wait(self, model: Model, trouble: Trouble, seconds: float) -> None:
        """Wait before the next try, unless the run is to stop.

        Raises:
            StopRequested: it is.
        """
        self.emit("retry", model=model.line.name, reason=f"{trouble.kind}: {trouble.message}", seconds=seconds)
        if self.cancelled.wait(seconds):
            raise StopRequested
