"""Real data sets with known targets, tasks and parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.tools.datasets import inspect_data, read_test_labels, verify_frozen

from .tables import codes, frozen

pytestmark = pytest.mark.cases

KNOWN = {
    "adult-census": ("c14", "classification", "table", {"train": 32_561, "test": 16_281}, 2),
    "banking77": ("category", "classification", "text", {"train": 10_003, "test": 3_080}, 77),
    "letter-gcforest": ("letter", "classification", "table", {"train": 16_000, "test": 4_000}, 26),
    "kim-cnn-sentences/trec": ("label", "classification", "text", {"train": 5_452, "test": 500}, 6),
    "kim-cnn-sentences/sst1": (
        "label",
        "classification",
        "text",
        {"train": 8_544, "validation": 1_101, "test": 2_210},
        5,
    ),
    "kim-cnn-sentences/mr_all.csv": ("label", "classification", "text", {"all": 10_662}, 2),
    "tweeteval-emotion": ("label", "classification", "text", {"train": 3_257, "validation": 374, "test": 1_421}, 4),
    "tsc-examples/GunPoint.npz": ("y", "classification", "table", {"train": 50, "test": 150}, 2),
    "uci-regression/concrete.npz": ("y", "regression", "table", {"train": 927, "test": 103}, 0),
}


@pytest.mark.parametrize("name", KNOWN)
def test_target_task_and_parts(cases: Path, tmp_path: Path, name: str) -> None:
    target, task, modality, rows, count = KNOWN[name]
    spec = str(cases / name)
    found = inspect_data(spec)
    assert (found.question, found.refusal) == (None, "")
    assert (found.target, found.task, found.modality, found.rows) == (target, task, modality, rows)
    assert len(found.classes) == count
    dataset = frozen(spec, tmp_path / "run")
    verify_frozen(tmp_path / "run", dataset)
    assert dataset.split.kind == ("official" if "test" in rows else "stratified")
    assert len(read_test_labels(tmp_path / "run")) == rows.get("test", dataset.split.test)


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("fsdd-spoken-digits", "audio"),
        ("fsdd-spoken-digits/index.csv", "audio"),
        ("gcn-planetoid/cora.npz", "graph"),
        ("gcn-planetoid/citeseer.npz", "graph"),
        ("tinyshakespeare-nanogpt/input.txt", "language_model"),
        ("stsb-minilm", "text_pairs"),
    ],
)
def test_what_no_recipe_serves_is_refused(cases: Path, name: str, modality: str) -> None:
    found = inspect_data(str(cases / name))
    assert found.modality == modality
    assert len(found.refusal) > 80


def test_copies_in_real_texts(cases: Path, tmp_path: Path) -> None:
    dataset = frozen(str(cases / "banking77"), tmp_path / "banking")
    rows = {note.code: note.rows for note in dataset.findings}
    assert (rows["duplicate_rows"], rows["duplicates_across_parts"]) == (4, 6)
    assert dataset.split.removed_from_training >= 6
    mpqa = frozen(str(cases / "kim-cnn-sentences" / "mpqa_all.csv"), tmp_path / "mpqa")
    assert "copies_kept_together" in codes(mpqa)


def test_the_traps_of_the_census_files(cases: Path) -> None:
    found = inspect_data(str(cases / "adult-census"))
    assert list(found.classes) == ["<=50K", ">50K"]
    assert {"no_header", "missing_marks", "trailing_full_stop", "target_chosen"} <= set(codes(found))
