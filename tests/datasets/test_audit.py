"""What the audit finds: roles of columns, gaps, copies, leaks, imbalance; and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainwright.tools.datasets import inspect_data

from .tables import classes, codes, csv, numbers, roles, texts

DRAW = np.random.default_rng(1)


def test_plain_data_have_no_findings(tmp_path: Path) -> None:
    found = inspect_data(csv(tmp_path, classes(400)))
    assert found.findings == []
    assert (found.split.kind, found.metric, found.rows) == ("stratified", "accuracy", {"all": 400})
    assert found.classes == {"no": 200, "yes": 200}


@pytest.mark.parametrize("name", ["id", "PassengerId", "customer_id", "Unnamed: 0", "row", "uuid", "S.No."])
def test_columns_that_number_the_rows_are_no_features(tmp_path: Path, name: str) -> None:
    table = classes()
    table.insert(0, name, range(1001, 1201))
    found = inspect_data(csv(tmp_path, table))
    assert roles(found) == {name: "id"}
    assert "id_like_column" in codes(found)


def test_a_row_number_under_any_name_and_codes_that_never_repeat(tmp_path: Path) -> None:
    table = classes().assign(nr_of_thing=range(200), ticket=[f"T-{i * 37 % 9973}" for i in range(200)])
    assert roles(inspect_data(csv(tmp_path, table[["nr_of_thing", "ticket", "f0", "label"]]))) == {
        "nr_of_thing": "id",
        "ticket": "id",
    }


def test_a_time_axis_is_no_row_number(tmp_path: Path) -> None:
    table = classes().assign(time=range(200))
    assert roles(inspect_data(csv(tmp_path, table))) == {}


def test_codes_that_repeat_are_categories(tmp_path: Path) -> None:
    found = inspect_data(csv(tmp_path, classes().assign(store_id=DRAW.integers(100, 110, 200))))
    assert {c.name: c.kind for c in found.columns}["store_id"] == "category"


def test_useless_columns_are_left_out(tmp_path: Path) -> None:
    table = classes().assign(constant=5, empty="")
    found = inspect_data(csv(tmp_path, table))
    assert roles(found) == {"constant": "dropped", "empty": "dropped"}
    assert {"constant_column", "empty_column"} <= set(codes(found))


def test_missing_values_and_odd_ones(tmp_path: Path) -> None:
    table = classes(300).astype({"f0": object, "f1": object, "f2": object})
    table.loc[:199, "f0"] = ""
    table.loc[3, "f1"] = "oops"
    table.loc[4, "f2"] = "1e300"
    found = inspect_data(csv(tmp_path, table))
    by_code = {note.code: note for note in found.findings}
    assert by_code["missing_values"].columns == ["f0", "f1"]
    assert by_code["missing_values"].severity == "warning"
    assert by_code["odd_values"].columns == ["f1"]
    assert by_code["outliers"].columns == ["f2"]


def test_columns_of_numbers_and_words(tmp_path: Path) -> None:
    mixed = [f"level {i}" if i % 2 else i for i in DRAW.integers(0, 40, 200)]
    found = inspect_data(csv(tmp_path, classes().assign(mixed=mixed)))
    assert {note.code: note.columns for note in found.findings}["mixed_types"] == ["mixed"]


def test_copies_within_and_across_parts_and_contradictions(tmp_path: Path) -> None:
    train, test = classes(300, seed=1), classes(100, seed=2)
    train.iloc[10] = train.iloc[12]
    test.iloc[:7] = train.iloc[20:27]
    test.loc[0, "label"] = "yes" if test.loc[0, "label"] == "no" else "no"
    csv(tmp_path, train, "train.csv")
    csv(tmp_path, test, "test.csv")
    rows = {note.code: note.rows for note in inspect_data(str(tmp_path)).findings}
    assert rows == {"duplicate_rows": 1, "duplicates_across_parts": 7, "contradicting_duplicates": 2}


def test_texts_that_differ_in_case_or_marks_are_near_copies(tmp_path: Path) -> None:
    train, test = texts(100, seed=1), texts(60, seed=2)
    test[:3] = [train[0].upper(), train[1] + " !", train[2].replace(" ", "  , ")]
    test[3] = train[3]
    csv(tmp_path, pd.DataFrame({"text": train, "label": ["a", "b"] * 50}), "train.csv")
    csv(tmp_path, pd.DataFrame({"text": test, "label": ["a", "b"] * 30}), "test.csv")
    rows = {note.code: note.rows for note in inspect_data(str(tmp_path)).findings}
    assert (rows["duplicates_across_parts"], rows["near_duplicates_across_parts"]) == (1, 3)


def test_equal_rows_of_a_small_grid_are_said_to_be_no_copies(tmp_path: Path) -> None:
    table = pd.DataFrame(DRAW.integers(0, 2, (300, 4)), columns=list("abcd")).assign(label=["x", "y"] * 150)
    found = inspect_data(csv(tmp_path, table))
    note = next(note for note in found.findings if note.code == "duplicate_rows")
    assert (note.severity, "few different values" in note.message) == ("info", True)


def test_imbalance_changes_the_metric(tmp_path: Path) -> None:
    two = numbers(300).assign(label=["rare" if i % 20 == 0 else "usual" for i in range(300)])
    found = inspect_data(csv(tmp_path / "two", two))
    assert (found.metric, "class_imbalance" in codes(found)) == ("balanced_accuracy", True)
    many = numbers(300).assign(label=["a" if i % 10 else "bcd"[i // 10 % 3] for i in range(300)])
    assert inspect_data(csv(tmp_path / "many", many)).metric == "f1_macro"


def test_rare_classes_and_few_rows_are_said(tmp_path: Path) -> None:
    table = classes(90)
    table.loc[0, "label"] = "once"
    assert {"rare_classes", "tiny_data"} <= set(codes(inspect_data(csv(tmp_path, table))))


def test_high_cardinality_and_twin_columns(tmp_path: Path) -> None:
    table = classes(600).assign(city=[f"town {i % 150}" for i in range(600)], again=lambda t: t.f0)
    by_code = {note.code: note.columns for note in inspect_data(csv(tmp_path, table)).findings}
    assert by_code["high_cardinality"] == ["city"]
    assert by_code["duplicate_columns"] == ["again"]


@pytest.mark.parametrize("kind", ["renamed", "coded", "noisy", "finer"])
def test_columns_that_give_the_class_away_are_left_out(tmp_path: Path, kind: str) -> None:
    table = classes(300, ("a", "b", "c"))
    level = np.arange(300) % 3
    column = {
        "renamed": [f"group {v}" for v in level],
        "coded": level * 10 - 7,
        "noisy": level + DRAW.normal(size=300) * 0.01,
        "finer": [f"{v}{i % 2}" for i, v in enumerate(level)],
    }[kind]
    found = inspect_data(csv(tmp_path, table.assign(secret=column)))
    assert roles(found) == {"secret": "dropped"}
    assert "leaking_column" in codes(found)


def test_a_strong_feature_is_no_leak(tmp_path: Path) -> None:
    level = np.arange(300) % 2
    strong = level + DRAW.normal(size=300) * 0.3
    assert roles(inspect_data(csv(tmp_path / "one", classes(300).assign(strong=strong)))) == {}
    easy = classes(300).assign(**{f"e{i}": level * 5 + DRAW.normal(size=300) * 0.2 for i in range(3)})
    assert roles(inspect_data(csv(tmp_path / "easy", easy))) == {}


def test_few_rows_prove_no_leak(tmp_path: Path) -> None:
    table = classes(24).assign(b=[i % 2 for i in range(24)])
    assert roles(inspect_data(csv(tmp_path, table))) == {}


def test_a_single_feature_is_kept(tmp_path: Path) -> None:
    table = pd.DataFrame({"only": np.arange(200) % 2 * 3, "label": ["a", "b"] * 100})
    assert roles(inspect_data(csv(tmp_path, table))) == {}


def test_targets_in_another_scale_and_parts_that_add_up(tmp_path: Path) -> None:
    table = numbers(300, 4).assign(total=lambda t: t.f0 + t.f1, cents=lambda t: (t.f0 + t.f1) * 100 + 3)
    found = inspect_data(csv(tmp_path, table), target_column="total")
    assert roles(found) == {"f0": "dropped", "f1": "dropped", "cents": "dropped"}
    honest = numbers(300, 4).assign(total=lambda t: 2 * t.f0 + t.f1 + DRAW.normal(size=300) * 0.1)
    assert roles(inspect_data(csv(tmp_path / "honest", honest), target_column="total")) == {}


def test_an_official_split_column(tmp_path: Path) -> None:
    table = classes().assign(split=["test" if i % 4 == 0 else "Train" for i in range(200)])
    found = inspect_data(csv(tmp_path, table))
    assert (found.split.kind, found.split.column, found.rows) == ("official", "split", {"train": 150, "test": 50})
    assert roles(found) == {"split": "split"}
    flag = classes().assign(is_test=[int(i % 5 == 0) for i in range(200)])
    assert inspect_data(csv(tmp_path / "flag", flag)).rows == {"train": 160, "test": 40}


def test_a_column_of_folds(tmp_path: Path) -> None:
    found = inspect_data(csv(tmp_path, classes().assign(fold=[i // 3 % 5 + 1 for i in range(200)])))
    assert (found.split.kind, found.split.column, found.rows) == ("official", "fold", {"train": 161, "test": 39})
    assert "official_folds" in codes(found)


def test_words_of_a_split_column_that_mean_something_else(tmp_path: Path) -> None:
    table = classes().assign(set=[["dinner", "train"][i // 2 % 2] for i in range(200)])
    assert roles(inspect_data(csv(tmp_path, table))) == {}


def test_repeated_subjects_call_for_a_group_split(tmp_path: Path) -> None:
    table = classes(300).assign(subject=[f"s{i // 10}" for i in range(300)])
    found = inspect_data(csv(tmp_path, table))
    assert (found.split.kind, found.split.column) == ("group", "subject")
    assert roles(found) == {"subject": "group"}


def test_groups_shared_by_official_parts_are_said(tmp_path: Path) -> None:
    train = classes(200, seed=1).assign(speaker=[f"s{i % 8}" for i in range(200)])
    test = classes(40, seed=2).assign(speaker=[f"s{i % 8}" for i in range(40)])
    csv(tmp_path, train, "train.csv")
    csv(tmp_path, test, "test.csv")
    note = next(note for note in inspect_data(str(tmp_path)).findings if note.code == "groups_across_parts")
    assert note.rows == 40


def test_rows_in_the_order_of_a_date_call_for_a_time_split(tmp_path: Path) -> None:
    dates = pd.date_range("2020-01-01", periods=300).astype(str)
    table = numbers(300).assign(date=dates, sales=DRAW.normal(size=300))
    found = inspect_data(csv(tmp_path, table))
    assert (found.split.kind, found.split.column) == ("time", "date")
    mixed = table.assign(date=DRAW.permutation(dates))
    assert inspect_data(csv(tmp_path / "mixed", mixed)).split.kind == "random"


def test_rows_without_a_target_are_left_out_and_counted(tmp_path: Path) -> None:
    table = classes(300)
    table.loc[:19, "label"] = ""
    found = inspect_data(csv(tmp_path, table))
    assert found.rows == {"all": 280}
    assert {note.code: note.rows for note in found.findings} == {"rows_without_target": 20}


def test_a_column_that_a_part_lacks_is_left_out(tmp_path: Path) -> None:
    csv(tmp_path, classes(100, seed=1), "train.csv")
    csv(tmp_path, classes(50, seed=2).drop(columns="f2").assign(extra=1.5), "test.csv")
    found = inspect_data(str(tmp_path))
    assert roles(found) == {"f2": "dropped", "extra": "dropped"}
    assert "column_missing_in_part" in codes(found)


def test_validation_stands_in_for_a_test_part_without_labels(tmp_path: Path) -> None:
    csv(tmp_path, classes(100, seed=1), "train.csv")
    csv(tmp_path, classes(40, seed=2), "validation.csv")
    csv(tmp_path, classes(30, seed=3).drop(columns="label"), "test.csv")
    found = inspect_data(str(tmp_path))
    assert found.rows == {"train": 100, "test": 40}
    assert "validation_as_test" in codes(found)
