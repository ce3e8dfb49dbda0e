"""What a paper says that it predicts: named outright, and nothing where it names none or several."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.graph.state import PaperBrief, Request, Settings
from trainwright.nodes.plan import inspect_data
from trainwright.tools.datasets.stated_target import stated_target
from trainwright.tools.toolbox import NoArguments, Workbench


@pytest.mark.parametrize(
    ("text", "columns", "named"),
    [
        (
            "We predict whether a passenger survived from class, age and sex.",
            ["class", "age", "sex", "survived"],
            "survived",
        ),
        ("We predict whether a woman works (work: yes or no) with boosting.", ["income", "work", "wage"], "work"),
        ("We model the number of office visits (ofp) of elderly people.", ["ofp", "visits2", "hlth"], "ofp"),
        (
            "The response variable is `left_company` (1 = left). There is a plan.",
            ["class", "left_company"],
            "left_company",
        ),
        ('We estimate the rent (column "Preis (EUR)", in euros).', ["Preis (EUR)", "Flaeche"], "Preis (EUR)"),
        ("Low birth weight is predicted: low = 1 below 2500 g.", ["low", "bwt"], "low"),
        ("Target: species. Inputs are lengths.", ["species", "length"], "species"),
        ("The body mass index serves as an input. We predict diabetes.", ["bodyMass", "diabetes"], "diabetes"),
        ("We predict the outcome.", ["income", "wage"], ""),
        ("We predict income and wage.", ["income", "wage"], ""),
        ("Prices depend on size.", ["price", "size"], ""),
        ("We predict y from x.", ["x", "y"], ""),
        ("We predict the class from the age.", ["age", "class"], "class"),
        ("", ["a"], ""),
    ],
)
def test_the_stated_target(text: str, columns: list[str], named: str) -> None:
    found = stated_target(text, columns)
    assert (found.column if found else "") == named
    if found is not None:
        assert found.words in " ".join(text.split())


@given(st.text(max_size=300), st.lists(st.text(max_size=8), max_size=4, unique=True))
def test_any_text_and_any_names_are_read_without_harm(text: str, columns: list[str]) -> None:
    found = stated_target(text, columns)
    assert found is None or found.column in columns


PAPER = """# Participation of married women in the labour force

## Abstract

We predict whether a woman works (work: yes or no) with a decision tree of depth 3. The accuracy is 0.80.
"""


def test_the_plan_stage_takes_the_target_that_the_paper_states(tmp_path: Path) -> None:
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    age = random.integers(20, 60, 200)
    frame = pd.DataFrame({"work": np.where(age + random.normal(0, 9, 200) > 40, "yes", "no"), "age": age})
    frame["income"] = random.normal(20_000, 5_000, 200).round()
    frame.to_csv(tmp_path / "women.csv", index=False)
    request = Request(data=str(tmp_path / "women.csv"), paper="p.md")
    bench = Workbench(run="r", stage="plan", request=request, settings=Settings())
    without = inspect_data(bench, NoArguments())
    text = bench.folder / "paper" / "paper.md"
    text.parent.mkdir(parents=True)
    text.write_text(PAPER)
    brief = PaperBrief(title="Participation", text_path="paper/paper.md")
    found = inspect_data(bench.model_copy(update={"brief": brief}), NoArguments())
    assert without.target != "work"
    assert (found.target, found.task, found.question) == ("work", "classification", None)
    assert "whether a woman works (work: yes or no)" in found.target_why
    asked = bench.model_copy(update={"brief": brief, "request": request.model_copy(update={"target_column": "income"})})
    assert inspect_data(asked, NoArguments()).target == "income", "a person's word counts"
