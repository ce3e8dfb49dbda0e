"""Scores that the workflow computes itself, on labels that no generated code sees."""

from __future__ import annotations

from .evaluate import (
    bootstrap,
    evaluate_predictions,
    evaluator_sha256,
    score_predictions,
    trivial_baseline,
)
from .metrics import METRICS, Metric, metric, parse_metric, parse_target, positive_class, score
from .predictions import Predictions, check_scores, read_predictions
from .verdict import judge_claim, same_dataset

__all__ = [
    "METRICS",
    "Metric",
    "Predictions",
    "bootstrap",
    "check_scores",
    "evaluate_predictions",
    "evaluator_sha256",
    "judge_claim",
    "metric",
    "parse_metric",
    "parse_target",
    "positive_class",
    "read_predictions",
    "same_dataset",
    "score",
    "score_predictions",
    "trivial_baseline",
]
