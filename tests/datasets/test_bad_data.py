"""Broken data: a clear message each, that names the file or the column and says what can be done."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainwright.graph.errors import DataError
from trainwright.tools.datasets import inspect_data

from .tables import classes, csv, numbers

GOOD = classes(60).to_csv(index=False)
HEAD = GOOD.splitlines(keepends=True)[0]
LONG = "f0,f1,label\n" + "".join(f"{i / 7:.3f},{i % 5},{'ab'[i % 2]}\n" for i in range(60))
RECORDS = [{"f0": i / 7, "label": "ab"[i % 2]} for i in range(60)]
JSONL = "".join(json.dumps(record) + "\n" for record in RECORDS)

CONTENTS: dict[str, tuple[str, str | bytes, str]] = {
    "a short line": ("data.csv", GOOD + "1,2\n", "line 62: 2 cells, where the lines before have 4"),
    "a long line": ("data.csv", GOOD + "1,2,3,no,5\n", "line 62: 5 cells"),
    "a line in the middle": ("data.csv", GOOD.replace("\n", "\n1,2\n", 1), "line 2: 2 cells"),
    "an open quote": ("data.csv", LONG + '1,"a,b\n' + LONG[12:], "line 62"),
    "empty": ("data.csv", "", "is empty"),
    "blank lines": ("data.csv", "\n \n\n", "is empty"),
    "a header alone": ("data.csv", HEAD, "has no rows"),
    "three rows": ("data.csv", "".join(GOOD.splitlines(keepends=True)[:4]), "only 3 rows"),
    "a single column": ("data.csv", "label\n" + "a\nb\n" * 30, "single column"),
    "binary": ("data.csv", bytes(range(256)) * 20, "not a text file"),
    "a nul byte": ("data.csv", GOOD + "1,2,\0,no\n", "not a text file"),
    "an image": ("data.csv", b"\x89PNG\r\n\x1a\n" + bytes(100), "is a PNG image"),
    "a workbook as csv": ("data.csv", b"PK\x03\x04" + bytes(100), "zip archive or an Excel workbook"),
    "a workbook": ("data.xlsx", b"PK\x03\x04", "is a workbook"),
    "a pickle": ("data.pkl", b"\x80\x04", "pickle, which is not opened"),
    "an archive": ("data.zip", b"PK\x03\x04", "is an archive"),
    "an array": ("data.npy", b"\x93NUMPY", "single array"),
    "a pdf": ("data.pdf", b"%PDF-1.7", "is a PDF"),
    "cut gzip": ("data.csv.gz", gzip.compress(GOOD.encode())[:-9], "damaged gzip"),
    "broken parquet": ("data.parquet", b"PAR1" + bytes(50), "cannot be read as Parquet"),
    "csv as parquet": ("data.parquet", GOOD, "cannot be read as Parquet"),
    "broken npz": ("data.npz", b"PK\x03\x04" + bytes(50), "cannot be read as an npz archive"),
    "a broken line of jsonl": ("data.jsonl", JSONL + "{oops\n", "line 61: no JSON object"),
    "a number in jsonl": ("data.jsonl", JSONL + "42\n", "line 61: no JSON object"),
    "nested jsonl": ("data.jsonl", JSONL + '{"f0": {"x": 1}}\n', "line 61: 'f0' holds nested values"),
    "lists of words": ("data.jsonl", JSONL + '{"f0": ["x", "y"]}\n', "nested values"),
    "one object": ("data.json", json.dumps({"rows": RECORDS}, indent=1), "one JSON object over several lines"),
    "lists in json": ("data.json", json.dumps([[1, 2]] * 20), "entry 1"),
    "broken json": ("data.json", "[{]", "no valid JSON"),
    "one class": ("data.csv", LONG.replace(",b\n", ",a\n"), "holds a single class \\('a'\\)"),
    "an empty target": ("data.csv", LONG.replace(",a\n", ",\n").replace(",b\n", ",\n"), "'label', the target, is empty"),
    "a class for every row": ("data.csv", "f0,f1,label\n" + "".join(f"{i / 7:.3f},{i % 5},n{i}\n" for i in range(60)), "hardly any occurs twice"),
    "nothing but a row number": ("data.csv", "id,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(60)), "Nothing is left to predict"),
    "a constant to predict": ("data.csv", "f0,f1,price\n" + "".join(f"{i / 7:.3f},{i % 5},3.5\n" for i in range(60)), "Several could be|same number"),
}  # fmt: skip


@pytest.mark.parametrize("what", CONTENTS)
def test_a_broken_file(tmp_path: Path, what: str) -> None:
    name, content, message = CONTENTS[what]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        found = inspect_data(str(path))
    except DataError as error:
        text = str(error)
    else:
        assert found.question is not None, "neither an error nor a question"
        text = found.question.text
    assert pd.Series([text]).str.contains(message).all(), text
    assert len(text) < 700
    assert "\n" not in text


def _unlabelled(folder: Path) -> None:
    csv(folder, classes(60), "train.csv")
    csv(folder, classes(30, seed=1).drop(columns="label"), "test.csv")


def _blank_labels(folder: Path) -> None:
    csv(folder, classes(60), "train.csv")
    csv(folder, classes(30, seed=1).assign(label=""), "test.csv")


def _new_label(folder: Path) -> None:
    csv(folder, classes(60), "train.csv")
    csv(folder, classes(30, ("no", "Yes"), seed=1), "test.csv")


def _header_alone(folder: Path) -> None:
    csv(folder, classes(60), "train.csv")
    (folder / "test.csv").write_text(HEAD)


def _empty_test(folder: Path) -> None:
    csv(folder, classes(60), "train.csv")
    (folder / "test.csv").write_text("")


def _other_columns(folder: Path) -> None:
    csv(folder, classes(60), "train.csv")
    csv(folder, classes(30, seed=1).rename(columns={"f0": "g0", "f1": "g1", "f2": "g2"}), "test.csv")


def _several(folder: Path) -> None:
    csv(folder, classes(60), "one.csv")
    csv(folder, classes(60), "other.csv")


def _nothing(folder: Path) -> None:
    (folder / "README.md").write_text("# Data\n")


def _empty(folder: Path) -> None:
    assert not list(folder.iterdir())


def _one_class_of_images(folder: Path) -> None:
    from PIL import Image

    (folder / "cats").mkdir()
    for i in range(12):
        Image.new("L", (4, 4), i).save(folder / "cats" / f"{i}.png")


def _damaged_image(folder: Path) -> None:
    from PIL import Image

    for label in ("cats", "dogs"):
        (folder / label).mkdir()
        for i in range(12):
            Image.new("L", (4, 4), i).save(folder / label / f"{i}.png")
    (folder / "dogs" / "5.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))


FOLDERS: list[tuple[Callable[[Path], None], str]] = [
    (_unlabelled, "test part has no value of the target 'label'"),
    (_blank_labels, "test part has no value of the target 'label'"),
    (_new_label, r"test part has 1 class that the training part lacks \('Yes'\)"),
    (_header_alone, "test part has no rows"),
    (_empty_test, "'test.csv' is empty"),
    (_other_columns, "missing in the test part"),
    (_several, "more than one data set"),
    (_nothing, "holds no data file"),
    (_empty, "is empty"),
    (_one_class_of_images, "single class folder"),
    (_damaged_image, "5.png' cannot be decoded"),
]


@pytest.mark.parametrize(("build", "message"), FOLDERS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_folder(tmp_path: Path, build: Callable[[Path], None], message: str) -> None:
    build(tmp_path)
    with pytest.raises(DataError, match=message) as raised:
        inspect_data(str(tmp_path))
    assert raised.value.hint


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "No data were named"),
        ("a\0b", "No data were named"),
        ("sklearn:nothing", "scikit-learn has no data set 'nothing'"),
        ("sklearn:linnerud", "three target columns"),
        ("/there/is/nothing.csv", "There is no file or folder"),
        ("https://example.org/data.csv", "Download the file first"),
        ("iris", "sklearn:iris"),
    ],
)
def test_a_spec_that_stands_for_nothing(spec: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        inspect_data(spec)


def test_a_misspelt_path_names_the_closest(tmp_path: Path) -> None:
    csv(tmp_path, classes(), "wine.csv")
    with pytest.raises(DataError, match=r"Did you mean 'wine\.csv'"):
        inspect_data(str(tmp_path / "wines.csv"))


def test_pickled_arrays_are_never_loaded(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "exploded"),))

    path = tmp_path / "data.npz"
    np.savez(path, X=np.array([Bomb(), 1], dtype=object), y=np.arange(2))
    with pytest.raises(DataError, match="pickled Python objects"):
        inspect_data(str(path))
    assert not (tmp_path / "exploded").exists()


def test_control_characters_of_a_column_are_shown_and_not_sent(tmp_path: Path) -> None:
    spec = csv(tmp_path, numbers(features=2).rename(columns={"f1": "\x1b[2Jf1"}))
    question = inspect_data(spec).question
    assert question is not None
    assert "\x1b" not in question.text
    with pytest.raises(DataError) as raised:
        inspect_data(spec, target_column="zzz")
    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    table = classes(60).assign(town=["Zürich", "Genève", "Basel"] * 20)
    path = tmp_path / "data.csv"
    path.write_bytes(table.to_csv(index=False).encode(encoding))
    found = inspect_data(str(path))
    assert (found.target, found.samples[0]["town"]) == ("label", "Zürich")
