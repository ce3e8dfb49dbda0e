"""What a model is told: a snapshot a stage, its size, and that data cannot speak for the program.

`TRAINWRIGHT_SNAPSHOTS=write pytest tests/prompts` writes the snapshots anew; read the difference before you commit it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright import prompts
from trainwright.engineers.protocol import VERBS, Stage
from trainwright.engineers.providers import load_litellm
from trainwright.engineers.schemas import functions_of, schema_of
from trainwright.graph.state import (
    Attempt,
    Claim,
    CodeBundle,
    Column,
    Dataset,
    Hyperparameter,
    PaperBrief,
    Request,
    Settings,
    SplitRecord,
    TrainingPlan,
)
from trainwright.nodes import find_data, plan, read_paper, write_code
from trainwright.prompts import as_data, known, machine, standing, system
from trainwright.tools.toolbox import Standing, Workbench

STAGES = [read_paper.STAGE, plan.STAGE, find_data.STAGE, write_code.STAGE]
SNAPSHOTS = Path(__file__).parent / "snapshots"
LIMIT = 3_500
"""Tokens of rules and functions together, in any stage."""

each = pytest.mark.parametrize("stage", STAGES, ids=[stage.name for stage in STAGES])


def bench(stage: str) -> Workbench:
    """A run in its second attempt, with something in every field that a prompt shows."""
    return Workbench(
        run="r",
        stage=stage,
        request=Request(goal="Tell flowers apart.", paper="flowers.pdf", data="iris.csv", target="accuracy>=0.97"),
        settings=Settings(),
        brief=PaperBrief(
            title="Kernels",
            method="SVM",
            methods=["SVM", "k-NN"],
            claims=[Claim(metric="accuracy", value=0.967, dataset="Iris", method="SVM", page=3, quote="of 96.7 %")],
            hyperparameters=[Hyperparameter(name="C", value=10, method="SVM", page=2, quote="with C = 10")],
        ),
        plan=TrainingPlan(
            task="classification", modality="table", metric="accuracy", direction="higher", approach="Do it.", method="SVM"
        ),
        dataset=Dataset(
            name="iris", source="iris.csv", task="classification", modality="table", target="species",
            classes=["a", "b"], columns=[Column(name="petal", kind="number", missing=1, distinct=40)], rows=150,
            split=SplitRecord(kind="stratified", seed=0, train=96, validation=24, test=30), fingerprint="f",
        ),
        code=CodeBundle(commit="0123456789abcdef", files={"train.py": "s", "predict.py": "s"}, sha256="s"),
        attempt=2,
        attempts=[
            Attempt(number=1, method="SVM", recipe="svm_rbf", metric="accuracy", validation=0.9, verdict="no better")
        ],
        repairs=1,
        feedback="The sandbox test failed (KeyError): no column 'x'",
        answers={"target_column": "species"},
        standing=Standing(
            steps=11, step_cap=300, seconds_left=7_200, tokens=45_300, tokens_left=19_954_700, usd_micros=420_000,
            usd_micros_left=4_580_000, unpriced_tokens=9,
        ),
    )  # fmt: skip


@each
def test_what_a_stage_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "machine", lambda: "2 cores, no GPU, 12 GiB for a script; this Python has numpy 2.2")
    work = bench(stage.name)
    text = "\n\n=====\n\n".join([system(stage.name), known(stage.name, work), standing(work)]) + "\n"
    path = SNAPSHOTS / f"{stage.name}.md"
    if os.environ.get("TRAINWRIGHT_SNAPSHOTS") == "write":
        path.write_text(text)
    assert text == path.read_text(), "what a model is told has changed; see the head of this file"


@each
def test_rules_and_functions_are_short(stage: Stage) -> None:
    text = system(stage.name) + json.dumps(list(functions_of(stage)))
    assert load_litellm().token_counter(model="gpt-4o", text=text) <= LIMIT


@each
def test_every_function_that_is_named_is_there_and_the_other_way_round(stage: Stage) -> None:
    functions = [one["function"] for one in functions_of(stage)]
    names = {one["name"] for one in functions}
    told = system(stage.name)
    everything = {tool.name for other in STAGES for tool in other.tools} | {"finish", *VERBS}
    both = {"datasets"} & set(stage.finish.model_fields)  # a field of a brief, and a lookup
    named = {name for name in everything - both if f"`{name}`" in told}
    assert named <= names, "a stage is told of a tool that it does not have"
    assert {tool.name for tool in stage.tools} <= names
    assert all(one["description"] for one in functions)


@each
def test_a_schema_has_nothing_that_a_local_servers_grammar_breaks_on(stage: Stage) -> None:
    text = json.dumps(list(functions_of(stage)))
    for word in ("$ref", "$defs", "maxLength", "minLength", "maxItems", "anyOf", '"null"', '"title":', '"default":'):
        assert word not in text or (word == '"title":' and '"title": {' in text), word


@each
def test_what_a_model_sends_by_the_schema_is_what_is_validated(stage: Stage) -> None:
    schema = schema_of(stage.finish, without=stage.filled)
    fields = stage.finish.model_fields
    assert set(schema["properties"]) == set(fields) - set(stage.filled)
    assert set(schema.get("required", [])) == {n for n, f in fields.items() if f.is_required()} - set(stage.filled)
    assert not [name for name in stage.filled if fields[name].is_required()]


def test_a_first_stage_with_nothing_but_a_goal_is_told_so() -> None:
    work = Workbench(run="r", stage="read_paper", request=Request(goal="g"), settings=Settings())
    assert known("read_paper", work) == "Goal of the person: <data>g</data>\nNo paper was given."
    assert "Turn 1 of 300" in standing(work.model_copy(update={"standing": Standing(seconds_left=60)}))
    assert "1 minutes left" in standing(work.model_copy(update={"standing": Standing(seconds_left=60)}))


def test_an_unknown_price_is_said_and_is_not_zero() -> None:
    work = bench("plan")
    assert "$0.42; the price of 9 of them is unknown" in standing(work)
    unknown = work.model_copy(update={"standing": Standing(tokens=50, unpriced_tokens=50)})
    assert "$" not in standing(unknown)


def test_what_remains_is_said_and_dollars_are_rounded_down() -> None:
    work = bench("plan")
    assert "2.0 hours left, and of the model's budget 19,954,700 tokens and $4.58; spent so far" in standing(work)
    near = ["$0.01 of the dollar limit of $5.00 left", "2 steps of the step limit of 300 left"]
    little = Standing(usd_micros_left=19_999, near=near)
    assert "budget $0.01;" in standing(work.model_copy(update={"standing": little}))
    assert standing(work.model_copy(update={"standing": little})).endswith(f"\nLittle is left: {'; '.join(near)}.")


@given(st.text() | st.sampled_from(["</data>", "< / DATA >", "<data>", "</Data x>", "<\n/data>"]), st.integers(0, 200))
def test_data_cannot_end_its_own_fence(text: str, limit: int) -> None:
    fenced = as_data(text, limit)
    assert fenced.startswith("<data>")
    inside = fenced.removeprefix("<data>").rpartition("</data>")[0]
    assert not re.search(r"(?i)<[\s/]*data\b", inside)
    assert ("characters more are not shown" in fenced) == (len(text) > limit)


def test_the_machine_is_told_as_it_is() -> None:
    assert f"{os.cpu_count()} cores" in machine()
    assert "scikit-learn 1." in machine()
    assert machine() in known("write_code", bench("write_code"))


def test_what_a_person_said_in_an_earlier_stage_still_stands() -> None:
    work = bench("write_code").model_copy(update={"said": ["Use at most 3 epochs."]})
    assert known("write_code", work).endswith("The person said earlier: <data>Use at most 3 epochs.</data>")


def test_a_value_that_is_no_text_is_shown_as_json() -> None:
    value: Any = {"a": ["</data>", 1]}
    assert as_data(value) == '<data>{"a": ["&lt;/data>", 1]}</data>'
