"""The operations as an engineer and a terminal have them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.standin import StandIn
from trainwright.cli.lookup import lookup_app
from trainwright.engineers.schemas import schema_of
from trainwright.graph.errors import Refusal
from trainwright.tools.lookup.operations import call, flat_arguments
from trainwright.tools.lookup.papers import AREA, arguments, records

from .services import hub_paper, scholar_paper

HUB, GRAPH = "/hub/api/papers/search", "/s2/graph/v1/paper/search"


def ask(**given: object) -> object:
    return call(AREA, flat_arguments(AREA).model_validate(given))


def test_an_engineer_asks_with_one_flat_function(services: StandIn) -> None:
    services.route("GET", HUB, [hub_paper("2403.00001", "A")] * 3)
    found = ask(operation="search", query="forests", limit=1)
    assert isinstance(found, records.PapersFound)
    assert json.loads(found.model_dump_json(exclude_defaults=True))["papers"][0]["id"] == "2403.00001"


def test_the_function_is_small() -> None:
    """About 3.4 characters make a token of such a schema: 220 tokens for it, 90 for what it says of itself."""
    assert len(json.dumps(schema_of(flat_arguments(AREA)), separators=(",", ":"))) < 950
    assert len(AREA.for_engineers()) < 360


def test_loading_the_area_loads_no_client() -> None:
    heavy = ("httpx", "requests", "huggingface_hub", "arxiv", "lxml", "pymupdf", "langgraph")
    program = f"import sys; import trainwright.tools.lookup.papers; print([m for m in {heavy!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "given",
    [
        {"operation": "read_file", "path": "/etc/passwd"},
        {"operation": "read", "id": "2403.00001", "path": "/etc/passwd"},
    ],
)
def test_an_engineer_has_no_way_to_a_file(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="path"):
        flat_arguments(AREA).model_validate(given)


@pytest.mark.parametrize(
    "given",
    [
        {"query": "x"}, {"query": "forests", "date_from": "last year"}, {"query": "forests", "date_from": "2024-13"},
        {"query": "forests", "limit": 0}, {"query": "forests", "min_citations": -1}, {},
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused_unasked(services: StandIn, given: dict[str, object]) -> None:
    with pytest.raises(Refusal, match="do not fit"):
        ask(operation="search", **given)
    assert services.requests == []


@pytest.mark.parametrize("day", ["2024", "2024-02", "2024-02-29", ""])
def test_days(day: str) -> None:
    assert arguments.Search(query="ab", date_from=day).date_from == day


def test_the_terminal_shows_a_table_or_json(services: StandIn, capfd: pytest.CaptureFixture[str]) -> None:
    services.route("GET", GRAPH, {"data": [scholar_paper("2403.00001", "Small Forests")]})
    app = lookup_app([AREA])
    asked = ["papers", "search", "forests", "--min-citations", "3"]
    app(asked, standalone_mode=False)
    assert "Small Forests" in capfd.readouterr().out
    program = (
        "import sys; from trainwright.cli.lookup import lookup_app; from trainwright.tools.lookup.papers import AREA; "
        "lookup_app([AREA])(sys.argv[1:])"
    )
    words = [sys.executable, "-c", program, *asked, "--json", "--offline"]
    said = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert said["papers"][0]["citations"] == 321
    assert said["sources"][0]["cached"] is True
