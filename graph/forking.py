"""Forking: a new run that begins where another stands, or just after one of its steps.

LangGraph itself would begin a stage anew when it is forked in its middle. So a fork is a thread of its own that enters
the graph by the door by which a run comes back from a limit: the state as it was before the stage, and the transcript up
to that step in the file from which the stage goes on (`carry`).

A fork repeats no effect of its parent and refunds nothing. Its ledger begins with all that the parent has used, its
steps are counted on from the parent's, its journal is empty, and no approval of a job, a publication or a call is taken
over: where the parent stood behind a gate, the fork stands in front of it. The parent is only read. This module does not
drive the fork.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from . import ledger, routing, runs, tellings
from .checkpoint import open_checkpointer
from .database import transaction
from .errors import RequestError
from .fork_points import Point, after_step, standing
from .forked_folder import copied_folder, leave_transcript, write_code_again
from .lease import held
from .reentry import config_of
from .runs import RunRow, check_name, now, open_runs, slug
from .settings import run_path
from .state import State, Status
from .workflow import WAYS, Compiled, build_graph

__all__ = ["Origin", "fork", "origin_of"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS forks (
    name TEXT PRIMARY KEY, parent TEXT NOT NULL, step INTEGER NOT NULL, node TEXT NOT NULL, at TEXT NOT NULL
);
"""

AFTER_JOB = ("evaluate", "approve_publish")


@dataclass(frozen=True)
class Origin:
    """Where a fork comes from.

    Attributes:
        parent: name of the run.
        step: the step after which it begins; of the parent's total when it began where the parent stood.
        node: the node at which it begins.
        at: when it was made; UTC, ISO 8601.
    """

    parent: str
    step: int
    node: str
    at: str


async def fork(run: str, at: int | None = None, name: str = "") -> str:
    """Begin a new run from `run`; its name. `resume` drives it.

    Args:
        run: name or unique prefix.
        at: the step (turn of the engineer) just after which it begins; where the run stands when None.
        name: of the new run; made up when empty.

    Raises:
        RunNotFound: there is no such run.
        RunBusy: somebody is at work on it.
        RequestError: the name is taken, there is no such step, or what is needed to begin there is gone.
    """
    row = await asyncio.to_thread(open_runs().resolve, run)
    chosen = await asyncio.to_thread(_name, row.name, name)
    with_lease = held(row.name)
    await asyncio.to_thread(with_lease.__enter__)
    try:
        async with open_checkpointer() as saver:
            graph = build_graph(saver)
            point = await _found(graph, row, at)
            await _make(graph, row, point, chosen)
    finally:
        await asyncio.to_thread(with_lease.__exit__, None, None, None)
    return chosen


async def _found(graph: Compiled, row: RunRow, at: int | None) -> Point:
    if at is None:
        return await standing(graph, row)
    origin = await asyncio.to_thread(origin_of, row.name)
    return await after_step(graph, row, at, origin.parent if origin else "")


def origin_of(run: str) -> Origin | None:
    """Where a fork comes from; None for a run that is none."""
    with transaction(SCHEMA) as db:
        row = db.execute("SELECT parent, step, node, at FROM forks WHERE name=?", (run,)).fetchone()
    return None if row is None else Origin(**row)


def _name(parent: str, wanted: str) -> str:
    """The fork's name: nothing has it, no run and no folder.

    Raises:
        RequestError: `wanted` is no name, or taken.
    """
    taken = {row.name for row in open_runs().list()}
    if wanted:
        check_name(wanted)
        if wanted in taken or run_path(wanted).exists():
            raise RequestError(f"There is a run, or a folder, named {wanted} already.", hint="Choose another --name.")
        return wanted
    base = f"{slug(parent, 50)}-fork"
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 1_000))
    return next(name for name in names if name not in taken and not run_path(name).exists())


async def _make(graph: Compiled, row: RunRow, point: Point, name: str) -> None:
    """Make the fork: folder, thread, and at last its name, ledger and origin in one transaction."""
    known = await asyncio.to_thread(_score_known, row)
    state = _begun(row, point, name, known)
    expected = "ask_person" if state.question is not None else point.node
    _check_way(row, state, point.node, expected)
    place = await asyncio.to_thread(_folder, row.name, name, state, point)
    try:
        if carry := await asyncio.to_thread(_carry, row.name, name, place, point):
            state = state.model_copy(update={"carry": carry, "stopped_at": point.node})
        await asyncio.to_thread(place.rename, run_path(name))
        place = run_path(name)
        if point.node == "write_code" and point.transcript and not point.latest:
            await asyncio.to_thread(write_code_again, name, state, point.transcript)
        told = await asyncio.to_thread(_tell_again, row.name, name, state.told)
        state = state.model_copy(update={"told": told})
        thread = str(uuid.uuid4())
        await _enter(graph, thread, state, point.node)
        await asyncio.to_thread(_enter_tables, row, name, thread, state, point)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        raise


