"""The claim's verdict: comparable only if metric, data set and split match, and then held against the interval."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from trainwright.graph.state import (
    Baseline,
    Claim,
    ClaimVerdict,
    Dataset,
    Evaluation,
    PaperBrief,
    SplitRecord,
    TrainingPlan,
)
from trainwright.tools.evaluation import METRICS, judge_claim, same_dataset

Kind = Literal["official", "random", "stratified", "group", "time"]


def judged(
    claim: dict[str, Any],
    *,
    metric: str = "accuracy",
    value: float = 0.96,
    kind: Kind = "official",
    name: str = "letter",
    method: str = "random forest",
    brief: PaperBrief | None = None,
) -> ClaimVerdict:
    """The verdict on a claim of 0.96 on LETTER, changed by `claim`, against `value` with an interval of ± 0.01."""
    stated = Claim(**{"metric": "accuracy", "value": 0.96, "dataset": "LETTER", "method": "random forest", **claim})
    direction = METRICS[metric].direction
    split = SplitRecord(kind=kind, seed=0, train=10, validation=5, test=5)
    data = Dataset(
        name=name,
        source="x",
        task="classification",
        modality="table",
        target="y",
        rows=20,
        split=split,
        fingerprint="f",
    )
    result = Evaluation(
        attempt=1, metric=metric, direction=direction, value=value, low=value - 0.01, high=value + 0.01, n_test=5,
        baseline=Baseline(name="b", value=0.1),
    )  # fmt: skip
    task = METRICS[metric].tasks[0]
    plan = TrainingPlan(task=task, modality="table", metric=metric, direction=direction, approach="", method=method)
    verdict = judge_claim(stated, result, data, brief, plan)
    assert verdict is not None
    return verdict


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0.96, "reproduced"), (0.951, "reproduced"), (0.969, "reproduced"), (0.98, "better"), (0.93, "worse")],
)
def test_a_comparable_claim(value: float, verdict: str) -> None:
    found = judged({"page": 3, "quote": "96.0"}, value=value)
    assert found.verdict == verdict
    assert (found.value, found.metric, found.page, found.quote) == (0.96, "accuracy", 3, "96.0")
    assert "0.96 against" in found.why


@pytest.mark.parametrize(("value", "verdict"), [(0.02, "better"), (0.06, "worse"), (0.045, "reproduced")])
def test_an_error_is_better_when_lower(value: float, verdict: str) -> None:
    assert judged({"metric": "error_rate", "value": 0.04}, metric="error_rate", value=value).verdict == verdict


@pytest.mark.parametrize(
    ("claim", "metric", "value"),
    [
        ({"metric": "error_rate", "value": 0.04}, "accuracy", 0.96),
        ({"metric": "accuracy", "value": 0.96}, "error_rate", 0.04),
        ({"metric": "error_rate", "value": 4.0}, "accuracy", 0.96),
        ({"metric": "accuracy", "value": 96.0}, "accuracy", 0.96),
        ({"metric": "f1_micro", "value": 0.96}, "accuracy", 0.96),
        ({"metric": "recall_macro", "value": 0.96}, "balanced_accuracy", 0.96),
        ({"metric": "mse", "value": 9.0}, "rmse", 3.0),
        ({"metric": "rmse", "value": 3.0}, "mse", 9.0),
    ],
)
def test_the_same_number_in_other_words(claim: dict[str, Any], metric: str, value: float) -> None:
    found = judged(claim, metric=metric, value=value)
    assert found.verdict == "reproduced", found.why
    assert (found.metric, found.value) == (metric, pytest.approx(value))


def test_a_conversion_is_said() -> None:
    assert "is read as percent" in judged({"value": 96.0}).why
    assert "error_rate 0.04 is accuracy 0.96" in judged({"metric": "error_rate", "value": 0.04}).why


@pytest.mark.parametrize(
    ("claim", "options", "why"),
    [
        ({"metric": "f1_macro"}, {}, "of f1_macro, the score of accuracy"),
        ({"metric": "f1"}, {}, "of f1, the score of accuracy"),
        ({"metric": "rmse", "value": 2.0}, {}, "of rmse"),
        ({"value": 960.0}, {}, "outside the range"),
        ({"value": float("nan")}, {}, "outside the range"),
        ({"dataset": ""}, {}, "does not say on which data set"),
        ({"dataset": "YEAST"}, {}, "the claim is on YEAST, the data are letter"),
        ({"dataset": "Fashion-MNIST"}, {"name": "mnist"}, "Fashion-MNIST"),
        ({"dataset": "MNIST"}, {"name": "fashion_mnist"}, "MNIST"),
        ({"dataset": "CIFAR-10"}, {"name": "cifar100"}, "CIFAR-10"),
        ({"split": "10-fold cross-validation"}, {}, "10-fold cross-validation, the score for one test part"),
        ({"split": "validation"}, {}, "validation"),
        ({"split": "dev set"}, {}, "dev set"),
        ({"split": "mean of 5 runs"}, {}, "mean of 5 runs"),
        ({"split": "test, averaged over 20 splits"}, {}, "averaged"),
        ({"split": "training set"}, {}, "training set"),
        ({"split": "leave-one-out"}, {}, "leave-one-out"),
        ({"split": "10-shot"}, {}, "few labels"),
        ({"dataset": "LETTER (5-shot)"}, {}, "few labels"),
        ({"split": "official test set"}, {"kind": "stratified"}, "our own stratified split"),
        ({"split": "random 80/20"}, {"kind": "official"}, "random 80/20, the score for the official test part"),
        ({"split": "test"}, {"kind": "group"}, "groups that training did not see"),
        ({}, {"kind": "time"}, "not described, the score for later rows"),
    ],
)
def test_what_is_not_comparable_says_why(claim: dict[str, Any], options: dict[str, Any], why: str) -> None:
    found = judged(claim, **options)
    assert found.verdict == "not_comparable"
    assert why in found.why


def test_everything_that_does_not_match_is_said() -> None:
    found = judged({"metric": "f1_macro", "dataset": "YEAST", "split": "5-fold CV"})
    assert all(part in found.why for part in ("f1_macro", "YEAST", "5-fold CV"))


@pytest.mark.parametrize(
    "split",
    [
        "",
        "test",
        "held-out test set",
        "official test split",
        "test set of 4,000",
        "train/test split",
        "test, tuned on validation",
    ],
)
def test_a_claim_on_a_test_part_against_the_official_one(split: str) -> None:
    found = judged({"split": split})
    assert found.verdict == "reproduced"
    assert "own" not in found.why


@pytest.mark.parametrize("kind", ["random", "stratified"])
def test_a_claim_on_a_test_part_against_our_own_split_is_compared_with_that_remark(kind: Kind) -> None:
    found = judged({"split": "test"}, kind=kind)
    assert found.verdict == "reproduced"
    assert f"own {kind} split" in found.why


def test_a_claim_by_groups_against_a_split_by_groups() -> None:
    assert judged({"split": "unseen speakers"}, kind="group").verdict == "reproduced"
    assert judged({"split": "leave-one-subject-out"}, kind="group").verdict == "reproduced"
    assert judged({"split": "chronological test"}, kind="time").verdict == "reproduced"


def test_another_method_is_a_remark() -> None:
    found = judged({"method": "gcForest"}, method="gradient boosting")
    assert found.verdict == "reproduced"
    assert "claimed for gcForest, measured with gradient boosting" in found.why


def test_a_claim_that_contradicts_itself() -> None:
    def stated(value: float) -> Claim:
        return Claim(metric="accuracy", value=value, dataset="LETTER", method="random forest")

    found = judged({}, brief=PaperBrief(claims=[stated(0.96), stated(0.91)]))
    assert found.verdict == "not_comparable"
    assert "contradicts itself: it also states 0.91" in found.why
    assert judged({}, brief=PaperBrief(claims=[stated(0.96), stated(0.9605)])).verdict == "reproduced", "rounding"


def test_no_claim_no_verdict() -> None:
    plan = TrainingPlan(task="regression", modality="table", metric="rmse", direction="lower", approach="")
    split = SplitRecord(kind="random", seed=0, train=1, validation=1, test=1)
    data = Dataset(
        name="x", source="x", task="regression", modality="table", target="y", rows=3, split=split, fingerprint="f"
    )
    result = Evaluation(
        attempt=1,
        metric="rmse",
        direction="lower",
        value=1,
        low=1,
        high=1,
        n_test=1,
        baseline=Baseline(name="", value=1),
    )
    assert judge_claim(None, result, data, None, plan) is None


@pytest.mark.parametrize(
    ("claimed", "ours"),
    [
        ("LETTER", "letter-recognition"),
        ("UCI Letter Recognition data set", "letter"),
        ("optdigits", "sklearn:digits"),
        ("the digits data set", "digits"),
        ("Adult (census income)", "adult"),
        ("BostonHousing", "boston_housing"),
        ("Banking77", "BANKING77"),
        ("20 Newsgroups", "20newsgroups"),
        ("Wisconsin Breast Cancer", "breast_cancer"),
        ("Concrete Compressive Strength", "concrete"),
        ("Energy Efficiency", "energy"),
        ("Yacht Hydrodynamics", "yacht"),
        ("TREC-6", "trec"),
        ("CIFAR-10", "cifar10"),
    ],
)
def test_the_same_data_set(claimed: str, ours: str) -> None:
    assert same_dataset(claimed, ours)
    assert same_dataset(ours, claimed)


@pytest.mark.parametrize(
    ("claimed", "ours"),
    [
        ("MNIST", "Fashion-MNIST"),
        ("EMNIST Letters", "EMNIST"),
        ("CIFAR-10", "CIFAR-100"),
        ("CIFAR", "CIFAR-100"),
        ("California housing", "Boston housing"),
        ("wine", "wine quality"),
        ("Breast Cancer Coimbra", "breast cancer"),
        ("SST-1", "SST-2"),
        ("letter", "better"),
        ("", "letter"),
        ("data set", "data"),
    ],
)
def test_another_data_set(claimed: str, ours: str) -> None:
    assert not same_dataset(claimed, ours)
    assert not same_dataset(ours, claimed)


@pytest.mark.parametrize("named", [[], ["YEAST"], ["letter"]])
def test_a_claim_without_a_data_set_is_not_comparable_whatever_else_the_paper_names(named: list[str]) -> None:
    found = judged({"dataset": ""}, brief=PaperBrief(title="A paper", datasets=named))
    assert found.verdict == "not_comparable"
    assert "does not say on which data set" in found.why
