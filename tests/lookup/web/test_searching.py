"""Search by each engine, through langchain-community's utilities on our transport."""

from __future__ import annotations

from typing import Any

import pytest

from tests.standin import Canned, StandIn
from trainwright.graph.errors import NotCached, RemoteError, RemoteUnavailable, RequestError
from trainwright.graph.redaction import redact
from trainwright.tools.http import lookups
from trainwright.tools.lookup import web
from trainwright.tools.lookup.web.domains import domains_of, is_within
from trainwright.tools.lookup.web.duckduckgo import read_results

from .conftest import KEY, configure


def result(href: str, title: str, snippet: str = "", more: str = "") -> str:
    """A result as DuckDuckGo's page for browsers without scripts has it."""
    return (
        f'<div class="result results_links results_links_deep web-result {more}"><div class="links_main links_deep result__body">'
        f'<h2 class="result__title"><a rel="nofollow" class="result__a" href="{href}">{title}</a></h2>'
        f'<a class="result__snippet" href="{href}">{snippet}</a></div></div>'
    )


PAGE = "<html><body><div id='links'>" + "".join([
    result("//duckduckgo.com/l/?uddg=https%3A%2F%2Fdocs.example.org%2Fa%3Fb%3D1&amp;rut=x", "First <b>hit</b>", "Some\n <b>words</b>"),
    result("https://example.com/ad", "Buy", more="result--ad"),
    result("//duckduckgo.com/y.js?ad_domain=example.com", "Buy more"),
    result("https://EXAMPLE.com/two", "Second"),
    result("https://docs.example.org/a?b=1", "First again"),
    result("javascript:alert(1)", "Bad"),
    result("https://other.org/3", "Third"),
]) + "</div></body></html>"  # fmt: skip


def test_duckduckgo(engine: StandIn) -> None:
    engine.route("GET", "/html/", Canned(PAGE, media="text/html; charset=UTF-8"))
    found = web.search("boosted trees")
    assert [(hit.title, hit.url, hit.snippet) for hit in found.hits] == [
        ("First hit", "https://docs.example.org/a?b=1", "Some words"),
        ("Second", "https://EXAMPLE.com/two", ""),
        ("Third", "https://other.org/3", ""),
    ]
    asked = engine.requests[0]
    assert asked.query["q"] == ["boosted trees"]
    assert asked.headers["user-agent"].startswith("trainwright/")
    assert found.sources[0].name == "DuckDuckGo"
    assert "- [First hit](https://docs.example.org/a?b=1)\n  Some words" in found.markdown()
    assert web.search("boosted trees").sources[0].cached
    assert len(engine.requests) == 1


def test_domains_are_hosts_with_all_below_them(engine: StandIn) -> None:
    engine.route("GET", "/html/", Canned(PAGE, media="text/html"))
    found = web.search(
        "trees", allowed_domains=["https://Example.ORG/", "EXAMPLE.com"], blocked_domains=["HTTPS://EXAMPLE.COM"]
    )
    assert [hit.url for hit in found.hits] == ["https://docs.example.org/a?b=1"]
    assert engine.requests[0].query["q"] == ["trees (site:example.org OR site:example.com)"]
    assert found.notes == ["2 of 3 results were left out for their domain."]
    assert is_within("https://a.docs.rs/x", ["docs.rs"])
    assert not is_within("https://notdocs.rs/x", ["docs.rs"])
    assert domains_of(["*.docs.rs", "docs.rs.", "http://docs.rs:80/x"], "x") == ["docs.rs"]


@pytest.mark.parametrize(
    "given",
    [{"query": "x"}, {"query": " x "}, {"query": ""}, {"query": "ab", "allowed_domains": "docs.rs"}, {"query": "ab", "blocked_domains": ["not a host"]},
     {"query": "ab", "allowed_domains": ["localhost"]}, {"query": "ab", "blocked_domains": [3]}],
)  # fmt: skip
def test_what_cannot_be_searched_for(given: dict[str, Any], engine: StandIn) -> None:
    with pytest.raises(RequestError):
        web.search(**given)
    assert engine.requests == []


def test_a_page_of_another_form_gives_its_links(engine: StandIn) -> None:
    links = "".join(f'<a href="https://e{number}.org/">Page {number}</a>' for number in range(12))
    engine.route(
        "GET",
        "/html/",
        Canned(f'<a href="/settings">x</a><a href="https://e0.org">again</a>{links}', media="text/html"),
    )
    found = web.search("trees", limit=20)
    assert [hit.url for hit in found.hits][:2] == ["https://e0.org", "https://e1.org/"]
    assert len(found.hits) == 8
    assert "another form" in found.notes[0]


def test_nothing_found_is_no_error(engine: StandIn) -> None:
    engine.route("GET", "/html/", Canned('<div class="no-results">No results.</div>', media="text/html"))
    found = web.search("qwertyuiop")
    assert (found.hits, found.notes) == ([], [])
    assert "No page was found" in found.markdown()


@pytest.mark.parametrize("status", [200, 202])
def test_a_proof_that_a_person_searches_is_told(status: int, engine: StandIn) -> None:
    page = '<form id="challenge-form" action="//duckduckgo.com/anomaly.js"></form><a href="https://x.org">x</a>'
    engine.route("GET", "/html/", Canned(page, status=status, media="text/html"))
    with pytest.raises(RemoteUnavailable, match="proof that a person") as caught:
        web.search("trees")
    assert "[web]" in caught.value.hint


