"""Search: which source is asked, filters, merging, and what is said when a source does not answer."""

from __future__ import annotations

import time

import pytest

from tests.standin import Canned, StandIn
from trainwright.graph.errors import NotCached, RemoteError, RemoteUnavailable, RequestError
from trainwright.tools.http import lookups
from trainwright.tools.lookup import papers
from trainwright.tools.lookup.papers.preprints import arxiv_query
from trainwright.tools.lookup.papers.records import PapersFound

from .services import asked, entry, feed, hub_paper, scholar_paper

HUB, ARXIV = "/hub/api/papers/search", "/arxiv/api/query"
GRAPH, BULK = "/s2/graph/v1/paper/search", "/s2/graph/v1/paper/search/bulk"


def titles(found: PapersFound) -> list[str]:
    return [paper.title for paper in found.papers]


def asked_of_us(services: StandIn) -> list[str]:
    """Without what huggingface_hub asks once a day for its own user agent."""
    return [path for path in services.paths if "agent-harnesses" not in path]


def test_without_filters_the_hub_is_asked_first(services: StandIn) -> None:
    services.route("GET", HUB, [hub_paper(f"2403.0000{i}", f"Forest {i}") for i in range(3)])
    found = papers.search("small forests", limit=3)
    assert titles(found) == ["Forest 0", "Forest 1", "Forest 2"]
    first = found.papers[0]
    assert (first.id, first.date, first.upvotes) == ("2403.00000", "2024-03-05", 12)
    assert first.authors == "Ada Lovelace, Emil Post, Mary Cartwright, Ada Yonath and 2 more"
    assert asked_of_us(services) == [HUB]
    assert asked(services, HUB).query == {"q": ["small forests"], "limit": ["3"]}
    assert "| 2403.00000 | Forest 0 |" in found.markdown()


def test_few_papers_are_filled_up_from_the_next_source_each_once(services: StandIn) -> None:
    services.route("GET", HUB, [hub_paper("2403.00001", "Forest One")])
    services.route("GET", ARXIV, feed(entry("2403.00001", "Forest one, revised"), entry("2403.00002", "Forest Two")))
    services.route(
        "GET",
        GRAPH,
        {"total": 1, "data": [scholar_paper("2403.00001", "Forest One"), scholar_paper("2403.00003", "Third")]},
    )
    found = papers.search("forests", limit=3)
    assert [paper.id for paper in found.papers] == ["2403.00001", "2403.00002", "2403.00003"]
    one = found.papers[0]
    assert (one.title, one.upvotes, one.citations) == ("Forest One", 12, 321)  # each knows something of it
    assert [source.name for source in found.sources] == ["Hugging Face papers", "arXiv", "Semantic Scholar"]


@pytest.mark.parametrize("kind", ["down", "status:500", "malformed", "status:429"])
def test_a_source_that_does_not_answer_is_told_of_and_the_next_one_asked(services: StandIn, kind: str) -> None:
    services.fault(HUB, kind, times=None)
    services.route("GET", ARXIV, feed(entry("2403.00002", "Forest Two")))
    found = papers.search("forests", limit=1)
    assert titles(found) == ["Forest Two"]
    assert any("Hugging Face" in note for note in found.notes)


def test_filters_go_to_semantic_scholar(services: StandIn) -> None:
    services.route("GET", GRAPH, {"total": 1, "data": [scholar_paper("2403.00001", "Forest")]})
    found = papers.search("forests", date_from="2023", date_to="2024-06-30", field="cs.LG", min_citations=10)
    query = asked(services, GRAPH).query
    assert query["publicationDateOrYear"] == ["2023:2024-06-30"]
    assert query["fieldsOfStudy"] == ["Computer Science"]
    assert query["minCitationCount"] == ["10"]
    assert titles(found) == ["Forest"]
    assert any("widened" in note for note in found.notes)
    assert asked_of_us(services) == [GRAPH]


def test_filters_with_semantic_scholar_down_fall_back_and_say_what_is_not_applied(services: StandIn) -> None:
    services.fault(GRAPH, "status:503", times=None)
    services.route("GET", ARXIV, feed(entry("2403.00001", "Forest")))
    found = papers.search("forests", date_from="2024-01", field="cs.LG", min_citations=10)
    assert titles(found) == ["Forest"]
    assert any("Semantic Scholar is down or busy" in note for note in found.notes)
    assert "Not applied, since arXiv cannot: min_citations." in found.notes
    assert asked(services, ARXIV).query["search_query"] == [
        "all:forests AND cat:cs.LG AND submittedDate:[202401010000 TO 219912312359]"
    ]


