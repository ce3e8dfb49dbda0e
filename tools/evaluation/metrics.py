"""Every metric that the workflow scores with: canonical name, direction, what it needs, and how papers call it.

The formulas are scikit-learn's (https://scikit-learn.org/stable/modules/model_evaluation.html). For metrics of one
class (`f1`, `precision`, `recall`, `average_precision`) the positive class is the label that is called so (`1`,
`yes`, `true`, `positive`, …), else the rarer one in the true labels, else the last in order.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from trainwright.graph.errors import ContractError, RequestError
from trainwright.graph.state import Direction, Target, Task

__all__ = ["METRICS", "Metric", "losses", "metric", "parse_metric", "parse_target", "positive_class", "score"]

POSITIVE = ("1", "yes", "true", "positive", "pos", "y", "t", "spam", ">50k", "malignant", "churn", "fraud")


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: canonical.
        direction: which way is better.
        tasks: what it scores.
        fraction: whether values lie in [0, 1] (or [-1, 1]) and papers may print them in percent.
        needs_scores: whether class scores are needed besides labels.
        binary: whether it is defined for two classes only.
        aliases: patterns of how it is called, tried in order over all metrics.
    """

    name: str
    direction: Direction
    tasks: tuple[Task, ...]
    fraction: bool
    aliases: tuple[str, ...]
    needs_scores: bool = False
    binary: bool = False


C: tuple[Task, ...] = ("classification",)
R: tuple[Task, ...] = ("regression",)
_ALL = (
    Metric("balanced_accuracy", "higher", C, True, (r"balanced[ _-]acc(?:uracy)?", r"unweighted average recall", r"\bUAR\b")),
    Metric("error_rate", "lower", C, True, (r"(?:classification|test|generali[sz]ation|misclassification|mis-classification)[ _-]error(?:[ _-]rates?)?", r"error[ _-]rates?", r"\berror\s*\(?%\)?", r"misclassification rate")),
    Metric("f1_macro", "higher", C, True, (r"macro[ _-](?:averaged? )?F-?(?:1|score|measure)(?:[ _-]score)?", r"F-?1[ _-]macro", r"macro F\b")),
    Metric("f1_micro", "higher", C, True, (r"micro[ _-](?:averaged? )?F-?(?:1|score|measure)(?:[ _-]score)?", r"F-?1[ _-]micro")),
    Metric("f1_weighted", "higher", C, True, (r"weighted[ _-](?:averaged? )?F-?(?:1|score|measure)(?:[ _-]score)?", r"F-?1[ _-]weighted")),
    Metric("average_precision", "higher", C, True, (r"average[ _-]precision", r"\bAUPRC\b", r"PR[ _-]AUC", r"area under the precision"), True, True),
    Metric("precision_macro", "higher", C, True, (r"macro[ _-](?:averaged? )?precision", r"precision[ _-]macro")),
    Metric("recall_macro", "higher", C, True, (r"macro[ _-](?:averaged? )?recall", r"recall[ _-]macro")),
    Metric("roc_auc", "higher", C, True, (r"(?:ROC[ _-])?AU-?C(?:[ _-]ROC)?\b", r"\bAUROC\b", r"area under the (?:ROC|receiver|curve)"), True),
    Metric("log_loss", "lower", C, False, (r"log[ _-]?loss", r"cross[ _-]entropy", r"negative log[ _-]likelihood"), True),
    Metric("mcc", "higher", C, True, (r"\bMCC\b", r"Matthews(?:' correlation)?(?: coefficient)?")),
    Metric("cohen_kappa", "higher", C, True, (r"(?:Cohen'?s[ _-])?kappa", r"cohen_kappa")),
    Metric("f1", "higher", C, True, (r"\bF-?1(?:[ _-](?:score|measure))?\b", r"\bF-?(?:score|measure)\b"), False, True),
    Metric("accuracy", "higher", C, True, (r"\baccurac(?:y|ies)\b", r"\bacc\.?(?![a-z])", r"top-?1", r"correct(?:ly)? classified", r"recognition rate", r"classification rate")),
    Metric("rmsle", "lower", R, False, (r"\bRMSLE\b", r"root mean squared? log(?:arithmic)? error")),
    Metric("rmse", "lower", R, False, (r"\bRMSE\b", r"root[ -]mean[ -]squared?[ -](?:error|deviation)", r"\bRMSD\b")),
    Metric("mape", "lower", R, True, (r"\bMAPE\b", r"mean absolute percentage error")),
    Metric("medae", "lower", R, False, (r"\bmedae\b", r"median absolute error")),
    Metric("mae", "lower", R, False, (r"\bMAE\b", r"mean absolute error")),
    Metric("mse", "lower", R, False, (r"\bMSE\b", r"mean[ -]squared?[ -]error")),
    Metric("r2", "higher", R, True, (r"\bR\s?\^?2\b", r"R²", r"coefficient of determination", r"R-squared", r"\br2\b")),
    Metric("spearman", "higher", R, True, (r"Spearman(?:'s)?(?: rank)?(?: correlation)?(?: coefficient)?",)),
    Metric("pearson", "higher", R, True, (r"Pearson(?:'s)?(?: correlation)?(?: coefficient)?",)),
    Metric("poisson_deviance", "lower", R, False, (r"(?:mean )?Poisson deviance",)),
    Metric("precision", "higher", C, True, (r"\bprecision\b",), False, True),
    Metric("recall", "higher", C, True, (r"\brecall\b", r"\bsensitivity\b", r"true positive rate"), False, True),
)  # fmt: skip
METRICS: dict[str, Metric] = {entry.name: entry for entry in _ALL}
TARGET = re.compile(
    r"\s*(?P<name>[A-Za-z][\w .^²/-]*?)\s*(?P<op>>=|<=|≥|≤|=>|=<|>|<|==?)\s*(?P<value>[+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*(?P<percent>%?)\s*"
)


