"""A model as the engineer: any that litellm knows, through langchain-litellm, loaded when the first turn needs it.

One turn is one answer. What may pass is tried again here (rate limits, busy servers, broken streams), what the model
does not take is left out (effort, thinking blocks of another), a request that is too long is made shorter; what will
not pass is a `ModelError` that says what to do, and the run keeps its transcript. Each call is entered in the ledger by
stage, also one that failed half-way. Another model takes over only where the person named one, and it is announced.

A call runs in a thread of its own, since litellm blocks here and there also where it says that it does not. While it
waits between two tries it looks several times a second whether the run is to stop; an answer under way is let come.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from trainwright.graph.errors import ContextTooSmall, ModelError, RequestError
from trainwright.graph.events import emit
from trainwright.graph.ledger import Ledger
from trainwright.graph.redaction import redact
from trainwright.graph.state import Settings
from trainwright.graph.stopping import stop_requested
from trainwright.prompts import known, standing, system
from trainwright.tools.toolbox import Workbench

from .answers import Gathered
from .model_errors import ATTEMPTS, Kind, Trouble, classify, wait_before
from .pricing import Usage, cost_of, usage_of
from .protocol import Stage, StopRequested
from .providers import KEYS, OWN_KEY, Line, line_of, listed, load_litellm, near_names
from .schemas import functions_of
from .window import STANDING, TooLong, size_of, within

__all__ = ["ModelEngineer"]

EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")
"""Reasoning efforts, the least first; what a model refuses, the next lower one is tried."""

BYTES_PER_TOKEN = 3.0
"""Before a provider has counted: cautious for English and code, right for many other scripts."""

SHRINKS = 4
"""How often a request that is too long is made shorter in one turn."""

MARKED = ("anthropic", "bedrock", "vertex_ai")
"""Providers that cache what is marked; others cache by themselves, or not at all."""

THINKING = ("anthropic", "bedrock", "vertex_ai", "deepseek", "moonshot", "gemini", "zai")
"""Providers that take an answer's thinking back; all others refuse it or are confused by it."""

SAID = 400
"""Characters of a text that are held back at most before they are shown: a secret is never shown in halves."""


class _Failed(Exception):
    """One model cannot go on."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


@dataclass
class _Model:
    """One model in this process, with what was learnt about it.

    Attributes:
        line: how to call it.
        effort: the effort that it takes; empty for its own.
        room: tokens that a request may have besides functions and answer; shrinks when the provider says too long.
        per_token: bytes of a request by token, as the provider counted last.
        without: parameters that it refuses.
        chat: the client.
    """

    line: Line
    effort: str
    room: int
    per_token: float = BYTES_PER_TOKEN
    without: set[str] = field(default_factory=set)
    chat: Any = None


class ModelEngineer:
    """Decides by asking a model; one for all runs of a process with the same settings."""

    answer_limit = 16_000

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._models: dict[str, _Model] = {}
        self._lock = threading.Lock()
        self._fallen: set[str] = set()

    async def think(self, stage: Stage, bench: Workbench, transcript: Sequence[AnyMessage]) -> AIMessage:
        """The next turn."""
        cancelled = threading.Event()
        try:
            return await asyncio.to_thread(self._think, stage, bench, transcript, cancelled)
        except asyncio.CancelledError:
            cancelled.set()  # the thread cannot be stopped from outside
            raise

    def _think(
        self, stage: Stage, bench: Workbench, transcript: Sequence[AnyMessage], cancelled: threading.Event
    ) -> AIMessage:
        turn = _Turn(stage, bench, transcript, cancelled)
        took_over = ""
        names = [self.settings.engineer, *([self.settings.fallback] if self.settings.fallback else [])]
        for name in names[1:] if bench.run in self._fallen else names:
            try:
                answer = turn.taken(self._model(name, bench.run))
                if took_over:
                    answer.response_metadata["took_over"] = took_over
                return answer
            except _Failed as failed:
                if name != names[-1] and failed.trouble.kind != Kind.POLICY:
                    self._fallen.add(bench.run)
                    turn.emit("fallback", model=names[-1], instead_of=name, reason=failed.trouble.message)
                    took_over = f"{names[-1]} took over from {name}, which could not go on ({failed.trouble.kind})."
                    continue
                raise _error(name, self.settings, failed.trouble) from failed
        raise AssertionError("there is always a model")

    def _model(self, name: str, run: str) -> _Model:
        """The model of that name; the first turn looks up how to call it."""
        with self._lock:
            if name not in self._models:
                own = name == self.settings.engineer
                base = self.settings.base_url if own else ""
                try:
                    line = line_of(name, base, self.settings.context_tokens if own else 0)
                except RequestError as error:
                    raise ModelError(error.message, hint=error.hint) from error
                effort = self.settings.effort
                if effort and not _takes_effort(line):
                    emit("note", run, text=f"{name} takes no effort ({effort} was asked for); it is asked without.")
                    effort = ""
                self._models[name] = _Model(line, effort, line.window - line.answer)
        return self._models[name]


def _takes_effort(line: Line) -> bool:
    """Whether litellm knows that the provider takes an effort for this model; a server of one's own may."""
    return bool(line.base) or listed(line.model).get("supports_reasoning") is True


