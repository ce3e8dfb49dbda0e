"""Research: several questions at once, each with a helper of its own, as a part of a stage or from Python.

    dispatch → helper, so many at once → dispatch … → answer
               decide → look_up → decide … → conclude; look_up → look_up where a stop came between

`make_research` is the node of a stage. `research` is the same for a program: it needs no run, but has limits of its own
in the ledger, and a run name of its own that no list of runs shows.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from langgraph.errors import GraphBubbleUp
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command
from pydantic import ValidationError

from trainwright.engineers import check_engineer, choose_engineer
from trainwright.engineers.protocol import Engineer
from trainwright.nodes import research_call, research_helper
from trainwright.nodes.research import NAME, ResearchArguments
from trainwright.nodes.think import ANSWER_LIMIT
from trainwright.tools.research import Findings

from .errors import RequestError, RunBusy, StoreError
from .lease import visiting
from .settings import home
from .state import HelperResult, HelperState, ResearchResult, ResearchState, Settings

__all__ = ["make_research", "research", "research_async"]

Compiled = CompiledStateGraph[Any, Any, Any, Any]
Choose = Callable[[Settings], Engineer]


def make_research(choose: Choose) -> Compiled:
    """The subgraph of a call of `research`; the engineer of its helpers is that of the stage."""

    async def dispatch(
        state: ResearchState, runtime: Runtime[Settings]
    ) -> Command[Literal["helper", "answer", "__end__"]]:
        """Send the next questions to helpers."""
        async with visiting(state["run"]):
            try:
                return await asyncio.to_thread(research_call.dispatch, state, runtime.context)
            except (GraphBubbleUp, RunBusy, StoreError):
                raise
            except Exception as error:  # noqa: BLE001 - the boundary, as in think and act
                return await asyncio.to_thread(research_call.not_sent, state, error)

    async def answer(state: ResearchState) -> dict[str, Any]:
        """The findings of all helpers are the one answer to the call."""
        async with visiting(state["run"]):
            try:
                return await asyncio.to_thread(research_call.answer, state)
            except (GraphBubbleUp, RunBusy, StoreError):
                raise
            except Exception as error:  # noqa: BLE001 - the boundary, as in think and act
                return await asyncio.to_thread(research_call.failed, state, error)

    graph = StateGraph(ResearchState, output_schema=ResearchResult, context_schema=Settings)
    graph.add_node("dispatch", dispatch)
    graph.add_node("helper", _make_helper(choose))
    graph.add_node("answer", answer)
    graph.add_edge(START, "dispatch")
    graph.add_edge("helper", "dispatch")
    graph.add_edge("answer", END)
    return graph.compile(name=NAME)


def _make_helper(choose: Choose) -> Compiled:
    """The subgraph of one helper."""

    async def decide(
        state: HelperState, runtime: Runtime[Settings]
    ) -> Command[Literal["decide", "look_up", "conclude"]]:
        """One turn of the helper's engineer."""
        async with visiting(state["run"]):
            return await research_helper.decide(choose, state, runtime.context)

    async def look_up(
        state: HelperState, runtime: Runtime[Settings]
    ) -> Command[Literal["decide", "look_up", "conclude"]]:
        """The calls of one turn."""
        async with visiting(state["run"]):
            return await research_helper.look_up(state, runtime.context)

    async def conclude(state: HelperState) -> dict[str, Any]:
        """What was found, or why nothing was."""
        async with visiting(state["run"]):
            return await asyncio.to_thread(research_helper.conclude, state)

    graph = StateGraph(HelperState, output_schema=HelperResult, context_schema=Settings)
    graph.add_node("decide", decide)
    graph.add_node("look_up", look_up)
    graph.add_node("conclude", conclude)
    graph.add_edge(START, "decide")
    graph.add_edge("conclude", END)
    return graph.compile(name="helper")


def research(
    questions: Sequence[str], settings: Settings | None = None, *, context: str = "", choose: Choose = choose_engineer
) -> Findings:
    """Find out about one to six questions at once, outside a run.

    Args:
        questions: each gets a helper of its own.
        settings: whose engineer, limits and `offline` hold; the limits of a run hold for all helpers together.
        context: what every helper must know.
        choose: the engineer for the settings.

    Raises:
        RequestError: there is no question, or too many; or the engineer cannot be there.
    """
    return asyncio.run(research_async(questions, settings, context=context, choose=choose))


async def research_async(
    questions: Sequence[str], settings: Settings | None = None, *, context: str = "", choose: Choose = choose_engineer
) -> Findings:
    """`research` for a program that has an event loop already."""
    settings = settings or Settings()
    try:
        wanted = ResearchArguments.model_validate({"questions": list(questions), "context": context})
    except ValidationError as error:
        raise RequestError(
            f"This cannot be researched: {error.errors()[0]['msg']}.",
            hint="Give one to six questions, each in a sentence.",
        ) from error
    check_engineer(settings)
    run = f"research-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    given: ResearchState = {
        "run": run, "inputs": "", "stage": NAME, "settings": settings, "steps": 0,
        "limit": getattr(choose(settings), "answer_limit", ANSWER_LIMIT),
        "call": {"id": "call", "name": NAME, "args": wanted.model_dump()},
    }  # fmt: skip
    done = await make_research(choose).ainvoke(given, {"recursion_limit": 10_000}, context=settings)
    message = done["transcript"][-1]
    if message.status == "error":
        raise RequestError(json.loads(message.content)["error"])
    file = home() / "research" / run / json.loads(message.content)["file"]
    found = Findings.model_validate_json(file.read_text(encoding="utf-8"))
    return found.model_copy(update={"file": str(file), "notes": [*found.notes, *done.get("remarks", [])]})