def metric(name: str) -> Metric:
    """The metric of a canonical name.

    Raises:
        RequestError: there is none.
    """
    if name not in METRICS:
        raise RequestError(f"There is no metric {name[:60]!r}.", hint=f"There are: {', '.join(METRICS)}.")
    return METRICS[name]


def parse_metric(text: str) -> str | None:
    """The canonical name of the first metric that a text names, or None."""
    plain = text.strip()
    if plain.lower() in METRICS:
        return plain.lower()
    best: tuple[int, int, str] | None = None
    for entry in _ALL:
        for pattern in entry.aliases:
            found = re.search(pattern, plain, re.I)
            if found and (best is None or (found.start(), -found.end()) < best[:2]):
                best = (found.start(), -found.end(), entry.name)
    return best[2] if best else None


def parse_target(text: str) -> Target:
    """A wanted score such as `accuracy>=0.97`, `accuracy>=97%` or `rmse<=3.1`.

    Raises:
        RequestError: it cannot be read, or makes no sense for the metric.
    """
    example = "Write for instance accuracy>=0.97 or rmse<=3.1."
    match = TARGET.fullmatch(text)
    if match is None:
        raise RequestError(f"The target {text[:80]!r} cannot be read.", hint=example)
    name = parse_metric(match["name"])
    if name is None:
        raise RequestError(
            f"The target names no known metric: {match['name'][:60]!r}.", hint=f"There are: {', '.join(METRICS)}."
        )
    entry = METRICS[name]
    wanted = ">=" if entry.direction == "higher" else "<="
    if (
        match["op"] in ("=", "==", ">", "<")
        or {"≥": ">=", "=>": ">=", "≤": "<=", "=<": "<="}.get(match["op"], match["op"]) != wanted
    ):
        raise RequestError(
            f"{name} is better when {entry.direction}, so its target is written with {wanted}.", hint=example
        )
    try:
        value = float(match["value"])
    except ValueError:
        raise RequestError(f"{match['value']!r} is no number.", hint=example) from None
    if not math.isfinite(value):
        raise RequestError(f"{match['value']} is too large.", hint=example)
    if match["percent"] and not entry.fraction:
        raise RequestError(f"{name} has no percent: it is in the unit of the target.", hint=example)
    value = value / 100 if match["percent"] else value
    if entry.fraction and value > 1:
        raise RequestError(
            f"{name} lies between 0 and 1; {value:g} cannot be reached.",
            hint=f"Did you mean {name}{wanted}{value / 100:g}?",
        )
    if value < (-1 if entry.name in ("mcc", "cohen_kappa", "spearman", "pearson") else 0) and name != "r2":
        raise RequestError(f"{name} cannot be {value:g}.", hint=example)
    return Target(metric=name, op=wanted, value=value)


