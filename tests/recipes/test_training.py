"""Training: what is fixed is used, what is open is searched within its allowance, and the same seed is the same model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trainwright.recipes.catalog import bundle, recipe_named
from trainwright.tools import evaluation
from trainwright.tools.code import write_files
from trainwright.tools.evaluation import metrics

from . import folders
from .conftest import SCRIPTS, Train

FIXED: list[tuple[str, str, dict[str, Any]]] = [
    ("svm_rbf", "table", {"C": 7.5, "gamma": 0.003}),
    ("svm_poly", "table", {"C": 0.7, "degree": 2, "coef0": 0.5}),
    ("linear_svm", "text", {"C": 0.07, "loss": "hinge"}),
    ("logistic_regression", "table", {"C": 0.3, "max_iter": 77}),
    ("knn", "table", {"n_neighbors": 4, "weights": "distance", "metric": "manhattan"}),
    ("decision_tree", "table", {"max_depth": 3, "criterion": "entropy"}),
    ("random_forest", "table", {"n_estimators": 17, "max_features": 0.7, "min_samples_leaf": 2}),
    ("extra_trees", "table", {"n_estimators": 11, "max_depth": 4}),
    ("hist_gradient_boosting", "table", {"max_iter": 13, "learning_rate": 0.3, "max_leaf_nodes": 5}),
    ("mlp", "table", {"hidden_layer_sizes": "9-4", "activation": "tanh", "epochs": 11}),
    ("nbsvm", "text", {"C": 0.4, "beta": 0.6, "alpha": 2.0}),
    ("multinomial_nb", "text", {"alpha": 0.25}),
    ("gaussian_nb", "table", {"var_smoothing": 1e-3}),
    ("qda", "table", {"reg_param": 0.35}),
    ("ridge", "table", {"alpha": 3.5}),
    ("elastic_net", "table", {"alpha": 0.02, "l1_ratio": 0.8}),
]
READ_BACK = {"9-4": (9, 4)}
READ_FROM = {"epochs": "max_iter"}


@pytest.mark.parametrize(("method", "modality", "fixed"), FIXED, ids=[method for method, _, _ in FIXED])
def test_fixed_settings_are_what_the_model_has(
    method: str, modality: str, fixed: dict[str, Any], train: Train, tmp_path: Path
) -> None:
    task = recipe_named(method).tasks[0]
    make = folders.table if modality == "table" else folders.texts
    flags = [part for name, value in fixed.items() for part in ("--set", f"{name}={value}")]
    trained = train(make(tmp_path / "data", task), method, "--seconds", "3", *flags)
    for model in ("model", "model_validation"):
        loaded = trained.load(trained.out / model)
        for name, value in fixed.items():
            assert getattr(loaded.fitted.estimator, READ_FROM.get(name, name)) == READ_BACK.get(value, value)
            assert loaded.settings[name] == value


def test_scaling_that_is_fixed_is_used(train: Train, tmp_path: Path) -> None:
    trained = train(folders.table(tmp_path / "data"), "svm_rbf", "--set", "scaling=none", "--set", "C=1", "--smoke")
    assert trained.model.fitted.features.options["scaling"] == "none"


def test_boosting_chooses_its_iterations_on_held_out_rows(train: Train, tmp_path: Path) -> None:
    trained = train(folders.table(tmp_path / "data", rows=200), "hist_gradient_boosting", "--seconds", "4")
    count = trained.model.settings["max_iter"]
    assert trained.estimator.n_iter_ == count
    assert count % 5 == 0
    assert len((trained.out / "metrics.jsonl").read_text().splitlines()) >= 2


OPEN: dict[str, tuple[str, ...]] = {
    "random_forest": ("--set", "n_estimators=30", "--set", "max_features=0.5", "--set", "min_samples_leaf=1"),
    "hist_gradient_boosting": ("--set", "learning_rate=0.2", "--set", "max_leaf_nodes=4", "--set", "max_features=0.5"),
    "mlp": (
        "--set",
        "hidden_layer_sizes=10",
        "--set",
        "alpha=0.01",
        "--set",
        "scaling=standard",
        "--set",
        "epochs=30",
    ),
    "svm_rbf": ("--set", "C=10", "--set", "class_weight=none"),
}
"""What is fixed, so that the rest of the search is short."""


@pytest.mark.parametrize("method", OPEN)
def test_same_seed_same_bytes(method: str, train: Train, tmp_path: Path) -> None:
    data = folders.table(tmp_path / "data")
    flags = ("--seconds", "120", "--seed", "3", *OPEN[method])
    answers = [train(data, method, *flags, name=name).out / "predictions.csv" for name in ("first", "second")]
    assert answers[0].read_bytes() == answers[1].read_bytes()


@pytest.mark.slow
def test_bundle_runs_as_two_programs_and_twice_the_same(tmp_path: Path) -> None:
    data = folders.table(tmp_path / "data")
    fixed = {"n_estimators": 30, "max_features": 0.5, "min_samples_leaf": 1}
    write_files(tmp_path / "code", bundle(recipe_named("random_forest"), fixed, "accuracy", 120))
    answers = [_run(tmp_path / "code", data.path, tmp_path / str(attempt)) for attempt in range(2)]
    assert answers[0] == answers[1]
    assert answers[0].count(b"\n") == len(data.truth) + 1


def _run(code: Path, data: Path, out: Path) -> bytes:
    """Both scripts as programs of their own, with warnings as errors; the predictions' bytes."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONDONTWRITEBYTECODE": "1"}
    answers = out / "predictions.csv"
    given = ["--model", str(out / "model"), "--inputs", str(data / "inputs.parquet"), "--out", str(answers)]
    for script, flags in (("train.py", ["--data", str(data), "--out", str(out), "--seed", "3"]), ("predict.py", given)):
        done = subprocess.run(
            [sys.executable, str(code / script), *flags], capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    return answers.read_bytes()


WATCH = """
import os, sys
class Watch:
    def find_spec(self, name, *_):
        if name == "sklearn":
            print(os.environ.get("OMP_WAIT_POLICY"))
sys.meta_path.insert(0, Watch())
sys.path.insert(0, sys.argv[1])
__import__(sys.argv[2])
"""


@pytest.mark.parametrize("script", ["train", "predict"])
def test_threads_are_told_to_sleep_before_openmp_is_loaded(script: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(SCRIPTS), script],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    assert done.stdout.split()[0] == "PASSIVE"


def test_another_seed_is_another_forest(train: Train, tmp_path: Path) -> None:
    data = folders.table(tmp_path / "data")
    first = train(data, "random_forest", "--smoke", "--seed", "1", name="first")
    second = train(data, "random_forest", "--smoke", "--seed", "2", name="second")
    assert not np.array_equal(first.predictions["score_a"], second.predictions["score_a"])


def test_without_a_method_it_chooses_one_itself(train: Train, tmp_path: Path) -> None:
    assert train(folders.table(tmp_path / "a"), "", "--smoke", name="1").model.recipe == "random_forest"
    assert train(folders.texts(tmp_path / "b"), "", "--smoke", name="2").model.recipe == "linear_svm"
    assert train(folders.pixels(tmp_path / "c"), "", "--smoke", name="3").model.recipe == "svm_rbf"
    regression = train(folders.texts(tmp_path / "d", "regression"), "", "--smoke", name="4")
    assert regression.model.recipe == "ridge"


def test_validation_model_has_not_seen_the_validation_rows(train: Train, tmp_path: Path) -> None:
    data = folders.table(tmp_path / "data")
    trained = train(data, "knn", "--set", "n_neighbors=1", "--smoke")
    counted = {name: trained.load(trained.out / name).fitted.estimator.n_samples_fit_ for name in MODELS}
    rows = {part: len(pd.read_parquet(data.path / f"{part}.parquet")) for part in ("train", "validation")}
    assert counted == {"model_validation": rows["train"], "model": sum(rows.values())}


MODELS = ("model_validation", "model")


def test_metrics_tell_what_was_tried(train: Train, tmp_path: Path) -> None:
    trained = train(folders.table(tmp_path / "data"), "logistic_regression", "--metric", "log_loss", "--seconds", "4")
    lines = [json.loads(line) for line in (trained.out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))
    assert all(line["log_loss"] > 0 and line["rows"] > 0 for line in lines)
    assert min(line["log_loss"] for line in lines[:-1]) == lines[-2]["best_log_loss"]


class Clock:
    """Seconds that pass only when a fit is made."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _searched(
    scripts: Callable[[str], ModuleType], data: folders.Folder, method: str, allowance: float, a_fit: float
) -> tuple[Any, Any, Clock]:
    """A search in which each fit takes `a_fit` seconds of a clock of its own."""
    train_module, clock = scripts("train"), Clock()
    schema, train, validation = train_module.read_data(data.path)
    plan = train_module.Plan(method, {}, "accuracy", allowance)
    search = train_module._search(schema, train, validation, plan, data.path, 0, False)
    search.budget = scripts("budget").Budget(allowance, clock=clock)
    made = search._raw_or_reason

    def counted(job: Any) -> Any:
        clock.now += a_fit
        return made(job)

    search._raw_or_reason = counted
    return search.run(), search, clock


def test_the_allowance_is_passed_by_one_trial_at_most(scripts: Callable[[str], ModuleType], tmp_path: Path) -> None:
    data = folders.table(tmp_path / "data")
    trial, search, clock = _searched(scripts, data, "logistic_regression", 30.0, 1.0)
    folds = 6
    assert clock.now <= 30.0 + folds
    assert search.budget.stopped
    assert trial.quality > 0.5


def test_slow_fits_end_the_search_after_the_first_trial(scripts: Callable[[str], ModuleType], tmp_path: Path) -> None:
    trial, search, _ = _searched(scripts, folders.table(tmp_path / "data"), "svm_rbf", 30.0, 100.0)
    assert len(search.trials) == 1
    assert search.budget.stopped
    assert trial is search.trials[0]


def test_quick_fits_end_by_themselves(scripts: Callable[[str], ModuleType], tmp_path: Path) -> None:
    _, search, _ = _searched(scripts, folders.table(tmp_path / "data"), "svm_rbf", 600.0, 0.0)
    assert not search.budget.stopped
    assert 5 < len(search.trials) < 100


def test_large_data_are_searched_on_a_part_first(scripts: Callable[[str], ModuleType], tmp_path: Path) -> None:
    data = folders.table(tmp_path / "data", rows=9_000)
    _, search, _ = _searched(scripts, data, "svm_rbf", 6.0, 0.0)
    rows = [trial.rows for trial in search.trials]
    assert rows[0] < 5_400
    assert rows[-1] == 5_400
    assert search.run().rows == 5_400


@pytest.mark.parametrize("metric", ["f1", "balanced_accuracy", "mcc", "f1_macro", "recall_macro"])
def test_rare_classes_are_weighed_for_the_metric(metric: str, train: Train, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=4_000)
    y = np.where(x + rng.normal(scale=0.8, size=4_000) > 1.9, "yes", "no")
    frame, kinds = pd.DataFrame({"x": x, "y": y}), {"x": "number"}
    data = folders.write_folder(tmp_path / "data", frame, "y", "classification", "table", kinds, shares=(0.3, 0.1))
    flags = ("--seconds", "60", "--set", "C=1", "--set", "scaling=standard")
    plain = train(data, "logistic_regression", *flags, name="plain").predictions["prediction"].tolist()
    asked = train(data, "logistic_regression", *flags, "--metric", metric, name="asked").predictions["prediction"]
    found = [metrics.score(metric, data.truth, labels, classes=["no", "yes"]) for labels in (plain, asked.tolist())]
    assert found[1] > found[0] + 0.01


def test_scores_are_those_of_the_workflow(scripts: Callable[[str], ModuleType]) -> None:
    scores = scripts("scores")
    rng = np.random.default_rng(0)
    for classes in (["no", "yes"], ["0", "1"], ["a", "b", "c"]):
        shares = rng.dirichlet(np.ones(len(classes)), 200)
        truth = rng.choice(len(classes), 200, p=[0.7, *[0.3 / (len(classes) - 1)] * (len(classes) - 1)])
        guess = shares.argmax(axis=1)
        positive = scores.positive_class(classes, truth)
        for name in scores.NAMES["classification"]:
            if name in scores.BINARY and len(classes) > 2:
                continue
            mine = scores.score(name, truth, guess, shares, positive)
            labels = [[classes[i] for i in places] for places in (truth, guess)]
            assert mine == pytest.approx(metrics.score(name, *labels, scores=shares, classes=classes)), name
            assert (name in scores.LOWER) == (evaluation.metric(name).direction == "lower")
    true, predicted = rng.gamma(2, size=100), rng.gamma(2, size=100)
    for name in scores.NAMES["regression"]:
        assert scores.score(name, true, predicted) == pytest.approx(metrics.score(name, list(true), list(predicted))), (
            name
        )
        assert (name in scores.LOWER) == (evaluation.metric(name).direction == "lower")
    known = {name for names in scores.NAMES.values() for name in names}
    assert known == set(evaluation.METRICS)


def test_counts_are_learnt_as_counts(train: Train, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    frame = pd.DataFrame({"x": x, "y": rng.poisson(np.exp(0.5 + x)).astype(float)})
    data = folders.write_folder(tmp_path / "data", frame, "y", "regression", "table", {"x": "number"})
    flags = ("--metric", "poisson_deviance", "--seconds", "5")
    poisson = train(data, "poisson_regression", *flags, name="poisson")
    assert type(poisson.estimator).__name__ == "PoissonRegressor"
    truth, found = np.array(data.truth), poisson.predictions["prediction"].astype(float).to_numpy()
    assert np.mean((truth - found) ** 2) < 0.6 * np.var(truth)
    assert found.min() > 0
    for method in ("hist_gradient_boosting", "ridge"):
        other = train(data, method, *flags, name=method)
        assert other.predictions["prediction"].astype(float).min() > 0


def test_long_tails_are_learnt_on_a_logarithmic_scale(train: Train, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2))
    frame = pd.DataFrame(x, columns=["a", "b"]).assign(y=np.exp(1.5 * x[:, 0] + 0.2 * rng.normal(size=500)))
    kinds = {"a": "number", "b": "number"}
    data = folders.write_folder(tmp_path / "data", frame, "y", "regression", "table", kinds)
    trained = train(data, "linear_regression", "--seconds", "4", "--metric", "mae")
    assert trained.model.fitted.target.logarithm
