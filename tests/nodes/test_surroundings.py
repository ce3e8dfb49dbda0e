"""What the tools of a run stand in: offline with the run, stopped with it, and kept from the rows it is scored on."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tests.standin import StandIn, pretend_public
from trainwright.graph.errors import DataError, NotCached, RemoteUnavailable
from trainwright.graph.state import Request, Settings
from trainwright.nodes import surroundings as module
from trainwright.nodes.lookups import LOOKUPS
from trainwright.nodes.surroundings import surroundings
from trainwright.tools.datasets.hub_source import load_hub, parse_hub
from trainwright.tools.http import Service, fetch, is_offline, lookups
from trainwright.tools.lookup.datasets.withheld import withheld
from trainwright.tools.toolbox import Workbench


def bench(data: str = "", *, offline: bool = False) -> Workbench:
    return Workbench(run="r", stage="plan", request=Request(goal="g", data=data), settings=Settings(offline=offline))


CALLS = [
    ("code", {"operation": "read", "repo": "acme/trees", "path": "run.py"}),
    ("web", {"operation": "search", "query": "random forests"}),
    ("web", {"operation": "fetch", "url": "https://example.org/page"}),
    ("datasets", {"operation": "inspect", "id": "flowers/iris"}),
    ("models", {"operation": "search", "query": "bert"}),
    ("papers", {"operation": "read", "id": "1408.5882"}),
]


@pytest.fixture
def world(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Every service that the calls above would ask."""
    for name in ("GITHUB", "GITHUB_RAW", "DUCKDUCKGO", "ARXIV", "AR5IV", "S2"):
        monkeypatch.setenv(f"TRAINWRIGHT_{name}_URL", standin.url)
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    pretend_public(monkeypatch, {"example.org": standin})
    return standin


@pytest.mark.parametrize(("area", "given"), CALLS)
def test_a_run_that_is_offline_asks_nobody(area: str, given: dict[str, object], world: StandIn) -> None:
    tool, offline = LOOKUPS[area], bench(offline=True)
    with surroundings(offline), pytest.raises(NotCached, match="--offline was given"):
        tool.run(offline, tool.arguments.model_validate(given))
    assert world.requests == []


def test_nor_does_it_load_data_of_the_hub(world: StandIn, tmp_path: Path) -> None:
    spec = parse_hub("flowers/iris")
    assert spec is not None
    with surroundings(bench(offline=True)), pytest.raises(DataError, match="nothing was sent, since --offline"):
        load_hub(spec, tmp_path)
    assert world.requests == []


def test_threads_that_work_for_the_tool_stand_in_it_too() -> None:
    async def in_a_thread() -> tuple[bool, frozenset[str]]:
        return await asyncio.to_thread(lambda: (is_offline(), withheld.get()))

    with surroundings(bench("Flowers/Iris:small@v1", offline=True)):
        assert asyncio.run(in_a_thread()) == (True, {"flowers/iris"})


def test_what_is_around_it_stays_and_comes_back() -> None:
    def fails() -> None:
        with surroundings(bench("c/d")):
            assert withheld.get() == {"c/d"}
            raise ZeroDivisionError

    with lookups(offline=True), surroundings(bench("a/b")):
        assert is_offline()  # whoever is offline stays so
        with pytest.raises(ZeroDivisionError):
            fails()
        assert withheld.get() == {"a/b"}
    assert withheld.get() == frozenset()
    assert not is_offline()


def test_a_run_that_is_to_stop_waits_for_no_service(world: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    world.fault("/slow", "slow", times=None)
    asked = threading.Event()
    monkeypatch.setattr(module, "stop_requested", lambda: bool(world.requests) and (asked.set() or True))
    with surroundings(bench()), pytest.raises(RemoteUnavailable, match="stopped before it was done"):
        fetch("slow", service=Service("Slow", world.url))
    assert asked.is_set()
