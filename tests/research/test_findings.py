"""What a report is held to, in which order recipes stand, and what a helper can call by construction."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from trainwright.engineers.schemas import functions_of
from trainwright.nodes.find_data import STAGE as FIND_DATA
from trainwright.nodes.plan import STAGE as PLAN
from trainwright.nodes.read_paper import STAGE as READ_PAPER
from trainwright.nodes.research import RESEARCH, helper_stage
from trainwright.nodes.write_code import STAGE as WRITE_CODE
from trainwright.tools.research import (
    Evidence,
    Finding,
    Findings,
    Read,
    Recipe,
    Report,
    Statement,
    held_to,
    ranked,
)
from trainwright.tools.research.finding import MOST

PAPERS = Read(
    {"operation": "search", "query": "forests"},
    json.dumps(
        {
            "papers": [
                {"id": "2403.01234", "title": "Forests", "abstract": "We reach an accuracy of 97.4 % on irises."},
                {"id": "2403.99999", "title": "Trees", "abstract": "It beats 2403.01234 with a learning rate of 0.1."},
            ],
            "sources": [{"name": "arXiv", "address": "https://export.example/api/query"}],
        }
    ),
)


def statement(source: str, quote: str) -> Report:
    claim = Statement(text="So it is.", evidence=[Evidence(source=source, quote=quote)])
    return Report(status="answered", summary="So it is.", claims=[claim])


@pytest.mark.parametrize(
    ("source", "quote", "stands"),
    [
        ("2403.01234", "an accuracy of 97.4 % on irises", True),
        ("arXiv:2403.01234", "An  ACCURACY of\n97.4 % on irises", True),
        ("2403.01234", "an accuracy of 98.4 % on irises", False),
        ("2403.99999", "an accuracy of 97.4 % on irises", False),  # another paper of the same answer says so
        (
            "2403.01234",
            "beats 2403.01234 with a learning rate",
            False,
        ),  # a text that speaks of a paper is not that paper
        ("2403.0123", "an accuracy of 97.4 % on irises", False),
        ("2403.01234", "97.4 %", False),  # too short to prove anything
        ("https://export.example/api/query", "an accuracy of 97.4 % on irises", True),
        ("https://evil.example", "an accuracy of 97.4 % on irises", False),
        ("", "an accuracy of 97.4 % on irises", False),
    ],
)
def test_a_claim_stands_where_its_source_says_so(source: str, quote: str, stands: bool) -> None:
    kept, notes = held_to(statement(source, quote), [PAPERS])
    assert bool(kept.claims) == stands
    assert bool(notes) != stands
    assert kept.status == ("answered" if stands else "partial")


def test_a_recipe_loses_what_nobody_read() -> None:
    quote = Evidence(source="2403.01234", quote="We reach an accuracy of 97.4 % on irises.")
    recipe = Recipe(paper="2403.01234", metric="accuracy", value=0.974, code="https://evil.example/x", sources=[quote])
    kept, _ = held_to(Report(status="answered", summary="s", recipes=[recipe]), [PAPERS])
    assert kept.recipes[0].value == 0.974
    assert kept.recipes[0].code == ""
    better = recipe.model_copy(update={"value": 0.999})
    kept, _ = held_to(Report(status="answered", summary="s", recipes=[better]), [PAPERS])
    assert kept.recipes[0].value is None


def test_the_order_of_recipes_does_not_depend_on_how_they_came() -> None:
    quote = Evidence(source="2403.01234", quote="We reach an accuracy of 97.4 % on irises.")

    def made(name: str, **more: Any) -> Recipe:
        return Recipe(paper=name, sources=[quote], **more)

    wanted = [
        made("all", value=0.9, dataset="Irises", code="c", hyperparameters={"C": 1}),
        made("no settings", value=0.9, dataset="irises", code="c"),
        made("no code", value=0.9, dataset="irises"),
        made("other data", value=0.99, dataset="wines", code="c", hyperparameters={"C": 1}),
        made("newer", year=2024),
        made("cited", year=2020, citations=9),
        made("old", year=2020),
    ]
    for order in itertools.islice(itertools.permutations(wanted), 0, 5_040, 97):
        assert [one.paper for one in ranked(order, "What works on Irises?")] == [one.paper for one in wanted]


@pytest.mark.parametrize("sign", ["a", '"', "\x01", "é"])
@pytest.mark.parametrize("questions", [1, 6])
def test_findings_are_bounded_whatever_stands_in_them(sign: str, questions: int) -> None:
    short, quote = sign * 300, [Evidence(source=sign * 300, quote=sign * 600)] * 5
    recipe = Recipe(
        paper=sign * 80, title=short, metric=short, dataset=short, data=sign * 1_500, method=sign * 1_500, code=short,
        why=sign * 1_500, sources=quote, hyperparameters={f"{sign * 300}{n}": sign * 900 for n in range(40)},
    )  # fmt: skip
    one = Finding(
        question=sign * 1_000, status="answered", why=sign * 1_000, summary=sign * 3_000, recipes=[recipe] * 10,
        claims=[Statement(text=sign * 800, evidence=quote)] * 20, read=[sign * 2_000] * 20, notes=[sign * 500] * 5,
    )  # fmt: skip
    whole = Findings(findings=[one] * questions, file="research/findings.json", notes=["First."])
    short_one = whole.bounded()
    assert len(short_one.model_dump_json(exclude_defaults=True)) <= MOST
    assert len(short_one.findings) == questions
    assert short_one.notes[0] == "First."
    assert len(short_one.notes) == 2, "one note of what was left out"
    if sign == "a":
        assert short_one.findings[0].recipes


def test_the_shortest_answer_has_whole_ids_or_none() -> None:
    quote = [Evidence(source="2403.01234", quote="q" * 600)] * 5
    code = "https://code.example/" + "c" * 70
    recipe = Recipe(paper="2403.01234", code=code, method="m" * 1_500, sources=quote)
    one = Finding(question="q" * 1_000, status="answered", summary="s" * 3_000, recipes=[recipe])
    long = one.model_copy(update={"recipes": [recipe.model_copy(update={"paper": code, "code": code[:80]})]})
    short = Findings(findings=[one, long] * 3).bounded(4_500)
    assert [[(r.paper, r.code, r.sources) for r in f.recipes] for f in short.findings] == [
        [("2403.01234", "", [])],
        [],
    ] * 3
    assert "without sources" in short.notes[0]


def test_findings_that_fit_stay_as_they_are() -> None:
    small = Findings(findings=[Finding(question="one?", status="failed", why="no")])
    assert small.bounded() is small


STAGES = (READ_PAPER, PLAN, FIND_DATA, WRITE_CODE)


def test_a_helper_can_only_read_by_construction() -> None:
    stage = helper_stage()
    assert [tool.name for tool in stage.tools if tool.acts is not None] == ["web"]
    names = {f["function"]["name"] for f in functions_of(stage)}
    assert names == {"papers", "docs", "datasets", "models", "code", "web", "finish"}
    acting = {tool.name for one in STAGES for tool in one.tools if tool.acts is not None}
    assert acting
    assert not acting & (names - {"web"})


def test_research_is_offered_where_it_helps() -> None:
    assert [stage.name for stage in STAGES if RESEARCH in stage.tools] == ["plan", "find_data", "write_code"]
    assert RESEARCH not in helper_stage().tools
