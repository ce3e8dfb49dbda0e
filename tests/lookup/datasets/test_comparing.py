"""Two data sets side by side, and rows that they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.errors import DataError, RequestError
from trainwright.tools.lookup import datasets
from trainwright.tools.lookup.datasets import AREA
from trainwright.tools.lookup.datasets.nearness import NearTexts
from trainwright.tools.lookup.operations import call, flat_arguments

from .services import TEXT, Repository, Services, Viewer, jsonl, parquet

LONG = "the quick brown fox jumps over the lazy dog while seven wizards watch from a distant hill in the evening light"


def features(*labels: str) -> dict[str, Any]:
    return {"text": TEXT, "label": {"names": list(labels), "_type": "ClassLabel"}}


def counted(*labels: str) -> list[dict[str, Any]]:
    frequencies = dict.fromkeys(labels, 1)
    return [
        {
            "column_name": "label",
            "column_type": "class_label",
            "column_statistics": {"nan_count": 0, "frequencies": frequencies},
        }
    ]


def test_two_of_the_hub(services: Services) -> None:
    rows = [{"text": "a", "label": 0}]
    one = Viewer({"d": {"train": rows}}, {**features("n", "y"), "extra": TEXT}, {"d/train": counted("n", "y")})
    two = Viewer({"d": {"test": rows}}, features("y", "z"), {"d/test": counted("y", "z")})
    services.add(Repository("a/one", card={"license": "mit"}, viewer=one))
    services.add(Repository("a/two", viewer=two))
    found = datasets.compare("a/one", "a/two")
    assert [column.name for column in found.common] == ["text", "label"]
    label = found.common[1]
    assert (label.other_type, label.labels_only_here, label.labels_only_there) == ("class(y, z)", ["n"], ["z"])
    assert (found.only_first, found.only_second) == ({"extra": "string"}, {})
    assert [side.licence for side in found.sides] == ["mit", "not stated"]
    assert "| licence | mit | not stated |" in found.markdown()


def test_one_of_the_hub_and_a_file(services: Services, tmp_path: Path) -> None:
    services.add(Repository("a/one", {"train.jsonl": jsonl([{"text": "a", "n": 1}])}))
    (tmp_path / "b.jsonl").write_bytes(jsonl([{"text": "b", "n": "x"}]))
    found = datasets.compare("a/one", str(tmp_path / "b.jsonl"))
    assert [(c.name, c.type, c.other_type) for c in found.common] == [("text", "string", ""), ("n", "int64", "string")]


def test_an_engineer_cannot_name_a_path(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(jsonl([{"text": "secret"}]))
    monkeypatch.chdir(tmp_path)
    flat = flat_arguments(AREA)
    for given in (
        {"operation": "compare", "id": "a/b", "other": "a/b"},
        {"operation": "overlap", "train": "a/b", "test": "a/b"},
    ):
        with pytest.raises(Exception, match="no data set a/b"):
            call(AREA, flat.model_validate(given))
        for name in ("id", "other", "train", "test"):
            if name in given:
                with pytest.raises(Exception, match="names no data set of the Hub"):
                    call(AREA, flat.model_validate({**given, name: str(tmp_path / "a" / "b")}))
    assert [one.name for one in AREA.offered] == ["search", "inspect", "compare", "overlap"]


def shared(tmp_path: Path, train: list[dict[str, Any]], test: list[dict[str, Any]], **more: Any) -> Any:
    (tmp_path / "train.jsonl").write_bytes(jsonl(train))
    (tmp_path / "test.jsonl").write_bytes(jsonl(test))
    return datasets.overlap(str(tmp_path / "train.jsonl"), str(tmp_path / "test.jsonl"), **more)


def test_equal_and_nearly_equal_rows(tmp_path: Path) -> None:
    train = [
        {"text": f"number {i} is a text of its own, with some words: {i * 7919}", "label": "TR"} for i in range(300)
    ]
    train[7]["text"] = LONG
    train[11]["text"] = "Caf\u00e9  \ufb01ne, and SOME other words\n to make it long"
    test = [
        {"text": LONG.replace("evening", "morning"), "label": "SECRET"},
        {"text": "cafe\u0301 fine, and some other words to make it long", "label": "SECRET"},
        {"text": "nothing like it was ever said before by anybody at all", "label": "SECRET"},
        {"text": "Nothing like it was ever said before by ANYBODY at all", "label": "SECRET"},
    ]
    found = shared(tmp_path, train, test)
    assert (found.columns, found.exact, found.near, found.within_test) == (["text"], 1, 1, 1)
    assert (found.exact_share, found.near_share) == (0.25, 0.25)
    assert [(one.test_row, one.train_row, one.likeness == 1) for one in found.examples] == [
        (1, 11, True),
        (0, 7, False),
    ]
    assert found.examples[1].likeness >= 0.8
    assert "SECRET" not in found.model_dump_json()
    assert "TR" not in found.model_dump_json().replace("train", "")
    assert "- equal: 1 (25.00% of the test rows)" in found.markdown()


def test_a_label_that_was_named_counts_and_is_not_shown(tmp_path: Path) -> None:
    found = shared(
        tmp_path, [{"text": LONG, "label": "SECRET"}], [{"text": LONG, "label": "SECRET"}], columns=["text", "label"]
    )
    assert (found.exact, found.columns) == (1, ["text", "label"])
    assert "SECRET" not in found.model_dump_json()
    found = shared(tmp_path, [{"text": LONG, "label": "A"}], [{"text": LONG, "label": "B"}], columns=["text", "label"])
    assert found.exact == 0


def test_tables_without_texts_and_conversations(tmp_path: Path) -> None:
    found = shared(
        tmp_path, [{"x": 1.0, "y": 2, "label": 0}], [{"x": 1.0, "y": 2, "label": 1}, {"x": 1.5, "y": 2, "label": 1}]
    )
    assert (found.columns, found.exact) == (["x", "y"], 1)
    talk = [{"role": "user", "content": LONG}]
    found = shared(tmp_path, [{"messages": talk}], [{"messages": [{"content": LONG.upper(), "role": "user"}]}])
    assert (found.columns, found.exact) == (["messages"], 1)


def test_categories_alone_make_no_rows_of_a_table_equal(tmp_path: Path) -> None:
    """Over words and the name of the split alone all these rows would be equal."""
    train = [{"letter": "XYZ"[i % 3], "a": i, "b": i / 7, "c": i % 5, "split": "train"} for i in range(60)]
    test = [{**row, "a": row["a"] if i < 2 else row["a"] + 1000, "letter": "Z"} for i, row in enumerate(train)]
    train += [{**train[0], "split": "test"}]
    found = shared(tmp_path, train, test)
    assert (found.columns, found.exact, found.near) == (["a", "b", "c"], 2, 0)
    assert any("letter, split" in note for note in found.notes)
    assert any("no running texts" in note for note in found.notes)


def test_what_was_not_read_is_said(tmp_path: Path) -> None:
    rows = [{"text": f"{LONG} {i}"} for i in range(30)]
    found = shared(tmp_path, rows, rows, rows=10)
    assert (found.train_rows, found.test_rows) == (10, 10)
    assert sum("the first 10 rows were read" in note for note in found.notes) == 2


def test_columns_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column in common"):
        shared(tmp_path, [{"a": "x"}], [{"b": "x"}])
    with pytest.raises(DataError, match="Not in both: c"):
        shared(tmp_path, [{"a": "x"}], [{"a": "x"}], columns=["c"])


def test_two_splits_of_the_hub(services: Services) -> None:
    rows = [{"text": f"{LONG} {i}", "label": i % 2} for i in range(5)]
    files = {"train.parquet": parquet(rows, features("n", "y")), "test.parquet": parquet(rows[3:], features("n", "y"))}
    services.add(Repository("a/one", files))
    found = datasets.overlap("a/one", "a/one")
    assert (found.train, found.test, found.exact, found.exact_share) == (
        "a/one:default:train",
        "a/one:default:test",
        2,
        1.0,
    )


def test_a_time_limit_ends_the_search_for_near_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.tools.lookup.datasets.overlapping.SECONDS", -1.0)
    found = shared(tmp_path, [{"text": LONG}], [{"text": LONG + " x"}, {"text": LONG}])
    assert found.exact == 1
    assert any("it took too long" in note for note in found.notes)


def test_likeness_is_the_share_of_common_sequences() -> None:
    words = [f"word{i}" for i in range(200)]
    text = " ".join(words)
    index = NearTexts([(3, text), (4, "quite another text that has nothing to do with it")])
    assert index.near(text) == [(3, 1.0)]
    for changed, near in ((5, True), (60, False)):
        other = " ".join(["other"] * changed + words[changed:])
        one, two = ({t[i : i + 8] for i in range(len(t) - 7)} for t in (text, other))
        exact = len(one & two) / len(one | two)
        found = index.near(other)
        assert bool(found) is near
        if near:
            assert abs(found[0][1] - exact) < 0.12
    assert not index.near("short")


@pytest.mark.parametrize("spec", ["a/b/../c", "", "a b"])
def test_what_is_neither_path_nor_name(services: Services, spec: str) -> None:
    with pytest.raises((DataError, RequestError)):
        datasets.compare(spec, "a/one")
