"""The boundary of every plain node: one place for time, events, errors and the blocking-to-async bridge.

A node's body is a plain function of the run's surroundings and the state that returns an update. It runs in a
thread, since services block. An error that we raise on purpose ends the run with its message; one that nobody
foresaw does too, and its traceback goes to the log. LangGraph's own signals pass through.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime

from trainwright.graph.effects import Journal
from trainwright.graph.errors import LimitReached, NeedsPerson, StoreError, TrainwrightError
from trainwright.graph.events import emit
from trainwright.graph.ledger import Ledger
from trainwright.graph.limits import limits_of, status_of
from trainwright.graph.redaction import redact
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import run_path
from trainwright.graph.state import Question, Settings, State, Status

from .budget import emit_all, watch

__all__ = ["Here", "changes_said", "charge_time", "emit", "failure", "node", "question", "time_key", "with_limits"]

log = logging.getLogger("trainwright")

Update = dict[str, Any]


@dataclass(frozen=True)
class Here:
    """Where a node's body works.

    Attributes:
        run: the run's name.
        folder: its folder.
        settings: how it works.
        stopping: whether somebody asked the run to stop; bodies that wait look at it each second.
    """

    run: str
    folder: Path
    settings: Settings
    stopping: Callable[[], bool]

    def emit(self, kind: str, **details: Any) -> None:
        """Send one event."""
        emit(kind, self.run, **details)

    @property
    def journal(self) -> Journal:
        """The journal of side effects."""
        return Journal()

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        return Ledger()

    def seconds_left(self) -> float:
        """Seconds of work that the run's limit still allows; may be negative."""
        limit = next(limit for limit in limits_of(self.settings) if limit.setting == "max_hours")
        return (limit.amount - self.ledger.total(self.run, "milliseconds")) / 1000


CHANGEABLE = (
    "step_cap", "max_hours", "max_usd", "max_model_usd", "max_gpu_hours", "max_tokens", "stages", "model_price",
    "machine_usd_per_hour", "engineer", "fallback", "base_url", "effort", "context_tokens",
    "offline", "research_parallel", "research_turns", "research_max_usd", "research_max_tokens", "research_minutes",
)  # fmt: skip
"""Settings that a later invocation may change: the limits, the prices, the model, and whether the network is used."""


def with_limits(settings: Settings, context: Settings | None) -> Settings:
    """The run's settings with what this invocation set explicitly of `CHANGEABLE`; nothing else of a context counts.

    The first invocation's settings are the run's; what a later one changes is kept in the state.
    """
    if context is None:
        return settings
    given: dict[str, Any] = {name: getattr(context, name) for name in CHANGEABLE if name in context.model_fields_set}
    return settings.model_copy(update=given)


def changes_said(before: Settings, after: Settings) -> str:
    """What a later invocation changed, for the notes of the run."""
    parts = [f"{name}={getattr(after, name)}" for name in CHANGEABLE if getattr(after, name) != getattr(before, name)]
    return f"Went on with {', '.join(parts)}."


SETTLED_ELSEWHERE = ("watch_job", "wrap_up")
"""Nodes whose time is not charged by the visit: a job's time is reserved before it begins and settled at its end, and
what `wrap_up` has reported as the run's sums stays true."""


ASKING: tuple[str, ...] = get_args(Question.model_fields["back_to"].annotation)
"""Nodes to which a question can lead back; elsewhere what only a person can tell ends the run with a report."""


def question(error: NeedsPerson, node_name: str) -> Question:
    """The question that an error puts to a person, which leads back to the node where it was raised."""
    return Question(key=error.key, text=redact(str(error)), options=error.options, back_to=node_name)


def failure(error: BaseException, node_name: str) -> Update:
    """The update with which an error ends the run, or with which it asks a person."""
    if isinstance(error, StoreError):
        raise error  # nothing can be written, so the run stops at its last checkpoint and is resumed there
    if isinstance(error, NeedsPerson) and node_name in ASKING:
        return {"question": question(error, node_name)}
    if isinstance(error, LimitReached):
        return {"status": status_of(error.limit), "reason": redact(str(error)), "stopped_at": node_name}
    if isinstance(error, TrainwrightError):
        return {"status": Status.FAILED, "reason": redact(str(error)), "stopped_at": node_name}
    log.error("unexpected error in %s", node_name, exc_info=error)
    reason = f"Unexpected error in {node_name}: {type(error).__name__}: {error}. The log has the details."
    return {"status": Status.FAILED, "reason": redact(reason)[:2_000], "stopped_at": node_name}


def node(body: Callable[[Here, State], Update]) -> Any:
    """The graph's node of a plain body: `async (State, Runtime[Settings]) -> update`.

    Typed as Any because LangGraph knows nodes by protocols with parameter names, which a Callable cannot express.
    """
    name = body.__name__

    async def run(state: State, runtime: Runtime[Settings]) -> Update:
        assert state.settings is not None, "the first node sets the settings"
        settings = with_limits(state.settings, runtime.context)
        here = Here(state.run, await asyncio.to_thread(run_path, state.run), settings, lambda: runtime.drain_requested)
        started = time.monotonic()
        await asyncio.to_thread(open_runs().update, state.run, stage=name, status="running", waiting=None)
        here.emit("node", node=name, phase="start", attempt=state.attempt)
        try:
            update = await asyncio.to_thread(body, here, state)
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: whatever went wrong ends the run with a report
            update = failure(error, name)
        seconds = time.monotonic() - started
        if name not in SETTLED_ELSEWHERE:
            await asyncio.to_thread(charge_time, state.run, name, seconds)
        if name != "wrap_up":
            emit_all(state.run, await asyncio.to_thread(watch, state.run, settings))
        here.emit("node", node=name, phase="end", attempt=state.attempt, seconds=round(seconds, 3))
        if state.question is not None:
            update = {"question": None, **update}  # it was answered, and led here
        if settings == state.settings:
            return update
        said = changes_said(state.settings, settings)
        return {**update, "settings": settings, "notes": [*update.get("notes", []), said]}

    run.__name__ = name
    run.__doc__ = body.__doc__
    return run


def time_key(run: str, node_name: str) -> str:
    """A ledger key for a piece of time: each piece is a new entry, so the key is new each time."""
    return f"{run}/{node_name}/{uuid.uuid4()}"


def charge_time(run: str, node_name: str, seconds: float) -> None:
    """Write the time that a visit of a node, or a tool call, took into the ledger; a power cut may take the last ones."""
    milliseconds, key = int(seconds * 1000), time_key(run, node_name)
    Ledger().charge(run, "milliseconds", milliseconds, key=key, node=node_name, durable=False)
