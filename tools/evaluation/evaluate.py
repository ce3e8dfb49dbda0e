"""The score of an attempt: value, 95 % interval, trivial baseline, further metrics.

The interval is the percentile bootstrap (Efron 1979; Efron and Tibshirani 1993, chapter 13): rows are drawn with
replacement 1,000 times, seeded, and the 2.5th and 97.5th percentile of the metric are reported (200 times for the few
metrics without a quick form, beyond 5,000 rows). A draw in which the metric is not defined is left out.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from trainwright.graph.errors import ContractError, RequestError
from trainwright.graph.state import Baseline, Dataset, Evaluation, PaperBrief, TrainingPlan

from .metrics import METRICS, positive_class, score
from .predictions import Predictions, check_scores
from .resampling import quick_form
from .verdict import judge_claim

__all__ = ["bootstrap", "evaluate_predictions", "evaluator_sha256", "score_predictions", "trivial_baseline"]

RESAMPLES = 1_000
FURTHER: dict[str, tuple[str, ...]] = {
    "classification": ("accuracy", "balanced_accuracy", "f1_macro", "mcc", "roc_auc", "log_loss"),
    "regression": ("rmse", "mae", "r2", "spearman"),
}


def _arrays(labels: Mapping[int, Any], predictions: Predictions) -> tuple[list[Any], list[Any], Any]:
    """True values, predictions and scores in the order of the ids."""
    import numpy as np

    ids = sorted(labels)
    scores = np.array([predictions.scores[i] for i in ids]) if predictions.scores else None
    return [labels[i] for i in ids], [predictions.values[i] for i in ids], scores


def score_predictions(name: str, labels: Mapping[int, Any], predictions: Predictions, dataset: Dataset) -> float:
    """A metric of checked predictions.

    Raises:
        ContractError: the metric needs scores that are not there, or is no finite number.
    """
    check_scores(name, predictions)
    true, predicted, scores = _arrays(labels, predictions)
    return score(name, true, predicted, scores=scores, classes=dataset.classes)


def bootstrap(
    name: str, true: list[Any], predicted: list[Any], scores: Any, classes: list[str], seed: int
) -> tuple[float, float]:
    """The 95 % percentile interval of a metric.

    Raises:
        RequestError: it is defined in no draw.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    size = len(true)
    y, p = np.asarray(true), np.asarray(predicted)
    positive = positive_class(true, classes) if len(classes) == 2 else ""
    quick = quick_form(name, y, p, scores, classes, positive)
    values = []
    for _ in range(RESAMPLES if quick is not None or size <= 5_000 else 200):
        rows = generator.integers(0, size, size)
        try:
            value = (
                quick(rows)
                if quick is not None
                else score(
                    name,
                    y[rows].tolist(),
                    p[rows].tolist(),
                    scores=None if scores is None else scores[rows],
                    classes=classes,
                    positive=positive,
                )
            )
        except (ValueError, RequestError, ContractError):
            continue
        if np.isfinite(value):
            values.append(value)
    if not values:
        raise RequestError(f"{name} is defined in no draw of the {size} test rows.", hint="Choose another metric.")
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def trivial_baseline(name: str, labels: Mapping[int, Any], train: list[Any], dataset: Dataset) -> Baseline:
    """What a model that ignores its input gets on the same rows: it knows the training labels alone.

    Classification predicts the majority class and, as scores, the class shares; regression predicts the constant that
    is best for the metric: the median for absolute errors, otherwise the mean. Correlations of a constant are 0.
    """
    import numpy as np

    true = [labels[i] for i in sorted(labels)]
    if dataset.task == "classification":
        counts = Counter(train)
        majority = counts.most_common(1)[0][0]
        shares = np.array([[counts.get(c, 0) / len(train) for c in dataset.classes]] * len(true))
        value = score(name, true, [majority] * len(true), scores=shares, classes=dataset.classes)
        return Baseline(name=f"majority class ({majority[:40]})", value=value)
    median = name in ("mae", "medae", "mape")
    constant = float(np.median(train) if median else np.mean(train))
    value = score(name, true, [constant] * len(true))
    return Baseline(name=f"{'median' if median else 'mean'} of the training targets ({constant:.4g})", value=value)


@cache
def evaluator_sha256() -> str:
    """The identity of the scoring code itself: sha256 over the modules of this package."""
    total = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        total.update(path.name.encode() + b"\n" + path.read_bytes())
    return total.hexdigest()


def evaluate_predictions(
    predictions: Predictions,
    labels: Mapping[int, Any],
    *,
    dataset: Dataset,
    plan: TrainingPlan,
    brief: PaperBrief | None,
    run_dir: Path,
    attempt: int,
    seed: int,
) -> Evaluation:
    """The evaluation of an accepted attempt on the withheld labels.

    Raises:
        ContractError: the plan's metric needs scores that predict.py did not write, or is no finite number.
        RequestError: the metric is not defined on these true values.
    """
    import pyarrow.parquet as pq

    check_scores(plan.metric, predictions)
    true, predicted, scores = _arrays(labels, predictions)
    value = score(plan.metric, true, predicted, scores=scores, classes=dataset.classes)
    low, high = bootstrap(plan.metric, true, predicted, scores, dataset.classes, seed)
    train = pq.read_table(run_dir / dataset.folder / "train.parquet", columns=[dataset.target])[
        dataset.target
    ].to_pylist()
    others = {}
    for name in FURTHER[dataset.task]:
        entry = METRICS[name]
        if name != plan.metric and not (entry.needs_scores and scores is None):
            try:
                others[name] = score(name, true, predicted, scores=scores, classes=dataset.classes)
            except (ValueError, RequestError, ContractError):
                continue
    result = Evaluation(
        attempt=attempt,
        metric=plan.metric,
        direction=plan.direction,
        value=value,
        low=min(low, value),
        high=max(high, value),
        n_test=len(true),
        baseline=trivial_baseline(plan.metric, labels, train, dataset),
        target_met=None if plan.target is None else plan.target.reached_by(value),
        others=others,
        predictions_sha256=predictions.sha256,
        evaluator_sha256=evaluator_sha256(),
    )
    return result.model_copy(update={"claim": judge_claim(plan.claim, result, dataset, brief, plan)})
