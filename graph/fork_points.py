"""Where a fork can begin: where a run stands, or just after one of its steps, in the middle of a stage or at its end.

Found in the checkpoints of the run's graph and of its stages; what `trainwright prune` dropped is said to be gone. A
place behind a gate is one in front of it. This module only reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AnyMessage
from langgraph.types import StateSnapshot

from . import ledger, routing
from .database import transaction
from .errors import RequestError
from .integrity import state_of
from .reentry import config_of, looked_at
from .runs import RunRow
from .state import Settings, State, Status
from .workflow import Compiled

__all__ = ["Point", "after_step", "standing"]

STAGES = ("read_paper", "plan", "find_data", "write_code")
GATE_BEFORE = {"submit_job": "approve_job", "watch_job": "approve_job", "publish": "approve_publish"}
"""Nodes that only a gate may lead to: a fork stands in front of the gate."""


@dataclass(frozen=True)
class Point:
    """A place in a run at which a fork can begin.

    Attributes:
        state: of the run, before the node.
        node: at which the fork begins.
        step: the last step that it has behind it.
        transcript: of the node, if it is a stage in its middle; empty otherwise.
        latest: whether the run's folder is as it was then.
    """

    state: State
    node: str
    step: int
    transcript: tuple[AnyMessage, ...] = ()
    latest: bool = False


async def standing(graph: Compiled, row: RunRow) -> Point:
    """Where the run stands, with the last turn whose calls are all answered.

    Raises:
        RequestError: it has no checkpoint yet, its files were changed, or it has ended where nothing leads on.
    """
    head, state = await looked_at(graph, row)
    if state is not None and head.tasks and head.tasks[0].name in STAGES:
        return await _inside(graph, row, head, state)
    if state is None or not state.run:
        raise _nothing_there(row)
    return _at_node(row, state, head.next, max(state.steps, row.steps), latest=True)


async def _inside(graph: Compiled, row: RunRow, head: StateSnapshot, state: State) -> Point:
    stage, latest = head.tasks[0].name, True
    async for there in graph.aget_state_history(_namespace(row, head)):
        if there.next == ("think",):
            return _in_stage(state, stage, there, latest=latest)
        latest = False
    if not state.run:
        raise _nothing_there(row)
    return Point(state, stage, state.steps, latest=latest)


async def after_step(graph: Compiled, row: RunRow, at: int, parent: str) -> Point:
    """The place just after step `at`.

    Args:
        at: number of the turn, as events and `trainwright show` count them.
        parent: the run from which this one was forked; empty if it was not.

    Raises:
        RequestError: there is no such step, its calls are not answered yet, or its checkpoints are gone.
    """
    head, now_standing = await looked_at(graph, row)
    if now_standing is None:
        raise _nothing_there(row)
    total = max(row.steps, now_standing.steps)
    first = 1 + (await asyncio.to_thread(_taken_before, row.name))
    if not first <= at <= total:
        raise RequestError(_no_such_step(row.name, at, first, total), hint=_where_else(parent, first))
    later: StateSnapshot | None = None
    async for there in _chain(graph, row, head):
        if int(there.values.get("steps", 0)) < at:
            found = await _between(graph, row, there, later, at)
            if found is not None:
                return found
            break
        later = there
    raise RequestError(_missing(row, at, total, later), hint=f"`trainwright fork {row.name}` begins where it stands.")


async def _chain(graph: Compiled, row: RunRow, head: StateSnapshot) -> AsyncIterator[StateSnapshot]:
    """The checkpoints of the run's graph from the last one back, without branches that were left."""
    wanted = head.config["configurable"]["checkpoint_id"]
    async for there in graph.aget_state_history(config_of(row.thread_id)):
        if there.config["configurable"]["checkpoint_id"] == wanted:
            yield there
            wanted = (there.parent_config or {"configurable": {}})["configurable"].get("checkpoint_id")


