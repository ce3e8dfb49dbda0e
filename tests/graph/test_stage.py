"""The loop inside a stage: calls, mistakes, reminders, approvals, limits; what it keeps and what it says."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command

from tests.runs.policies import rules
from trainwright.cli.cards import waiting_lines
from trainwright.engineers.protocol import Engineer, StopRequested
from trainwright.graph.answers import Answers
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.errors import ModelError
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import run_path
from trainwright.graph.state import Settings, Status
from trainwright.graph.tellings import tell

from .scripted import CONFIG, FINISH, GOAL, Bench, Desk, Scripted, Turn, benches, call, one_stage, says


@pytest.fixture
async def opened() -> AsyncIterator[Any]:
    async with benches() as make:
        yield make


async def test_a_stage_ends_with_its_artifact_and_counts_its_turns(opened: Any) -> None:
    bench: Bench = opened(says(call("note", {"text": "a"})), FINISH)
    state = await bench.run()
    assert state.brief is not None
    assert state.brief.title == "A paper"
    assert (state.steps, state.status, bench.desk.notes) == (2, Status.RUNNING, ["a"])
    assert bench.answers()[0].content == "kept a"


async def test_a_wrong_artifact_comes_back_field_by_field(opened: Any) -> None:
    wrong = says(call("finish", {"pages": -1, "nonsense": 2}))
    bench: Bench = opened(wrong, FINISH)
    state = await bench.run()
    told = bench.answers()[0]
    assert told.status == "error"
    assert "pages: " in told.content
    assert "nonsense: " in told.content
    assert state.brief is not None


async def test_a_call_that_cannot_be_run_is_answered_not_run(opened: Any) -> None:
    malformed = AIMessage(
        "",
        tool_calls=[call("note", {"text": "good"}, "good")],
        invalid_tool_calls=[
            {"id": "bad", "name": "note", "args": '{"text": ', "error": None, "type": "invalid_tool_call"}
        ],
    )
    strange = says(call("nosuch", {}, "x"), call("note", {"texts": "a"}, "y"), call("refuse", {"text": "d.csv"}, "z"))
    bench: Bench = opened(malformed, strange, FINISH)
    await bench.run()
    first = {m.tool_call_id: m for m in bench.answers(1)}
    assert bench.desk.notes == ["good"]
    assert first["good"].status == "success"
    assert "not readable JSON" in first["bad"].content
    second = {m.tool_call_id: m for m in bench.answers(2)}
    assert "There is no tool 'nosuch'" in second["x"].content
    assert "note, refuse, break, long, act, finish, give_up" in second["x"].content
    assert "text: Field required" in second["y"].content
    problem = json.loads(str(second["z"].content))
    assert problem == {"error": "d.csv cannot be read.", "hint": "Give another file.", "kind": "DataError"}


async def test_answers_stand_in_the_order_of_their_calls(opened: Any) -> None:
    calls = [call("note", {"text": str(i)}, f"c{i}") for i in range(6)]
    bench: Bench = opened(says(*calls), FINISH)
    await bench.run()
    assert [m.tool_call_id for m in bench.answers()] == [f"c{i}" for i in range(6)]
    assert sorted(bench.desk.notes) == [str(i) for i in range(6)]


async def test_what_ends_a_stage_must_stand_alone(opened: Any) -> None:
    both = says(call("note", {"text": "a"}, "n"), call("finish", {"title": "T"}, "f"))
    bench: Bench = opened(both, FINISH)
    state = await bench.run()
    told = {m.tool_call_id: m for m in bench.answers()}
    assert "must be the only call" in told["f"].content
    assert state.steps == 2
    assert state.brief is not None
    assert state.brief.title == "A paper"


async def test_text_without_a_call_is_reminded_twice_and_then_given_up(opened: Any) -> None:
    bench: Bench = opened(says(text="hm"), says(text="hm"), says(text="hm"), FINISH)
    state = await bench.run()
    assert (state.status, state.steps) == (Status.GAVE_UP, 3)
    assert "without doing anything" in state.reason
    reminders = [m for m in bench.engineer.heard[2] if isinstance(m, HumanMessage)][1:]
    assert len(reminders) == 2


async def test_a_call_between_two_texts_resets_the_count(opened: Any) -> None:
    bench: Bench = opened(
        says(text="1"), says(text="2"), says(call("note", {"text": "a"})), says(text="3"), says(text="4"), FINISH
    )
    state = await bench.run()
    assert (state.status, state.steps) == (Status.RUNNING, 6)


@pytest.mark.parametrize(("broken", "status"), [(True, Status.FAILED), (False, Status.GAVE_UP)])
async def test_giving_up_ends_the_run_with_the_reason(opened: Any, broken: bool, status: Status) -> None:
    bench: Bench = opened(says(call("give_up", {"reason": "No way.", "broken_input": broken})))
    state = await bench.run()
    assert (state.status, state.reason, state.stopped_at) == (status, "No way.", "read_paper")


async def test_a_stage_asks_only_where_an_answer_has_a_way_back(opened: Any) -> None:
    bench: Bench = opened(says(call("ask", {"key": "k", "text": "Which?"})), FINISH)
    state = await bench.run()
    assert state.question is None
    assert "Questions are asked in plan and find_data" in bench.answers()[0].content


async def test_a_huge_answer_is_cut_and_kept_whole_beside(opened: Any) -> None:
    bench: Bench = opened(says(call("long", {"text": "ab"}, "c7")), FINISH)
    state = await bench.run()
    told = str(bench.answers()[0].content)
    assert len(told) < 61_000
    found = re.search(
        r"140000 characters cut; read_output shows the whole: (stages/read_paper-[0-9a-f]{12}\.txt) ", told
    )
    assert found is not None
    assert (run_path(state.run) / found[1]).stat().st_size == 200_000


async def test_the_id_of_a_call_names_no_file(opened: Any) -> None:
    bench: Bench = opened(says(call("long", {"text": "ab"}, "../../../evil")), FINISH)
    state = await bench.run()
    assert state.brief is not None
    assert not list(run_path(state.run).parent.rglob("evil*"))


async def test_an_engineer_that_goes_round_in_circles_is_told_then_barred_then_stopped(opened: Any) -> None:
    turns = [says(call("note", {"text": "a"}, f"c{i}")) for i in range(9)]
    bench: Bench = opened(*turns)
    state = await bench.run()
    assert state.status == Status.GAVE_UP
    assert "in circles 3 times" in state.reason
    hints = [m.additional_kwargs.get("hint") for m in bench.engineer.heard[-1] if isinstance(m, HumanMessage)]
    assert hints == [None, 1, 2]
    assert bench.desk.notes == ["a"] * 4
    assert [m.status for m in bench.answers()] == ["success"] * 4 + ["error"] * 2


async def test_a_barred_call_beside_one_that_needs_a_person_gets_one_result(opened: Any) -> None:
    same = [says(call("note", {"text": "a"}, f"c{i}")) for i in range(4)]
    both = says(call("note", {"text": "a"}, "barred"), call("act", {"text": "b"}, "asked"))
    bench: Bench = opened(*same, both, FINISH)
    await bench.run()
    (shown,) = await bench.waits_for()
    assert [action["name"] for action in shown["action_requests"]] == ["act"]
    await bench.run(Command(resume={"decisions": [{"type": "approve"}]}))
    results = [m for m in bench.answers() if m.tool_call_id in ("barred", "asked")]
    assert [(m.tool_call_id, m.status) for m in results] == [("barred", "error"), ("asked", "success")]


async def test_a_call_whose_arguments_cannot_be_read_asks_nobody(opened: Any) -> None:
    unreadable: Any = {"name": "act", "args": "{", "id": "bad", "error": None, "type": "invalid_tool_call"}
    bench: Bench = opened(AIMessage("", invalid_tool_calls=[unreadable]), FINISH)
    state = await bench.run()
    assert state.brief is not None
    assert [(m.tool_call_id, m.status) for m in bench.answers()] == [("bad", "error")]


async def test_a_cut_answer_without_a_call_is_told_that_it_was_cut(opened: Any) -> None:
    bench: Bench = opened(AIMessage("I begin", response_metadata={"cut": True}), FINISH)
    await bench.run()
    assert "was cut at its limit" in str(bench.engineer.heard[-1][-1].content)


async def test_an_engineer_knows_at_each_turn_what_remains(opened: Any) -> None:
    bench: Bench = opened(says(call("note", {"text": "a"})), FINISH)
    await bench.run(step_cap=7, max_hours=2)
    assert [(s.steps, s.step_cap) for s in bench.engineer.standings] == [(0, 7), (1, 7)]
    assert all(7_000 < s.seconds_left <= 7_200 for s in bench.engineer.standings)


async def test_what_a_person_tells_is_heard_once_at_the_next_turn(opened: Any) -> None:
    def say(transcript: Sequence[Any]) -> AIMessage:
        tell(open_runs().list()[0].name, "use fewer words")
        return says(call("note", {"text": "a"}))

    bench: Bench = opened(say, says(call("note", {"text": "b"})), FINISH)
    state = await bench.run()
    heard = [[str(m.content) for m in turn if m.additional_kwargs.get("told")] for turn in bench.engineer.heard]
    assert heard == [[], ["The person says: use fewer words"], ["The person says: use fewer words"]]
    assert state.told == 1


async def test_a_model_that_cannot_go_on_leaves_the_stage_to_be_taken_up_at_that_turn(opened: Any) -> None:
    def fail(transcript: Sequence[Any]) -> AIMessage:
        raise ModelError("The model has no key.", hint="Set one.")

    bench: Bench = opened(says(call("note", {"text": "a"})), fail)
    state = await bench.run()
    assert (state.status, state.stopped_at) == (Status.FAILED, "read_paper")
    assert state.reason == "The model has no key. Set one."
    assert state.carry
    kept = json.loads((run_path(state.run) / state.carry).read_text())
    assert [message["type"] for message in kept] == ["human", "ai", "tool"]


async def test_an_engineer_that_is_to_stop_takes_its_turn_later(opened: Any) -> None:
    asked: list[int] = []

    def stop(transcript: Sequence[Any]) -> AIMessage:
        asked.append(1)
        if len(asked) == 1:
            raise StopRequested
        return FINISH

    state = await (bench := opened(stop)).run()
    assert state.brief is not None
    assert (len(asked), state.steps) == (2, 1)
    assert len(bench.engineer.heard) == 2


def _sentence(error: str) -> str:
    return f"Unexpected error in read_paper: {error}. The log has the details."


async def test_a_call_that_fails_in_a_way_nobody_foresaw_ends_the_stage_after_the_others(
    opened: Any, caplog: pytest.LogCaptureFixture
) -> None:
    calls = [call("break", {"text": "a"}, "a"), call("note", {"text": "b"}, "b"), call("break", {"text": "c"}, "c")]
    bench: Bench = opened(says(*calls), FINISH)
    state = await bench.run()
    assert (state.status, state.stopped_at, state.steps) == (Status.FAILED, "read_paper", 1)
    assert state.reason == _sentence("ZeroDivisionError: a")
    assert bench.desk.notes == ["b"]
    assert any(record.exc_info for record in caplog.records), "the traceback is in the log"
    transcript = (run_path(state.run) / "stages" / "read_paper-1-0-transcript.json").read_text()
    assert "ZeroDivisionError: c" in transcript


async def test_only_a_refusal_of_an_artifact_is_an_answer(opened: Any) -> None:
    bench: Bench = opened(says(call("finish", {"title": "T", "pages": 1})), FINISH)
    state = await bench.run()
    assert state.brief is not None
    told = json.loads(str(bench.answers()[0].content))
    assert told == {"error": "This cannot be accepted yet: one page is no paper", "hint": "", "kind": "Refusal"}


async def test_a_bug_in_a_check_is_a_failure_and_not_a_refusal(opened: Any) -> None:
    bench: Bench = opened(says(call("finish", {"title": "T", "pages": 13})), FINISH)
    state = await bench.run()
    assert (state.status, state.reason) == (Status.FAILED, _sentence("ValueError: a bug in the check"))


async def test_an_engineer_that_breaks_down_ends_the_stage_and_can_be_resumed(opened: Any) -> None:
    def breaks(_: Any) -> AIMessage:
        raise KeyError("reply")

    bench: Bench = opened(says(call("note", {"text": "a"})), breaks)
    state = await bench.run()
    assert (state.status, state.steps, state.stopped_at) == (Status.FAILED, 1, "read_paper")
    assert state.reason == _sentence("KeyError: 'reply'")
    bench.engineer.turns = [FINISH]
    await bench.graph.aupdate_state(CONFIG, {"status": Status.RUNNING, "reason": ""}, as_node="read_paper")
    await bench.graph.aupdate_state(CONFIG, GOAL, as_node="__start__")
    state = await bench.run(None)
    assert (state.status, state.brief is not None, state.steps) == (Status.RUNNING, True, 2)


async def test_an_engineer_that_cannot_be_made_ends_the_stage_too() -> None:
    def choose(settings: Settings) -> Engineer:
        raise ImportError("no such client")

    engineer, desk = Scripted([FINISH]), Desk()
    async with open_checkpointer() as checkpointer:
        state = await Bench(one_stage(engineer, desk, checkpointer, choose), engineer, desk).run()
    assert (state.status, state.stopped_at) == (Status.FAILED, "read_paper")
    assert state.reason == _sentence("ImportError: no such client")


async def test_a_stage_that_cannot_be_prepared_ends_by_its_conclusion(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("trainwright.graph.stage.write_json", full)
    bench: Bench = opened(FINISH)
    state = await bench.run()
    assert (state.status, state.stopped_at, state.run != "") == (Status.FAILED, "read_paper", True)
    assert state.reason == _sentence("OSError: no space left")
    assert bench.engineer.heard == []


ACT = says(call("note", {"text": "free"}, "n"), call("act", {"text": "danger"}, "a"))


async def test_nothing_of_an_answer_runs_before_its_approval(opened: Any) -> None:
    bench: Bench = opened(ACT, FINISH)
    await bench.run()
    waiting = await bench.waits_for()
    assert [action["name"] for action in waiting[0]["action_requests"]] == ["act"]
    assert waiting[0]["action_requests"][0]["args"] == {"text": "danger"}
    assert bench.desk.notes == []
    state = await bench.run(Command(resume={"decisions": [{"type": "approve"}]}))
    assert sorted(bench.desk.notes) == ["danger", "free"]
    assert [(a.gate, a.decision, a.by) for a in state.approvals] == [("approve_tools", "approve", "person")]
    assert len(state.approvals[0].shown_sha256) == 64


@pytest.mark.parametrize(
    "wrong", [{"decisions": []}, {"decision": "yes"}, "yes", {"decisions": [{"type": "approve"}] * 2}]
)
async def test_an_unusable_answer_is_asked_again(opened: Any, wrong: Any) -> None:
    bench: Bench = opened(ACT, FINISH)
    await bench.run()
    await bench.run(Command(resume=wrong))
    assert bench.desk.notes == []
    assert len(await bench.waits_for()) == 1
    await bench.run(Command(resume={"decisions": [{"type": "approve"}]}))
    assert sorted(bench.desk.notes) == ["danger", "free"]


async def test_a_rejected_call_is_told_and_not_run(opened: Any) -> None:
    bench: Bench = opened(ACT, FINISH)
    await bench.run()
    await bench.run(Command(resume={"decisions": [{"type": "reject", "message": "too risky"}]}))
    told = {m.tool_call_id: m for m in bench.answers()}
    assert bench.desk.notes == ["free"]
    assert json.loads(str(told["a"].content))["error"] == "A person rejected this call, and it was not run: too risky"
    assert told["a"].status == "error"


async def test_an_edited_call_runs_as_edited(opened: Any) -> None:
    bench: Bench = opened(ACT, FINISH)
    await bench.run()
    edited = {"type": "edit", "edited_action": {"name": "act", "args": {"text": "safe"}}}
    await bench.run(Command(resume={"decisions": [edited]}))
    assert sorted(bench.desk.notes) == ["free", "safe"]
    told = {m.tool_call_id: str(m.content) for m in bench.answers()}
    assert told["a"] == (
        'A person changed the arguments of this call before it ran. text: "danger" → "safe"\nkept safe'
    )
    assert told["n"] == "kept free"


async def test_a_person_can_answer_in_place_of_a_tool(opened: Any) -> None:
    bench: Bench = opened(ACT, FINISH)
    await bench.run()
    state = await bench.run(Command(resume={"decisions": [{"type": "respond", "message": "it is 42"}]}))
    told = {m.tool_call_id: m for m in bench.answers()}
    assert bench.desk.notes == ["free"]
    assert (told["a"].content, told["a"].status) == ("A person answers, and the call was not run: it is 42", "success")
    assert [a.decision for a in state.approvals] == ["respond"]


def edit(name: str, arguments: Any) -> dict[str, Any]:
    return {"decisions": [{"type": "edit", "edited_action": {"name": name, "args": arguments}}]}


REFUSED = 'name = "never"\ntool = "act"\nwhen = { text = "*bomb*" }\ndecision = "refuse"\nwhy = "No bombs."'


@pytest.mark.parametrize(
    ("wrong", "says_why"),
    [
        (edit("note", {"text": "x"}), "'note', not of act"),
        (edit("act", "x"), "has no `args`"),
        (edit("act", {"text": "danger"}), "changes nothing"),
        (edit("act", {"txt": "x"}), "do not fit: text: Field required"),
        (edit("act", {"text": "a bomb"}), "The policy refuses this (rule never): No bombs."),
        ({"decisions": [{"type": "approve"}] * 2}, "One decision is needed, 2 were given"),
        ({"decisions": [{"type": "approve"}], "shown": "f" * 64}, "something else that was shown before"),
    ],
)
async def test_an_answer_that_does_not_fit_is_asked_again_with_the_reason(
    opened: Any, wrong: Any, says_why: str
) -> None:
    rules(REFUSED)
    bench: Bench = opened(ACT, FINISH)
    state = await bench.run()
    await bench.run(Command(resume=wrong))
    assert bench.desk.notes == []
    waiting = await bench.waits_for()
    assert says_why in waiting[0]["action_requests"][0]["description"]
    row = open_runs().get(open_runs().list()[0].name)
    assert says_why in (row.waiting or {})["problem"]
    state = await bench.run(Command(resume={"decisions": [{"type": "approve"}]}))
    assert sorted(bench.desk.notes) == ["danger", "free"]
    assert [a.decision for a in state.approvals] == ["approve"]


async def test_what_the_policy_refuses_is_told_to_the_engineer_and_nobody_is_asked(opened: Any) -> None:
    rules(REFUSED)
    bomb = says(call("note", {"text": "free"}, "n"), call("act", {"text": "a bomb"}, "a"))
    bench: Bench = opened(bomb, FINISH)
    state = await bench.run()
    told = {m.tool_call_id: m for m in bench.answers()}
    assert bench.desk.notes == ["free"]
    error = json.loads(str(told["a"].content))
    assert error["error"] == "The policy refuses this (rule never): No bombs. It was not run."
    assert told["a"].status == "error"
    assert [(a.decision, a.by, a.rule) for a in state.approvals] == [("reject", "rule", "never")]


async def test_an_answer_of_the_engineer_that_is_refused_whole_goes_back_to_it(opened: Any) -> None:
    rules(REFUSED)
    bench: Bench = opened(says(call("act", {"text": "a bomb"}, "a")), FINISH)
    state = await bench.run()
    assert (state.brief is not None, state.steps, bench.desk.notes) == (True, 2, [])


async def test_a_card_shows_no_secret(opened: Any) -> None:
    secret = "hf_" + "a1B2" * 9
    bench: Bench = opened(says(call("act", {"text": f"use {secret}"}, "a")), FINISH)
    await bench.run()
    asked = Answers().last(open_runs().list()[0].name)
    assert asked is not None
    assert secret not in json.dumps([await bench.waits_for(), open_runs().list()[0].waiting, asked.card])


SECRET = "hf_" + "a1B2" * 9
OTHER = "hf_" + "c3D4" * 9


async def _edited(opened: Any, text: str, change: Any) -> tuple[Bench, str]:
    """A run that waits with a call that has this text, answered with what `change` makes of the text that is shown."""
    bench: Bench = opened(says(call("act", {"text": text}, "a")), FINISH)
    await bench.run()
    shown = (await bench.waits_for())[0]["action_requests"][0]["args"]["text"]
    assert SECRET not in shown
    await bench.run(Command(resume=edit("act", {"text": change(shown)})))
    waiting = await bench.waits_for()
    return bench, waiting[0]["action_requests"][0]["description"] if waiting else ""


@pytest.fixture
def learnt_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is a secret becomes known between an engineer's answer and the card: the call itself still holds it."""
    monkeypatch.setattr("trainwright.nodes.guard.redact", lambda value: value)


