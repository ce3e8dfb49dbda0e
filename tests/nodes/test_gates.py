"""What a gate makes of an answer: exactly one decision, edits that can be used, and approvals bound to what was shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from trainwright.engineers.recipes import Answers
from trainwright.engineers.rules_data_code import find_data, write_code
from trainwright.graph import routing
from trainwright.graph.settings import hub_path, run_path
from trainwright.graph.state import (
    Approval,
    Baseline,
    CodeBundle,
    Dataset,
    Evaluation,
    Question,
    Request,
    SandboxReport,
    Settings,
    SplitRecord,
    State,
    Status,
    TrainingPlan,
)
from trainwright.nodes.approve import GATES, preflight
from trainwright.nodes.ask_person import ask_person
from trainwright.nodes.boundary import Here
from trainwright.nodes.gate import card_sha256, gate_node
from trainwright.nodes.publish import publish
from trainwright.nodes.write_code import bundle_of
from trainwright.tools import code
from trainwright.tools.hub import LocalHub
from trainwright.tools.toolbox import Workbench

PLAN = TrainingPlan(
    task="classification", modality="table", metric="accuracy", direction="higher", approach="A forest.",
    recipe="random_forest", method="random forest",
)  # fmt: skip
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
FILES = {"train.py": b"x = 1\n", "predict.py": b"y = 2\n", "settings.json": b"{}"}


@pytest.fixture
def state() -> State:
    """A run with a plan, tested code, a job's code and a score."""
    folder = run_path("r")
    code.write_files(folder / "code", FILES)
    bundle = bundle_of(folder, "", "the first version", 1)
    code.checkout(folder / "code", bundle.commit, folder / "attempts" / "1" / "job" / "code")
    report = SandboxReport(passed=True, code_sha256=bundle.sha256, isolation="bubblewrap", estimated_seconds=40)
    return State(
        run="r",
        request=Request(goal="g", data="d.csv"),
        settings=Settings(),
        plan=PLAN,
        dataset=DATA,
        code=bundle,
        sandbox=report,
        evaluation=RESULT,
        accepted=1,
    )


async def answered(gate: str, state: State, *answers: Any) -> State:
    """The state after a gate was given these answers, one after the other."""
    record = next((g for g in GATES if g.name == gate), None)
    graph = StateGraph(State, context_schema=Settings)
    graph.add_node(gate, gate_node(record) if record else ask_person)
    graph.add_edge(START, gate)
    graph.add_conditional_edges(gate, lambda s: gate if s.problem else END, [gate, END])
    compiled = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    await compiled.ainvoke(state, config)
    for answer in answers:
        await compiled.ainvoke(Command(resume=answer), config)
    return State.model_validate((await compiled.aget_state(config)).values)


def edit(gate: str, arguments: Any) -> dict[str, Any]:
    """One edit."""
    return {"decisions": [{"type": "edit", "edited_action": {"name": gate, "args": arguments}}]}


APPROVE, REJECT = {"type": "approve"}, {"type": "reject", "message": "Not so."}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"decisions": [APPROVE, REJECT]}, "One decision is needed, 2 were given"),
        ({"decisions": [{"type": "respond", "message": "yes"}]}, "'respond' is no answer here"),
        ({"decisions": [{"type": "edit"}]}, "has no `args`"),
        (edit("approve_plan", {}), "changes nothing"),
        (edit("approve_plan", ["metric"]), "has no `args`"),
        (edit("approve_job", {"metric": "f1"}), "'approve_job', not of approve_plan"),
        (edit("approve_plan", {"metric": "accuracy"}), "changes nothing"),
        (edit("approve_plan", {"learning": "fast"}), "learning cannot be edited"),
        (edit("approve_plan", {"attempt": 7}), "attempt cannot be edited"),
        (edit("approve_plan", {"metric": "nonsense", "recipe": "nope"}), "There is no metric 'nonsense'"),
        (edit("approve_plan", {"recipe": "nope"}), "there is no recipe 'nope'"),
        (edit("approve_plan", {"metric": "rmse"}), "does not score a classification task"),
        (edit("approve_plan", {"seconds": "soon"}), "seconds: "),
    ],
)
async def test_an_answer_that_is_no_clear_decision_is_asked_again(state: State, answer: Any, says: str) -> None:
    after = await answered("approve_plan", state, answer)
    assert says in after.problem
    assert (after.plan, after.approvals, after.status) == (PLAN, [], Status.RUNNING)
    done = await answered("approve_plan", state, answer, {"decisions": [APPROVE]})
    assert ([a.decision for a in done.approvals], done.problem) == (["approve"], "")


