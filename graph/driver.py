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
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from typing_extensions import Unpack

from trainwright.engineers import BUILT_IN, check_engineer
from trainwright.tools.policy import load_policy

from . import tellings
from .answering import answered, at_work, offered
from .checkpoint import open_checkpointer
from .database import store_error
from .errors import RequestError, RunBusy, TrainwrightError
from .lease import driving
from .reentry import ENDED_FOR_GOOD, Changes, check_change, config_of, context_of, looked_at, taken_up
from .registration import register, stored
from .runs import now, open_runs
from .state import Decisions, Request, Settings, State, Status
from .workflow import Compiled, build_graph

__all__ = [
    "about_to_ask",
    "answer",
    "install_signal_handlers",
    "load_state",
    "resume",
    "start",
    "stopping_signals",
    "tell",
]

log = logging.getLogger("trainwright")

Event = dict[str, Any]
_controls: list[RunControl] = []
_signals: list[None] = []
"""As many as came since the handlers were installed: one that comes before a run is driven stops it as well."""


def install_signal_handlers() -> None:
    """Let a signal stop the runs of this loop: the first after the present step, the second at once.

    SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal was closed), unless that one is ignored (`nohup`).
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    _signals.clear()

    def stop() -> None:
        _signals.append(None)
        if len(_signals) == 1:
            for control in _controls:
                control.request_drain("signal")
        elif task is not None:
            task.cancel()

    for number in stopping_signals():
        loop.add_signal_handler(number, stop)


def stopping_signals() -> list[signal.Signals]:
    """The signals that stop a run here."""
    hangup = [] if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]


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
    async with (
        _taken(run) as (graph, control),
        aclosing(_drive(graph, {"request": request}, thread_id, settings, control)) as events,
    ):
        async for event in events:
            yield event


async def resume(run: str, *, data: str | None = None, **changes: Unpack[Changes]) -> AsyncIterator[Event]:
    """Go on with a run that was killed, stopped, reached a limit or failed.

    Limits may be raised, the model changed, data replaced; what is left out or None stays as it is, and the change is
    noted. A run that asks whether to try again tries again.

    Raises:
        RunNotFound: there is no such run.
        RunBusy: somebody is at work on it.
        RequestError: the run has ended for good, it waits for an answer, or the engineer cannot be there.
    """
    name = (await asyncio.to_thread(open_runs().resolve, run)).name
    await asyncio.to_thread(load_policy)  # a broken one is told before anything is taken up
    changed = {name: value for name, value in changes.items() if value is not None}
    async with _taken(name) as (graph, control):
        row = await asyncio.to_thread(stored, name)  # as whoever held the run before left it
        await asyncio.to_thread(check_change, row, changed)
        start_from = await taken_up(graph, row, changed, data)
        if changed:
            settings = {**(row.settings or {}), **changed}
            await asyncio.to_thread(open_runs().update, row.name, settings=settings)
        context = context_of(row, changed)
        async with aclosing(_drive(graph, start_from, row.thread_id, context, control)) as events:
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


async def answer(
    run: str, decisions: Decisions | str, *, only: Sequence[int] = (), shown: str = "", via: str = "a program"
) -> AsyncIterator[Event]:
    """Answer what a run waits for, and go on once all of it is answered.

    Args:
        run: name or unique prefix.
        decisions: one decision for each action that was shown, or one for all; a text answers a question.
        only: numbers of the actions that they are for, from 1; all that are open when empty.
        shown: `shown` of what the run waits for, as the person saw it; refused if something else is shown by now.
        via: where the answer comes from, in a word, for who comes later.

    Raises:
        RunNotFound: there is no such run.
        TooLate: somebody else answered first.
        RunBusy: somebody is at work on it; whether the answer is stored all the same, and counts, is said.
        RequestError: it waits for nothing.
    """
    found = await asyncio.to_thread(open_runs().resolve, run)
    name = found.name
    await asyncio.to_thread(load_policy)
    asked = await asyncio.to_thread(offered, found, decisions, only, via, shown)  # before the lease: the first counts
    async with AsyncExitStack() as stack:
        try:
            graph, control = await stack.enter_async_context(_taken(name))
        except RunBusy as error:
            raise await asyncio.to_thread(at_work, name, asked, error) from error
        row = await asyncio.to_thread(stored, name)
        await looked_at(graph, row)
        command = await answered(graph, row, decisions, asked)
        if command is None:
            async for event in _ending(graph, config_of(row.thread_id), row.thread_id, False):
                yield event
            return
        context = context_of(row, {})
        async with aclosing(_drive(graph, command, row.thread_id, context, control)) as events:
            async for event in events:
                yield event


@asynccontextmanager
async def _taken(run: str) -> AsyncIterator[tuple[Compiled, RunControl]]:
    """The graph, and what stops it, while this process holds the lease of the run."""
    control = RunControl()
    async with driving(run, control), _opened() as graph:
        _controls.append(control)
        if _signals:
            control.request_drain("signal")
        try:
            yield graph, control
        finally:
            _controls.remove(control)


async def _drive(
    graph: Compiled, given: Any, thread_id: str, settings: Settings, control: RunControl
) -> AsyncGenerator[Event]:
    """Run the graph; pass its events on; end with the result."""
    config = config_of(thread_id)
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
        async with aclosing(stream):  # an iteration that is given up must not go on working until it is collected
            async for _, event in stream:
                yield event
    except GraphDrained:
        drained = True
    except sqlite3.Error as error:
        raise store_error(error) from error
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


async def about_to_ask(run: str) -> bool:
    """Whether a run that says it waits has yet to ask: it was killed between saying so and asking.

    Raises:
        RunNotFound: there is no such run.
    """
    row = await asyncio.to_thread(open_runs().resolve, run)
    async with _opened() as graph:
        snapshot = await graph.aget_state(config_of(row.thread_id))
    return bool(snapshot.tasks) and not snapshot.interrupts


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