@pytest.mark.usefixtures("learnt_late")
async def test_in_an_edited_call_a_secret_that_was_not_shown_stands_where_it_was(opened: Any) -> None:
    bench, again = await _edited(opened, f"push {SECRET} to a", lambda text: text.replace("to a", "to b"))
    assert (bench.desk.notes, again) == ([f"push {SECRET} to b"], "")
    assert SECRET not in str(bench.answers()[0].content).split("\nkept")[0]


async def test_a_mark_that_the_call_held_itself_stays_in_an_edit(opened: Any) -> None:
    bench, again = await _edited(opened, f"push {SECRET} {OTHER} to a", lambda text: text.replace("to a", "to b"))
    mark = "[redacted Hugging Face token]"
    assert (bench.desk.notes, again) == ([f"push {mark} {mark} to b"], "")


@pytest.mark.usefixtures("learnt_late")
@pytest.mark.parametrize(
    ("text", "change", "says_why"),
    [
        (f"push {SECRET}", str, "changes nothing"),
        (f"push {SECRET} {OTHER}", lambda text: text + " now", "cannot be told which secret"),
        ("push", lambda text: text + " [redacted Hugging Face token]", "cannot be told which secret"),
    ],
)
async def test_no_mark_that_stands_for_a_secret_is_ever_run(opened: Any, text: str, change: Any, says_why: str) -> None:
    bench, again = await _edited(opened, text, change)
    assert bench.desk.notes == []
    assert says_why in again


