"""The interval, the trivial baseline, and an evaluation as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainwright.graph.errors import ContractError, RequestError
from trainwright.graph.state import Dataset, Evaluation, SplitRecord, Target, Task, TrainingPlan
from trainwright.tools.evaluation import (
    METRICS,
    Predictions,
    bootstrap,
    evaluate_predictions,
    evaluator_sha256,
    score,
    score_predictions,
    trivial_baseline,
)
from trainwright.tools.evaluation.resampling import CONFUSION, ONE_CLASS, quick_form

CLASSES = ["a", "b", "c"]


def dataset(task: Task = "classification", classes: Sequence[str] = CLASSES) -> Dataset:
    split = SplitRecord(kind="random", seed=0, train=6, validation=2, test=4)
    return Dataset(
        name="toy", source="toy.csv", task=task, modality="table", target="y", classes=list(classes), rows=12,
        split=split, fingerprint="f",
    )  # fmt: skip


def plan(metric: str = "accuracy", task: Task = "classification", **more: Any) -> TrainingPlan:
    direction = METRICS[metric].direction
    return TrainingPlan(task=task, modality="table", metric=metric, direction=direction, approach="", **more)


def evaluated(run_dir: Path, predictions: Predictions, labels: dict[int, Any], **more: Any) -> Evaluation:
    data = more.pop("dataset", dataset())
    return evaluate_predictions(
        predictions, labels, dataset=data, plan=more.pop("plan", plan()), brief=None, run_dir=run_dir, attempt=1, seed=0
    )


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run's folder with a training part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "data").mkdir()
    pq.write_table(pa.table({"id": range(6), "y": list("aaabbc")}), tmp_path / "data" / "train.parquet")
    return tmp_path


LABELS = {10: "a", 11: "b", 12: "a", 13: "c"}
ANSWERS = Predictions({10: "a", 11: "b", 12: "b", 13: "c"}, sha256="s")


def test_an_evaluation(run_dir: Path) -> None:
    result = evaluated(run_dir, ANSWERS, LABELS)
    assert (result.value, result.n_test, result.direction) == (0.75, 4, "higher")
    assert 0 < result.low < 0.75 < result.high <= 1
    assert result.baseline.value == 0.5
    assert "majority class (a)" in result.baseline.name
    assert set(result.others) == {"balanced_accuracy", "f1_macro", "mcc"}
    assert (result.predictions_sha256, result.evaluator_sha256) == ("s", evaluator_sha256())
    assert result.target_met is None


def test_the_order_of_answers_and_labels_does_not_matter(run_dir: Path) -> None:
    turned = Predictions(dict(reversed(ANSWERS.values.items())), sha256="s")
    assert evaluated(run_dir, turned, dict(reversed(LABELS.items()))) == evaluated(run_dir, ANSWERS, LABELS)


@pytest.mark.parametrize(("wanted", "met"), [(0.75, True), (0.76, False)])
def test_a_target(run_dir: Path, wanted: float, met: bool) -> None:
    asked = plan(target=Target(metric="accuracy", op=">=", value=wanted))
    assert evaluated(run_dir, ANSWERS, LABELS, plan=asked).target_met is met


def test_a_constant_guess_gets_what_the_baseline_gets(run_dir: Path) -> None:
    guess = Predictions(dict.fromkeys(LABELS, "a"))
    for name in ("accuracy", "f1_macro", "mcc", "cohen_kappa", "balanced_accuracy"):
        result = evaluated(run_dir, guess, LABELS, plan=plan(name))
        assert result.value == result.baseline.value


def test_a_metric_of_scores_without_scores_is_a_breach(run_dir: Path) -> None:
    for call in (
        lambda: evaluated(run_dir, ANSWERS, LABELS, plan=plan("roc_auc")),
        lambda: score_predictions("roc_auc", LABELS, ANSWERS, dataset()),
    ):
        with pytest.raises(ContractError) as caught:
            call()
        assert caught.value.kind == "no_scores"


def test_scores_give_further_metrics(run_dir: Path) -> None:
    scores = {10: [0.8, 0.1, 0.1], 11: [0.1, 0.8, 0.1], 12: [0.4, 0.5, 0.1], 13: [0.1, 0.2, 0.7]}
    result = evaluated(run_dir, Predictions(ANSWERS.values, scores), LABELS)
    assert {"roc_auc", "log_loss"} < set(result.others)


@pytest.mark.parametrize(
    ("metric", "value", "name"),
    [
        ("rmse", np.sqrt(np.mean((np.array([1.0, 5.0]) - 3.0) ** 2)), "mean"),
        ("mae", np.mean(np.abs(np.array([1.0, 5.0]) - 2.0)), "median"),
        ("spearman", 0.0, "mean"),
        ("r2", 0.0, "mean"),
    ],
)
def test_baselines_of_numbers(metric: str, value: float, name: str) -> None:
    baseline = trivial_baseline(metric, {0: 1.0, 1: 5.0}, [1.0, 2.0, 6.0], dataset("regression", []))
    assert baseline.value == pytest.approx(value)
    assert baseline.name.startswith(name)


def test_baselines_of_classes_know_the_training_part_alone() -> None:
    labels = {0: "b", 1: "b", 2: "a"}
    assert trivial_baseline("accuracy", labels, ["a", "a", "b"], dataset()).value == pytest.approx(1 / 3)
    shares = {"a": 2 / 3, "b": 1 / 3}
    wanted = -np.mean([np.log(shares[label]) for label in labels.values()])
    assert trivial_baseline("log_loss", labels, ["a", "a", "b"], dataset()).value == pytest.approx(wanted)
    assert trivial_baseline("roc_auc", labels, ["a", "a", "b"], dataset()).value == 0.5


def test_the_interval_of_an_accuracy_is_that_of_a_share() -> None:
    true, predicted = ["a"] * 400, ["a"] * 360 + ["b"] * 40
    low, high = bootstrap("accuracy", true, predicted, None, CLASSES, seed=0)
    half = 1.96 * np.sqrt(0.9 * 0.1 / 400)
    assert low == pytest.approx(0.9 - half, abs=0.006)
    assert high == pytest.approx(0.9 + half, abs=0.006)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    generator, hits = np.random.default_rng(0), 0
    for seed in range(120):
        right = generator.random(300) < 0.8
        predicted = np.where(right, "a", "b").tolist()
        low, high = bootstrap("accuracy", ["a"] * 300, predicted, None, CLASSES, seed)
        hits += low <= 0.8 <= high
    assert 0.90 <= hits / 120 <= 0.99


def test_the_interval_is_the_same_for_the_same_seed() -> None:
    generator = np.random.default_rng(0)
    true = generator.normal(size=50).tolist()
    guess = generator.normal(size=50).tolist()
    assert bootstrap("r2", true, guess, None, [], 3) == bootstrap("r2", true, guess, None, [], 3)
    assert bootstrap("r2", true, guess, None, [], 3) != bootstrap("r2", true, guess, None, [], 4)


@pytest.mark.parametrize("name", ["accuracy", "error_rate", *CONFUSION])
def test_the_quick_form_of_a_metric_is_the_metric(name: str) -> None:
    """The whole sample, drawn once in order, must give what the slow form gives."""
    generator = np.random.default_rng(2)
    for size in (3, 7, 60):
        true, predicted = generator.choice(CLASSES, size), generator.choice(CLASSES[:2], size)
        quick = quick_form(name, true, predicted, None, CLASSES, "")
        assert quick is not None
        rows = generator.integers(0, size, size)
        assert quick(rows) == pytest.approx(score(name, true[rows].tolist(), predicted[rows].tolist(), classes=CLASSES))


@pytest.mark.parametrize("name", ONE_CLASS)
def test_the_quick_form_of_a_metric_of_one_class_is_the_metric(name: str) -> None:
    generator = np.random.default_rng(2)
    for size in (1, 4, 30):
        true, predicted = generator.choice(["no", "yes"], size), generator.choice(["no", "yes"], size)
        wanted = score(name, true.tolist(), predicted.tolist(), classes=["no", "yes"], positive="yes")
        quick = quick_form(name, true, predicted, None, ["no", "yes"], "yes")
        assert quick is not None
        assert quick(np.arange(size)) == pytest.approx(wanted)


@pytest.mark.parametrize("name", ["rmse", "mse", "mae"])
def test_the_quick_form_of_an_error_is_the_error(name: str) -> None:
    true, predicted = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 0.0])
    rows = np.array([2, 2, 0])
    quick = quick_form(name, true, predicted, None, [], "")
    assert quick is not None
    assert quick(rows) == pytest.approx(score(name, true[rows].tolist(), predicted[rows].tolist()))


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("roc_auc", ["no", "yes"]),
        ("roc_auc", CLASSES),
        ("average_precision", ["no", "yes"]),
        ("log_loss", ["no", "yes"]),
        ("log_loss", CLASSES),
    ],
)
def test_the_quick_form_of_a_metric_of_scores_is_the_metric(name: str, classes: list[str]) -> None:
    """With many equal scores, and draws in which a class is missing."""
    generator, undefined = np.random.default_rng(3), 0
    positive = "yes" if len(classes) == 2 else ""
    for size in (2, 4, 9, 80):
        for _ in range(15):
            true = generator.choice(classes, size)
            scores = generator.integers(1, 6, (size, len(classes))) / 5
            rows = generator.integers(0, size, size)
            quick = quick_form(name, true, true, scores, classes, positive)
            assert quick is not None
            drawn = true[rows].tolist()
            try:
                wanted = score(name, drawn, drawn, scores=scores[rows], classes=classes, positive=positive)
            except RequestError:
                undefined += 1
                assert np.isnan(quick(rows))
            else:
                assert quick(rows) == pytest.approx(wanted)
    assert (undefined > 0) == (name != "log_loss")


def test_draws_without_both_classes_are_left_out() -> None:
    true, scores = ["a"] * 9 + ["b"], np.array([[0.9, 0.1]] * 9 + [[0.2, 0.8]])
    low, high = bootstrap("roc_auc", true, true, scores, ["a", "b"], seed=0)
    assert (low, high) == (1.0, 1.0)


def test_a_metric_that_no_draw_defines() -> None:
    with pytest.raises(RequestError, match="no draw"):
        bootstrap("roc_auc", ["a", "a"], ["a", "a"], np.array([[1.0, 0.0]] * 2), ["a", "b"], seed=0)


def test_numbers_too_large_for_a_score_are_a_breach(run_dir: Path) -> None:
    with pytest.raises(ContractError) as caught:
        score_predictions("rmse", {0: 1.0}, Predictions({0: 1.7e308}), dataset("regression", []))
    assert caught.value.kind == "not_finite"


def test_the_evaluator_has_an_identity() -> None:
    assert len(evaluator_sha256()) == 64
