"""Columns that give the target away: renamed copies of it, and parts that add up to it.

A feature that predicts well is no leak. A column is taken for one when it maps one to one onto the classes, follows a
measured target exactly, or separates the classes without error while no other column comes near; with few rows
nothing can be told. What is found is left out, and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trainwright.graph.state import Finding

from .facts import Facts
from .messages import finding, shown, shown_list

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["leaking_columns"]

FEWEST_ROWS = 30
SAMPLE = 20_000
PERFECT = 0.999
NEAR = 0.97
"""If a second column separates the classes this well, the task is easy and nothing leaks."""


def leaking_columns(
    facts: Mapping[str, Facts], features: list[str], frame: pd.DataFrame, target: pd.Series[Any], task: str
) -> list[Finding]:
    """One finding for each column, or group of columns, that gives the target away; none if all features would.

    Args:
        features: columns that could be features.
        frame: the training rows, with a target.
        target: canonical labels or float64, of the same rows.
        task: classification or regression.
    """
    if len(frame) < FEWEST_ROWS or len(features) < 2:
        return []
    if len(frame) > SAMPLE:
        rows = _sample(len(frame))
        frame, target = frame.iloc[rows], target.iloc[rows]
    usable = [name for name in features if facts[name].kind in ("number", "category", "boolean", "date")]
    found = (
        _of_classes(facts, usable, frame, target)
        if task == "classification"
        else _of_numbers(facts, usable, frame, target)
    )
    leaking = {name for note in found for name in note.columns}
    return found if len(leaking) < len(features) else []


def _sample(rows: int) -> NDArray[np.int64]:
    import numpy as np

    return np.sort(np.random.default_rng(0).choice(rows, SAMPLE, replace=False))


def _of_classes(
    facts: Mapping[str, Facts], names: list[str], frame: pd.DataFrame, target: pd.Series[Any]
) -> list[Finding]:
    import pandas as pd

    codes, classes = pd.factorize(target)
    found, scores = [], {}
    for name in names:
        levels, values = pd.factorize(frame[name], use_na_sentinel=False)
        fact = facts[name]
        if fact.kind != "date" and len(values) <= 10 * len(classes) and _determines(levels, codes):
            same = len(values) == len(classes) and _determines(codes, levels)
            what = "stands for the target: each of its values goes with one class, and each class with one value"
            if not same:
                what = "determines the target: each of its values goes with a single class"
            scores[name] = 1.0
            found.append((name, what))
        else:
            ordered = fact.kind in ("number", "date")
            scores[name] = _separation(frame[name], codes, len(classes)) if ordered else 0.0
            if ordered and scores[name] >= NEAR and _cut_exactly(frame[name], codes, len(classes)):
                scores[name] = 1.0  # with few rows, where to cut is learnt a little off
            if scores[name] >= PERFECT:
                found.append((name, "separates the classes without error, and no other column comes near"))
    if sum(score >= NEAR for score in scores.values()) > max(1, len(found)) or _all_alike(found, scores):
        found = [(name, what) for name, what in found if what.startswith("stands")]
    return [_leak(name, what) for name, what in found]


def _all_alike(found: list[tuple[str, str]], scores: Mapping[str, float]) -> bool:
    """Several columns that each suffice are no copies of the target but signs of an easy task."""
    return sum(not what.startswith("stands") for _, what in found) > max(1, len(scores) // 4)


def _determines(first: NDArray[np.int64], second: NDArray[np.int64]) -> bool:
    """Whether each code of `first` goes with one code of `second`, on at least five rows for most codes."""
    import numpy as np

    pairs = np.unique(np.stack([first, second]), axis=1)
    if len(np.unique(pairs[0])) != pairs.shape[1]:
        return False
    counts = np.bincount(first)
    return len(counts) > 1 and float(np.median(counts[counts > 0])) >= 5


def _separation(series: pd.Series[Any], codes: NDArray[np.int64], classes: int) -> float:
    """Cross-validated accuracy of a small tree on one column, beyond that of the commonest class.

    0 is the commonest class's own share, 1 is no error.
    """
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier

    if classes > 50 or _rough(series, codes, classes) < NEAR:
        return 0.0
    values = _plain(series)
    order = np.random.default_rng(0).permutation(len(values))
    half = len(values) // 2
    right = 0
    for train, test in ((order[:half], order[half:]), (order[half:], order[:half])):
        tree = DecisionTreeClassifier(max_leaf_nodes=2 * classes, random_state=0).fit(values[train, None], codes[train])
        right += int((tree.predict(values[test, None]) == codes[test]).sum())
    base = float(np.bincount(codes).max()) / len(codes)
    return max(0.0, (right / len(codes) - base) / (1 - base)) if base < 1 else 0.0


def _cut_exactly(series: pd.Series[Any], codes: NDArray[np.int64], classes: int) -> bool:
    """Whether the classes lie in intervals of the values that follow each other without any overlap."""
    from itertools import pairwise

    values = _plain(series)
    inside = [values[codes == code] for code in range(classes)]
    spans = sorted((float(v.min()), float(v.max())) for v in inside if len(v))
    return all(low[1] < high[0] for low, high in pairwise(spans))


def _plain(series: pd.Series[Any]) -> NDArray[np.float64]:
    """Values as float64, missing ones far below all others."""
    import numpy as np

    numbers = series.astype("int64") if str(series.dtype).startswith("datetime") else series
    values: NDArray[np.float64] = np.array(numbers.to_numpy(dtype=np.float64, na_value=np.nan))
    gaps = np.isnan(values)
    if gaps.any():
        values[gaps] = np.nanmin(values) - 1 if not gaps.all() else 0.0
    return values


def _rough(series: pd.Series[Any], codes: NDArray[np.int64], classes: int) -> float:
    """An upper bound of the separation by at most 2 × classes intervals: cheap, so that most columns stop here."""
    import numpy as np

    values = _plain(series)
    sorted_codes = codes[np.argsort(values, kind="stable")]
    changes = int((np.diff(sorted_codes) != 0).sum())
    errors = max(0, changes - 2 * classes) / 2
    base = float(np.bincount(codes).max()) / len(codes)
    return 1 - errors / len(codes) / (1 - base) if base < 1 else 0.0


def _of_numbers(
    facts: Mapping[str, Facts], names: list[str], frame: pd.DataFrame, target: pd.Series[Any]
) -> list[Finding]:
    import numpy as np

    numeric = [name for name in names if facts[name].kind == "number" and facts[name].distinct > 5]
    y = target.to_numpy(dtype=np.float64)
    if len(np.unique(y)) <= 5 or not numeric:
        return []
    matrix = np.stack([frame[name].to_numpy(dtype=np.float64) for name in numeric], axis=1)
    linear = {name: _correlation(matrix[:, i], y) for i, name in enumerate(numeric)}
    exact = [name for name in numeric if linear[name] > 0.999_999]
    close = [name for name in numeric if linear[name] > 0.999 and name not in exact]
    notes = [_leak(name, "is the target in another scale: one follows from the other exactly") for name in exact]
    if len(close) == 1 and not exact and sorted(linear.values())[-2:][0] < NEAR:
        notes.append(_leak(close[0], f"follows the target with a correlation of {linear[close[0]]:.5f}"))
    left = [i for i, name in enumerate(numeric) if name not in exact]
    notes += _summands([numeric[i] for i in left], matrix[:, left], y)
    return notes


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    import numpy as np

    given = np.isfinite(x)
    if given.sum() < FEWEST_ROWS or given.mean() < 0.5 or np.ptp(x[given]) == 0 or np.ptp(y[given]) == 0:
        return 0.0
    return abs(float(np.corrcoef(x[given], y[given])[0, 1]))


def _summands(names: list[str], matrix: NDArray[np.float64], y: NDArray[np.float64]) -> list[Finding]:
    """Two columns whose sum, difference or product is the target in every row."""
    import numpy as np

    head = matrix[:200]
    for i in range(min(len(names), 100)):
        for how, rest in (
            ("sum", y[:200, None] - head[:, i : i + 1]),
            ("difference", head[:, i : i + 1] - y[:200, None]),
        ):
            close = np.isclose(head, rest, rtol=1e-9, atol=1e-9).all(axis=0)
            for j in np.flatnonzero(close).tolist():
                other = matrix[:, i] - matrix[:, j] if how == "difference" else matrix[:, i] + matrix[:, j]
                if j != i and np.allclose(other, y, rtol=1e-9, atol=1e-9) and np.ptp(matrix[:, j]) > 0:
                    text = f"The {how} of {shown_list([names[i], names[j]])} is the target in every row: both were left out."
                    return [finding("leaking_column", "warning", text, [names[i], names[j]])]
    return []


def _leak(name: str, what: str) -> Finding:
    text = f"Column {shown(name)} {what}. It was left out, since a model that sees it learns nothing else."
    return finding("leaking_column", "warning", text, [name])