def test_the_last_fallback_is_the_hub_with_its_dates_held_here(services: StandIn) -> None:
    services.fault(GRAPH, "down", times=None)
    services.fault(ARXIV, "down", times=None)
    old = hub_paper("1901.00001", "Old", publishedAt="2019-01-02T00:00:00.000Z")
    services.route("GET", HUB, [old, hub_paper("2403.00001", "New")])
    found = papers.search("forests", date_from="2024", field="Biology", min_citations=3)
    assert titles(found) == ["New"]
    assert "Not applied, since Hugging Face papers cannot: field, min_citations." in found.notes


@pytest.mark.parametrize(("sort", "order"), [("date", "publicationDate:desc"), ("citations", "citationCount:desc")])
def test_sorting_is_the_bulk_search(services: StandIn, sort: str, order: str) -> None:
    data = [
        scholar_paper(f"2403.0000{i}", f"F{i}", citationCount=i, publicationDate=f"2024-0{i}-01") for i in (3, 1, 2)
    ]
    services.route("GET", BULK, {"total": 3, "token": None, "data": data})
    found = papers.search("forests", source="scholar", sort=sort, limit=3)
    assert titles(found) == ["F3", "F2", "F1"]
    assert asked(services, BULK).query["sort"] == [order]


def test_all_sources_at_once_are_merged(services: StandIn) -> None:
    services.route("GET", HUB, [hub_paper("2403.00001", "A")])
    services.route("GET", ARXIV, feed(entry("2403.00001", "A"), entry("2403.00002", "B")))
    services.route("GET", GRAPH, {"data": [scholar_paper("", "B", externalIds={"DOI": "10.1/b"})]})
    found = papers.search("trees", source="all")
    assert [(paper.id, paper.citations) for paper in found.papers] == [("2403.00001", None), ("2403.00002", 321)]


def test_a_large_limit_becomes_fifty(services: StandIn) -> None:
    services.route("GET", HUB, [hub_paper(f"2403.{i:05}", f"F{i}") for i in range(60)])
    found = papers.search("forests", limit=500)
    assert len(found.papers) == 50
    assert "At most 50 are given, not 500." in found.notes
    assert asked(services, HUB).query["limit"] == ["50"]


def test_damaged_entries_are_survived(services: StandIn) -> None:
    odd = {
        "paperId": None,
        "externalIds": None,
        "title": "Odd",
        "authors": [None, {"name": None}],
        "year": "x",
        "citationCount": "y",
    }
    services.route("GET", GRAPH, {"data": [None, 3, {}, odd, {"title": ["x"]}, {"title": "A\x00B\n C", "paperId": 5}]})
    found = papers.search("forests", source="scholar")
    assert titles(found) == ["Odd", "A B C"]
    assert found.papers[0].citations is None


def test_a_list_of_the_hub_that_breaks_in_the_middle_is_used_up_to_there(services: StandIn) -> None:
    services.route("GET", HUB, [hub_paper("2403.00001", "A"), {"paper": None}, hub_paper("2403.00002", "B")])
    found = papers.search("forests", limit=1)
    assert titles(found) == ["A"]
    assert any("before the damage" in note for note in found.notes)


def test_names_from_outside_are_no_ids(services: StandIn) -> None:
    services.route(
        "GET", HUB, [hub_paper("../../etc/passwd", "Bad"), hub_paper("2403.00001", "Good", githubRepo="javascript:x")]
    )
    assert [(p.id, p.code) for p in papers.search("forests", source="hub").papers] == [("2403.00001", "")]


def test_if_nobody_answers_each_is_named(services: StandIn) -> None:
    for path in (HUB, ARXIV, GRAPH):
        services.fault(path, "status:500", times=None)
    with pytest.raises(RemoteUnavailable) as caught:
        papers.search("forests")
    assert all(name in str(caught.value) for name in ("Hugging Face", "arXiv", "Semantic Scholar"))
    assert caught.value.retryable


def test_offline_answers_from_the_disk_and_says_what_is_missing(services: StandIn) -> None:
    services.route("GET", GRAPH, {"data": [scholar_paper("2403.00001", "Forest")]})
    papers.search("forests", source="scholar")
    asked_before = len(services.requests)
    with lookups(offline=True):
        found = papers.search("forests", source="scholar")
        assert titles(found) == ["Forest"]
        assert found.sources[0].cached
        with pytest.raises(NotCached, match="--offline"):
            papers.search("something else")
    assert len(services.requests) == asked_before


