"""What is written is what is read: any table, in every format."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trainwright.cli.request import data_spec
from trainwright.graph.errors import DataError
from trainwright.tools.datasets import inspect_data, load_data, withheld_paths

from .tables import classes, csv

quick = settings(max_examples=40, deadline=None)
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=2, max_size=12
)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Tables of floats, integers, words with odd characters, and gaps."""
    rows = draw(st.integers(12, 40))
    floats = draw(st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=rows, max_size=rows))
    whole = draw(st.lists(st.integers(-(2**40), 2**40), min_size=rows, max_size=rows))
    words = draw(st.lists(WORDS.map(lambda word: f"w{word}"), min_size=rows, max_size=rows))
    table = pd.DataFrame({"real": floats, "whole": whole, "word": pd.Series(words, dtype="str")})
    gaps = draw(st.sets(st.integers(0, rows - 1), max_size=rows // 3))
    table.loc[sorted(gaps), "real"] = np.nan
    table["label"] = pd.Series([f"class {i % 3}" for i in range(rows)], dtype="str")
    return table


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows, with None for a gap."""
    return [{k: None if v != v else v for k, v in row.items()} for row in table.to_dict("records")]


WRITERS: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "data.csv": lambda table, path: table.to_csv(path, index=False),
    "data.tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    "data.csv.gz": lambda table, path: table.to_csv(path, index=False, compression="gzip"),
    "data.jsonl": lambda table, path: path.write_text("".join(f"{json.dumps(row)}\n" for row in records(table))),
    "data.parquet": lambda table, path: table.to_parquet(path, index=False),
}


@quick
@given(table=tables(), name=st.sampled_from(sorted(WRITERS)))
def test_a_table_comes_back_as_it_was(table: pd.DataFrame, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        WRITERS[name](table, path)
        read = load_data(str(path)).parts["all"]
    assert list(read.columns) == list(table.columns)
    np.testing.assert_allclose(read["real"].to_numpy(float), table["real"].to_numpy(float), rtol=1e-12)
    assert read["whole"].tolist() == table["whole"].tolist()
    assert read["label"].tolist() == table["label"].tolist()
    assert read["word"].tolist() == [word.strip() for word in table["word"]]


@quick
@given(
    cells=st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=4)),
    junk=st.binary(max_size=200),
)
def test_any_file_is_read_or_refused_with_a_message(cells: list[list[str]], junk: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        path.write_bytes("\n".join(",".join(row) for row in cells).encode("utf-8", "replace") + junk)
        with contextlib.suppress(DataError):
            assert inspect_data(str(path)).rows


@quick
@given(rows=st.integers(12, 60), width=st.integers(1, 6), seed=st.integers(0, 99))
def test_arrays_come_back_as_they_were(rows: int, width: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    x, y = draw.normal(size=(rows, width)), draw.integers(0, 3, rows)
    assume(len(set(y)) > 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, X=x, y=y)
        read = load_data(str(path))
    frame = read.parts["all"]
    assert read.target == "y"
    np.testing.assert_array_equal(frame.drop(columns="y").to_numpy(), x)
    np.testing.assert_array_equal(frame["y"].to_numpy(), y)


def test_official_index_arrays_divide_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "folds.npz"
    x, y = np.arange(60.0).reshape(30, 2), np.arange(30.0)
    np.savez(
        path, X=x, y=y, train_0=np.arange(25), test_0=np.arange(25, 30), train_1=np.arange(5, 30), test_1=np.arange(5)
    )
    found = inspect_data(str(path))
    assert (found.rows, found.split.kind) == ({"train": 25, "test": 5}, "official")
    assert "official_folds" in [note.code for note in found.findings]


def test_parts_of_a_folder_and_of_a_prefix(tmp_path: Path) -> None:
    for name, rows in (("train", 60), ("val", 20), ("test", 30)):
        csv(tmp_path, classes(rows, seed=rows), f"wine_{name}.csv")
    expected = {"train": 60, "validation": 20, "test": 30}
    assert inspect_data(str(tmp_path)).rows == expected
    assert inspect_data(str(tmp_path / "wine")).rows == expected
    assert data_spec(str(tmp_path / "wine")) == str(tmp_path / "wine")
    alone = inspect_data(str(tmp_path / "wine_train.csv"))
    assert alone.rows == {"all": 60}
    assert "sibling_parts" in [note.code for note in alone.findings]


def test_images_in_class_folders(tmp_path: Path) -> None:
    from PIL import Image

    draw = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for i in range(20):
            pixels = draw.integers(0, 256, (6, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / label / f"{i}.png")
    found = inspect_data(str(tmp_path))
    assert (found.modality, found.target, found.shape) == ("images", "label", [6, 8])
    assert found.classes == {"cat": 20, "dog": 20}


def test_every_place_of_the_labels_is_masked(tmp_path: Path, own_home: Path) -> None:
    csv(tmp_path, classes(), "wine_train.csv")
    csv(tmp_path, classes(seed=1), "wine_test.csv")
    both = {tmp_path / "wine_train.csv", tmp_path / "wine_test.csv"}
    assert both <= set(withheld_paths(str(tmp_path / "wine_train.csv")))
    assert both <= set(withheld_paths(str(tmp_path / "wine")))
    assert set(withheld_paths(str(tmp_path))) == {tmp_path}
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "wine_test.csv")
    assert {link, tmp_path / "wine_test.csv"} <= set(withheld_paths(str(link)))
    assert any(path.match("sklearn/datasets/data") for path in withheld_paths("sklearn:iris"))
    assert own_home / "cache" / "hub" in withheld_paths("owner/name")


def test_the_sandbox_masks_the_runs_and_the_source(tmp_path: Path, own_home: Path) -> None:
    from trainwright.tools.contract import masked_paths

    spec = csv(tmp_path, classes())
    assert masked_paths(spec) == (own_home, Path(spec))
    assert masked_paths("") == (own_home,)
    Path(spec).unlink()
    assert masked_paths(spec) == (own_home,)


@pytest.mark.parametrize("name", ["iris", "digits", "wine", "breast_cancer", "diabetes"])
def test_what_scikit_learn_ships(name: str) -> None:
    found = inspect_data(f"sklearn:{name}")
    assert found.question is None
    assert found.task == ("regression" if name == "diabetes" else "classification")
    assert found.modality == ("images" if name == "digits" else "table")
