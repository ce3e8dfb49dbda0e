"""What a person's own words say: settings by name and value, in either order, and nothing that is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.engineers.rules_words import rejection, settings_in
from trainwright.graph.state import Approval, Request, Settings
from trainwright.recipes.catalog import load_catalog, recipe_named
from trainwright.tools.toolbox import Workbench


@pytest.mark.parametrize(
    ("words", "recipe", "found"),
    [
        ("an RBF support vector machine with C=10 and gamma=0.001", "svm_rbf", {"C": 10.0, "gamma": 0.001}),
        ("Use a random forest with n_estimators = 50 instead.", "random_forest", {"n_estimators": 50}),
        ("random forest of 500 trees, max depth 7", "random_forest", {"n_estimators": 500, "max_depth": 7}),
        ("set the learning rate to 0.05", "hist_gradient_boosting", {"learning_rate": 0.05}),
        ("kNN with k = 3", "knn", {"n_neighbors": 3}),
        ("the 7 nearest neighbours", "knn", {"n_neighbors": 7}),
        ("number of trees: 200", "random_forest", {"n_estimators": 200}),
        ("use criterion=entropy, 100 trees", "random_forest", {"criterion": "entropy", "n_estimators": 100}),
        ("first 100 trees, no: 300 trees", "random_forest", {"n_estimators": 300}),
        ("C = -5", "svm_rbf", {}),
        ("the 3 best of 10 random forests", "random_forest", {}),
        ("I do not like it.", "svm_rbf", {}),
    ],
)
def test_settings_in_words(words: str, recipe: str, found: dict[str, object]) -> None:
    stated = settings_in(words, recipe_named(recipe))
    assert {item.name: item.value for item in stated} == found
    assert all(item.words in words for item in stated)


@given(st.text(max_size=200))
def test_any_text_is_read_without_harm(text: str) -> None:
    for recipe in load_catalog()[:4]:
        for item in settings_in(text, recipe):
            assert item.words in text


def bench(feedback: str, *approvals: Approval) -> Workbench:
    return Workbench(
        run="r", stage="plan", request=Request(), settings=Settings(), feedback=feedback, approvals=list(approvals)
    )


def said(decision: str, message: str = "", by: str = "person") -> Approval:
    return Approval.model_validate(
        {"gate": "approve_plan", "decision": decision, "by": by, "shown_sha256": "s", "message": message}
    )


def test_only_a_persons_rejection_is_feedback_of_a_person() -> None:
    assert rejection(bench("trees", said("reject", "trees"))) == "trees"
    assert rejection(bench("Attempt 1 reached 0.5.", said("approve"))) == ""
    assert rejection(bench("trees", said("reject", "trees"), said("approve"))) == ""
    assert rejection(bench("trees", said("reject", "trees", by="rule"))) == ""
    assert rejection(bench("", said("reject", ""))) == ""
