"""The checkpointer: one SQLite file for the terminal, `langgraph dev` and programs.

Write-ahead logged, fully synchronous, readable by its owner alone. Only the classes of `graph/state.py` are read
back from a checkpoint (an explicit list: `LANGGRAPH_STRICT_MSGPACK` would break the development server with a custom
checkpointer). A write that has begun is ended also where its task is cancelled, so that no transaction stays open.
Which checkpoints may be dropped is decided by `graph/pruning.py`, or by whoever calls `aprune`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.constants import START
from pydantic import BaseModel

from . import state
from .ancestry import Link, link_of, needed
from .database import PRAGMAS, busy_seconds, create_private, store_error
from .errors import RequestError, StoreError
from .migrations import STAMP, version_of
from .order import later_than
from .redaction import redact
from .settings import database_path

__all__ = ["Saver", "open_checkpointer", "state_classes"]

log = logging.getLogger("trainwright")

T = TypeVar("T")

CLOSING_SECONDS = 10.0
"""How long closing waits for a write or a read that goes on."""

FROM_OUTSIDE = (START, "request", "__resume__")
"""Channels whose values are what somebody handed in, perhaps as plain JSON that no class of ours has seen yet."""


KEEP, DROP = ("keep_latest",), ("delete", "delete_all")
"""The ways to prune, as LangGraph's base class and its server name them."""

CHECKPOINT_COLUMNS = "checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata"
WRITE_COLUMNS = "checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value"


def state_classes() -> list[tuple[str, str]]:
    """Module and name of every class of the state: what a checkpoint may hold besides plain values."""
    return [
        (state.__name__, name)
        for name, value in vars(state).items()
        if inspect.isclass(value) and issubclass(value, BaseModel | Enum) and value.__module__ == state.__name__
    ]


