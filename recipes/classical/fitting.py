"""One fit: rows and settings to a model that gives raw outputs. Which settings are tried is `search.py`.

Matrices are kept for the last few feature options, because candidates of one search mostly share them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from contract import Floats, Rows, Schema
from features import Features, Options
from methods import Method, Situation, features_of
from outputs import Target, raw_outputs, staged_outputs

__all__ = ["STAGE", "Fitted", "Matrices", "encoded", "fit", "fit_stages", "one_thread_each", "situation_of"]

Indices = npt.NDArray[np.int64]

KEPT_BYTES = 600 * 2**20
"""Of all matrices that are kept at once; the last pair is kept whatever its size."""

FEW_VALUES = 200_000
"""Values of a matrix up to which one thread is as fast as several."""

STAGE = 100
"""Boosting iterations that are added at a time while they still help."""


def encoded(schema: Schema, rows: Rows) -> npt.NDArray[Any]:
    """Targets as an estimator learns them: class indices by `schema.classes`, or the numbers themselves."""
    assert rows.target is not None, "rows that were read with labels"
    if schema.task == "regression":
        return rows.target
    places = {label: place for place, label in enumerate(schema.classes)}
    return np.array([places[label] for label in rows.target], dtype=np.int64)


def situation_of(
    schema: Schema, rows: Rows, metric: str, fixed: Mapping[str, Any], seed: int, threads: int
) -> Situation:
    """What the choice of settings may depend on, from the training rows."""
    truth = encoded(schema, rows)
    regression = schema.task == "regression"
    whole = regression and bool(len(truth)) and bool((truth >= 0).all() and (truth == np.round(truth)).all())
    return Situation(
        task=schema.task,
        modality=schema.modality,
        rows=len(rows),
        width=rows.numbers.shape[1],
        pixels=0 if rows.pixels is None else rows.pixels.shape[1],
        categories=len(rows.categories),
        texts=len(rows.texts),
        classes=len(schema.classes),
        metric=metric,
        counts=whole and len(np.unique(truth)) <= max(50, len(truth) // 10),
        skewed=regression and _skewed(truth),
        fixed=frozenset(fixed),
        seed=seed,
        threads=threads,
        rarest=0 if regression else int(np.unique(truth, return_counts=True)[1].min()),
    )


def _skewed(truth: Floats) -> bool:
    """Whether values of at least 0 have a long upper tail, that their logarithm has not."""
    if len(truth) < 20 or truth.min() < 0 or truth.std() == 0:
        return False
    return _skewness(truth) > 1.0 and abs(_skewness(np.log1p(truth))) < _skewness(truth)


def _skewness(values: Floats) -> float:
    spread = float(values.std())
    return float(np.mean(((values - values.mean()) / spread) ** 3)) if spread > 0 else 0.0


@dataclass(frozen=True)
class Fitted:
    """A model: features, estimator and how the target was transformed.

    Attributes:
        classes: 0 for regression.
    """

    features: Features
    estimator: Any
    target: Target
    classes: int

    def raw(self, rows: Rows) -> Floats:
        """Raw outputs for rows: numbers in the data's unit [n], or [n, classes]."""
        return self.raw_of(self.features.transform(rows))

    def raw_of(self, matrix: Any) -> Floats:
        """Raw outputs for a matrix that the features made."""
        with _one_thread(self.estimator):
            values = raw_outputs(self.estimator, matrix, not self.classes, self.classes)
        return values if self.classes else self.target.restore(values)


