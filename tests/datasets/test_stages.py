"""The data in the stages `plan` and `find_data`: what the built-in engineer asks, refuses and chooses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from trainwright.engineers.recipes import Answers
from trainwright.engineers.rules_data_code import find_data
from trainwright.engineers.rules_plan import plan
from trainwright.graph.errors import DataError, PlanContradicted
from trainwright.graph.state import Request, Settings, TrainingPlan
from trainwright.nodes import find_data as stage
from trainwright.nodes.plan import inspect_data
from trainwright.tools.datasets import DataChoice, verify_frozen
from trainwright.tools.toolbox import NoArguments, Workbench

from .tables import classes, csv, numbers, texts

NOTHING = NoArguments()


def bench(data: str, name: str = "plan", **changes: Any) -> Workbench:
    """A workbench; keywords that belong to the request go there."""
    request = {key: changes.pop(key) for key in ("goal", "target", "target_column") if key in changes}
    return Workbench(run="run", stage=name, request=Request(data=data, **request), settings=Settings(), **changes)


def planned(**changes: Any) -> TrainingPlan:
    """A plan for the column `label`."""
    given = {"task": "classification", "modality": "table", "metric": "accuracy", "direction": "higher", "approach": ""}
    return TrainingPlan.model_validate({**given, "target_column": "label", **changes})


def answered(work: Workbench) -> Answers:
    """The answers of a stage in which the data were audited."""
    return Answers(good={"inspect_data": json.loads(inspect_data(work, NOTHING).model_dump_json())}, bad={}, turns=1)


def test_a_question_of_the_audit_is_put_to_the_person(tmp_path: Path) -> None:
    work = bench(csv(tmp_path, numbers()))
    call = plan(work, answered(work))
    assert (call.name, call.arguments["key"], call.arguments["options"]) == ("ask", "target_column", ["f2", "f0", "f1"])
    later = bench(work.request.data, answers={"target_column": "f0"})
    assert plan(later, answered(later)).name == "find_recipes"


def test_the_wanted_score_settles_the_task(tmp_path: Path) -> None:
    spec = csv(tmp_path, numbers().assign(quality=[3 + i % 6 for i in range(200)]))
    assert plan(bench(spec), answered(bench(spec))).arguments["key"] == "task"
    for target, task in (("rmse<=0.5", "regression"), ("accuracy>=0.5", "classification")):
        assert answered(bench(spec, target=target)).good["inspect_data"]["task"] == task
    assert answered(bench(spec, answers={"task": "regression"})).good["inspect_data"]["task"] == "regression"


def test_what_is_refused_ends_the_run(tmp_path: Path) -> None:
    pairs = pd.DataFrame({"sentence1": texts(), "sentence2": texts(seed=1), "score": numbers().f0})
    work = bench(csv(tmp_path, pairs))
    call = plan(work, answered(work))
    assert (call.name, "pair of texts" in call.arguments["reason"]) == ("give_up", True)
    later = bench(work.request.data, "find_data", plan=planned(target_column="score", task="regression"))
    assert find_data(later, answered(later)).name == "give_up"


def test_the_frozen_data_follow_the_plan(tmp_path: Path, own_home: Path) -> None:
    spec = csv(tmp_path, classes().assign(row_id=range(7, 207), other=["x", "y"] * 100))
    work = bench(spec, "find_data", plan=planned(target_column="other"))
    call = find_data(work, answered(work))
    assert call.name == "finish"
    assert (call.arguments["target"], call.arguments["drop"]) == ("other", ["label", "row_id"])
    dataset = stage.settle(work, DataChoice.model_validate(call.arguments))
    assert (dataset.target, dataset.split.seed) == ("other", 0)
    verify_frozen(own_home / "runs" / "run", dataset)


def test_a_choice_that_contradicts_the_plan_goes_back(tmp_path: Path) -> None:
    work = bench(csv(tmp_path, classes()), "find_data", plan=planned())
    other = DataChoice(target="f0", task="classification", modality="table")
    with pytest.raises(PlanContradicted, match="contradict the plan"):
        stage.settle(work, other)


def test_no_data_and_broken_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No data were given"):
        inspect_data(bench(""), NOTHING)
    assert plan(bench(""), Answers(good={}, bad={}, turns=0)).arguments["key"] == "data"
    broken = Answers(
        good={}, bad={"inspect_data": {"kind": "DataError", "error": "Broken.", "hint": "Mend it."}}, turns=1
    )
    call = find_data(bench("x.csv", "find_data", plan=planned()), broken)
    assert (call.arguments["reason"], call.arguments["broken_input"]) == ("Broken. Mend it.", True)


def test_the_whole_answer_is_json(tmp_path: Path) -> None:
    found = inspect_data(bench(csv(tmp_path, classes())), NOTHING).model_dump(mode="json")
    assert json.loads(json.dumps(found)) == found
    wanted = {
        "name",
        "source",
        "revision",
        "licence",
        "task",
        "modality",
        "target",
        "metric",
        "classes",
        "rows",
        "columns",
    }
    assert wanted | {"findings", "shape", "split", "refusal", "question"} <= set(found)