class Saver(AsyncSqliteSaver):
    """Keeps what came from outside, as it came, without secrets: a server stores input and answers before any node runs.

    It also prunes, copies and deletes threads, which its base leaves open, without emptying a transcript.
    """

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """As its base does."""
        values = checkpoint["channel_values"]
        clean = {channel: redact(values[channel]) for channel in FROM_OUTSIDE if channel in values}
        stored: Checkpoint = {**checkpoint, "channel_values": {**values, **clean}}
        stamped: Any = {**metadata, STAMP: state.SCHEMA_VERSION}
        return await self._whole(super().aput(config, stored, stamped, new_versions))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """As its base does.

        Raises:
            RequestError: a newer release wrote it, in a shape that this one does not know.
            StoreError: what is stored is no checkpoint.
        """
        try:
            found = await super().aget_tuple(config)
        except (ValueError, TypeError, KeyError, EOFError) as error:
            raise StoreError(
                f"A checkpoint in the run database cannot be read ({type(error).__name__}: {str(error)[:200]}).",
                hint="The file is damaged, or another program wrote it; restore a copy. Other runs may be whole.",
            ) from error
        if found is not None:
            later_than(await self._last_id(found.config["configurable"]["thread_id"]))
        if found is not None and (version := version_of(found.metadata)) > state.SCHEMA_VERSION:
            raise RequestError(
                f"This run was made by a newer Trainwright (its state is of version {version}, this one knows "
                f"{state.SCHEMA_VERSION}); nothing was done.",
                hint="Update Trainwright, and try again.",
            )
        return found

    async def _last_id(self, thread: str) -> str:
        async with self.conn.execute("SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id=?", (thread,)) as rows:
            row = await rows.fetchone()
        return str(row[0] or "") if row else ""

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """As its base does."""
        clean = [(channel, redact(value) if channel in FROM_OUTSIDE else value) for channel, value in writes]
        await self._whole(super().aput_writes(config, clean, task_id, task_path))

    async def adelete_thread(self, thread_id: str) -> None:
        """As its base does."""
        await self.setup()
        await self._whole(super().adelete_thread(thread_id))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Drop checkpoints of threads, in one transaction.

        Args:
            thread_ids: those of which checkpoints are dropped; others stay as they are.
            strategy: `keep_latest` keeps of every namespace the last checkpoint with its pending writes, and the
                ancestors from which its delta channels are rebuilt; `delete` and `delete_all` keep nothing.

        Raises:
            ValueError: there is no such strategy.
        """
        if strategy not in (*KEEP, *DROP):
            raise ValueError(f"{strategy!r} is no way to prune; the ways are {', '.join((*KEEP, *DROP))}.")
        await self._whole(self._prune([str(thread) for thread in thread_ids], keep=strategy in KEEP))

    async def _prune(self, threads: Sequence[str], *, keep: bool) -> None:
        async with self.writing():
            for thread in threads:
                for namespace in await self.namespaces(thread):
                    links = await self.links(thread, namespace) if keep else {}
                    kept = needed(links, [max(links)]) if links else set()
                    await self.drop(thread, namespace, kept)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy every checkpoint and every write of a thread, of all namespaces, in one transaction.

        Raises:
            ValueError: the target has checkpoints already, which would be mixed up with the copies.
        """
        await self._whole(self._copy(str(source_thread_id), str(target_thread_id)))

    async def _copy(self, source: str, target: str) -> None:
        async with self.writing():
            if await self._last_id(target):
                raise ValueError(f"The thread {target} has checkpoints already; nothing was copied onto them.")
            for table, columns in (("checkpoints", CHECKPOINT_COLUMNS), ("writes", WRITE_COLUMNS)):
                await self.conn.execute(
                    f"INSERT INTO {table} (thread_id, {columns}) "  # noqa: S608 - our own names
                    f"SELECT ?, {columns} FROM {table} WHERE thread_id=?",
                    (target, source),
                )

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete what the invocations with these ids wrote, in one transaction.

        What a later invocation of the same thread needs stays: what its delta channels are rebuilt from, and the
        checkpoint of the graph from which a stage that it went on with was begun.
        """
        await self._whole(self._delete_for_runs({str(run) for run in run_ids}))

    async def _delete_for_runs(self, runs: set[str]) -> None:
        async with self.writing():
            for thread in await self._touched_by(runs):
                about = {name: await self._metadata(thread, name) for name in await self.namespaces(thread)}
                staying = _staying(about, runs)
                for namespace in about:
                    links = await self.links(thread, namespace) if staying[namespace] else {}
                    await self.drop(thread, namespace, needed(links, staying[namespace]) if links else set())

    async def _touched_by(self, runs: set[str]) -> list[str]:
        marks = ",".join("?" * len(runs))
        sql = (
            "SELECT DISTINCT thread_id FROM checkpoints "  # noqa: S608 - only question marks
            f"WHERE json_extract(CAST(metadata AS TEXT), '$.run_id') IN ({marks})"
        )
        async with self.conn.execute(sql, sorted(runs)) as rows:
            return [thread async for (thread,) in rows]

    async def namespaces(self, thread: str) -> list[str]:
        """The namespaces of a thread that have checkpoints or writes: the graph's own is empty, each stage visit has one."""
        sql = (
            "SELECT checkpoint_ns FROM checkpoints WHERE thread_id=?1 UNION "
            "SELECT checkpoint_ns FROM writes WHERE thread_id=?1"
        )
        async with self.conn.execute(sql, (thread,)) as rows:
            return [namespace async for (namespace,) in rows]

    async def links(self, thread: str, namespace: str) -> dict[str, Link]:
        """The checkpoints of a namespace by id, each as a link of its chain."""
        sql = (
            "SELECT checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata FROM checkpoints "
            "WHERE thread_id=? AND checkpoint_ns=?"
        )
        async with self.conn.execute(sql, (thread, namespace)) as rows:
            return {
                key: link_of(parent, self.serde.loads_typed((kind, blob)), json.loads(about or b"{}"))
                async for key, parent, kind, blob, about in rows
            }

    async def _metadata(self, thread: str, namespace: str) -> dict[str, dict[str, Any]]:
        sql = "SELECT checkpoint_id, metadata FROM checkpoints WHERE thread_id=? AND checkpoint_ns=?"
        async with self.conn.execute(sql, (thread, namespace)) as rows:
            return {key: json.loads(about or b"{}") async for key, about in rows}

    async def drop(self, thread: str, namespace: str, kept: Iterable[str]) -> int:
        """Delete the checkpoints of a namespace and their writes, but for those with the ids `kept`; how many."""
        listed, dropped = json.dumps(sorted(kept)), 0
        for table in ("writes", "checkpoints"):
            done = await self.conn.execute(
                f"DELETE FROM {table} WHERE thread_id=? AND checkpoint_ns=? "  # noqa: S608 - our own names
                "AND checkpoint_id NOT IN (SELECT value FROM json_each(?))",
                (thread, namespace, listed),
            )
            dropped = done.rowcount
        return dropped

    @asynccontextmanager
    async def writing(self, *, commit: bool = True) -> AsyncIterator[None]:
        """A write transaction that has this saver to itself; rolled back after an error, or when nothing is to stay."""
        await self.setup()
        async with self.lock:
            await self.conn.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                await self.conn.rollback()
                raise
            await (self.conn.commit() if commit else self.conn.rollback())

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Let a write come to its commit or its rollback, also when the task that asks for it is cancelled.

        Cancelled between its statement and its commit it would leave a transaction open, and with it the lock of the
        database, for as long as this connection lives.
        """
        try:
            return await to_the_end(work)
        except sqlite3.Error:
            await self._roll_back()
            raise

    async def _roll_back(self) -> None:
        """End the transaction that a failed statement left open; the statement's error is what is told."""
        try:
            async with self.lock:
                await self.conn.rollback()
        except sqlite3.Error:
            return


