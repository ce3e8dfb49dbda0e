"""A stage that may ask helpers, whose engineer and helpers say what a test wrote down; their one lookup is `look`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import RunControl
from pydantic import BaseModel, ConfigDict

from tests.graph.scripted import CONFIG, Desk, call, says
from trainwright.engineers.protocol import Stage
from trainwright.graph.ledger import Ledger
from trainwright.graph.stage import make_stage
from trainwright.graph.state import Request, Settings, State
from trainwright.graph.workflow import Input, open_run
from trainwright.nodes.research import RESEARCH, _settled
from trainwright.tools.policy.actions import Action
from trainwright.tools.research import Report
from trainwright.tools.research.bench import HelperBench
from trainwright.tools.toolbox import Tool, Workbench

Helper = Callable[[HelperBench, Sequence[AnyMessage], int], AIMessage]


class Look(BaseModel):
    """What is looked up."""

    model_config = ConfigDict(extra="forbid")

    id: str


@dataclass
class Library:
    """What can be looked up: texts by their id."""

    texts: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    together: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    meet: threading.Barrier | None = None

    def look(self, _: Workbench, wanted: Look) -> dict[str, Any]:
        """The text of that id."""
        with self._lock:
            self.asked.append(wanted.id)
            self._now += 1
            self.together = max(self.together, self._now)
        try:
            if self.meet is not None:
                self.meet.wait(10)
            return {"id": wanted.id, "text": self.texts[wanted.id]}
        finally:
            with self._lock:
                self._now -= 1

    def visit(self, bench: Workbench, wanted: Look) -> list[Action]:
        """A page of the web can be anybody's."""
        return [Action("web_fetch", {"url": wanted.id}, text=f"fetch {wanted.id}")]

    def stage(self) -> Stage:
        """The stage of a helper."""
        tools = (
            Tool("look", "Look something up.", Look, self.look),
            Tool("web", "Fetch a page.", Look, self.look, acts=self.visit),
        )
        return Stage(name="research", field="report", finish=Report, settle=_settled, tools=tools)


def report(text: str = "It is so.", source: str = "doc-a", quote: str = "", status: str = "answered") -> AIMessage:
    """A report with one claim, or with none."""
    claims = [{"text": text, "evidence": [{"source": source, "quote": quote}]}] if quote else []
    return says(call("finish", {"status": status, "summary": text, "claims": claims}, "finish"))


def looks(*ids: str) -> AIMessage:
    """A turn that looks these up."""
    return says(*(call("look", {"id": one}, f"look-{number}") for number, one in enumerate(ids)))


def asks(*questions: str, identity: str = "r-1", **more: Any) -> dict[str, Any]:
    """A call of research."""
    return call("research", {"questions": list(questions), **more}, identity)


@dataclass
class Team:
    """The engineer of a stage, and those of its helpers."""

    turns: Sequence[AIMessage]
    helper: Helper
    heard: list[list[AnyMessage]] = field(default_factory=list)
    helped: list[str] = field(default_factory=list)
    benches: list[HelperBench] = field(default_factory=list)

    async def think(self, stage: Stage, bench: Workbench, transcript: Sequence[AnyMessage]) -> AIMessage:
        """The next turn."""
        if isinstance(bench, HelperBench):
            self.helped.append(bench.question)
            self.benches.append(bench)
            turn = sum(isinstance(message, AIMessage) for message in transcript)
            return await asyncio.to_thread(self.helper, bench, transcript, turn)
        self.heard.append(list(transcript))
        return self.turns[sum(isinstance(message, AIMessage) for message in transcript)]

    def answers(self) -> list[ToolMessage]:
        """What the engineer of the stage was answered before its last turn."""
        return [m for m in self.heard[-1] if isinstance(m, ToolMessage)]


def graph_of(team: Team, checkpointer: Any) -> Any:
    """The real stage, alone between start and end."""
    stage = Desk().stage()
    stage = replace(stage, tools=(*stage.tools, RESEARCH))
    graph = StateGraph(State, input_schema=Input, context_schema=Settings)
    graph.add_node("read_paper", make_stage(stage, lambda _: team, opener=open_run))
    graph.add_edge(START, "read_paper")
    graph.add_edge("read_paper", END)
    return graph.compile(checkpointer=checkpointer)


async def run(
    team: Team, checkpointer: Any, given: Any = "begin", control: RunControl | None = None, **settings: Any
) -> tuple[State, list[dict[str, Any]]]:
    """Run the stage to its end; its state and what it told."""
    context = Settings.model_validate(settings)
    events: list[dict[str, Any]] = []
    graph = graph_of(team, checkpointer)
    start = {"request": Request(goal="a goal")} if given == "begin" else given
    stream = graph.astream(
        start, CONFIG, context=context, stream_mode="custom", subgraphs=True, durability="sync", control=control
    )
    async for _, event in stream:
        events.append(event)
    return State.model_validate((await graph.aget_state(CONFIG)).values), events


def steps_of(run: str) -> int:
    """Turns in the ledger."""
    return Ledger().total(run, "steps")