class _one_thread:  # noqa: N801 - reads as a phrase where it is used
    """Forests add up their trees in the order in which threads end, so the last digits would differ from run to run."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.before = getattr(estimator, "n_jobs", None)
        self.concerned = hasattr(estimator, "n_jobs") and hasattr(estimator, "estimators_")

    def __enter__(self) -> None:
        if self.concerned:
            self.estimator.n_jobs = 1

    def __exit__(self, *_: object) -> None:
        if self.concerned:
            self.estimator.n_jobs = self.before


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread_each() -> Any:
    """A context in which numerical libraries use one thread: for fits that are made at the same time."""
    return _controller().limit(limits=1)


def threads_for(matrix: Any) -> Any:
    """A context in which a small matrix is worked on by one thread, a large one by as many as there are."""
    return one_thread_each() if matrix.shape[0] * matrix.shape[1] <= FEW_VALUES else nullcontext()


@dataclass
class Matrices:
    """Features and matrices of a pair of row sets, the last few options of each pair."""

    seed: int
    kept: OrderedDict[tuple[str, Options], tuple[Features, Any, Any]] = field(default_factory=OrderedDict)

    def of(self, key: str, options: Options, train: Rows, held: Rows | None) -> tuple[Features, Any, Any]:
        """Fitted features, the training matrix, and the held-out one (None without held-out rows).

        Args:
            key: names the pair; the same key must always come with the same rows.
        """
        place = (key, options)
        if place not in self.kept:
            features = Features(options, self.seed)
            matrix = features.fit_transform(train)
            self.kept[place] = (features, matrix, None if held is None else features.transform(held))
            while len(self.kept) > 1 and sum(map(_size, self.kept.values())) > KEPT_BYTES:
                self.kept.popitem(last=False)
        self.kept.move_to_end(place)
        return self.kept[place]


def _size(pair: tuple[Features, Any, Any]) -> int:
    """Bytes of the two matrices."""
    arrays = [matrix.data if sp.issparse(matrix) else matrix for matrix in pair[1:] if matrix is not None]
    return sum(int(array.nbytes) * (2 if array.ndim == 1 else 1) for array in arrays)


def fit(
    method: Method,
    settings: Mapping[str, Any],
    situation: Situation,
    schema: Schema,
    rows: Rows,
    made: tuple[Features, Any] | None = None,
) -> Fitted:
    """Fit on rows.

    Args:
        situation: of the whole training; its number of rows is replaced by that of `rows`.
        made: features that were fitted on these rows already, and their matrix.
    """
    here = replace(situation, rows=len(rows))
    features, matrix = made or _made(method, settings, here, rows)
    truth = encoded(schema, rows)
    target = _target(settings, here, truth)
    estimator = method.build(_resolved(settings, matrix, features), here)
    with threads_for(matrix):
        estimator.fit(matrix, target.transform(truth) if here.regression else truth)
    return Fitted(features, estimator, target, len(schema.classes))


def fit_stages(
    method: Method,
    settings: Mapping[str, Any],
    situation: Situation,
    schema: Schema,
    rows: Rows,
    made: tuple[Features, Any, Any],
    most: int,
) -> Iterator[tuple[int, Floats]]:
    """Raw outputs of histogram boosting for the held-out matrix after each few iterations, up to `most`.

    The caller stops asking when more iterations do not help: each hundred is fitted only when it is wanted.
    """
    here = replace(situation, rows=len(rows))
    features, matrix, held = made
    truth = encoded(schema, rows)
    target = _target(settings, here, truth)
    learnt = target.transform(truth) if here.regression else truth
    count = 0
    estimator = method.build({**_resolved(settings, matrix, features), "max_iter": 1}, here)
    estimator.set_params(warm_start=True)
    while count < most:
        estimator.set_params(max_iter=min(count + STAGE, most))
        with threads_for(matrix):
            estimator.fit(matrix, learnt)
        for stage, raw in staged_outputs(estimator, held, here.regression, len(schema.classes)):
            if stage > count:
                yield stage, target.restore(raw) if here.regression else raw
        count = int(estimator.n_iter_)


def _target(settings: Mapping[str, Any], situation: Situation, truth: Floats) -> Target:
    if not situation.regression:
        return Target()
    return Target.fit(truth, str(settings.get("target", "none")), situation.counts)


def _made(method: Method, settings: Mapping[str, Any], situation: Situation, rows: Rows) -> tuple[Features, Any]:
    features = Features(features_of(method, settings, situation), situation.seed)
    return features, features.fit_transform(rows)


def _resolved(settings: Mapping[str, Any], matrix: Any, features: Features) -> dict[str, Any]:
    """The settings with numbers in the place of what depends on the matrix.

    `width` is a factor of scikit-learn's gamma="scale", which is 1 / (columns * variance of all values).
    """
    resolved = dict(settings)
    if features.categorical:
        resolved["categorical"] = features.categorical
    if "width" in resolved:
        factor = resolved.pop("width")
        if "gamma" not in resolved:
            resolved["gamma"] = factor / max(matrix.shape[1] * _variance(matrix), 1e-12)
    return resolved


def _variance(matrix: Any) -> float:
    if sp.issparse(matrix):
        return float(matrix.multiply(matrix).mean() - matrix.mean() ** 2)
    return float(matrix.var())
