"""Search for code and for repositories."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.standin import Asked, Canned, StandIn
from trainwright.graph.errors import NotFound, RemoteError, RemoteUnavailable, RequestError
from trainwright.tools.http import lookups
from trainwright.tools.lookup import code

from .conftest import TOKEN, repository


def found_code(*paths: str, **given: Any) -> dict[str, Any]:
    """An answer of GitHub's code search."""
    items = [
        {"name": path, "path": path, "sha": "0" * 40, "html_url": f"https://github.com/acme/trees/blob/0/{path}",
         "repository": repository("acme/trees"), "score": 1.0,
         "text_matches": [
             {"object_type": "FileContent", "property": "content", "fragment": "\ndef fit(x):\n    return x", "matches": []},
             {"object_type": "FileContent", "property": "path", "fragment": path, "matches": []},
         ]}
        for path in paths
    ]  # fmt: skip
    return {"total_count": 42, "incomplete_results": False, "items": items, **given}


def test_code_with_its_passages(github: StandIn, token: str) -> None:
    github.route("GET", "/search/code", found_code("a.py", "b.py"))
    found = code.search("def fit", language="Python", repo="acme/trees", limit=1)
    asked = github.requests[-1]
    assert asked.query == {"q": ["def fit repo:acme/trees language:Python"], "per_page": ["1"]}
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["accept"] == "application/vnd.github.text-match+json"
    assert (found.total, [hit.path for hit in found.hits]) == (42, ["a.py"])
    assert found.hits[0].fragments == ["def fit(x):\n    return x"]
    assert "```\ndef fit(x)" in found.markdown()
    assert found.sources[0].name == "GitHub"


def test_an_owner_with_a_language_of_two_words(github: StandIn, token: str) -> None:
    github.route("GET", "/search/code", found_code(incomplete_results=True))
    found = code.search("loss", owner="acme", language="Jupyter Notebook")
    assert github.requests[-1].query["q"] == ['loss user:acme language:"Jupyter Notebook"']
    assert found.notes == ["GitHub gave up the search before it had seen everything."]
    assert "Nothing was found" in found.markdown()


def test_without_a_token_repositories_are_found_and_that_is_said(github: StandIn) -> None:
    github.route(
        "GET", "/search/repositories", {"total_count": 1, "incomplete_results": False, "items": [repository("a/b")]}
    )
    found = code.search('"gradient boosting" trees', language="Python")
    assert github.paths == ["/search/repositories"]
    assert github.requests[0].query["q"] == ["gradient boosting trees language:Python"]
    assert "authorization" not in github.requests[0].headers
    assert [one.name for one in found.repos] == ["a/b"]
    assert "only with a token" in found.notes[0]
    assert "a/b" in found.markdown()


def test_without_a_token_names_of_files_in_a_repository(github: StandIn) -> None:
    found = code.search("train dpo", repo="acme/trees")
    assert [hit.path for hit in found.hits] == ["examples/train_dpo.py"]
    assert "whose names fit" in found.notes[0]
    assert "The language was not looked at." not in found.notes
    assert "The language was not looked at." in code.search("train", repo="acme/trees", language="Python").notes


def test_repositories_of_an_owner_are_sorted_before_they_are_cut(github: StandIn) -> None:
    everything = [repository(f"acme/r{number}", stargazers_count=number) for number in range(300)]

    def answer(asked: Asked) -> dict[str, Any]:
        count = int(asked.query["per_page"][0])
        items = (
            sorted(everything, key=lambda one: -one["stargazers_count"])
            if asked.query.get("sort") == ["stars"]
            else everything
        )
        return {"total_count": 300, "incomplete_results": False, "items": items[:count]}

    github.route("GET", "/search/repositories", answer)
    found = code.repos(owner="acme", sort="stars", limit=3)
    assert [(one.name, one.stars) for one in found.repos] == [
        ("acme/r299", 299),
        ("acme/r298", 298),
        ("acme/r297", 297),
    ]
    assert github.requests[0].query == {"q": ["user:acme"], "per_page": ["3"], "sort": ["stars"], "order": ["desc"]}
    assert (found.total, found.repos[0].licence, found.repos[0].updated) == (300, "Apache-2.0", "2024-05-06")


def test_repositories_by_creation(github: StandIn) -> None:
    github.route("GET", "/users/acme/repos", [repository("acme/new"), {"bad": 1}])
    assert [one.name for one in code.repos(owner="acme", sort="created").repos] == ["acme/new"]
    assert github.requests[0].query["sort"] == ["created"]
    with pytest.raises(RequestError, match="sorts by creation only"):
        code.repos("words", sort="created")
    with pytest.raises(NotFound, match="no person or organisation nobody"):
        code.repos(owner="nobody", sort="created")


