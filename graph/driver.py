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
from typing_extensions import Unpack

from trainwright.engineers import BUILT_IN, check_engineer

from . import tellings
from .answering import answered
from .checkpoint import open_checkpointer
from .database import store_error
from .errors import RequestError, TrainwrightError
from .reentry import ENDED_FOR_GOOD, Changes, check_change, config_of, context_of, taken_up
from .registration import driven_here, register
from .runs import now, open_runs
from .state import Decisions, Request, Settings, State, Status
from .workflow import Compiled, build_graph

__all__ = ["answer", "install_signal_handlers", "load_state", "resume", "start", "tell"]

log = logging.getLogger("trainwright")

Event = dict[str, Any]
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


async def resume(run: str, *, data: str | None = None, **changes: Unpack[Changes]) -> AsyncIterator[Event]:
    """Go on with a run that was killed, stopped, reached a limit or failed.

    Limits may be raised, the model changed, data replaced; what is left out or None stays as it is, and the change is
    noted. A run that asks whether to try again tries again.

    Raises:
        RunNotFound: there is no such run.
        RequestError: the run has ended for good, it waits for an answer, or the engineer cannot be there.
    """
    row = await asyncio.to_thread(open_runs().resolve, run)
    changed = {name: value for name, value in changes.items() if value is not None}
    with driven_here(row.name):
        async with _opened() as graph:
            await asyncio.to_thread(check_change, row, changed)
            start_from = await taken_up(graph, row, changed, data)
            if changed:
                settings = {**(row.settings or {}), **changed}
                await asyncio.to_thread(open_runs().update, row.name, settings=settings)
            context = context_of(row, changed)
            async with aclosing(_drive(graph, start_from, row.thread_id, context)) as events:
                async for event in events:
                    yield event


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
            command = await answered(graph, row, decisions)
            async with aclosing(_drive(graph, command, row.thread_id, context_of(row, {}))) as events:
                async for event in events:
                    yield event


async def _drive(graph: Compiled, given: Any, thread_id: str, settings: Settings) -> AsyncGenerator[Event]:
    """Run the graph; pass its events on; end with the result."""
    control, config = RunControl(), config_of(thread_id)
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
        snapshot = await graph.aget_state(config_of(row.thread_id))
    if not snapshot.values:
        raise TrainwrightError(f"{row.name} has no checkpoint yet.")
    return State.model_validate(snapshot.values)
