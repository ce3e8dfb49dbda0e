"""Helpers that are a model: what it is shown, what it may take, and what comes of it when it is down."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.models import Asked, Call, Reply, Usage, server_error
from tests.models.server import ModelServer
from trainwright import engineers
from trainwright.engineers import model_errors, turn
from trainwright.graph.ledger import Ledger
from trainwright.graph.research import research
from trainwright.graph.state import Settings
from trainwright.tools.research import Findings

from .helping import Library

QUESTIONS = ("What is the best C?", "What is the best gamma?", "Which kernel is best?")


@pytest.fixture(autouse=True)
def without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engineer of another test, and no waiting between two tries."""
    engineers._model_engineer.cache_clear()
    monkeypatch.setattr(turn, "wait_before", lambda trouble, failed: 0.0)


def settings(server: ModelServer, **more: Any) -> Settings:
    """A model on loopback with a price."""
    given = {"engineer": "openai/test", "base_url": server.openai, "model_price": "3/15", **more}
    return Settings.model_validate(given)


def run_of(found: Findings) -> str:
    """The name under which the ledger has it."""
    return found.file.split("/research/")[1].split("/")[0]


def looks_and_reports(asked: Asked) -> Reply:
    """Looks one thing up, and reports on it."""
    if asked.turn == 1:
        return Reply(calls=(Call("look", {"id": "doc-a"}),), usage=Usage(1_000, 100))
    claim = {"text": "C=10.", "evidence": [{"source": "doc-a", "quote": "accuracy of 98.9 % with C=10"}]}
    report = {"status": "answered", "summary": "C=10 is best.", "claims": [claim]}
    return Reply(calls=(Call("finish", report),), usage=Usage(2_000, 200))


def test_a_model_is_shown_its_question_and_lookups_alone(library: Library) -> None:
    library.texts["doc-a"] = "We reach an accuracy of 98.9 % with C=10."
    with ModelServer(looks_and_reports) as server:
        found = research(QUESTIONS[:2], settings(server, effort="max"), context="SVM on digits")
    assert [one.status for one in found.findings] == ["answered", "answered"]
    assert found.findings[0].claims[0].evidence[0].source == "doc-a"
    for asked in server.asked:
        assert asked.tools == ["look", "web", "finish"]
        assert "# Stage: answer one question" in asked.system
        assert asked.body["reasoning_effort"] == "high"
        text = json.dumps(asked.messages)
        assert sum(question in text for question in QUESTIONS) == 1
        assert "SVM on digits" in text
    table = Ledger().table(run_of(found))["research"]
    assert (table["input_tokens"], table["output_tokens"], table["steps"]) == (6_000, 600, 4)
    assert table["usd_micros"] == 6_000 * 3 + 600 * 15
    assert not Ledger().open(run_of(found))


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"research_max_usd": 0.00001}, "research_max_usd"),
        ({"research_max_tokens": 500}, "research_max_tokens"),
        ({"max_usd": 0.00001}, "max_usd"),
        ({"max_tokens": 500}, "max_tokens"),
    ],
)
def test_a_helper_that_may_spend_nothing_asks_no_model(library: Library, limit: dict[str, Any], words: str) -> None:
    with ModelServer(looks_and_reports) as server:
        found = research(QUESTIONS, settings(server, **limit))
    assert not server.asked
    assert [one.status for one in found.findings] == ["failed"] * 3
    assert all(words in one.why for one in found.findings)
    assert Ledger().total(run_of(found), "usd_micros") == 0


def test_the_limit_of_one_helper_is_none_of_the_others(library: Library) -> None:
    """Each may take one call of this size, and a second one does not fit."""
    library.texts["doc-a"] = "We reach an accuracy of 98.9 % with C=10."
    with ModelServer(lambda asked: Reply(calls=(Call("look", {"id": "doc-a"}),), usage=Usage(98_000, 1_000))) as server:
        found = research(QUESTIONS, settings(server, research_max_tokens=100_000))
    assert len(server.asked) == 3
    assert all("research_max_tokens" in one.why for one in found.findings)
    assert [one.read for one in found.findings] == [["doc-a"]] * 3


def test_a_model_that_is_down_ends_in_findings_that_say_so(library: Library) -> None:
    began = time.monotonic()
    with ModelServer(lambda asked: server_error()) as server:
        found = research(QUESTIONS, settings(server))
    assert time.monotonic() - began < 20
    assert len(server.asked) == 3 * model_errors.ATTEMPTS
    assert [one.status for one in found.findings] == ["failed"] * 3
    assert all("500" in one.why or "openai/test" in one.why for one in found.findings)
    assert Ledger().total(run_of(found), "steps") == 0
    assert Ledger().total(run_of(found), "usd_micros") == 0
    assert not Ledger().open(run_of(found))
    assert "No question could be answered" in found.notes[0]
