"""Quick forms of metrics for the bootstrap: prepared once for all rows, then evaluated on any draw of them.

Each gives what `metrics.score` gives on the drawn rows, and NaN where that is not defined there; a test holds them to
it. Metrics without a quick form are scored draw by draw.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["CONFUSION", "ONE_CLASS", "RANKING", "quick_form"]

CONFUSION = ("f1_macro", "f1_micro", "f1_weighted", "balanced_accuracy", "recall_macro", "precision_macro", "mcc",
             "cohen_kappa")  # fmt: skip
ONE_CLASS = ("f1", "precision", "recall")
RANKING = ("roc_auc", "average_precision")

Quick = Callable[[Any], float]
"""From drawn row numbers, an integer array, to the metric."""


def quick_form(name: str, y: Any, p: Any, scores: Any, classes: list[str], positive: str) -> Quick | None:
    """The quick form of a metric; None if it has none.

    Args:
        name: canonical.
        y, p: arrays of true values and predictions, length n.
        scores: array (n, number of classes), or None.
        classes, positive: as in `score`.
    """
    import numpy as np

    if name in ("accuracy", "error_rate"):
        right = (y == p).astype(float) if name == "accuracy" else (y != p).astype(float)
        return lambda rows: float(right[rows].mean())
    if name in ("rmse", "mse", "mae"):
        far = p.astype(float) - y.astype(float)
        errors = np.abs(far) if name == "mae" else far**2
        return lambda rows: float(np.sqrt(errors[rows].mean()) if name == "rmse" else errors[rows].mean())
    if name == "log_loss" and scores is not None and not (scores < 0).any():
        from .metrics import losses

        each = losses(y.tolist(), scores, classes)
        return lambda rows: float(each[rows].mean())
    if name in RANKING and scores is not None:
        return _ranking(name, y, scores, classes, positive)
    if name in CONFUSION or name in ONE_CLASS:
        return _counting(name, y, p, classes, positive)
    return None


def _counting(name: str, y: Any, p: Any, classes: list[str], positive: str) -> Quick:
    import numpy as np

    index = {label: i for i, label in enumerate(classes)}
    size, chosen = len(classes), index.get(positive, 0)
    cells = np.array([index[a] * size + index[b] for a, b in zip(y, p, strict=True)])

    def quick(rows: Any) -> float:
        matrix = np.bincount(cells[rows], minlength=size**2).reshape(size, size)
        return _of_one_class(name, matrix, chosen) if name in ONE_CLASS else _from_confusion(name, matrix)

    return quick


def _of_one_class(name: str, matrix: Any, chosen: int) -> float:
    """F1, precision or recall of the class at `chosen`; 0 where nothing is divided by nothing, as in `score`."""
    hit, true, said = matrix[chosen, chosen], matrix[chosen].sum(), matrix[:, chosen].sum()
    above, below = {"f1": (2 * hit, true + said), "precision": (hit, said), "recall": (hit, true)}[name]
    return float(above / below) if below else 0.0


def _from_confusion(name: str, matrix: Any) -> float:
    """The metric of a confusion matrix; rows are true classes."""
    import numpy as np

    hits, true, said = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    total = matrix.sum()
    if name == "f1_micro":
        return float(hits.sum() / total)
    if name == "balanced_accuracy":
        return float(np.mean(hits[true > 0] / true[true > 0]))
    if name == "mcc":  # Gorodkin 2004, for any number of classes
        spread = float(total**2 - (true**2).sum()) * float(total**2 - (said**2).sum())
        return float((hits.sum() * total - (true * said).sum()) / np.sqrt(spread)) if spread else 0.0
    if name == "cohen_kappa":
        chance = float((true * said).sum() / total**2)
        return float((hits.sum() / total - chance) / (1 - chance)) if chance < 1 else 0.0
    seen = (true + said) > 0
    recall = hits[seen] / np.maximum(true[seen], 1)
    precision = hits[seen] / np.maximum(said[seen], 1)
    if name == "recall_macro":
        return float(recall.mean())
    if name == "precision_macro":
        return float(precision.mean())
    f1 = 2 * hits[seen] / (true[seen] + said[seen])
    return float(f1.mean() if name == "f1_macro" else np.average(f1, weights=true[seen]))


def _ranking(name: str, y: Any, scores: Any, classes: list[str], positive: str) -> Quick:
    """Sorted once; a draw gives each row a weight, its number of copies."""
    import numpy as np

    sides = [positive] if len(classes) == 2 or name == "average_precision" else [c for c in classes if (y == c).any()]
    prepared = []
    for label in sides:
        column = scores[:, classes.index(label)]
        order = np.argsort(-column, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(column[order]) != 0])  # rows of equal score stand together
        prepared.append((order, starts, (y == label)[order]))

    def quick(rows: Any) -> float:
        copies = np.bincount(rows, minlength=len(y)).astype(float)
        values = []
        for order, starts, belongs in prepared:
            weight = copies[order]
            hits = np.add.reduceat(np.where(belongs, weight, 0.0), starts)
            misses = np.add.reduceat(np.where(belongs, 0.0, weight), starts)
            value = _area(hits, misses) if name == "roc_auc" else _average_precision(hits, misses)
            if np.isfinite(value):
                values.append(value)
            elif len(sides) == 1 or not misses.any():
                return float("nan")
        return float(np.mean(values)) if values else float("nan")

    return quick


def _area(hits: Any, misses: Any) -> float:
    """Share of pairs in the right order, ties half; NaN where there are no pairs."""
    import numpy as np

    pairs = hits.sum() * misses.sum()
    return float((misses * (np.cumsum(hits) - hits / 2)).sum() / pairs) if pairs else float("nan")


def _average_precision(hits: Any, misses: Any) -> float:
    import numpy as np

    if not hits.any() or not misses.any():
        return float("nan")
    above, all_above = np.cumsum(hits), np.cumsum(hits + misses)
    return float((hits / hits.sum() * above / np.maximum(all_above, 1e-12)).sum())
