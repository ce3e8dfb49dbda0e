"""The built-in engineer's later attempts: one change each, with a reason taken from the evaluations so far.

In order: settings that the paper fixed are set free, then methods that were not tried yet. Which method comes next
follows from the scores: with one kind of model tried, the strongest of another kind; once one kind has clearly beaten
another, first what is left of the better kind. The parent of an attempt is the best one so far. Nothing here looks at
the withheld labels; only validation scores exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainwright.graph.state import Attempt
from trainwright.tools.toolbox import Workbench

from .rules_plan import Choice

__all__ = ["best_so_far", "next_choice"]

KINDS = {
    "linear models": (
        "linear_svm", "logistic_regression", "nbsvm", "lda", "linear_regression", "ridge", "lasso", "elastic_net",
        "poisson_regression",
    ),
    "trees": ("hist_gradient_boosting", "random_forest", "extra_trees", "decision_tree"),
    "models of distances": ("svm_rbf", "svm_poly", "knn"),
    "models of a distribution a class": ("gaussian_nb", "multinomial_nb", "complement_nb", "bernoulli_nb", "qda"),
    "neural networks": ("mlp",),
}  # fmt: skip
"""Recipes that see data alike: where one of them does well, so do mostly its kin."""

CLEAR = 0.01
"""Difference of two scores, relative to the better one, from which a kind of model counts as the better one."""


def best_so_far(bench: Workbench) -> Attempt:
    """The attempt with the best validation score."""
    return max(bench.attempts, key=lambda attempt: _merit(bench, attempt))


def next_choice(bench: Workbench, recipes: dict[str, Any]) -> Choice | None:
    """The next attempt, or None when nothing is left to try."""
    best = best_so_far(bench)
    known = {entry["recipe"]: entry for entry in [*recipes["matches"], *recipes["strongest"]]}
    freed = any(a.recipe == best.recipe and not a.hyperparameters for a in bench.attempts)
    if best.hyperparameters and not freed and best.recipe in known:
        names = ", ".join(sorted(best.hyperparameters))
        reason = (
            f"{_reached(best)} with {names} fixed as in the paper: these data may want others, "
            "so they are chosen on validation."
        )
        return _choice(known[best.recipe], reason, f"{names} chosen on validation", best)
    tried = {attempt.recipe for attempt in bench.attempts}
    left = [entry for entry in recipes["strongest"] if entry["recipe"] not in tried]
    if not left:
        return None
    entry, reason = _another(bench, best, left)
    return _choice(entry, reason, f"method: {entry['title']}", best)


def _merit(bench: Workbench, attempt: Attempt) -> float:
    """Validation score, larger is better; minus infinity without one."""
    assert bench.plan is not None, "an attempt follows a plan"
    if attempt.validation is None:
        return float("-inf")
    return attempt.validation if bench.plan.direction == "higher" else -attempt.validation


def _reached(attempt: Attempt) -> str:
    if attempt.validation is None:
        return f"attempt {attempt.number} ({attempt.method}) got no score"
    return f"attempt {attempt.number} ({attempt.method}) reached {attempt.metric} {attempt.validation:.4f}"


def _choice(entry: Mapping[str, Any], reason: str, change: str, best: Attempt) -> Choice:
    return Choice(entry["recipe"], entry["title"], entry["seconds"], [], [reason], change, best.number)


def _kind(recipe: str) -> str:
    return next((kind for kind, names in KINDS.items() if recipe in names), recipe)


def _another(bench: Workbench, best: Attempt, left: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], str]:
    """A method that was not tried, and why this one."""
    own = _kind(best.recipe)
    rival = max(
        (a for a in bench.attempts if _kind(a.recipe) != own and a.validation is not None),
        key=lambda attempt: _merit(bench, attempt),
        default=None,
    )
    kin = [entry for entry in left if _kind(entry["recipe"]) == own]
    if rival is not None and kin and _merit(bench, best) - _merit(bench, rival) > CLEAR * abs(_merit(bench, best)):
        reason = (
            f"{_reached(best)}, clearly more useful than {_reached(rival)}: these data suit {own}, so another of them."
        )
        return kin[0], reason
    others = [entry for entry in left if _kind(entry["recipe"]) not in {_kind(a.recipe) for a in bench.attempts}]
    entry = (others or left)[0]
    what = "another kind of model may fit better" if others else "every kind of model was tried"
    return entry, f"{_reached(best)}: {what}; {entry['title']} is the strongest of those not yet tried."
