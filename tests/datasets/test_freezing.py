"""The frozen split: its files, what they must not tell, what a crash leaves, and the way back from a published record."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from trainwright.graph.errors import DataError
from trainwright.graph.state import Dataset
from trainwright.tools.datasets import (
    DataChoice,
    freeze,
    inspect_data,
    read_test_labels,
    rebuild,
    verify_frozen,
)
from trainwright.tools.datasets import frozen as files

from .tables import PARTS, chosen, classes, csv, frozen, numbers, part, roles, texts

ROOT = Path(__file__).parents[2]
DRAW = np.random.default_rng(3)


def tree(folder: Path) -> dict[str, bytes]:
    """The bytes of every file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_row_is_in_one_part_and_unchanged(tmp_path: Path) -> None:
    table = classes(300).assign(city=["a", "b", None] * 100)
    dataset = frozen(csv(tmp_path, table), tmp_path / "run")
    train, validation, test = (part(tmp_path / "run", name) for name in PARTS)
    assert (len(train), len(validation), len(test)) == (192, 48, 60)
    assert (dataset.split.train, dataset.split.validation, dataset.split.test) == (192, 48, 60)
    labels = read_test_labels(tmp_path / "run")
    assert list(test.columns) == ["id", "f0", "f1", "f2", "city"]
    assert sorted(labels) == sorted(test["id"])
    whole = pd.concat([train, validation, test.assign(label=test["id"].map(labels))])
    assert sorted(whole["id"]) == list(range(300))
    columns = list(table.columns)
    mine, theirs = (frame[columns].sort_values(["f0", "f1"]).reset_index(drop=True) for frame in (whole, table))
    pd.testing.assert_frame_equal(mine, theirs, check_dtype=False)