def _begun(row: RunRow, point: Point, name: str, score_known: bool) -> State:
    """The state with which the fork begins."""
    state = point.state
    total = max(row.steps, state.steps, point.step)
    notes = [f"Forked from {row.name} at step {point.step}: steps, time and money count on from what it had used."]
    if score_known and point.node != "approve_publish":
        notes.append(
            f"The score of {row.name} on the withheld labels was known; scores of this fork are not untouched."
        )
    changed: dict[str, Any] = {
        "run": name,
        "request": state.request.model_copy(update={"name": name}),
        "steps": total,
        "status": Status.RUNNING,
        "reason": "",
        "problem": "",
        "job": _job(row.name, name, state) if _job_stays(point) else None,
        "publication": None,
        "approvals": [one for one in state.approvals if one.gate == "approve_plan"],
        "times": [],
        "notes": [*state.notes, *notes],
    }
    if point.node != "approve_publish":
        changed |= {"accepted": None, "evaluation": None}
    if not point.transcript and point.state.stopped_at != point.node:
        changed |= {"carry": "", "stopped_at": ""}
    return state.model_copy(update=changed)


def _job_stays(point: Point) -> bool:
    """Whether the fork knows of the job: one that ran and is done, or failed and is to be repaired."""
    job = point.state.job
    if job is None or point.node == "approve_job":
        return False
    return point.node in AFTER_JOB or job.state not in ("submitted", "running", "succeeded")


def _job(parent: str, name: str, state: State) -> Any:
    assert state.job is not None, "_job_stays"
    handle = state.job.handle.replace(str(run_path(parent)), str(run_path(name)), 1)
    return state.job.model_copy(update={"handle": handle})


def _check_way(row: RunRow, state: State, node: str, expected: str) -> None:
    """Make sure that the graph would go to where the fork is to begin, before anything is made.

    Raises:
        RequestError: it would not.
    """
    before = _before(state, node)
    if before != "__start__" and WAYS[before][0](state) != expected:
        raise RequestError(
            f"{row.name} cannot be forked where it stands ({node.replace('_', ' ')}).",
            hint=f"Fork it at a step: `trainwright fork {row.name} --at STEP`.",
        )


def _folder(parent: str, name: str, state: State, point: Point) -> Path:
    as_is = point.latest and point.node == "write_code"
    return copied_folder(parent, name, state, point.node, code_as_is=as_is)


def _carry(parent: str, name: str, place: Path, point: Point) -> str:
    """The file with the transcript; empty where the fork does not begin in the middle of a stage."""
    if not point.transcript:
        return ""
    return leave_transcript(place, point.node, point.transcript, parent, name)


async def _enter(graph: Compiled, thread: str, state: State, node: str) -> None:
    """Put the fork's thread in front of the node."""
    config = config_of(thread)
    values = {field: getattr(state, field) for field in State.model_fields}
    before = _before(state, node)
    if before == "__start__":
        # What is written as the start counts as the graph's input, which is the request alone: so in two steps.
        await graph.aupdate_state(config, values, as_node="wrap_up")
        values = {"request": state.request}
    await graph.aupdate_state(config, values, as_node=before)


def _before(state: State, node: str) -> str:
    """The node behind which the fork begins: the one that asked, where the question is asked again."""
    return node if state.question is not None else routing.BEFORE[node]


def _tell_again(parent: str, name: str, told: int) -> int:
    """Let the fork know what its parent's engineer had been told; the number of the last message."""
    with transaction(tellings.SCHEMA) as db:
        db.execute("DELETE FROM tellings WHERE run=?", (name,))
        heard = [one for one in tellings.read(db, parent, 0) if one.id <= told]
    return max([tellings.tell(name, one.text) for one in heard], default=0)


def _enter_tables(row: RunRow, name: str, thread: str, state: State, point: Point) -> None:
    """Enter the fork's row, its ledger, what its engineer was told, and its origin: all of it, or nothing."""
    with transaction(runs.SCHEMA + ledger.SCHEMA + tellings.SCHEMA + SCHEMA) as db:
        _enter_row(db, row, name, thread, state, point)
        db.execute("DELETE FROM ledger WHERE run=?", (name,))
        for (node, resource), (used, reserved) in ledger.Ledger.sums(db, row.name).items():
            key = f"{name}/fork/{node}/{resource}"
            ledger.Ledger.enter(db, name, resource, used + reserved, key=key, node=node)
        db.execute(
            "INSERT INTO forks (name, parent, step, node, at) VALUES (?, ?, ?, ?, ?)",
            (name, row.name, point.step, point.node, now()),
        )


def _enter_row(db: Connection, row: RunRow, name: str, thread: str, state: State, point: Point) -> None:
    settings = {**(row.settings or {}), "dry_run": bool(state.settings and state.settings.dry_run)}
    request = {**(row.request or {}), "name": name}
    db.execute(
        "INSERT INTO runs (name, thread_id, status, stage, steps, created_at, updated_at, data, paper, goal, reason, pid, "
        "request, settings) VALUES (?, ?, 'interrupted', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(name, thread, point.node, state.steps, now(), now(), row.data, row.paper, row.goal),
            *(f"forked from {row.name} at step {point.step}", os.getpid(), json.dumps(request), json.dumps(settings)),
        ),
    )


def _score_known(row: RunRow) -> bool:
    return bool((row.result or {}).get("evaluation"))