@pytest.mark.parametrize(
    "page", [b"", b" \n", b"<!-- a -->", b"\xff\xfe\0", b"<" * 10_000, b"<a href='http://['>x</a>"]
)
def test_any_bytes_are_read_as_a_page(page: bytes) -> None:
    assert read_results(page).results == []


def test_brave(engine: StandIn) -> None:
    configure(f'[web]\nengine = "brave"\nbrave_key = "{KEY}"\n')
    rows = [
        {"title": "A", "url": "https://a.org", "description": "one", "extra_snippets": ["<strong>two</strong>"]},
        {"title": "No address"},
    ]
    engine.route("GET", "/res/v1/web/search", {"type": "search", "web": {"type": "search", "results": rows}})
    found = web.search("trees", limit=3)
    assert [(hit.title, hit.url, hit.snippet) for hit in found.hits] == [("A", "https://a.org", "one two")]
    asked = engine.requests[0]
    assert (asked.headers["x-subscription-token"], asked.query["count"]) == (KEY, ["3"])
    assert KEY not in found.model_dump_json()
    assert redact(f"it is {KEY}") == "it is [redacted configuration]"


def test_the_key_of_brave_does_not_follow_a_redirect(engine: StandIn) -> None:
    configure(f'[web]\nengine = "brave"\nbrave_key = "{KEY}"\n')
    with StandIn() as thief:
        engine.fault("/res/v1/web/search", f"redirect:{thief.url}/x", None)
        with pytest.raises(RemoteError):
            web.search("trees")
        assert thief.requests == []


def test_a_key_that_brave_refuses(engine: StandIn) -> None:
    configure(f'[web]\nengine = "brave"\nbrave_key = "{KEY}"\n')
    engine.route("GET", "/res/v1/web/search", Canned({"type": "ErrorResponse"}, status=422))
    with pytest.raises(RemoteError, match="422") as caught:
        web.search("trees")
    assert KEY not in str(caught.value)


def test_searxng(engine: StandIn) -> None:
    configure(f'[web]\nengine = "searxng"\nsearxng_url = "{engine.url}/"\n')
    rows = [{"title": "A", "url": "https://a.org", "content": "one", "engines": ["x"], "category": "general"}]
    engine.route("GET", "/search", {"query": "trees", "results": rows, "answers": []})
    found = web.search("trees")
    assert [(hit.title, hit.url, hit.snippet) for hit in found.hits] == [("A", "https://a.org", "one")]
    assert engine.requests[0].query["format"] == ["json"]
    engine.route("GET", "/search", {"query": "x", "results": [], "answers": []})
    assert web.search("nothing").hits == []


def test_a_searxng_that_gives_no_json(engine: StandIn) -> None:
    configure(f'[web]\nengine = "searxng"\nsearxng_url = "{engine.url}"\n')
    engine.route("GET", "/search", Canned("<html>403</html>", status=403))
    with pytest.raises(RemoteError, match="does not answer in JSON") as caught:
        web.search("trees")
    assert "settings.yml" in caught.value.hint


@pytest.mark.parametrize("value", [{"results": 3}, {}, {"results": [{"title": "no address"}]}, []])
def test_answers_of_another_form(value: Any, engine: StandIn) -> None:
    configure(f'[web]\nengine = "searxng"\nsearxng_url = "{engine.url}"\n')
    engine.route("GET", "/search", value)
    with pytest.raises(RemoteError, match="SearxNG sent a malformed answer"):
        web.search("trees")


@pytest.mark.parametrize("kind", ["status:503", "down", "huge"])
def test_faults_are_told(kind: str, engine: StandIn) -> None:
    engine.fault("/html/", kind, None)
    with pytest.raises(RemoteError, match=r"DuckDuckGo|more than"):
        web.search("trees")


def test_offline_nothing_is_sent(engine: StandIn) -> None:
    with lookups(offline=True), pytest.raises(NotCached):
        web.search("trees")
    assert engine.requests == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('engine = "brave"', "needs a key in brave_key"),
        ('engine = "searxng"', "needs the address of a SearxNG"),
        ('engine = "searxng"\nsearxng_url = "file:///x"', "needs the address of a SearxNG"),
        ('engine = "google"', "web.engine is not usable"),
        ("brave_kye = 3", "Did you mean brave_key"),
        ('engine = "brave"\nbrave_key = "${TRAINWRIGHT_TEST_NO_KEY}"', "TRAINWRIGHT_TEST_NO_KEY"),
    ],
)
def test_the_configuration(text: str, words: str) -> None:
    configure(f"[web]\n{text}\n")
    with pytest.raises(RequestError, match=words):
        web.search("trees")


def test_a_key_from_the_environment_is_a_secret_and_an_engine_is_none(
    monkeypatch: pytest.MonkeyPatch, engine: StandIn
) -> None:
    monkeypatch.setenv("TEST_ENGINE", "duckduckgo")
    monkeypatch.setenv("TEST_BRAVE", "another-secret-of-brave")
    configure('[web]\nengine = "${TEST_ENGINE}"\nbrave_key = "${TEST_BRAVE}"\n')
    engine.route("GET", "/html/", Canned(PAGE, media="text/html"))
    assert web.search("trees").sources[0].name == "DuckDuckGo"
    assert redact("duckduckgo another-secret-of-brave") == "duckduckgo [redacted configuration]"
