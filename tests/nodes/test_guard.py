"""What stands between an engineer's answers and the tools."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from trainwright.nodes.guard import heed, refusals, tidy
from trainwright.nodes.think import open_calls


def turn(name: str, args: dict[str, Any], result: str, identity: str) -> list[AnyMessage]:
    """One call and its result."""
    call = {"name": name, "args": args, "id": identity}
    return [AIMessage("", tool_calls=[call]), ToolMessage(result, tool_call_id=identity, name=name)]


def unreadable(name: str, identity: str) -> list[AnyMessage]:
    """One call that could not be read, and its result."""
    bad = {"name": name, "args": "{", "id": identity, "error": None, "type": "invalid_tool_call"}
    answer = AIMessage("", invalid_tool_calls=[bad])
    return [answer, ToolMessage("not run", tool_call_id=identity, name=name, status="error")]


def times(count: int, start: int = 0) -> list[AnyMessage]:
    """The same call with the same result so many times."""
    return [m for i in range(count) for m in turn("note", {"text": "a"}, "kept", f"c{start + i}")]


def test_two_of_a_kind_are_no_circle() -> None:
    found = heed(times(2), 0, [])
    assert (found.hints, found.repeats, found.gives_up) == ([], 0, "")


def test_the_first_time_there_is_a_hint_the_second_time_a_bar_the_third_time_an_end() -> None:
    first = heed(times(3), 0, [])
    assert [m.additional_kwargs for m in first.hints] == [{"hint": 1}]
    assert "note" in str(first.hints[0].content)
    assert first.barred == []
    second = heed(times(4), first.repeats, first.barred)
    assert second.repeats == 2
    assert len(second.barred) == 1
    third = heed(times(5), second.repeats, second.barred)
    assert "note" in third.gives_up


def test_words_alone_after_a_hint_are_no_further_repetition() -> None:
    first = heed(times(3), 0, [])
    words = [*times(3), *first.hints, AIMessage("I see."), HumanMessage("Answer with a tool call.")]
    assert heed(words, first.repeats, first.barred).repeats == 1
    again = [*words, *turn("note", {"text": "a"}, "kept", "c9")]
    assert heed(again, first.repeats, first.barred).repeats == 2


def test_a_barred_call_is_answered_and_another_one_is_not() -> None:
    barred = heed(times(4), 1, []).barred
    calls = [{"name": "note", "args": {"text": "a"}, "id": "x"}, {"name": "note", "args": {"text": "b"}, "id": "y"}]
    answers = refusals(calls, barred, 32)
    assert [(m.tool_call_id, m.status) for m in answers] == [("x", "error")]


def test_of_many_calls_the_first_are_run() -> None:
    calls = [{"name": "note", "args": {"text": str(number)}, "id": str(number)} for number in range(5)]
    assert [m.tool_call_id for m in refusals(calls, [], 3)] == ["3", "4"]


def test_polling_whose_answer_changes_is_no_circle() -> None:
    transcript = [m for i in range(6) for m in turn("status", {}, f"{i} of 6", f"c{i}")]
    assert heed(transcript, 0, []).hints == []


def test_unreadable_arguments_of_one_tool_twice_running_get_a_hint_once() -> None:
    twice = [*unreadable("write", "a"), *unreadable("write", "b")]
    found = heed(twice, 0, [])
    assert len(found.hints) == 1
    assert "write" in str(found.hints[0].content)
    assert heed([*twice, *found.hints], 0, []).hints == []


def test_unreadable_arguments_get_no_hint_once_nor_of_two_tools_nor_with_a_good_call_between() -> None:
    for transcript in (
        unreadable("write", "a"),
        [*unreadable("write", "a"), *unreadable("bash", "b")],
        [*unreadable("write", "a"), *turn("write", {}, "ok", "b"), *unreadable("write", "c")],
    ):
        assert heed(transcript, 0, []).hints == []


def test_every_call_gets_an_id_of_its_own() -> None:
    before = turn("note", {}, "kept", "same")
    bad = {"name": "note", "args": "{", "id": "", "error": None, "type": "invalid_tool_call"}
    answer = AIMessage(
        "",
        tool_calls=[{"name": "note", "args": {}, "id": "same"}, {"name": "note", "args": {}, "id": "new"}],
        invalid_tool_calls=[bad],
    )
    calls = open_calls(tidy(answer, [HumanMessage("begin"), *before]))
    identities = [call["id"] for call in calls]
    assert len({*identities, "same"}) == 4
    assert all(identities)
    assert [call["name"] for call in calls] == ["note"] * 3


def test_no_secret_of_an_answer_is_kept() -> None:
    secret = "hf_" + "a" * 34
    answer = AIMessage(f"It is {secret}", tool_calls=[{"name": "note", "args": {"text": [secret]}, "id": "a"}])
    assert secret not in tidy(answer, []).model_dump_json()


def test_what_no_checkpoint_can_hold_becomes_text() -> None:
    args = {
        "half": "a\ud800",
        "large": [10**20, -(10**20)],
        "huge": 10**2_000,
        "well": [2**64 - 1, -(2**63), True, 1.5],
    }
    kept = tidy(AIMessage("", tool_calls=[{"name": "note", "args": args, "id": "a"}]), []).tool_calls[0]["args"]
    assert kept == {
        "half": "a?",
        "large": ["1" + "0" * 20, "-1" + "0" * 20],
        "huge": "a number of more than 1,000 digits",
        "well": [2**64 - 1, -(2**63), True, 1.5],
    }
    JsonPlusSerializer().dumps_typed(kept)
