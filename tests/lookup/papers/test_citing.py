"""Citations in both directions, passages, recommendations."""

from __future__ import annotations

import pytest

from tests.standin import StandIn
from trainwright.graph.errors import NotFound, RemoteUnavailable, RequestError
from trainwright.tools.lookup import papers

from .services import asked, scholar_paper

ID = "2403.01234"
PAPER = f"/s2/graph/v1/paper/ARXIV:{ID}"


def edge(key: str, number: int, **more: object) -> dict[str, object]:
    paper = scholar_paper(f"2401.{number:05}", f"Paper {number}", citationCount=number)
    return {
        "contexts": ["c" * 300, "second", "third"],
        "intents": ["methodology"],
        "isInfluential": False,
        key: paper,
        **more,
    }


def test_both_directions_influential_first(services: StandIn) -> None:
    services.route("GET", f"{PAPER}/references", {"offset": 0, "data": [edge("citedPaper", n) for n in (1, 5, 3)]})
    citing = [edge("citingPaper", 9), edge("citingPaper", 2, isInfluential=True), edge("citingPaper", 4)]
    services.route("GET", f"{PAPER}/citations", {"offset": 0, "next": 200, "data": citing})
    found = papers.citations(f"arXiv:{ID}v3", limit=2)
    assert [c.paper.title for c in found.references] == ["Paper 5", "Paper 3"]
    assert [(c.paper.title, c.influential) for c in found.citations] == [("Paper 2", True), ("Paper 9", False)]
    first = found.citations[0]
    assert first.intents == ["methodology"]
    assert first.contexts == ["c" * 200 + " … (100 characters more)", "second"]
    assert any("There are more citations" in note for note in found.notes)
    assert "2 of these 3 references are shown." in found.notes
    assert "isInfluential" in asked(services, f"{PAPER}/citations").query["fields"][0]
    assert "## References" in found.markdown()


def test_one_direction_asks_once(services: StandIn) -> None:
    services.route("GET", f"{PAPER}/references", {"data": [edge("citedPaper", 1)]})
    assert len(papers.citations(ID, direction="references").references) == 1
    assert services.paths == [f"{PAPER}/references"]


def test_references_that_may_not_be_shown_and_damaged_edges(services: StandIn) -> None:
    services.route("GET", f"{PAPER}/references", {"citingPaperInfo": {}, "data": None})
    odd = [
        None,
        {},
        {"citingPaper": None},
        {"citingPaper": {"title": "T"}, "contexts": None, "intents": "x", "isInfluential": 1},
    ]
    services.route("GET", f"{PAPER}/citations", {"data": odd})
    found = papers.citations(ID)
    assert found.references == []
    assert [(c.paper.title, c.influential, c.intents) for c in found.citations] == [("T", False, [])]
    assert any("has no references" in note for note in found.notes)


def test_one_direction_down_is_noted_both_down_raise(services: StandIn) -> None:
    services.fault(f"{PAPER}/references", "status:500", times=None)
    services.route("GET", f"{PAPER}/citations", {"data": [edge("citingPaper", 1)]})
    found = papers.citations(ID)
    assert len(found.citations) == 1
    assert any("down or busy" in note for note in found.notes)
    with pytest.raises(RemoteUnavailable):
        papers.citations(ID, direction="references")
    with pytest.raises(NotFound):
        papers.citations("2401.99999")


def test_snippets_with_what_is_known_of_their_papers(services: StandIn) -> None:
    snippet = {"text": "w" * 500, "snippetKind": "body", "section": "4 Results"}
    about = {"corpusId": "111", "title": "Forests", "authors": ["Ada Lovelace", "Emil Post"], "openAccessInfo": None}
    other = {"corpusId": 222, "title": "Trees", "authors": [{"name": "Kurt Weyl"}]}
    data = [
        {"score": 0.9, "paper": about, "snippet": snippet},
        {"score": 0.5, "paper": other, "snippet": {"text": "short"}},
    ]
    services.route(
        "GET",
        "/s2/graph/v1/snippet/search",
        {"data": [*data, {"paper": None, "snippet": None}], "retrievalVersion": "v1"},
    )
    services.route("POST", "/s2/graph/v1/paper/batch", [scholar_paper(ID, "Forests"), None])
    found = papers.snippets("small trees", ids=[ID, "10.1000/x1"], limit=5)
    assert [s.paper.id for s in found.snippets] == [ID, "CorpusId:222"]
    assert found.snippets[0].paper.citations == 321
    assert found.snippets[0].text == "w" * 400 + " … (100 characters more)"
    assert (found.snippets[0].section, found.snippets[0].kind) == ("4 Results", "body")
    assert asked(services, "/s2/graph/v1/snippet/search").query["paperIds"] == [f"ARXIV:{ID},DOI:10.1000/x1"]
    assert asked(services, "/s2/graph/v1/paper/batch").json == {"ids": ["CorpusId:111", "CorpusId:222"]}
    assert "## Forests" in found.markdown()


def test_snippets_without_the_batch(services: StandIn) -> None:
    about = {"corpusId": "111", "title": "Forests", "authors": 7}
    services.route("GET", "/s2/graph/v1/snippet/search", {"data": [{"paper": about, "snippet": {"text": "words"}}]})
    services.fault("/s2/graph/v1/paper/batch", "malformed", times=None)
    found = papers.snippets("small trees")
    assert [(s.paper.id, s.text) for s in found.snippets] == [("CorpusId:111", "words")]
    assert any("malformed" in note for note in found.notes)


def test_recommendations_for_one_paper_and_for_several(services: StandIn) -> None:
    one = f"/s2/recommendations/v1/papers/forpaper/ARXIV:{ID}"
    several = "/s2/recommendations/v1/papers/"
    services.route("GET", one, {"recommendedPapers": [scholar_paper("2401.00001", "Like it"), None]})
    services.route("POST", several, {"recommendedPapers": [scholar_paper("2401.00002", "Like both")]})
    assert [p.title for p in papers.recommend([ID]).papers] == ["Like it"]
    found = papers.recommend([ID, "2401.00009"], negative_ids=["10.1000/x1"], limit=99)
    assert [p.title for p in found.papers] == ["Like both"]
    assert "At most 50 are given, not 99." in found.notes
    sent = asked(services, several)
    assert sent.json == {
        "positivePaperIds": [f"ARXIV:{ID}", "ARXIV:2401.00009"],
        "negativePaperIds": ["DOI:10.1000/x1"],
    }
    assert sent.query["limit"] == ["50"]


def test_the_same_recommendations_are_asked_for_once(services: StandIn) -> None:
    services.route("POST", "/s2/recommendations/v1/papers/", {"recommendedPapers": []})
    for _ in range(2):
        papers.recommend([ID, "2401.00009"])
    assert len(services.requests) == 1


def test_what_is_wrong_is_not_asked(services: StandIn) -> None:
    for call in (lambda: papers.recommend([]), lambda: papers.recommend(["x y"]), lambda: papers.snippets("a")):
        with pytest.raises(RequestError):
            call()
    assert services.requests == []