async def test_a_card_of_calls_says_where_who_pays_what_remains_and_what_changed(opened: Any) -> None:
    again = says(call("act", {"text": "more danger"}, "b"))
    bench: Bench = opened(ACT, again, FINISH)
    await bench.run(max_usd=1.5)
    first = (await bench.waits_for())[0]["action_requests"][0]["description"]
    for label in ("action: ", "where: ", "pays: nobody", "estimate: ", "remains: ", "asked because: ", "on no: "):
        assert label in first
    assert "$1.50 (max_usd)" in first
    assert "changed: " not in first
    await bench.run(Command(resume={"decisions": [{"type": "approve"}]}))
    second = (await bench.waits_for())[0]["action_requests"][0]["description"]
    assert "changed: act, text: danger → more danger" in second
    waiting = open_runs().list()[0].waiting or {}
    terminal = "\n".join(item.plain() for item in waiting_lines(waiting))
    assert all(
        row in terminal for row in second.splitlines() if row.startswith(("where", "pays", "remains", "changed"))
    )


async def test_with_a_policy_that_was_broken_meanwhile_no_call_is_answered_and_it_asks_again(opened: Any) -> None:
    bench: Bench = opened(ACT, FINISH)
    await bench.run()
    rules('name = "half"\ntool = "plan"')
    await bench.run(Command(resume={"decisions": [{"type": "approve"}]}))
    assert bench.desk.notes == []
    (waiting,) = await bench.waits_for()
    assert "No answer can be taken now" in waiting["action_requests"][0]["description"]
    rules()
    state = await bench.run(Command(resume={"decisions": [{"type": "approve"}]}))
    assert sorted(bench.desk.notes) == ["danger", "free"]
    assert [a.decision for a in state.approvals] == ["approve"]


