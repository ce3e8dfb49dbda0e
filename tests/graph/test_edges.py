"""A walk over the edges: whatever the nodes do, no gate is skipped, the cap is reached, and nothing is a dead end.

Hypothesis walks from the start: at each node it picks one of the outcomes of `walking.py`, and the graph's own table
of ways says where that leads. A run that has ended is taken up by the real rules of `resume`. Beside the state the
walk keeps its own account of what a person agreed to, which no edge can see.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from trainwright.graph import reentry, routing
from trainwright.graph.errors import RequestError
from trainwright.graph.runs import RunRow
from trainwright.graph.state import Request, Settings, State, Status
from trainwright.graph.workflow import WAYS, graph
from trainwright.nodes.watch_job import RESTARTS

from .walking import FIELDS, LIMITED, NEEDS, OUTCOMES, Outcome, World, card_of

END = "the end"
UNATTENDED = len(WAYS) + RESTARTS + 1
"""Moves that the graph may make without a turn of the engineer, a person, or somebody who stops it."""
ROUNDS = 10
"""Seeds to walk by, at most: until every way of the picture was taken."""

BEST_SO_FAR = (("plan", "evaluate"),)
"""Where a run goes on although its engineer has given up: the best attempt is what it has to show."""

EARLY = ("read_paper", "plan", "approve_plan", "find_data")
WAY_OUT = 60
"""Moves within which a run that goes well from here on has ended."""

visited: Counter[str] = Counter()
taken: Counter[tuple[str, str]] = Counter()


def onward(node: str, state: State) -> str:
    """The next node, by the real edge."""
    if node == "wrap_up":
        return END
    decide, ways = WAYS[node]
    following = decide(state)
    assert following in ways, f"{node} leads to {following}, and the picture has no such way"
    taken[node, following] += 1
    return following


def named(node: str, name: str) -> Outcome:
    """The outcome of that name."""
    return next(outcome for outcome in OUTCOMES[node] if outcome.name == name)


class Recorded:
    """What `resume` writes into a graph: the changes, and as which node."""

    def __init__(self) -> None:
        self.written: list[tuple[dict[str, Any], str]] = []

    async def aupdate_state(self, config: Any, changes: dict[str, Any], as_node: str) -> None:
        """Write it down."""
        self.written.append((changes, as_node))


def taken_up(state: State, changes: dict[str, Any]) -> tuple[State, str]:
    """The state and the node where the real rules of `resume` put a run that has ended."""
    recorded = Recorded()
    row = RunRow("run", "t", str(state.status), "", state.steps, None, "", "", "", "", "", "", None, 0)
    asyncio.run(reentry._reenter(recorded, {}, state, changes, row))  # type: ignore[arg-type]
    for update, as_node in recorded.written:
        lists = {"notes": [*state.notes, *update["notes"]]} if "notes" in update else {}
        state = state.model_copy(update={**update, **lists})
        node = "read_paper" if as_node == "__start__" else onward(as_node, state) if as_node != "wrap_up" else END
    return state, node


class Walk(RuleBasedStateMachine):
    """A run, as the edges see it, and beside it what was agreed to."""

    def __init__(self) -> None:
        super().__init__()
        self.world, self.state, self.node = World(), State(), "read_paper"
        self.agreed: dict[str, str] = {}
        self.unattended = 0

    @initialize(
        cap=st.sampled_from([20, 30, 12, 6, 3]),
        attempts=st.integers(1, 3),
        repairs=st.integers(0, 2),
        dry=st.sampled_from([False] * 5 + [True]),
    )
    def begin(self, cap: int, attempts: int, repairs: int, dry: bool) -> None:
        """The settings of the run."""
        chosen = Settings(step_cap=cap, attempts=attempts, repairs=repairs, dry_run=dry)
        self.state = State(run="run", request=Request(goal="a goal"), settings=chosen)

    @precondition(lambda self: self.node != END)
    @rule(data=st.data(), luck=st.integers(0, 9))
    def move(self, data: st.DataObject, luck: int) -> None:
        """The node does one of the things that it may do, and its edge leads on; early nodes mostly do well."""
        well = luck <= (8 if self.node in EARLY else 4)
        outcomes = [outcome for outcome in OUTCOMES[self.node] if not well or outcome.good or outcome.usual(self.state)]
        self.follow(outcomes[0] if len(outcomes) == 1 else data.draw(st.sampled_from(outcomes), label=self.node))

    def follow(self, outcome: Outcome) -> None:
        """Let that come of it."""
        visited[self.node] += 1
        update = outcome.update(self.world, self.state)
        if update is None:
            if self.node not in FIELDS:
                return  # that cannot come of this state
            outcome = named(self.node, LIMITED)
            update = outcome.update(self.world, self.state)
            assert update is not None
        note(f"{self.node} {outcome.name}")
        before, node = self.state, self.node
        self.state = self.state.model_copy(update=update)
        self.account(node, before)
        self.unattended = self.unattended + 1 if outcome.who == "machine" else 0
        self.node = onward(node, self.state)
        self.arrive(node)

    def account(self, node: str, before: State) -> None:
        """Write down what was agreed to; what changes since then is not agreed to."""
        given = self.state.approvals[len(before.approvals) :]
        for approval in given:
            if approval.gate == node and approval.decision == "approve":
                self.agreed[node] = card_of(node, before)
            elif approval.gate == "approve_plan" and approval.decision == "edit":
                self.agreed[node] = card_of(node, self.state)  # a person's own plan needs no second look
            else:
                self.agreed.pop(node, None)

    def arrive(self, before: str) -> None:
        """No gate was skipped on the way, and the node finds what it needs."""
        state, node = self.state, self.node
        if node == "find_data":
            assert self.plan_agreed(), f"{before} → {node}: nobody agreed to this plan"
        for entered, gate in (("submit_job", "approve_job"), ("publish", "approve_publish")):
            if node == entered:
                assert self.agreed.get(gate) == card_of(gate, state), f"{before} → {node}: not what was agreed to"
        over = state.status != Status.RUNNING and (before, node) not in BEST_SO_FAR
        assert not over or node in ("wrap_up", END), f"{before} → {node}: the run has ended: {state.status}"
        missing = [name for name in NEEDS.get(node, ()) if getattr(state, name) is None]
        assert not missing, f"{before} → {node} without {missing}"

    def plan_agreed(self) -> bool:
        return self.agreed.get("approve_plan") == card_of("approve_plan", self.state)

    @precondition(lambda self: self.node == END)
    @rule(cap=st.sampled_from([20, 30, 12, 6, 3]))
    def another(self, cap: int) -> None:
        """Another run."""
        self.__init__()  # type: ignore[misc]
        self.begin(cap, 2, 2, dry=False)

    @precondition(lambda self: self.node == END)
    @rule(more=st.integers(1, 6), other_data=st.sampled_from([False] * 3 + [True]))
    def resume(self, more: int, other_data: bool) -> None:
        """Raise the cap, perhaps with other data, and go on where it stopped."""
        assert self.state.settings is not None
        changes: dict[str, Any] = {
            "settings": self.state.settings.model_copy(update={"step_cap": self.state.steps + more}),
        }
        if other_data:
            changes["request"] = self.state.request.model_copy(update={"data": "other.csv"})
        if str(self.state.status) in reentry.ENDED_FOR_GOOD:
            with pytest.raises(RequestError, match="has ended"):
                taken_up(self.state, changes)
            return
        note(f"resumed after {self.state.status} at {self.state.stopped_at}")
        ended = self.state.status
        try:
            self.state, self.node = taken_up(self.state, changes)
        except RequestError as error:
            raise AssertionError(f"resume is refused: {error}") from error
        assert self.node not in (END, "wrap_up"), f"resume leads nowhere after {ended} at {self.state.stopped_at}"
        self.unattended = 0
        self.arrive("resume")

    @invariant()
    def the_graph_does_not_turn_by_itself(self) -> None:
        """Between two turns of the engineer there are few moves: with the cap on those, every run ends."""
        assert self.unattended <= UNATTENDED

    @invariant()
    def the_cap_holds(self) -> None:
        """No step beyond it."""
        assert self.state.settings is None or self.state.steps <= self.state.settings.step_cap

    @invariant()
    def there_is_a_way_out(self) -> None:
        """From here, if all goes well, the run ends."""
        world, state, node = World(self.world.number, self.world.kept), self.state, self.node
        for _ in range(WAY_OUT):
            if node == END:
                return
            outcome = next(outcome for outcome in OUTCOMES[node] if outcome.good)
            update = outcome.update(world, state)
            if update is None:
                update = named(node, LIMITED).update(world, state)
            assert update is not None
            state = state.model_copy(update=update)
            decided = WAYS[node][0](state) if node != "wrap_up" else END
            node = decided
        raise AssertionError(f"no way out of {self.node}")


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the walk makes up is no news, and no file."""
    monkeypatch.setattr(logging.getLogger("trainwright"), "disabled", True)
    for name in ("emit", "write_json"):  # `conclude` tells nobody, and writes no transcript
        monkeypatch.setattr(f"trainwright.graph.stage.{name}", lambda *told, **more: None)