def test_ids_tell_neither_label_nor_order(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(scale=0.3, size=2_000)
    table = numbers(2_000).sort_values("f0").assign(label=["a"] * 1_000 + ["b"] * 1_000)
    table["f0"] += noise  # without it f0 would give the label away, and be left out
    frozen(csv(tmp_path, table), tmp_path / "run")
    train = part(tmp_path / "run", "train")
    assert train["id"].dtype == np.int64
    assert train["id"].is_monotonic_increasing
    assert abs(np.corrcoef(train["id"], train["f0"])[0, 1]) < 0.1
    assert abs(np.corrcoef(train["id"], train["label"] == "a")[0, 1]) < 0.1


def guesses(train: pd.DataFrame, test: pd.DataFrame, target: str, seed: int) -> dict[str, NDArray[Any]]:
    """Labels of the test rows, guessed from nothing but ids, the order in the file and the seed.

    Each guess sets the rows in some order and gives a test row the label of the nearest training row.
    """
    rows = max(train["id"].max(), test["id"].max()) + 1

    def undone(ids: NDArray[Any], draw: np.random.Generator) -> NDArray[Any]:
        return np.argsort(draw.permutation(rows))[ids]

    def nearest(known: NDArray[Any], asked: NDArray[Any]) -> NDArray[Any]:
        return train[target].to_numpy()[np.abs(asked[:, None] - known[None, :]).argmin(axis=1)]

    known, asked = train["id"].to_numpy(), test["id"].to_numpy()
    found = {"id": nearest(known, asked)}
    found["place in the file"] = nearest(np.linspace(0, 1, len(known)), np.linspace(0, 1, len(asked)))
    for name, start in {"seed": seed, "seed and 1": [seed, 1], "seed and 0": [seed, 0]}.items():
        found[f"permutation by {name}"] = nearest(*(undone(i, np.random.default_rng(start)) for i in (known, asked)))
    return found


@pytest.mark.parametrize("name", ["iris", "wine"])
def test_labels_of_a_sorted_source_cannot_be_had_from_ids_and_seed(tmp_path: Path, name: str) -> None:
    right: dict[str, list[bool]] = {}
    for seed in range(8):
        run = tmp_path / str(seed)
        target = frozen(f"sklearn:{name}", run, seed=seed).target
        train, test = (pd.concat([part(run, p) for p in names]) for names in (PARTS[:2], PARTS[2:]))
        train = train.reset_index(drop=True)
        withheld = np.array([read_test_labels(run)[row] for row in test["id"]])
        for way, guessed in guesses(train, test, target, seed).items():
            right.setdefault(way, []).extend(guessed == withheld)
    chance = {way: float(np.mean(hits)) for way, hits in right.items()}
    assert max(chance.values()) < 0.45, chance


def test_the_order_of_rows_follows_from_the_test_labels_too(tmp_path: Path) -> None:
    table = classes(200)
    orders = []
    for name in ("one", "two"):
        csv(tmp_path / name, table[:150], "train.csv")
        csv(tmp_path / name, table[150:], "test.csv")
        frozen(str(tmp_path / name), tmp_path / f"run-{name}")
        orders.append(part(tmp_path / f"run-{name}", "train"))
        table.loc[199, "label"] = "no"
    assert sorted(orders[0]["f0"]) == sorted(orders[1]["f0"])
    assert orders[0]["f0"].tolist() != orders[1]["f0"].tolist()


def test_training_sees_no_row_of_the_test_part(tmp_path: Path) -> None:
    frozen(csv(tmp_path, classes(200)), tmp_path / "run")
    data, withheld = tmp_path / "run" / "data", set(read_test_labels(tmp_path / "run"))
    tables = ["train.parquet", "validation.parquet", "validation_inputs.parquet"]
    assert sorted(path.name for path in data.iterdir()) == ["dataset.json", *tables]
    for name in tables:
        assert not withheld & set(pq.read_table(data / name)["id"].to_pylist())


def test_validation_inputs_are_the_validation_rows_without_their_target(tmp_path: Path) -> None:
    frozen(csv(tmp_path, classes()), tmp_path / "run")
    whole, inputs = part(tmp_path / "run", "validation"), part(tmp_path / "run", "validation_inputs")
    pd.testing.assert_frame_equal(whole.drop(columns="label"), inputs)


def test_withheld_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    frozen(csv(tmp_path, classes()), tmp_path / "run")
    withheld = tmp_path / "run" / "withheld"
    assert stat.S_IMODE(withheld.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in withheld.iterdir()} == {0o600}
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["data", "inputs", "withheld"]


def test_but_for_ids_and_order_nothing_that_is_shown_depends_on_the_test_labels(tmp_path: Path) -> None:
    train, test = classes(300, seed=1), classes(100, seed=2)
    csv(tmp_path / "one", train, "train.csv")
    csv(tmp_path / "one", test, "test.csv")
    csv(tmp_path / "two", train, "train.csv")
    csv(tmp_path / "two", test.assign(label=["no"] + ["yes"] * 99), "test.csv")
    choice = chosen(inspect_data(str(tmp_path / "one")))
    runs = []
    for name in ("one", "two"):
        run = tmp_path / f"run-{name}"
        freeze(str(tmp_path / name), choice, run, seed=0, metric="accuracy", direction="higher")
        schema = json.loads((run / "data" / "dataset.json").read_text())
        seen = {p: part(run, p).drop(columns="id").sort_values("f0").to_dict("list") for p in PARTS}
        runs.append({**seen, "dataset.json": {k: v for k, v in schema.items() if k != "name"}})
    assert runs[0] == runs[1]
    assert read_test_labels(tmp_path / "run-one") != read_test_labels(tmp_path / "run-two")


def test_the_training_scripts_read_what_was_frozen(tmp_path: Path) -> None:
    table = classes(200, ("1", "2", "3")).assign(
        flag=[True, None, False, True] * 50,
        day=pd.Series(DRAW.permutation(pd.date_range("2020-01-01", periods=200).astype(str))),
        note=texts(),
        city=["a", "b"] * 100,
    )
    frozen(csv(tmp_path, table), tmp_path / "run")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from contract import Schema, read_rows; d = Path(sys.argv[2]); s = Schema.read(d)\n"
        "r = read_rows(d / 'train.parquet', s, labelled=True); t = read_rows(d.parent / 'inputs' / 'test_inputs.parquet', s, labelled=False)\n"
        "print(s.task, s.classes, dict(s.columns), len(r), len(t), r.numbers.shape[1], sorted(set(r.target)))"
    )
    arguments = [str(ROOT / "recipes" / "classical"), str(tmp_path / "run" / "data")]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    kinds = {"f0": "number", "f1": "number", "f2": "number", "flag": "boolean", "day": "date", "note": "text"}
    expected = f"classification ('1', '2', '3') { ({**kinds, 'city': 'category'}) } 128 40 17 ['1', '2', '3']"
    assert done.stdout.strip() == expected


def test_labels_are_canonical_strings_or_floats(tmp_path: Path) -> None:
    whole = numbers(100).assign(label=[1.0, 2.0] * 50)
    dataset = frozen(csv(tmp_path / "whole", whole), tmp_path / "run")
    assert dataset.classes == ["1", "2"]
    assert set(read_test_labels(tmp_path / "run").values()) == {"1", "2"}
    counts = numbers(100).assign(price=range(100))
    frozen(csv(tmp_path / "counts", counts), tmp_path / "other", inspect={"target_column": "price"})
    assert {type(value) for value in read_test_labels(tmp_path / "other").values()} == {float}


