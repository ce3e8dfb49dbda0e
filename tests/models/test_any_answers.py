"""Whatever a model answers, a stage ends within the cap with a status, and each call has exactly one result."""

from __future__ import annotations

import asyncio
import json
import tempfile
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from tests.graph.scripted import Desk
from trainwright.engineers import choose_engineer, turn
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.settings import run_path
from trainwright.graph.stage import make_stage
from trainwright.graph.state import Request, Settings, State, Status
from trainwright.graph.workflow import Input, open_run

from . import Call, Reply, bad_request, empty, overloaded, rate_limited, server_error, too_long
from .server import ModelServer

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
"""Not `explain`, which traces every line and takes twenty times as long."""

CAP = 8
ENDED = {Status.STEP_LIMIT, Status.GAVE_UP, Status.FAILED, Status.RUNNING}
"""How a stage may end; `running` is one that delivered its artifact."""

ARGUMENTS = [
    "", "{", "[]", "null", '"text"', "{}", '{"text": "a"}', '{"text": 5}', '{"title": "T"}', '{"reason": "r"}',
    '{"text": "' + "x" * 30_000 + '"}', '{"title": "T", "pages": -1}', '{"text": "\\ud800"}',
    '{"text": 100000000000000000000}', '{"title": "T", "pages": -1e400}',
]  # fmt: skip
FAULTS = [
    rate_limited(), overloaded(), server_error(), too_long(9, 8), bad_request("no"), empty(), Reply(raw=b"junk"),
    Reply(text="cut", cut_after=2), Reply(calls=(Call("note", {"text": "b"}),), cut_after=3, done=False),
]  # fmt: skip
DECISIONS = [
    {"type": "approve"},
    {"type": "reject", "message": "no"},
    {"type": "edit", "edited_action": {"name": "act", "args": {"text": "edited"}}},
    {"type": "respond", "message": "it is so"},
]
"""What a person says, in turn, to the calls that need one."""

arguments = st.sampled_from(ARGUMENTS)
names = st.sampled_from(
    ["note", "long", "refuse", "break", "act", "finish", "ask", "give_up", "contradict", "nosuch", ""]
)
calls = st.lists(st.builds(Call, names, arguments, st.sampled_from(["auto", "same", None])), max_size=3).map(tuple)
answers = st.builds(
    Reply,
    text=st.sampled_from(["", "Hm.", "<tool_call>note</tool_call>", "y" * 20_000]),
    calls=calls,
    finish=st.sampled_from(["", "length", "stop"]),
    thinking=st.sampled_from(["", "I think."]),
    piece=st.sampled_from([700, 40_000]),
)
faults = st.sampled_from(FAULTS)


async def run(replies: list[Reply], home: Path) -> tuple[State, list[dict[str, Any]]]:
    """The state of one stage, and the bodies of all requests."""
    script, decisions = iter(replies * 60), cycle(DECISIONS)
    with ModelServer(lambda asked: next(script)) as server:
        async with open_checkpointer() as checkpointer:
            graph = StateGraph(State, input_schema=Input, context_schema=Settings)
            graph.add_node("read_paper", make_stage(Desk().stage(), choose_engineer, opener=open_run))
            graph.add_edge(START, "read_paper")
            graph.add_edge("read_paper", END)
            compiled = graph.compile(checkpointer=checkpointer)
            config: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 1_000}
            context = Settings(engineer="openai/test", base_url=server.openai, step_cap=CAP, approvals="auto")
            given_request = {"request": Request(goal="g")}
            await compiled.ainvoke(given_request, config, context=context, durability="sync")
            while waits := (await compiled.aget_state(config)).interrupts:
                count = len(waits[0].value["action_requests"])
                resume = Command(resume={"decisions": [next(decisions) for _ in range(count)]})
                await compiled.ainvoke(resume, config, context=context, durability="sync")
            state = State.model_validate((await compiled.aget_state(config)).values)
        return state, [asked.body for asked in server.asked]


def check_requests(bodies: list[dict[str, Any]]) -> None:
    """What every provider demands: each call answered once, right behind it, under an id of its own."""
    for body in bodies:
        waiting: list[str] = []
        seen: set[str] = set()
        for message in body["messages"]:
            if message["role"] == "tool":
                assert message["tool_call_id"] == waiting.pop(0)
                continue
            assert waiting == []
            waiting = [call["id"] for call in message.get("tool_calls") or []]
            assert not seen & set(waiting)
            assert len(set(waiting)) == len(waiting)
            seen |= set(waiting)
            for call in message.get("tool_calls") or []:
                assert isinstance(json.loads(call["function"]["arguments"]), dict)
        assert waiting == []


@pytest.mark.slow
@settings(max_examples=25, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(replies=st.lists(answers | faults, min_size=1, max_size=6))
@example(replies=[Reply(calls=(Call("note", '{"text": "\\ud800"}'),))])
@example(replies=[Reply(calls=(Call("note", '{"text": 100000000000000000000}'),))])
@example(replies=[Reply(calls=(Call("note", "{"), Call("", "{}", "same"), Call("note", '{"text": "a"}', "same")))])
def test_any_sequence_of_answers_ends(monkeypatch: pytest.MonkeyPatch, replies: list[Reply]) -> None:
    monkeypatch.setattr(turn, "wait_before", lambda trouble, failed: 0.0)
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TRAINWRIGHT_HOME", folder)
        state, bodies = asyncio.run(run(replies, Path(folder)))
        kept = sorted(run_path(state.run).glob("stages/*transcript.json")) + sorted(
            run_path(state.run).glob("stages/*carry.json")
        )
        transcript = json.loads(kept[0].read_text())
    assert state.status in ENDED
    assert (state.status == Status.RUNNING) == (state.brief is not None)
    assert state.reason or state.brief is not None
    assert state.steps <= CAP
    assert len(bodies) <= CAP * 8
    check_requests(bodies)
    made = [
        c["id"]
        for m in transcript
        for c in (*m["data"].get("tool_calls", []), *m["data"].get("invalid_tool_calls", []))
    ]
    results = [m["data"]["tool_call_id"] for m in transcript if m["type"] == "tool"]
    assert sorted(made) == sorted(results)
    assert len(set(made)) == len(made)
