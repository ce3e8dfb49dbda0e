"""Rows as they are in real life: missing columns, unseen categories, odd types; and messages for what cannot be used."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trainwright.recipes.catalog import Recipe, load_catalog

from . import folders
from .conftest import Train

METHODS = ["hist_gradient_boosting", "random_forest", "logistic_regression", "svm_rbf", "knn", "gaussian_nb", "lda"]
KINDS = {
    "x": "number", "text_number": "number", "all_missing": "number", "constant": "number", "flag": "boolean",
    "words_flag": "boolean", "city": "category", "code": "category", "empty_city": "category", "day": "date",
    "same_day": "date", "infinite": "number",
}  # fmt: skip


def _odd(path: Path, rows: int = 240) -> folders.Folder:
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    frame = pd.DataFrame({"x": pd.array(x, dtype="Float64")})
    frame["text_number"] = [f" {value:.2f}" if i % 9 else "n/a" for i, value in enumerate(rng.normal(size=rows))]
    frame["all_missing"] = pd.array([None] * rows, dtype="Int64")
    frame["constant"] = 4
    frame["flag"] = pd.array(rng.choice([True, False, None], rows), dtype="boolean")
    frame["words_flag"] = rng.choice(["yes", "no", None], rows)
    frame["city"] = pd.Categorical(rng.choice(["Oslo", "Bergen", "Bodø"], rows))
    frame["code"] = pd.array(rng.choice([1, 2, None], rows), dtype="Int64")
    frame["empty_city"] = pd.array([None] * rows, dtype="string")
    frame["day"] = [None if i % 7 == 0 else pd.Timestamp("1955-03-01") + pd.Timedelta(days=i) for i in range(rows)]
    frame["same_day"] = pd.Timestamp("2020-02-29", tz="Europe/Oslo")
    frame["infinite"] = np.where(x > 1.5, np.inf, x)
    frame["y"] = np.where(x + (frame["city"] == "Oslo") > 0.3, "b", "a")
    return folders.write_folder(path, frame, "y", "classification", "table", KINDS)


@pytest.mark.parametrize("method", METHODS)
def test_odd_columns(method: str, train: Train, tmp_path: Path) -> None:
    data = _odd(tmp_path / "data")
    trained = train(data, method, "--smoke")
    right = np.mean(trained.predictions["prediction"].to_numpy() == np.array(data.truth))
    assert right > 0.6
    assert np.isfinite(trained.predictions.filter(like="score_").to_numpy(float)).all()


@pytest.mark.parametrize("method", METHODS)
def test_inputs_that_differ_from_training(method: str, train: Train, tmp_path: Path) -> None:
    data = _odd(tmp_path / "data")
    inputs = pd.read_parquet(data.path / "inputs.parquet").drop(columns=["text_number", "flag", "empty_city"])
    inputs["city"] = "Tromsø"
    inputs["code"] = [f"{value}" for value in range(len(inputs))]
    inputs["day"] = "not a day"
    inputs["x"] = None
    inputs["extra"] = 1
    inputs[::-1].to_parquet(data.path / "inputs.parquet")
    trained = train(data, method, "--smoke")
    assert trained.predictions["id"].tolist() == inputs["id"].tolist()[::-1]
    assert set(trained.predictions["prediction"]) <= {"a", "b"}
    assert np.isfinite(trained.predictions.filter(like="score_").to_numpy(float)).all()


def test_predictions_do_not_depend_on_the_other_rows(train: Train, tmp_path: Path) -> None:
    data = _odd(tmp_path / "data")
    whole = train(data, "svm_rbf", "--smoke", name="whole").predictions
    inputs = pd.read_parquet(data.path / "inputs.parquet")
    inputs.iloc[[3]].to_parquet(data.path / "inputs.parquet")
    single = train(data, "svm_rbf", "--smoke", name="single").predictions
    assert whole.iloc[3].tolist() == single.iloc[0].tolist()


def test_category_names_are_the_same_whatever_type_they_have(train: Train, tmp_path: Path) -> None:
    frame = pd.DataFrame({"c": [1, 2] * 60, "y": ["a", "b"] * 60})
    data = folders.write_folder(tmp_path / "data", frame, "y", "classification", "table", {"c": "category"})
    inputs = pd.read_parquet(data.path / "inputs.parquet")
    inputs["c"] = inputs["c"].astype(float)
    inputs.to_parquet(data.path / "inputs.parquet")
    assert train(data, "logistic_regression", "--smoke").predictions["prediction"].tolist() == data.truth


def test_labels_that_look_like_numbers_or_nothing(train: Train, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0] * 50, "y": ["1.0", "NA", 'a, "b"'] * 50})
    data = folders.write_folder(tmp_path / "data", frame, "y", "classification", "table", {"x": "number"})
    trained = train(data, "knn", "--smoke")
    assert trained.predictions["prediction"].tolist() == data.truth


def test_a_class_with_one_row_and_one_that_is_only_in_validation(train: Train, tmp_path: Path) -> None:
    labels = ["a", "b"] * 60
    labels[5], labels[80] = "lonely", "late"
    frame = pd.DataFrame({"x": [0.0, 1.0] * 60, "y": labels})
    data = folders.write_folder(tmp_path / "data", frame, "y", "classification", "table", {"x": "number"})
    for method in ("hist_gradient_boosting", "svm_rbf", "random_forest", "logistic_regression", "knn"):
        trained = train(data, method, "--seconds", "3", name=method)
        scores = trained.predictions.filter(like="score_").to_numpy(float)
        assert scores.shape == (24, 4)
        assert np.isfinite(scores).all()
        assert np.mean(trained.predictions["prediction"].to_numpy() == np.array(data.truth)) > 0.9


def test_more_columns_than_rows(train: Train, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 120))
    x[:, 0] += np.tile([0, 6], 30)
    frame = pd.DataFrame(x, columns=[f"g{i}" for i in range(120)]).assign(y=["a", "b"] * 30)
    kinds = {f"g{i}": "number" for i in range(120)}
    data = folders.write_folder(tmp_path / "data", frame, "y", "classification", "table", kinds)
    for method in ("logistic_regression", "qda", "lda"):
        assert len(train(data, method, "--seconds", "3", name=method).predictions) == 12


def _png(grey: int, size: int = 12, mode: str = "L") -> bytes:
    image = Image.new(mode, (size, size), grey if mode == "L" else (grey, 0, 255 - grey))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_encoded_images_with_a_damaged_one(mode: str, train: Train, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    dark = [int(value) for value in rng.integers(0, 90, 60)]
    encoded = [_png(value if i % 2 else 255 - value, mode=mode, size=10 + i % 3) for i, value in enumerate(dark)]
    encoded[0] = b"no image at all"
    frame = pd.DataFrame({"image": encoded, "y": ["bright", "dark"] * 30})
    data = folders.write_folder(tmp_path / "data", frame, "y", "classification", "images", {"image": "image"})
    trained = train(data, "svm_rbf", "--seconds", "3")
    assert np.mean(trained.predictions["prediction"].to_numpy() == np.array(data.truth)) > 0.9


def test_empty_and_strange_texts(train: Train, tmp_path: Path) -> None:
    data = folders.texts(tmp_path / "data")
    inputs = pd.read_parquet(data.path / "inputs.parquet")
    inputs["text"] = ["", None, "\x00\x85\u202e", "日本語", "!" * 10_000, *inputs["text"].iloc[5:]]
    inputs.to_parquet(data.path / "inputs.parquet")
    for method in ("linear_svm", "multinomial_nb", "nbsvm", "knn", "hist_gradient_boosting"):
        trained = train(data, method, "--smoke", name=method)
        assert np.isfinite(trained.predictions.filter(like="score_").to_numpy(float)).all()


@pytest.mark.parametrize("recipe", [r for r in load_catalog() if "table" in r.modalities], ids=lambda r: r.name)
def test_a_table_with_a_column_of_free_text(recipe: Recipe, train: Train, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = rng.choice(["good", "bad"], 120)
    frame = pd.DataFrame({"x": rng.normal(size=120), "note": [f"a {word} day, it was {word}" for word in words]})
    task = recipe.tasks[0]
    frame["y"] = words if task == "classification" else np.where(words == "good", 5.0, 1.0) + 0.1 * rng.random(120)
    data = folders.write_folder(tmp_path / "data", frame, "y", task, "table", {"x": "number", "note": "text"})
    found = train(data, recipe.name, "--smoke").predictions["prediction"]
    if task == "regression":
        assert np.corrcoef(found.astype(float), data.truth)[0, 1] > 0.8
    else:
        assert np.mean(found.to_numpy() == np.array(data.truth)) > 0.8


def test_no_validation_rows_is_still_a_training(train: Train, tmp_path: Path) -> None:
    data = folders.table(tmp_path / "data")
    pd.read_parquet(data.path / "validation.parquet").iloc[:0].to_parquet(data.path / "validation.parquet")
    trained = train(data, "logistic_regression", "--seconds", "3")
    assert len(trained.predictions) == len(data.truth)


def _without(path: Path, column: str) -> None:
    pd.read_parquet(path).drop(columns=[column]).to_parquet(path)


def _edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


BROKEN: list[tuple[str, Callable[[Path], object], str]] = [
    ("no description", lambda p: (p / "dataset.json").unlink(), "dataset.json is missing"),
    ("no JSON", lambda p: (p / "dataset.json").write_text("{"), "not a data set description"),
    ("unknown task", lambda p: _edit(p / "dataset.json", task="ranking"), "task is 'ranking'"),
    ("no features", lambda p: _edit(p / "dataset.json", columns=[]), "no column with the role feature"),
    ("no training rows", lambda p: (p / "train.parquet").unlink(), "train.parquet is missing"),
    ("no parquet", lambda p: (p / "train.parquet").write_text("id,y"), "not a readable parquet file"),
    ("no ids", lambda p: _without(p / "train.parquet", "id"), "no column id"),
    ("no target", lambda p: _without(p / "validation.parquet", "y"), "no column 'y', the target"),
    ("unknown class", lambda p: _edit(p / "dataset.json", classes=["a"]), "does not list as classes: b"),
    ("one class", lambda p: _one_class(p / "train.parquet"), "one class only"),
    ("one row", lambda p: _first_rows(p / "train.parquet", 1), "nothing to learn from"),
    ("wrong metric", lambda p: _edit(p / "dataset.json", metric="rmse"), "does not score classification"),
]


def _one_class(path: Path) -> None:
    frame = pd.read_parquet(path)
    frame[frame["y"] == "a"].to_parquet(path)


def _first_rows(path: Path, count: int) -> None:
    pd.read_parquet(path).iloc[:count].to_parquet(path)


@pytest.mark.parametrize(("breaking", "says"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_broken_data_get_a_message(
    breaking: Callable[[Path], object], says: str, train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = folders.table(tmp_path / "data")
    breaking(data.path)
    trained = train(data, "knn", expect=2)
    message = capsys.readouterr().err
    assert message.startswith("train.py: ")
    assert says in message
    assert not (trained.out / "model").exists()


@pytest.mark.parametrize(
    ("method", "flags", "says"),
    [
        ("ridge", (), "does not do classification"),
        ("knn", ("--metric", "perplexity"), "'perplexity' does not score"),
        ("knn", ("--set", "n_neighbors"), "write NAME=VALUE"),
        ("knn", ("--set", "C=1"), "no setting C"),
        ("linear_svm", ("--set", "epsilon=1", "--set", "C=1"), "no setting epsilon"),
        ("mlp", ("--set", "hidden_layer_sizes=wide"), "does not take these settings"),
        ("knn", ("--seconds", "0"), "must be a positive number"),
        ("knn", ("--set", "metric=nonsense"), "cannot be fitted"),
        ("hist_gradient_boosting", ("--set", "max_leaf_nodes=1"), "cannot be fitted"),
        ("hist_gradient_boosting", ("--set", "max_iter=5", "--set", "max_bins=1"), "cannot be fitted"),
    ],
)
def test_wrong_flags_get_a_message(
    method: str, flags: tuple[str, ...], says: str, train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(folders.table(tmp_path / "data"), method, *flags, expect=2)
    assert says in capsys.readouterr().err


def test_f1_of_many_classes_is_refused(train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(folders.table(tmp_path / "data", classes=3), "knn", "--metric", "f1", expect=2)
    assert "use f1_macro" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["model.skops", "meta.json"])
def test_damaged_models_get_a_message(
    damage: str,
    scripts: Callable[[str], ModuleType],
    train: Train,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = folders.table(tmp_path / "data")
    trained = train(data, "knn", "--smoke")
    (trained.out / "model" / damage).write_bytes(b"PK nothing")
    answers = tmp_path / "answers.csv"
    given = [
        "--model",
        str(trained.out / "model"),
        "--inputs",
        str(data.path / "inputs.parquet"),
        "--out",
        str(answers),
    ]
    assert scripts("predict").main(given) == 2
    assert "no readable model" in capsys.readouterr().err
    assert not answers.exists()
