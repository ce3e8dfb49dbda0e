"""The report on local files and folders, messy ones too, and the terminal's command for it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from trainwright.graph.errors import DataError
from trainwright.tools.lookup import datasets

from .services import jsonl, parquet

ROWS = [{"text": f"row {i} of them", "label": i % 3} for i in range(60)]


def test_a_table_of_each_format_gives_the_same_report(tmp_path: Path) -> None:
    csv = "text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in ROWS)
    contents = {
        "a.csv": csv.encode(), "a.tsv": csv.replace(",", "\t").encode(), "a.csv.gz": gzip.compress(csv.encode()),
        "utf16.csv": csv.encode("utf-16"), "a.jsonl": jsonl(ROWS), "a.json": json.dumps(ROWS).encode(),
        "wrapped.json": json.dumps({"version": 1, "data": ROWS}).encode(), "a.parquet": parquet(ROWS),
        "a.jsonl.gz": gzip.compress(jsonl(ROWS)),
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        found = datasets.file(str(tmp_path / name))
        assert found.rows == 60, name
        text, label = found.columns
        assert (text.distinct, text.min, text.max, text.of) == (60, 13, 14, "characters"), name
        assert label.labels == {"0": 20, "1": 20, "2": 20}, name
        assert found.figures_of == "", name
        assert found.samples[0] == {"text": "row 0 of them", "label": 0}, name
        assert {fit.method: fit.verdict for fit in found.fitness}["classification"] == "ready", name


def test_a_big_file_is_sampled_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.tools.lookup.datasets.inspecting.LOCAL_HEAD", 50)
    monkeypatch.setattr(
        "trainwright.tools.lookup.datasets.inspecting.inspect_file.__kwdefaults__", {"split": "", "rows": 50}
    )
    for name, content, total in (("a.parquet", parquet(ROWS), 60), ("a.jsonl", jsonl(ROWS), None)):
        (tmp_path / name).write_bytes(content)
        found = datasets.file(str(tmp_path / name))
        assert (found.figures_of, found.rows) == ("the first 50 rows", total)
        assert "Figures of the first 50 rows." in found.markdown()


def test_a_folder_is_its_splits(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(jsonl(ROWS))
    (tmp_path / "test.jsonl").write_bytes(jsonl(ROWS[:7]))
    found = datasets.file(str(tmp_path))
    assert [(one.split, one.rows) for one in found.splits] == [("train", 60), ("test", 7)]
    assert (found.split, found.rows) == ("train", 67)


def test_what_datasets_saved_is_read(tmp_path: Path) -> None:
    import datasets as library

    names = library.ClassLabel(names=["x", "y", "z"])
    both = library.DatasetDict({name: library.Dataset.from_list(rows).cast_column("label", names)
                                for name, rows in (("train", ROWS), ("test", ROWS[:6]))})  # fmt: skip
    both.save_to_disk(str(tmp_path / "saved"))
    found = datasets.file(str(tmp_path / "saved"))
    assert [(one.split, one.rows) for one in found.splits] == [("train", 60), ("test", 6)]
    assert found.columns[1].type == "class(x, y, z)"
    assert found.columns[1].labels == {"x": 20, "y": 20, "z": 20}


def test_folders_of_classes_are_counted(tmp_path: Path) -> None:
    for label, count in (("cat", 3), ("dog", 2)):
        (tmp_path / label).mkdir()
        for i in range(count):
            (tmp_path / label / f"{i}.png").write_bytes(b"\x89PNG")
    found = datasets.file(str(tmp_path))
    assert [column.name for column in found.columns] == ["image", "label"]
    assert found.columns[1].labels == {"cat": 3, "dog": 2}
    assert {fit.method: fit.verdict for fit in found.fitness}["classification"] == "ready"


def test_pictures_in_a_table_are_not_read(tmp_path: Path) -> None:
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["a", "b"]}}
    rows = [{"image": {"bytes": b"\x89PNG" * 1000, "path": None}, "label": i % 2} for i in range(4)]
    (tmp_path / "a.parquet").write_bytes(parquet(rows, features))
    found = datasets.file(str(tmp_path / "a.parquet"))
    assert [(c.name, c.type) for c in found.columns] == [("image", "image"), ("label", "class(a, b)")]
    assert found.samples[0] == {"label": "a"}


def test_a_few_broken_lines_are_left_out_and_told(tmp_path: Path) -> None:
    lines = jsonl(ROWS).decode().splitlines()
    lines[4], lines[9] = '{"text": ', "[1, 2]"
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    found = datasets.file(str(tmp_path / "a.jsonl"))
    assert found.rows == 58
    assert any("2 lines" in note and "5, 10" in note for note in found.notes)


def test_values_of_several_types_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl([{"a": 1}, {"a": "x"}, {"a": [1]}, {"a": None, "b": "\ud800"}]))
    found = datasets.file(str(tmp_path / "a.jsonl"))
    assert (found.columns[0].type, found.columns[0].missing) == ("string", 1)
    assert any("'a' are of different types" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "line 3: 3 cells"),
        ("a.csv", b"PK\x03\x04xxxx", "a zip archive"),
        ("a.jsonl", b"no\nno\n", "line 1: no JSON object"),
        ("a.json", b'[{"a": 1}, {"a": ', "line 1: no valid JSON"),
        ("a.json", b'{\n "a": 1,\n "b": {"c": 2}\n}', "one object with the keys 'a', 'b'"),
        ("a.json", b"[1, 2]", "entry 1: it holds '1', no object"),
        ("a.parquet", b"PAR1 but not more", "cannot be read"),
        ("a.csv.gz", b"\x1f\x8b broken", "damaged gzip"),
        ("a.pkl", b"x", "is no table"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        datasets.file(str(tmp_path / name))


@pytest.mark.parametrize("path", ["", "nothing/here.csv", "a\0b"])
def test_what_is_not_there(path: str) -> None:
    with pytest.raises(DataError):
        datasets.file(path)


def test_a_bomb_is_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.tools.lookup.datasets.reading.LOCAL_TEXT", 2**16)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 5_000_000))
    found = datasets.file(str(tmp_path / "a.csv.gz"))
    assert found.figures_of.startswith("the first 16,")


def test_a_folder_of_sounds_is_what_its_table_says(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    for i in range(60):
        (tmp_path / "recordings" / f"{i}.wav").write_bytes(b"RIFF")
    lines = [f"recordings/{i}.wav,{'yes' if i % 2 else 'no'}" for i in range(60)]
    (tmp_path / "index.csv").write_text("\n".join(["file,word", *lines]))
    found = datasets.file(str(tmp_path))
    assert found.rows == 60
    assert {fit.method: fit.format for fit in found.fitness}["classification"] == "audio and label"
    assert any("index.csv" in note for note in found.notes)


def test_a_folder_of_data_sets_is_no_class_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "README.md").write_text("About it.")
        (tmp_path / name / "train.csv").write_text("text,label\nx,1\n")
    with pytest.raises(DataError, match="data sets of their own: 'one', 'two'"):
        datasets.file(str(tmp_path))


def test_the_target_is_named_by_a_person(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(
        jsonl([{"text": f"row {i} of them", "mood": i % 3, "size": i % 2} for i in range(60)])
    )
    found = datasets.file(str(tmp_path / "a.jsonl"), target="Mood")
    assert "'mood': 'label'" in found.fitness[-1].mapping
    with pytest.raises(DataError, match="no column 'moods'"):
        datasets.file(str(tmp_path / "a.jsonl"), target="moods")
