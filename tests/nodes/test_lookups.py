"""The lookups as tools of a stage: no argument of theirs leads to a host that nobody judged, nor to the withheld rows."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from pydantic import BaseModel

from tests.standin import Canned, StandIn, pretend_public
from trainwright.graph.errors import Refusal
from trainwright.graph.state import Request, Settings
from trainwright.nodes.lookups import LOOKUPS, _tool, some_of
from trainwright.nodes.research import helper_stage
from trainwright.nodes.surroundings import surroundings
from trainwright.tools.http import seconds_left
from trainwright.tools.lookup.found import Found
from trainwright.tools.lookup.operations import Area, Operation
from trainwright.tools.toolbox import Standing, Tool, Workbench

ROWS = "https://huggingface.co/datasets/flowers/iris/resolve/main/test.txt"
QUOTED = "https://huggingface.co/datasets/flowers%252Firis/resolve/main/test.txt"


@pytest.fixture
def world(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The Hub and a host of anybody's, which both give out whatever is asked for."""
    pretend_public(monkeypatch, {"huggingface.co": standin, "collector.example": standin})
    standin.route("GET", "/*", Canned(b"setosa\n" * 2_000, media="text/plain"))
    return standin


class Wanted(BaseModel):
    """What to look for."""

    words: str


def ask(tool: Tool, standing: Standing | None = None, **given: Any) -> str:
    request = Request(goal="g", data="flowers/iris")
    bench = Workbench(run="r", stage="plan", request=request, settings=Settings(), standing=standing)
    with surroundings(bench):
        return str(tool.run(bench, tool.arguments.model_validate(given)))


@pytest.mark.parametrize("address", [ROWS, QUOTED, "https://collector.example/?secret=x", "HTTP://collector.example/a"])
@pytest.mark.parametrize(
    "tool",
    [LOOKUPS["papers"], some_of("papers", "search", "read"), helper_stage().tool("papers")],
    ids=["whole", "some", "helper"],
)
def test_an_address_is_no_id_of_a_paper(tool: Tool, address: str, world: StandIn) -> None:
    with pytest.raises(Refusal, match="is no id") as refused:
        ask(tool, operation="read", id=address)
    assert "`web`" in refused.value.hint
    assert world.requests == []


@pytest.mark.parametrize("name", ["ids", "negative_ids"])
def test_nor_is_it_one_in_a_list(name: str, world: StandIn) -> None:
    with pytest.raises(Refusal, match="is no id"):
        ask(LOOKUPS["papers"], operation="recommend", **{"ids": ["1408.5882"], name: [ROWS]})
    assert world.requests == []


def test_the_page_of_a_paper_is_an_id(world: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWRIGHT_S2_URL", world.url)
    found = {"data": [{"citingPaper": {"paperId": "1" * 40, "title": "A citing paper"}}]}
    world.route("GET", "/graph/v1/paper/ARXIV:1408.5882/citations", found)
    given = {"operation": "citations", "direction": "citations", "id": "https://arxiv.org/abs/1408.5882v2"}
    assert "A citing paper" in ask(LOOKUPS["papers"], **given)


@pytest.mark.parametrize(
    ("area", "given"),
    [
        ("code", {"operation": "read", "repo": "hf:datasets/Flowers/Iris", "path": "test.csv"}),
        ("code", {"operation": "search", "query": "repo:flowers/iris extension:csv"}),
        ("code", {"operation": "tree", "repo": "https://huggingface.co/datasets/flowers/iris"}),
        ("web", {"operation": "fetch", "url": QUOTED}),
        ("web", {"operation": "search", "query": "rows", "allowed_domains": ["huggingface.co/datasets/flowers/iris"]}),
        ("papers", {"operation": "snippets", "query": "rows", "ids": ["10.5555/flowers/iris"]}),
        ("docs", {"operation": "read", "page": "datasets/flowers/iris"}),
        ("models", {"operation": "details", "id": "flowers/iris"}),
    ],
)
def test_no_argument_leads_to_the_run_s_own_data(area: str, given: dict[str, Any], world: StandIn) -> None:
    with pytest.raises(Refusal, match="the run's own data"):
        ask(LOOKUPS[area], **given)
    assert world.requests == []


@pytest.mark.parametrize("text", ["flowers/iris-classifier", "wildflowers/iris", "my.flowers/iris", "flowers/iris_2"])
def test_a_name_that_only_holds_that_of_the_run_s_own_data_is_another(text: str, world: StandIn) -> None:
    area = Area("things", "Things.", (Operation("find", Wanted, lambda wanted: Found(), "Find things."),))
    assert ask(_tool(area), operation="find", words=text) == "{}"
    for same in ("flowers/iris", "hf:flowers/iris@main", "https://huggingface.co/datasets/flowers/iris.git"):
        with pytest.raises(Refusal, match="the run's own data"):
            ask(_tool(area), operation="find", words=f"see {same}")


def test_no_lookup_of_a_run_is_longer_than_its_time(world: StandIn) -> None:
    left: list[float] = []

    def look(_: BaseModel) -> Found:
        left.append(seconds_left())
        return Found()

    area = Area("things", "Things.", (Operation("find", Wanted, look, "Find things.", seconds=inf),))
    ask(_tool(area), operation="find", words="a")
    ask(_tool(area), Standing(seconds_left=40.0), operation="find", words="a")
    assert left[0] > 10**6
    assert 0 < left[1] <= 40


def test_however_deep_an_argument_lies(world: StandIn) -> None:
    class Deep(BaseModel):
        among: list[dict[str, list[str]]]

    area = Area("things", "Things.", (Operation("find", Deep, lambda wanted: Found(), "Find things."),))
    assert ask(_tool(area), operation="find", among=[{"a": ["flowers/roses"]}]) == "{}"
    with pytest.raises(Refusal, match="the run's own data"):
        ask(_tool(area), operation="find", among=[{"a": ["b", "hf:datasets/flowers/iris"]}])


def test_some_operations_of_the_web_are_judged_like_all_of_it() -> None:
    assert some_of("web", "fetch").acts is LOOKUPS["web"].acts
    assert some_of("papers", "search", "read").acts is None
