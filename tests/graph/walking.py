"""What each node may do to the state: the outcomes that `test_edges.py` walks the real edges with.

Where a node's decision is a pure function, it is that function; where it is work (a sandbox, a job, a person), its
result is made up in the shape that the node gives it. Every outcome says who is behind it: the machine alone, the
engineer (who takes at least one step of the cap), a person, or somebody who stopped the run. This module walks
nowhere and checks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from trainwright.engineers.protocol import verbs_of
from trainwright.graph.errors import AGAIN, ContractError, JobError, LimitReached, ModelError, NeedsPerson
from trainwright.graph.stage import _conclude
from trainwright.graph.state import (
    Approval,
    Attempt,
    Baseline,
    CodeBundle,
    Dataset,
    Decision,
    Evaluation,
    JobRecord,
    PaperBrief,
    Publication,
    Question,
    SandboxReport,
    Settings,
    SplitRecord,
    State,
    Status,
    Target,
    TrainingPlan,
)
from trainwright.nodes import find_data, plan, read_paper, write_code
from trainwright.nodes.approve import GATES
from trainwright.nodes.ask_person import take_answer
from trainwright.nodes.boundary import Here, failure
from trainwright.nodes.evaluate import _broken, _improve, _unscored, best_attempt, wants_improvement
from trainwright.nodes.gate import card_sha256
from trainwright.nodes.sandbox_test import _update as tested
from trainwright.nodes.watch_job import RESTARTS
from trainwright.nodes.watch_job import _outcome as watched
from trainwright.nodes.wrap_up import final_status

__all__ = ["LIMITED", "NEEDS", "OUTCOMES", "Outcome", "World", "card_of"]

Update = dict[str, Any]
Who = Literal["machine", "engineer", "person", "stop"]
GATE = {gate.name: gate for gate in GATES}


@dataclass
class World:
    """What lies outside the state: what attempts left behind, and a number that is new each time."""

    number: int = 0
    kept: Mapping[int, Update] = None  # type: ignore[assignment]  # set below

    def __post_init__(self) -> None:
        self.kept = dict(self.kept or {})

    def new(self) -> str:
        """Something that was not there before."""
        self.number += 1
        return str(self.number)


class Outcome(NamedTuple):
    """One thing that can come of a visit.

    Attributes:
        name: for the story of a failing walk.
        who: who is behind it.
        update: what the node writes; None where this cannot come of this state.
        good: whether it leads on to the end of a run that goes well.
        usual: whether a walk should often come by it, since much lies behind it.
    """

    name: str
    who: Who
    update: Callable[[World, State], Update | None]
    good: bool = False
    usual: Callable[[State], bool] = lambda state: False


@dataclass(frozen=True)
class Quiet(Here):
    """Surroundings of a body that say nothing, with so many seconds left."""

    left: float = 1e6

    def emit(self, kind: str, **details: Any) -> None:
        """Nobody listens."""

    def seconds_left(self) -> float:
        """As it was made."""
        return self.left


def here(state: State, left: float = 1e6) -> Quiet:
    """The surroundings of a body."""
    return Quiet(state.run, Path("/nowhere"), state.settings or Settings(), lambda: False, left)


def card_of(gate: str, state: State) -> str:
    """The identity of what a gate shows: of the parts of the state that the real card is made of."""
    shown: dict[str, list[Any]] = {
        "approve_plan": [state.plan and state.plan.approach],
        "approve_job": [state.attempt, state.code and state.code.sha256, state.sandbox and state.sandbox.model_dump()],
        "approve_publish": [state.request.publish_to, state.evaluation and state.evaluation.model_dump()],
    }
    return card_sha256({"gate": gate, "shown": shown[gate]})


# Stages


def artifact(world: World, stage: str) -> Any:
    """What a stage delivers."""
    if stage == "read_paper":
        return PaperBrief()
    if stage == "plan":
        target = Target(metric="accuracy", op=">=", value=0.9)
        return TrainingPlan(
            task="classification", modality="table", metric="accuracy", direction="higher",
            approach=f"plan {world.new()}", target=target,
        )  # fmt: skip
    if stage == "find_data":
        split = SplitRecord(kind="random", seed=0, train=6, validation=2, test=2)
        return Dataset(
            name="d", source="d.csv", task="classification", modality="table", target="y", rows=10, split=split,
            fingerprint="f",
        )  # fmt: skip
    return CodeBundle(commit="c", files={}, sha256=f"code {world.new()}")


STAGE = {module.STAGE.name: module.STAGE for module in (read_paper, plan, find_data, write_code)}
FIELDS = {name: stage.field for name, stage in STAGE.items()}
LIMITED = "reaches the cap"


def stage_outcomes(name: str) -> list[Outcome]:
    """Of every stage: the artifact, a question, the end; of some: another verb. What is handed over is `conclude`'s."""
    stage = STAGE[name]

    def concluded(state: State, steps: int, inside: Update) -> Update:
        kept = {"run": state.run, "settings": state.settings, "attempt": state.attempt, "told": state.told}
        handed = _conclude(stage, {**kept, "steps": steps, **inside})  # type: ignore[typeddict-item]
        return _appended(state, handed)

    def turns(ending: Callable[[World], Update], steps: int = 1) -> Callable[[World, State], Update | None]:
        def update(world: World, state: State) -> Update | None:
            assert state.settings is not None
            if state.steps + steps > state.settings.step_cap:
                return None  # the limit comes first
            return concluded(state, state.steps + steps, ending(world))

        return update

    def limit(world: World, state: State) -> Update:
        assert state.settings is not None
        return concluded(state, state.settings.step_cap, {"status": Status.STEP_LIMIT, "reason": "The cap."})

    def at_once(inside: Update) -> Callable[[World, State], Update]:
        return lambda world, state: concluded(state, state.steps, inside)

    def delivers(world: World) -> Update:
        return {FIELDS[name]: artifact(world, name)}

    credit = NeedsPerson("No credit is left.", key="credit", options=[AGAIN])
    ends = {status: {"status": status, "reason": "It ends."} for status in Status}
    found = [
        Outcome("delivers", "engineer", turns(delivers), good=True),
        Outcome("delivers after some turns", "engineer", turns(delivers, 3)),
        Outcome(LIMITED, "engineer", limit),
        Outcome("runs out of time", "machine", at_once(ends[Status.DEADLINE])),
        Outcome("runs out of money", "machine", at_once(ends[Status.BUDGET_LIMIT])),
        Outcome("gives up", "engineer", turns(lambda w: ends[Status.GAVE_UP]), usual=lambda s: bool(s.attempts)),
        Outcome("fails", "engineer", turns(lambda w: ends[Status.FAILED])),
        Outcome("breaks down", "machine", at_once(failure(ZeroDivisionError("a bug"), name))),
        Outcome("has no model", "machine", at_once({**failure(ModelError("No key."), name), "keep": True})),
        Outcome("needs credit", "person", at_once({**failure(credit, name), "keep": True})),
    ]
    if "ask" in verbs_of(name):
        question = Question.model_validate({"key": "target", "text": "?", "options": ["a", "b"], "back_to": name})
        found.append(Outcome("asks", "engineer", turns(lambda w: {"question": question})))
    if "contradict" in verbs_of(name):
        against = turns(lambda w: {"feedback": "The data contradict the plan."})
        found.append(Outcome("contradicts", "engineer", against, usual=lambda s: bool(s.attempts)))
    return found


