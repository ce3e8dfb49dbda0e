"""Details of one paper, and what on the Hub is linked to it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.standin import StandIn
from trainwright.graph.errors import NotFound, RemoteUnavailable, RequestError
from trainwright.tools.lookup import papers

from .services import ABSTRACT, NAMES, asked, entry, feed, hub_paper, scholar_paper

ID = "2403.01234"
GRAPH, ARXIV, HUB = f"/s2/graph/v1/paper/ARXIV:{ID}", "/arxiv/api/query", f"/hub/api/papers/{ID}"


def hub_info(**more: Any) -> dict[str, Any]:
    paper: dict[str, Any] = hub_paper(ID, "Small Forests")["paper"]
    return {
        **paper,
        "githubRepo": "https://github.com/example/forests",
        "githubStars": 77,
        "projectPage": "https://forests.example.org",
        "ai_summary": "Forests of small trees.",
        "ai_keywords": ["forests", "trees"],
        **more,
    }


def test_three_sources_make_one_answer(services: StandIn) -> None:
    more = {"referenceCount": 44, "fieldsOfStudy": ["Computer Science"], "tldr": {"text": "Small trees."}}
    services.route("GET", GRAPH, scholar_paper(ID, "Small forests", **more))
    services.route("GET", ARXIV, feed(entry(ID, "Small Forests")))
    services.route("GET", HUB, hub_info())
    found = papers.details(ID)
    assert (found.title, found.arxiv_id, found.published, found.updated) == (
        "Small Forests",
        ID,
        "2024-03-05",
        "2024-05-01",
    )
    assert found.authors == NAMES
    assert found.abstract == ABSTRACT.strip()
    assert found.categories == ["cs.LG", "stat.ML"]
    assert (found.citations, found.influential, found.references) == (321, 21, 44)
    assert (found.venue, found.summary, found.comment) == ("Conference on Trees", "Small trees.", "12 pages, 3 figures")
    assert (found.code, found.code_stars, found.upvotes) == ("https://github.com/example/forests", 77, 12)
    assert (found.pdf, found.html) == (f"https://arxiv.org/pdf/{ID}", f"https://arxiv.org/html/{ID}")
    assert found.notes == []
    assert [source.name for source in found.sources] == ["Semantic Scholar", "arXiv", "Hugging Face papers"]


def test_what_is_said_of_another_paper_is_not_taken_for_this_one(services: StandIn) -> None:
    services.route("GET", GRAPH, scholar_paper(ID, "Small Forests"))
    services.route("GET", ARXIV, feed(entry("2403.05678", "Large Forests")))
    services.route("GET", HUB, hub_info(id="2403.05678", githubRepo="https://github.com/example/other"))
    found = papers.details(ID)
    assert (found.title, found.code, found.categories) == ("Small Forests", "", [])
    assert f"arXiv answered about another paper than {ID}." in found.notes
    assert len(found.sources) == 1


def test_a_source_that_is_down_is_noted(services: StandIn) -> None:
    services.fault(GRAPH, "status:503", times=None)
    services.route("GET", ARXIV, feed(entry(ID, "Small Forests")))
    found = papers.details(f"https://arxiv.org/abs/{ID}")
    assert found.title == "Small Forests"
    assert found.citations is None
    assert ["Semantic Scholar" in note for note in found.notes] == [True]  # that the Hub has no such page is no trouble


def test_a_paper_that_only_semantic_scholar_knows(services: StandIn) -> None:
    path = "/s2/graph/v1/paper/DOI:10.18653/v1/N18-3011"
    pdf = {"url": "https://aclanthology.org/N18-3011.pdf", "status": "GREEN"}
    services.route(
        "GET", path, scholar_paper("", "Graphs", externalIds={"DOI": "10.18653/v1/N18-3011"}, openAccessPdf=pdf)
    )
    found = papers.details("https://doi.org/10.18653/v1/N18-3011")
    assert (found.title, found.doi, found.arxiv_id, found.pdf) == ("Graphs", "10.18653/v1/N18-3011", "", pdf["url"])


def test_null_everywhere_is_survived(services: StandIn) -> None:
    nothing = dict.fromkeys(scholar_paper(ID, "x"), None)
    odd = {
        "title": "Kept",
        "fieldsOfStudy": {"a": 1},
        "s2FieldsOfStudy": [None, {"category": None}],
        "openAccessPdf": "x",
    }
    services.route("GET", GRAPH, {**nothing, **odd, "tldr": None})
    services.route("GET", HUB, hub_info(githubRepo="file:///etc/passwd", authors=None, upvotes=None, ai_keywords=None))
    found = papers.details(ID)
    assert (found.title, found.code, found.fields, found.pdf) == ("Kept", "", [], "")


def test_an_unknown_paper(services: StandIn) -> None:
    services.route("GET", ARXIV, feed())
    with pytest.raises(NotFound, match="Nobody knows arXiv:2403"):
        papers.details(ID)


def test_if_all_are_down_trying_again_may_help(services: StandIn) -> None:
    for path in (GRAPH, ARXIV, HUB):
        services.fault(path, "down", times=None)
    with pytest.raises(RemoteUnavailable):
        papers.details(ID)


@pytest.mark.parametrize(
    "text", ["", "no paper", "10.1234/../../../graph", "https://example.org/2403.01234", "2403.01234?x=1"]
)
def test_what_names_no_paper_is_not_asked_for(services: StandIn, text: str) -> None:
    with pytest.raises(RequestError):
        papers.details(text)
    assert services.requests == []


def test_linked(services: StandIn) -> None:
    services.route("GET", HUB, hub_info())
    services.route("GET", "/hub/api/datasets", [{"id": "example/irises", "downloads": 90, "likes": 3, "gated": "auto"}])
    services.route(
        "GET",
        "/hub/api/models",
        [{"id": f"example/forest-{i}", "downloads": i, "pipeline_tag": "text-classification"} for i in range(4)],
    )
    services.route("GET", "/hub/api/spaces", [{"id": "example/demo", "likes": 5}])
    services.route(
        "GET",
        "/hub/api/collections",
        [
            {
                "slug": "example/trees-64f9",
                "title": "Trees",
                "upvotes": 4,
                "items": [],
                "owner": {"name": "example"},
                "lastUpdated": "2024-03-05T00:00:00.000Z",
                "private": False,
                "theme": "blue",
            }
        ],
    )
    found = papers.linked(f"{ID}v2", limit=3)
    assert found.id == ID
    assert [(item.id, item.downloads, item.gated) for item in found.datasets] == [("example/irises", 90, True)]
    assert [item.id for item in found.models] == ["example/forest-0", "example/forest-1", "example/forest-2"]
    assert found.models[0].task == "text-classification"
    assert [item.id for item in found.spaces] == ["example/demo"]
    assert (found.code, found.code_stars) == ("https://github.com/example/forests", 77)
    assert "There are more than 3 models." in found.notes
    assert asked(services, "/hub/api/datasets").query["filter"] == [f"arxiv:{ID}"]
    assert asked(services, "/hub/api/models").query["filter"] == [f"arxiv:{ID}"]
    assert [(item.id, item.title) for item in found.collections] == [("example/trees-64f9", "Trees")]
    assert asked(services, "/hub/api/collections").query["item"] == [f"papers/{ID}"]
    assert "| example/irises |" in found.markdown()


def test_linked_of_one_kind_by_another_name(services: StandIn) -> None:
    services.route("GET", "/s2/graph/v1/paper/DOI:10.1000/x1", {"externalIds": {"ArXiv": ID}})
    services.route("GET", "/hub/api/models", [])
    found = papers.linked("doi:10.1000/x1", kind="models")
    assert found.id == ID
    assert found.models == []
    assert "Nothing on the Hub is linked to it." in found.markdown()
    assert "/hub/api/datasets" not in services.paths


def test_linked_of_a_paper_that_is_not_on_arxiv(services: StandIn) -> None:
    services.route("GET", "/s2/graph/v1/paper/DOI:10.1000/x1", {"externalIds": None})
    with pytest.raises(NotFound, match="not on arXiv"):
        papers.linked("doi:10.1000/x1")


def test_linked_says_which_kind_failed(services: StandIn) -> None:
    services.fault("/hub/api/datasets", "status:500", times=None)
    services.route("GET", "/hub/api/models", [{"id": "example/forest"}])
    for kind in ("spaces", "collections"):
        services.route("GET", f"/hub/api/{kind}", [])
    found = papers.linked(ID)
    assert [item.id for item in found.models] == ["example/forest"]
    assert any("down or busy" in note for note in found.notes)
