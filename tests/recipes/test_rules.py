"""The built-in engineer's choice of a method: the paper's own with its settings, and one change in each later attempt."""

from __future__ import annotations

from typing import Any

import pytest

from trainwright.engineers.rules_improve import best_so_far, next_choice
from trainwright.engineers.rules_plan import first_choice
from trainwright.graph.errors import Refusal
from trainwright.graph.state import Attempt, Hyperparameter, PaperBrief, Request, Settings, TrainingPlan
from trainwright.nodes import plan as plan_stage
from trainwright.nodes.plan import RecipeQuestion, find_recipes
from trainwright.tools.toolbox import Workbench

DATA = {"task": "classification", "modality": "table", "target": "y", "name": "digits"}


def stated(name: str, value: Any, method: str = "", page: int = 3) -> Hyperparameter:
    return Hyperparameter(name=name, value=value, method=method, page=page, quote=f"{name} = {value}")


def bench(
    brief: PaperBrief | None = None, goal: str = "", attempts: tuple[Attempt, ...] = (), **more: Any
) -> Workbench:
    return Workbench(
        run="r", stage="plan", request=Request(goal=goal), settings=Settings(), brief=brief,
        attempt=len(attempts) + 1, attempts=list(attempts), **more,
    )  # fmt: skip


def found(where: Workbench, *methods: str, task: Any = "classification", modality: Any = "table") -> dict[str, Any]:
    classes = 10 if task == "classification" else 0
    question = RecipeQuestion(
        task=task, modality=modality, rows=1_800, features=64, classes=classes, metric="", methods=list(methods)
    )
    return find_recipes(where, question)


def plan(direction: Any = "higher", **more: Any) -> TrainingPlan:
    metric = "accuracy" if direction == "higher" else "rmse"
    task: Any = "classification" if direction == "higher" else "regression"
    given: dict[str, Any] = {
        "task": task,
        "modality": "table",
        "metric": metric,
        "direction": direction,
        "approach": "",
    }
    return TrainingPlan(**{**given, **more})


def attempt(number: int, recipe: str, validation: float | None, **fixed: Any) -> Attempt:
    return Attempt(
        number=number, method=recipe, recipe=recipe, metric="accuracy", validation=validation, hyperparameters=fixed
    )


def test_the_papers_method_with_the_papers_settings_and_their_quotes() -> None:
    brief = PaperBrief(
        method="SVM with RBF kernel",
        methods=["SVM with RBF kernel", "k-nearest neighbours"],
        hyperparameters=[
            stated("C", 10, "SVM with RBF kernel"), stated("γ", "0.001", "SVM"), stated("k", 3, "k-nearest neighbours")
        ],
    )  # fmt: skip
    where = bench(brief)
    choice = first_choice(where, DATA, found(where, brief.method, *brief.methods))
    assert choice.recipe == "svm_rbf"
    assert {item.name: item.value for item in choice.hyperparameters} == {"C": 10.0, "gamma": 0.001}
    assert all(item.source == "paper" and item.quote and item.page == 3 for item in choice.hyperparameters)


def test_a_setting_with_several_values_is_left_to_the_search() -> None:
    brief = PaperBrief(method="random forest", hyperparameters=[stated("number of trees", n) for n in (100, 500)])
    where = bench(brief)
    choice = first_choice(where, DATA, found(where, brief.method))
    assert choice.hyperparameters == []
    assert "100, 500" in " ".join(choice.reasons)


def test_settings_that_the_recipe_does_not_take_are_left_out() -> None:
    brief = PaperBrief(method="MLP", hyperparameters=[stated("dropout", 0.5), stated("hidden units", 64)])
    where = bench(brief)
    choice = first_choice(where, DATA, found(where, brief.method))
    assert [(item.name, item.value) for item in choice.hyperparameters] == [("hidden_layer_sizes", "64")]


def test_a_method_without_recipe_gives_the_strongest_baseline_and_says_so() -> None:
    brief = PaperBrief(method="Deep convolutional network", hyperparameters=[stated("learning rate", 0.1)])
    where = bench(brief)
    choice = first_choice(where, DATA, found(where, brief.method))
    assert choice.recipe == found(where)["strongest"][0]["recipe"]
    assert "No recipe has the paper's method (Deep convolutional network)" in choice.reasons[0]
    assert choice.hyperparameters == []


