"""What an estimator puts out, and what is said in the end: targets back in their units, probabilities, decisions.

Classification: the raw output is [n, classes] of log-probabilities or decision values; `Rule` makes probabilities of
them (one temperature) and a decision (largest, largest after weighing against class frequency, or a threshold), both
chosen on held-out rows for the metric. Regression: `Target` transforms and restores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from contract import Floats
from scores import quality

__all__ = ["Rule", "Target", "choose_rule", "raw_outputs", "staged_outputs"]

Indices = npt.NDArray[np.int64]

DECIDED = (
    "f1",
    "f1_macro",
    "balanced_accuracy",
    "recall_macro",
    "mcc",
    "cohen_kappa",
    "precision_macro",
    "f1_weighted",
)
"""Metrics for which the most probable class is not always the best answer."""


@dataclass(frozen=True)
class Target:
    """How a regression target is transformed before the fit: t = (f(y) - center) / scale, f is log1p or nothing.

    Attributes:
        low: the smallest prediction, in the data's unit; None where there is no bound.
    """

    logarithm: bool = False
    center: float = 0.0
    scale: float = 1.0
    low: float | None = None

    @classmethod
    def fit(cls, values: Floats, kind: str, counts: bool = False) -> Target:
        """Learn from training targets; `kind` is none, standard or log (which standardises as well).

        Args:
            counts: no value can be below 0; a prediction there is moved to a thousandth of the mean.
        """
        low = 1e-3 * float(values.mean()) if counts else None
        if kind == "none":
            return cls(low=low)
        plain = np.log1p(values) if kind == "log" else values
        return cls(kind == "log", float(plain.mean()), float(plain.std()) or 1.0, low)

    def transform(self, values: Floats) -> Floats:
        """To what the estimator learns."""
        return ((np.log1p(values) if self.logarithm else values) - self.center) / self.scale

    def restore(self, values: Floats) -> Floats:
        """To the data's own unit."""
        plain = np.asarray(values, dtype=np.float64) * self.scale + self.center
        if self.logarithm:
            plain = np.expm1(np.clip(plain, -50.0, 50.0))
        return plain if self.low is None else np.maximum(plain, self.low)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for meta.json."""
        return {"logarithm": self.logarithm, "center": self.center, "scale": self.scale, "low": self.low}


def raw_outputs(estimator: Any, matrix: Any, regression: bool, classes: int) -> Floats:
    """[n] numbers, or [n, classes]: log-probabilities or decision values. Classes not seen in training are -inf."""
    if regression:
        return np.asarray(estimator.predict(matrix), dtype=np.float64).ravel()
    if hasattr(estimator, "predict_proba"):
        values = _logarithm(estimator.predict_proba(matrix))
    else:
        values = np.asarray(estimator.decision_function(matrix), dtype=np.float64)
        if values.ndim == 1:
            values = np.stack([-values / 2, values / 2], axis=1)
    return _placed(values, estimator.classes_, classes)


def _logarithm(shares: Any) -> Floats:
    logs: Floats = np.log(np.clip(np.asarray(shares, dtype=np.float64), 1e-12, 1.0))
    return logs


def _placed(values: Floats, seen: Any, classes: int) -> Floats:
    found = np.full((len(values), classes), -np.inf)
    found[:, np.asarray(seen, dtype=np.int64)] = values
    return found


def staged_outputs(estimator: Any, matrix: Any, regression: bool, classes: int) -> Iterator[tuple[int, Floats]]:
    """Raw outputs of histogram boosting after 5, 10, 15, … iterations and after the last."""
    last = int(estimator.n_iter_)
    stages = estimator.staged_predict(matrix) if regression else estimator.staged_predict_proba(matrix)
    for count, values in enumerate(stages, 1):
        if count % 5 and count != last:
            continue
        if regression:
            yield count, np.asarray(values, dtype=np.float64).ravel()
        else:
            yield count, _placed(_logarithm(values), estimator.classes_, classes)


@dataclass(frozen=True)
class Rule:
    """From raw outputs to probabilities and decisions.

    Attributes:
        temperature: factor of the raw outputs before the softmax.
        power: of the class frequency by which probabilities are divided before the largest is taken.
        threshold: of the positive class's probability, for two classes; None takes the larger one.
        positive: index of the positive class.
        priors: class frequencies in training.
    """

    temperature: float = 1.0
    power: float = 0.0
    threshold: float | None = None
    positive: int = 1
    priors: tuple[float, ...] = ()

    def shares(self, raw: Floats) -> Floats:
        """Probabilities, [n, classes]."""
        scaled = raw * self.temperature
        scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares: Floats = scaled / scaled.sum(axis=1, keepdims=True)
        return shares

    def decide(self, raw: Floats) -> Indices:
        """Class indices, [n]."""
        if self.threshold is not None:
            above = self.shares(raw)[:, self.positive] >= self.threshold
            return np.where(above, self.positive, 1 - self.positive)
        if self.power:
            weighed = raw * self.temperature - self.power * np.log(np.maximum(self.priors, 1e-12))
            return np.asarray(weighed.argmax(axis=1))
        return np.asarray(raw.argmax(axis=1))

    def to_json(self) -> dict[str, Any]:
        """Plain values, for meta.json."""
        return asdict(self)


def choose_rule(
    raw: Floats, truth: Indices, metric: str, positive: int, priors: Sequence[float], calibrate: bool
) -> Rule:
    """The rule that is best for `metric` on held-out rows.

    Args:
        calibrate: choose a temperature (for decision values, or when probabilities themselves are scored).
    """
    temperature = _temperature(raw, truth) if calibrate else 1.0
    plain = Rule(temperature, 0.0, None, positive, tuple(float(p) for p in priors))
    if metric not in DECIDED:
        return plain
    candidates = [plain]
    if raw.shape[1] == 2 and metric in ("f1", "f1_macro", "mcc", "cohen_kappa"):
        candidates += [_replaced(plain, threshold=t) for t in _thresholds(plain.shares(raw)[:, positive])]
    else:
        candidates += [_replaced(plain, power=power) for power in (0.25, 0.5, 0.75, 1.0)]
    found = [quality(metric, truth, rule.decide(raw), plain.shares(raw), positive) for rule in candidates]
    if candidates[-1].threshold is not None:
        found = [found[0], *_smoothed(found[1:])]
    return candidates[int(np.argmax(found))]


def _replaced(rule: Rule, **changes: Any) -> Rule:
    return Rule(**{**asdict(rule), **changes})


def _thresholds(shares: Floats) -> list[float]:
    """At most 60 quantiles, those of the upper half twice as dense: positives are few."""
    places = np.unique(np.quantile(shares, np.concatenate([np.linspace(0.02, 0.5, 20), np.linspace(0.5, 0.995, 40)])))
    return [float(place) for place in places]


def _smoothed(values: list[float]) -> list[float]:
    """Each value averaged with its neighbours, so that no lucky single threshold wins."""
    padded = np.pad(np.asarray(values), 1, mode="edge")
    return [float(v) for v in np.convolve(padded, [0.25, 0.5, 0.25], mode="valid")]


def _temperature(raw: Floats, truth: Indices) -> float:
    """The factor of least log loss, from a grid and one refinement.

    Targets are smoothed as in Platt 1999, "Probabilistic outputs for support vector machines", section 2.2: without
    that, rows that are all right would make the model infinitely sure of itself.
    """
    finite = np.where(np.isfinite(raw), raw, -1e6)
    doubt = 1.0 / (len(truth) + 2)

    def loss(factor: float) -> float:
        scaled = finite * factor
        top = scaled.max(axis=1)
        own = scaled[np.arange(len(truth)), truth]
        total = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
        others = np.minimum(total[:, None] - scaled, 50.0).mean(axis=1)
        return float(np.mean((1 - doubt) * np.minimum(total - own, 50.0) + doubt * others))

    grid = np.geomspace(0.05, 50.0, 25)
    best = float(grid[int(np.argmin([loss(factor) for factor in grid]))])
    fine = best * np.geomspace(0.76, 1.32, 13)
    return float(fine[int(np.argmin([loss(factor) for factor in fine]))])