# Gates


def gate_outcomes(name: str) -> list[Outcome]:
    """What a person, a rule or an error makes of a gate."""
    gate = GATE[name]

    def record(state: State, decision: str, by: str = "person") -> Update:
        fields = {"gate": name, "decision": decision, "by": by, "shown_sha256": card_of(name, state)}
        return {"approvals": [*state.approvals, Approval.model_validate(fields)], "problem": ""}

    def edit(world: World, state: State) -> Update:
        if name == "approve_plan":
            assert state.plan is not None
            return {"plan": state.plan.model_copy(update={"approach": f"edited plan {world.new()}"})}
        if name == "approve_job":
            assert state.code is not None
            code = state.code.model_copy(update={"sha256": f"edited code {world.new()}", "edited": True})
            return {"code": code, "sandbox": None}
        return {"request": state.request.model_copy(update={"publish_to": f"name-{world.new()}"})}

    def send_back(world: World, state: State) -> Update:
        return {**record(state, "reject"), "feedback": "Otherwise.", **_appended(state, gate.on_reject(state))}

    def ends(status: Status, by: str) -> Callable[[World, State], Update]:
        return lambda world, state: {
            **record(state, "reject", by), "status": status, "reason": "No.", "stopped_at": name,
        }  # fmt: skip

    return [
        Outcome("approves", "person", lambda w, s: record(s, "approve"), good=True),
        Outcome("is allowed by a rule", "machine", lambda w, s: record(s, "approve", "rule")),
        Outcome("edits", "person", lambda w, s: {**record(s, "edit"), **edit(w, s)}),
        Outcome("rejects with feedback", "person", send_back),
        Outcome("rejects", "person", ends(Status.REJECTED, "person")),
        Outcome("is refused by a rule", "machine", ends(gate.refused, "rule")),
        Outcome("answers what cannot be used", "person", lambda w, s: {"problem": "No."}),
        Outcome("cannot show its card", "machine", lambda w, s: {"problem": "", **failure(JobError("gone"), name)}),
    ]


