"""The edges: from any state, every path ends; no gate can be skipped."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.graph import routing
from trainwright.graph.state import (
    Approval,
    Baseline,
    CodeBundle,
    Dataset,
    Evaluation,
    JobRecord,
    Question,
    SandboxReport,
    Settings,
    SplitRecord,
    State,
    Status,
    TrainingPlan,
)
from trainwright.graph.workflow import graph

PLAN = TrainingPlan(task="classification", modality="table", metric="accuracy", direction="higher", approach="a")
DATA = Dataset(
    name="d",
    source="d.csv",
    task="classification",
    modality="table",
    target="y",
    rows=10,
    fingerprint="f",
    split=SplitRecord(kind="random", seed=0, train=6, validation=2, test=2),
)
RESULT = Evaluation(
    attempt=1,
    metric="accuracy",
    direction="higher",
    value=0.9,
    low=0.8,
    high=1.0,
    n_test=2,
    baseline=Baseline(name="majority class", value=0.5),
)


def bundle(sha: str) -> CodeBundle:
    return CodeBundle(commit="c", files={}, sha256=sha)


def report(sha: str, passed: bool) -> SandboxReport:
    return SandboxReport(passed=passed, code_sha256=sha, isolation="bubblewrap")


def job(state: str) -> JobRecord:
    return JobRecord.model_validate(
        {"key": "k", "engine": "local", "handle": "h", "attempt": 1, "code_sha256": "a", "state": state}
    )


def approval(gate: str, decision: str) -> Approval:
    return Approval.model_validate({"gate": gate, "decision": decision, "by": "person", "shown_sha256": "s"})


states = st.builds(
    State,
    settings=st.builds(Settings, step_cap=st.integers(1, 20), dry_run=st.booleans()),
    steps=st.integers(0, 25),
    status=st.sampled_from(list(Status)),
    plan=st.sampled_from([None, PLAN]),
    dataset=st.sampled_from([None, DATA]),
    code=st.sampled_from([None, bundle("a"), bundle("b")]),
    sandbox=st.sampled_from([None, report("a", True), report("a", False), report("b", True)]),
    job=st.sampled_from([None, *map(job, ("submitted", "running", "succeeded", "failed", "cancelled", "lost"))]),
    evaluation=st.sampled_from([None, RESULT]),
    accepted=st.sampled_from([None, 1]),
    repairs=st.integers(0, 3),
    problem=st.sampled_from(["", "no"]),
    question=st.sampled_from([None, Question(key="k", text="?", back_to="plan")]),
    approvals=st.lists(
        st.builds(
            approval,
            st.sampled_from(["approve_plan", "approve_job", "approve_publish"]),
            st.sampled_from(["approve", "edit", "reject"]),
        ),
        max_size=3,
    ),
)
ROUTES = {name.removeprefix("after_"): getattr(routing, name) for name in routing.__all__ if name.startswith("after_")}


@given(states)
@settings(max_examples=400, deadline=None)
def test_every_route_leads_where_the_picture_says(state: State) -> None:
    drawn: dict[str, set[str]] = {}
    for edge in graph.get_graph().edges:
        drawn.setdefault(edge.source, set()).add(edge.target)
    for name, route in ROUTES.items():
        assert route(state) in drawn[name], name


@given(states)
@settings(max_examples=400, deadline=None)
def test_a_run_that_has_ended_goes_nowhere_but_to_its_end(state: State) -> None:
    ended = state.model_copy(update={"status": Status.STEP_LIMIT, "problem": ""})
    for name, route in ROUTES.items():
        if name not in ("approve_plan", "approve_job", "approve_publish"):
            assert route(ended) in ("wrap_up", "ask_person") if name == "ask_person" else route(ended) == "wrap_up"
        else:
            assert route(ended) == "wrap_up"


@given(states)
@settings(max_examples=400, deadline=None)
def test_no_gate_is_passed_without_its_own_approval(state: State) -> None:
    def last(gate: str) -> str:
        return next((a.decision for a in reversed(state.approvals) if a.gate == gate), "")

    if routing.after_approve_plan(state) == "find_data":
        assert last("approve_plan") in ("approve", "edit")
    if routing.after_approve_job(state) == "submit_job":
        assert last("approve_job") == "approve"
        assert state.code is not None
        assert state.sandbox is not None
        assert state.sandbox.code_sha256 == state.code.sha256
    if routing.after_approve_publish(state) == "publish":
        assert last("approve_publish") == "approve"


def test_submission_and_publication_are_reached_through_their_gates_alone() -> None:
    sources: dict[str, set[str]] = {}
    for edge in graph.get_graph().edges:
        sources.setdefault(edge.target, set()).add(edge.source)
    assert sources["submit_job"] == {"approve_job", "ask_person"}, "a question leads back to where it was asked"
    assert sources["publish"] == {"approve_publish", "ask_person", "publish"}
    assert sources["watch_job"] == {"submit_job", "ask_person", "watch_job"}
    assert sources["find_data"] == {"approve_plan", "ask_person"}


def test_resume_can_re_enter_at_every_node_but_the_last() -> None:
    nodes = {name for name in graph.get_graph().nodes if not name.startswith("__")}
    assert nodes - set(routing.BEFORE) == {"ask_person", "wrap_up"}
