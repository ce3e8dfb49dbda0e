"""The stage that reads a paper, with the built-in engineer's rule: what it hands over passes the stage's own guard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainwright.engineers.recipes import Answers
from trainwright.engineers.rules_paper import read_paper
from trainwright.graph.errors import Refusal
from trainwright.graph.state import PaperBrief, Request, Settings
from trainwright.nodes.read_paper import STAGE, SectionName, open_paper, read_section, settle
from trainwright.tools.toolbox import NoArguments, Workbench

from .typesetter import TITLE, example_paper


def bench_for(paper: str) -> Workbench:
    """A workbench of a run with this paper."""
    return Workbench(run="reading-0000", stage="read_paper", request=Request(paper=paper), settings=Settings())


def brief_of(bench: Workbench) -> PaperBrief:
    """The brief that the rule makes, call by call, as the stage would run them."""
    good: dict[str, object] = {}
    for _ in range(5):
        call = read_paper(bench, Answers(good, {}, len(good)))
        if call.name == "finish":
            artifact = settle(bench, STAGE.finish.model_validate(dict(call.arguments)))  # type: ignore[arg-type]
            assert isinstance(artifact, PaperBrief)
            return artifact
        tool = STAGE.tool(call.name)
        assert tool is not None
        answer = tool.run(bench, tool.arguments.model_validate(dict(call.arguments)))
        good[call.name] = json.loads(
            answer.model_dump_json() if hasattr(answer, "model_dump_json") else json.dumps(answer)
        )
    raise AssertionError("the rule never finished")


def test_a_brief_with_evidence(tmp_path: Path) -> None:
    path = example_paper().save(tmp_path / "paper.pdf")
    brief = brief_of(bench_for(str(path)))
    assert brief.title == TITLE
    assert brief.pages == 2
    assert brief.method == "MF"
    assert brief.claims[0].value == 0.974
    assert {item.name for item in brief.hyperparameters} >= {"C", "gamma", "n_estimators", "n_neighbors"}
    assert all(claim.quote and claim.page for claim in brief.claims)


def test_an_abstract_on_standard_input() -> None:
    brief = brief_of(
        bench_for("We train a linear SVM with C = 0.1 and get an accuracy of 89.4% on Banking77.\nIt is fast.\n")
    )
    assert (brief.source, brief.title) == ("text", "")
    assert [(c.metric, c.value, c.dataset, c.method) for c in brief.claims] == [
        ("accuracy", 0.894, "Banking77", "linear SVM")
    ]
    assert [(h.name, h.value) for h in brief.hyperparameters] == [("C", 0.1)]


def test_the_guard_refuses_what_the_paper_does_not_say(tmp_path: Path) -> None:
    bench = bench_for(str(example_paper().save(tmp_path / "paper.pdf")))
    brief = brief_of(bench)
    invented = brief.claims[0].model_copy(update={"quote": "an accuracy of 99.9% on the Letter data set"})
    with pytest.raises(Refusal, match="does not stand in the paper"):
        settle(bench, brief.model_copy(update={"claims": [invented]}))


def test_sections_are_listed_and_read(tmp_path: Path) -> None:
    bench = bench_for(str(example_paper().save(tmp_path / "paper.pdf")))
    assert "3.1 Setup (page 1)" in open_paper(bench, NoArguments())["sections"]
    assert "We set C = 10" in read_section(bench, SectionName(name="setup"))["text"]
    missing = read_section(bench, SectionName(name="9"))
    assert missing["found"] is None
    assert "3.1 Setup" in missing["sections"]


@pytest.mark.cases
def test_real_papers_pass_the_guard(cases: Path) -> None:
    for name in ("kim_1408.5882.pdf", "gcn_1609.02907.pdf"):
        brief = brief_of(bench_for(str(cases / "papers" / name)))
        assert len(brief.claims) > 40


def test_a_brief_of_a_paper_that_nobody_opened_is_refused(tmp_path: Path) -> None:
    bench = bench_for(str(example_paper().save(tmp_path / "paper.pdf")))
    with pytest.raises(Refusal, match="never opened"):
        settle(bench, PaperBrief(title=TITLE, summary="made up"))


def test_an_empty_brief_of_a_paper_is_refused(tmp_path: Path) -> None:
    bench = bench_for(str(example_paper().save(tmp_path / "paper.pdf")))
    open_paper(bench, NoArguments())
    with pytest.raises(Refusal, match="neither a title nor a summary"):
        settle(bench, PaperBrief(title=" "))
    assert settle(bench, PaperBrief(title=TITLE)).text_path == "paper/paper.md"