def test_the_goal_comes_before_the_paper() -> None:
    brief = PaperBrief(method="random forest")
    where = bench(brief, goal="Use a k-nearest neighbours classifier")
    choice = first_choice(where, DATA, found(where, where.request.goal, brief.method))
    assert choice.recipe == "knn"
    assert "the goal names it" in choice.reasons[0]


def test_second_attempt_sets_the_papers_settings_free() -> None:
    where = bench(attempts=(attempt(1, "svm_rbf", 0.9, C=10.0, gamma=0.001),), plan=plan())
    choice = next_choice(where, found(where, "SVM with RBF kernel"))
    assert choice is not None
    assert (choice.recipe, choice.hyperparameters, choice.parent) == ("svm_rbf", [], 1)
    assert choice.change == "C, gamma chosen on validation"
    assert "accuracy 0.9000" in choice.reasons[0]


def test_then_another_kind_of_model() -> None:
    where = bench(attempts=(attempt(1, "svm_rbf", 0.9),), plan=plan())
    choice = next_choice(where, found(where))
    assert choice is not None
    assert choice.recipe not in ("svm_rbf", "svm_poly", "knn")
    assert choice.change.startswith("method: ")
    assert "0.9000" in choice.reasons[0]


def test_then_kin_of_what_was_clearly_better() -> None:
    tried = (attempt(1, "logistic_regression", 0.80), attempt(2, "hist_gradient_boosting", 0.90))
    where = bench(attempts=tried, plan=plan())
    choice = next_choice(where, found(where))
    assert choice is not None
    assert choice.recipe in ("random_forest", "extra_trees")
    assert choice.parent == 2
    assert "0.9000" in choice.reasons[0]
    assert "0.8000" in choice.reasons[0]


def test_no_method_is_tried_twice_and_there_is_an_end() -> None:
    tried: tuple[Attempt, ...] = (attempt(1, "svm_rbf", 0.5),)
    for _ in range(40):
        where = bench(attempts=tried, plan=plan())
        choice = next_choice(where, found(where))
        if choice is None:
            break
        assert choice.recipe not in {a.recipe for a in tried}
        tried = (*tried, attempt(len(tried) + 1, choice.recipe, 0.5 + len(tried) / 100))
    assert choice is None
    assert {a.recipe for a in tried} == {entry["recipe"] for entry in found(where)["strongest"]}


@pytest.mark.parametrize(("direction", "best"), [("higher", 3), ("lower", 1)])
def test_the_best_attempt_follows_the_direction(direction: str, best: int) -> None:
    tried = (attempt(1, "ridge", 2.0), attempt(2, "lasso", None), attempt(3, "knn", 3.0))
    assert best_so_far(bench(attempts=tried, plan=plan(direction))).number == best


def _planned(recipe: str, *settings: tuple[str, Any], **more: Any) -> TrainingPlan:
    items = [{"name": name, "value": value, "source": "chosen"} for name, value in settings]
    return plan(recipe=recipe, hyperparameters=items, **more)


def test_the_plan_is_settled_with_canonical_settings() -> None:
    settled = plan_stage.settle(bench(), _planned("svm_rbf", ("penalty parameter", "10"), ("γ", "10^-3")))
    assert [(item.name, item.value) for item in settled.hyperparameters] == [("C", 10.0), ("gamma", 0.001)]


@pytest.mark.parametrize(
    ("planned", "says"),
    [
        (_planned("svm_rbf", ("C", -1)), "from 1e-06"),
        (_planned("svm_rbf", ("dropout", 0.5)), "no setting 'dropout'"),
        (_planned("svm_rbf", ("C", 1), ("cost", 2)), "more than once"),
        (_planned("svm_rbf", ("epsilon", 0.1)), "means nothing for classification"),
        (_planned("resnet"), "no recipe 'resnet'"),
        (_planned("ridge"), "not for classification"),
        (_planned("nbsvm"), "not for classification from table"),
    ],
)
def test_a_plan_that_the_recipe_cannot_carry_out_is_refused(planned: TrainingPlan, says: str) -> None:
    with pytest.raises(Refusal, match=says):
        plan_stage.settle(bench(), planned)
