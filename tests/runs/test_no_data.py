"""A run without data: the built-in engineer looks on the Hub for what fits, and leaves the choice to a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.standin import StandIn
from trainwright.graph import driver
from trainwright.graph.state import Decision, Decisions, Request, Settings

from .conftest import driven

BEGINNING = "Which data? A file, a folder, sklearn:NAME, or a Hub data set owner/name."


def listed(*names: str) -> list[dict[str, Any]]:
    """Data sets as the Hub lists them."""
    return [{"_id": name, "id": name, "downloads": 5, "likes": 1, "tags": [], "private": False} for name in names]


def question(result: dict[str, Any]) -> str:
    """What the run asks."""
    assert result["status"] == "waiting"
    text: str = result["waiting"]["card"]["text"]
    return text


async def test_it_names_what_it_found_and_a_person_chooses(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, paper: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    standin.route("GET", "/api/datasets", listed("flowers/iris", "evil/../../etc", "x y", "other/iris-2"))
    first = await driven(driver.start(Request(paper=paper), Settings()))
    assert question(first.result) == (
        f"{BEGINNING} On the Hub there are flowers/iris, other/iris-2: found by name, not looked into."
    )
    (asked,) = [one for one in standin.requests if one.path == "/api/datasets"]
    assert "Iris" in asked.query["search"][0]
    assert first.state.request.data == ""
    answer = Decisions(decisions=[Decision(type="respond", message="sklearn:iris")])
    second = await driven(driver.answer(first.state.run, answer))
    assert second.state.request.data == "sklearn:iris"
    assert second.state.plan is not None
    assert second.state.plan.task == "classification"


@pytest.mark.parametrize("offline", [True, False])
async def test_it_asks_as_well_when_nobody_answers(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, paper: str, offline: bool
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    standin.fault("*", "status:503", times=None)
    run = await driven(driver.start(Request(paper=paper), Settings(offline=offline)))
    assert question(run.result) == BEGINNING
    assert bool(standin.requests) is not offline
    (told,) = [event for event in run.events if event["event"] == "tool" and not event["ok"]]
    assert ("--offline" if offline else "503") in told["summary"]


async def test_a_goal_is_searched_for_where_there_is_no_paper(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    standin.route("GET", "/api/datasets", [])
    run = await driven(driver.start(Request(goal="tell irises apart"), Settings()))
    assert question(run.result) == BEGINNING
    assert [one.query["search"] for one in standin.requests if one.path == "/api/datasets"] == [["tell irises apart"]]
