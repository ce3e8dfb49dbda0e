"""Asking a service: what is sent, what comes back, trouble, patience and limits."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.standin import Asked, Canned, StandIn
from trainwright.graph.errors import NotFound, RemoteError, RemoteUnavailable, TooLarge
from trainwright.tools.http import Service, fetch, fetch_json, lookups


def test_json_with_a_query(standin: StandIn, service: Service) -> None:
    standin.route("GET", "/a/{name}", lambda asked: {"name": asked.match["name"], "q": asked.query})
    value, answer = fetch_json("a/b", service=service, params={"x": [1, 2], "none": None, "yes": True})
    assert value == {"name": "b", "q": {"x": ["1", "2"], "yes": ["true"]}}
    assert (answer.status, answer.cached, answer.media, answer.service) == (200, False, "application/json", "Example")
    assert fetch_json("a/b", service=service, params={"x": [1, 2], "yes": True}).answer.cached
    assert len(standin.requests) == 1


def test_what_is_sent(standin: StandIn, service: Service) -> None:
    standin.route("*", "/*", "ok")
    fetch("/get", service=service, headers={"X-Mine": "1"})
    fetch("/json", service=service, method="post", json={"a": [1]})
    fetch("/form", service=service, method="POST", form={"a": "b c"})
    get, json, form = standin.requests
    assert get.headers["user-agent"] == f"trainwright/{version('trainwright')}"
    assert (get.headers["x-mine"], get.headers["accept-encoding"]) == ("1", "gzip, deflate")
    assert "authorization" not in get.headers
    assert (json.method, json.headers["content-type"], json.json) == ("POST", "application/json", {"a": [1]})
    assert (form.headers["content-type"], form.body) == ("application/x-www-form-urlencoded", b"a=b+c")


def test_another_base_from_the_environment(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.route("GET", "/mirror/x", "here")
    service = Service("Example", "https://example.org", variable="TRAINWRIGHT_EXAMPLE_URL")
    assert service.address("x?a=://b") == "https://example.org/x?a=://b"
    monkeypatch.setenv("TRAINWRIGHT_EXAMPLE_URL", f"{standin.url}/mirror/")
    assert fetch("/x", service=service).text == "here"


@pytest.mark.parametrize("kind", ["down", "truncated", "status:500", "status:503", "status:429", "status:408"])
def test_trouble_that_passes(standin: StandIn, service: Service, kind: str) -> None:
    standin.route("GET", "/x", {"a": 1})
    standin.fault("/x", kind, times=2)
    assert fetch_json("x", service=service).value == {"a": 1}
    assert len(standin.requests) == 3


@pytest.mark.parametrize("kind", ["down", "status:500", "status:429"])
def test_trouble_that_stays(standin: StandIn, service: Service, kind: str) -> None:
    standin.fault("/x", kind, times=None)
    with pytest.raises(RemoteUnavailable, match="Example"):
        fetch("x", service=service)
    assert len(standin.requests) == 3


@pytest.mark.parametrize(("kind", "times"), [("down", 1), ("status:500", 1), ("status:503", 3), ("status:429", 3)])
def test_a_post_is_sent_again_only_where_it_was_not_read(
    standin: StandIn, service: Service, kind: str, times: int
) -> None:
    standin.fault("/x", kind, times=None)
    with pytest.raises(RemoteUnavailable):
        fetch("x", service=service, method="POST", json={})
    assert len(standin.requests) == times


@pytest.mark.parametrize(
    ("status", "error", "what"),
    [
        (404, NotFound, r"Example has nothing at http://127\.0\.0\.1:\d+/x \(HTTP 404\)"),
        (410, NotFound, "HTTP 410"),
        (401, RemoteError, "refuses .*HTTP 401.*token"),
        (403, RemoteError, "refuses .*HTTP 403"),
        (422, RemoteError, 'did not accept .*HTTP 422.* It says: "in trouble"'),
        (304, RemoteError, "HTTP 304"),
    ],
)
def test_refusals_are_not_tried_again(
    standin: StandIn, service: Service, status: int, error: type[Exception], what: str
) -> None:
    standin.fault("/x", f"status:{status}")
    with pytest.raises(error, match=what) as caught:
        fetch("x", service=service)
    assert type(caught.value) is error
    assert len(standin.requests) == 1


def test_statuses_that_the_caller_wants(standin: StandIn, service: Service) -> None:
    standin.fault("/x", "status:501", times=None)
    assert fetch("x", service=service, also=(501,)).json() == {"error": "in trouble"}
    assert not fetch("x", service=service, also=(501,)).cached
    assert len(standin.requests) == 2


def test_malformed_json_is_said_and_not_kept(standin: StandIn, service: Service) -> None:
    standin.route("GET", "/x", {"a": 1})
    standin.fault("/x", "malformed")
    with pytest.raises(RemoteError, match=r"Example sent a malformed answer for http.*/x"):
        fetch_json("x", service=service)
    assert fetch_json("x", service=service).value == {"a": 1}


@pytest.mark.parametrize("body", [b"[" * 100_000, b"9" * 10_000, b"\xff{}", b""])
def test_json_that_would_break_the_reader(standin: StandIn, service: Service, body: bytes) -> None:
    standin.route("GET", "/x", Canned(body, media="application/json"))
    with pytest.raises(RemoteError, match="malformed"):
        fetch_json("x", service=service)


def test_too_large_whether_said_or_not(standin: StandIn, service: Service, tmp_path: Path) -> None:
    standin.route("GET", "/said", b"x" * 2001)
    standin.route("GET", "/fits", b"x" * 2000)
    standin.fault("/huge", "huge", times=None)
    for path in ("said", "huge"):
        with pytest.raises(TooLarge, match="has more than 2000 bytes"):
            fetch(path, service=service, limit=2000, to=tmp_path / "file")
    assert list(tmp_path.iterdir()) == []
    assert len(fetch("fits", service=service, limit=2000).body) == 2000
    assert len(standin.requests) == 3


def test_a_long_body_is_cut_where_that_is_wanted(standin: StandIn, service: Service) -> None:
    standin.fault("/huge", "huge", times=None)
    answer = fetch("huge", service=service, limit=2000, cut=True)
    assert (answer.body, answer.truncated) == (b"x" * 2000, True)
    again = fetch("huge", service=service, limit=2000, cut=True)
    assert (again.body, again.truncated, again.cached) == (b"x" * 2000, True, True)
    standin.mend()
    standin.route("GET", "/huge", b"y" * 3000)
    assert fetch("huge", service=service, limit=9000).body == b"y" * 3000


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "bare deflate", "two gzips", "filled up gzip"])
def test_compressed_bodies(standin: StandIn, service: Service, encoding: str) -> None:
    text = b"abc " * 50_000
    bare = zlib.compressobj(wbits=-15)
    body = {
        "gzip": gzip.compress(text),
        "deflate": zlib.compress(text),
        "bare deflate": bare.compress(text) + bare.flush(),
        "filled up gzip": gzip.compress(text) + b"\0" * 100,
        "two gzips": gzip.compress(text[:1000]) + gzip.compress(text[1000:]),
    }[encoding]
    name = "gzip" if "gzip" in encoding else "deflate"
    standin.route("GET", "/x", Canned(body, headers={"content-encoding": name}))
    assert fetch("x", service=service).body == text
    assert fetch("x", service=service).body == text


def test_a_small_body_that_decompresses_to_a_huge_one(standin: StandIn, service: Service) -> None:
    bomb = gzip.compress(bytes(200 * 2**20))
    assert len(bomb) < 2**18
    standin.route("GET", "/x", Canned(bomb, headers={"content-encoding": "gzip"}))
    with pytest.raises(TooLarge, match="more than 8 MiB"):
        fetch("x", service=service)


@pytest.mark.parametrize(
    ("encoding", "body", "error"),
    [("br", b"abc", RemoteError), ("gzip, gzip", b"abc", RemoteError), ("gzip", b"no gzip", RemoteUnavailable),
     ("gzip", gzip.compress(b"abc" * 1000)[:-20], RemoteUnavailable)],
)  # fmt: skip
def test_compression_that_cannot_be_read(
    standin: StandIn, service: Service, encoding: str, body: bytes, error: type[Exception]
) -> None:
    standin.route("GET", "/x", Canned(body, headers={"content-encoding": encoding}))
    with pytest.raises(error, match="compress"):
        fetch("x", service=service)


def test_a_body_into_a_file(standin: StandIn, service: Service, tmp_path: Path) -> None:
    standin.route("GET", "/x", b"abc")
    answer = fetch("x", service=service, to=tmp_path / "one")
    assert (answer.body, (tmp_path / "one").read_bytes()) == (b"", b"abc")
    again = fetch("x", service=service, to=tmp_path / "two")
    assert (again.cached, (tmp_path / "two").read_bytes()) == (True, b"abc")
    with pytest.raises(NotFound):
        fetch("absent", service=service, to=tmp_path / "three")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_a_silent_server_is_given_up_in_time(standin: StandIn, service: Service) -> None:
    standin.fault("/x", "slow", times=None)
    begun = time.monotonic()
    with pytest.raises(RemoteUnavailable, match="did not answer in time"):
        fetch("x", service=service, seconds=0.3)
    assert time.monotonic() - begun < 3
    assert len(standin.requests) == 1


def test_a_server_that_trickles_is_given_up_in_time(standin: StandIn, service: Service) -> None:
    """Each single byte comes in time; all of them together do not."""
    ended = threading.Event()

    def trickle(_: Asked) -> Canned:
        return Canned(b"never", headers={"x-long": "y" * 10})

    standin.route("GET", "/x", trickle)
    from http.server import BaseHTTPRequestHandler

    def slowly(handler: BaseHTTPRequestHandler, *_: object) -> None:
        while not ended.wait(0.05):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n"[:1])

    monkey = pytest.MonkeyPatch()
    monkey.setattr("tests.standin._Handler._send", slowly, raising=False)
    try:
        begun = time.monotonic()
        with pytest.raises(RemoteUnavailable):
            fetch("x", service=service, seconds=0.5, tries=1)
        assert time.monotonic() - begun < 3
    finally:
        ended.set()
        monkey.undo()


def test_somebody_wants_it_to_stop(standin: StandIn, service: Service) -> None:
    standin.fault("/x", "slow", times=None)
    with (
        lookups(cancelled=lambda: bool(standin.requests)),
        pytest.raises(RemoteUnavailable, match="stopped before it was done"),
    ):
        fetch("x", service=service, seconds=8)
    with lookups(cancelled=lambda: True), pytest.raises(RemoteUnavailable, match="stopped"):
        fetch("x", service=service)
    assert len(standin.requests) == 1


def test_the_same_question_of_many_threads_is_asked_once(standin: StandIn, service: Service) -> None:
    arrived, go = threading.Event(), threading.Event()

    def answer(_: Asked) -> str:
        arrived.set()
        go.wait(10)
        return "once"

    standin.route("GET", "/x", answer)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(fetch("x", service=service).text)) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert arrived.wait(10)
    go.set()
    for thread in threads:
        thread.join(20)
    assert found == ["once"] * 5
    assert len(standin.requests) == 1


@pytest.mark.parametrize(
    ("body", "header", "text"),
    [
        ("café".encode(), "text/html", "café"),
        ("café".encode("latin-1"), "text/html; charset=ISO-8859-1", "café"),
        (b'<meta charset="latin-1">caf\xe9', "text/html", '<meta charset="latin-1">café'),
        (b"\xff\xfea\x00", "text/plain; charset=utf-8", "a"),
        (b"a\xff", "text/plain; charset=no-such", "a\ufffd"),
        (b"61", "text/plain; charset=hex", "61"),
        (b"\xef\xbb\xbfa", "text/plain", "a"),
    ],
)
def test_texts(standin: StandIn, service: Service, body: bytes, header: str, text: str) -> None:
    standin.route("GET", "/x", Canned(body, headers={"content-type": header}))
    assert fetch("x", service=service).text.lstrip("\ufeff") == text


def test_a_source(standin: StandIn, service: Service) -> None:
    standin.route("GET", "/x", "a")
    source = fetch("x", service=service, params={"api_key": "abcdefgh", "keyword": "b"}).source()
    assert source.name == "Example"
    assert source.address == f"{standin.url}/x?api_key=[redacted]&keyword=b"
    assert not source.cached
    assert fetch("x", service=service, params={"api_key": "abcdefgh", "keyword": "b"}).source().cached


def test_importing_it_loads_no_http_library() -> None:
    import subprocess
    import sys

    code = "import sys, trainwright.tools.http; print([m for m in ('httpx', 'httpcore', 'requests', 'huggingface_hub', 'arxiv') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
