"""What a stage decided, in words."""

from __future__ import annotations

from trainwright.graph.state import CodeBundle, Dataset, Finding, PaperBrief, Quote, SplitRecord, TrainingPlan
from trainwright.nodes.deciding import said_of


def dataset(*messages: str) -> Dataset:
    split = SplitRecord(kind="stratified", seed=3, train=70, validation=10, test=20)
    findings = [Finding(code="x", severity="warning", message=message) for message in messages]
    return Dataset(
        name="digits",
        source="sklearn:digits",
        task="classification",
        modality="images",
        target="digit",
        rows=100,
        split=split,
        findings=[*findings, Finding(code="y", severity="info", message="By the way.")],
        fingerprint="f",
    )


def test_a_brief_says_what_was_found_in_the_paper() -> None:
    brief = PaperBrief(title="Ten Digits", source="p.pdf", method="SVM", warnings=["A table could not be read."])
    assert said_of(brief) == (
        "“Ten Digits”: 0 claims and 0 settings with evidence; its method: SVM",
        ["A table could not be read."],
    )
    assert said_of(PaperBrief(source="p.pdf")) == ("“p.pdf”: 0 claims and 0 settings with evidence", [])


def test_a_goal_alone_is_no_paper() -> None:
    said = said_of(PaperBrief(summary="Classify."))
    assert said is not None
    assert said.text == "There is no paper: the goal alone is known."


def test_a_plan_says_its_approach_and_its_reasons() -> None:
    plan = TrainingPlan(
        task="regression",
        modality="table",
        metric="rmse",
        direction="lower",
        approach="A forest.",
        reasons=["cheap", "strong"],
    )
    assert said_of(plan) == ("A forest.", ["cheap", "strong"])


def test_data_say_their_parts_and_what_is_grave() -> None:
    said = said_of(dataset("Column 'a' leaks."))
    assert said is not None
    assert said.text == (
        "digits: predict digit from 100 rows; 70 to train, 10 to validate, 20 withheld (stratified split, seed 3)"
    )
    assert said.why == ["Column 'a' leaks."]


def test_many_findings_are_cut_and_counted() -> None:
    said = said_of(dataset(*(f"finding {number}" for number in range(11))))
    assert said is not None
    assert len(said.why) == 9
    assert said.why[-1] == "3 more findings are in the report."


def test_code_says_where_it_comes_from() -> None:
    code = CodeBundle(commit="a" * 40, files={"train.py": "0"}, sha256="s", recipe="svm_rbf", unmodified=True)
    assert said_of(code) == ("recipe svm_rbf, unmodified: 1 file, commit aaaaaaaaaaaa", [])
    own = CodeBundle(commit="b" * 40, files={"train.py": "0", "predict.py": "1"}, sha256="s", change="a wider net")
    assert said_of(own) == ("written for this run: 2 files, commit bbbbbbbbbbbb", ["a wider net"])


def test_an_artifact_that_nobody_knows_says_nothing() -> None:
    assert said_of(Quote(quote="words")) is None
