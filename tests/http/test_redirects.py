"""Where an answer leads: followed, checked, and without what is meant for somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standin import Canned, StandIn, pretend_public
from trainwright.graph.errors import RemoteError, RemoteUnavailable
from trainwright.tools.http import Service, fetch

TOKEN = "t0ken-of-example"


@pytest.fixture
def other() -> Iterator[StandIn]:
    """Another server."""
    with StandIn() as server:
        yield server


@pytest.fixture
def secret(standin: StandIn) -> Service:
    """A service with a token of its own."""
    return Service("Example", standin.url, token=lambda: TOKEN)


def test_within_a_service_the_token_stays(standin: StandIn, secret: Service) -> None:
    standin.fault("/a", "redirect:/b?c=1")
    standin.route("GET", "/b", "there")
    answer = fetch("a", service=secret)
    assert (answer.text, answer.url) == ("there", f"{standin.url}/b?c=1")
    assert [asked.headers["authorization"] for asked in standin.requests] == [f"Bearer {TOKEN}"] * 2


def test_the_way_is_told_also_from_the_disk(standin: StandIn, service: Service) -> None:
    standin.fault("/a", "redirect:/b?token=secret123", None)
    standin.fault("/b", "redirect:/c", None)
    standin.route("GET", "/c", "there")
    assert fetch("a", service=service).via == (f"{standin.url}/a", f"{standin.url}/b?token=secret123")
    assert fetch("a", service=service).via == (f"{standin.url}/a", f"{standin.url}/b?token=[redacted]")
    assert fetch("c", service=service).via == ()


def test_to_another_origin_no_token_goes(
    standin: StandIn, other: StandIn, secret: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_public(monkeypatch, {"cdn.example.org": other})
    standin.fault("/a", "redirect:http://cdn.example.org/file")
    other.route("GET", "/file", "there")
    answer = fetch("a", service=secret, headers={"cookie": "a=b", "x-api-key": "k", "x-mine": "1"})
    assert answer.text == "there"
    assert standin.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    got = other.requests[0].headers
    assert not {"authorization", "cookie", "x-api-key"} & set(got)
    assert (got["host"], got["x-mine"]) == ("cdn.example.org", "1")


def test_and_it_does_not_come_back_with_a_second_redirect(
    standin: StandIn, other: StandIn, secret: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_public(monkeypatch, {"cdn.example.org": other})
    standin.fault("/a", "redirect:http://cdn.example.org/back")
    other.fault("/back", f"redirect:{standin.url}/b")
    standin.route("GET", "/b", "there")
    assert fetch("a", service=secret).text == "there"
    assert "authorization" not in standin.requests[1].headers


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:1/x", "http://169.254.169.254/latest/meta-data/", "http://[::1]/x", "http://localhost/x",
        "http://10.0.0.1/x", "http://user:pw@example.org/x", "file:///etc/passwd", "ftp://example.org/x",
        "http://private.example.org/x", "http://2130706433/x", "http://example.org:22/x", "//10.1.2.3/x",
    ],
)  # fmt: skip
def test_to_what_must_not_be_asked(
    standin: StandIn, secret: Service, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_public(monkeypatch, {"private.example.org": "192.168.1.1"})
    standin.fault("/a", f"redirect:{target}")
    with pytest.raises(RemoteError, match="it was not asked"):
        fetch("a", service=secret)
    assert len(standin.requests) == 1


def test_another_port_of_the_same_private_host_is_another_origin(
    standin: StandIn, other: StandIn, secret: Service
) -> None:
    standin.fault("/a", f"redirect:{other.url}/x")
    with pytest.raises(RemoteError, match="was not asked"):
        fetch("a", service=secret)
    assert other.requests == []


def test_from_encrypted_to_open() -> None:
    from trainwright.tools.http.exchange import Request, _redirected

    request = Request("GET", "https://a.example.org/x", {}, None, (), 10, False, 0.0)
    with pytest.raises(RemoteError, match="not encrypted"):
        _redirected(request, 302, "http://a.example.org/x")
    assert _redirected(request, 302, "/y").address == "https://a.example.org/y"


def test_without_end(standin: StandIn, service: Service) -> None:
    standin.fault("/a", "redirect:/a", times=None)
    with pytest.raises(RemoteError, match="redirects without end"):
        fetch("a", service=service)
    assert len(standin.requests) == 6


@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_a_post(standin: StandIn, service: Service, status: int, method: str) -> None:
    standin.route("POST", "/a", Canned(status=status, headers={"location": "/b"}))
    standin.route("*", "/b", lambda asked: {"method": asked.method, "body": asked.body.decode()})
    body = '{"a": 1}' if method == "POST" else ""
    assert fetch("a", service=service, method="POST", json={"a": 1}).json() == {"method": method, "body": body}


def test_a_full_address_of_elsewhere_gets_no_token(
    standin: StandIn, other: StandIn, secret: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service may name an address of another host in its answer, such as that of a next page."""
    pretend_public(monkeypatch, {"evil.example.org": other})
    other.route("GET", "/page2", "x")
    fetch("http://evil.example.org/page2", service=secret)
    assert "authorization" not in other.requests[0].headers
    with pytest.raises(RemoteError, match="was not asked"):
        fetch("http://10.0.0.1/page2", service=secret)


@pytest.mark.parametrize("token", ["qwe rty", "tökén", "a\r\nx: y"])
def test_a_token_that_is_none_is_not_sent(standin: StandIn, token: str) -> None:
    service = Service("Example", standin.url, token=lambda: token)
    with pytest.raises(RemoteError, match="The token for Example is none") as caught:
        fetch("a", service=service)
    assert token not in str(caught.value)
    assert standin.requests == []


@pytest.mark.parametrize("key", ["qwertz\n", "schlüssel", "qwertz\r\nx: y", " qwertz"])
def test_a_key_that_no_header_can_hold_is_not_shown(standin: StandIn, service: Service, key: str) -> None:
    with pytest.raises(RemoteError, match="the header x-api-key would say holds a sign that none can") as caught:
        fetch("a", service=service, headers={"x-api-key": key})
    assert key.strip() not in str(caught.value)
    assert "qwertz" not in str(caught.value)
    assert standin.requests == []


def test_no_token_where_there_is_none(standin: StandIn) -> None:
    standin.route("GET", "/a", "x")
    fetch("a", service=Service("Example", standin.url, token=lambda: ""))
    assert "authorization" not in standin.requests[0].headers


def test_what_netrc_holds_is_not_sent(
    standin: StandIn, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret-of-netrc\n")
    monkeypatch.setenv("NETRC", str(netrc))
    standin.route("GET", "/a", Canned("x", headers={"set-cookie": "session=1; Path=/"}))
    answer = fetch("a", service=service)
    fetch("a", service=service, params={"again": 1}, also=(404,))
    assert "set-cookie" not in answer.headers
    for asked in standin.requests:
        assert "authorization" not in asked.headers
        assert "cookie" not in asked.headers


def test_a_closed_port(service: Service) -> None:
    closed = Service("Nobody", "http://127.0.0.1:9")
    with pytest.raises(RemoteUnavailable, match=r"Nobody cannot be reached at http://127\.0\.0\.1:9/x"):
        fetch("x", service=closed)
