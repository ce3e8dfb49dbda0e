"""The graph: the process of a machine-learning engineer as a state machine. It reads like the picture in the README.

    START → read_paper → plan → approve_plan → find_data → write_code → sandbox_test → approve_job → submit_job
          → watch_job → evaluate → approve_publish → publish → wrap_up → END

with the ways back that `graph/routing.py` decides. `graph` is what `langgraph.json` serves; `build_graph` gives the
same graph to programs, with a checkpointer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, get_args

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from trainwright.engineers import check_engineer, choose_engineer
from trainwright.engineers.protocol import Engineer
from trainwright.nodes import find_data, plan, read_paper, write_code
from trainwright.nodes.approve import GATES
from trainwright.nodes.ask_person import ask_person
from trainwright.nodes.boundary import emit, node, with_limits
from trainwright.nodes.evaluate import evaluate
from trainwright.nodes.gate import gate_node
from trainwright.nodes.publish import publish
from trainwright.nodes.sandbox_test import sandbox_test
from trainwright.nodes.submit_job import submit_job
from trainwright.nodes.watch_job import watch_job
from trainwright.nodes.wrap_up import wrap_up

from . import routing
from .errors import RequestError
from .lease import leased
from .limits import said
from .registration import register, stored
from .runs import open_runs
from .settings import run_path
from .stage import make_stage
from .state import Question, Request, Settings, StageState, State

__all__ = ["Input", "build_graph", "graph"]

Compiled = CompiledStateGraph[State, Settings, Any, Any]


class Input(BaseModel):
    """What a run begins with: the form that LangGraph Studio shows."""

    request: Request = Field(default_factory=Request)


async def open_run(state: StageState, runtime: Runtime[Settings], config: RunnableConfig) -> dict[str, Any]:
    """Open the run: give it a name, a folder and a row, and copy the settings into the state. Once."""
    if state.get("run"):
        return {}
    request = state.get("request") or Request()
    if not (request.paper or request.goal):
        raise RequestError(
            "There is neither a paper nor a goal.", hint="Give a paper, or say in a sentence what you want."
        )
    thread = str(config.get("configurable", {}).get("thread_id", ""))
    if not thread:
        raise RequestError("A run needs a thread.", hint="Invoke with config={'configurable': {'thread_id': …}}.")
    return await asyncio.to_thread(_open_run, request, runtime.context, thread)


def _open_run(request: Request, context: Settings | None, thread: str) -> dict[str, Any]:
    # The row's settings are those of the first invocation: after a kill a later one brings nothing but its changes.
    row = open_runs().of_thread(thread)
    kept = stored(row.name).settings if row else None
    settings = with_limits(Settings.model_validate(kept), context) if kept else context or Settings()
    check_engineer(settings)
    name = register(request, settings, thread)
    emit("run", name, folder=str(run_path(name)), thread_id=thread, limits=said(settings))
    return {"run": name, "settings": settings, "request": request, "steps": 0}


def build_graph(
    checkpointer: BaseCheckpointSaver[Any] | None = None, choose: Callable[[Settings], Engineer] = choose_engineer
) -> Compiled:
    """The compiled graph.

    Args:
        checkpointer: from `open_checkpointer`; None where the server brings its own.
        choose: the engineer for a run's settings; a program may bring one of its own.
    """
    g = StateGraph(State, input_schema=Input, context_schema=Settings)
    g.add_node("read_paper", make_stage(read_paper.STAGE, choose, opener=open_run))
    g.add_node("plan", make_stage(plan.STAGE, choose))
    g.add_node("find_data", make_stage(find_data.STAGE, choose))
    g.add_node("write_code", make_stage(write_code.STAGE, choose))
    for gate in GATES:
        g.add_node(gate.name, leased(gate_node(gate)))
    g.add_node("ask_person", leased(ask_person))
    for body in (sandbox_test, submit_job, watch_job, evaluate, publish, wrap_up):
        g.add_node(body.__name__, leased(node(body)))

    g.add_edge(START, "read_paper")
    for source, (decide, ways) in WAYS.items():
        g.add_conditional_edges(source, _labelled(decide, ways), {label: target for target, label in ways.items()})
    g.add_edge("wrap_up", END)
    return g.compile(checkpointer=checkpointer, name="trainwright")


Decide = Callable[[State], str]
ENDED = "ended or limit"
QUESTION = "question"

WAYS: dict[str, tuple[Decide, dict[str, str]]] = {
    "read_paper": (routing.after_read_paper, {"plan": "brief", "ask_person": QUESTION, "wrap_up": ENDED}),
    "plan": (
        routing.after_plan,
        {
            "approve_plan": "plan made",
            "ask_person": QUESTION,
            "evaluate": "nothing left to try",
            "wrap_up": f"dry run, {ENDED}",
        },
    ),
    "approve_plan": (
        routing.after_approve_plan,
        {
            "find_data": "approved",
            "plan": "rejected with feedback",
            "approve_plan": "unusable answer",
            "wrap_up": "rejected",
        },
    ),
    "find_data": (
        routing.after_find_data,
        {"write_code": "split frozen", "plan": "data contradict the plan", "ask_person": QUESTION, "wrap_up": ENDED},
    ),
    "write_code": (
        routing.after_write_code,
        {"sandbox_test": "code committed", "ask_person": QUESTION, "wrap_up": ENDED},
    ),
    "sandbox_test": (
        routing.after_sandbox_test,
        {"approve_job": "passed", "write_code": "failed: repair", "sandbox_test": "stopped", "wrap_up": ENDED},
    ),
    "approve_job": (
        routing.after_approve_job,
        {
            "submit_job": "approved",
            "sandbox_test": "code edited",
            "write_code": "rejected with feedback",
            "approve_job": "unusable answer",
            "wrap_up": "rejected",
        },
    ),
    "submit_job": (routing.after_submit_job, {"watch_job": "submitted", "ask_person": QUESTION, "wrap_up": ENDED}),
    "watch_job": (
        routing.after_watch_job,
        {
            "evaluate": "succeeded",
            "write_code": "failed: repair",
            "watch_job": "still running",
            "ask_person": QUESTION,
            "wrap_up": ENDED,
        },
    ),
    "evaluate": (
        routing.after_evaluate,
        {
            "approve_publish": "accepted",
            "plan": "improve: target unmet",
            "write_code": "contract broken: repair",
            "evaluate": "stopped",
            "wrap_up": ENDED,
        },
    ),
    "approve_publish": (
        routing.after_approve_publish,
        {
            "publish": "approved",
            "plan": "rejected with feedback",
            "approve_publish": "name edited, unusable answer",
            "wrap_up": "rejected",
        },
    ),
    "publish": (
        routing.after_publish,
        {"publish": "stopped", "ask_person": QUESTION, "wrap_up": "published or refused"},
    ),
    "ask_person": (
        routing.after_ask_person,
        {
            **{node: f"answer for {node}" for node in get_args(Question.model_fields["back_to"].annotation)},
            "ask_person": "unusable answer",
            "wrap_up": "no answer",
        },
    ),
}
"""From each node with a choice: who decides, and every node that it can lead to, with the label in the picture."""


def _labelled(decide: Decide, ways: dict[str, str]) -> Decide:
    """The edge's label instead of the next node's name."""

    def label(state: State) -> str:
        return ways[decide(state)]

    label.__name__ = decide.__name__
    return label


graph = build_graph()