def _staying(about: Mapping[str, Mapping[str, Mapping[str, Any]]], runs: set[str]) -> dict[str, set[str]]:
    """By namespace the ids of the checkpoints that other invocations wrote, and of those inside which they did.

    Args:
        about: metadata by namespace and id.
        runs: the invocations that go.
    """
    staying = {
        name: {key for key, metadata in rows.items() if metadata.get("run_id") not in runs}
        for name, rows in about.items()
    }
    inside = [about[name][key].get("parents") or {} for name, keys in staying.items() for key in keys]
    for parents in inside:
        for name, key in parents.items():
            if key in about.get(name, {}):
                staying[name].add(key)
    return staying


@asynccontextmanager
async def open_checkpointer(path: str | os.PathLike[str] | None = None) -> AsyncIterator[Saver]:
    """The checkpointer over `path`, by default the run database of `TRAINWRIGHT_HOME`; closed on leaving.

    Raises:
        StoreError: the file cannot be used.
    """
    import aiosqlite
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    file = Path(path) if path is not None else await asyncio.to_thread(database_path)
    await asyncio.to_thread(create_private, file)
    try:
        connection = await aiosqlite.connect(file, timeout=busy_seconds())
        saver = Saver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=state_classes()))
        try:
            for pragma in PRAGMAS:
                await connection.execute(pragma)
            yield saver
        finally:
            await to_the_end(_close(saver))
    except sqlite3.Error as error:
        raise store_error(error, file) from error


async def _close(saver: Saver) -> None:
    """Close the connection between two writes, with nothing open.

    An invocation that was abandoned may still be writing. Were its connection closed between a statement and the
    commit, SQLite would keep it, and the lock of the database with it, until the last cursor is collected.
    """
    alone = True
    try:
        await asyncio.wait_for(saver.lock.acquire(), CLOSING_SECONDS)
    except TimeoutError:
        alone = False  # whoever lists checkpoints and never goes on holds it for ever
    try:
        await saver.conn.rollback()
        # SQLite does this when the last connection is closed; but a server, or another run, may hold one for days.
        await saver.conn.execute("PRAGMA busy_timeout=200")
        await saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        log.debug("the write-ahead log stays as long as it is", exc_info=True)
    finally:
        await saver.conn.close()
        if alone:
            saver.lock.release()


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; when the task that waits for it is cancelled, it is ended all the same, and then cancelled."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # asked for, so that nothing complains that nobody did
        raise
