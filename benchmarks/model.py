"""What a step costs with a model as the engineer: 300 steps of 3 kB, streamed, with a durable checkpoint after each.

The model is the tests' scripted server in a process of its own, so that what is measured is the program's own time:
from the last byte of an answer to the next request, as the server sees it. That is litellm, LangGraph, the checkpoint,
the ledger and ours together. The program runs in a process of its own too, whose memory is read at each step.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import Figure

STEPS = 300
PIECES = (100, 4_000)
"""Characters in one event of the stream: about 30 events an answer, and one."""
KILOBYTES = 3
COMMAND = "python -m benchmarks model"


async def run(url: str, home: Path) -> dict[str, Any]:
    """Take the steps; the memory at each of them, the seconds of litellm's import and of all before the first call."""
    started = time.monotonic()
    os.environ["TRAINWRIGHT_HOME"] = str(home)
    import psutil
    from langgraph.graph import END, START, StateGraph
    from pydantic import BaseModel

    from trainwright.engineers import choose_engineer, providers
    from trainwright.engineers.protocol import Stage
    from trainwright.graph.checkpoint import open_checkpointer
    from trainwright.graph.stage import make_stage
    from trainwright.graph.state import PaperBrief, Request, Settings, State
    from trainwright.graph.workflow import Input, open_run
    from trainwright.tools.toolbox import Tool

    class Note(BaseModel):
        text: str

    process, memory = psutil.Process(), []
    imported = 0.0
    load = providers.load_litellm

    def timed() -> Any:
        nonlocal imported
        begun = time.monotonic()
        litellm = load()
        imported = imported or time.monotonic() - begun
        return litellm

    providers.load_litellm = timed

    def note(bench: Any, wanted: Note) -> str:
        memory.append(process.memory_info().rss)
        return "kept"

    stage = Stage("read_paper", "brief", PaperBrief, lambda _, brief: brief, (Tool("note", "Keep.", Note, note),))
    graph = StateGraph(State, input_schema=Input, context_schema=Settings)
    graph.add_node("read_paper", make_stage(stage, choose_engineer, opener=open_run))
    graph.add_edge(START, "read_paper")
    graph.add_edge("read_paper", END)
    config: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 10_000}
    settings = Settings(engineer="openai/test", base_url=f"{url}/v1", step_cap=STEPS)
    first = 0.0
    async with open_checkpointer() as checkpointer:
        compiled = graph.compile(checkpointer=checkpointer)
        stream = compiled.astream(
            Input(request=Request(goal="measure")),
            config,
            context=settings,
            stream_mode="custom",
            subgraphs=True,
            durability="sync",
        )
        async for _, event in stream:
            if event["event"] == "call" and not first:
                first = time.monotonic() - started
    size = (home / "runs.db").stat().st_size
    return {"memory": memory, "first": first, "imported": imported, "database": size}


def _program(url: str, folder: Path) -> dict[str, Any]:
    """`run` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.model", url, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure() -> list[Figure]:
    """The figures."""
    return [figure for piece in PIECES for figure in _measured(piece)]


def _measured(piece: int) -> list[Figure]:
    """The figures with answers in events of so many characters; of the second and further, the time alone."""
    serve = [sys.executable, "-m", "tests.models.server", "--replies", str(STEPS + 5), "--size", str(KILOBYTES * 1000)]
    serve += ["--piece", str(piece)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        program = _program(url, Path(folder))
        server.send_signal(signal.SIGTERM)
        seen = json.loads(server.stdout.read().splitlines()[-1])
    events = f"in {max(1, KILOBYTES * 1000 // piece)} event{'s' if piece < KILOBYTES * 1000 else ''}"
    own = seen["own_ms"]
    tenth = len(own) // 10
    first, last = statistics.median(own[5 : tenth + 5]), statistics.median(own[-tenth:])
    times = [
        Figure(f"model: own time a step of 3 kB {events}", "40 ms", f"{statistics.median(own):.1f} ms", COMMAND),
        Figure(f"model: the last tenth against the first, {events}", "1.2 times", f"{last / first:.2f} times", COMMAND),
    ]
    return times if piece != PIECES[0] else [*times, *figures(program, seen["sizes"])]


def figures(program: dict[str, Any], sizes: Sequence[int]) -> list[Figure]:
    """Memory, disk, start and size, from what program and server measured."""
    memory = [value / 2**20 for value in program["memory"]]
    grown = max(memory[30:]) - memory[30]
    mean = statistics.mean(sizes) / 1000
    before = program["first"] - program["imported"]
    return [
        Figure("model: memory, step 30 to 300", "15 MB", f"{grown:+.1f} MB", COMMAND),
        Figure("model: memory in all", "320 MB", f"{max(memory):.0f} MB", COMMAND),
        Figure("model: checkpoint file after closing", "10 MB", f"{program['database'] / 2**20:.1f} MB", COMMAND),
        Figure(
            "model: start to first request, besides litellm's import",
            "2 s",
            f"{before:.2f} s (the import {program['imported']:.2f} s)",
            COMMAND,
        ),
        Figure("model: bytes sent a call, mean", "96 kB", f"{mean:.1f} kB", COMMAND),
    ]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(sys.argv[1], Path(sys.argv[2])))))
