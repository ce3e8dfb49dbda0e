"""A stand-in for outside services: an HTTP server on loopback, on which every test of a service builds.

    def test_it(standin: StandIn, monkeypatch) -> None:
        standin.route("GET", "/api/papers/search", [{"title": "A"}])                 # JSON: a list or a dict
        standin.route("GET", "/pdf/*", Canned(b"%PDF-1.7 …", media="application/pdf"))   # bytes, str, or Canned
        standin.route("GET", "/api/models/{name}", lambda request: {"id": request.match["name"]})
        monkeypatch.setenv("TRAINWRIGHT_PAPERS_URL", standin.url)
        …
        assert standin.requests[0].query["q"] == ["forest"]

In a pattern `*` stands for any text, `{name}` for any text without a slash, which the request has as `match["name"]`.
The route that was added last is looked at first; what has no route is answered with 404.

Faults come before the routes: `standin.fault(pattern, kind, times=…)` lets the next `times` requests (all, when None) of
a path go wrong:

    "down"            the connection is closed without an answer
    "slow"            no answer until `standin.release()`, the end of the test, or ten seconds
    "status:503"      this status; with `retry_after=7` (or a date as text) in a header, and `headers={…}` of your own
    "malformed"       200 with half a JSON document, called JSON
    "huge"            200 with a body that does not end
    "truncated"       200 with a body that is shorter than its header says
    "redirect:URL"    302 to there

`requests` records every request: method, path, query, headers (names in lower case), body. `pretend_public` lets a name
of the public internet lead to the stand-in, for code that refuses loopback.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

__all__ = ["Asked", "Canned", "StandIn", "pretend_public"]


@dataclass(frozen=True)
class Asked:
    """A request as it came; the path without the query, percent signs decoded."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    match: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Canned:
    """An answer, whole."""

    body: bytes | str | list[Any] | dict[str, Any] = b""
    status: int = 200
    media: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Given = Canned | bytes | str | list[Any] | dict[str, Any] | None
Route = Given | Callable[[Asked], Given]


@dataclass
class _Fault:
    pattern: re.Pattern[str]
    kind: str
    left: int | None
    headers: dict[str, str]


