"""The Hub as every lookup asks it: its client's errors as ours, and its answers as a source."""

from __future__ import annotations

import pytest

from tests.standin import Canned, StandIn
from trainwright.graph.errors import NotFound, RemoteError, RemoteUnavailable
from trainwright.tools.lookup.hub import asking_the_hub

MODEL = "/api/models/owner/name"


@pytest.fixture(autouse=True)
def hub(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The stand-in as the Hub, with a token of the person's own."""
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    monkeypatch.setenv("HF_TOKEN", "hf_own")
    standin.route("GET", MODEL, {"id": "owner/name", "tags": []})
    return standin


def ask() -> object:
    with asking_the_hub("model owner/name") as asked:
        return asked.api.model_info("owner/name")


@pytest.mark.parametrize(
    ("status", "code", "kind", "said"),
    [
        (404, "RepoNotFound", NotFound, "has no model owner/name, or it is private"),
        (404, "RevisionNotFound", NotFound, "no such revision of model owner/name"),
        (403, "GatedRepo", RemoteError, "only to those who accepted its terms"),
        (404, "", NotFound, "has nothing for model owner/name"),
        (403, "", RemoteError, "refuses model owner/name"),
        (429, "", RemoteUnavailable, "busy"),
        (503, "", RemoteUnavailable, "busy"),
    ],
)
def test_each_refusal_says_what_it_is(hub: StandIn, status: int, code: str, kind: type[RemoteError], said: str) -> None:
    headers = {"x-error-code": code} if code else {}
    hub.route("GET", MODEL, Canned({"error": "no"}, status=status, headers=headers))
    with pytest.raises(RemoteError, match=said) as caught:
        ask()
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b"[" * 100_000, b'{"id": "owner/name", "siblings": 3}', b'{"siblings": [null]}']
)
def test_a_malformed_answer_is_an_error_of_ours(hub: StandIn, body: bytes) -> None:
    hub.route("GET", MODEL, Canned(body, media="application/json"))
    with pytest.raises(RemoteError, match="malformed answer for model owner/name"):
        ask()


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:9/x", "http://[bad", "file:///etc/passwd", "http://169.254.169.254/"]
)
def test_a_next_page_elsewhere_is_not_asked(hub: StandIn, link: str) -> None:
    hub.route("GET", "/api/models", Canned([{"id": "a/b"}], headers={"link": f'<{link}>; rel="next"'}))
    with pytest.raises(RemoteError), asking_the_hub("a list") as asked:
        list(asked.api.list_models())
    assert {request.headers.get("authorization") for request in hub.requests} == {"Bearer hf_own"}


def test_the_answers_are_a_source_that_knows_the_disk(hub: StandIn) -> None:
    for cached in (False, True):
        with asking_the_hub("model owner/name") as asked:
            asked.api.model_info("owner/name")
        source = asked.source("owner/name")
        assert (source.address, source.cached, source.stale) == (f"{hub.url}/owner/name", cached, False)
    assert hub.paths == [MODEL]
    assert hub.requests[0].headers["user-agent"].startswith("trainwright")
