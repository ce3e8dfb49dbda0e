"""What the policy decides at a gate before a person is asked, whose answer counts, and what a card says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from tests.runs.policies import rules
from trainwright.cli.cards import waiting_lines
from trainwright.graph.answers import Answers, TooLate
from trainwright.graph.driver import start
from trainwright.graph.errors import RequestError
from trainwright.graph.runs import open_runs
from trainwright.graph.state import Question, Request, Settings, State, Status
from trainwright.nodes.approve import GATES
from trainwright.nodes.ask_person import ask_person
from trainwright.nodes.gate import card_sha256, gate_node

from .test_gates import APPROVE, PLAN, REJECT, RESULT, edit, state

__all__ = ["state"]

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class Bench:
    """One gate between start and end, asked again as long as its answers cannot be used."""

    def __init__(self, gate: str, begin: State) -> None:
        self.gate = next((g for g in GATES if g.name == gate), None)
        graph = StateGraph(State, context_schema=Settings)
        graph.add_node(gate, gate_node(self.gate) if self.gate else ask_person)
        graph.add_edge(START, gate)
        graph.add_conditional_edges(gate, lambda s: gate if s.problem else END, [gate, END])
        self.graph, self.begin = graph.compile(checkpointer=InMemorySaver()), begin
        open_runs().open("t", begin.run, "", {}, {})

    async def go(self, given: Any = None) -> State:
        """Invoke it: with the state, or with an answer."""
        command = self.begin if given is None else Command(resume=given)
        await self.graph.ainvoke(command, CONFIG)
        return State.model_validate((await self.graph.aget_state(CONFIG)).values)

    async def waits(self) -> dict[str, Any] | None:
        """The request that it waits with."""
        found = (await self.graph.aget_state(CONFIG)).interrupts
        return found[0].value if found else None


def decisions(*given: dict[str, Any], shown: str = "") -> dict[str, Any]:
    return {"decisions": list(given), "shown": shown}


async def test_what_the_policy_refuses_ends_the_run_and_names_the_rule(state: State) -> None:
    rules('name = "no jobs here"\ntool = "job"\ndecision = "refuse"\nwhy = "This machine trains nothing."')
    bench = Bench("approve_job", state)
    after = await bench.go()
    assert (after.status, after.stopped_at) == (Status.FAILED, "approve_job")
    assert "no jobs here" in after.reason
    assert "This machine trains nothing." in after.reason
    assert [(a.decision, a.by, a.rule) for a in after.approvals] == [("reject", "rule", "no jobs here")]


async def test_what_the_policy_allows_is_approved_by_that_rule_and_nobody_is_asked(state: State) -> None:
    rules('name = "plans are mine"\ntool = "plan"\ndecision = "allow"')
    after = await Bench("approve_plan", state).go()
    assert [(a.decision, a.by, a.rule) for a in after.approvals] == [("approve", "rule", "plans are mine")]
    assert after.status == Status.RUNNING


WORSE = RESULT.model_copy(update={"value": 0.4})


@pytest.mark.parametrize("approvals", ["ask", "auto"])
async def test_the_guard_of_a_gate_holds_whatever_a_rule_allows(state: State, approvals: str) -> None:
    rules('name = "publish all"\ntool = "publication"\ndecision = "allow"')
    settings = Settings.model_validate({"approvals": approvals})
    bench = Bench("approve_publish", state.model_copy(update={"evaluation": WORSE, "settings": settings}))
    after = await bench.go()
    if approvals == "auto":
        assert (after.status, after.approvals[0].decision) == (Status.GAVE_UP, "reject")
        assert "no better than a model that ignores its input" in after.reason
    else:
        assert after.approvals == []
        assert await bench.waits() is not None, "a person decides what the guard does not let a rule decide"


async def test_with_auto_approvals_a_question_of_the_policy_waits_and_is_never_a_yes(state: State) -> None:
    rules('name = "ask me"\ntool = "plan"\ndecision = "ask"')
    auto = state.model_copy(update={"settings": Settings(approvals="auto")})
    bench = Bench("approve_plan", auto)
    after = await bench.go()
    assert after.approvals == []
    assert await bench.waits() is not None
    row = open_runs().get("r")
    assert (row.status, row.waiting and row.waiting["standing"]["rule"]) == ("waiting", "ask me")
    done = await bench.go(decisions(APPROVE))
    assert [(a.by, a.rule) for a in done.approvals] == [("person", "ask me")]


async def test_who_was_asked_is_waited_for_though_the_policy_allows_it_by_now(state: State) -> None:
    bench = Bench("approve_plan", state)
    await bench.go()
    rules('name = "plans are mine"\ntool = "plan"\ndecision = "allow"')
    after = await bench.go(decisions(REJECT))
    assert [(a.decision, a.by) for a in after.approvals] == [("reject", "person")]


@pytest.mark.parametrize("gate", ["approve_plan", "approve_job", "approve_publish"])
async def test_a_card_says_where_who_pays_what_remains_and_what_happens_on_no(state: State, gate: str) -> None:
    bench = Bench(gate, state)
    await bench.go()
    request = await bench.waits()
    assert request is not None
    text = request["action_requests"][0]["description"]
    for label in ("action: ", "where: ", "pays: ", "estimate: ", "remains: ", "asked because: ", "on no: "):
        assert label in text
    assert "$0.00 (max_usd)" in text
    waiting = open_runs().get("r").waiting or {}
    assert waiting["shown"] == request["shown"]


async def test_a_machine_that_costs_is_said_to_cost_and_is_asked_about(state: State) -> None:
    paid = Settings(approvals="auto", machine_usd_per_hour=1.5)
    bench = Bench("approve_job", state.model_copy(update={"settings": paid}))
    await bench.go()
    request = await bench.waits()
    assert request is not None, "no rule allows what costs"
    assert request["action_requests"][0]["args"]["usd"] == pytest.approx(0.375)
    text = request["action_requests"][0]["description"]
    assert "you, for this machine, at $1.5 an hour" in text
    assert "does not fit into max_usd" in text


async def test_what_changes_by_itself_is_shown_and_not_bound(state: State) -> None:
    gate = next(g for g in GATES if g.name == "approve_job")
    before = card_sha256(gate.card(state))
    more = state.model_copy(update={"steps": 200, "settings": Settings(step_cap=9_000, max_hours=3.0)})
    assert card_sha256(gate.card(more)) == before
    assert gate.standing(more) != gate.standing(state)


async def test_the_difference_is_to_what_was_approved_last(state: State) -> None:
    gate = next(g for g in GATES if g.name == "approve_plan")
    edited = await Bench("approve_plan", state).go()
    assert edited.approvals == []
    Answers().agree("r", "approve_plan", gate.card(state))
    other = state.model_copy(update={"plan": PLAN.model_copy(update={"metric": "f1"})})
    more = gate.more(other, gate.card(other), Answers().agreed("r", "approve_plan"))
    assert more["changed"] == ["metric: accuracy → f1"]
    publish = next(g for g in GATES if g.name == "approve_publish")
    better = state.model_copy(update={"evaluation": RESULT.model_copy(update={"value": 0.95})})
    changed = publish.more(better, publish.card(better), publish.card(state))["changed"]
    assert changed == ["score: accuracy 0.9000 → accuracy 0.9500"]


async def test_an_answer_to_another_card_is_refused(state: State) -> None:
    bench = Bench("approve_plan", state)
    await bench.go()
    after = await bench.go(decisions(APPROVE, shown="0" * 64))
    assert "something else" in after.problem
    assert after.approvals == []
    request = await bench.waits()
    assert request is not None
    done = await bench.go(decisions(APPROVE, shown=request["shown"]))
    assert [a.decision for a in done.approvals] == ["approve"]


async def test_an_answer_that_was_stored_first_is_the_one_that_counts(state: State) -> None:
    bench = Bench("approve_plan", state)
    await bench.go()
    asked = Answers().last("r")
    assert asked is not None
    stored = {"type": "reject", "message": "Not so.", "edited_action": None}
    Answers().give(asked.key, {1: stored}, "the terminal")
    after = await bench.go(decisions(APPROVE))
    assert [(a.decision, a.message) for a in after.approvals] == [("reject", "Not so.")]
    assert any("came too late" in note and "rejected by a person (the terminal)" in note for note in after.notes)
    with pytest.raises(TooLate, match=r"first one counts. approve_plan: rejected by a person"):
        Answers().give(asked.key, {1: {**stored, "type": "approve"}}, "another terminal")
    assert Answers().give(asked.key, {1: stored}, "another terminal").answers[1].via == "the terminal"


async def test_an_answer_that_cannot_be_used_is_not_kept(state: State) -> None:
    bench = Bench("approve_plan", state)
    await bench.go()
    asked = Answers().last("r")
    assert asked is not None
    wrong = {"type": "edit", "message": "", "edited_action": {"name": "approve_plan", "args": {"metric": "nonsense"}}}
    Answers().give(asked.key, {1: wrong}, "the terminal")
    after = await bench.go({"decisions": [wrong]})
    assert "There is no metric 'nonsense'" in after.problem
    assert Answers().again(asked).open == [1]
    done = await bench.go(edit("approve_plan", {"metric": "f1"}))
    assert (done.plan and done.plan.metric, done.approvals[-1].decision) == ("f1", "edit")


DEADLINE = 'name = "soon"\ntool = "{tool}"\ndecision = "ask"\ndeadline_hours = 2'


@pytest.mark.parametrize("gate", ["approve_plan", "ask_person"])
async def test_past_a_deadline_any_answer_counts_as_a_rejection(
    state: State, gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(DEADLINE.format(tool="plan" if gate == "approve_plan" else "question"))
    begin = state.model_copy(update={"question": Question(key="k", text="Which?", back_to="plan")})
    bench = Bench(gate, begin)
    await bench.go()
    request = await bench.waits()
    assert request is not None
    assert "deadline: " in request["action_requests"][0]["description"]
    asked = Answers().last("r")
    assert asked is not None
    assert asked.until is not None
    later = datetime.now(UTC) + timedelta(hours=3)
    monkeypatch.setattr("trainwright.graph.answers.moment", lambda: later)
    yes = APPROVE if gate == "approve_plan" else {"type": "respond", "message": "a"}
    after = await bench.go(decisions(yes))
    assert after.status == Status.REJECTED
    assert any("deadline" in note and "rule soon" in note for note in after.notes)
    assert after.approvals[-1].decision == "reject"
    assert after.answers == {}


async def test_a_clock_that_was_set_back_lets_no_deadline_pass(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    rules(DEADLINE.format(tool="plan"))
    bench = Bench("approve_plan", state)
    await bench.go()
    earlier = datetime.now(UTC) - timedelta(days=400)
    monkeypatch.setattr("trainwright.graph.answers.moment", lambda: earlier)
    monkeypatch.setattr("trainwright.nodes.waiting.moment", lambda: earlier)
    after = await bench.go(decisions(APPROVE))
    assert [a.decision for a in after.approvals] == ["approve"]


async def test_without_a_rule_an_answer_has_no_deadline(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench("approve_plan", state)
    await bench.go()
    later = datetime.now(UTC) + timedelta(days=4_000)
    monkeypatch.setattr("trainwright.graph.answers.moment", lambda: later)
    after = await bench.go(decisions(APPROVE))
    assert [a.decision for a in after.approvals] == ["approve"]


async def test_an_edit_of_the_code_that_was_cut_short_by_a_kill_is_made_again(state: State) -> None:
    gate = next(g for g in GATES if g.name == "approve_job")
    files = {"files": {"train.py": "x = 3\n"}}
    first = gate.on_edit(state, files)
    second = gate.on_edit(state, files)  # the state is that of before, the files lie there already
    assert first["code"].sha256 == second["code"].sha256
    assert first["code"].commit == second["code"].commit


async def test_no_run_begins_with_a_policy_that_cannot_be_read() -> None:
    rules('name = "half"\ntool = "plan"')
    with pytest.raises(RequestError, match="half"):
        [event async for event in start(Request(goal="g", data="sklearn:wine"), Settings())]
    assert open_runs().list() == []


@pytest.mark.parametrize("gate", ["approve_plan", "approve_publish"])
async def test_with_a_policy_that_was_broken_meanwhile_a_gate_takes_no_answer_and_asks_again(
    state: State, gate: str
) -> None:
    bench = Bench(gate, state)
    await bench.go()
    rules('name = "half"\ntool = "plan"')
    for _ in range(2):
        after = await bench.go(decisions(APPROVE))
        assert (after.status, after.approvals) == (Status.RUNNING, [])
        assert "No answer can be taken now" in after.problem
        assert "half" in after.problem
        request = await bench.waits()
        assert request is not None
        assert after.problem in request["action_requests"][0]["description"]
        assert (open_runs().get("r").waiting or {})["problem"] == after.problem
    rules()
    done = await bench.go(decisions(APPROVE))
    assert [(a.decision, a.by) for a in done.approvals] == [("approve", "person")]


async def test_a_gate_that_never_asked_ends_the_run_if_the_policy_cannot_be_read(state: State) -> None:
    rules('name = "half"\ntool = "plan"')
    after = await Bench("approve_plan", state).go()
    assert (after.status, after.stopped_at, after.approvals) == (Status.FAILED, "approve_plan", [])
    assert "half" in after.reason


def asking(state: State) -> State:
    return state.model_copy(update={"question": Question(key="k", text="The model costs more. Go on?", back_to="plan")})


@pytest.mark.parametrize("when", ["before it asks", "while it waits"])
async def test_a_question_needs_no_policy(state: State, when: str) -> None:
    bench = Bench("ask_person", asking(state))
    if when == "while it waits":
        await bench.go()
    rules('name = "half"\ntool = "plan"')
    if when == "before it asks":
        await bench.go()
    assert await bench.waits() is not None
    done = await bench.go(decisions({"type": "respond", "message": "yes"}))
    assert (done.answers, done.problem) == ({"k": "yes"}, "")


async def test_a_question_that_cannot_be_asked_ends_the_run_with_a_report(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("trainwright.nodes.ask_person.ask", broken)
    after = await Bench("ask_person", asking(state)).go()
    assert (after.status, after.stopped_at, after.question) == (Status.FAILED, "plan", None)
    assert "ZeroDivisionError" in after.reason


async def test_a_question_says_the_same_on_the_terminal_and_in_the_request(state: State) -> None:
    bench = Bench("ask_person", asking(state))
    await bench.go()
    request = await bench.waits()
    assert request is not None
    text = request["action_requests"][0]["description"]
    terminal = "\n".join(item.plain() for item in waiting_lines(open_runs().get("r").waiting or {}))
    for shown in (text, terminal):
        assert "The model costs more. Go on?" in shown
        assert "on no: nothing is answered for you" in shown
        assert "asked because" not in shown, "it asks because of what it asks"


async def test_a_deadline_that_passed_at_a_question_is_no_act_of_a_person(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(DEADLINE.format(tool="question"))
    bench = Bench("ask_person", asking(state))
    await bench.go()
    later = datetime.now(UTC) + timedelta(hours=3)
    monkeypatch.setattr("trainwright.graph.answers.moment", lambda: later)
    after = await bench.go(decisions({"type": "respond", "message": "yes"}))
    assert [(a.decision, a.by, a.rule) for a in after.approvals] == [("reject", "rule", "soon")]
    assert "deadline" in after.reason
    assert "person did not" not in after.reason


@pytest.mark.parametrize("gate", ["approve_plan", "ask_person"])
async def test_however_short_a_deadline_is_the_invocation_that_begins_to_ask_rejects_nothing(
    state: State, gate: str
) -> None:
    short = DEADLINE.format(tool="plan" if gate == "approve_plan" else "question").replace("= 2", "= 1e-9")
    rules(short)
    bench = Bench(gate, asking(state))
    began = await bench.go()
    assert (began.status, began.approvals) == (Status.RUNNING, [])
    assert await bench.waits() is not None
    after = await bench.go(decisions(APPROVE))
    assert [(a.decision, a.by) for a in after.approvals] == [("reject", "rule")]


async def test_a_deadline_begins_after_the_notice(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("trainwright.nodes.waiting.notice_of_waiting", lambda *_: seen.append(Answers().last("r")))
    await Bench("approve_plan", state).go()
    assert seen == [None], "nothing was asked, so that no deadline ran, when the notice went out"
