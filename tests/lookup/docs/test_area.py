"""The operations as an engineer and a terminal have them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tests.standin import StandIn
from trainwright.cli.lookup import lookup_app
from trainwright.engineers.schemas import schema_of
from trainwright.graph.errors import Refusal
from trainwright.tools.lookup.docs import AREA, records
from trainwright.tools.lookup.operations import call, flat_arguments
from trainwright.tools.sandbox import probe

from .written import serve, written


def ask(**given: object) -> object:
    return call(AREA, flat_arguments(AREA).model_validate(given))


def test_an_engineer_asks_with_one_flat_function(hub: StandIn) -> None:
    serve(hub, written("demo", 5))
    found = ask(operation="search", query="model", library="demo", limit=2)
    assert isinstance(found, records.Hits)
    assert len(json.loads(found.model_dump_json(exclude_defaults=True))["hits"]) == 2
    assert isinstance(ask(operation="read", page="demo/guides/page_00001"), records.Reading)


def test_the_function_is_small() -> None:
    """About 3.4 characters make a token of such a schema: 150 tokens for it, 65 for what it says of itself."""
    assert len(json.dumps(schema_of(flat_arguments(AREA)), separators=(",", ":"))) < 560
    assert len(AREA.for_engineers()) < 240


def test_answers_are_compact(hub: StandIn) -> None:
    serve(hub, written("demo", 60))
    assert len(ask(operation="search", query="model", library="demo").model_dump_json(exclude_defaults=True)) < 7_000  # type: ignore[attr-defined]
    assert len(ask(operation="pages", library="demo").model_dump_json(exclude_defaults=True)) < 6_000  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "given", [{"operation": "update", "library": "x"}, {"operation": "installed", "name": "json", "python": "/bin/sh"}]
)
def test_an_engineer_neither_updates_nor_chooses_an_interpreter(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"update|python"):
        flat_arguments(AREA).model_validate(given)


@pytest.mark.parametrize(
    "given", [{"operation": "search"}, {"operation": "read", "query": "x"}, {"operation": "pages"}]
)
def test_arguments_that_do_not_fit_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(Refusal):
        ask(**given)


def test_loading_the_area_loads_no_client() -> None:
    heavy = ("httpx", "requests", "huggingface_hub", "lxml", "yaml", "sqlite3", "langgraph")
    program = f"import sys; import trainwright.tools.lookup.docs; print([m for m in {heavy!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_commands_of_the_terminal(hub: StandIn) -> None:
    serve(hub, written("demo", 5))
    app, runner = lookup_app([AREA]), CliRunner()
    for line, told in (
        (["docs", "update", "demo"], "5 pages new or changed"),
        (["docs", "search", "model", "--library", "demo"], "demo/guides/page_0000"),
        (["docs", "pages", "demo"], "demo v1.2.0: 5 pages"),
        (["docs", "read", "demo/guides/page_00001", "--offline"], "Source: Hugging Face documentation"),
        (["docs", "libraries"], "| demo | v1.2.0 | 5 |"),
    ):
        result = runner.invoke(app, line)
        assert result.exit_code == 0, result.output
        assert told in result.output


@pytest.mark.skipif(not probe().available, reason=f"no sandbox here: {probe().reason}")
def test_what_is_installed_for_an_engineer_and_in_the_terminal() -> None:
    assert isinstance(ask(operation="installed", name="json.dumps", keywords=["indent"]), records.Installed)
    app, runner = lookup_app([AREA]), CliRunner()
    result = runner.invoke(app, ["docs", "installed", "json.dumps", "--keywords", "indent"])
    assert "`indent` is taken, default None" in result.output
    result = runner.invoke(app, ["docs", "installed-under", "json.dumps", sys.executable])
    assert "dumps(obj" in result.output
