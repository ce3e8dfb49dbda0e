"""What the engine itself costs a step: 300 steps of 3 kB each in one stage, with a durable checkpoint after each.

The engineer answers at once, so all that is measured is ours and LangGraph's: the loop, the checkpoints, the ledger,
the table of runs. Printed: the median time of a step, that of the last tenth against the first, and the size of the
database after closing.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import Figure

STEPS = 300
KILOBYTES = 3


class Timed:
    """An engineer that calls one tool with 3 kB and notes when it was asked."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def think(self, stage: Any, bench: Any, transcript: Sequence[Any]) -> Any:
        """The next turn."""
        from langchain_core.messages import AIMessage

        self.asked.append(time.perf_counter())
        number = len(self.asked)
        if number == STEPS:
            arguments: dict[str, Any] = {"reason": "measured"}
            return AIMessage("", tool_calls=[{"name": "give_up", "args": arguments, "id": "end"}])
        arguments = {"text": f"{number}:" + "x" * (KILOBYTES * 1000 - 100)}
        return AIMessage("", tool_calls=[{"name": "note", "args": arguments, "id": f"c{number}"}])


async def run(home: Path) -> tuple[list[float], int]:
    """Seconds of each step, and the bytes of the database after closing."""
    os.environ["TRAINWRIGHT_HOME"] = str(home)
    from langgraph.graph import END, START, StateGraph
    from pydantic import BaseModel

    from trainwright.engineers.protocol import Stage
    from trainwright.graph.checkpoint import open_checkpointer
    from trainwright.graph.stage import make_stage
    from trainwright.graph.state import PaperBrief, Request, Settings, State
    from trainwright.graph.workflow import Input, open_run
    from trainwright.tools.toolbox import Tool

    class Note(BaseModel):
        text: str

    engineer = Timed()
    tool = Tool("note", "Keep a text.", Note, lambda bench, note: "kept")
    stage = Stage("read_paper", "brief", PaperBrief, lambda bench, brief: brief, (tool,))
    graph = StateGraph(State, input_schema=Input, context_schema=Settings)
    graph.add_node("read_paper", make_stage(stage, lambda _: engineer, opener=open_run))
    graph.add_edge(START, "read_paper")
    graph.add_edge("read_paper", END)
    config: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 10_000}
    async with open_checkpointer() as checkpointer:
        compiled = graph.compile(checkpointer=checkpointer)
        settings = Settings(step_cap=STEPS)
        await compiled.ainvoke(Input(request=Request(goal="measure")), config, context=settings, durability="sync")
    times = [after - before for before, after in zip(engineer.asked, engineer.asked[1:], strict=False)]
    return times, (home / "runs.db").stat().st_size


def measure() -> list[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as folder:
        times, size = asyncio.run(run(Path(folder)))
    tenth = len(times) // 10
    first, last = statistics.median(times[5 : tenth + 5]), statistics.median(times[-tenth:])
    command = "python -m benchmarks engine"
    return [
        Figure("a step of 3 kB, median of 300", "10 ms", f"{statistics.median(times) * 1000:.1f} ms", command),
        Figure("the last tenth against the first", "flat", f"{last / first:.2f} times", command),
        Figure("checkpoint file after 300 steps", "10 MB", f"{size / 2**20:.1f} MB", command),
    ]
