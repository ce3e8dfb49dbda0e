"""The parameters of a call: the effort in the words of its provider, and what an answer may have."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from trainwright.engineers.client import Model, gives_way, options_of
from trainwright.engineers.model_errors import Kind, Trouble
from trainwright.engineers.providers import line_of

ASKED: list[AnyMessage] = [HumanMessage("a")]


def model(name: str, base: str = "", **more: Any) -> Model:
    """A model with a window of 200,000 tokens."""
    line = line_of(name, base, 200_000)
    return Model(line, more.pop("effort", ""), line.window - line.answer, **more)


def test_a_shortened_answer_of_claude_is_not_used_up_by_thinking() -> None:
    claude = model("anthropic/claude-sonnet-4-5", effort="high")
    assert options_of(claude, ASKED, 16_000)["reasoning_effort"] == "high"
    assert options_of(claude, ASKED, 8_192)["reasoning_effort"] == "high"
    short = options_of(claude, ASKED, 4_000)
    assert "reasoning_effort" not in short
    assert short["max_tokens"] == 4_000
    call = {"name": "note", "args": {}, "id": "c", "type": "tool_call"}
    assert "reasoning_effort" not in options_of(claude, [AIMessage("", tool_calls=[call])], 16_000)


@pytest.mark.parametrize(
    ("effort", "tried"),
    [
        ("max", ["xhigh", "high", "medium", "low", ""]),
        ("none", ["minimal", "low", ""]),
        ("minimal", ["low", ""]),
    ],
)
def test_an_effort_that_is_refused_falls_to_the_nearest(effort: str, tried: list[str]) -> None:
    refusing, found = model("openai/gpt-5", effort=effort), []
    while refusing.effort:
        assert gives_way(refusing, Trouble(Kind.PARAMETER, 400, "", parameter="reasoning_effort"))
        found.append(refusing.effort)
    assert found == tried
    assert not gives_way(refusing, Trouble(Kind.PARAMETER, 400, "", parameter="reasoning_effort"))


def test_the_tokens_of_a_request_are_estimated_cautiously_until_someone_has_counted() -> None:
    found = model("openai/mine", "http://127.0.0.1:9")
    assert found.tokens(30_000) == 15_001
    found.learn(30_000, 7_500)
    assert found.tokens(30_000) == int(7_500 * 1.25) + 1
    assert found.tokens(10**9) == 200_001, "nothing longer than its window is read"
    found.learn(30_000, 0)
    assert found.per_token == 4.0, "a provider that counts nothing teaches nothing"


def test_an_answer_that_cannot_be_bounded_may_be_as_long_as_the_model_can() -> None:
    assert model("openai/gpt-4o", without={"max_tokens"}).longest() == 16_384
    assert model("openai/mine", "http://127.0.0.1:9", without={"max_tokens"}).longest() == 200_000
    assert "max_tokens" not in options_of(model("openai/gpt-4o", without={"max_tokens"}), ASKED, 5)
