"""Invocations that are cancelled or abandoned at any moment leave no transaction open: the next one is not locked out."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

import pytest

from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.database import transaction
from trainwright.graph.state import Request, Settings

from .scripted import FINISH, Desk, Scripted, call, one_stage, says

TURNS = [*(says(call("note", {"text": str(number)}, f"n{number}")) for number in range(8)), FINISH]


def invocation(saver: Any, thread: str) -> Any:
    """The stream of a run of nine turns."""
    config: Any = {"configurable": {"thread_id": thread}, "recursion_limit": 1_000}
    graph = one_stage(Scripted(TURNS), Desk(), saver)
    goal = {"request": Request(goal="a goal")}
    return graph.astream(goal, config, context=Settings(), durability="sync", stream_mode="updates", subgraphs=True)


def check_free() -> None:
    """A writer that waits for nobody gets in."""
    with transaction("CREATE TABLE IF NOT EXISTS tried (n INTEGER)") as db:
        db.execute("INSERT INTO tried VALUES (1)")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a lock."""
    monkeypatch.setenv("TRAINWRIGHT_BUSY_SECONDS", "0")


@pytest.mark.parametrize("seed", range(3))
async def test_a_cancelled_invocation_leaves_the_database_free(seed: int) -> None:
    chance = random.Random(seed)
    for number in range(12):
        await _cancelled_after(chance.randrange(1, 12), chance.randrange(12), f"{seed}-{number}")
        check_free()


async def _cancelled_after(parts: int, beats: int, thread: str) -> None:
    """Take so many parts of the stream, wait for so many beats of the loop, cancel."""
    reached = asyncio.Event()

    async def drive() -> None:
        async with open_checkpointer() as saver:
            seen = 0
            async for _ in invocation(saver, thread):
                seen += 1
                if seen == parts:
                    reached.set()

    task = asyncio.create_task(drive())
    waiting = asyncio.create_task(reached.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    for _ in range(beats):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    waiting.cancel()


async def test_an_abandoned_stream_leaves_the_database_free() -> None:
    kept = []  # collected, a stream closes itself; nobody promises when
    for parts in range(1, 12):
        async with open_checkpointer() as saver:
            stream = invocation(saver, f"abandoned-{parts}")
            kept.append(stream)
            for _ in range(parts):
                await anext(stream)
        check_free()
    for stream in kept:
        await stream.aclose()


async def test_closing_waits_for_a_listing_that_was_left_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.graph.checkpoint.CLOSING_SECONDS", 0.05)
    async with open_checkpointer() as saver:
        async for _ in invocation(saver, "listed"):
            pass
        listing = saver.alist({"configurable": {"thread_id": "listed"}})
        await anext(listing)  # it holds the saver's lock from here on
    check_free()
    with suppress(ValueError):  # its connection is closed
        await listing.aclose()
