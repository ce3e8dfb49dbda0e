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

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage, messages_from_dict, messages_to_dict
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Overwrite, interrupt
from pydantic import ValidationError

from trainwright.engineers.protocol import Engineer, Stage
from trainwright.nodes.act import act
from trainwright.nodes.boundary import emit, failure, with_limits
from trainwright.nodes.gate import approval, review
from trainwright.nodes.think import needs_person, open_calls, send_calls, think, write_json
from trainwright.prompts import known as known_to
from trainwright.tools.toolbox import Workbench

from .runs import open_runs
from .settings import run_path
from .state import Decisions, Settings, StageResult, StageState, Status
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
            return {**opened, **await asyncio.to_thread(_prepare, stage, known)}
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary, as in think and act
            return {**opened, "failures": [failure(error, stage.name)]}

    async def think_node(
        state: StageState, runtime: Runtime[Settings]
    ) -> Command[Literal["act", "approve_tools", "think", "conclude"]]:
        """One turn of the engineer."""
        return await think(stage, choose(with_limits(state["settings"], runtime.context)), state, runtime.context)

    async def approve_tools(state: StageState) -> Command[Literal["act", "think", "approve_tools"]]:
        """A person approves, edits or rejects the calls of one answer that need it."""
        return await asyncio.to_thread(_approve_tools, stage, state)

    async def act_node(state: dict[str, Any]) -> Command[Literal["think", "conclude"]]:
        """One tool call."""
        return await act(stage, state)

    async def conclude(state: StageState) -> dict[str, Any]:
        """Hand over the artifact, the question, or the reason why there is none."""
        try:
            return await asyncio.to_thread(_conclude, stage, state)
        except Exception as error:  # noqa: BLE001 - the boundary, as in think and act
            kept = {"steps": state["steps"], "settings": state["settings"], "approvals": state.get("decided", [])}
            kept["notes"] = state.get("remarks", [])
            return {**kept, **failure(error, stage.name)}

    graph = StateGraph(StageState, output_schema=StageResult, context_schema=Settings)
    graph.add_node("prepare", prepare)  # type: ignore[call-overload]  # both runtime and config are injected
    graph.add_node("think", think_node)
    graph.add_node("approve_tools", approve_tools)
    graph.add_node("act", act_node)
    graph.add_node("conclude", conclude)
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
    transcript = _carried(stage, state)
    if not transcript:
        transcript = [HumanMessage(known_to(stage.name, bench))]
        if stage.begin is not None:
            stage.begin(bench)
    return {"inputs": inputs, "transcript": Overwrite(transcript), "reminders": 0, "carry": "", "stopped_at": ""}


def _carried(stage: Stage, state: StageState) -> list[Any]:
    """The transcript of this stage that a limit or its model stopped, or nothing."""
    carry = state.get("carry", "")
    if not carry or state.get("stopped_at") != stage.name:
        return []
    return messages_from_dict(json.loads((run_path(state["run"]) / carry).read_text(encoding="utf-8")))


def _approve_tools(stage: Stage, state: StageState) -> Command[Any]:
    answer = next(m for m in reversed(state["transcript"]) if isinstance(m, AIMessage))
    made = open_calls(answer)
    answered = {m.tool_call_id for m in state["transcript"] if isinstance(m, ToolMessage)}
    calls = [call for call in made if call["id"] not in answered]
    asking = [call for call in calls if needs_person(stage, call)]
    card = {"calls": [{"name": c["name"], "args": c["args"]} for c in asking]}
    actions = [(c["name"], c["args"], f"{stage.name} wants to call {c['name']}.") for c in asking]
    run, settings = state["run"], state["settings"]
    if settings.approvals == "auto":
        done = approval("approve_tools", "approve", "rule", card)
        return Command(goto=send_calls(state, calls, alone=len(made) == 1), update={"decided": [done]})
    open_runs().update(run, status="waiting", waiting={"gate": "approve_tools", "card": card, "text": actions[0][2]})
    try:
        answer_given = interrupt(review(actions, ["approve", "edit", "reject"]), response_schema=Decisions)
    except ValidationError as error:
        emit("note", run, text=f"The answer could not be used: {error.errors()[0]['msg']}")
        return Command(goto="approve_tools")
    decisions = answer_given.decisions
    if len(decisions) != len(asking):
        emit("note", run, text=f"{len(asking)} decisions are needed, {len(decisions)} were given.")
        return Command(goto="approve_tools")
    refused, allowed = [], [c for c in calls if c not in asking]
    records = []
    for call, decision in zip(asking, decisions, strict=True):
        records.append(approval("approve_tools", decision.type, "person", card, decision.message))
        if decision.type in ("reject", "respond"):
            text = f"A person refused this call: {decision.message or 'no reason given'}"
            refused.append(ToolMessage(text, tool_call_id=call["id"], name=call["name"], status="error"))
        elif decision.type == "edit" and decision.edited_action:
            allowed.append({**call, "args": decision.edited_action.get("args", call["args"])})
        else:
            allowed.append(call)
    update = {"decided": records, "transcript": refused}
    return Command(goto=send_calls(state, allowed, alone=len(made) == 1) or "think", update=update)


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
    feedback = "" if artifact is not None else state.get("feedback", "")
    return {**result, stage.field: artifact, "feedback": feedback, "question": None}
