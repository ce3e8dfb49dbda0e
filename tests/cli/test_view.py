"""A run as its events tell it."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.cli.view import ORDER, RunView, event_lines, metric_line

Event = dict[str, Any]


def events(*given: Event) -> list[Event]:
    return [{"run": "digits-1", "at": "2026-01-01T00:00:00+00:00", **event} for event in given]


def seen(*given: Event) -> RunView:
    """The view after these events, one a second."""
    view = RunView(0.0)
    for second, event in enumerate(events(*given), start=1):
        view.take(event, float(second))
    return view


def node(name: str, phase: str, **more: Any) -> Event:
    return {"event": "node", "node": name, "phase": phase, **more}


def phases(view: RunView) -> dict[str, str]:
    return {name: item.phase for name, item in view.nodes.items() if item.phase != "ahead"}


def test_the_order_is_that_of_the_graph() -> None:
    from trainwright.graph.picture import edges

    in_graph = {name for edge in edges() for name in edge[:2]} - {"__start__", "__end__", "ask_person"}
    assert in_graph == set(ORDER)
    straight = {edge[:2] for edge in edges()}
    assert all(pair in straight for pair in itertools.pairwise(ORDER))


def test_nodes_begin_and_end() -> None:
    view = seen(
        node("read_paper", "start", attempt=1),
        {"event": "turn", "stage": "read_paper", "step": 1, "tools": ["open_paper"]},
        node("read_paper", "end", attempt=1),
        node("plan", "start", attempt=1),
    )
    assert phases(view) == {"read_paper": "done", "plan": "under way"}
    assert view.nodes["read_paper"].seconds == 2.0
    assert view.nodes["plan"].elapsed(10.0) == 6.0
    assert (view.run, view.step) == ("digits-1", 1)


def test_a_node_that_says_how_long_it_took_is_believed() -> None:
    view = seen(node("evaluate", "start"), node("evaluate", "end", seconds=0.25))
    assert view.nodes["evaluate"].seconds == 0.25


def test_going_back_puts_what_follows_ahead_again() -> None:
    view = seen(
        node("evaluate", "start", attempt=1),
        node("evaluate", "end", attempt=1, seconds=1),
        node("plan", "start", attempt=2),
    )
    assert phases(view) == {"read_paper": "done", "plan": "under way"}
    assert view.attempt == 2


def test_a_resumed_run_has_passed_what_lies_before() -> None:
    view = seen(node("watch_job", "start", attempt=1))
    assert phases(view) == dict.fromkeys(ORDER[:8], "done") | {"watch_job": "under way"}


def test_a_run_that_gives_up_never_reached_the_rest() -> None:
    view = seen(node("plan", "start"), node("plan", "end"), node("wrap_up", "start"), node("wrap_up", "end"))
    assert phases(view) == {"read_paper": "done", "plan": "done", "wrap_up": "done"}


def test_gates_wait_and_are_decided() -> None:
    waiting = {"event": "waiting", "gate": "approve_plan", "card": {}}
    view = seen(node("plan", "start"), node("plan", "end"), waiting)
    assert view.nodes["approve_plan"].phase == "waiting"
    view.take({"event": "approval", "gate": "approve_plan", "decision": "approve", "by": "rule"}, 9.0)
    assert (view.nodes["approve_plan"].phase, view.nodes["approve_plan"].note) == ("done", "approved by rule")


def test_metrics_keep_their_last_values_and_a_new_job_begins_anew() -> None:
    view = RunView(0.0)
    for step in range(1_000):
        values = {"loss": 1 / (step + 1), "bad": math.nan}
        view.take({"event": "metrics", "node": "watch_job", "step": step, "values": values}, 1.0)
    assert list(view.series) == ["loss"]
    assert len(view.series["loss"]) == 200
    last = metric_line(view)
    assert last is not None
    assert last.plain() == "watch job: loss 0.0010"
    view.take(node("watch_job", "start"), 2.0)
    assert metric_line(view) is None


def test_a_script_cannot_flood_the_view_with_metrics() -> None:
    view = RunView(0.0)
    view.take({"event": "metrics", "values": {f"m{i}": 1.0 for i in range(5_000)}}, 1.0)
    assert len(view.series) == 40


@pytest.mark.parametrize(("status", "phase"), [("interrupted", "waiting"), ("failed", "wrong")])
def test_what_was_under_way_at_the_end(status: str, phase: str) -> None:
    view = seen(node("watch_job", "start"), {"event": "result", "status": status, "steps": 7})
    assert view.nodes["watch_job"].phase == phase
    assert view.step == 7
    assert view.nodes["watch_job"].elapsed(99.0) == 1.0


def lines(event: Event, *, lively: bool = False) -> list[str]:
    return [item.plain() for item in event_lines(events(event)[0], lively=lively)]


def test_what_was_decided_is_said_with_its_reasons() -> None:
    finished = {"event": "turn", "stage": "plan", "step": 3, "tools": ["finish"], "text": "SVM: the paper names it."}
    assert lines(finished) == [], "the artifact itself is told by `decided`"
    asked = {"event": "turn", "stage": "plan", "step": 1, "tools": ["inspect_data"], "text": "What are the data?"}
    assert lines(asked) == []
    gave_up = {"event": "turn", "stage": "plan", "tools": ["give_up"], "text": "No recipe."}
    assert lines(gave_up) == ["plan: gives up: No recipe."]
    decided = {"event": "decided", "stage": "evaluate", "text": "accuracy 0.98", "why": ["attempt 1", "withheld"]}
    assert lines(decided) == ["evaluate: accuracy 0.98", "  - attempt 1", "  - withheld"]


def test_a_tool_that_fails_is_said_and_one_that_works_is_not() -> None:
    good = {"event": "tool", "stage": "plan", "name": "inspect_data", "ok": True, "summary": "{}"}
    assert lines(good) == []
    bad = {**good, "ok": False, "summary": '{"error": "No such file.", "hint": "Look again.", "kind": "DataError"}'}
    assert lines(bad) == ["plan, inspect_data: No such file. Look again."]
    cut = {**good, "ok": False, "summary": '{"error": "A very long mess'}
    assert lines(cut)[0].endswith("A very long mess")


def test_approvals_say_who_and_why() -> None:
    event = {"event": "approval", "gate": "approve_plan", "decision": "approve", "by": "rule", "why": "No cost."}
    assert lines(event) == ["approve plan: approved by rule: No cost."]


def test_the_first_lines_say_the_limits_and_a_warning_is_a_line_on_every_screen() -> None:
    begun = {"event": "run", "run": "r", "folder": "/f", "limits": "300 steps, jobs $0 (nothing paid)"}
    assert lines(begun) == ["run: r, in /f", "limits: 300 steps, jobs $0 (nothing paid)"]
    assert lines({"event": "run", "run": "r", "folder": "/f"}) == ["run: r, in /f"], "of an older program"
    warning = {"event": "budget", "limit": "max_usd", "percent": 80, "text": "80 % of the dollar limit is used."}
    assert lines(warning) == lines(warning, lively=True) == ["budget: 80 % of the dollar limit is used."]


def test_on_a_live_screen_nodes_leave_no_lines() -> None:
    begins = node("find_data", "start", attempt=2)
    assert lines(begins) == ["find data: begins, attempt 2"]
    assert lines(node("find_data", "end", seconds=3.21)) == ["find data: done in 3.2 s"]
    assert lines(begins, lively=True) == []


def test_outside_text_in_events_is_harmless() -> None:
    for event in (
        {"event": "note", "text": "\x1b[2Jgone"},
        {"event": "decided", "stage": "\x1b[31mplan", "text": "\x1b]0;x\x07t", "why": ["\x1b[1m"]},
        {"event": "tool", "stage": "plan", "name": "\x1b[1m", "ok": False, "summary": "\x1b[2J"},
        {"event": "run", "folder": "/a\x1b[1m", "limits": "\x1b[1m"},
        {"event": "budget", "text": "\x1b[1m"},
    ):
        assert not any("\x1b" in text for text in lines(event))


@given(
    st.dictionaries(
        st.sampled_from(
            ["event", "node", "phase", "stage", "step", "text", "values", "gate", "why", "seconds", "attempt"]
        ),
        st.sampled_from(["node", "turn", "metrics", "plan", "start", "approve_plan", None, 3, {}, [], 0.5]),
    )
)
def test_a_kind_that_nobody_knows_is_passed_over(event: Event) -> None:
    event = {**event, "event": "something new"}
    view = RunView(0.0)
    view.take(event, 1.0)
    assert event_lines(event, lively=False) == []


def call(**end: Any) -> Event:
    return {"event": "call", "stage": "plan", "model": "openai/test", "phase": "end", **end}


def test_a_models_calls_are_counted_and_an_unknown_price_is_no_zero() -> None:
    begins = {"event": "call", "stage": "plan", "model": "openai/test", "phase": "start", "bytes": 9}
    view = seen(node("plan", "start"), begins)
    assert view.nodes["plan"].note == "openai/test thinks"
    view = seen(call(input_tokens=100, output_tokens=20, usd=0.25), call(input_tokens=10, output_tokens=2, usd=None))
    assert (view.tokens, view.usd, view.priced) == (132, 0.25, False)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ({"event": "token", "stage": "plan", "text": "First.\n\nSecond\x1b[31m."}, ["First.", "Second."]),
        (
            {"event": "retry", "stage": "plan", "model": "m", "reason": "rate limit: slow down", "seconds": 30.0},
            ["rate limit: slow down tries again in 30 s"],
        ),
        (
            {"event": "fallback", "stage": "plan", "model": "b", "instead_of": "a", "reason": "no credit"},
            ["a cannot go on (no credit); b takes over"],
        ),
        ({"event": "told", "stage": "plan", "text": "Use the second table."}, ["Use the second table."]),
        ({"event": "turn", "stage": "plan", "step": 3, "tools": ["a", "b"], "model": "m", "text": ""}, ["a, b"]),
        ({"event": "turn", "stage": "plan", "step": 3, "tools": ["a"], "model": "", "text": ""}, []),
        (
            {"event": "turn", "stage": "plan", "step": 3, "tools": ["give_up"], "model": "m", "text": "no data"},
            ["gives up: no data"],
        ),
    ],
)
@pytest.mark.parametrize("lively", [False, True])
def test_what_a_model_does_is_shown(event: Event, shown: list[str], lively: bool) -> None:
    assert [item.text for item in event_lines(event, lively=lively)] == shown