def answers() -> list[Outcome]:
    """What a person makes of a question."""

    def take(kind: Literal["respond", "reject"], text: str) -> Callable[[World, State], Update]:
        def update(world: World, state: State) -> Update:
            assert state.question is not None
            options = state.question.options
            message = options[0] if options and text == "right" else text
            return _appended(state, take_answer(state.question, Decision(type=kind, message=message), state))

        return update

    return [
        Outcome("answers", "person", take("respond", "right"), good=True),
        Outcome("answers nothing", "person", take("respond", "")),
        Outcome("answers what is none of the options", "person", take("respond", "neither")),
        Outcome("refuses to answer", "person", take("reject", "")),
    ]


def _appended(state: State, update: Update) -> Update:
    """What the reducers of the real state do with a node's update."""
    lists = {name: [*getattr(state, name), *update[name]] for name in ("approvals", "notes", "times") if name in update}
    return {**update, **lists}


# Plain nodes


def report(state: State, passed: bool) -> SandboxReport:
    assert state.code is not None
    return SandboxReport(passed=passed, code_sha256=state.code.sha256, isolation="bubblewrap", error_class="x")


def unapproved(gate: str, state: State) -> Update | None:
    """The second lock, inside the node, in its own shape; None where it opens."""
    given = next((a for a in reversed(state.approvals) if a.gate == gate), None)
    if given is not None and given.decision == "approve" and given.shown_sha256 == card_of(gate, state):
        return None
    return {"status": Status.FAILED, "reason": "What was approved is not what would run.", "stopped_at": gate}


def locked(gate: str, then: Callable[[World, State], Update]) -> Callable[[World, State], Update]:
    """`then`, where the second lock opens."""
    return lambda world, state: unapproved(gate, state) or then(world, state)


def submitted(world: World, state: State) -> Update:
    assert state.code is not None
    key, code = world.new(), state.code.sha256
    return {"job": JobRecord(key=key, engine="local", handle="h", attempt=state.attempt, code_sha256=code)}


def ended(kind: str, left: float = 1e6) -> Callable[[World, State], Update]:
    """A job that ended so."""

    def update(world: World, state: State) -> Update:
        assert state.job is not None
        record = state.job.model_copy(update={"state": kind})
        return watched(here(state, left), state, record)

    return update


def lost(world: World, state: State) -> Update | None:
    assert state.job is not None
    if state.job.restarts >= RESTARTS:
        return None
    return {"job": state.job.model_copy(update={"state": "submitted", "restarts": state.job.restarts + 1})}


def scored(value: float) -> Callable[[World, State], Update | None]:
    """`evaluate`, for an attempt that gets this score on validation, with the choice of the real functions."""

    def update(world: World, state: State) -> Update | None:
        if state.accepted is not None and state.evaluation is not None:
            return {}
        if state.job is None:
            return {"status": Status.RUNNING, "reason": "", **accept(world, state, state.attempts)}
        made = state.plan
        assert made is not None
        fields = {"number": state.attempt, "method": "m", "metric": made.metric, "validation": value}
        attempts = [*(a for a in state.attempts if a.number != state.attempt), Attempt.model_validate(fields)]
        names = ("plan", "code", "sandbox", "job")
        world.kept = {**world.kept, state.attempt: {name: getattr(state, name) for name in names}}
        if wants_improvement(here(state), state, made, attempts):
            return _improve(attempts, made)
        return accept(world, state, attempts)

    return update


def accept(world: World, state: State, attempts: list[Attempt]) -> Update:
    assert state.plan is not None
    best = best_attempt(attempts, state.plan)
    result = Evaluation(
        attempt=best, metric="accuracy", direction="higher", value=0.9, low=0.8, high=1.0, n_test=2,
        baseline=Baseline(name="majority class", value=0.5), predictions_sha256=world.new(),
    )  # fmt: skip
    kept = {**world.kept[best], "attempts": attempts, "accepted": best, "evaluation": result, "feedback": ""}
    return kept


def broken(world: World, state: State) -> Update | None:
    """predict.py breaks the contract: of this attempt, or of the one that was taken as the best."""
    error = ContractError("missing_ids", "No.")
    if state.accepted is not None and state.evaluation is not None:
        return None
    if state.job is None:
        assert state.plan is not None
        return _unscored(best_attempt(state.attempts, state.plan), error)
    return _broken(here(state), state, error)