def positive_class(labels: Sequence[str], classes: Sequence[str]) -> str:
    """The positive one of two classes."""
    for label in classes:
        if label.lower() in POSITIVE:
            return label
    counts = Counter(labels)
    return min(sorted(classes, reverse=True), key=lambda c: counts.get(c, 0))


def score(
    name: str,
    true: Sequence[Any],
    predicted: Sequence[Any],
    *,
    scores: Any = None,
    classes: Sequence[str] = (),
    positive: str = "",
) -> float:
    """The value of a metric.

    Args:
        name: canonical.
        true, predicted: labels (str) or numbers (float), the same length n.
        scores: array (n, number of classes), columns in the order of `classes`; for metrics that need it.
        classes: all classes, sorted.
        positive: the positive class; found in `true` when empty.

    Raises:
        RequestError: the metric needs class scores that are not there, or two classes, or other true values.
        ContractError: kind `not_finite`; the predictions are so large that the metric is no finite number.
    """
    import numpy as np

    entry = metric(name)
    if entry.needs_scores and scores is None:
        raise RequestError(f"{name} needs class scores, and there are none.", hint="Choose a metric of labels.")
    if entry.binary and len(classes) > 2:
        raise RequestError(f"{name} is defined for two classes; there are {len(classes)}.", hint=f"Use {name}_macro.")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if "classification" in entry.tasks:
            positive = positive or (positive_class(true, classes) if len(classes) == 2 else "")
            value = float(_CLASSIFICATION[name](true, predicted, scores, list(classes), positive))
        else:
            value = float(_regression(name, true, predicted))
    if not math.isfinite(value):
        raise ContractError("not_finite", f"{name} of these predictions is no finite number: they are too large.")
    return value


def _two_sides(name: str, positive: Any) -> None:
    """Refuse true labels that are all alike.

    Raises:
        RequestError: a ranking cannot be scored on them.
    """
    if positive.all() or not positive.any():
        raise RequestError(f"{name} needs rows of two classes, and these are all of one.", hint="Choose accuracy.")


def _auc(true: Any, scores: Any, classes: list[str], positive: str) -> float:
    """Area under the ROC curve; for more than two classes the mean of each present class against the rest."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    sides = [positive] if len(classes) == 2 else [c for c in classes if c in set(true)]
    areas = []
    for label in sides:
        belongs = np.asarray(true) == label
        _two_sides("roc_auc", belongs)
        areas.append(roc_auc_score(belongs, scores[:, classes.index(label)]))
    return float(np.mean(areas))


def _with(function: str, **options: Any) -> Callable[..., float]:
    def call(true: Any, predicted: Any, scores: Any, classes: list[str], positive: str) -> float:
        from sklearn import metrics

        given = dict(options)
        if options.get("average") == "binary":
            given["pos_label"] = positive
        if "average" in options:
            given["zero_division"] = 0.0
        return float(getattr(metrics, function)(true, predicted, **given))

    return call


_CLASSIFICATION: dict[str, Callable[..., float]] = {
    "accuracy": _with("accuracy_score"),
    "error_rate": lambda t, p, s, c, pos: 1.0 - _with("accuracy_score")(t, p, s, c, pos),
    "balanced_accuracy": lambda t, p, s, c, pos: _with("recall_score", average="macro", labels=sorted(set(t)))(
        t, p, s, c, pos
    ),
    "f1": _with("f1_score", average="binary"),
    "f1_macro": _with("f1_score", average="macro"),
    "f1_micro": _with("f1_score", average="micro"),
    "f1_weighted": _with("f1_score", average="weighted"),
    "precision": _with("precision_score", average="binary"),
    "precision_macro": _with("precision_score", average="macro"),
    "recall": _with("recall_score", average="binary"),
    "recall_macro": _with("recall_score", average="macro"),
    "mcc": lambda t, p, s, c, pos: 0.0 if len({*t, *p}) == 1 else _with("matthews_corrcoef")(t, p, s, c, pos),
    "cohen_kappa": lambda t, p, s, c, pos: _kappa(t, p),
    "roc_auc": lambda t, p, s, c, pos: _auc(t, s, c, pos),
    "average_precision": lambda t, p, s, c, pos: _average_precision(t, s, c, pos),
    "log_loss": lambda t, p, s, c, pos: _log_loss(t, s, c),
}


def _kappa(true: Any, predicted: Any) -> float:
    """Cohen's kappa; 0 where chance alone explains everything, since all are of one class and said to be."""
    from sklearn.metrics import cohen_kappa_score

    return 0.0 if len({*true, *predicted}) == 1 else float(cohen_kappa_score(true, predicted))