async def test_a_card_that_comes_back_whole_counts_by_what_differs(state: State) -> None:
    card = next(gate for gate in GATES if gate.name == "approve_plan").card(state)
    after = await answered("approve_plan", state, edit("approve_plan", {**card, "recipe": "extra_trees"}))
    assert after.plan == PLAN.model_copy(update={"recipe": "extra_trees"})
    assert [a.decision for a in after.approvals] == ["edit"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ("train.py", "no dictionary"),
        ({"train.py": 3}, "no dictionary"),
        ({}, "no dictionary"),
        ({"../train.py": "x"}, "not a plain file name"),
        ({"train.py": "# /// script\n# dependencies = 3\n# ///\n"}, "are no list of texts"),
        ({"train.py": "# /// script\n# not toml\n# ///\n"}, "not valid TOML"),
        ({"train.py": "x = 1\n"}, "are what they were"),
    ],
)
async def test_code_that_cannot_be_used_is_not_written(state: State, files: Any, says: str) -> None:
    after = await answered("approve_job", state, edit("approve_job", {"files": files}))
    assert says in after.problem
    assert after.code == state.code
    assert code.files_of(run_path("r") / "code") == dict(sorted(FILES.items()))


async def test_edited_code_is_marked_as_such(state: State) -> None:
    after = await answered("approve_job", state, edit("approve_job", {"files": {"train.py": "x = 3\n"}}))
    assert after.code is not None
    assert (after.code.edited, after.code.change, after.sandbox) == (True, "edited by a person: train.py", None)
    assert (run_path("r") / "code" / "train.py").read_text() == "x = 3\n"


@pytest.mark.parametrize("name", ["../../evil", "a//b", ".hidden", 7, ""])
async def test_a_name_that_no_model_can_have_is_refused_at_the_gate(state: State, name: Any) -> None:
    after = await answered("approve_publish", state, edit("approve_publish", {"name": name}))
    assert after.problem
    assert after.request.publish_to == ""


async def test_an_edited_publication_is_shown_again_and_only_an_approval_of_it_publishes(state: State) -> None:
    edited = await answered("approve_publish", state, edit("approve_publish", {"name": "other"}))
    assert edited.request.publish_to == "other"
    assert routing.after_approve_publish(edited) == "approve_publish"
    here = Here("r", run_path("r"), Settings(), lambda: False)
    refused = publish(here, edited)
    assert (refused["status"], refused["stopped_at"]) == (Status.FAILED, "approve_publish")
    assert not hub_path().exists()
    approved = await answered("approve_publish", edited, {"decisions": [APPROVE]})
    assert routing.after_approve_publish(approved) == "publish"
    gate = next(gate for gate in GATES if gate.name == "approve_publish")
    assert gate.card(approved)["name"] == "other"
    assert approved.approvals[-1].shown_sha256 == card_sha256(gate.card(approved))