@dataclass
class _Turn:
    """One turn under way."""

    stage: Stage
    bench: Workbench
    transcript: Sequence[AnyMessage]
    cancelled: threading.Event

    def emit(self, kind: str, **details: Any) -> None:
        """Tell whoever watches."""
        emit(kind, self.bench.run, stage=self.stage.name, **details)

    def taken(self, model: _Model) -> AIMessage:
        """The answer of this model.

        Raises:
            _Failed: it cannot go on.
            ContextTooSmall: it cannot take the smallest request.
            StopRequested: the run is to stop.
        """
        failed = shrunk = 0
        while True:
            before = standing(self.bench)
            messages, functions = self._request(model, before)
            try:
                answer = self._call(model, messages, functions)
            except _Failed as error:
                trouble = error.trouble
                if trouble.kind == Kind.OVERFLOW:
                    shrunk += 1
                    self._shrink(model, messages, shrunk)
                elif _gives_way(model, trouble):
                    self.emit("retry", model=model.line.name, reason=trouble.message, seconds=0.0)
                elif trouble.retried and (failed := failed + 1) < ATTEMPTS:
                    self._wait(model, trouble, wait_before(trouble, failed))
                else:
                    raise
                continue
            if before:
                answer.additional_kwargs[STANDING] = before
            return answer

    def _request(self, model: _Model, before: str) -> tuple[list[AnyMessage], tuple[dict[str, Any], ...]]:
        """The messages and functions of a request, within the model's window."""
        functions = functions_of(self.stage)
        # What a person wrote, and what was known, may have come from anywhere: nothing leaves without the redactor.
        head: list[AnyMessage] = [SystemMessage(system(self.stage.name))]
        head.append(HumanMessage(redact(known(self.stage.name, self.bench))))
        tail: list[AnyMessage] = [HumanMessage(before)] if before else []
        taken = size_of([*head, *tail]) + len(str(functions))
        room = int(model.room * model.per_token) - taken
        try:
            middle = within(self.transcript[1:], room)
        except TooLong:
            middle = []
        if room < 0 or (not middle and len(self.transcript) > 1):
            raise ContextTooSmall(
                f"{model.line.name} reads {model.line.window:,} tokens, which cannot hold the smallest request of "
                f"{self.stage.name} (some {int(taken / model.per_token):,} and the last answers); nothing was sent.",
                hint="Resume with a model that reads more (--engineer), or say how much it reads (--context-tokens).",
            )
        return _joined([*head, *(_sent(message, model) for message in middle), *tail]), functions

    def _call(self, model: _Model, messages: list[AnyMessage], functions: tuple[dict[str, Any], ...]) -> AIMessage:
        """One call of the model, entered in the ledger whatever comes of it.

        Raises:
            _Failed: what was raised, classified.
        """
        gathered, held = Gathered(), _Held(self)
        sent, started = size_of(messages) + len(str(functions)), time.monotonic()
        self.emit("call", model=model.line.name, phase="start", bytes=sent)
        try:
            try:
                for piece in self._pieces(model, messages, functions, gathered):
                    held.add(gathered.take(piece))
            finally:
                whole, counted = _chat(model).finished()
                gathered.usage = gathered.usage if counted else None
            if not whole:
                raise _Failed(Trouble(Kind.STREAM, 0, "The connection ended before the answer did."))
        except (StopRequested, _Failed):
            self._charge(model, gathered, sent, complete=False)
            raise
        held.close()
        usage, cost = self._charge(model, gathered, sent, complete=True)
        if not usage.estimated and usage.input:
            model.per_token = min(max(sent / usage.input, 1.0), 4.5)
        self.emit(
            "call", model=model.line.name, phase="end", seconds=round(time.monotonic() - started, 3),
            input_tokens=usage.input, cached_tokens=usage.cached, output_tokens=usage.output,
            usd=None if cost is None else cost / 1e6,
        )  # fmt: skip
        return gathered.message()

    def _pieces(
        self, model: _Model, messages: list[AnyMessage], functions: tuple[dict[str, Any], ...], gathered: Gathered
    ) -> Iterator[Any]:
        """The pieces of the answer as they come.

        Raises:
            _Failed: what litellm raised, classified.
            StopRequested: the turn was cancelled.
        """
        pieces = iter(_chat(model).stream(messages, tools=list(functions), **_options(model, messages)))
        while not self.cancelled.is_set():
            try:
                piece = next(pieces)
            except StopIteration:
                return
            except Exception as error:
                raise _Failed(classify(error, began=gathered.began)) from error
            yield piece
        raise StopRequested

    def _charge(self, model: _Model, gathered: Gathered, sent: int, *, complete: bool) -> tuple[Usage, int | None]:
        """Enter a call in the ledger: tokens, and dollars or that nobody knows the price.

        A call that failed before anything came is taken to cost nothing: no provider charges for it.
        """
        usage = usage_of(gathered.usage, sent=sent, received=gathered.length)
        if not complete and not gathered.began:
            return usage, 0
        cost = cost_of(model.line.model, usage) if not model.line.own else None
        amounts = {"input_tokens": usage.input, "cached_tokens": usage.cached, "output_tokens": usage.output}
        if cost is None:
            amounts["unpriced_tokens"] = usage.input + usage.output
        else:
            amounts["usd_micros"] = cost
        Ledger().charge_all(self.bench.run, amounts, key=f"{self.bench.run}/call/{uuid.uuid4()}", node=self.stage.name)
        return usage, cost

    def _shrink(self, model: _Model, messages: list[AnyMessage], times: int) -> None:
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

    def _wait(self, model: _Model, trouble: Trouble, seconds: float) -> None:
        """Wait before the next try, unless the run is to stop.

        Raises:
            StopRequested: it is.
        """
        self.emit("retry", model=model.line.name, reason=f"{trouble.kind}: {trouble.message}", seconds=seconds)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if stop_requested():
                raise StopRequested
            if self.cancelled.wait(min(left, 0.25)):
                raise StopRequested


