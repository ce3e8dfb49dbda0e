"""Data that no recipe serves get a plain refusal, in the right words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainwright.graph.errors import DataError
from trainwright.tools.datasets import DataChoice, freeze, inspect_data

from .tables import csv, numbers, texts

DRAW = np.random.default_rng(2)


@pytest.mark.parametrize("names", [("sentence1", "sentence2"), ("premise", "hypothesis"), ("text_a", "text_b")])
def test_pairs_of_texts(tmp_path: Path, names: tuple[str, str]) -> None:
    table = pd.DataFrame({names[0]: texts(seed=1), names[1]: texts(seed=2), "score": DRAW.normal(size=200)})
    found = inspect_data(csv(tmp_path, table))
    assert found.modality == "text_pairs"
    assert "pair of texts" in found.refusal


def test_pairs_of_texts_without_a_header(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": texts(seed=1), "b": texts(seed=2), "score": DRAW.normal(size=200)})
    assert inspect_data(csv(tmp_path, table, header=False)).modality == "text_pairs"


def test_title_and_body_are_no_pair(tmp_path: Path) -> None:
    table = pd.DataFrame({"title": texts(seed=1), "body": texts(seed=2), "label": ["a", "b"] * 100})
    found = inspect_data(csv(tmp_path, table))
    assert (found.refusal, found.modality) == ("", "text")


def test_several_labels_a_row(tmp_path: Path) -> None:
    tags = ["|".join(sorted(set(DRAW.choice(list("abcdef"), 2)))) for _ in range(200)]
    found = inspect_data(csv(tmp_path, pd.DataFrame({"text": texts(), "tags": tags})))
    assert "several labels a row" in found.refusal


def test_labels_with_a_separator_in_their_names_are_single(tmp_path: Path) -> None:
    labels = ["bread, white", "bread, rye", "milk, whole", "tea, green", "rice", "salt", "oil"]
    table = pd.DataFrame({"text": texts(210), "label": labels * 30})
    assert inspect_data(csv(tmp_path, table)).refusal == ""


def test_a_series_with_nothing_to_predict_it_from(tmp_path: Path) -> None:
    table = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=200).astype(str), "value": DRAW.normal(size=200)})
    found = inspect_data(csv(tmp_path, table))
    assert (found.modality, "forecasting" in found.refusal) == ("time_series", True)


def test_texts_to_be_written(tmp_path: Path) -> None:
    table = pd.DataFrame({"article": texts(seed=1), "year": DRAW.integers(1990, 2020, 200), "summary": texts(seed=2)})
    found = inspect_data(csv(tmp_path, table), target_column="summary")
    assert "language model" in found.refusal
    only = inspect_data(csv(tmp_path / "only", table.drop(columns="year")))
    assert "language model" in only.refusal


def test_prose(tmp_path: Path) -> None:
    path = tmp_path / "input.txt"
    path.write_text("".join(f"{line.capitalize()}.\n\n" for line in texts()))
    found = inspect_data(str(path))
    assert (found.modality, found.task) == ("language_model", None)
    assert "language" in found.refusal


def test_graphs(tmp_path: Path) -> None:
    path = tmp_path / "graph.npz"
    edges = DRAW.integers(0, 50, (2, 200))
    np.savez(path, features=DRAW.normal(size=(50, 8)), labels=np.arange(50) % 3, edge_index=edges)
    found = inspect_data(str(path))
    assert (found.modality, "graph" in found.refusal) == ("graph", True)


@pytest.mark.parametrize("names", [("source", "target"), ("from_node", "to_node"), ("u", "v")])
def test_a_list_of_edges(tmp_path: Path, names: tuple[str, str]) -> None:
    edges = pd.DataFrame(DRAW.integers(0, 60, (300, 2)), columns=list(names)).assign(weight=DRAW.normal(size=300))
    found = inspect_data(csv(tmp_path, edges))
    assert (found.modality, "edges of a graph" in found.refusal) == ("graph", True)
    table = numbers().assign(source=["web", "shop"] * 100, target=["yes", "no", "no", "yes"] * 50)
    assert inspect_data(csv(tmp_path / "table", table[["f0", "source", "target"]])).refusal == ""


def test_instructions_with_answers(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"instruction": texts(seed=1), "input": ["", "a", "b"] * 66 + ["", "a"], "output": texts(seed=2)}
    )
    found = inspect_data(csv(tmp_path, table))
    assert found.modality == "text_pairs"
    assert found.refusal


def test_sound(tmp_path: Path) -> None:
    for label in ("yes", "no"):
        (tmp_path / label).mkdir()
        for i in range(3):
            (tmp_path / label / f"{i}.wav").write_bytes(b"RIFF0000WAVE")
    found = inspect_data(str(tmp_path))
    assert (found.modality, "sound" in found.refusal) == ("audio", True)


def test_several_outputs_at_once(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, X=DRAW.normal(size=(60, 4)), y=DRAW.normal(size=(60, 2)))
    with pytest.raises(DataError, match="several outputs at once"):
        inspect_data(str(path))


def test_what_is_refused_is_not_frozen_either(tmp_path: Path) -> None:
    table = pd.DataFrame({"sentence1": texts(seed=1), "sentence2": texts(seed=2), "score": numbers().f0})
    choice = DataChoice(target="score", task="regression", modality="text")
    with pytest.raises(DataError, match="pair of texts"):
        freeze(csv(tmp_path, table), choice, tmp_path / "run", seed=0, metric="rmse", direction="lower")
    assert not (tmp_path / "run").exists()
