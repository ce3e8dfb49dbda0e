"""How much a search may do: an estimate of each fit, a plan in estimated seconds, and the clock as the last word.

The plan decides, and it is the same in every run: the clock only stops a search whose estimates were far too low. A
search that the clock has stopped says so, because another run of it may come to another end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Budget", "fit_seconds"]

PLANNED = 0.5
"""Share of the allowance that estimates may fill: they are good to a factor of two or so."""


def fit_seconds(
    name: str, settings: Mapping[str, Any], rows: int, columns: float, classes: int, threads: int, sparse: bool = False
) -> float:
    """Seconds of one fit and its prediction of a fifth as many rows, roughly: measured on a core of 2023.

    Args:
        columns: of the matrix; of a sparse one, values that are not zero in a row.
        classes: 0 for regression.
        threads: that the method uses itself.
    """
    n, p, k = float(max(rows, 10)), max(columns, 1.0), float(max(classes, 1) if classes != 2 else 1)
    trees = float(settings.get("n_estimators", 300))
    iterations = float(settings.get("max_iter", 200))
    epochs = min(float(settings.get("epochs", 200)), 200.0)
    share = settings.get("max_features", "sqrt")
    drawn = math.sqrt(p) if isinstance(share, str) else max(1.0, share * p)
    hidden = sum(float(size) for size in str(settings.get("hidden_layer_sizes", "100")).split("-"))
    batch = min(float(settings.get("batch_size", 32 if n < 2_000 else 200)), n)
    tree = 3e-8 * n * math.log2(n) * p
    forest = trees * (1e-3 + 2e-8 * n * math.log2(n) * (drawn if p < 1_000 else 5 * drawn)) / threads
    linear = n * p * k
    seconds = {
        "logistic_regression": 1e-7 * linear,
        "linear_svm": 6e-8 * linear,
        "nbsvm": 1e-7 * linear,
        "svm_rbf": 1e-9 * n**2 * (p + 10) * (8 if sparse else 1),
        "svm_poly": 1e-9 * n**2 * (p + 10) * (8 if sparse else 1),
        "knn": 1e-10 * n**2 * (p + 5),
        "decision_tree": tree,
        "random_forest": forest,
        "extra_trees": 0.6 * forest,
        "hist_gradient_boosting": iterations * k * (1e-3 + 1.2e-8 * n * p),
        "mlp": epochs * (n / batch * 2e-4 + 6e-10 * n * hidden * (p + k)),
        "lasso": 1e-7 * linear + 1e-9 * n * p * min(p, 2_000),
        "elastic_net": 1e-7 * linear + 1e-9 * n * p * min(p, 2_000),
    }.get(name, 3e-8 * linear + 1e-9 * n * p * min(p, 2_000))
    return 0.005 + seconds


@dataclass
class Budget:
    """The allowance of one search.

    Attributes:
        allowance: seconds on the clock, last fits included.
        reserve: estimated seconds of the fits that follow the search.
        clock: seconds since some moment.
        planned: estimated seconds so far.
        stopped: the clock has refused something that the plan allowed.
    """

    allowance: float
    reserve: float = 0.0
    clock: Callable[[], float] = time.monotonic
    planned: float = 0.0
    stopped: bool = False
    began: float = field(init=False)
    fitting: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def plan(self) -> float:
        """Estimated seconds that the search may fill in all."""
        return PLANNED * max(0.0, self.allowance - self.reserve)

    def elapsed(self) -> float:
        """Seconds since the budget was made."""
        return self.clock() - self.began

    def allows(self, estimate: float) -> bool:
        """Whether a step of that many estimated seconds may begin; it is then booked."""
        if self.planned + estimate > self.plan:
            return False
        pace = max(1.0, self.fitting / self.planned) if self.planned > 0 else 1.0
        if self.elapsed() + pace * (estimate + self.reserve) > self.allowance:
            self.stopped = True
            return False
        self.planned += estimate
        return True

    def force(self, estimate: float) -> None:
        """Book a step that has to be done whatever it takes."""
        self.planned += estimate

    def took(self, seconds: float) -> None:
        """Seconds on the clock that booked steps have taken: later ones are expected to keep that pace."""
        self.fitting += seconds
