"""A model as the engineer, on loopback, calls a server's tool in a stage of the real graph."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langgraph.types import Command

from tests.models import Call, Reply
from tests.models.conftest import Asking, asking, fresh_engineers
from trainwright.graph.state import State

from .conftest import Server, configure

__all__ = ["asking", "fresh_engineers"]


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
async def test_a_model_calls_a_tool_is_asked_about_and_reads_the_answer(
    asking: Any,
    piped: Server,
    protocol: str,
) -> None:
    configure(desk={**piped.entry, "stages": ["read_paper"]})
    stage: Asking = asking(
        [Reply(calls=(Call("mcp__desk__echo", {"text": "hi"}),)), Reply(calls=(Call("finish", {"title": "T"}),))]
    )
    await stage.run(protocol=protocol)
    first = json.dumps(stage.server.asked[0].body)
    assert "mcp__desk__echo" in stage.server.asked[0].tools
    assert "(server desk says) Say a text back." in first
    assert piped.calls() == []
    state: State = await stage.run(Command(resume={"decisions": [{"type": "approve"}]}), protocol=protocol)
    assert state.brief is not None
    assert piped.calls() == [["echo", {"text": "hi"}]]
    assert "you said hi" in json.dumps(stage.server.asked[1].body)