def test_dropped_and_identifying_columns_are_in_no_file(tmp_path: Path) -> None:
    table = classes(200).assign(row_id=range(500, 700), split=["train", "train", "train", "test"] * 50)
    dataset = frozen(csv(tmp_path, table), tmp_path / "run", drop=["f2"])
    for name in PARTS:
        assert not {"row_id", "split", "f2"} & set(part(tmp_path / "run", name).columns)
    assert roles(dataset) == {"row_id": "id", "split": "split", "f2": "dropped"}


def test_a_second_call_gives_the_same_without_reading_the_source(tmp_path: Path) -> None:
    spec = csv(tmp_path, classes())
    choice = chosen(inspect_data(spec))
    first = freeze(spec, choice, tmp_path / "run", seed=0, metric="accuracy", direction="higher")
    before = tree(tmp_path / "run")
    Path(spec).unlink()
    assert freeze(spec, choice, tmp_path / "run", seed=0, metric="accuracy", direction="higher") == first
    assert tree(tmp_path / "run") == before


def test_another_seed_or_choice_divides_anew(tmp_path: Path) -> None:
    spec = csv(tmp_path, classes())
    first = frozen(spec, tmp_path / "run")
    other = frozen(spec, tmp_path / "run", seed=1)
    assert other.fingerprint != first.fingerprint
    assert frozen(spec, tmp_path / "run").fingerprint == first.fingerprint


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("survived", range(15))
def test_a_kill_at_any_step_leaves_nothing_that_cannot_be_redone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    spec = csv(tmp_path, classes())
    expected = frozen(spec, tmp_path / "whole")
    run = tmp_path / "run"
    frozen(spec, run, seed=5)
    left = [survived]

    def until_killed(real: Any) -> Any:
        def step(*args: Any, **kwargs: Any) -> Any:
            if not left[0]:
                raise Killed
            left[0] -= 1
            return real(*args, **kwargs)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", until_killed(Path.rename))
        patch.setattr(Path, "unlink", until_killed(Path.unlink))
        patch.setattr(files.shutil, "rmtree", until_killed(files.shutil.rmtree))
        patch.setattr(pq, "write_table", until_killed(pq.write_table))
        with pytest.raises(Killed):
            frozen(spec, run)
    record = files.read_record(run)
    assert record is None or record["seed"] == 5
    again = frozen(spec, run)
    assert again.fingerprint == expected.fingerprint
    verify_frozen(run, again)
    assert sorted(path.name for path in run.iterdir()) == ["data", "inputs", "withheld"]


TAMPERED = ["data/train.parquet", "data/validation.parquet", "data/validation_inputs.parquet", "inputs/test_inputs.parquet",
            "withheld/labels.parquet"]  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_a_changed_part_is_noticed(tmp_path: Path, name: str) -> None:
    spec = csv(tmp_path, classes())
    dataset = frozen(spec, tmp_path / "run")
    path = tmp_path / "run" / name
    table = pq.read_table(path).to_pandas()
    swapped = table.iloc[::-1].assign(id=table["id"].to_numpy())
    pq.write_table(files_table(swapped, path), path)
    with pytest.raises(DataError, match="were changed after they were frozen"):
        verify_frozen(tmp_path / "run", dataset)
    with pytest.raises(DataError):
        frozen(spec, tmp_path / "run")


def files_table(frame: pd.DataFrame, path: Path) -> Any:
    """The frame with the types of the file."""
    import pyarrow as pa

    return pa.Table.from_pandas(frame, schema=pq.read_schema(path), preserve_index=False)


@pytest.mark.parametrize("name", ["data/dataset.json", "withheld/dataset.json", "data/train.parquet"])
def test_a_missing_or_damaged_file_is_noticed(tmp_path: Path, name: str) -> None:
    dataset = frozen(csv(tmp_path, classes()), tmp_path / "run")
    verify_frozen(tmp_path / "run", dataset)
    (tmp_path / "run" / name).write_bytes(b"{}")
    with pytest.raises(DataError):
        verify_frozen(tmp_path / "run", dataset)
    (tmp_path / "run" / name).unlink()
    with pytest.raises(DataError):
        verify_frozen(tmp_path / "run", dataset)


def test_missing_labels_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="withheld labels"):
        read_test_labels(tmp_path)


def published(dataset: Dataset, run: Path) -> dict[str, Any]:
    """What `provenance.json` says of the split."""
    record = json.loads((run / "withheld" / "dataset.json").read_text())
    kept = {key: record[key] for key in ("choice", "metric", "direction")}
    return json.loads(json.dumps({**kept, "seed": dataset.split.seed, "fingerprint": dataset.fingerprint}))


