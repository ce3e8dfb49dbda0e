"""Of the data that a run is scored on, an engineer sees no row, label or figure but those of the training split."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.errors import Refusal
from trainwright.tools.lookup import datasets
from trainwright.tools.lookup.datasets.withheld import names_of, withheld

from .services import TEXT, Repository, Services, Viewer, jsonl, parquet

LONG = "a rather long text, so that it counts as one and is compared with others, number"
TRAIN = [{"text": f"{LONG} {i}", "answer": f"OPEN{i}"} for i in range(40)]
TEST = [{"text": f"{LONG} {i + 20}", "answer": f"HIDDEN{i}"} for i in range(40)]
FEATURES = {"text": TEXT, "answer": TEXT}


def statistics(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counts = {row["answer"]: 1 for row in rows}
    return [
        {
            "column_name": "answer",
            "column_type": "string_label",
            "column_statistics": {"nan_count": 0, "frequencies": counts},
        }
    ]


def viewer(**splits: list[dict[str, Any]]) -> Viewer:
    return Viewer({"d": splits}, FEATURES, {f"d/{name}": statistics(rows) for name, rows in splits.items()})


@contextmanager
def scored_on(*names: str) -> Iterator[None]:
    token = withheld.set(frozenset(names))
    try:
        yield
    finally:
        withheld.reset(token)


def said(found: Any) -> str:
    return str(found.model_dump_json()) + str(found.markdown())


@pytest.mark.parametrize("served", [True, False])
def test_only_the_training_split_is_shown(services: Services, served: bool) -> None:
    files = {"README.md": b"For example HIDDEN3.", "train.parquet": parquet(TRAIN), "test.parquet": parquet(TEST)}
    services.add(Repository("a/own", files, viewer=viewer(train=TRAIN, test=TEST) if served else None))
    assert "HIDDEN1" in said(datasets.inspect("a/own::test"))
    with scored_on(*names_of("A/own:d@main")):
        train, test = datasets.inspect("a/own::train"), datasets.inspect("a/own::test")
        both = datasets.compare("a/own::train", "a/own::test")
    assert "OPEN1" in said(train)
    for found in (train, test, both):
        assert "HIDDEN" not in said(found)
    assert [column.type for column in test.columns] == ["string", "string"]
    assert not test.samples
    assert any("scored on these data" in note for note in test.notes)
    asked = [one for one in services.standin.requests if one.path.endswith(("first-rows", "statistics"))]
    assert not [one for one in asked[2:] if one.query["split"] == ["test"]], (
        "after the first look nothing of it is asked for"
    )


@pytest.mark.parametrize(
    "splits",
    [
        {"d": {"train": TEST}},
        {"d": {"train": TEST, "validation": TEST}},
        {"d": {"train": TRAIN, "test": TRAIN}, "all": {"train": TEST}},
        {"d": {"train_sft": TEST, "test_sft": TEST}},
    ],
)
def test_what_the_run_divides_itself_is_not_shown_at_all(
    services: Services, splits: dict[str, dict[str, list[dict[str, Any]]]]
) -> None:
    shown = {f"{c}/{s}": statistics(rows) for c, own in splits.items() for s, rows in own.items()}
    services.add(Repository("a/own", viewer=Viewer(splits, FEATURES, shown)))
    with scored_on("a/own"):
        for config, own in splits.items():
            for split in own:
                text = said(datasets.inspect(f"a/own:{config}:{split}"))
                assert "HIDDEN" not in text
                assert "OPEN" not in text


def test_splits_that_the_viewer_has_not_finished_could_be_of_any_kind(services: Services) -> None:
    own = viewer(train=TEST, test=TEST)
    own.pending = [{"dataset": "a/own", "config": "more"}]
    services.add(Repository("a/own", viewer=own))
    with scored_on("a/own"):
        assert "HIDDEN" not in said(datasets.inspect("a/own::train"))


def test_another_name_of_the_same_data_set_opens_nothing(services: Services) -> None:
    services.add(Repository("new/own", viewer=viewer(train=TRAIN, test=TEST), moved_from="old/own"))
    for held, asked in (("new/own", "old/own"), ("old/own", "new/own"), ("new/own", "New/own")):
        if asked == "New/own":
            services.repositories["New/own"] = services.repositories["new/own"]
        with scored_on(held):
            assert "HIDDEN" not in said(datasets.inspect(f"{asked}::test")), (held, asked)


def test_an_old_name_opens_nothing_while_the_hub_is_down(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    services.add(Repository("new/own", viewer=viewer(train=TRAIN, test=TEST), moved_from="own"))
    services.standin.fault("/api/datasets/*", "status:503", None)
    assert "HIDDEN" in said(datasets.inspect("own::test"))
    with scored_on("new/own"):
        assert "HIDDEN" not in said(datasets.inspect("own::test"))


def test_another_data_set_is_not_opened_while_nobody_knows_the_run_s_own(services: Services) -> None:
    services.add(Repository("b/other", viewer=viewer(train=TEST)))
    services.standin.fault("/api/datasets/a/own", "status:503", None)
    with scored_on("a/own"):
        assert "HIDDEN" not in said(datasets.inspect("b/other::train"))


def test_another_revision_opens_nothing(services: Services) -> None:
    revisions = {"old": {"train.jsonl": jsonl(TEST), "test.jsonl": jsonl(TEST)}}
    services.add(Repository("a/own", {"train.jsonl": jsonl(TRAIN)}, revisions=revisions))
    with scored_on("a/own"):
        found = datasets.inspect("a/own", revision="old")
    assert "HIDDEN" not in said(found)
    assert [column.name for column in found.columns] == ["text", "answer"]


def test_an_overlap_gives_counts_alone(services: Services) -> None:
    services.add(Repository("a/own", {"train.parquet": parquet(TRAIN), "test.parquet": parquet(TEST)}))
    services.add(Repository("b/other", {"train.parquet": parquet(TRAIN)}))
    assert datasets.overlap("b/other", "a/own").examples
    with scored_on("a/own"):
        found = datasets.overlap("b/other", "a/own")
        with pytest.raises(Refusal, match="cannot be chosen"):
            datasets.overlap("b/other", "a/own", columns=["text", "answer"])
    assert (found.exact, found.columns) == (20, ["text"])
    assert not found.examples
    assert "HIDDEN" not in said(found)
    assert LONG not in said(found)


def test_counts_over_short_values_would_tell_labels(services: Services) -> None:
    rows = [{"kind": "cat" if i % 2 else "dog", "size": i} for i in range(40)]
    services.add(Repository("a/own", {"train.parquet": parquet(rows), "test.parquet": parquet(rows)}))
    with scored_on("a/own"), pytest.raises(Refusal, match="no running texts"):
        datasets.overlap("a/own", "a/own")


def test_errors_name_no_value(services: Services) -> None:
    services.add(Repository("a/own", {"train.json": json.dumps(["HIDDEN1", "HIDDEN2"]).encode()}))
    assert "HIDDEN1" in said(datasets.inspect("a/own"))
    with scored_on("a/own"):
        assert "HIDDEN1" not in said(datasets.inspect("a/own"))


def test_a_withheld_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/train.jsonl").write_bytes(jsonl(TRAIN))
    Path("data/test.jsonl").write_bytes(jsonl(TEST))
    with scored_on(*names_of("data")):
        assert "OPEN1" in said(datasets.file("data"))
        for path in ("data/test.jsonl", str(tmp_path / "data" / "test.jsonl")):
            assert "HIDDEN" not in said(datasets.file(path))
    with scored_on(*names_of(str(tmp_path / "data" / "test.jsonl"))):
        assert "HIDDEN" not in said(datasets.file("data/test.jsonl"))
        assert "HIDDEN" not in said(datasets.overlap("data/train.jsonl", "data/test.jsonl"))
    with scored_on(*names_of(str(tmp_path / "data" / "own"))):
        Path("data/own_test.jsonl").write_bytes(jsonl(TEST))
        assert "HIDDEN" not in said(datasets.file("data/own_test.jsonl"))