@pytest.mark.parametrize(("there", "total"), [(2, 2), (3, 0)])
def test_how_many_there_are_is_not_made_up(there: int, total: int, github: StandIn) -> None:
    github.route("GET", "/users/acme/repos", [repository(f"acme/r{n}") for n in range(there)])
    assert code.repos(owner="acme", sort="created", limit=3).total == total


@pytest.mark.parametrize("given", [{}, {"owner": "a b"}, {"owner": "a", "language": "x\ny"}, {"query": " "}])
def test_what_cannot_be_searched_for(given: dict[str, Any], github: StandIn) -> None:
    with pytest.raises(RequestError):
        code.repos(**given)
    assert github.requests == []


def test_a_query_that_github_does_not_take(github: StandIn) -> None:
    github.route("GET", "/search/repositories", Canned({"message": "Validation Failed", "errors": []}, status=422))
    with pytest.raises(RemoteError, match="Validation Failed"):
        code.repos("x:y:z")


def test_an_owner_who_does_not_exist(github: StandIn) -> None:
    reason = "The listed users and repositories cannot be searched either because the resources do not exist."
    refusal = {"message": "Validation Failed", "errors": [{"message": reason, "field": "q", "code": "invalid"}]}
    github.route("GET", "/search/repositories", Canned(refusal, status=422))
    with pytest.raises(NotFound, match=f"Validation Failed: {reason}"):
        code.repos(owner="nobody")


def test_a_token_that_is_no_longer_good(github: StandIn, token: str) -> None:
    github.route("GET", "/search/code", Canned({"message": "Bad credentials"}, status=401))
    with pytest.raises(RemoteError, match="GITHUB_TOKEN") as caught:
        code.search("x1")
    assert TOKEN not in str(caught.value)


def test_the_limit_of_requests_says_until_when(github: StandIn) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 1800)}
    github.route(
        "GET", "/search/repositories", Canned({"message": "API rate limit exceeded"}, status=403, headers=headers)
    )
    with pytest.raises(RemoteUnavailable, match=r"may be asked again in 1[78]") as caught:
        code.repos("trees")
    assert "GITHUB_TOKEN" in caught.value.hint
    assert len(github.requests) == 1


def test_a_second_limit_that_is_only_said_in_words_is_not_hammered(github: StandIn) -> None:
    words = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
    github.route("GET", "/search/repositories", Canned(words, status=403))
    with pytest.raises(RemoteUnavailable):
        code.repos("trees")
    assert len(github.requests) == 1


def test_a_short_wait_is_waited_for(github: StandIn) -> None:
    github.route("GET", "/search/repositories", {"total_count": 0, "incomplete_results": False, "items": []})
    github.fault("/search/repositories", "status:429", 1, retry_after=2)
    assert code.repos("trees").repos == []
    assert len(github.requests) == 2


def test_few_requests_left_are_told(github: StandIn) -> None:
    headers = {"x-ratelimit-remaining": "3", "x-ratelimit-reset": str(int(time.time()) + 60)}
    empty = {"total_count": 0, "incomplete_results": False, "items": []}
    github.route("GET", "/search/repositories", Canned(empty, headers=headers))
    assert "answers 3 more requests" in code.repos("trees").notes[0]
    assert code.repos("trees").notes == []  # this one came from the disk


@pytest.mark.parametrize("value", [[], {"items": 3}, {}])
def test_answers_of_another_form(value: Any, github: StandIn) -> None:
    github.route("GET", "/search/repositories", value)
    with pytest.raises(RemoteError, match="malformed"):
        code.repos("trees")


def test_what_is_no_repository_among_the_answers_is_left_out(github: StandIn) -> None:
    items = [3, {"full_name": 4}, {"full_name": "a/b", "license": 1, "stargazers_count": "many", "description": None}]
    github.route("GET", "/search/repositories", {"items": items})
    assert [(one.name, one.stars) for one in code.repos("trees").repos] == [("a/b", 0)]


@pytest.mark.parametrize("kind", ["malformed", "truncated", "status:500", "down"])
def test_faults_are_told(kind: str, github: StandIn) -> None:
    github.fault("/search/repositories", kind, None)
    with pytest.raises(RemoteError, match="GitHub"):
        code.repos("trees")


def test_offline_answers_from_the_disk(github: StandIn) -> None:
    code.repos("trees")
    count = len(github.requests)
    with lookups(offline=True):
        assert code.repos("trees").sources[0].cached
        with pytest.raises(RemoteError, match="not on the disk"):
            code.repos("forests")
    assert len(github.requests) == count
