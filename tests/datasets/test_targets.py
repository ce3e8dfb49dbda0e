"""Which column is predicted, as what, and when a person is asked instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trainwright.graph.errors import DataError
from trainwright.tools.datasets import inspect_data

from .tables import chosen, classes, codes, csv, frozen, numbers, roles, texts

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["target", "label", "Class", "y", "outcome", "gold_label", "target_value", "Outcome"])
def test_a_name_decides(tmp_path: Path, name: str) -> None:
    table = classes().rename(columns={"label": name})[[name, "f0", "f1", "f2"]]
    found = inspect_data(csv(tmp_path, table))
    assert (found.target, found.task, found.question) == (name, "classification", None)
    assert "target_chosen" not in codes(found)


def test_a_telling_name_decides_and_says_so(tmp_path: Path) -> None:
    table = numbers().assign(price=lambda t: t.f0 * 3 + t.f1, region=["north", "south"] * 100)
    found = inspect_data(csv(tmp_path, table))
    assert (found.target, found.task) == ("price", "regression")
    assert "target_chosen" in codes(found)


def test_numbers_without_telling_names_are_a_question(tmp_path: Path) -> None:
    spec = csv(tmp_path, numbers(features=4))
    found = inspect_data(spec)
    assert found.question is not None
    assert found.question.key == "target_column"
    assert found.question.options == ["f3", "f0", "f1", "f2"]
    answered = inspect_data(spec, target_column="f2")
    assert (answered.target, answered.task, answered.question) == ("f2", "regression", None)


def test_a_category_among_features_is_not_taken_for_the_target(tmp_path: Path) -> None:
    table = numbers().assign(f9=DRAW.normal(size=200))
    table.insert(0, "region", ["north", "south"] * 100)
    question = inspect_data(csv(tmp_path, table)).question
    assert question is not None
    assert "region" in question.options


@pytest.mark.parametrize(
    ("goal", "target"),
    [
        ("predict f1 from the rest", "f1"),
        ("I want to estimate 'f2' with f0 and f1", "f2"),
        ("Use f0", ""),
        ("predict f1 and f2", ""),
    ],
)
def test_the_goal_decides_where_it_names_one_column(tmp_path: Path, goal: str, target: str) -> None:
    assert inspect_data(csv(tmp_path, numbers()), goal=goal).target == target


def test_the_goal_decides_between_candidates_and_the_paper_only_orders_the_answers(tmp_path: Path) -> None:
    table = numbers().assign(is_smoker=[0, 1] * 100, heart_disease=[0, 0, 1, 1] * 50, has_car=[1, 0] * 100)
    spec = csv(tmp_path, table)
    plain = inspect_data(spec).question
    asked = inspect_data(spec, context="Predicting heart disease with trees").question
    assert plain is not None
    assert asked is not None
    assert (plain.options[0], asked.options[0]) == ("has_car", "heart_disease")
    assert sorted(plain.options) == sorted(asked.options)
    found = inspect_data(spec, goal="trees for heart disease", context="Who is a smoker? is_smoker is to be predicted")
    assert (found.target, found.question) == ("heart_disease", None)
    assert "target_chosen" in codes(found)


def test_of_several_names_of_targets_the_paper_chooses_none(tmp_path: Path) -> None:
    spec = csv(tmp_path, numbers().assign(label_side=["l", "r"] * 100, label_kind=["a", "b", "c", "d"] * 50))
    question = inspect_data(spec, context="We predict the label side").question
    assert question is not None
    assert question.options == ["label_side", "label_kind"]
    assert inspect_data(spec, goal="the label side", context="We predict the label kind").target == "label_side"


def test_a_paper_that_speaks_against_the_likeliest_column_raises_a_question(tmp_path: Path) -> None:
    spec = csv(tmp_path, numbers().assign(region_status=["n", "s"] * 100, loan_status=["a", "a", "b", "b"] * 50))
    assert inspect_data(spec).target == "loan_status"
    assert inspect_data(spec, context="On the loan status of people").target == "loan_status"
    question = inspect_data(spec, context="On the region status of people").question
    assert question is not None
    assert question.options[0] == "region_status"


@pytest.mark.parametrize("name", ["label", "price", "c9"])
def test_a_paper_does_not_shake_a_clear_name_or_form(tmp_path: Path, name: str) -> None:
    table = numbers().rename(columns={"f0": "weight", "f1": "height"}).assign(**{name: ["a", "b"] * 100})
    found = inspect_data(csv(tmp_path, table), context="Predicting weight and height: the weight of a person")
    assert (found.target, found.question) == (name, None)


def test_several_targets_are_a_question_and_the_others_are_left_out(tmp_path: Path) -> None:
    table = numbers().assign(Y1=DRAW.normal(size=200), Y2=DRAW.normal(size=200))
    spec = csv(tmp_path, table)
    question = inspect_data(spec).question
    assert question is not None
    assert set(question.options) == {"Y1", "Y2"}
    found = inspect_data(spec, target_column="Y1")
    assert roles(found) == {"Y2": "dropped"}
    assert "other_target" in codes(found)


def test_a_coordinate_is_no_target(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": DRAW.normal(size=100), "y": DRAW.normal(size=100), "label": ["a", "b"] * 50})
    assert inspect_data(csv(tmp_path, table)).target == "label"


def test_a_column_that_is_not_there_names_the_closest(tmp_path: Path) -> None:
    spec = csv(tmp_path, classes())
    with pytest.raises(DataError, match=r"no column 'lable'.*Did you mean 'label'"):
        inspect_data(spec, target_column="lable")
    with pytest.raises(DataError, match="There are: 'f0', 'f1', 'f2', 'label'"):
        inspect_data(spec, target_column="qqqq")
    assert inspect_data(spec, target_column=" LABEL").target == "label"


@pytest.mark.parametrize(
    ("name", "values", "task"),
    [
        ("label", [0, 1] * 100, "classification"),
        ("target", [0.0, 1.0] * 100, "classification"),
        ("class", list(range(1, 41)) * 5, "classification"),
        ("digit", list(range(10)) * 20, "classification"),
        ("y", [i * 7 % 199 for i in range(200)], "regression"),
        ("target", [i / 7 for i in range(200)], "regression"),
        ("price", [i % 60 for i in range(200)], "regression"),
        ("label", [True, False] * 100, "classification"),
        ("target", [1, -1] * 100, "classification"),
    ],
)
def test_the_task_follows_from_values_and_name(tmp_path: Path, name: str, values: list[Any], task: str) -> None:
    found = inspect_data(csv(tmp_path, numbers().assign(**{name: values})), target_column=name)
    assert (found.task, found.question) == (task, None)


def test_integers_that_could_be_both_are_a_question(tmp_path: Path) -> None:
    spec = csv(tmp_path, numbers().assign(quality=DRAW.integers(3, 9, 200)))
    question = inspect_data(spec).question
    assert question is not None
    assert (question.key, question.options) == ("task", ["classification", "regression"])
    for task in ("classification", "regression"):
        found = inspect_data(spec, task=task)
        assert (found.task, found.question) == (task, None)
        assert frozen(spec, tmp_path / task, inspect={"task": task}).task == task
    assert inspect_data(spec, goal="classify the wines").task == "classification"
    assert inspect_data(spec, goal="reach a low RMSE").task == "regression"


def test_words_cannot_be_a_quantity(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds words"):
        inspect_data(csv(tmp_path, classes()), task="regression")


def test_measured_numbers_are_no_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="those are no classes"):
        inspect_data(csv(tmp_path, numbers()), target_column="f0", task="classification")


def test_an_unclear_header_is_a_question_and_the_answer_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,5,no\n" + "".join(f"{i * 0.7:.1f},{i * i % 31},{['no', 'yes'][i % 2]}\n" for i in range(1, 41)))
    question = inspect_data(str(path)).question
    assert question is not None
    assert (question.key, question.options) == ("header", ["present", "absent"])
    present, absent = (
        inspect_data(str(path), header=answer, target_column="no" if answer == "present" else "c2")
        for answer in ("present", "absent")
    )
    assert sum(present.rows.values()) == 40
    assert sum(absent.rows.values()) == 41
    assert chosen(absent).header == "absent"
    asked = {"header": "absent", "target_column": "c2"}
    assert frozen(str(path), tmp_path / "run", inspect=asked).rows == 41
    with pytest.raises(DataError, match="question is open"):
        frozen(str(path), tmp_path / "other", inspect=asked, header="")


def test_texts_with_one_other_column(tmp_path: Path) -> None:
    table = pd.DataFrame({"sentence": texts(), "group_of": ["a", "b", "c", "d"] * 50})
    found = inspect_data(csv(tmp_path, table))
    assert (found.target, found.modality, found.metric) == ("group_of", "text", "accuracy")


def test_coded_classes_before_texts_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "news.csv"
    rows = zip(texts(seed=1), texts(seed=2), strict=True)
    path.write_text("".join(f'"{1 + i % 4}","{title}","{body} {body}"\n' for i, (title, body) in enumerate(rows)))
    found = inspect_data(str(path))
    assert (found.target, found.task, found.modality) == ("c0", "classification", "text")
    assert {"no_header", "task_chosen"} <= set(codes(found))


def test_single_words_are_text_when_nothing_else_is_there(tmp_path: Path) -> None:
    names = ["".join(DRAW.choice(list("abcdefgh"), 7)) for _ in range(200)]
    found = inspect_data(csv(tmp_path, pd.DataFrame({"name": names, "gender": ["m", "f"] * 100})))
    assert (found.modality, found.columns[0].kind, found.columns[0].role) == ("text", "text", "feature")


def test_a_few_texts_in_a_wide_table_do_not_make_it_text(tmp_path: Path) -> None:
    found = inspect_data(csv(tmp_path, numbers(features=8).assign(remark=texts(), label=["a", "b"] * 100)))
    assert found.modality == "table"
    assert {c.name: c.kind for c in found.columns}["remark"] == "text"


def test_the_same_question_costs_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = csv(tmp_path, classes())
    first = inspect_data(spec)
    from trainwright.tools.datasets import examining

    monkeypatch.setattr(examining, "_examined", None)
    assert inspect_data(spec) == first
    assert inspect_data(spec, target_column="label", task="classification").classes == first.classes


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    spec = csv(tmp_path, classes(60))
    assert inspect_data(spec).rows == {"all": 60}
    csv(tmp_path, classes(80))
    assert inspect_data(spec).rows == {"all": 80}
