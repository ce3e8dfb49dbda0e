"""Pruning: dropping the checkpoints that no resume needs, and giving their space back.

What is kept of a run: where the graph stands, and of a stage that is under way its last checkpoint with everything
from which its transcript is rebuilt. So it resumes, waits and shows itself as before; what is lost is its past: LangGraph
Studio's time travel, and forks at earlier steps. A run that somebody drives is left alone, and so are the folders of
runs, the ledger and the journal.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .ancestry import needed
from .checkpoint import Saver, open_checkpointer
from .errors import RunBusy
from .lease import held
from .reentry import config_of
from .runs import RunRow, open_runs
from .settings import database_path, run_path
from .workflow import build_graph

__all__ = ["Pruned", "Pruning", "prune"]

VACUUM_SECONDS = 5.0
"""How long to wait for others before the file is left as long as it is."""


@dataclass(frozen=True)
class Pruned:
    """What was dropped of one run.

    Attributes:
        checkpoints: how many.
        visits: finished visits of stages among them, dropped whole.
        bytes: what they and their writes held.
        skipped: why nothing was dropped; empty when something could be.
    """

    run: str
    checkpoints: int = 0
    visits: int = 0
    bytes: int = 0
    skipped: str = ""


@dataclass(frozen=True)
class Pruning:
    """What one call did.

    Attributes:
        runs: every run that was looked at.
        freed: bytes by which the file is shorter now.
        kept_long: why the file is as long as before; empty when it was made shorter, or nothing was to be dropped.
    """

    runs: list[Pruned] = field(default_factory=list)
    freed: int = 0
    kept_long: str = ""


async def prune(names: Sequence[str] = (), *, older_than: float = 0.0, dry_run: bool = False) -> Pruning:
    """Drop what no resume needs.

    Args:
        names: runs by name or unique prefix; all of them when empty.
        older_than: only runs that nothing has changed for so many days.
        dry_run: count only.

    Raises:
        RunNotFound: a name fits no run, or several.
        StoreError: the database cannot be used; of the run at hand nothing was dropped.
    """
    rows = await asyncio.to_thread(_chosen, names, older_than)
    async with open_checkpointer() as saver:
        done = [await _prune_run(saver, row, dry_run) for row in rows]
    if dry_run or not any(one.checkpoints for one in done):
        return Pruning(done)
    freed, kept_long = await asyncio.to_thread(_shorten, database_path())
    return Pruning(done, freed, kept_long)


def _chosen(names: Sequence[str], older_than: float) -> list[RunRow]:
    runs = open_runs()
    rows = [runs.resolve(name) for name in names] if names else runs.list()
    latest = datetime.now(UTC) - timedelta(days=older_than)
    return [row for row in _each_once(rows) if not older_than or datetime.fromisoformat(row.updated_at) <= latest]


def _each_once(rows: Iterable[RunRow]) -> list[RunRow]:
    return list({row.name: row for row in rows}.values())


async def _prune_run(saver: Saver, row: RunRow, dry_run: bool) -> Pruned:
    with ExitStack() as lease:
        if await asyncio.to_thread(_at_work, row, lease):
            return Pruned(row.name, skipped="it is at work")
        graph = build_graph(saver)
        standing = await graph.aget_state(config_of(row.thread_id))
        under_way = {f"{task.name}:{task.id}" for task in standing.tasks}
        async with saver.writing(commit=not dry_run):
            before = await _bytes(saver, row.thread_id)
            checkpoints, visits = await _drop(saver, row.thread_id, under_way)
            return Pruned(row.name, checkpoints, visits, before - await _bytes(saver, row.thread_id))


def _at_work(row: RunRow, lease: ExitStack) -> bool:
    """Whether somebody is at work on the run; if not, nobody can begin to before `lease` is left."""
    if not run_path(row.name).is_dir():
        return False
    try:
        lease.enter_context(held(row.name))
    except RunBusy:
        return True
    return False


async def _drop(saver: Saver, thread: str, under_way: set[str]) -> tuple[int, int]:
    """Checkpoints that went, and visits of stages that went whole."""
    checkpoints = visits = 0
    for namespace in await saver.namespaces(thread):
        stays = namespace == "" or namespace.split("|", 1)[0] in under_way
        links = await saver.links(thread, namespace) if stays else {}
        dropped = await saver.drop(thread, namespace, needed(links, [max(links)]) if links else set())
        checkpoints += dropped
        visits += not stays and "|" not in namespace
    return checkpoints, visits


async def _bytes(saver: Saver, thread: str) -> int:
    sql = (
        "SELECT (SELECT COALESCE(SUM(LENGTH(checkpoint) + LENGTH(metadata)), 0) FROM checkpoints WHERE thread_id=?1)"
        " + (SELECT COALESCE(SUM(LENGTH(value)), 0) FROM writes WHERE thread_id=?1)"
    )
    async with saver.conn.execute(sql, (thread,)) as rows:
        return int(next(iter(await rows.fetchall()))[0])


def _shorten(file: Path) -> tuple[int, str]:
    """Give the freed pages back to the disk: by how many bytes the file is shorter, and why if it is not."""
    before = file.stat().st_size
    connection = sqlite3.connect(file, timeout=VACUUM_SECONDS, isolation_level=None)
    try:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        return 0, f"the space stays in the file, for what comes next ({error})"
    finally:
        connection.close()
    return max(0, before - file.stat().st_size), ""
