"""The catalog: names, settings, estimates, bundles."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from trainwright.graph.errors import RequestError
from trainwright.recipes.catalog import (
    Recipe,
    bundle,
    check_hyperparameter,
    estimate_seconds,
    is_unmodified,
    load_catalog,
    match_methods,
    recipe_named,
    strongest,
)
from trainwright.tools import code

CLASSIFIERS = [
    # name as papers write it, table, text, images
    ("SVM", "svm_rbf", "linear_svm", "svm_rbf"),
    ("Support Vector Machine (SVM)", "svm_rbf", "linear_svm", "svm_rbf"),
    ("SVM with RBF kernel", "svm_rbf", "svm_rbf", "svm_rbf"),
    ("SVM (RBF kernel)", "svm_rbf", "svm_rbf", "svm_rbf"),
    ("RBF-SVM", "svm_rbf", "svm_rbf", "svm_rbf"),
    ("support vector machine with a Gaussian kernel", "svm_rbf", "svm_rbf", "svm_rbf"),
    ("kernel SVM", "svm_rbf", "svm_rbf", "svm_rbf"),
    ("linear SVM", "linear_svm", "linear_svm", "linear_svm"),
    ("LinearSVC", "linear_svm", "linear_svm", "linear_svm"),
    ("SVM (linear)", "linear_svm", "linear_svm", "linear_svm"),
    ("TF-IDF + linear SVM", "linear_svm", "linear_svm", "linear_svm"),
    ("polynomial SVM", "svm_poly", None, "svm_poly"),
    ("SVM with polynomial kernel of degree 3", "svm_poly", None, "svm_poly"),
    ("kNN", "knn", "knn", "knn"),
    ("k-nearest neighbours (k = 3)", "knn", "knn", "knn"),
    ("1-NN", "knn", "knn", "knn"),
    ("Nearest Neighbor", "knn", "knn", "knn"),
    ("Random Forest", "random_forest", "random_forest", "random_forest"),
    ("RF", "random_forest", "random_forest", "random_forest"),
    ("Random forest (500 trees)", "random_forest", "random_forest", "random_forest"),
    ("extremely randomized trees", "extra_trees", "extra_trees", "extra_trees"),
    ("Extra-Trees", "extra_trees", "extra_trees", "extra_trees"),
    ("gradient boosted decision trees", *3 * ["hist_gradient_boosting"]),
    ("GBDT", *3 * ["hist_gradient_boosting"]),
    ("XGBoost", *3 * ["hist_gradient_boosting"]),
    ("LightGBM", *3 * ["hist_gradient_boosting"]),
    ("HistGradientBoostingClassifier", *3 * ["hist_gradient_boosting"]),
    ("MLP", "mlp", "mlp", "mlp"),
    ("multi-layer perceptron", "mlp", "mlp", "mlp"),
    ("feed-forward neural network", "mlp", "mlp", "mlp"),
    ("Logistic Regression", *3 * ["logistic_regression"]),
    ("multinomial logistic regression", *3 * ["logistic_regression"]),
    ("softmax regression", *3 * ["logistic_regression"]),
    ("MaxEnt", *3 * ["logistic_regression"]),
    ("LDA", "lda", None, "lda"),
    ("Fisher's linear discriminant", "lda", None, "lda"),
    ("QDA", "qda", None, "qda"),
    ("Naïve Bayes", "gaussian_nb", "multinomial_nb", "gaussian_nb"),
    ("Gaussian naive Bayes", "gaussian_nb", None, "gaussian_nb"),
    ("MNB", None, "multinomial_nb", "multinomial_nb"),
    ("complement naive Bayes", None, "complement_nb", "complement_nb"),
    ("NBSVM", None, "nbsvm", None),
    ("NB-SVM", None, "nbsvm", None),
    ("decision tree (CART)", "decision_tree", "decision_tree", "decision_tree"),
    ("C4.5", "decision_tree", "decision_tree", "decision_tree"),
    ("convolutional neural network", None, None, None),
    ("CNN-rand", None, None, None),
    ("BiLSTM with attention", None, None, None),
    ("BERT-tuned", None, None, None),
    ("gcForest", None, None, None),
    ("1-NN DTW", None, None, None),
    ("graph convolutional network", None, None, None),
    ("AdaBoost", None, None, None),
    ("linear regression", None, None, None),
]
REGRESSORS = [
    ("linear regression", "linear_regression"),
    ("OLS", "linear_regression"),
    ("ordinary least squares", "linear_regression"),
    ("Ridge regression", "ridge"),
    ("Lasso", "lasso"),
    ("elastic-net", "elastic_net"),
    ("Poisson regression", "poisson_regression"),
    ("Poisson GLM", "poisson_regression"),
    ("SVR", "svm_rbf"),
    ("support vector regression", "svm_rbf"),
    ("random forest regressor", "random_forest"),
    ("gradient boosting", "hist_gradient_boosting"),
    ("k-NN regression", "knn"),
    ("MLP (50 hidden units)", "mlp"),
    ("kernel ridge regression", None),
    ("Gaussian process", None),
    ("MC dropout", None),
    ("logistic regression", None),
]


def named(name: str, task: str, modality: str) -> str | None:
    matches = match_methods([name], task=task, modality=modality)
    return matches[0].recipe.name if matches else None


@pytest.mark.parametrize(("name", "table", "text", "images"), CLASSIFIERS)
def test_names_of_classifiers(name: str, table: str | None, text: str | None, images: str | None) -> None:
    found = tuple(named(name, "classification", modality) for modality in ("table", "text", "images"))
    assert found == (table, text, images)


@pytest.mark.parametrize(("name", "recipe"), REGRESSORS)
def test_names_of_regressors(name: str, recipe: str | None) -> None:
    assert named(name, "regression", "table") == recipe


@pytest.mark.parametrize(
    ("goal", "recipe"),
    [
        ("Train a random forest that beats the logistic regression of the paper", "random_forest"),
        ("Beat logistic regression with a k-nearest neighbours classifier on these data", "knn"),
        ("Predict the digit with an SVM and an RBF kernel, as the paper does", "svm_rbf"),
        ("Use gradient boosting instead of the random forest in table 2, please", "hist_gradient_boosting"),
        ("How well can one predict the price of a house?", None),
    ],
)
def test_method_in_a_sentence(goal: str, recipe: str | None) -> None:
    assert named(goal, "classification", "table") == recipe


def test_matches_keep_the_order_of_the_names_and_say_what_is_not_exact() -> None:
    names = ["deep forest", "XGBoost", "SVM", "random forest", "random forest on PCA components"]
    matches = match_methods(names, task="classification", modality="table")
    assert [match.name_in_paper for match in matches] == names[1:]
    assert [match.exact for match in matches] == [False, True, True, False]
    assert "nearest" in matches[0].why
    assert "without further words" in matches[1].why
    assert matches[2].why == ""
    assert "left out" in matches[3].why


@pytest.mark.parametrize(
    ("recipe", "name", "value", "expected"),
    [
        ("svm_rbf", "C", 10, ("C", 10.0)),
        ("svm_rbf", "penalty parameter", "2^5", ("C", 32.0)),
        ("svm_rbf", "γ", "10^-3", ("gamma", 0.001)),
        ("svm_rbf", "gamma", "10^{-3}", ("gamma", 0.001)),
        ("svm_rbf", "gamma", "1/16", ("gamma", 0.0625)),
        ("svm_rbf", "gamma", "scale", ("gamma", "scale")),
        ("random_forest", "number of trees", "1,000", ("n_estimators", 1000)),
        ("random_forest", "ntree", 500.0, ("n_estimators", 500)),
        ("random_forest", "maximum depth", "unlimited", ("max_depth", "none")),
        ("random_forest", "criterion", "Gini impurity", ("criterion", "gini")),
        ("random_forest", "max_features", "sqrt", ("max_features", "sqrt")),
        ("hist_gradient_boosting", "n_estimators", 200, ("max_iter", 200)),
        ("hist_gradient_boosting", "shrinkage", 0.1, ("learning_rate", 0.1)),
        ("hist_gradient_boosting", "num_leaves", 31, ("max_leaf_nodes", 31)),
        ("knn", "k", "3", ("n_neighbors", 3)),
        ("knn", "distance metric", "L1", ("metric", "manhattan")),
        ("mlp", "hidden units", 50, ("hidden_layer_sizes", "50")),
        ("mlp", "hidden_layer_sizes", "(100, 50)", ("hidden_layer_sizes", "100-50")),
        ("mlp", "activation function", "ReLU", ("activation", "relu")),
        ("mlp", "learning rate", "1e-3", ("learning_rate_init", 0.001)),
        ("mlp", "number of epochs", 40, ("epochs", 40)),
        ("ridge", "λ", 0.5, ("alpha", 0.5)),
        ("nbsvm", "β", 0.25, ("beta", 0.25)),
        ("multinomial_nb", "Laplace smoothing", 1, ("alpha", 1.0)),
    ],
)
def test_settings_as_papers_write_them(recipe: str, name: str, value: Any, expected: tuple[str, Any]) -> None:
    found = check_hyperparameter(recipe_named(recipe), name, value)
    assert found == expected
    assert type(found[1]) is type(expected[1])


@pytest.mark.parametrize(
    ("recipe", "name", "value", "says"),
    [
        ("svm_rbf", "C", -1, "from 1e-06"),
        ("svm_rbf", "C", 0, "from 1e-06"),
        ("svm_rbf", "C", "large", "not 'large'"),
        ("svm_rbf", "C", True, "not 'True'"),
        ("svm_rbf", "C", float("nan"), "not 'nan'"),
        ("svm_rbf", "k", 3, "has no setting 'k'"),
        ("random_forest", "n_estimators", 10.5, "a whole number"),
        ("random_forest", "n_estimators", 10**9, "to 5000"),
        ("random_forest", "dropout", 0.5, "has no setting"),
        ("mlp", "hidden_layer_sizes", "100-x", "sizes such as"),
        ("mlp", "optimizer", "RMSProp", "one of adam"),
        ("mlp", "iterations", 10_000, "has no setting"),
        ("linear_svm", "C", "2^9999", "a number from"),
    ],
)
def test_settings_that_a_recipe_does_not_take(recipe: str, name: str, value: Any, says: str) -> None:
    found = check_hyperparameter(recipe_named(recipe), name, value)
    assert isinstance(found, str)
    assert says in found


def test_settings_of_another_task_are_refused() -> None:
    recipe = recipe_named("linear_svm")
    assert check_hyperparameter(recipe, "epsilon", 0.1, task="regression") == ("epsilon", 0.1)
    assert isinstance(check_hyperparameter(recipe, "epsilon", 0.1, task="classification"), str)
    assert isinstance(check_hyperparameter(recipe, "ngram_max", 2, task="classification", modality="table"), str)


def _extremes(recipe: Recipe) -> dict[str, list[Any]]:
    """For each setting both ends of its range, and each word."""
    found: dict[str, list[Any]] = {}
    for name, setting in recipe.settings.items():
        found[name] = list(setting.values)
        if setting.kind in ("float", "int"):
            kind = int if setting.kind == "int" else float
            found[name] += [kind(setting.low), kind(setting.high)]
        elif setting.kind == "sizes":
            found[name] += ["100-50", "7"]
    return found


MADE_BEFORE = {"scaling", "terms", "ngram_max", "weighting", "n_components"}
"""Settings of the features, not of the estimator."""


@pytest.mark.parametrize("recipe", load_catalog(), ids=lambda recipe: recipe.name)
def test_estimators_accept_every_setting_in_its_range(recipe: Recipe, scripts: Callable[[str], ModuleType]) -> None:
    method = scripts("methods").METHODS[recipe.name]
    sizes = {"width": 3, "pixels": 0, "categories": 1, "texts": 0, "metric": "", "rows": 10**6}
    for task in recipe.tasks:
        classes = 3 if task == "classification" else 0
        situation = scripts("methods").Situation(task=task, modality="table", classes=classes, **sizes)
        for name, values in _extremes(recipe).items():
            assert all(check_hyperparameter(recipe, name, value) == (name, value) for value in values)
            if name in MADE_BEFORE or task not in (recipe.settings[name].tasks or [task]):
                continue
            built = [method.build({name: value}, situation) for value in values]
            for estimator in built:
                getattr(estimator, "_validate_params", lambda: None)()
            states = {repr(sorted(vars(estimator).items())) for estimator in built}
            assert len(states) > 1, f"{name} changes nothing"


@pytest.mark.parametrize("recipe", load_catalog(), ids=lambda recipe: recipe.name)
def test_estimates_are_positive_and_grow_with_the_data(recipe: Recipe) -> None:
    rows = [estimate_seconds(recipe, n, 20, 3) for n in (10, 1_000, 20_000, 1_000_000)]
    columns = [estimate_seconds(recipe, 1_000, p, 3) for p in (1, 20, 1_000)]
    classes = [estimate_seconds(recipe, 1_000, 20, k) for k in (0, 2, 100)]
    assert rows[0] > 0
    assert all(a < b for a, b in pairwise(rows))
    assert all(a < b for a, b in pairwise(columns))
    assert all(a <= b for a, b in pairwise(classes))
    assert math.isfinite(rows[-1])


def test_the_usual_choices_come_first() -> None:
    def first(*question: Any) -> str:
        return strongest(*question)[0].name

    assert first("classification", "table", 40_000, 14, 2, "accuracy") == "hist_gradient_boosting"
    assert first("classification", "text", 10_000, 1, 77, "accuracy") == "linear_svm"
    assert first("classification", "images", 1_800, 64, 10, "accuracy") == "svm_rbf"
    assert first("regression", "table", 1_000, 8, 0, "rmse") == "hist_gradient_boosting"
    assert first("regression", "text", 1_000, 1, 0, "rmse") == "ridge"
    assert first("classification", "table", 100, 5_000, 2, "accuracy") in ("linear_svm", "logistic_regression")


def test_what_takes_long_does_not_come_first() -> None:
    names = [recipe.name for recipe in strongest("classification", "images", 2_000_000, 784, 10, "accuracy")]
    assert names[0] != "svm_rbf"
    assert "svm_rbf" in names


@pytest.mark.parametrize("modality", ["graph", "audio", "time_series"])
def test_nothing_is_offered_for_what_no_recipe_serves(modality: str) -> None:
    assert strongest("classification", modality, 100, 10, 2, "accuracy") == []
    assert match_methods(["SVM"], task="classification", modality=modality) == []


def test_bundle_is_a_flat_folder_that_counts_as_unmodified() -> None:
    files = bundle(recipe_named("svm_rbf"), {"C": "10", "γ": 0.001}, "accuracy", 30)
    assert {"train.py", "predict.py", "settings.json"} <= set(files)
    assert all(code.NAME.fullmatch(name) for name in files)
    settings = json.loads(files["settings.json"])
    assert settings["hyperparameters"] == {"C": 10.0, "gamma": 0.001}
    assert is_unmodified(files)
    assert code.dependencies(files)


@pytest.mark.parametrize(
    "change",
    [
        {"train.py": b"print('else')"},
        {"train.py": None},
        {"settings.json": None},
        {"extra.py": b""},
        {"notes.txt": b""},
        {"settings.json": b"{"},
        {"settings.json": b"[]"},
        {"settings.json": b'{"recipe": "svm_rbf", "hyperparameters": {}, "metric": "accuracy"}'},
        {"settings.json": b'{"recipe": "x", "hyperparameters": {}, "metric": "accuracy", "seconds": 9}'},
        {"settings.json": b'{"recipe": "svm_rbf", "hyperparameters": {}, "metric": "x", "seconds": 9}'},
        {"settings.json": b'{"recipe": "svm_rbf", "hyperparameters": {}, "metric": "accuracy", "seconds": 0}'},
        {"settings.json": b'{"recipe": "svm_rbf", "hyperparameters": {}, "metric": "accuracy", "seconds": true}'},
        {"settings.json": b'{"recipe": "svm_rbf", "hyperparameters": {}, "metric": "accuracy", "seconds": Infinity}'},
        {"settings.json": b'{"recipe": "svm_rbf", "hyperparameters": {"C": -1}, "metric": "accuracy", "seconds": 9}'},
        {"settings.json": b'{"recipe": "svm_rbf", "hyperparameters": {"k": 1}, "metric": "accuracy", "seconds": 9}'},
        {"settings.json": b'{"recipe": "svm_rbf", "hyperparameters": [], "metric": "accuracy", "seconds": 9}'},
        {"settings.json": b'{"recipe": ["a"], "hyperparameters": {}, "metric": {}, "seconds": "9"}'},
    ],
)
def test_anything_else_counts_as_modified(change: dict[str, bytes | None]) -> None:
    files: dict[str, Any] = {**bundle(recipe_named("svm_rbf"), {}, "accuracy", 30), **change}
    assert not is_unmodified({name: content for name, content in files.items() if content is not None})


@pytest.mark.parametrize(
    ("hyperparameters", "metric", "seconds", "says"),
    [
        ({"C": -1}, "accuracy", 30, "from 1e-06"),
        ({"depth": 3}, "accuracy", 30, "no setting 'depth'"),
        ({"C": 1, "cost": 2}, "accuracy", 30, "given twice"),
        ({}, "perplexity", 30, "does not optimise"),
        ({}, "accuracy", 0, "time allowance"),
        ({}, "accuracy", float("inf"), "time allowance"),
    ],
)
def test_a_bundle_with_wrong_settings_is_refused(
    hyperparameters: dict[str, Any], metric: str, seconds: float, says: str
) -> None:
    with pytest.raises(RequestError, match=says):
        bundle(recipe_named("svm_rbf"), hyperparameters, metric, seconds)


def test_an_unknown_recipe_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match="no recipe 'resnet'") as caught:
        recipe_named("resnet")
    assert "svm_rbf" in caught.value.hint


def test_metadata_is_complete() -> None:
    catalog = load_catalog()
    assert len({recipe.name for recipe in catalog}) == len(catalog)
    for recipe in catalog:
        assert recipe.title
        assert recipe.limits.endswith(".")
        assert set(recipe.modalities) <= set(recipe.strength)
        assert set(recipe.tasks) <= {"classification", "regression"}
        assert (
            named(recipe.title, recipe.tasks[0], recipe.modalities[0]) == recipe.name or "for numbers" in recipe.title
        )