async def test_what_a_rule_allows_runs_without_a_question(opened: Any) -> None:
    rules('name = "mine"\ntool = "act"\ndecision = "allow"')
    bench: Bench = opened(ACT, FINISH)
    await bench.run()
    assert sorted(bench.desk.notes) == ["danger", "free"]


async def test_a_rule_that_becomes_stricter_while_a_person_is_asked_holds(opened: Any) -> None:
    bench: Bench = opened(ACT, FINISH)
    await bench.run()
    rules('name = "later"\ntool = "act"\ndecision = "refuse"\nwhy = "Not any more."')
    state = await bench.run(Command(resume={"decisions": [{"type": "approve"}]}))
    assert bench.desk.notes == ["free"]
    assert [(a.decision, a.rule) for a in state.approvals] == [("reject", "later")]


TWO = says(call("act", {"text": "one"}, "1"), call("note", {"text": "free"}, "n"), call("act", {"text": "two"}, "2"))


async def test_several_calls_are_one_question_and_each_has_its_own_answer(opened: Any) -> None:
    bench: Bench = opened(TWO, FINISH)
    await bench.run()
    waiting = await bench.waits_for()
    assert [action["args"]["text"] for action in waiting[0]["action_requests"]] == ["one", "two"]
    given = [{"type": "reject", "message": "not this"}, {"type": "approve"}]
    await bench.run(Command(resume={"decisions": given}))
    assert sorted(bench.desk.notes) == ["free", "two"]
    assert "not this" in str({m.tool_call_id: m for m in bench.answers()}["1"].content)