@dataclass
class _Held:
    """The text of an answer on its way to the screen, in whole lines, so that the redactor sees a secret whole."""

    turn: _Turn
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
            self.turn.emit("token", text=self.waiting[:end])
            self.waiting = self.waiting[end:]

    def close(self) -> None:
        """Show the rest."""
        if self.waiting:
            self.turn.emit("token", text=self.waiting)
            self.waiting = ""


def _sent(message: AnyMessage, model: _Model) -> AnyMessage:
    """A message as it goes to this model: its thinking goes back only to a provider that takes it."""
    if not isinstance(message, AIMessage):
        return message
    extras = message.additional_kwargs
    kept = model.line.provider in THINKING and "thinking" not in model.without
    allowed = {
        k: v for k, v in extras.items() if k in ("thinking_blocks", "reasoning_content", "reasoning_items") and kept
    }
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


def _chat(model: _Model) -> Any:
    """The model's client, made when it is asked for the first time."""
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


def _options(model: _Model, messages: Sequence[AnyMessage]) -> dict[str, Any]:
    """The parameters of a call besides its messages and functions."""
    options: dict[str, Any] = {"max_tokens": model.line.answer}
    if model.effort and not (model.line.provider in MARKED and _unthought(messages)):
        options["reasoning_effort"] = model.effort
    if model.line.provider in MARKED and "claude" in model.line.model.lower():
        # The beginning (functions, rules, what is known) and all up to the last message, which stays as it is.
        options["cache_control_injection_points"] = [
            {"location": "message", "role": "system"},
            {"location": "message", "index": -1},
        ]
    if "stream_options" in model.without:
        options["stream_options"] = None
    return {name: value for name, value in options.items() if name not in model.without}


