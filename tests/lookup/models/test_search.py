"""Search of models: the filters reach the Hub as it has them, and what comes back is read with care."""

from __future__ import annotations

from typing import Any

import pytest

from tests.standin import StandIn
from trainwright.graph.errors import RemoteError, RemoteUnavailable
from trainwright.tools.lookup import models


def one(name: str, parameters: Any = None, **more: Any) -> dict[str, Any]:
    """An entry of the Hub's list."""
    counted = {} if parameters is None else {"safetensors": {"parameters": {"BF16": parameters}, "total": parameters}}
    return {
        "_id": "1", "id": name, "downloads": 5, "likes": 2, "gated": False, "tags": ["license:mit"],
        "pipeline_tag": "text-generation", "library_name": "transformers", "lastModified": "2026-05-06T00:00:00.000Z",
    } | counted | more  # fmt: skip


@pytest.fixture
def hub(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    standin.route("GET", "/api/models", [one("a/small", 500_000_000), one("b/unknown", gated="auto")])
    return standin


def test_filters_and_order_are_the_hubs(hub: StandIn) -> None:
    models.search(
        "llama", task="text-generation", library="peft", author="tiny", licence="mit", sort="trending", limit=3,
        parameters="7B",
    )  # fmt: skip
    asked = hub.requests[0].query
    assert asked["search"] == ["llama"]
    assert asked["author"] == ["tiny"]
    assert asked["filter"] == ["peft", "license:mit"]
    assert asked["pipeline_tag"] == ["text-generation"]
    assert asked["num_parameters"] == ["max:7B"]
    assert asked["sort"] == ["trendingScore"]
    assert asked["limit"] == ["3"]
    assert "safetensors" in asked["expand"]


def test_models_are_listed_with_what_is_known(hub: StandIn) -> None:
    found = models.search("x")
    first, second = found.models
    assert (first.id, first.parameters, first.licence, first.gated) == ("a/small", 500_000_000, "mit", "")
    assert (second.parameters, second.gated, second.modified) == (None, "auto", "2026-05-06")
    assert "500M" in found.markdown()
    assert [source.name for source in found.sources] == ["the Hugging Face Hub"]


def test_what_is_larger_is_left_out_even_where_the_hub_does_not_filter(hub: StandIn) -> None:
    found = models.search("x", parameters="100M")
    assert [one.id for one in found.models] == ["b/unknown"]
    assert any("1 of the Hub's answers" in note for note in found.notes)
    assert any("does not know" in note for note in found.notes)


def test_nothing_found_says_by_which_filters(hub: StandIn) -> None:
    hub.route("GET", "/api/models", [])
    found = models.search("x", licence="wtf", task="tabular")
    assert found.models == []
    assert any("license:wtf" in note and "tabular" in note for note in found.notes)
    assert "No model found." in found.markdown()


@pytest.mark.parametrize("answer", [[{"no": "id"}], [7], {"error": "x"}, [one("a/b") | {"safetensors": "x"}]])
def test_a_malformed_list_is_told(hub: StandIn, answer: Any) -> None:
    hub.route("GET", "/api/models", answer)
    with pytest.raises(RemoteError, match="malformed"):
        models.search("x")


def test_a_busy_hub_is_said_to_be_busy(hub: StandIn) -> None:
    hub.fault("/api/models", "status:503", times=None)
    with pytest.raises(RemoteUnavailable):
        models.search("x")


@pytest.mark.parametrize("given", [{"sort": "beauty"}, {"limit": 0}, {"limit": 51}, {"parameters": "many"}])
def test_what_makes_no_sense_is_refused_before_anything_is_asked(hub: StandIn, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        models.search("x", **given)
    assert hub.requests == []