def test_the_card_says_what_is_under_that_name_already(state: State, tmp_path: Path) -> None:
    gate = next(gate for gate in GATES if gate.name == "approve_publish")
    hub = LocalHub(hub_path())
    assert gate.card(state)["on_the_hub"] == "a new model"
    (tmp_path / "README.md").write_text("An earlier model.")
    earlier = hub.publish("k" * 64, tmp_path, "r", "earlier")
    assert f"its version {earlier.revision[:12]} stays" in gate.card(state)["on_the_hub"]
    (hub_path() / "folder").mkdir()
    taken = state.model_copy(update={"request": Request(goal="g", publish_to="folder")})
    assert "it cannot go there" in gate.card(taken)["on_the_hub"]


async def test_a_failure_that_nobody_foresaw_at_a_gate_ends_the_run_with_a_report(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise AttributeError("no such thing")

    monkeypatch.setattr("trainwright.nodes.plan.settle", broken)
    after = await answered("approve_plan", state, edit("approve_plan", {"recipe": "svm_rbf"}))
    assert (after.status, after.stopped_at, after.problem) == (Status.FAILED, "approve_plan", "")
    assert "AttributeError: no such thing" in after.reason


def test_the_texts_that_an_approval_binds_to_do_not_name_limits(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state.settings is not None
    before = [check.detail for check in preflight(state)]
    monkeypatch.setattr("trainwright.nodes.approve_job.default_memory", lambda: 1 << 33)
    more = state.settings.model_copy(update={"max_hours": 77.0})
    assert [check.detail for check in preflight(state.model_copy(update={"settings": more}))] == before


async def test_a_question_takes_exactly_one_answer(state: State) -> None:
    asking = state.model_copy(update={"question": Question(key="k", text="Which?", back_to="plan")})
    two = {"decisions": [{"type": "respond", "message": "a"}, {"type": "reject"}]}
    after = await answered("ask_person", asking, two)
    assert "One decision is needed" in after.problem
    after = await answered("ask_person", asking, {"decisions": [APPROVE]})
    assert "'approve' is no answer here" in after.problem
    after = await answered("ask_person", asking, {"decisions": [{"type": "respond", "message": "a"}]})
    assert after.answers == {"k": "a"}


def bench(bundle: CodeBundle, *decisions: str) -> Workbench:
    """The workbench of a repair."""
    given = [
        Approval.model_validate({"gate": "approve_job", "decision": d, "by": "person", "shown_sha256": "s"})
        for d in decisions
    ]
    planned = PLAN.model_validate(
        {**PLAN.model_dump(), "hyperparameters": [{"name": "n_estimators", "value": 50, "source": "chosen"}]}
    )
    return Workbench(
        run="r", stage="write_code", request=Request(), settings=Settings(), plan=planned, code=bundle, repairs=1,
        feedback="KeyError: 'y'", approvals=given,
    )  # fmt: skip


def test_code_that_a_person_edited_is_not_written_over_when_it_fails() -> None:
    bundle = CodeBundle(commit="c", files={}, sha256="s", recipe="random_forest", edited=True)
    nothing = Answers({}, {}, 0)
    for decisions in (["edit"], ["edit", "approve"]):
        call = write_code(bench(bundle, *decisions), nothing)
        assert call.name == "give_up"
        assert "The code that a person edited failed" in call.arguments["reason"]
        assert "KeyError: 'y'" in call.arguments["reason"]
    assert write_code(bench(bundle, "edit", "reject"), nothing).name == "copy_recipe"
    own = bundle.model_copy(update={"edited": False})
    assert write_code(bench(own, "approve"), nothing).name == "copy_recipe"


def test_only_what_says_so_by_its_kind_contradicts_the_plan() -> None:
    problem = {"error": "Column 'contradictions' has no values.", "hint": "", "kind": "DataError"}
    assert find_data(bench(CodeBundle(commit="c", files={}, sha256="s")), Answers({}, {"finish": problem}, 2)).name == (
        "give_up"
    )
    told = json.loads(json.dumps({**problem, "kind": "PlanContradicted"}))
    assert find_data(bench(CodeBundle(commit="c", files={}, sha256="s")), Answers({}, {"finish": told}, 2)).name == (
        "contradict"
    )
