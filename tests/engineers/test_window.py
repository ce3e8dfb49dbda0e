"""What of a transcript a request holds: bounded, within the room, each call with one result, no word of a person lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from trainwright.engineers.window import BLOCK, KEPT, STANDING, TooLong, size_of, turns_of, within


def turn(number: int, argument: str = "a", result: str = "r") -> list[AnyMessage]:
    """One turn with one call."""
    call = {"name": "note", "args": {"text": argument}, "id": f"c{number}", "type": "tool_call"}
    answer = AIMessage("", tool_calls=[call], additional_kwargs={STANDING: f"Turn {number} of 300"})
    return [answer, ToolMessage(result, tool_call_id=f"c{number}", name="note")]


def transcript(turns: int, **sizes: str) -> list[AnyMessage]:
    """So many turns."""
    return [message for number in range(1, turns + 1) for message in turn(number, **sizes)]


def check_pairs(messages: list[AnyMessage]) -> None:
    """Every call has exactly one result, behind it and before the next answer."""
    waiting: list[str] = []
    for message in messages:
        if isinstance(message, AIMessage):
            assert waiting == []
            assert message.invalid_tool_calls == []
            waiting = [str(call["id"]) for call in message.tool_calls]
        elif isinstance(message, ToolMessage):
            assert message.tool_call_id == waiting.pop(0)
        else:
            assert waiting == []
    assert waiting == []


@pytest.mark.parametrize("turns", [0, 1, 10, 19, 20, 21, 57, 300])
def test_a_request_holds_a_bounded_number_of_turns(turns: int) -> None:
    messages = within(transcript(turns), 10**6)
    kept = [m for m in messages if isinstance(m, AIMessage)]
    assert len(kept) == turns if turns < KEPT + BLOCK else KEPT <= len(kept) < KEPT + BLOCK
    check_pairs(messages)
    assert size_of(messages) < 10_000


def test_what_stands_before_an_answer_stands_there_again() -> None:
    messages = within(transcript(3), 10**6)
    assert [m.text for m in messages if isinstance(m, HumanMessage)] == [f"Turn {n} of 300" for n in (1, 2, 3)]


def test_the_window_moves_in_blocks_so_that_the_beginning_stays_the_same() -> None:
    starts = {}
    for turns in range(20, 60):
        messages = within(transcript(turns), 10**6)
        starts.setdefault(messages[0].text, []).append(turns)
    assert [len(group) for group in starts.values()] == [10, 10, 10, 10]


def test_old_answers_are_cleared_before_turns_are_dropped() -> None:
    messages = within(transcript(8, result="r" * 4_000), 20_000)
    results = [m.text for m in messages if isinstance(m, ToolMessage)]
    assert len(results) == 8
    assert results[-1] == f'<data source="note">{"r" * 4_000}</data>'
    assert results[0] == "[4027 characters that were shown here are taken away to make room]"


def test_a_cleared_answer_still_names_the_file_with_the_whole() -> None:
    whole = "x" * 3_000 + "… 9 characters cut; read_output shows the whole: stages/plan-0123456789ab.txt …"
    messages = within([*turn(1, result=whole), *transcript(6, result="r" * 4_000)], 20_000)
    assert "read_output reads plan-0123456789ab.txt" in messages[2].text


def test_long_arguments_of_old_calls_are_cleared_too() -> None:
    messages = within(transcript(8, argument="a" * 4_000), 20_000)
    calls = [m.tool_calls[0]["args"]["text"] for m in messages if isinstance(m, AIMessage)]
    assert calls[0] == "[4000 characters, taken away to make room]"
    assert calls[-1] == "a" * 4_000


def test_what_a_person_said_is_never_dropped() -> None:
    said = HumanMessage("The person says: no neural networks", additional_kwargs={"told": 1})
    messages = within([*transcript(3), said, *transcript(80)], 8_000)
    assert "no neural networks" in messages[0].text


def test_old_turns_become_lines_that_say_what_was_called_and_what_came_of_it() -> None:
    old = turn(1, argument="first", result="kept first")
    old[1] = ToolMessage("no such file", tool_call_id="c1", name="note", status="error")
    digest = within([*old, *transcript(30)], 10**6)[0].text
    assert "- 1. note(text=first): failed: no such file" in digest
    assert "Turns 1 to" in digest


def test_one_huge_answer_never_overflows() -> None:
    messages = within(turn(1, result="x" * 10**6), 6_000)
    assert size_of(messages) <= 6_000
    assert "characters are taken away here" in messages[-1].text


def test_results_that_nobody_has_read_yet_stay_when_a_hint_follows() -> None:
    hint = HumanMessage("Go on.", additional_kwargs={"hint": 0})
    messages = within([*transcript(4), *turn(9, result="x" * 16_000), hint], 6_000)
    assert any(isinstance(m, ToolMessage) and m.tool_call_id == "c9" for m in messages)


def test_what_cannot_be_made_so_small_is_said() -> None:
    with pytest.raises(TooLong):
        within(transcript(3), 100)


def test_a_call_without_a_result_gets_one_and_a_result_without_a_call_goes() -> None:
    lost = AIMessage("", tool_calls=[{"name": n, "args": {}, "id": n, "type": "tool_call"} for n in ("a", "b")])
    found = ToolMessage("b is done", tool_call_id="b", name="b")
    orphan = ToolMessage("of nothing", tool_call_id="zzz", name="x")
    messages = within([lost, found, orphan, HumanMessage("Go on."), *turn(9)], 10**6)
    check_pairs(messages)
    assert [m.text for m in messages if isinstance(m, ToolMessage)][:2] == [
        "Not run: it was interrupted.",
        '<data source="b">b is done</data>',
    ]


def test_an_unreadable_call_goes_back_without_arguments() -> None:
    bad = {"name": "note", "args": '{"text', "id": "c", "error": "no JSON", "type": "invalid_tool_call"}
    answer = AIMessage("", invalid_tool_calls=[bad])
    messages = within([answer, ToolMessage("not readable", tool_call_id="c", name="note", status="error")], 10**6)
    assert isinstance(messages[0], AIMessage)
    assert messages[0].tool_calls == [{"name": "note", "args": {}, "id": "c", "type": "tool_call"}]
    check_pairs(messages)
    assert answer.invalid_tool_calls, "what is kept is not changed"


texts = st.text(max_size=30) | st.sampled_from(["x" * 3_000, "ü" * 2_000, "\n" * 900])


@st.composite
def transcripts(draw: Any) -> list[AnyMessage]:
    """Any transcript: several calls an answer, results missing, messages of a person between."""
    messages: list[AnyMessage] = []
    for number in range(draw(st.integers(0, 30))):
        if draw(st.booleans()):
            messages.append(
                HumanMessage(draw(texts), additional_kwargs=draw(st.sampled_from([{}, {"hint": 1}, {"told": number}])))
            )
        names = [f"{number}-{place}" for place in range(draw(st.integers(0, 3)))]
        calls = [{"name": "t", "args": {"v": draw(texts)}, "id": n, "type": "tool_call"} for n in names]
        bad = [{"name": "t", "args": "{", "id": f"{number}-bad", "error": None, "type": "invalid_tool_call"}]
        messages.append(AIMessage(draw(texts), tool_calls=calls, invalid_tool_calls=bad if draw(st.booleans()) else []))
        answered = [name for name in [*names, f"{number}-bad"] if draw(st.integers(0, 9))]
        messages += [ToolMessage(draw(texts), tool_call_id=name, name="t") for name in answered]
    return messages


@settings(max_examples=150, deadline=None)
@given(transcripts(), st.integers(0, 60_000))
def test_whatever_the_transcript_a_request_fits_and_is_well_formed(given_messages: list[AnyMessage], room: int) -> None:
    before = json.dumps([m.model_dump() for m in given_messages])
    try:
        messages = within(given_messages, room)
    except TooLong:
        assert room < 8_000
        return
    assert size_of(messages) <= room
    check_pairs(messages)
    assert len(turns_of(messages)) <= KEPT + BLOCK + 1
    assert json.dumps([m.model_dump() for m in given_messages]) == before
