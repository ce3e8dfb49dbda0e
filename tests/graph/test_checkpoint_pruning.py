"""Pruning, copying and deleting threads whose transcripts are delta channels, with the real stage around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.types import Command

from trainwright.graph.checkpoint import Saver, open_checkpointer
from trainwright.graph.settings import database_path
from trainwright.graph.state import Request, Settings, State

from .scripted import FINISH, Desk, Scripted, call, one_stage, says

GOAL = {"request": Request(goal="a goal")}
YES = Command(resume={"decisions": [{"type": "approve"}]})


def config(thread: str) -> Any:
    """Where a thread is."""
    return {"configurable": {"thread_id": thread}, "recursion_limit": 10_000}


def turns(notes: int) -> list[AIMessage]:
    """So many notes, then a call that a person must approve, then the end."""
    written = [says(call("note", {"text": f"note {number}"}, f"n{number}")) for number in range(notes)]
    return [*written, says(call("act", {"text": "asked"}, "asked")), FINISH]


class Waiting:
    """A run that waits for a person in the middle of its stage."""

    def __init__(self, saver: Saver, notes: int) -> None:
        self.saver, self.notes = saver, notes
        self.engineer = Scripted(turns(notes))
        self.graph = one_stage(self.engineer, Desk(), saver)

    async def begin(self, thread: str = "t") -> None:
        """Run until it waits."""
        await self.graph.ainvoke(GOAL, config(thread), context=Settings(), durability="sync")
        assert (await self.graph.aget_state(config(thread))).interrupts

    async def go_on(self, thread: str = "t") -> State:
        """Say yes, and run to the end."""
        await self.graph.ainvoke(YES, config(thread), context=Settings(), durability="sync")
        return State.model_validate((await self.graph.aget_state(config(thread))).values)

    def last_heard(self) -> list[str]:
        """The transcript that the engineer had at its last turn, as the kinds of its messages."""
        return [message.type for message in self.engineer.heard[-1]]

    def whole(self) -> list[str]:
        """What it has to have."""
        return ["human", *["ai", "tool"] * (self.notes + 1)]

    async def rows(self, thread: str = "t") -> dict[str, int]:
        """Checkpoints by the name of the stage; the graph's own under an empty name."""
        sql = "SELECT checkpoint_ns, COUNT(*) FROM checkpoints WHERE thread_id=? GROUP BY checkpoint_ns"
        async with self.saver.conn.execute(sql, (thread,)) as found:
            return {name.partition(":")[0]: count async for name, count in found}


@pytest.fixture
async def saver() -> AsyncIterator[Saver]:
    async with open_checkpointer() as opened:
        yield opened


async def keep_only_the_last(saver: Saver, thread: str) -> None:
    """The rule that stands to reason, and that is wrong where there are delta channels."""
    for table in ("checkpoints", "writes"):
        await saver.conn.execute(
            f"DELETE FROM {table} WHERE thread_id=?1 AND checkpoint_id NOT IN (SELECT MAX(checkpoint_id) "
            "FROM checkpoints WHERE thread_id=?1 GROUP BY checkpoint_ns)",
            (thread,),
        )
    await saver.conn.commit()


async def test_keeping_only_the_last_checkpoint_would_lose_the_transcript_without_an_error(saver: Saver) -> None:
    run = Waiting(saver, notes=5)
    await run.begin()
    await keep_only_the_last(saver, "t")
    nested = (await run.graph.aget_state(config("t"), subgraphs=True)).tasks[0].state
    assert nested is not None
    assert len(nested.values["transcript"]) < len(run.whole()), "or our own rule has no reason to be there"


async def test_a_pruned_run_goes_on_with_its_whole_transcript(saver: Saver) -> None:
    run = Waiting(saver, notes=5)
    await run.begin()
    before = await run.rows()
    await saver.aprune(["t"])
    after = await run.rows()
    assert after[""] == 1 < before[""]
    assert 1 < after["read_paper"] < before["read_paper"]
    state = await run.go_on()
    assert run.last_heard() == run.whole()
    assert (state.steps, state.brief is not None) == (7, True)


async def test_pruning_twice_is_pruning_once(saver: Saver) -> None:
    run = Waiting(saver, notes=3)
    await run.begin()
    await saver.aprune(["t"])
    once = await run.rows()
    await saver.aprune(["t"])
    assert await run.rows() == once
    await run.go_on()
    assert run.last_heard() == run.whole()


async def test_a_copy_waits_as_the_original_does_and_both_go_on_by_themselves(saver: Saver) -> None:
    run = Waiting(saver, notes=4)
    await run.begin()
    before = await run.rows()
    await saver.acopy_thread("t", "copy")
    assert await run.rows("copy") == before
    assert (await run.go_on("copy")).steps == 6
    assert run.last_heard() == run.whole()
    assert await run.rows() == before, "the original is as it was"
    assert (await run.graph.aget_state(config("t"))).interrupts
    await run.go_on()
    assert run.last_heard() == run.whole()


async def test_deleting_an_earlier_invocation_keeps_what_a_later_one_is_rebuilt_from(saver: Saver) -> None:
    run = Waiting(saver, notes=4)
    run.engineer.turns = [*turns(4)[:-1], *turns(1)[1:]]  # it asks twice
    first, second = ({**config("t"), "run_id": None, "metadata": {"run_id": name}} for name in ("first", "second"))
    await run.graph.ainvoke(GOAL, first, context=Settings(), durability="sync")
    await run.graph.ainvoke(YES, second, context=Settings(), durability="sync")
    assert (await run.graph.aget_state(config("t"))).interrupts
    before = await run.rows()
    await saver.adelete_for_runs(["first"])
    after = await run.rows()
    assert after["read_paper"] < before["read_paper"], "what nobody needs is gone"
    assert (await run.go_on()).steps == 7
    assert run.last_heard() == ["human", *["ai", "tool"] * 6]


async def test_over_500_updates_a_snapshot_cuts_the_chain_and_the_log_stays_short(saver: Saver) -> None:
    largest = 0
    log = Path(f"{database_path()}-wal")
    run = Waiting(saver, notes=285)
    async for _ in run.graph.astream(GOAL, config("t"), context=Settings(), durability="sync", stream_mode="values",
                                     subgraphs=True):  # fmt: skip
        largest = max(largest, log.stat().st_size)
    before = await run.rows()
    assert before["read_paper"] > 550
    assert 0 < largest < 6 * 2**20, f"the write-ahead log grew to {largest:,} bytes"
    await saver.aprune(["t"])
    assert (await run.rows())["read_paper"] < 100, "what lies behind the snapshot is gone"
    state = await run.go_on()
    assert run.last_heard() == run.whole()
    assert state.steps == 287


async def test_the_log_is_short_after_a_run_even_while_another_connection_is_open(saver: Saver) -> None:
    await saver.setup()
    async with open_checkpointer() as other:
        run = Waiting(other, notes=20)
        await run.begin()
        assert Path(f"{database_path()}-wal").stat().st_size > 0
    assert Path(f"{database_path()}-wal").stat().st_size == 0