def published(world: World, state: State) -> Update:
    result = Publication(key="k", name="n", location="/n", revision="r", clean_score=0.9)
    return {"publication": result, "status": Status.PUBLISHED, "reason": "Published."}


def refused(world: World, state: State) -> Update:
    return {"status": Status.FAILED, "reason": "Another score.", "stopped_at": "approve_publish"}


def wrapped_up(world: World, state: State) -> Update:
    status, reason = final_status(state)
    return {"status": status, "reason": reason}


def fails(node: str, error: Exception) -> Callable[[World, State], Update]:
    """An error at the boundary."""
    return lambda world, state: failure(error, node)


def plain(node: str, *own: Outcome) -> list[Outcome]:
    """Its own outcomes, and what the boundary makes of errors; a question that was answered is gone."""
    late = LimitReached("milliseconds", "No time is left.")
    wider = [
        *own,
        Outcome("runs into a limit", "machine", fails(node, late)),
        Outcome("fails", "machine", fails(node, JobError("The disk is full.")), usual=lambda s: _late(node, s)),
        Outcome("breaks down", "machine", fails(node, ZeroDivisionError("a bug"))),
    ]
    if node in Question.model_fields["back_to"].annotation.__args__:  # type: ignore[union-attr]
        wider.append(Outcome("needs a person", "person", fails(node, NeedsPerson("Did it?", key="it"))))
    return [replace_update(outcome) for outcome in wider]


def _late(node: str, state: State) -> bool:
    """Whether the best attempt so far is being taken, which few walks come to."""
    return node == "evaluate" and state.job is None


def replace_update(outcome: Outcome) -> Outcome:
    """The outcome, with the question gone that was answered before the node ran again."""

    def update(world: World, state: State) -> Update | None:
        done = outcome.update(world, state)
        if done is None or state.question is None:
            return done
        return {"question": None, **done}

    return outcome._replace(update=update)


OUTCOMES: dict[str, list[Outcome]] = {
    **{stage: stage_outcomes(stage) for stage in FIELDS},
    **{gate: gate_outcomes(gate) for gate in GATE},
    "ask_person": answers(),
    "sandbox_test": plain(
        "sandbox_test",
        Outcome("passes", "machine", lambda w, s: tested(here(s), s, report(s, True)), good=True),
        Outcome("does not pass", "machine", lambda w, s: tested(here(s), s, report(s, False))),
        Outcome("is stopped", "stop", lambda w, s: {}),
    ),
    "submit_job": plain("submit_job", Outcome("submits", "machine", locked("approve_job", submitted), good=True)),
    "watch_job": plain(
        "watch_job",
        Outcome("sees it succeed", "machine", ended("succeeded"), good=True),
        Outcome("sees it fail", "machine", ended("failed"), usual=lambda s: s.repairs == 1),
        Outcome("sees it cancelled", "machine", ended("cancelled")),
        Outcome("sees it out of time", "machine", ended("failed", left=0.0)),
        Outcome("loses it for good", "machine", ended("lost")),
        Outcome("loses it", "machine", lost),
        Outcome("is stopped", "stop", lambda w, s: {}),
    ),
    "evaluate": plain(
        "evaluate",
        Outcome("finds a good score", "machine", scored(0.95), good=True),
        Outcome("finds a poor score", "machine", scored(0.6), usual=lambda s: True),
        Outcome("finds the contract broken", "machine", broken, usual=lambda s: s.repairs == 0),
        Outcome("is stopped", "stop", lambda w, s: {"status": Status.RUNNING, "reason": ""} if s.job is None else {}),
    ),
    "publish": plain(
        "publish",
        Outcome("publishes", "machine", locked("approve_publish", published), good=True),
        Outcome("gets another score", "machine", locked("approve_publish", refused)),
        Outcome("is stopped", "stop", locked("approve_publish", lambda w, s: {})),
    ),
    "wrap_up": [Outcome("wraps up", "machine", wrapped_up, good=True)],
}
"""What can come of each node of the graph."""

NEEDS: dict[str, tuple[str, ...]] = {
    "plan": ("brief",),
    "approve_plan": ("plan",),
    "find_data": ("plan",),
    "write_code": ("plan", "dataset"),
    "sandbox_test": ("plan", "dataset", "code"),
    "approve_job": ("plan", "dataset", "code", "sandbox"),
    "submit_job": ("plan", "dataset", "code", "sandbox"),
    "watch_job": ("job",),
    "evaluate": ("plan", "dataset"),
    "approve_publish": ("plan", "dataset", "evaluation"),
    "publish": ("plan", "dataset", "evaluation"),
    "ask_person": ("question",),
}
"""What a node asserts, or reads, of the state."""
