"""`trainwright lookup`, `cache` and `mcp` as a person types them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import BaseModel

from tests.standin import StandIn
from trainwright.cli.main import main
from trainwright.graph import research
from trainwright.graph.state import Request, Settings
from trainwright.nodes.lookups import LOOKUPS
from trainwright.nodes.research import ResearchArguments
from trainwright.nodes.surroundings import surroundings
from trainwright.tools.http import is_offline
from trainwright.tools.lookup.datasets.withheld import withheld
from trainwright.tools.lookup.found import Found
from trainwright.tools.lookup.operations import Operation
from trainwright.tools.research import Finding, Findings
from trainwright.tools.toolbox import Workbench

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hub(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A Hub that lists one data set."""
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    standin.route("GET", "/api/datasets", [{"_id": "1", "id": "flowers/iris", "downloads": 5, "likes": 1, "tags": []}])
    return standin


def test_what_was_looked_up_is_there_offline(hub: StandIn, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["lookup", "datasets", "search", "iris"]) == 0
    assert "flowers/iris" in capfd.readouterr().out
    asked = len(hub.requests)
    assert asked > 0
    assert main(["lookup", "datasets", "search", "iris", "--offline"]) == 0
    assert "flowers/iris" in capfd.readouterr().out
    assert main(["lookup", "datasets", "search", "roses", "--offline"]) == 1
    told = capfd.readouterr().err
    assert "--offline" in told
    assert "Traceback" not in told
    assert len(hub.requests) == asked


def test_what_is_kept_is_shown_and_dropped(hub: StandIn, capfd: pytest.CaptureFixture[str], own_home: Path) -> None:
    assert main(["cache", "show"]) == 0
    assert f"Folder: {own_home / 'cache' / 'http'}" in capfd.readouterr().out
    main(["lookup", "datasets", "search", "iris"])
    capfd.readouterr()
    assert main(["cache", "show"]) == 0
    assert "Kept: 0 entries" not in capfd.readouterr().out
    assert main(["cache", "prune"]) == 0
    assert "nothing to drop" in capfd.readouterr().out
    assert main(["cache", "clear"]) == 0
    assert "dropped" in capfd.readouterr().out
    assert main(["cache", "clear"]) == 0
    assert "nothing to drop" in capfd.readouterr().out


def test_nothing_is_shown_of_a_service_that_is_down_but_a_line(hub: StandIn, capfd: pytest.CaptureFixture[str]) -> None:
    hub.fault("*", "status:503", times=None)
    assert main(["lookup", "datasets", "search", "iris"]) == 1
    told = capfd.readouterr().err
    assert told.startswith("Error: ")
    assert "503" in told


def test_a_word_that_is_no_command_is_wrong_usage(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["lookup", "stars"]) == 2
    assert "stars" in capfd.readouterr().err
    assert main(["lookup", "models", "fit", "--method", "magic"]) == 2
    assert main(["lookup", "research", "x", "--research-turns", "0"]) == 2
    assert "--research-turns 0" in capfd.readouterr().err
    assert main(["mcp", "list"]) == 0
    assert "No MCP server is configured" in capfd.readouterr().out


def bench(data: str, *, offline: bool = False) -> Workbench:
    return Workbench(run="r", stage="plan", request=Request(goal="g", data=data), settings=Settings(offline=offline))


def test_the_tools_of_a_run_are_offline_where_it_is_and_keep_its_own_data_back() -> None:
    with surroundings(bench("flowers/iris:small@v1", offline=True)):
        assert is_offline()
        assert withheld.get() == {"flowers/iris"}
    assert not is_offline()
    assert withheld.get() == frozenset()


@pytest.mark.parametrize(
    ("area", "given"),
    [
        ("web", {"operation": "fetch", "url": "https://host.example/datasets/Flowers%252Firis/raw/main/test.csv"}),
        ("web", {"operation": "fetch", "url": "https://viewer.example/rows?dataset=flowers%2Firis&split=test"}),
        ("code", {"operation": "read", "repo": "hf:datasets/flowers/iris", "path": "test.csv"}),
    ],
)
def test_no_way_leads_around_to_the_rows_on_which_a_run_is_scored(
    area: str, given: dict[str, object], standin: StandIn
) -> None:
    tool = LOOKUPS[area]
    with surroundings(bench("flowers/iris")), pytest.raises(Exception, match=r"scored|own data"):
        tool.run(bench("flowers/iris"), tool.arguments.model_validate(given))
    assert standin.requests == []


def test_an_answer_of_a_lookup_is_json_of_what_is_known(hub: StandIn) -> None:
    tool = LOOKUPS["datasets"]
    with surroundings(bench("")):
        answer = tool.run(bench(""), tool.arguments.model_validate({"operation": "search", "query": "iris"}))
    assert isinstance(answer, str)
    assert json.loads(answer)["datasets"][0]["id"] == "flowers/iris"


def examples() -> list[str]:
    """The commands of lookups that README and documentation show, without what is said beside them."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    shown = [re.findall(r"(?m)^    trainwright (lookup .+)$", page.read_text(encoding="utf-8")) for page in pages]
    return [re.split(r"  +", line)[0] for lines in shown for line in lines]


@pytest.mark.parametrize("example", examples())
def test_the_examples_of_the_documentation_are_commands(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = []

    def answer(operation: Operation, arguments: BaseModel) -> Found:
        answered.append(arguments)
        return Found()

    def findings(questions: Sequence[str], settings: Settings) -> Findings:
        answered.append(ResearchArguments(questions=list(questions)))
        return Findings(findings=[Finding(question=questions[0], status="answered")])

    monkeypatch.setattr(Operation, "answer", answer)
    monkeypatch.setattr(research, "research", findings)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "no-key-of-anybody")
    assert main(shlex.split(example)) == 0
    assert len(answered) == (0 if example.endswith("--help") else 1)


def test_the_documentation_has_an_example_of_each_area_and_of_research() -> None:
    from trainwright.tools.lookup.areas import AREAS

    assert {example.split()[1] for example in examples()} == {*AREAS, "research"}
