"""The checkpointer: one SQLite file for the terminal, `langgraph dev` and programs.

Write-ahead logged, fully synchronous, readable by its owner alone. Only the classes of `graph/state.py` are read
back from a checkpoint (an explicit list: `LANGGRAPH_STRICT_MSGPACK` would break the development server with a custom
checkpointer). This module does not prune or copy threads.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.constants import START
from pydantic import BaseModel

from . import state
from .database import BUSY_SECONDS, PRAGMAS, create_private
from .redaction import redact
from .settings import database_path

__all__ = ["open_checkpointer", "state_classes"]

FROM_OUTSIDE = (START, "request", "__resume__")
"""Channels whose values are what somebody handed in, perhaps as plain JSON that no class of ours has seen yet."""


def state_classes() -> list[tuple[str, str]]:
    """Module and name of every class of the state: what a checkpoint may hold besides plain values."""
    return [
        (state.__name__, name)
        for name, value in vars(state).items()
        if inspect.isclass(value) and issubclass(value, BaseModel | Enum) and value.__module__ == state.__name__
    ]


class Saver(AsyncSqliteSaver):
    """Keeps what came from outside, as it came, without secrets: a server stores input and answers before any node runs."""

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
        return await super().aput(config, stored, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """As its base does."""
        clean = [(channel, redact(value) if channel in FROM_OUTSIDE else value) for channel, value in writes]
        await super().aput_writes(config, clean, task_id, task_path)


@asynccontextmanager
async def open_checkpointer(path: str | os.PathLike[str] | None = None) -> AsyncIterator[AsyncSqliteSaver]:
    """The checkpointer over `path`, by default the run database of `TRAINWRIGHT_HOME`; closed on leaving."""
    import asyncio

    import aiosqlite
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    file = Path(path) if path is not None else await asyncio.to_thread(database_path)
    await asyncio.to_thread(create_private, file)
    async with aiosqlite.connect(file, timeout=BUSY_SECONDS) as connection:
        for pragma in PRAGMAS:
            await connection.execute(pragma)
        yield Saver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=state_classes()))
