"""One stage of the real graph with a model on loopback as its engineer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph

from tests.graph.scripted import Desk
from trainwright import engineers
from trainwright.engineers import choose_engineer, model_errors, turn
from trainwright.engineers.protocol import Stage
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.ledger import Ledger
from trainwright.graph.stage import make_stage
from trainwright.graph.state import Request, Settings, State
from trainwright.graph.workflow import Input, open_run

from . import Reply
from .server import ModelServer, Script

CONFIG: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 10_000}


@dataclass
class Asking:
    """One stage whose engineer is a model on loopback.

    Attributes:
        server: the model.
        events: what the stage told.
        desk: the tools of the stage.
    """

    server: ModelServer
    graph: Any
    desk: Desk
    events: list[dict[str, Any]] = field(default_factory=list)

    async def run(self, given: Any = None, *, protocol: str = "openai", **settings: Any) -> State:
        """Run the stage to its end; its state."""
        base = self.server.openai if protocol == "openai" else self.server.url
        name = "openai/test" if protocol == "openai" else "anthropic/claude-test"
        context = Settings.model_validate({"engineer": name, "base_url": base, **settings})
        start = given if given is not None else {"request": Request(goal="a goal")}
        stream = self.graph.astream(
            start, CONFIG, context=context, stream_mode="custom", subgraphs=True, durability="sync"
        )
        async for _, event in stream:
            self.events.append(event)
        return State.model_validate((await self.graph.aget_state(CONFIG)).values)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [event for event in self.events if event["event"] == kind]

    def spent(self) -> dict[str, int]:
        """What the ledger holds of the run, by resource."""
        table = Ledger().table(self.events[0]["run"])
        return table.get("read_paper", {})


@pytest.fixture
async def asking() -> AsyncIterator[Any]:
    """`asking(script)`: a stage that asks a server with this script."""
    servers: list[ModelServer] = []
    async with open_checkpointer() as checkpointer:

        def make(script: Script | Sequence[Reply], stage: Stage | None = None, **more: Any) -> Asking:
            server = ModelServer(script, **more)
            server.__enter__()
            servers.append(server)
            desk = Desk()
            graph = StateGraph(State, input_schema=Input, context_schema=Settings)
            graph.add_node("read_paper", make_stage(stage or desk.stage(), choose_engineer, opener=open_run))
            graph.add_edge(START, "read_paper")
            graph.add_edge("read_paper", END)
            return Asking(server, graph.compile(checkpointer=checkpointer), desk)

        yield make
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def fresh_engineers() -> None:
    """No engineer of another test, which would still know the address of that test's server."""
    engineers._model_engineer.cache_clear()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the engineer would have waited; here it does not."""
    waited: list[float] = []

    def none(trouble: model_errors.Trouble, failed: int) -> float:
        waited.append(model_errors.wait_before(trouble, failed))
        return 0.0

    monkeypatch.setattr(turn, "wait_before", none)
    return waited
