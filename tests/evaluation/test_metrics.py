"""Every metric against scikit-learn's own, on any labels; and the tables by which metrics and targets are read."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from trainwright.graph.errors import ContractError, RequestError
from trainwright.graph.state import Target
from trainwright.tools.evaluation import METRICS, parse_metric, parse_target, positive_class, score

CLASSES = ["a", "b", "c"]
PLAIN = {
    "accuracy": reference.accuracy_score,
    "error_rate": lambda t, p: 1 - reference.accuracy_score(t, p),
    "balanced_accuracy": reference.balanced_accuracy_score,
    "f1_macro": lambda t, p: reference.f1_score(t, p, average="macro", zero_division=0.0),
    "f1_micro": lambda t, p: reference.f1_score(t, p, average="micro", zero_division=0.0),
    "f1_weighted": lambda t, p: reference.f1_score(t, p, average="weighted", zero_division=0.0),
    "precision_macro": lambda t, p: reference.precision_score(t, p, average="macro", zero_division=0.0),
    "recall_macro": lambda t, p: reference.recall_score(t, p, average="macro", zero_division=0.0),
    "mcc": reference.matthews_corrcoef,
}
REGRESSION = {
    "rmse": reference.root_mean_squared_error,
    "mse": reference.mean_squared_error,
    "mae": reference.mean_absolute_error,
    "medae": reference.median_absolute_error,
    "mape": reference.mean_absolute_percentage_error,
    "r2": reference.r2_score,
}
pairs = st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=2, max_size=40)
numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))
rows = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=40)


@pytest.mark.parametrize("name", PLAIN)
@given(pairs)
@settings(max_examples=40, deadline=None)
def test_labels(name: str, given_pairs: list[tuple[str, str]]) -> None:
    true, predicted = map(list, zip(*given_pairs, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn remarks on classes that are predicted and never true
        wanted = PLAIN[name](true, predicted)
    assert score(name, true, predicted, classes=CLASSES) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("name", REGRESSION)
@given(rows)
@settings(max_examples=40, deadline=None)
def test_numbers(name: str, given_rows: list[tuple[float, float]]) -> None:
    true, predicted = map(list, zip(*given_rows, strict=True))
    assert score(name, true, predicted) == pytest.approx(REGRESSION[name](true, predicted), rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.floats(1e-3, 1e4)), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_counts(given_rows: list[tuple[int, float]]) -> None:
    true, predicted = map(list, zip(*given_rows, strict=True))
    deviance = reference.mean_poisson_deviance(true, predicted)
    assert score("poisson_deviance", true, predicted) == pytest.approx(deviance, rel=1e-6, abs=1e-6)
    logs = reference.root_mean_squared_log_error(true, predicted)
    assert score("rmsle", true, predicted) == pytest.approx(logs, rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100)), min_size=2, max_size=40))
@settings(max_examples=60, deadline=None)
def test_ranking_of_two_classes(given_rows: list[tuple[bool, int]]) -> None:
    true = ["yes" if label else "no" for label, _ in given_rows]
    shares = np.array([[100 - s, s] for _, s in given_rows]) / 100
    predicted = ["yes" if s > 50 else "no" for _, s in given_rows]
    is_yes = np.array(true) == "yes"
    for name in ("roc_auc", "average_precision"):
        if is_yes.all() or not is_yes.any():
            with pytest.raises(RequestError, match="two classes"):
                score(name, true, predicted, scores=shares, classes=["no", "yes"])
        else:
            wanted = getattr(reference, f"{name}_score")(is_yes, shares[:, 1])
            assert score(name, true, predicted, scores=shares, classes=["no", "yes"]) == pytest.approx(wanted)


@given(st.lists(st.tuples(st.sampled_from(CLASSES), st.tuples(*[st.floats(0.01, 1)] * 3)), min_size=3, max_size=30))
@settings(max_examples=40, deadline=None)
def test_log_loss(given_rows: list[tuple[str, tuple[float, ...]]]) -> None:
    true = [label for label, _ in given_rows]
    shares = np.array([values for _, values in given_rows])
    wanted = reference.log_loss(true, shares / shares.sum(axis=1, keepdims=True), labels=CLASSES)
    assert score("log_loss", true, true, scores=shares, classes=CLASSES) == pytest.approx(wanted)
    assert score("log_loss", true, true, scores=7 * shares, classes=CLASSES) == pytest.approx(wanted)


def test_ranking_of_many_classes_is_the_mean_over_those_present() -> None:
    generator = np.random.default_rng(0)
    true = generator.choice(CLASSES, 50).tolist()
    shares = generator.dirichlet([1, 1, 1], 50)
    wanted = reference.roc_auc_score(true, shares, multi_class="ovr", average="macro", labels=CLASSES)
    assert score("roc_auc", true, true, scores=shares, classes=CLASSES) == pytest.approx(wanted)
    more = np.column_stack([shares, np.zeros(50)])
    assert score("roc_auc", true, true, scores=more, classes=[*CLASSES, "never"]) == pytest.approx(wanted)


def test_metrics_of_one_class_take_the_positive_one() -> None:
    true, predicted = ["yes", "no", "no", "yes"], ["yes", "no", "yes", "no"]
    for name, function in (("f1", "f1_score"), ("precision", "precision_score"), ("recall", "recall_score")):
        wanted = getattr(reference, function)(true, predicted, pos_label="yes")
        assert score(name, true, predicted, classes=["no", "yes"]) == wanted


@pytest.mark.parametrize(
    ("classes", "labels", "positive"),
    [
        (["0", "1"], ["1", "1", "0"], "1"),
        (["no", "Yes"], ["no"], "Yes"),
        (["<=50K", ">50K"], ["<=50K"], ">50K"),
        (["ham", "spam"], [], "spam"),
        (["cat", "dog"], ["cat", "dog", "dog"], "cat"),
        (["cat", "dog"], ["cat", "dog"], "dog"),
    ],
)
def test_positive_class(classes: list[str], labels: list[str], positive: str) -> None:
    assert positive_class(labels, classes) == positive


def test_correlations() -> None:
    from scipy.stats import pearsonr, spearmanr

    generator = np.random.default_rng(1)
    true, predicted = generator.normal(size=30).tolist(), generator.integers(0, 5, 30).astype(float).tolist()
    assert score("pearson", true, predicted) == pytest.approx(pearsonr(true, predicted)[0])
    assert score("spearman", true, predicted) == pytest.approx(spearmanr(true, predicted)[0])
    assert score("pearson", true, [1.0] * 30) == 0.0


@pytest.mark.parametrize(
    ("name", "true", "predicted", "value"),
    [
        ("r2", [2.0, 2.0], [2.0, 2.0], 1.0),
        ("r2", [2.0, 2.0], [2.0, 3.0], 0.0),
        ("cohen_kappa", ["a", "a"], ["a", "a"], 0.0),
        ("cohen_kappa", ["a", "b", "a", "b"], ["a", "b", "a", "a"], 0.5),
        ("mcc", ["a", "a"], ["a", "a"], 0.0),
    ],
)
def test_edges(name: str, true: list[Any], predicted: list[Any], value: float) -> None:
    assert score(name, true, predicted, classes=["a", "b"]) == pytest.approx(value)


@pytest.mark.parametrize("name", ["rmse", "mse", "r2", "mae", "mape"])
def test_predictions_so_large_that_there_is_no_score(name: str) -> None:
    with pytest.raises(ContractError, match="no finite number") as caught:
        score(name, [1.0, 2.0], [1.7e308, -1.7e308])
    assert caught.value.kind == "not_finite"


@pytest.mark.parametrize(
    ("name", "match"), [("f1", "two classes"), ("average_precision", "class scores"), ("roc_auc", "class scores")]
)
def test_what_cannot_be_scored(name: str, match: str) -> None:
    with pytest.raises(RequestError, match=match):
        score(name, ["a", "b"], ["a", "b"], classes=CLASSES)


def test_negative_scores_are_no_probabilities() -> None:
    with pytest.raises(RequestError, match="negative"):
        score("log_loss", ["a"], ["a"], scores=np.array([[-1.0, 0.0, 0.0]]), classes=CLASSES)


def test_a_row_of_zeros_and_a_row_of_huge_scores_still_have_a_log_loss() -> None:
    shares = np.array([[0.0, 0.0, 0.0], [1e308, 1e308, 1e308]])
    assert score("log_loss", ["a", "b"], ["a", "b"], scores=shares, classes=CLASSES) == pytest.approx(math.log(3))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Accuracy (%)", "accuracy"),
        ("Acc.", "accuracy"),
        ("test accuracy", "accuracy"),
        ("Top-1", "accuracy"),
        ("balanced accuracy", "balanced_accuracy"),
        ("Macro-F1", "f1_macro"),
        ("macro-averaged F1 score", "f1_macro"),
        ("weighted F1", "f1_weighted"),
        ("micro F1", "f1_micro"),
        ("F1", "f1"),
        ("F-measure", "f1"),
        ("AUC", "roc_auc"),
        ("ROC-AUC", "roc_auc"),
        ("AUROC", "roc_auc"),
        ("AUPRC", "average_precision"),
        ("error rate (%)", "error_rate"),
        ("test error", "error_rate"),
        ("RMSE", "rmse"),
        ("root mean squared error", "rmse"),
        ("MSE", "mse"),
        ("mean squared error", "mse"),
        ("MAE", "mae"),
        ("R²", "r2"),
        ("R^2", "r2"),
        ("Spearman correlation", "spearman"),
        ("Pearson r", "pearson"),
        ("MCC", "mcc"),
        ("Cohen's kappa", "cohen_kappa"),
        ("log loss", "log_loss"),
        ("RMSLE", "rmsle"),
        ("poisson_deviance", "poisson_deviance"),
        ("BLEU", None),
        ("perplexity", None),
        ("", None),
    ],
)
def test_names_in_papers(text: str, name: str | None) -> None:
    assert parse_metric(text) == name


@pytest.mark.parametrize("name", METRICS)
def test_every_canonical_name_is_read_as_itself(name: str) -> None:
    assert parse_metric(name) == name


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("accuracy>=0.97", Target(metric="accuracy", op=">=", value=0.97)),
        (" accuracy >= 97% ", Target(metric="accuracy", op=">=", value=0.97)),
        ("Accuracy ≥ .9", Target(metric="accuracy", op=">=", value=0.9)),
        ("rmse<=3.1", Target(metric="rmse", op="<=", value=3.1)),
        ("RMSE ≤ 1e-2", Target(metric="rmse", op="<=", value=0.01)),
        ("error rate<=3%", Target(metric="error_rate", op="<=", value=0.03)),
        ("macro-F1>=0.6", Target(metric="f1_macro", op=">=", value=0.6)),
        ("R²>=0.8", Target(metric="r2", op=">=", value=0.8)),
        ("r2>=-0.5", Target(metric="r2", op=">=", value=-0.5)),
        ("mcc>=-0.1", Target(metric="mcc", op=">=", value=-0.1)),
    ],
)
def test_targets(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("accuracy>=97", "Did you mean accuracy>=0.97"),
        ("accuracy<=0.9", "written with >="),
        ("rmse>=3", "written with <="),
        ("accuracy=0.9", "written with >="),
        ("accuracy>0.9", "written with >="),
        ("accuracy", "cannot be read"),
        (">=0.9", "cannot be read"),
        ("accuracy>=high", "cannot be read"),
        ("bleu>=30", "no known metric"),
        ("rmse<=-1", "cannot be -1"),
        ("accuracy>=1.2.3", "no number"),
        ("rmse<=1e999", "too large"),
        ("rmse<=3%", "no percent"),
        ("accuracy>=nan", "cannot be read"),
        ("accuracy>=0.9; rm -rf /", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_targets_that_make_no_sense(text: str, match: str) -> None:
    with pytest.raises(RequestError, match=match):
        parse_target(text)