def _average_precision(true: Any, scores: Any, classes: list[str], positive: str) -> float:
    import numpy as np
    from sklearn.metrics import average_precision_score

    belongs = np.asarray(true) == positive
    _two_sides("average_precision", belongs)
    return float(average_precision_score(belongs, scores[:, classes.index(positive)]))


def losses(true: Any, scores: Any, classes: list[str]) -> Any:
    """Negative log of the true class's share in each row; scores are shares of their row's largest, at least 1e-15.

    Raises:
        RequestError: a score is negative.
    """
    import numpy as np

    if (scores < 0).any():
        raise RequestError("log_loss needs probabilities, and predict.py wrote negative scores.")
    clipped = np.clip(scores / np.maximum(scores.max(axis=1, keepdims=True), 1e-300), 1e-15, None)
    shares = clipped / clipped.sum(axis=1, keepdims=True)
    index = {label: i for i, label in enumerate(classes)}
    return -np.log(shares[np.arange(len(shares)), [index[label] for label in true]])


def _log_loss(true: Any, scores: Any, classes: list[str]) -> float:
    return float(losses(true, scores, classes).mean())


def _r2(y: Any, error: Any) -> float:
    """1 - residual / total; of constant true values 1 for a perfect and 0 for any other prediction, as scikit-learn."""
    import numpy as np

    total, residual = float(np.sum((y - y.mean()) ** 2)), float(np.sum(error**2))
    if total == 0:
        return 1.0 if residual == 0 else 0.0
    return 1 - residual / total


def _regression(name: str, true: Sequence[float], predicted: Sequence[float]) -> float:
    import numpy as np

    y, p = np.asarray(true, dtype="float64"), np.asarray(predicted, dtype="float64")
    error = p - y
    if name in ("spearman", "pearson"):
        if np.ptp(p) == 0 or np.ptp(y) == 0:
            return 0.0
        if name == "spearman":
            from scipy.stats import rankdata

            y, p = rankdata(y), rankdata(p)
        return float(np.corrcoef(y, p)[0, 1])
    if name in ("rmsle", "poisson_deviance") and (y < 0).any():
        raise RequestError(f"{name} is defined for targets of at least 0.", hint="Choose another metric.")
    if name == "poisson_deviance":
        safe = np.clip(p, 1e-9, None)
        part = np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / safe), 0.0)
        return float(2 * np.mean(part - y + safe))
    return {
        "rmse": lambda: float(np.sqrt(np.mean(error**2))),
        "mse": lambda: float(np.mean(error**2)),
        "mae": lambda: float(np.mean(np.abs(error))),
        "medae": lambda: float(np.median(np.abs(error))),
        "r2": lambda: _r2(y, error),
        "mape": lambda: float(np.mean(np.abs(error) / np.maximum(np.abs(y), np.finfo(float).eps))),
        "rmsle": lambda: float(np.sqrt(np.mean((np.log1p(np.clip(p, 0, None)) - np.log1p(y)) ** 2))),
    }[name]()
