"""What must hold for every split of every table."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trainwright.graph.errors import DataError
from trainwright.graph.state import Dataset
from trainwright.tools.datasets import inspect_data, load_data, read_test_labels
from trainwright.tools.datasets.copies import plain_text
from trainwright.tools.datasets.split_parts import SplitPlan, held_out

from .tables import PARTS, classes, codes, csv, frozen, numbers, part, texts

quick = settings(max_examples=25, deadline=None)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Tables with uneven classes, copies of rows, copies with another label, and gaps in the target."""
    rows = draw(st.integers(40, 160))
    labels = draw(st.integers(2, 5))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    table = pd.DataFrame(generator.normal(size=(rows, 2)).round(5), columns=["f0", "f1"])
    table["word"] = generator.choice(["red", "green", "blue"], rows)
    weights = generator.dirichlet(np.ones(labels) * draw(st.sampled_from([0.5, 5.0])))
    table["label"] = generator.choice([f"class {i}" for i in range(labels)], rows, p=weights)
    copied = generator.integers(0, rows, draw(st.integers(0, 20)))
    table = pd.concat([table, table.iloc[copied]], ignore_index=True)
    changed = generator.integers(0, len(table), draw(st.integers(0, 3)))
    table.loc[changed, "label"] = "class 0"
    table.loc[generator.integers(0, len(table), draw(st.integers(0, 4))), "label"] = None
    return table.sample(frac=1, random_state=0).reset_index(drop=True)


def usable(table: pd.DataFrame) -> bool:
    counts = table["label"].value_counts()
    return len(counts) > 1 and counts.iloc[1] >= 6


@quick
@given(table=tables(), seed=st.integers(0, 2**31 - 1))
def test_invariants_of_every_frozen_split(table: pd.DataFrame, seed: int) -> None:
    assume(usable(table))
    with tempfile.TemporaryDirectory() as name:
        spec = csv(Path(name), table)
        before = {p: frame.copy() for p, frame in load_data(spec).parts.items()}
        run = Path(name) / "run"
        dataset = frozen(spec, run, seed=seed)
        parts = {p: part(run, p) for p in PARTS}
        labels = read_test_labels(run)
        again = frozen(spec, Path(name) / "again", seed=seed)
        for p, frame in load_data(spec).parts.items():
            pd.testing.assert_frame_equal(frame, before[p])
    assert again.model_copy(update={"findings": []}) == dataset.model_copy(update={"findings": []})
    ids = [set(parts[p]["id"]) for p in parts]
    assert sum(map(len, ids)) == len(set().union(*ids))
    keys = [set(map(tuple, parts[p][["f0", "f1", "word"]].to_numpy().tolist())) for p in parts]
    assert not keys[0] & keys[2]
    assert not keys[1] & keys[2]
    assert not keys[0] & keys[1]
    assert set(labels) == ids[2]
    assert set(labels.values()) <= set(parts["train"]["label"])
    _nothing_is_lost(table, dataset, sum(map(len, ids)))


def _nothing_is_lost(table: pd.DataFrame, dataset: Dataset, kept: int) -> None:
    """Every row is in a part, has no target, or was counted among the removed ones."""
    removed = {
        note.code: note.rows
        for note in dataset.findings
        if note.code in ("copies_removed", "validation_copies_removed")
    }
    assert kept + sum(removed.values()) == dataset.rows
    assert dataset.rows == int(table["label"].notna().sum())
    assert dataset.split.removed_from_training == removed.get("copies_removed", 0)


@quick
@given(counts=st.lists(st.integers(3, 60), min_size=2, max_size=6), seed=st.integers(0, 2**31 - 1))
def test_every_class_has_the_same_share_of_the_held_out_rows(counts: list[int], seed: int) -> None:
    labels = pd.Series(np.repeat([f"c{i}" for i in range(len(counts))], counts), dtype="str")
    rows = np.random.default_rng(seed).permutation(len(labels))
    mask = held_out(rows, 0.2, SplitPlan("stratified"), labels, pd.DataFrame(), np.random.default_rng(seed))
    held = labels.iloc[rows[mask]].value_counts()
    for i, count in enumerate(counts):
        assert 1 <= held[f"c{i}"] <= count - 2
        assert abs(held[f"c{i}"] - 0.2 * count) <= 1
    assert abs(mask.sum() - 0.2 * len(labels)) <= len(counts)


@quick
@given(sizes=st.lists(st.integers(1, 30), min_size=5, max_size=40), seed=st.integers(0, 2**31 - 1))
def test_groups_are_never_torn_apart(sizes: list[int], seed: int) -> None:
    frame = pd.DataFrame({"who": np.repeat(np.arange(len(sizes)), sizes)})
    labels = pd.Series(np.arange(len(frame)) % 2).map({0: "a", 1: "b"}).astype("str")
    rows = np.arange(len(frame))
    mask = held_out(rows, 0.2, SplitPlan("group", "who"), labels, frame, np.random.default_rng(seed))
    assert not set(frame["who"][mask]) & set(frame["who"][~mask])
    assert 0 < mask.sum() < len(frame)
    assert mask.mean() <= 0.2 + max(sizes) / len(frame)