def walk(number: int, *, shrink: bool = True) -> None:
    """Walk many times, by a seed; the walk that fails is made short, or not."""
    chosen = settings(
        max_examples=150,
        stateful_step_count=60,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(Walk), settings=chosen)


def test_every_node_of_the_graph_has_its_outcomes() -> None:
    drawn = {name for name in graph.get_graph().nodes if not name.startswith("__")}
    assert set(OUTCOMES) == drawn, "a new node needs its outcomes in walking.py"
    assert set(OUTCOMES) == {*WAYS, "wrap_up"}
    assert set(NEEDS) <= drawn
    for node, outcomes in OUTCOMES.items():
        assert sum(outcome.good for outcome in outcomes) == 1, node


@pytest.mark.slow
def test_no_gate_is_skipped_the_cap_is_reached_and_nothing_is_a_dead_end() -> None:
    visited.clear()
    taken.clear()
    drawn = {(node, target) for node, (_, ways) in WAYS.items() for target in ways}
    for number in range(ROUNDS):
        walk(number)
        if number >= 2 and drawn <= set(taken):
            break
    assert set(visited) == set(OUTCOMES), "every node was walked over"
    assert not drawn - set(taken), "no walk took these ways"


def to(node: str) -> Any:
    """An edge that leads there, whatever the state."""
    return lambda state: node


