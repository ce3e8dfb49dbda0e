"""A call of `research` inside a stage: one answer, turns that count, limits that hold, failures that end nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from tests.graph.scripted import FINISH, call, says
from trainwright.graph.errors import LimitReached, ModelError
from trainwright.graph.ledger import Ledger
from trainwright.graph.settings import run_path
from trainwright.graph.state import Status
from trainwright.tools.research.bench import HelperBench
from trainwright.tools.research.finding import MOST

from .helping import Library, Team, asks, looks, report, run, steps_of

TEXT = "With C=10 the machine reaches an accuracy of 98.9 % on digits."


def reader(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
    """Looks one thing up, and reports on it."""
    return looks("doc-a") if turn == 0 else report("C=10 is best.", "doc-a", "an accuracy of 98.9 % on digits")


async def test_three_questions_are_one_answer(saver: Any, library: Library) -> None:
    library.texts["doc-a"] = TEXT
    library.meet = threading.Barrier(3)
    team = Team([says(asks("What is C?", "What is gamma?", "Which kernel?", context="SVM on digits")), FINISH], reader)
    state, events = await run(team, saver)
    (answer,) = team.answers()
    found = json.loads(str(answer.content))
    assert [one["question"] for one in found["findings"]] == ["What is C?", "What is gamma?", "Which kernel?"]
    assert {one["status"] for one in found["findings"]} == {"answered"}
    assert found["findings"][0]["claims"][0]["evidence"][0]["quote"] == "an accuracy of 98.9 % on digits"
    assert state.steps == 2 + 3 * 2
    assert steps_of(state.run) == state.steps
    assert Ledger().table(state.run)["research"]["steps"] == 6
    assert json.loads((run_path(state.run) / found["file"]).read_text())["findings"] == found["findings"]
    kinds = [(e["event"], e.get("phase")) for e in events if e["event"] in ("research", "helper")]
    assert kinds[0] == ("research", "start")
    assert kinds[-1] == ("research", "end")
    assert kinds.count(("helper", "turn")) == 6
    assert all(bench.context == "SVM on digits" for bench in team.benches)


async def test_no_more_helpers_at_once_than_are_allowed(saver: Any, library: Library) -> None:
    library.texts["doc-a"] = TEXT
    library.meet = threading.Barrier(2)
    team = Team([says(asks(*(f"question {n}" for n in range(6)))), FINISH], reader)
    state, _ = await run(team, saver, research_parallel=2)
    assert library.together == 2
    assert len(json.loads(str(team.answers()[0].content))["findings"]) == 6
    assert state.steps == 2 + 12


async def test_a_second_call_in_the_same_answer_is_refused(saver: Any, library: Library) -> None:
    library.texts["doc-a"] = TEXT
    team = Team([says(asks("one?"), asks("two?", identity="r-2"), call("note", {"text": "x"}, "n")), FINISH], reader)
    state, _ = await run(team, saver)
    answers = {m.tool_call_id: m for m in team.answers()}
    assert "Put the questions together" in str(answers["r-2"].content)
    assert answers["r-2"].status == "error"
    assert json.loads(str(answers["r-1"].content))["findings"][0]["status"] == "answered"
    assert answers["n"].content == "kept x"
    assert state.steps == 4


@pytest.mark.parametrize(
    "arguments", [{}, {"questions": []}, {"questions": ["a good question"] * 7}, {"question": "x"}]
)
async def test_a_call_that_does_not_fit_is_told_so(saver: Any, library: Library, arguments: dict[str, Any]) -> None:
    team = Team([says(call("research", arguments)), FINISH], reader)
    state, _ = await run(team, saver)
    assert "do not fit" in str(team.answers()[0].content)
    assert not team.helped
    assert state.steps == 2


async def test_what_nobody_read_is_left_out_and_counted(saver: Any, library: Library) -> None:
    library.texts["doc-a"] = TEXT

    def invents(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        return looks("doc-a") if turn == 0 else report("It is 99.9 %.", "doc-a", "an accuracy of 99.9 % on digits")

    team = Team([says(asks("How good?")), FINISH], invents)
    await run(team, saver)
    (finding,) = json.loads(str(team.answers()[0].content))["findings"]
    assert "claims" not in finding
    assert finding["status"] == "partial"
    assert finding["notes"][0].startswith("1 claim left out")


async def test_a_record_of_an_answer_that_is_too_long_can_be_quoted(
    saver: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = [{"id": f"2403.{n:05}", "abstract": f"{TEXT} " * 20} for n in range(200)]
    monkeypatch.setattr(library, "look", lambda bench, wanted: {"papers": papers})

    def quotes(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        return looks("doc-a") if turn == 0 else report("C=10.", "2403.00001", "an accuracy of 98.9 % on digits")

    team = Team([says(asks("one?")), FINISH], quotes)
    await run(team, saver)
    (finding,) = json.loads(str(team.answers()[0].content))["findings"]
    assert finding["claims"][0]["evidence"][0]["source"] == "2403.00001"


async def test_a_helper_is_told_to_finish_and_ends_at_its_turns(saver: Any, library: Library) -> None:
    heard: list[list[AnyMessage]] = []

    def goes_on(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        heard.append(list(transcript))
        library.texts[f"{bench.question}-{turn}"] = "nothing of interest"
        return looks(f"{bench.question}-{turn}")

    team = Team([says(asks("endless?")), FINISH], goes_on)
    state, _ = await run(team, saver, research_turns=4)
    (finding,) = json.loads(str(team.answers()[0].content))["findings"]
    assert finding["status"] == "failed"
    assert finding["why"] == "Its 4 turns are used up."
    assert finding["turns"] == 4
    assert finding["read"] == [f"endless?-{n}" for n in range(4)]
    assert state.steps == 2 + 4
    hints = [m.text for m in heard[-1] if isinstance(m, HumanMessage)][1:]
    assert hints == ["One more turn after this: report now.", "This is your last turn: report now with `finish`."]


@pytest.mark.parametrize(("turns", "told"), [(1, [True]), (2, [False, True]), (3, [False, True, True])])
async def test_nobody_is_told_to_report_before_anything_was_read(
    saver: Any, library: Library, turns: int, told: list[bool]
) -> None:
    heard: list[bool] = []

    def goes_on(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        heard.append("report now" in transcript[-1].text)
        library.texts[f"{turn}"] = "nothing"
        return looks(f"{turn}")

    await run(Team([says(asks("one?")), FINISH], goes_on), saver, research_turns=turns)
    assert heard == told


async def test_the_cap_of_the_run_holds_exactly_with_helpers(saver: Any, library: Library) -> None:
    def goes_on(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        library.texts[f"{turn}"] = "nothing"
        return looks(f"{turn}")

    team = Team([says(asks("one?", "two?", "three?")), says(call("note", {"text": "on"})), FINISH], goes_on)
    state, _ = await run(team, saver, step_cap=11)
    # 1 of the stage, (11 - 1 - 1 kept back) // 3 of each helper, then the last one of the stage.
    assert len(team.helped) == 9
    assert state.steps == 11
    assert steps_of(state.run) == 11
    assert state.status == Status.STEP_LIMIT


async def test_the_turns_of_helpers_count_against_the_limit_of_their_stage(saver: Any, library: Library) -> None:
    library.texts["doc-a"] = TEXT
    team = Team([says(asks("one?", "two?")), FINISH], reader)
    state, _ = await run(team, saver, stages={"read_paper": {"step_cap": 4}})
    assert len(team.helped) == 2
    assert state.steps == 4


async def test_three_helpers_that_all_fail_are_a_finding_that_says_so(saver: Any, library: Library) -> None:
    def fails(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        if bench.question == "one?":
            raise ModelError("The model is down.", hint="Try again later.")
        if bench.question == "two?":
            raise ZeroDivisionError("a bug")
        raise LimitReached("research_max_usd", "No money is left.")

    team = Team([says(asks("one?", "two?", "three?")), FINISH], fails)
    began = time.monotonic()
    state, _ = await run(team, saver)
    assert time.monotonic() - began < 10
    found = json.loads(str(team.answers()[0].content))
    whys = [one["why"] for one in found["findings"]]
    assert [one["status"] for one in found["findings"]] == ["failed"] * 3
    assert "The model is down." in whys[0]
    assert "ZeroDivisionError: a bug" in whys[1]
    assert "No money is left." in whys[2]
    assert "No question could be answered" in found["notes"][0]
    assert state.brief is not None
    assert state.steps == 2
    assert steps_of(state.run) == 2
    assert not Ledger().open(state.run)


async def test_a_helper_whose_time_is_over_is_not_waited_for(saver: Any, library: Library) -> None:
    never = threading.Event()

    def hangs(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        never.wait(20)
        return report()

    team = Team([says(asks("one?", "two?", "three?")), FINISH], hangs)
    began = time.monotonic()
    try:
        state, _ = await run(team, saver, research_minutes=0.3 / 60)
    finally:
        never.set()
    assert time.monotonic() - began < 5
    found = json.loads(str(team.answers()[0].content))
    assert all("minutes are over" in one["why"] for one in found["findings"])
    assert state.steps == 2


async def test_a_lookup_that_hangs_is_not_waited_for(
    saver: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    monkeypatch.setattr("trainwright.nodes.research_calls.GRACE", 0.1)
    monkeypatch.setattr(library, "look", lambda bench, wanted: never.wait(20))
    team = Team([says(asks("one?")), FINISH], lambda bench, transcript, turn: looks("doc-a"))
    began = time.monotonic()
    try:
        await run(team, saver, research_minutes=0.5 / 60)
    finally:
        never.set()
    assert time.monotonic() - began < 5
    (finding,) = json.loads(str(team.answers()[0].content))["findings"]
    assert "minutes are over" in finding["why"]


async def test_a_helper_has_no_person_and_no_other_tools(saver: Any, library: Library) -> None:
    answers: list[ToolMessage] = []
    tried = ("shell", "write_file", "research", "note", "act", "give_up", "ask", "read_output", "find_tool")

    def tries(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        answers[:] = [m for m in transcript if isinstance(m, ToolMessage)]
        if turn == 0:
            return says(*(call(name, {"text": "x"}, f"c-{name}") for name in tried[:8]))
        if turn == 1:
            return says(call("web", {"id": "https://collector.example/x"}), call(tried[8], {}, "c9"))
        return report()

    team = Team([says(asks("one?")), FINISH], tries)
    await run(team, saver)
    by = {m.name: m for m in answers}
    assert {by[name].status for name in tried} == {"error"}
    assert all("There is no" in str(by[name].content) for name in tried)
    assert "nobody to ask" in str(by["web"].content)
    assert not library.asked


async def test_a_helper_that_stops_gets_one_reminder(saver: Any, library: Library) -> None:
    team = Team([says(asks("one?")), FINISH], lambda bench, transcript, turn: says(text="Hm."))
    state, _ = await run(team, saver)
    (finding,) = json.loads(str(team.answers()[0].content))["findings"]
    assert "after a reminder" in finding["why"]
    assert state.steps == 4


async def test_a_helper_that_goes_round_in_circles_ends(saver: Any, library: Library) -> None:
    library.texts["doc-a"] = "nothing"
    hints: list[str] = []

    def circles(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        hints[:] = [m.text for m in transcript[1:] if isinstance(m, HumanMessage)]
        return looks("doc-a")

    team = Team([says(asks("one?")), FINISH], circles)
    state, _ = await run(team, saver, research_turns=50)
    assert "say with finish what is in the way" in hints[0]
    (finding,) = json.loads(str(team.answers()[0].content))["findings"]
    assert "round in circles" in finding["why"]
    assert state.steps < 2 + 20
    assert library.asked.count("doc-a") < 10


async def test_an_unexpected_error_of_a_lookup_is_its_answer(saver: Any, library: Library) -> None:
    answers: list[str] = []

    def goes(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        answers[:] = [str(m.content) for m in transcript if isinstance(m, ToolMessage)]
        return looks("unknown") if turn == 0 else report(status="failed")

    team = Team([says(asks("one?")), FINISH], goes)
    state, _ = await run(team, saver)
    assert "KeyError" in answers[0]
    assert state.brief is not None


async def test_the_answer_is_bounded(saver: Any, library: Library) -> None:
    library.texts["doc-a"] = "this is a long quote. " * 2_000

    def much(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        if turn == 0:
            return looks("doc-a")
        quotes = [{"source": "doc-a", "quote": "this is a long quote. " * 20}] * 5
        claims = [{"text": "words " * 100, "evidence": quotes}] * 20
        recipes = [
            {"paper": "doc-a", "method": "m " * 700, "sources": quotes, "hyperparameters": {"x" * 90: "y" * 900}}
        ] * 10
        return says(
            call("finish", {"status": "answered", "summary": "s " * 1_500, "claims": claims, "recipes": recipes})
        )

    team = Team([says(asks(*(f"question {n}? {'why ' * 200}" for n in range(6)))), FINISH], much)
    state, _ = await run(team, saver)
    content = str(team.answers()[0].content)
    found = json.loads(content)
    assert len(content) <= MOST
    assert len(found["findings"]) == 6
    assert any("Too long for one answer" in note for note in found["notes"])
    whole = json.loads((run_path(state.run) / found["file"]).read_text())
    assert len(whole["findings"][0]["claims"]) == 20
    assert len(whole["findings"][0]["recipes"]) == 10