@quick
@given(days=st.lists(st.integers(0, 50), min_size=20, max_size=200))
def test_the_latest_rows_are_held_out_and_a_moment_is_never_torn_apart(days: list[int]) -> None:
    assume(len(set(days)) > 1)
    frame = pd.DataFrame({"day": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D")})
    labels = pd.Series(np.arange(len(days), dtype=float))
    generator = np.random.default_rng(0)
    mask = held_out(np.arange(len(days)), 0.2, SplitPlan("time", "day"), labels, frame, generator)
    assert frame["day"][mask].min() > frame["day"][~mask].max()


def test_copies_are_kept_together_where_removing_them_would_cost_much(tmp_path: Path) -> None:
    table = pd.concat([classes(120)] * 4, ignore_index=True)
    dataset = frozen(csv(tmp_path, table), tmp_path / "run")
    assert "copies_kept_together" in codes(dataset)
    assert dataset.split.removed_from_training == 0
    assert dataset.split.train + dataset.split.validation + dataset.split.test == 480


def test_training_keeps_a_class_whose_rows_are_copies_of_validation_rows(tmp_path: Path) -> None:
    train, validation = classes(100, seed=1), classes(40, seed=2)
    train.loc[0, "label"] = validation.loc[0, "label"] = "rare"
    train.loc[0, ["f0", "f1", "f2"]] = validation.loc[0, ["f0", "f1", "f2"]]
    for name, table in (("train", train), ("validation", validation), ("test", classes(50, seed=3))):
        csv(tmp_path, table, f"{name}.csv")
    dataset = frozen(str(tmp_path), tmp_path / "run")
    labels = part(tmp_path / "run", "train")["label"].to_list()
    assert labels.count("rare") == 1
    assert (dataset.split.train, dataset.split.validation, dataset.split.removed_from_training) == (100, 39, 0)


def test_a_small_grid_keeps_its_equal_rows(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    grid = pd.DataFrame(draw.integers(0, 2, (300, 4)), columns=list("abcd")).assign(label=["x", "y"] * 150)
    dataset = frozen(csv(tmp_path, grid), tmp_path / "run")
    assert "equal_rows_kept" in codes(dataset)
    assert dataset.split.train + dataset.split.validation + dataset.split.test == 300


def test_texts_that_are_nearly_the_same_do_not_stand_in_two_parts(tmp_path: Path) -> None:
    sentences = texts(300)
    sentences[:30] = [text.upper() + "!" for text in sentences[30:60]]
    table = pd.DataFrame({"text": sentences, "label": ["a", "b", "c"] * 100})
    dataset = frozen(csv(tmp_path, table), tmp_path / "run")
    read = [part(tmp_path / "run", name)["text"] for name in ("train", "test_inputs")]
    train, test = ({plain_text(text) for text in column} for column in read)
    assert not train & test
    assert dataset.split.removed_from_training > 0


def test_rare_classes_stay_in_training(tmp_path: Path) -> None:
    table = classes(90)
    table.loc[[0, 1], "label"] = "rare"
    run = tmp_path / "run"
    dataset = frozen(csv(tmp_path, table), run)
    assert "rare" in dataset.classes
    assert "rare" not in read_test_labels(run).values()
    assert part(run, "train")["label"].to_list().count("rare") == 2


def test_a_group_split_keeps_every_class_in_training(tmp_path: Path) -> None:
    table = classes(300, ("a", "b", "c")).assign(subject=[f"s{i // 12}" for i in range(300)])
    run = tmp_path / "run"
    dataset = frozen(csv(tmp_path, table), run)
    assert (dataset.split.kind, dataset.split.column) == ("group", "subject")
    parts = [part(run, name) for name in PARTS]
    groups = [set(frame["subject"]) for frame in parts]
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]
    assert set(parts[0]["label"]) == {"a", "b", "c"}


def test_a_time_split_trains_on_the_past(tmp_path: Path) -> None:
    table = numbers(300).assign(
        date=pd.date_range("2020-01-01", periods=300).astype(str), sales=np.random.default_rng(0).normal(size=300)
    )
    run = tmp_path / "run"
    frozen(csv(tmp_path, table), run)
    dates = [part(run, name)["date"] for name in PARTS]
    assert dates[0].max() < dates[1].min()
    assert dates[1].max() < dates[2].min()


def test_classes_that_follow_each_other_in_time_are_stratified(tmp_path: Path) -> None:
    table = numbers(300).assign(
        date=pd.date_range("2020-01-01", periods=300).astype(str), label=["a"] * 200 + ["b"] * 100
    )
    assert inspect_data(csv(tmp_path, table)).split.kind == "stratified"


def test_a_test_part_that_is_the_training_part_is_an_error(tmp_path: Path) -> None:
    csv(tmp_path, classes(), "train.csv")
    csv(tmp_path, classes().sample(frac=1, random_state=0), "test.csv")
    with pytest.raises(DataError, match="copy of another one"):
        frozen(str(tmp_path), tmp_path / "run")
    assert not (tmp_path / "run").exists()
