"""When an engineer goes round in circles, and when it does not."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from trainwright.nodes.repetition import call_signature, repetition

Made = tuple[str, dict[str, Any], str | None]


def transcript(*made: Made) -> list[AnyMessage]:
    """One call an answer, each with its result if it has one."""
    out: list[AnyMessage] = [HumanMessage("begin")]
    for number, (name, args, result) in enumerate(made):
        out.append(AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"c{number}"}]))
        if result is not None:
            out.append(ToolMessage(result, tool_call_id=f"c{number}", name=name))
    return out


@pytest.mark.parametrize(
    ("left", "right"),
    [({"a": 1, "b": 2}, {"b": 2, "a": 1}), ({"a": {"x": [1, {"p": 1, "q": 2}]}}, {"a": {"x": [1, {"q": 2, "p": 1}]}})],
)
def test_the_order_of_keys_does_not_count(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert call_signature("t", left) == call_signature("t", right)


def test_a_value_and_a_name_count() -> None:
    assert len({call_signature("t", {"a": 1}), call_signature("t", {"a": 2}), call_signature("u", {"a": 1})}) == 3


def test_three_identical_calls_without_results_are_named() -> None:
    found = repetition(transcript(*[("read", {"path": "a"}, None)] * 3))
    assert found is not None
    assert found.calls == ("read",)
    assert found.signatures == {call_signature("read", {"path": "a"})}


def test_two_identical_calls_are_silent_and_so_are_three_of_one_tool_that_differ() -> None:
    assert repetition(transcript(*[("read", {"path": "a"}, "x")] * 2)) is None
    assert repetition(transcript(*[("read", {"path": p}, "x") for p in "abc"])) is None


def test_polling_is_silent_while_its_result_changes_and_fires_when_it_does_not() -> None:
    assert repetition(transcript(*[("poll", {}, str(i)) for i in range(9)])) is None
    assert repetition(transcript(*[("poll", {}, "same")] * 3)) is not None


def test_a_pattern_that_stands_twice_fires_also_with_its_keys_in_another_order() -> None:
    one: list[Made] = [("write", {"a": 1, "b": 2}, "ok"), ("run", {}, "failed")]
    two: list[Made] = [("write", {"b": 2, "a": 1}, "ok"), ("run", {}, "failed")]
    found = repetition(transcript(*one, *two))
    assert found is not None
    assert found.calls == ("write", "run")


def test_a_pattern_of_six_is_none() -> None:
    made: list[Made] = [("t", {"n": n}, "ok") for n in range(6)]
    assert repetition(transcript(*made, *made)) is None


def test_an_engineer_that_took_another_way_is_left_alone() -> None:
    stuck: list[Made] = [("read", {"path": "a"}, "x")] * 3
    on: list[Made] = [("read", {"path": p}, "x") for p in "bcdef"]
    assert repetition(transcript(*stuck)) is not None
    for length in range(1, 6):
        assert repetition(transcript(*stuck, *on[:length])) is None


def test_messages_that_are_no_calls_are_passed_over() -> None:
    messages = transcript(*[("read", {"path": "a"}, "x")] * 3)
    assert repetition([*messages, HumanMessage("hint"), AIMessage("I think.")]) is not None


def test_the_calls_of_one_answer_count_in_their_order() -> None:
    calls = [{"name": "read", "args": {"path": "a"}, "id": f"c{i}"} for i in range(3)]
    assert repetition([AIMessage("", tool_calls=calls)]) is not None