async def _between(
    graph: Compiled, row: RunRow, before: StateSnapshot, later: StateSnapshot | None, at: int
) -> Point | None:
    """The place after step `at`, which was taken after `before`: in the middle of a stage, or at its end."""
    if before.tasks and before.tasks[0].name in STAGES:
        state, latest = _state(before, row), later is None
        async for there in graph.aget_state_history(_namespace(row, before)):
            steps = int(there.values.get("steps", 0))
            if steps == at and there.next == ("think",):
                return _in_stage(state, before.tasks[0].name, there, latest=latest)
            latest = False
    if later is not None and int(later.values.get("steps", 0)) == at:
        return _at_node(row, _state(later, row), later.next, at, latest=False)
    return None


def _nothing_there(row: RunRow) -> RequestError:
    return RequestError(f"{row.name} has no checkpoint yet.", hint="Start it again; there is nothing to fork.")


def _namespace(row: RunRow, snapshot: StateSnapshot) -> Any:
    """Where the checkpoints of the stage lie that comes next at a snapshot."""
    task = snapshot.tasks[0]
    return {"configurable": {"thread_id": row.thread_id, "checkpoint_ns": f"{task.name}:{task.id}"}}


def _state(snapshot: StateSnapshot, row: RunRow) -> State:
    state = state_of(snapshot, row)
    assert state is not None, "a checkpoint with steps has a state"
    return state


def _in_stage(state: State, stage: str, there: StateSnapshot, *, latest: bool) -> Point:
    """In the middle of a stage, with what changed in it meanwhile."""
    inside = there.values
    changed = {"settings": inside.get("settings") or state.settings, "told": inside.get("told", state.told)}
    if "run" in inside and not state.run:  # the first stage opens the run, so the graph does not know it yet
        changed |= {"run": inside["run"], "request": inside.get("request") or state.request}
    return Point(
        state.model_copy(update=changed), stage, int(inside["steps"]), tuple(inside.get("transcript") or ()), latest
    )


def _at_node(row: RunRow, state: State, coming: tuple[str, ...], step: int, *, latest: bool) -> Point:
    """In front of a node, or of the gate before it."""
    node = coming[0] if coming else "wrap_up"
    if node == "ask_person" and state.question is not None:
        asking = state.question.back_to
        if asking in STAGES:
            return Point(state, asking, step, latest=latest)
        node = asking
    if node == "wrap_up":
        node, state = _of_ended(row, state)
    node = GATE_BEFORE.get(node, node)
    if node == "evaluate" and state.job is None:
        node = "plan"  # nothing was left to try: the engineer says so again, or thinks of something
    return Point(state.model_copy(update={"question": None}), node, step, latest=latest)


def _of_ended(row: RunRow, state: State) -> tuple[str, State]:
    """The node at which a run that has ended, or is about to, is taken up."""
    if state.publication is not None or state.status == Status.PUBLISHED:
        return "approve_publish", state
    settings = state.settings or Settings()
    if settings.dry_run and state.plan is not None and state.status in (Status.RUNNING, Status.DRY_RUN):
        return "approve_plan", state.model_copy(update={"settings": settings.model_copy(update={"dry_run": False})})
    if state.stopped_at not in routing.BEFORE:
        raise RequestError(f"{row.name} has ended: {state.reason}", hint="Give --at, or start a new run.")
    return state.stopped_at, state


def _taken_before(run: str) -> int:
    """The steps that were taken before a fork began, which are its parent's."""
    with transaction(ledger.SCHEMA) as db:
        rows = db.execute(
            "SELECT COALESCE(SUM(amount), 0) FROM ledger WHERE run=? AND resource='steps' AND key LIKE ?",
            (run, f"{run}/fork/%"),
        )
        return int(rows.fetchone()[0])


def _no_such_step(run: str, at: int, first: int, total: int) -> str:
    if total < first:
        return f"{run} has taken no step of its own yet, so there is none numbered {at}."
    return f"{run} has no step {at}: its steps are {first} to {total}."


def _where_else(parent: str, first: int) -> str:
    if parent and first > 1:
        return f"Steps 1 to {first - 1} are those of {parent}, from which it was forked."
    return "`trainwright fork` without --at begins where the run stands."


def _missing(row: RunRow, at: int, total: int, later: StateSnapshot | None) -> str:
    """Why there is no place after a step that was taken."""
    if at == total and later is None:
        return f"{row.name} is not done with step {at}: its calls are not answered yet."
    return f"The checkpoints of step {at} of {row.name} are gone: `trainwright prune`, or a program, dropped them."
