"""The scripted chat model on loopback, for real clients: OpenAI's and Anthropic's protocols, faults on demand.

A reply is written with one send: a client that delays its acknowledgements would otherwise wait 40 ms for the rest.
Nothing is paced like a real model's tokens; `Reply.before` holds a reply back.

Run as a program, it serves a benchmark from a process of its own:
`python -m tests.models.server --replies N --size BYTES` prints its address, answers N requests with one call of the
tool `note`, and on SIGTERM or the end of its input prints what the client took between a reply and the next request.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Protocol, Self

from . import (
    Asked,
    Call,
    Json,
    Reply,
    Usage,
    anthropic_wire,
    bad_request,
    empty,
    no_credit,
    no_quota,
    not_found,
    openai_wire,
    overloaded,
    rate_limited,
    server_error,
    too_long,
    unauthorized,
)

__all__ = [
    "Asked",
    "Call",
    "ModelServer",
    "Reply",
    "Usage",
    "bad_request",
    "empty",
    "no_credit",
    "no_quota",
    "not_found",
    "overloaded",
    "rate_limited",
    "server_error",
    "too_long",
    "unauthorized",
]

Script = Callable[[Asked], Reply] | Sequence[Reply]


class ModelServer:
    """Serves `script` while the context is open: a function of what was asked, or replies in order.

    The function is called in the thread of its connection. A sequence that has run out and a function that raises are
    answered with status 500, and what the function raised is raised again when the context closes. `extra` maps
    further paths to JSON bodies; every other path is 404.
    """

    def __init__(self, script: Script, extra: Mapping[str, Json] | None = None) -> None:
        self._script, self.extra = script, dict(extra or {})
        self._lock = threading.Lock()
        self._asked: list[Asked] = []
        self._paths: list[str] = []
        self._sent: list[float] = []
        self._raised: list[Exception] = []
        self._http = _Http(self)

    def __enter__(self) -> Self:
        # `shutdown` waits for the poll in progress.
        serve = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        serve.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._http.hang_up()
        if self._raised and error is None:
            raise self._raised[0]

    @property
    def url(self) -> str:
        """The address, as an Anthropic client wants it."""
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def openai(self) -> str:
        """The address, as an OpenAI client wants it."""
        return f"{self.url}/v1"

    @property
    def asked(self) -> list[Asked]:
        """The requests for an answer so far, in order."""
        with self._lock:
            return list(self._asked)

    @property
    def paths(self) -> list[str]:
        """The path of every request so far, whatever came of it."""
        with self._lock:
            return list(self._paths)

    @property
    def sent(self) -> list[float]:
        """When the last byte of each reply was on its way, as `time.monotonic()`: `asked[i + 1].at - sent[i]` is the
        client's own time between two of its requests. A client may have its reply before it is noted here."""
        with self._lock:
            return list(self._sent)

    @property
    def connections(self) -> int:
        """How many connections were opened so far."""
        return self._http.accepted

    def _came(self, path: str) -> None:
        with self._lock:
            self._paths.append(path)

    def _reply(self, path: str, headers: Mapping[str, str], content: bytes) -> tuple[Asked, Reply]:
        at, body = time.monotonic(), json.loads(content)
        with self._lock:
            asked = Asked(path, headers, body, len(content), at, len(self._asked))
            self._asked.append(asked)
        if not callable(self._script):
            over = Reply(status=500, message=f"The script has {len(self._script)} replies; this is one request more.")
            return asked, self._script[asked.number] if asked.number < len(self._script) else over
        try:
            return asked, self._script(asked)
        except Exception as error:  # noqa: BLE001 - an assertion of the test's, most likely; raised again at the end
            self._raised.append(error)
            return asked, Reply(status=500, message=f"The script failed: {error!r}")

    def _gone(self) -> None:
        with self._lock:
            self._sent.append(time.monotonic())


class _Wire(Protocol):
    def body(self, reply: Reply, asked: Asked) -> Json: ...

    def events(self, reply: Reply, asked: Asked) -> list[bytes]: ...

    def refusal(self, reply: Reply, asked: Asked) -> tuple[int, Json]: ...