async def test_past_the_deadline_of_a_rule_no_call_runs(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rules('name = "soon"\ntool = "act"\ndecision = "ask"\ndeadline_hours = 1')
    bench: Bench = opened(ACT, FINISH)
    await bench.run()
    waiting = await bench.waits_for()
    assert "by rule soon; no answer until then counts as no" in waiting[0]["action_requests"][0]["description"]
    later = datetime.now(UTC) + timedelta(hours=2)
    monkeypatch.setattr("trainwright.graph.answers.moment", lambda: later)
    state = await bench.run(Command(resume={"decisions": [{"type": "approve"}]}))
    assert bench.desk.notes == ["free"]
    assert [(a.decision, a.by, a.rule) for a in state.approvals] == [("reject", "rule", "soon")]
    assert "The deadline for an approval passed" in str({m.tool_call_id: m for m in bench.answers()}["a"].content)


async def test_a_second_question_of_the_same_stage_is_not_answered_by_the_first_answer(opened: Any) -> None:
    again = says(call("act", {"text": "more danger"}, "b"))
    bench: Bench = opened(ACT, again, FINISH)
    await bench.run()
    await bench.run(Command(resume={"decisions": [{"type": "approve"}]}))
    assert sorted(bench.desk.notes) == ["danger", "free"]
    assert (await bench.waits_for())[0]["action_requests"][0]["args"] == {"text": "more danger"}


async def test_what_no_rule_allows_waits_for_a_person_whatever_approvals_say(opened: Any) -> None:
    bench: Bench = opened(ACT, FINISH)
    await bench.run(approvals="auto")
    assert bench.desk.notes == []
    assert len(await bench.waits_for()) == 1


async def test_at_the_cap_everything_is_kept_and_a_higher_cap_goes_on_there(opened: Any) -> None:
    turns = [says(call("note", {"text": str(i)}, f"c{i}")) for i in range(5)]
    bench: Bench = opened(*turns, FINISH)
    state = await bench.run(step_cap=3)
    assert (state.status, state.steps, state.brief) == (Status.STEP_LIMIT, 3, None)
    assert state.stopped_at == "read_paper"
    assert (run_path(state.run) / state.carry).is_file()

    changes = {"status": Status.RUNNING, "settings": state.settings.model_copy(update={"step_cap": 9})}  # type: ignore[union-attr]
    await bench.graph.aupdate_state(CONFIG, changes, as_node="read_paper")
    await bench.graph.aupdate_state(CONFIG, GOAL, as_node="__start__")
    state = await bench.run(None)
    assert (state.status, state.steps) == (Status.RUNNING, 6)
    assert bench.desk.notes == ["0", "1", "2", "3", "4"], "no tool ran twice"
    assert [m.content for m in bench.answers()] == [f"kept {i}" for i in range(5)], "the transcript went on"


def _kilobytes(number: int) -> Turn:
    def turn(transcript: Sequence[Any]) -> AIMessage:
        return says(call("note", {"text": f"{number}:" + "x" * 2_900}, f"c{number}"))

    return turn


@pytest.mark.slow
async def test_three_hundred_steps_of_three_kilobytes_stay_small(own_home: Path) -> None:
    engineer, desk = Scripted([*map(_kilobytes, range(299)), FINISH]), Desk()
    async with open_checkpointer() as checkpointer:
        bench = Bench(one_stage(engineer, desk, checkpointer), engineer, desk)
        state = await bench.run(step_cap=300)
    assert (state.steps, state.brief is not None, len(desk.notes)) == (300, True, 299)
    files = list(own_home.glob("runs.db*"))
    assert [path.name for path in files] == ["runs.db"], "the write-ahead log is folded in at closing"
    assert files[0].stat().st_size < 10 * 2**20
