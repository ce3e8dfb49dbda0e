"""`python -m tests.runs.racing`: a process with everything loaded, which gives birth to the processes of a race.

It reads one JSON object a line: `run`; `do` (`start`, `resume` or `visit`: the graph invoked as a server does it); `out`,
the file for what becomes of it; and the files `gate`, a named pipe that is waited for, and `told`, without which no
engineer takes a turn. Each is done by a child of its own, made by a fork: a race between processes that first have to
load the program is no race.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from trainwright.engineers.recipes import RecipesEngineer
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.driver import resume, start
from trainwright.graph.errors import TrainwrightError
from trainwright.graph.reentry import config_of
from trainwright.graph.runs import open_runs
from trainwright.graph.state import Request, Settings
from trainwright.graph.workflow import build_graph

GOAL = "Tell the wines apart with an RBF support vector machine with C=10 and gamma=0.05"


async def begin(run: str) -> str:
    """A run that is killed in its first turn."""
    async for event in start(Request(goal=GOAL, data="sklearn:wine", name=run), Settings()):
        if event["event"] == "turn":
            os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it was to be killed")


async def go_on(run: str) -> str:
    """As the terminal does it."""
    last: dict[str, Any] = {}
    async for event in resume(run):
        last = event
    return str(last["status"])


async def visit(run: str) -> str:
    """As a server does it: the graph is invoked, and nobody holds the lease but its nodes."""
    row = open_runs().get(run)
    async with open_checkpointer() as checkpointer:
        graph = build_graph(checkpointer)
        await graph.ainvoke(None, config_of(row.thread_id), context=Settings())
    return open_runs().get(run).status


DO = {"start": begin, "resume": go_on, "visit": visit}


def born(order: dict[str, str]) -> None:
    """What a child does."""
    whole = RecipesEngineer._think

    def held_up(self: Any, *given: Any) -> Any:
        while order["told"] and not Path(order["told"]).exists():
            time.sleep(0.005)
        return whole(self, *given)

    RecipesEngineer._think = held_up  # type: ignore[method-assign]
    if order["gate"]:
        gate = os.open(order["gate"], os.O_RDWR)
        Path(order["out"] + ".ready").touch()
        os.read(gate, 1)
    try:
        told = {"ended": asyncio.run(DO[order["do"]](order["run"]))}
    except TrainwrightError as error:
        told = {"error": type(error).__name__, "message": error.message}
    part = Path(order["out"] + ".part")
    part.write_text(json.dumps({"pid": os.getpid(), **told}))
    part.rename(order["out"])


def main() -> None:
    """Serve until the end of the input."""
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                born(order)
            finally:
                os._exit(0)
        if order["do"] == "start":
            os.waitpid(child, 0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
