"""Every recipe of the catalog trains and predicts on every kind of data that it claims; a new one is covered by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from trainwright.recipes.catalog import Recipe, load_catalog
from trainwright.tools.evaluation import read_predictions
from trainwright.tools.hub.package import refuse_pickles

from . import folders
from .conftest import Train
from .folders import Folder

MAKERS = {"table": folders.table, "text": folders.texts, "images": folders.pixels}
COMBINATIONS = [
    pytest.param(recipe, modality, task, id=f"{recipe.name}-{modality}-{task}")
    for recipe in load_catalog()
    for modality in recipe.modalities
    for task in recipe.tasks
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, int], Folder]:
    """A folder for a modality, a task and a number of classes, made once."""
    made: dict[tuple[str, str, int], Folder] = {}

    def folder(modality: str, task: str, classes: int) -> Folder:
        key = (modality, task, classes)
        if key not in made:
            made[key] = MAKERS[modality](tmp_path_factory.mktemp("data"), task, classes=classes, rows=240)
        return made[key]

    return folder


@pytest.mark.parametrize(("recipe", "modality", "task"), COMBINATIONS)
def test_trains_and_predicts(
    recipe: Recipe, modality: str, task: str, data: Callable[[str, str, int], Folder], train: Train
) -> None:
    folder = data(modality, task, 2 if modality == "table" else 3)
    trained = train(folder, recipe.name, "--smoke")
    record = json.loads((folder.path / "dataset.json").read_text())
    ids = trained.predictions["id"].tolist()
    checked = read_predictions(trained.out / "predictions.csv", ids, task=task, classes=record["classes"])
    assert checked is not None
    assert len(ids) == len(folder.truth)
    assert _merit(trained.predictions, folder.truth, task) > 0.15
    refuse_pickles(trained.out)
    lines = [json.loads(line) for line in (trained.out / "metrics.jsonl").read_text().splitlines()]
    assert all(line["step"] > 0 for line in lines)
    assert "accuracy" in lines[-1] or "rmse" in lines[-1]


def _merit(predictions: Any, truth: list[Any], task: str) -> float:
    """How much better than a constant guess, 0 to 1: accuracy over the majority, or rank correlation."""
    if task == "regression":
        return float(spearmanr(predictions["prediction"].astype(float), truth).statistic)
    right = np.mean(predictions["prediction"].to_numpy() == np.array(truth))
    most = max(np.mean(np.array(truth) == label) for label in set(truth))
    return float((right - most) / (1 - most))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("method", ["nbsvm", "linear_svm", "svm_rbf", "logistic_regression"])
def test_two_and_more_classes(method: str, classes: int, data: Callable[[str, str, int], Folder], train: Train) -> None:
    folder = data("text", "classification", classes)
    trained = train(folder, method, "--smoke")
    scores = trained.predictions.filter(like="score_").to_numpy(float)
    assert scores.shape == (len(folder.truth), classes)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert _merit(trained.predictions, folder.truth, "classification") > 0.5


@pytest.mark.parametrize("recipe", load_catalog(), ids=lambda recipe: recipe.name)
def test_script_and_catalog_agree(recipe: Recipe, scripts: Callable[[str], ModuleType]) -> None:
    method = scripts("methods").METHODS[recipe.name]
    assert set(method.tasks) == set(recipe.tasks)


def test_every_method_of_the_scripts_is_in_the_catalog(scripts: Callable[[str], ModuleType]) -> None:
    assert set(scripts("methods").METHODS) == {recipe.name for recipe in load_catalog()}


def test_trusted_types_are_named_one_by_one(scripts: Callable[[str], ModuleType], train: Train, tmp_path: Path) -> None:
    from skops import io

    saving = scripts("saving")
    trained = train(folders.table(tmp_path / "data"), "knn", "--smoke")
    path = trained.out / "model" / "model.skops"
    io.dump({"features": None, "estimator": tmp_path}, path)
    with pytest.raises(scripts("contract").BadInput, match="no recipe saves"):
        saving.load(trained.out / "model")
    assert not any("*" in name for name in saving.TRUSTED)
