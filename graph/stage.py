"""The factory of stages: prepare → think → (approve_tools) → act → think … → conclude.

A stage is a compiled subgraph around one `Stage` record and one engineer. `prepare` writes down what is known,
`think` takes one turn of the engineer, `act` runs one tool call, `conclude` hands the artifact back; a stage always
ends by `conclude`, also in trouble, so that no count is lost.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from langchain_core.messages import HumanMessage, messages_from_dict, messages_to_dict
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Overwrite

from trainwright.engineers.protocol import Engineer, Stage
from trainwright.nodes.act import act
from trainwright.nodes.approve_tools import approve_tools
from trainwright.nodes.boundary import emit, failure
from trainwright.nodes.offered import offer
from trainwright.nodes.research import NAME as RESEARCH
from trainwright.nodes.think import ANSWER_LIMIT, think, write_json
from trainwright.prompts import known as known_to
from trainwright.tools.toolbox import Workbench

from .errors import RunBusy
from .lease import visiting
from .research import make_research
from .runs import open_runs
from .settings import run_path
from .state import Settings, StageResult, StageState, Status
from .tellings import of_run

__all__ = ["make_stage"]

Opener = Callable[[StageState, Runtime[Settings], RunnableConfig], Awaitable[dict[str, Any]]]
LIMITS = (Status.STEP_LIMIT, Status.BUDGET_LIMIT, Status.DEADLINE)


def make_stage(
    stage: Stage, choose: Callable[[Settings], Engineer], opener: Opener | None = None
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The subgraph of one stage.

    Args:
        stage: what it delivers and with which tools.
        choose: the engineer for the run's settings.
        opener: for the first stage of the graph: opens the run and returns what it adds to the state.
    """

    async def prepare(state: StageState, runtime: Runtime[Settings], config: RunnableConfig) -> dict[str, Any]:
        """Write down what is known, and begin the transcript, or take up the one that a limit stopped."""
        opened = await opener(state, runtime, config) if opener else {}
        known: StageState = {**state, **opened}  # type: ignore[typeddict-item]
        try:
            async with visiting(known["run"]):
                return {**opened, **await asyncio.to_thread(_prepare, stage, known)}
        except (GraphBubbleUp, RunBusy):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary, as in think and act
            return {**opened, "failures": [failure(error, stage.name)]}

    async def think_node(
        state: StageState, runtime: Runtime[Settings]
    ) -> Command[Literal["act", "approve_tools", "think", "conclude"]]:
        """One turn of the engineer."""
        async with visiting(state["run"]):
            return await think(stage, choose, state, runtime.context)

    async def approve_tools_node(state: StageState) -> Command[Literal["act", "think", "approve_tools"]]:
        """A person approves, edits, rejects or answers the calls of one answer that need it."""
        try:
            limit = getattr(choose(state["settings"]), "answer_limit", ANSWER_LIMIT)
            async with visiting(state["run"]):
                return await asyncio.to_thread(approve_tools, stage, state, limit)
        except (GraphBubbleUp, RunBusy):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary, as in act
            return Command(goto="think", update={"failures": [failure(error, stage.name)]})

    async def act_node(state: dict[str, Any]) -> Command[Literal["think", "conclude"]]:
        """One tool call."""
        async with visiting(state["run"]):
            return await act(stage, state)

    async def conclude(state: StageState) -> dict[str, Any]:
        """Hand over the artifact, the question, or the reason why there is none."""
        try:
            async with visiting(state["run"]):
                return await asyncio.to_thread(_conclude, stage, state)
        except RunBusy:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary, as in think and act
            kept = {"steps": state["steps"], "settings": state["settings"], "approvals": state.get("decided", [])}
            kept["notes"] = state.get("remarks", [])
            return {**kept, **failure(error, stage.name)}

    graph = StateGraph(StageState, output_schema=StageResult, context_schema=Settings)
    graph.add_node("prepare", prepare)  # type: ignore[arg-type]  # both runtime and config are injected
    further = (RESEARCH,) if stage.tool(RESEARCH) is not None else ()
    graph.add_node("think", think_node, destinations=("act", "approve_tools", "think", "conclude", *further))
    graph.add_node("approve_tools", approve_tools_node, destinations=("act", "think", "approve_tools", *further))
    graph.add_node("act", act_node)
    graph.add_node("conclude", conclude)
    if further:
        graph.add_node(RESEARCH, make_research(choose))
        graph.add_edge(RESEARCH, "think")
    graph.add_edge(START, "prepare")
    graph.add_edge("prepare", "think")
    graph.add_edge("conclude", END)
    return graph.compile(name=stage.name)


def _prepare(stage: Stage, state: StageState) -> dict[str, Any]:
    run = state["run"]
    bench = Workbench(
        run=run,
        stage=stage.name,
        said=[telling.text for telling in of_run(run) if telling.id <= state.get("told", 0)],
        **{key: state[key] for key in Workbench.model_fields if key in state and key != "run"},  # type: ignore[literal-required]
    )
    inputs = f"stages/{stage.name}-{bench.attempt}-{bench.repairs}.json"
    write_json(bench.folder / inputs, bench.model_dump(mode="json"))
    open_runs().update(run, stage=stage.name, status="running", waiting=None)
    emit("node", run, node=stage.name, phase="start", attempt=bench.attempt)
    notes = offer(stage, bench)
    for note in notes:
        emit("note", run, text=note)
    transcript = _carried(stage, state)
    if not transcript:
        transcript = [HumanMessage(known_to(stage.name, bench))]
        if stage.begin is not None:
            stage.begin(bench)
    begun = {"inputs": inputs, "transcript": Overwrite(transcript), "reminders": 0, "carry": "", "stopped_at": ""}
    return {**begun, "remarks": notes} if notes else begun


def _carried(stage: Stage, state: StageState) -> list[Any]:
    """The transcript of this stage that a limit or its model stopped, or nothing."""
    carry = state.get("carry", "")
    if not carry or state.get("stopped_at") != stage.name:
        return []
    return messages_from_dict(json.loads((run_path(state["run"]) / carry).read_text(encoding="utf-8")))


def _conclude(stage: Stage, state: StageState) -> dict[str, Any]:
    run, status, attempt = state["run"], state.get("status", Status.RUNNING), state.get("attempt", 1)
    result: dict[str, Any] = {"steps": state["steps"], "status": status, "reason": state.get("reason", "")}
    result["settings"] = state["settings"]
    result["told"] = state.get("told", 0)
    result["approvals"] = state.get("decided", [])
    result["notes"] = state.get("remarks", [])
    emit("node", run, node=stage.name, phase="end", attempt=attempt, steps=state["steps"])
    if status in LIMITS or state.get("keep"):
        carry = f"stages/{stage.name}-carry.json"
        write_json(run_path(run) / carry, messages_to_dict(state.get("transcript", [])))
        return {**result, "carry": carry, "stopped_at": stage.name, "question": state.get("question")}
    if inputs := state.get("inputs"):
        transcript = run_path(run) / inputs.replace(".json", "-transcript.json")
        write_json(transcript, messages_to_dict(state.get("transcript", [])))
    if status != Status.RUNNING:
        return {**result, "stopped_at": stage.name}
    if state.get("question") is not None:
        return {**result, "question": state["question"]}
    artifact = state.get(stage.field)
    if artifact is None:  # what is known contradicts the plan; what an earlier attempt delivered stays
        return {**result, "feedback": state.get("feedback", ""), "contradicted": True, "question": None}
    return {**result, stage.field: artifact, "feedback": "", "contradicted": False, "question": None}
