"""The metrics that a search can optimise, by their canonical names.

This is what training steers by; the published score is computed elsewhere, on labels that no script sees. Formulas
are scikit-learn's. Larger is better for `quality`, whatever the metric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics as m

from contract import BadInput, Floats

__all__ = ["BINARY", "LOWER", "NAMES", "default_metric", "positive_class", "quality", "score"]

LOWER = ("error_rate", "log_loss", "rmse", "mse", "mae", "medae", "mape", "rmsle", "poisson_deviance")
"""Metrics of which less is better."""

LABELS = (
    "accuracy", "error_rate", "balanced_accuracy", "f1", "f1_macro", "f1_micro", "f1_weighted", "precision",
    "precision_macro", "recall", "recall_macro", "mcc", "cohen_kappa",
)  # fmt: skip
SCORES = ("roc_auc", "average_precision", "log_loss")
NUMBERS = ("rmse", "mse", "mae", "medae", "r2", "mape", "rmsle", "spearman", "pearson", "poisson_deviance")
BINARY = ("f1", "precision", "recall", "average_precision")
NAMES = {"classification": LABELS + SCORES, "regression": NUMBERS}

POSITIVE = ("1", "yes", "true", "positive", "pos", "y", "t", "spam", ">50k", "malignant", "churn", "fraud")
"""Labels that mean the positive class, in lower case: the same ones as where the published score is computed."""


def default_metric(task: str) -> str:
    """What is optimised when nobody says: accuracy, or the root mean squared error."""
    return "accuracy" if task == "classification" else "rmse"


def positive_class(classes: Sequence[str], truth: npt.NDArray[np.int64]) -> int:
    """Index of the positive one of two classes: by its name, else the rarer one, else the last."""
    named = [i for i, label in enumerate(classes) if label.lower() in POSITIVE]
    if named:
        return named[0]
    counts = np.bincount(truth, minlength=len(classes))
    return len(classes) - 1 - int(np.argmin(counts[::-1]))


def quality(name: str, truth: Any, predicted: Any, shares: Floats | None = None, positive: int = 1) -> float:
    """The score, negated where less is better; minus infinity where it is not defined."""
    value = score(name, truth, predicted, shares, positive)
    if not np.isfinite(value):
        return float("-inf")
    return -value if name in LOWER else value


def score(name: str, truth: Any, predicted: Any, shares: Floats | None = None, positive: int = 1) -> float:
    """One metric; NaN where it is not defined.

    Args:
        truth: class indices or numbers, [n].
        predicted: the same, [n].
        shares: class probabilities, [n, classes]; needed by roc_auc, average_precision and log_loss.
        positive: index of the positive class, for metrics of one class.

    Raises:
        BadInput: the metric has no such name, or does not fit the number of classes.
    """
    if name in NUMBERS:
        return _number_score(name, truth, predicted)
    if name in BINARY and shares is not None and shares.shape[1] != 2:
        raise BadInput(f"The metric {name} needs two classes, and there are {shares.shape[1]}; use f1_macro or so.")
    if name in SCORES:
        assert shares is not None
        return _share_score(name, truth, shares, positive)
    if name not in LABELS:
        raise BadInput(f"There is no metric {name!r} here.")
    return _label_score(name, truth, predicted, positive)


def _label_score(name: str, truth: Any, predicted: Any, positive: int) -> float:
    if name in ("accuracy", "error_rate"):
        right = float(np.mean(truth == predicted))
        return right if name == "accuracy" else 1 - right
    if name == "balanced_accuracy":
        return float(m.recall_score(truth, predicted, average="macro", labels=np.unique(truth), zero_division=0.0))
    if name == "mcc":
        return float(m.matthews_corrcoef(truth, predicted))
    if name == "cohen_kappa":
        return float(m.cohen_kappa_score(truth, predicted))
    kind, _, average = name.partition("_")
    function = {"f1": m.f1_score, "precision": m.precision_score, "recall": m.recall_score}[kind]
    if average:
        return float(function(truth, predicted, average=average, zero_division=0.0))
    return float(function(truth == positive, predicted == positive, zero_division=0.0))


def _share_score(name: str, truth: Any, shares: Floats, positive: int) -> float:
    if name == "log_loss":
        own = np.clip(shares[np.arange(len(truth)), truth], 1e-15, 1.0)
        return float(-np.log(own).mean())
    if len(np.unique(truth)) < 2:
        return float("nan")
    if name == "average_precision":
        return float(m.average_precision_score(truth == positive, shares[:, positive]))
    if shares.shape[1] == 2:
        return float(m.roc_auc_score(truth == positive, shares[:, positive]))
    present = [k for k in range(shares.shape[1]) if 0 < np.sum(truth == k) < len(truth)]
    return float(np.mean([m.roc_auc_score(truth == k, shares[:, k]) for k in present]))


def _number_score(name: str, truth: Any, predicted: Any) -> float:
    error = truth - predicted
    if name == "rmsle":
        logs = np.log1p(np.maximum(truth, -1 + 1e-9)) - np.log1p(np.maximum(predicted, 0))
        return float(np.sqrt(np.mean(logs**2)))
    if name == "poisson_deviance":
        return float(m.mean_poisson_deviance(truth, np.maximum(predicted, 1e-9)))
    if name in ("pearson", "spearman"):
        return _correlation(name, truth, predicted)
    simple: dict[str, Callable[[], Any]] = {
        "rmse": lambda: np.sqrt(np.mean(error**2)),
        "mse": lambda: np.mean(error**2),
        "mae": lambda: np.mean(np.abs(error)),
        "medae": lambda: np.median(np.abs(error)),
        "r2": lambda: m.r2_score(truth, predicted) if len(truth) > 1 else float("nan"),
        "mape": lambda: m.mean_absolute_percentage_error(truth, predicted),
    }
    return float(simple[name]())


def _correlation(name: str, truth: Any, predicted: Any) -> float:
    from scipy.stats import rankdata

    pair = [rankdata(values) if name == "spearman" else values for values in (truth, predicted)]
    if min(np.std(values) for values in pair) == 0:
        return 0.0
    return float(np.corrcoef(*pair)[0, 1])