def _unthought(messages: Sequence[AnyMessage]) -> bool:
    """Whether the last calls come without their thinking, as those of another model do: Claude then refuses to think."""
    last = next((m for m in reversed(messages) if isinstance(m, AIMessage)), None)
    return last is not None and bool(last.tool_calls) and not last.additional_kwargs.get("thinking_blocks")


def _gives_way(model: _Model, trouble: Trouble) -> bool:
    """Whether the model refused something that can be left out: then it is, from now on."""
    if trouble.kind == Kind.SIGNATURE and "thinking" not in model.without:
        model.without.add("thinking")
        return True
    if trouble.kind not in (Kind.PARAMETER, Kind.REFUSED):
        return False
    named = trouble.parameter.split(".", 1)[0]
    about_effort = named in ("reasoning_effort", "reasoning", "thinking", "effort") or (
        trouble.kind == Kind.PARAMETER and not named
    )
    if model.effort and about_effort:
        place = EFFORTS.index(model.effort) if model.effort in EFFORTS else 0
        model.effort = EFFORTS[place - 1] if place else ""
        return True
    if named in ("max_tokens", "max_completion_tokens", "stream_options", "cache_control_injection_points"):
        if named in model.without:
            return False
        model.without.add("max_tokens" if named == "max_completion_tokens" else named)
        return True
    return False


def _error(name: str, settings: Settings, trouble: Trouble) -> ModelError:
    """What a person is told when a model cannot go on: what happened, and what they can do."""
    provider = name.split("/", 1)[0]
    said = f" It said: {trouble.message}" if trouble.message else ""
    own = bool(settings.base_url) and name == settings.engineer
    variable = OWN_KEY if own else next(iter(KEYS.get(provider, ())), "the provider's variable")
    again = "resume the run; nothing is lost"
    other = "or resume with another --engineer"
    hints = {
        Kind.KEY: f"Put a valid key into {variable}, and {again}; {other}.",
        Kind.CREDIT: f"Add credit at the provider, and {again}; {other}."
        + ("" if settings.fallback else " No other model was asked."),
        Kind.RATE: f"Wait a while, and {again}; {other}, or with --fallback MODEL.",
        Kind.BUSY: f"Look whether the server is up, and {again}; {other}, or with --fallback MODEL.",
        Kind.STREAM: f"Look at the connection, and {again}; {other}.",
        Kind.POLICY: "The provider refuses the content of this request; resume with another --engineer.",
        Kind.PARAMETER: f"Resume with another --effort, {other}.",
    }
    hint = hints.get(trouble.kind, f"Resume with another --engineer, or {again}.")
    if trouble.kind == Kind.MISSING:
        near = near_names(load_litellm(), name)
        hint = (f"Did you mean {', '.join(near)}? " if near else "") + "Resume with another --engineer."
    status = f" (status {trouble.status})" if trouble.status else ""
    tried = f", after {ATTEMPTS} tries" if trouble.retried else ""
    return ModelError(f"{name} cannot go on: {trouble.kind}{status}{tried}.{said}", hint=hint)
