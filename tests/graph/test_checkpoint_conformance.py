"""LangGraph's own conformance suite for checkpointers, every capability of it, over our saver and a real file."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import ALL_CAPABILITIES

from trainwright.graph.checkpoint import Saver, open_checkpointer


async def test_the_saver_passes_the_whole_suite(tmp_path: Path) -> None:
    files = iter(tmp_path / f"{number}.db" for number in range(len(ALL_CAPABILITIES)))

    @checkpointer_test(name="trainwright")
    async def fresh() -> AsyncGenerator[Saver, None]:
        async with open_checkpointer(next(files)) as saver:
            yield saver

    report = await validate(fresh)
    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    assert {name for name, result in report.results.items() if result.passed} == {c.value for c in ALL_CAPABILITIES}


@pytest.mark.parametrize("strategy", ["delete", "delete_all"])
async def test_both_names_for_deleting_leave_nothing(tmp_path: Path, strategy: str) -> None:
    async with open_checkpointer(tmp_path / "runs.db") as saver:
        await _put(saver, "a")
        await _put(saver, "b")
        await saver.aprune(["a"], strategy=strategy)
        assert await _count(saver, "a") == (0, 0)
        assert await _count(saver, "b") == (1, 1)


async def test_a_way_to_prune_that_nobody_knows_is_refused_and_nothing_is_dropped(tmp_path: Path) -> None:
    async with open_checkpointer(tmp_path / "runs.db") as saver:
        await _put(saver, "a")
        with pytest.raises(ValueError, match="keep_latest, delete, delete_all"):
            await saver.aprune(["a"], strategy="keep_last")
        assert await _count(saver, "a") == (1, 1)


async def _put(saver: Saver, thread: str) -> None:
    from langgraph.checkpoint.base import empty_checkpoint

    config = await saver.aput(
        {"configurable": {"thread_id": thread, "checkpoint_ns": ""}},
        empty_checkpoint(),
        {"source": "loop", "step": 0, "parents": {}},
        {},
    )
    await saver.aput_writes(config, [("channel", "value")], "task")


async def _count(saver: Saver, thread: str) -> tuple[int, int]:
    """Rows of a thread in both tables."""
    found = []
    for table in ("checkpoints", "writes"):
        async with saver.conn.execute(f"SELECT COUNT(*) FROM {table} WHERE thread_id=?", (thread,)) as rows:
            found.append(next(iter(await rows.fetchall()))[0])
    return found[0], found[1]