def test_the_split_is_rebuilt_from_the_same_file_anywhere(tmp_path: Path) -> None:
    table = classes().assign(subject=[f"s{i // 10}" for i in range(200)])
    dataset = frozen(csv(tmp_path / "here", table), tmp_path / "run", seed=7)
    split = published(dataset, tmp_path / "run")
    there = csv(tmp_path / "there", table, "renamed.csv")
    again = rebuild(there, split, tmp_path / "place")
    assert again.fingerprint == dataset.fingerprint
    assert read_test_labels(tmp_path / "place") == read_test_labels(tmp_path / "run")


def test_other_data_are_not_taken_for_the_same(tmp_path: Path) -> None:
    dataset = frozen(csv(tmp_path, classes()), tmp_path / "run")
    split = published(dataset, tmp_path / "run")
    other = classes()
    other.loc[0, "f0"] += 1e-6
    with pytest.raises(DataError, match="is not the data that the model was trained on"):
        rebuild(csv(tmp_path / "other", other), split, tmp_path / "place")
    with pytest.raises(DataError, match="record of the split cannot be read"):
        rebuild(csv(tmp_path, classes()), {"seed": 0}, tmp_path / "place")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "regression"}, "holds words"),
        ({"modality": "text"}, "These data are table"),
        ({"target": "nothing"}, "no column 'nothing'"),
        ({"drop": ["f0", "f1", "f2"]}, "No feature is left"),
        ({"drop": ["f9"]}, "no column 'f9'"),
        ({"split": "official"}, "no official parts"),
        ({"split": "group"}, "needs the column"),
        ({"split": "time", "split_column": "f9"}, "no column 'f9'"),
    ],
)
def test_a_choice_that_does_not_fit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    spec = csv(tmp_path, classes())
    choice = {"target": "label", "task": "classification", "modality": "table", **changes}
    with pytest.raises(DataError, match=message):
        freeze(spec, DataChoice(**choice), tmp_path / "run", seed=0, metric="accuracy", direction="higher")
    assert not (tmp_path / "run").exists()


def test_official_parts_are_not_divided_otherwise(tmp_path: Path) -> None:
    csv(tmp_path, classes(100, seed=1), "train.csv")
    csv(tmp_path, classes(50, seed=2), "test.csv")
    dataset = frozen(str(tmp_path), tmp_path / "run")
    assert (dataset.split.kind, dataset.split.test, dataset.split.validation) == ("official", 50, 20)
    with pytest.raises(DataError, match="official parts"):
        frozen(str(tmp_path), tmp_path / "run", split="random")


def test_a_chosen_group_is_no_feature(tmp_path: Path) -> None:
    table = classes(240).assign(site=[f"s{i // 2 % 12}" for i in range(240)])
    dataset = frozen(csv(tmp_path, table), tmp_path / "run", split="group", split_column="site")
    assert roles(dataset) == {"site": "group"}
    train, test = part(tmp_path / "run", "train"), part(tmp_path / "run", "test_inputs")
    assert not set(train["site"]) & set(test["site"])


def test_images_and_vectors_keep_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "digits.npz"
    pixels = DRAW.integers(0, 256, (60, 4, 5)).astype(np.uint8)
    np.savez(path, images=pixels, labels=np.arange(60) % 3)
    dataset = frozen(str(path), tmp_path / "run")
    schema = json.loads((tmp_path / "run" / "data" / "dataset.json").read_text())
    assert (dataset.modality, schema["shape"]) == ("images", [4, 5])
    train = part(tmp_path / "run", "train")
    known = {row.astype(np.float32).tobytes() for row in pixels.reshape(60, -1)}
    assert {np.asarray(row, np.float32).tobytes() for row in train["pixels"]} <= known


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_record_is_redone(tmp_path: Path) -> None:
    spec = csv(tmp_path, classes())
    first = frozen(spec, tmp_path / "run")
    (tmp_path / "run" / "withheld" / "dataset.json").chmod(0)
    assert frozen(spec, tmp_path / "run").fingerprint == first.fingerprint


def test_a_quick_look_names_the_files_that_differ(tmp_path: Path) -> None:
    """Bytes alone are no change: another version of Parquet writes others for the same values."""
    from trainwright.tools.datasets.frozen import changed_files, check_frozen

    run = tmp_path / "run"
    dataset = frozen(csv(tmp_path, classes()), run)
    assert changed_files(run, dataset) == []
    path = run / "data" / "train.parquet"
    pq.write_table(pq.read_table(path), path, compression="gzip")
    assert changed_files(run, dataset) == ["data/train.parquet"]
    check_frozen(run, dataset)
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    with pytest.raises(DataError, match=r"data/train.parquet: .*changed after they were frozen \(the rows\)"):
        check_frozen(run, dataset)
    record = run / "withheld" / "dataset.json"
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({key: value for key, value in kept.items() if key != "files"}))
    assert len(changed_files(run, dataset)) == 6, "frozen by an earlier release: the values are looked at"
