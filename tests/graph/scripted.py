"""An engineer that says what a test wrote down, and a small graph around one stage.

The engineer is real in every way but one: what it decides was decided beforehand. The stage, its tools, the limits,
the checkpoints and the table of runs are those of every run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel, ConfigDict

from trainwright.engineers.protocol import Engineer, Stage
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.errors import DataError, Refusal
from trainwright.graph.stage import make_stage
from trainwright.graph.state import PaperBrief, Request, Settings, State
from trainwright.graph.workflow import Compiled, Input, open_run
from trainwright.tools.policy.actions import Action
from trainwright.tools.toolbox import Standing, Tool, Workbench

CONFIG: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 10_000}
GOAL = {"request": Request(goal="a goal")}
Turn = AIMessage | Callable[[Sequence[AnyMessage]], AIMessage]


def call(name: str, arguments: dict[str, Any] | None = None, identity: str = "") -> dict[str, Any]:
    """One tool call."""
    return {"name": name, "args": arguments or {}, "id": identity or f"{name}-1"}


def says(*calls: dict[str, Any], text: str = "") -> AIMessage:
    """An answer with these calls."""
    return AIMessage(text, tool_calls=list(calls))


FINISH = says(call("finish", {"title": "A paper"}))


@dataclass
class Scripted:
    """Takes the written turns one after another, by their number in the transcript, so that a resume goes on."""

    turns: Sequence[Turn]
    heard: list[list[AnyMessage]] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)

    async def think(self, stage: Stage, bench: Workbench, transcript: Sequence[AnyMessage]) -> AIMessage:
        """The next turn."""
        self.heard.append(list(transcript))
        assert bench.standing is not None, "every turn knows what remains"
        self.standings.append(bench.standing)
        number = sum(isinstance(message, AIMessage) for message in transcript)
        turn = self.turns[number]
        return turn(transcript) if callable(turn) else turn


class Note(BaseModel):
    """Arguments of the tools."""

    model_config = ConfigDict(extra="forbid")

    text: str


@dataclass
class Desk:
    """The tools of the stage, and what they were called with."""

    notes: list[str] = field(default_factory=list)

    def note(self, bench: Workbench, wanted: Note) -> str:
        """Keep a text."""
        self.notes.append(wanted.text)
        return f"kept {wanted.text}"

    def refuse(self, bench: Workbench, wanted: Note) -> str:
        """Fail on purpose."""
        raise DataError(f"{wanted.text} cannot be read.", hint="Give another file.")

    def break_down(self, bench: Workbench, wanted: Note) -> str:
        """Fail as a bug does."""
        raise ZeroDivisionError(wanted.text)

    def settle(self, bench: Workbench, brief: PaperBrief) -> PaperBrief:
        """Refuse a paper without pages, and trip over one of 13."""
        if brief.pages == 1:
            raise Refusal("one page is no paper")
        if brief.pages == 13:
            raise ValueError("a bug in the check")
        return brief

    def long(self, bench: Workbench, wanted: Note) -> str:
        """Answer with far too much."""
        return wanted.text[:2] * 100_000

    def would(self, bench: Workbench, wanted: Note) -> list[Action]:
        """What `act` would do."""
        return [Action("act", {"text": wanted.text}, text=f"keep {wanted.text}")]

    def stage(self) -> Stage:
        """A stage with these tools; `act` must be approved."""
        return Stage(
            name="read_paper",
            field="brief",
            finish=PaperBrief,
            settle=self.settle,
            tools=(
                Tool("note", "Keep a text.", Note, self.note),
                Tool("refuse", "Fail.", Note, self.refuse),
                Tool("break", "Fail as a bug does.", Note, self.break_down),
                Tool("long", "Answer at length.", Note, self.long),
                Tool("act", "Keep a text, if a person agrees.", Note, self.note, acts=self.would),
            ),
        )


def one_stage(
    engineer: Scripted,
    desk: Desk,
    checkpointer: BaseCheckpointSaver[Any],
    choose: Callable[[Settings], Engineer] | None = None,
) -> Compiled:
    """The real stage, alone between start and end."""
    graph = StateGraph(State, input_schema=Input, context_schema=Settings)
    graph.add_node("read_paper", make_stage(desk.stage(), choose or (lambda _: engineer), opener=open_run))
    graph.add_edge(START, "read_paper")
    graph.add_edge("read_paper", END)
    return graph.compile(checkpointer=checkpointer)


class Bench:
    """One run of one stage.

    Attributes:
        settings: of each of its invocations, where a test says nothing else.
    """

    def __init__(
        self, graph: Compiled, engineer: Scripted, desk: Desk, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.graph, self.engineer, self.desk, self.settings = graph, engineer, desk, settings or {}

    async def run(self, given: Any = GOAL, **settings: Any) -> State:
        """Invoke the graph and return its state."""
        context = Settings.model_validate({**self.settings, **settings})
        await self.graph.ainvoke(given, CONFIG, context=context, durability="sync")
        return State.model_validate((await self.graph.aget_state(CONFIG)).values)

    async def waits_for(self) -> list[Any]:
        """What the run waits for."""
        return [interrupt.value for interrupt in (await self.graph.aget_state(CONFIG)).interrupts]

    def answers(self, turn: int = -1) -> list[ToolMessage]:
        """The results that the engineer had before one of its turns."""
        return [m for m in self.engineer.heard[turn] if isinstance(m, ToolMessage)]


@asynccontextmanager
async def benches(**settings: Any) -> AsyncIterator[Callable[..., Bench]]:
    """What makes a bench of the turns of its engineer, on checkpoints that are open inside the block."""
    async with open_checkpointer() as checkpointer:

        def make(*turns: Turn) -> Bench:
            engineer, desk = Scripted(turns), Desk()
            return Bench(one_stage(engineer, desk, checkpointer), engineer, desk, settings)

        yield make