def test_offline_the_hub_answers_from_the_disk_too(services: StandIn) -> None:
    services.route("GET", HUB, [hub_paper("2403.00001", "A")])
    online = papers.search("forests", source="hub")
    with lookups(offline=True):
        before = len(services.requests)
        assert papers.search("forests", source="hub").papers == online.papers
        with pytest.raises(NotCached):
            papers.search("other forests", source="hub")
        assert len(services.requests) == before


@pytest.mark.parametrize("query", ["forests", "forests " + "of small trees " * 25])
def test_half_a_feed_is_no_empty_answer_and_is_not_kept(services: StandIn, query: str) -> None:
    services.route(
        "GET", ARXIV, Canned("<feed xmlns='http://www.w3.org/2005/Atom'><entry>", media="application/atom+xml")
    )
    with pytest.raises(RemoteError, match="malformed"):
        papers.search(query, source="arxiv")
    services.route("GET", ARXIV, feed(entry("2403.00002", "Two")))
    assert titles(papers.search(query, source="arxiv")) == ["Two"]


def test_what_comes_from_the_disk_says_so_for_every_source(services: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    services.route("GET", HUB, [hub_paper("2403.00001", "One")])
    services.route("GET", ARXIV, feed(entry("2403.00002", "Two")))
    services.route("GET", GRAPH, {"data": [scholar_paper("2403.00003", "Three")]})
    states = [
        [(source.cached, source.stale) for source in papers.search("forests", source="all").sources] for _ in range(2)
    ]
    later = time.time() + 40 * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    services.fault("*", "down", times=None)
    states.append([(source.cached, source.stale) for source in papers.search("forests", source="all").sources])
    assert states == [[(False, False)] * 3, [(True, False)] * 3, [(True, True)] * 3]


def test_no_paper_is_an_answer(services: StandIn) -> None:
    services.route("GET", HUB, [])
    services.route("GET", ARXIV, feed())
    services.route("GET", GRAPH, {"total": 0, "data": None})
    found = papers.search("zzzz")
    assert found.papers == []
    assert "No paper was found." in found.markdown()


def test_the_key_goes_to_semantic_scholar_alone(services: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2_API_KEY", "s2-secret-key")
    services.route("GET", HUB, [hub_paper("2403.00001", "A")])
    services.route("GET", ARXIV, feed())
    services.route("GET", GRAPH, {"data": []})
    papers.search("forests", source="all")
    sent = {r.path: r.headers.get("x-api-key") for r in services.requests if "agent-harnesses" not in r.path}
    assert sent == {
        HUB: None,
        ARXIV: None,
        GRAPH: "s2-secret-key",
    }


def test_the_key_does_not_follow_a_redirect(services: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2_API_KEY", "s2-secret-key")
    with StandIn() as other:
        services.fault(GRAPH, f"redirect:{other.url}/else", times=None)
        with pytest.raises(RemoteError):
            papers.search("forests", source="scholar")
        assert other.requests == []


@pytest.mark.parametrize("query", ["", "x", "  y "])
def test_a_query_has_two_characters(query: str) -> None:
    with pytest.raises(RequestError):
        papers.search(query)


@pytest.mark.parametrize(
    ("words", "question"),
    [
        ("attention is all you need", "all:attention AND all:all AND all:you AND all:need"),
        ('"chain of thought" prompting', 'all:"chain of thought" AND all:prompting'),
        ("few-shot (learning)", 'all:"few-shot" AND all:learning'),
        ("ti:forest AND au:post", "(ti:forest AND au:post)"),
        ("of the", "all:of AND all:the"),
    ],
)
def test_words_become_a_question_to_arxiv(words: str, question: str) -> None:
    assert arxiv_query(words) == question


def test_days_become_a_range() -> None:
    assert arxiv_query("x1", "2020-05", "2021-02-03", "cs").endswith(
        "(cat:cs OR cat:cs.*) AND submittedDate:[202005010000 TO 202102032359]"
    )


def test_the_papers_of_a_day(services: StandIn) -> None:
    path = "/hub/api/daily_papers"
    services.route("GET", path, [hub_paper("2403.00001", "A", upvotes=3), hub_paper("2403.00002", "B", upvotes=9)])
    assert titles(papers.trending(date="2024-03-06")) == ["B", "A"]
    assert asked(services, path).query == {"date": ["2024-03-06"], "limit": ["10"]}
    assert titles(papers.trending()) == ["A", "B"]
    assert asked(services, path).query["sort"] == ["trending"]
    with pytest.raises(RequestError):
        papers.trending(date="2024")