def never_asks_again(state: State) -> str:
    """An edge out of the gate that takes an edit for an approval."""
    last = state.approvals[-1].decision if state.approvals else ""
    return "submit_job" if last == "edit" else routing.after_approve_job(state)


def forgets_the_limits(state: State) -> str:
    """An edge that goes on after the run has ended."""
    return routing.after_sandbox_test(state.model_copy(update={"status": Status.RUNNING}))


def loses_the_question(state: State) -> str:
    """An edge that goes on where a person was asked."""
    return routing.within_limits(state, "watch_job")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("node", "mutant", "complaint"),
    [
        ("approve_job", to("submit_job"), "not what was agreed to"),
        ("approve_job", never_asks_again, "not what was agreed to"),
        ("approve_plan", to("find_data"), "nobody agreed to this plan"),
        ("approve_publish", to("publish"), "not what was agreed to"),
        ("after_sandbox_test", to("submit_job"), "no such way"),
        ("evaluate", to("approve_publish"), "without|the run has ended"),
        ("publish", to("publish"), "no way out|unattended"),
        ("sandbox_test", forgets_the_limits, "the run has ended"),
        ("submit_job", loses_the_question, "without"),
        ("find_data", to("plan"), "the run has ended"),
    ],
)
def test_a_wrong_edge_is_found(monkeypatch: pytest.MonkeyPatch, node: str, mutant: Any, complaint: str) -> None:
    name = node.removeprefix("after_")
    monkeypatch.setitem(WAYS, name, (mutant, WAYS[name][1]))
    with pytest.raises(AssertionError, match=complaint):
        walk_on()


def walk_on() -> None:
    """Walk by every seed."""
    for number in range(ROUNDS):
        walk(number, shrink=False)


def test_the_end_is_where_wrap_up_leads_alone() -> None:
    edges = {(edge.source, edge.target) for edge in graph.get_graph().edges}
    assert {source for source, target in edges if target == "__end__"} == {"wrap_up"}
    assert {target for source, target in edges if source == "wrap_up"} == {"__end__"}
