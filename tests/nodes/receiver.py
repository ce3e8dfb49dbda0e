"""A real server on this machine that takes notices, and does wrong what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from trainwright.graph.configuration import config_path


class Receiver:
    """What arrived, in order; and what happens to the next requests.

    Attributes:
        port: where it listens on 127.0.0.1.
        arrived: the body of every request, with its `path`.
        faults: taken from the front, one a request: a status code, `hang` (no answer while the server lives), `drip`
            (an answer that never ends); when there is none, 200.
        came: set by each request before it is answered.
    """

    def __init__(self, port: int) -> None:
        self.port, self.arrived, self.faults = port, list[dict[str, Any]](), list[int | str]()
        self.came, self.over = threading.Event(), threading.Event()

    def url(self, place: str = "", schema: str = "json") -> str:
        """Its address as Apprise writes it."""
        return f"{schema}://127.0.0.1:{self.port}/{place}"

    @property
    def bodies(self) -> list[str]:
        """The text of every notice."""
        return [notice["message"] for notice in self.arrived]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.headers["Content-Type"] == "application/json":
                notice = json.loads(raw)
            else:
                notice = {key: value[0] for key, value in parse_qs(raw).items()}
            fault = receiver.faults.pop(0) if receiver.faults else 200
            receiver.arrived.append({**notice, "path": self.path})
            receiver.came.set()
            if fault == "hang":
                receiver.over.wait()
                return
            self.send_response(200 if fault == "drip" else int(fault))
            self.flush_headers()
            while fault == "drip" and not receiver.over.wait(0.05):
                self.wfile.write(b"X-More: 1\r\n")
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Nothing on the screen."""

        def handle(self) -> None:
            with suppress(ConnectionError):  # who was told nothing in time has gone
                super().handle()

    return Handler


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A server for as long as it is needed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    receiver = Receiver(server.server_address[1])
    server.RequestHandlerClass = _handler(receiver)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        serving.join()


def notify(*urls: str, on: tuple[str, ...] = ()) -> None:
    """Write the section `[notify]` of the configuration file."""
    path = config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    occasions = f"on = {json.dumps(list(on))}\n" if on else ""
    path.write_text(f"[notify]\nurls = {json.dumps(list(urls))}\n{occasions}", encoding="utf-8")
