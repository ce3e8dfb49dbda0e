"""A stand-in for the Hub on loopback: the few routes that `datasets` asks for, over a folder of files.

It knows one data set at one commit; every other name is 404, and a gated one 403. It does no more than a real Hub
would for public files: no search, no upload.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

__all__ = ["COMMIT", "REPO", "serve"]

REPO, COMMIT = "someone/flowers", "c0ffee" + "0" * 34
API = re.compile(
    rf"/api/datasets/{REPO}(?:/(?P<what>revision|tree|paths-info)/(?P<revision>[^/?]+)(?P<path>[^?]*))?(?:\?.*)?"
)
RESOLVE = re.compile(rf"/datasets/{REPO}/resolve/(?P<revision>[^/]+)/(?P<path>[^?]+)")


class Hub(BaseHTTPRequestHandler):
    """Answers from `server.folder`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Metadata, listings and files."""
        api, file = API.fullmatch(self.path), RESOLVE.fullmatch(self.path)
        if self.path.startswith("/api/datasets/someone/gated"):
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "gated"})
        elif api and api["what"] in (None, "revision") and (api["revision"] or "main") in ("main", COMMIT):
            self._json(self._info())
        elif api and api["what"] == "tree":
            self._json([entry for entry in self._entries() if not api["path"].strip("/")])
        elif file and (self._folder / file["path"]).is_file():
            self._file(self._folder / file["path"])
        else:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound" if file else "RepoNotFound"})

    def do_HEAD(self) -> None:
        """The same without a body."""
        self.do_GET()

    def do_POST(self) -> None:
        """What some paths are."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        wanted = json.loads(body)["paths"] if body.startswith("{") else re.findall(r"paths=([^&]+)", body)
        self._json([entry for entry in self._entries() if entry["path"] in wanted])

    @property
    def _folder(self) -> Path:
        return self.server.folder  # type: ignore[attr-defined, no-any-return]

    def _entries(self) -> list[dict[str, Any]]:
        return [
            {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": _digest(path)[:40]}
            for path in sorted(self._folder.iterdir())
        ]

    def _info(self) -> dict[str, Any]:
        files = [{"rfilename": entry["path"]} for entry in self._entries()]
        card = {"license": "cc-by-4.0"}
        return {"_id": "1", "id": REPO, "sha": COMMIT, "private": False, "gated": False, "disabled": False, "tags": [],
                "downloads": 0, "likes": 0, "cardData": card, "siblings": files}  # fmt: skip

    def _file(self, path: Path) -> None:
        headers = {"ETag": f'"{_digest(path)[:40]}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        self._send(200, path.read_bytes(), headers)

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address of a stand-in that serves `folder` as the data set `REPO`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.folder = folder  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