_WIRES: Mapping[str, _Wire] = {
    "/v1/chat/completions": openai_wire,
    "/chat/completions": openai_wire,
    "/v1/messages": anthropic_wire,
}


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, model: ModelServer) -> None:
        self.model = model
        self.accepted = 0
        self.alive: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Exchange)

    def get_request(self) -> tuple[socket.socket, object]:
        self.accepted += 1
        return super().get_request()

    def hang_up(self) -> None:
        """End the connections that clients keep alive, so that no thread outlives the test."""
        for connection in list(self.alive):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that gives up is none of the server's business; a bug here is.
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()


class _Exchange(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.alive.add(self.connection)

    def finish(self) -> None:
        self.server.alive.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        """Answer a model's path by the script, and another as `extra` says."""
        model, path = self.server.model, self.path.partition("?")[0]
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        model._came(self.path)
        if self.command == "GET" or path not in _WIRES:
            known = model.extra.get(path)
            missing = {"error": {"message": f"Not Found: {path}", "type": "invalid_request_error", "code": None}}
            self.wfile.write(_message(404 if known is None else 200, {}, _json(missing if known is None else known)))
            return
        asked, reply = model._reply(path, {name.lower(): value for name, value in self.headers.items()}, content)
        written = _written(reply, asked, _WIRES[path])
        if reply.before and reply.held_after:
            ends = [found.end() for found in re.finditer(rb"\n\n\r\n", written)]
            first = ends[reply.held_after - 1]
            self.wfile.write(written[:first])
            written = written[first:]
        if reply.before:
            reply.before.wait()
        self.wfile.write(written)
        model._gone()
        if reply.cut_after is not None:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def do_POST(self) -> None:
        """The same."""
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


def _written(reply: Reply, asked: Asked, wire: _Wire) -> bytes:
    """All that is sent, head and body."""
    if reply.raw is not None:
        kind = "text/event-stream" if asked.stream else "application/json"
        return _message(reply.status, {"content-type": kind, **reply.headers}, reply.raw, reply.cut_after is not None)
    if isinstance(reply.error, str):
        return _message(reply.status, {"content-type": "text/plain", **reply.headers}, reply.error.encode())
    if reply.error is not None:
        return _message(reply.status, reply.headers, _json(reply.error))
    if reply.refused:
        status, error = wire.refusal(reply, asked)
        return _message(status, reply.headers, _json(error))
    if not asked.stream:
        return _message(200, reply.headers, _json(wire.body(reply, asked)), reply.cut_after is not None)
    # Chunked, so that the connection lives on after a stream as it does at the providers.
    events = wire.events(reply, asked)[: reply.cut_after]
    chunks = [f"{len(event):x}\r\n".encode() + event + b"\r\n" for event in events]
    end = b"" if reply.cut_after is not None and reply.done else b"0\r\n\r\n"
    headers = {"content-type": "text/event-stream", "transfer-encoding": "chunked", **reply.headers}
    return b"".join([_head(200, headers), *chunks, end])


def _message(status: int, headers: Mapping[str, str], content: bytes, cut: bool = False) -> bytes:
    told = {"content-type": "application/json", "content-length": str(len(content)), **headers}
    return _head(status, told) + content[: len(content) // 2 if cut else None]


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    # In lower case, so that a header of the reply's own takes the place of ours.
    told = {name.lower(): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}", *(f"{k}: {v}" for k, v in told.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _json(value: Json) -> bytes:
    return json.dumps(value).encode()


def main() -> None:
    """Serve a benchmark until SIGTERM or the end of the input."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--replies", type=int, default=100, help="how many requests to answer")
    parser.add_argument("--size", type=int, default=2_000, help="characters in each call's argument")
    parser.add_argument("--piece", type=int, default=16, help="characters of it in one event of the stream")
    given = parser.parse_args()
    texts = ((f"{turn} " * given.size)[: given.size] for turn in range(given.replies))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with ModelServer([Reply(calls=(Call("note", {"text": text}),), piece=given.piece) for text in texts]) as server:
        print(server.url, flush=True)
        with suppress(SystemExit):
            sys.stdin.read()
    asked, sent = server.asked, server.sent
    own = [1000 * (later.at - gone) for later, gone in zip(asked[1:], sent, strict=False)]
    print(json.dumps({"own_ms": own, "sizes": [each.size for each in asked]}))


if __name__ == "__main__":
    main()