class StandIn:
    """The server. Use the fixture `standin`, or `with StandIn() as server`."""

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self._routes: list[tuple[str, re.Pattern[str], Route]] = []
        self._faults: list[_Fault] = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        stand_in = self

        class Handler(_Handler):
            owner = stand_in

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.end_connections()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The base address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [asked.path for asked in self.requests]

    def route(self, method: str, pattern: str, answer: Route) -> None:
        """Answer a method and path like this from now on; `method` may be `*`."""
        with self._lock:
            self._routes.insert(0, (method.upper(), _pattern(pattern), answer))

    def fault(
        self,
        pattern: str,
        kind: str,
        times: int | None = 1,
        *,
        retry_after: float | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Let the next `times` requests of a path go wrong; all of them when None. See the module's docstring."""
        given = dict(headers or {})
        if retry_after is not None:
            given["retry-after"] = str(retry_after)
        with self._lock:
            self._faults.append(_Fault(_pattern(pattern), kind, times, given))

    def mend(self) -> None:
        """Take all faults away."""
        with self._lock:
            self._faults.clear()

    def release(self) -> None:
        """Let slow answers go on."""
        self._released.set()

    def _fault_for(self, path: str) -> _Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.pattern.fullmatch(path) and fault.left != 0:
                    fault.left = None if fault.left is None else fault.left - 1
                    return fault
        return None

    def _answer_for(self, asked: Asked) -> Canned:
        with self._lock:
            routes = list(self._routes)
        for method, pattern, answer in routes:
            match = pattern.fullmatch(asked.path)
            if match and method in ("*", asked.method):
                request = Asked(asked.method, asked.path, asked.query, asked.headers, asked.body, match.groupdict())
                given = answer(request) if callable(answer) else answer
                if given is not None:
                    return given if isinstance(given, Canned) else Canned(given)
        return Canned({"error": "not found"}, status=404)


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"(\*|\{[a-z_]+\})", text)
    return re.compile(
        "".join(
            ".*"
            if part == "*"
            else f"(?P<{part[1:-1]}>[^/]+)"
            if re.fullmatch(r"\{[a-z_]+\}", part)
            else re.escape(part)
            for part in parts
        ),
        re.DOTALL,
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """Connections that clients keep open would hold threads of this server after the test."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no trouble of ours; a route that raises has answered 500 already."""


class _Handler(BaseHTTPRequestHandler):
    owner: StandIn
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True  # head and body are two writes, and the second would wait 40 ms for the first

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = parse_qs(parts.query, keep_blank_values=True)
        asked = Asked(self.command, unquote(parts.path), query, headers, self.rfile.read(length))
        self.owner.requests.append(asked)
        fault = self.owner._fault_for(asked.path)
        if fault is None or (fault.kind == "slow" and self._waited()):
            self._send(self._routed(asked))
        else:
            self._go_wrong(fault)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve  # noqa: N815

    def _routed(self, asked: Asked) -> Canned:
        try:
            return self.owner._answer_for(asked)
        except Exception as error:  # noqa: BLE001  # whatever a test's route raises, the client must get an answer
            return Canned({"error": f"the route failed: {error!r}"}, status=500, headers={"x-route-failed": "1"})

    def _waited(self) -> bool:
        return self.owner._released.wait(10) or True

    def _go_wrong(self, fault: _Fault) -> None:
        kind, _, detail = fault.kind.partition(":")
        if kind == "down":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif kind == "status":
            self._send(Canned({"error": "in trouble"}, status=int(detail), headers=fault.headers))
        elif kind == "malformed":
            self._send(Canned(b'{"data": [{"title": "Half a', media="application/json", headers=fault.headers))
        elif kind == "redirect":
            self._send(Canned(b"", status=302, headers={"location": detail, **fault.headers}))
        elif kind == "truncated":
            self._head(200, "application/json", 1000, fault.headers)
            self.wfile.write(b'{"data": [')
            self.close_connection = True
        elif kind == "huge":
            self._head(200, "application/octet-stream", None, fault.headers)
            with contextlib.suppress(OSError):
                while not self.owner._released.is_set():
                    self.wfile.write(b"x" * 2**16)
            self.close_connection = True
        else:
            raise ValueError(f"no such fault: {fault.kind}")

    def _send(self, answer: Canned) -> None:
        body, media = answer.body, answer.media
        if isinstance(body, list | dict):
            body, media = json.dumps(body).encode(), media or "application/json"
        if isinstance(body, str):
            body, media = body.encode(), media or "text/plain; charset=utf-8"
        self._head(answer.status, media or "application/octet-stream", len(body), answer.headers)
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.wfile.write(body)

    def _head(self, status: int, media: str, length: int | None, headers: Mapping[str, str]) -> None:
        given = {name.lower() for name in headers}
        self.send_response(status)
        if "content-type" not in given:
            self.send_header("content-type", media)
        if length is None:
            self.send_header("connection", "close")
        elif "content-length" not in given and status not in (204, 304):
            self.send_header("content-length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def pretend_public(monkeypatch: pytest.MonkeyPatch, hosts: Mapping[str, StandIn | str]) -> None:
    """Let names be found, and their port 80 (or 8080) lead to stand-ins; any other name is unknown.

    Args:
        hosts: host name to a stand-in, which then is on the public internet, or to the IP address that it has.
    """
    from trainwright.tools.http import addresses, network

    numbers = {name: f"93.184.215.{20 + place}" for place, name in enumerate(hosts)}
    servers = {numbers[name]: server for name, server in hosts.items() if isinstance(server, StandIn)}

    def resolve(host: str, port: int) -> list[str]:
        if host not in hosts:
            raise socket.gaierror(f"{host} is not known here")
        given = hosts[host]
        return [numbers[host] if isinstance(given, StandIn) else given]

    real = network.dial

    def dial(address: str, port: int, timeout: float) -> Any:
        if address in servers:
            return real("127.0.0.1", servers[address].port, timeout)
        if not address.startswith("127."):
            raise AssertionError(f"a test would have connected to {address}")
        return real(address, port, timeout)

    monkeypatch.setattr(addresses, "resolve", resolve)
    monkeypatch.setattr(network, "dial", dial)
