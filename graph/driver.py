"""Driving one run from a program or the terminal: start, resume, answer; events while it works.

Each function is an asynchronous iterator of events (dictionaries, JSON-able; docs/events.md lists the kinds) whose
last one is the result. A run is durable at every step: stop the iterator, or kill the process, and `resume` goes on.
This module decides nothing about the run; the graph does.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sqlite3
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from langgraph.types import Command

from trainwright.engineers import BUILT_IN, check_engineer
from trainwright.nodes.boundary import CHANGEABLE, changes_said

from . import routing, tellings
from .checkpoint import open_checkpointer
from .database import store_error
from .errors import RequestError, TrainwrightError
from .registration import check_places, driven_here, register
from .runs import RunRow, now, open_runs
from .state import SCHEMA_VERSION, Decision, Decisions, Request, Settings, State, Status
from .workflow import Compiled, build_graph

__all__ = ["answer", "install_signal_handlers", "load_state", "resume", "start", "tell"]

log = logging.getLogger("trainwright")

Event = dict[str, Any]
RECURSION_LIMIT = 100_000
"""LangGraph's own backstop; the real cap is `Settings.step_cap`, which survives a resume."""

ENDED_FOR_GOOD = ("published", "rejected")
_controls: list[RunControl] = []


def install_signal_handlers() -> None:
    """Let SIGINT and SIGTERM stop the runs of this loop: the first after the present step, the second at once."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def stop() -> None:
        fresh = [control for control in _controls if not control.drain_requested]
        for control in fresh:
            control.request_drain("signal")
        if not fresh and task is not None:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


@asynccontextmanager
async def _opened() -> AsyncIterator[Compiled]:
    async with open_checkpointer() as checkpointer:
        yield build_graph(checkpointer)


def _config(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}, "recursion_limit": RECURSION_LIMIT}


async def start(request: Request, settings: Settings) -> AsyncIterator[Event]:
    """Begin a run and drive it until it ends, waits, or is stopped.

    Raises:
        RequestError: the request cannot be read, or the engineer cannot be there; no run was made.
    """
    thread_id = str(uuid.uuid4())
    check_engineer(settings)
    run = await asyncio.to_thread(register, request, settings, thread_id)
    with driven_here(run):
        async with (
            _opened() as graph,
            aclosing(_drive(graph, {"request": request}, thread_id, settings)) as events,
        ):
            async for event in events:
                yield event


async def resume(
    run: str,
    *,
    step_cap: int | None = None,
    max_hours: float | None = None,
    engineer: str | None = None,
    fallback: str | None = None,
    base_url: str | None = None,
    effort: str | None = None,
    context_tokens: int | None = None,
    data: str | None = None,
) -> AsyncIterator[Event]:
    """Go on with a run that was killed, stopped, reached a limit or failed.

    Limits may be raised, the model changed, data replaced; what is None stays as it is, and the change is noted.

    Raises:
        RunNotFound: there is no such run.
        RequestError: the run has ended for good, it waits for an answer, or the engineer cannot be there.
    """
    row = await asyncio.to_thread(open_runs().resolve, run)
    given = {
        "step_cap": step_cap, "max_hours": max_hours, "engineer": engineer, "fallback": fallback,
        "base_url": base_url, "effort": effort, "context_tokens": context_tokens,
    }  # fmt: skip
    changed = {name: value for name, value in given.items() if value is not None}
    with driven_here(row.name):
        async with _opened() as graph:
            await asyncio.to_thread(_check_engineer, row, changed)
            start_from = await _taken_up(graph, row, changed, data)
            if changed:
                settings = {**(row.settings or {}), **changed}
                await asyncio.to_thread(open_runs().update, row.name, settings=settings)
            context = _context(row, changed)
            async with aclosing(_drive(graph, start_from, row.thread_id, context)) as events:
                async for event in events:
                    yield event


def _context(row: RunRow, changed: dict[str, Any]) -> Settings:
    """What an invocation says of the settings: what the row has of those that may change, and what changes now.

    A stage that was stopped before its next turn still has the settings from before the last change.
    """
    kept = {name: value for name, value in (row.settings or {}).items() if name in CHANGEABLE}
    return Settings.model_validate({**kept, **changed})


def _check_engineer(row: RunRow, changed: dict[str, Any]) -> None:
    """Refuse an engineer that cannot be there before anything is changed; leaving one model takes its address along."""
    names = ("engineer", "fallback", "base_url", "effort", "context_tokens")
    if not any(name in changed for name in names):
        return
    kept = Settings.model_validate(row.settings or {})
    if changed.get("engineer", kept.engineer) != kept.engineer:
        for name in names[1:]:  # they belonged to the other model
            if getattr(kept, name):
                changed.setdefault(name, type(getattr(kept, name))())
    check_engineer(kept.model_copy(update=changed))


def tell(run: str, text: str) -> str:
    """Say something to the engineer of a run, which reads it at its next turn; the run's name.

    Raises:
        RunNotFound: there is no such run.
        RequestError: it has ended, its engineer reads no messages, or the message is empty or too long.
    """
    row = open_runs().resolve(run)
    if row.status in ENDED_FOR_GOOD:
        raise RequestError(f"{row.name} has ended: {row.status}; nobody would read it.", hint="Start a new run.")
    if (row.settings or {}).get("engineer", BUILT_IN) == BUILT_IN:
        raise RequestError(
            f"The engineer of {row.name} follows fixed rules and reads no messages.",
            hint=f"`trainwright resume {row.name} --engineer PROVIDER/MODEL` lets a model go on.",
        )
    tellings.tell(row.name, text)
    return row.name


async def _taken_up(graph: Compiled, row: RunRow, limits: dict[str, Any], data: str | None) -> Any:
    """What the graph is invoked with to go on: nothing, or the request where no checkpoint was written yet."""
    config = _config(row.thread_id)
    snapshot = await graph.aget_state(config)
    state = State.model_validate(snapshot.values) if snapshot.values else None
    if state is not None and state.schema_version > SCHEMA_VERSION:
        raise RequestError(
            f"{row.name} was made by a newer Trainwright (state {state.schema_version}, this one knows {SCHEMA_VERSION}).",
            hint="Update Trainwright, and resume the run.",
        )
    if snapshot.interrupts:
        raise RequestError(
            f"{row.name} waits for an answer.", hint=f"`trainwright show {row.name}` shows the question."
        )
    if snapshot.tasks:  # not `next`, which leaves out a task that has run when a kill came before its checkpoint
        _check_cap(row, limits)
        if data is not None:
            raise RequestError(
                f"{row.name} is in the middle of a step; its data can change only where it has stopped.",
                hint=f"`trainwright resume {row.name}` without --data goes on.",
            )
        return None
    if state is None or not state.run:
        if row.request is None:
            raise RequestError(f"{row.name} was killed before its first checkpoint.", hint="Start it again.")
        request = Request.model_validate(row.request)
        return {"request": request if data is None else _with_data(request, data)}
    _check_cap(row, limits)
    await _reenter(graph, config, state, _changes(state, limits, data), row)
    return None


def _check_cap(row: RunRow, limits: dict[str, Any]) -> None:
    cap = limits.get("step_cap")
    if cap is not None and cap <= row.steps:
        raise RequestError(
            f"{row.name} has taken {row.steps} steps already; a cap of {cap} would stop it at once.",
            hint=f"Give a higher one: --step-cap {row.steps * 2}.",
        )


def _changes(state: State, raised: dict[str, Any], data: str | None) -> dict[str, Any]:
    settings = state.settings or Settings()
    changes: dict[str, Any] = {}
    if raised:
        changes["settings"] = Settings.model_validate({**settings.model_dump(), **raised})
        changes["notes"] = [changes_said(settings, changes["settings"])]
    if data is not None:
        changes["request"] = _with_data(state.request, data)
        changes["notes"] = [*changes.get("notes", []), f"Resumed with other data: {changes['request'].data[:200]}."]
    return changes


def _with_data(request: Request, data: str) -> Request:
    fresh = Request.model_validate({**request.model_dump(), "data": data})
    check_places(fresh)
    return fresh


def _fresh() -> dict[str, Any]:
    """What other data make of the state: nothing that was learnt from the earlier ones stays."""
    left = State()
    names = (
        "plan", "dataset", "code", "sandbox", "job", "evaluation", "attempt", "accepted", "attempts", "repairs",
        "submissions", "feedback", "answers", "carry",
    )  # fmt: skip
    return {name: getattr(left, name) for name in names}


async def _reenter(graph: Compiled, config: RunnableConfig, state: State, changes: dict[str, Any], row: RunRow) -> None:
    """Put a run that has ended back in front of the node at which it stopped."""
    if str(state.status) in ENDED_FOR_GOOD:
        raise RequestError(f"{row.name} has ended: {state.status}.", hint="Start a new run.")
    at = state.stopped_at
    if state.status == Status.DRY_RUN:
        at = "approve_plan"
        settings = changes.get("settings") or state.settings or Settings()
        changes["settings"] = settings.model_copy(update={"dry_run": False})
    if "request" in changes:
        at = at if at in ("read_paper", "plan") else "plan"
        changes |= _fresh()
    if at not in routing.BEFORE:
        raise RequestError(f"{row.name} has ended: {state.status}. {state.reason}", hint="Start a new run.")
    changes |= {"status": Status.RUNNING, "reason": "", "problem": "", "question": None}
    if at == "write_code" and state.status in (Status.FAILED, Status.GAVE_UP) and not state.carry:
        changes["repairs"] = 0
    if at == "read_paper":
        # What is written as the start counts as the graph's input, which is the request alone: so in two steps.
        await graph.aupdate_state(config, changes, as_node="wrap_up")
        changes = {"request": changes.get("request", state.request)}
    await graph.aupdate_state(config, changes, as_node=routing.BEFORE[at])


async def answer(run: str, decisions: Decisions | str) -> AsyncIterator[Event]:
    """Answer what a run waits for, and go on.

    Args:
        run: name or unique prefix.
        decisions: one decision for each action that was shown; a text answers a question.

    Raises:
        RunNotFound: there is no such run.
        RequestError: it waits for nothing.
    """
    row = await asyncio.to_thread(open_runs().resolve, run)
    with driven_here(row.name):
        async with _opened() as graph:
            command = await _answered(graph, row, decisions)
            async with aclosing(_drive(graph, command, row.thread_id, _context(row, {}))) as events:
                async for event in events:
                    yield event


async def _answered(graph: Compiled, row: RunRow, decisions: Decisions | str) -> Command[Any]:
    """The command that hands the answer to the waiting gate; one decision counts for every action shown."""
    snapshot = await graph.aget_state(_config(row.thread_id))
    if not snapshot.interrupts:
        raise RequestError(f"{row.name} waits for nothing.", hint=f"Its status is {row.status}.")
    given = (
        Decisions(decisions=[Decision(type="respond", message=decisions)]) if isinstance(decisions, str) else decisions
    )
    count = len(snapshot.interrupts[0].value.get("action_requests", [None]))
    if len(given.decisions) == 1 and count > 1:
        given = Decisions(decisions=given.decisions * count)
    return Command(resume=given.model_dump(mode="json"))


async def _drive(graph: Compiled, given: Any, thread_id: str, settings: Settings) -> AsyncGenerator[Event]:
    """Run the graph; pass its events on; end with the result."""
    control, config = RunControl(), _config(thread_id)
    _controls.append(control)
    drained = False
    try:
        # Typed as dictionaries in langgraph's stubs; with `subgraphs` the parts are pairs of namespace and event.
        stream: Any = graph.astream(
            given,
            config,
            context=settings,
            stream_mode="custom",
            subgraphs=True,
            durability="sync",
            control=control,
        )
        async for _, event in stream:
            yield event
    except GraphDrained:
        drained = True
    except sqlite3.Error as error:
        raise store_error(error) from error
    finally:
        _controls.remove(control)
    async for event in _ending(graph, config, thread_id, drained):
        yield event


async def _ending(graph: Compiled, config: RunnableConfig, thread_id: str, drained: bool) -> AsyncIterator[Event]:
    from trainwright.nodes.wrap_up import result_of, spent_by

    snapshot = await graph.aget_state(config, subgraphs=True)
    state = State.model_validate(snapshot.values)
    row = await asyncio.to_thread(open_runs().of_thread, thread_id)
    assert row is not None, "a run is registered before it is driven"
    if snapshot.interrupts or drained or snapshot.tasks:
        status = Status.WAITING if snapshot.interrupts else Status.INTERRUPTED
        waiting = row.waiting if status == Status.WAITING else None
        state = state.model_copy(update={"status": status, "run": row.name, "steps": max(state.steps, row.steps)})
        if status == Status.INTERRUPTED:
            await asyncio.to_thread(open_runs().update, row.name, status=str(status))
            state.reason = f"Stopped; `trainwright resume {row.name}` goes on."
        else:
            await asyncio.to_thread(open_runs().update, row.name, status=str(status))
            yield {"event": "waiting", "run": row.name, "at": now(), **(waiting or {})}
        yield {
            "event": "result",
            "at": now(),
            **result_of(state, await asyncio.to_thread(spent_by, row.name), "", waiting),
        }
        return
    yield {"event": "result", "at": now(), **(row.result or result_of(state, {}, ""))}


async def load_state(run: str) -> State:
    """The state of a run as its last checkpoint has it.

    Raises:
        RunNotFound: there is no such run.
        TrainwrightError: it has no checkpoint yet.
    """
    row = await asyncio.to_thread(open_runs().resolve, run)
    async with _opened() as graph:
        snapshot = await graph.aget_state(_config(row.thread_id))
    if not snapshot.values:
        raise TrainwrightError(f"{row.name} has no checkpoint yet.")
    return State.model_validate(snapshot.values)
