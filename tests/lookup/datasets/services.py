"""The Hub and its dataset viewer on loopback, in their real formats, with data sets of our own."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.standin import Asked, Canned, StandIn

TEXT = {"dtype": "string", "_type": "Value"}
WHOLE = {"dtype": "int64", "_type": "Value"}


@dataclass
class Repository:
    """A data set: its files, its card as data, and what the viewer has of it."""

    id: str
    files: dict[str, bytes] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)
    gated: Any = False
    tags: list[str] = field(default_factory=list)
    revisions: dict[str, dict[str, bytes]] = field(default_factory=dict)
    moved_from: str = ""
    viewer: Viewer | None = None
    why_not: tuple[int, str, str] = (404, "DisabledViewerError", "The dataset viewer is disabled.")

    def commit(self, revision: str) -> str:
        """The commit of a branch."""
        name = "main" if revision in ("main", _sha(f"{self.id} main")) else revision
        return _sha(f"{self.id} {name}")

    def content(self, revision: str) -> dict[str, bytes] | None:
        """The files of a branch or commit."""
        for name, files in {"main": self.files, **self.revisions}.items():
            if revision in (name, _sha(f"{self.id} {name}")):
                return files
        return None


@dataclass
class Viewer:
    """What the viewer has: configuration to split to rows, and the types."""

    rows: dict[str, dict[str, list[dict[str, Any]]]]
    features: dict[str, Any]
    statistics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    partial: bool = False
    pending: list[dict[str, str]] = field(default_factory=list)
    cut_cells: dict[int, list[str]] = field(default_factory=dict)
    revision: str = ""


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def parquet(rows: list[dict[str, Any]], features: Mapping[str, Any] | None = None, **options: Any) -> bytes:
    """A Parquet file; with features, as `datasets` writes them into the schema."""
    table = pa.Table.from_pylist(rows)
    if features:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    """One object a line."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


class Services:
    """The two services over a stand-in."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.repositories: dict[str, Repository] = {}
        standin.route("GET", "/api/datasets", self._search)
        standin.route("GET", "/api/datasets/*", self._info)
        standin.route("GET", "/datasets/*", self._file)
        for name in ("splits", "size", "info", "first-rows", "statistics"):
            standin.route("GET", f"/viewer/{name}", self._viewer)

    def add(self, repository: Repository) -> Repository:
        """Serve a data set."""
        self.repositories[repository.id] = repository
        if repository.moved_from:
            self.repositories[repository.moved_from] = repository
        return repository

    def asked(self, part: str) -> list[Asked]:
        """The requests whose path holds a text."""
        return [one for one in self.standin.requests if part in one.path]

    def _search(self, asked: Asked) -> Canned | list[Any]:
        found = [self._described(one, "main") for one in self.repositories.values()]
        wanted = asked.query.get("filter", [])
        found = [one for one in found if all(tag in one["tags"] for tag in wanted)]
        return found[: int(asked.query.get("limit", ["100"])[0])]

    def _described(self, repository: Repository, revision: str) -> dict[str, Any]:
        files = repository.content(revision) or {}
        return {
            "_id": "1", "id": repository.id, "author": repository.id.partition("/")[0], "private": False,
            "sha": repository.commit(revision), "gated": repository.gated, "disabled": False, "downloads": 1234,
            "likes": 56, "lastModified": "2026-05-04T10:20:30.000Z", "createdAt": "2025-01-01T00:00:00.000Z",
            "tags": repository.tags, "cardData": repository.card,
            "siblings": [{"rfilename": path, "size": len(content), "blobId": _sha(path)} for path, content in files.items()],
        }  # fmt: skip

    def _info(self, asked: Asked) -> Canned | dict[str, Any]:
        name, _, revision = asked.path.removeprefix("/api/datasets/").partition("/revision/")
        repository = self.repositories.get(name)
        if repository is None:
            return Canned({"error": "Repository not found"}, 404, headers={"X-Error-Code": "RepoNotFound"})
        if name != repository.id:
            return Canned(b"", 307, headers={"Location": asked.path.replace(name, repository.id) + "?blobs=True"})
        if repository.content(revision or "main") is None:
            return Canned({"error": "Invalid rev id"}, 404, headers={"X-Error-Code": "RevisionNotFound"})
        return self._described(repository, revision or "main")

    def _file(self, asked: Asked) -> Canned:
        name, _, rest = asked.path.removeprefix("/datasets/").partition("/resolve/")
        repository = self.repositories[name]
        for revision in ("main", *repository.revisions):
            commit = _sha(f"{repository.id} {revision}")
            if rest.startswith(f"{commit}/"):
                path = rest.removeprefix(f"{commit}/")
                if repository.gated and path != "README.md":
                    return Canned({"error": "gated"}, 401, headers={"X-Error-Code": "GatedRepo"})
                content = (repository.content(revision) or {})[path]
                return ranged(content, asked.headers.get("range", ""))
        return Canned({"error": "Entry not found"}, 404)

    def _viewer(self, asked: Asked) -> Canned | dict[str, Any]:
        what = asked.path.rpartition("/")[2]
        repository = self.repositories.get(asked.query["dataset"][0])
        if repository is None or repository.viewer is None:
            status, code, message = repository.why_not if repository else (404, "DatasetNotFoundError", "Not found.")
            return Canned({"error": message}, status, headers={"X-Error-Code": code})
        viewer = repository.viewer
        config, split = (asked.query.get(key, [""])[0] for key in ("config", "split"))
        where = {"dataset": repository.id, "config": config, "split": split}
        answers = {
            "splits": lambda: self._splits(repository.id, viewer),
            "size": lambda: self._size(repository.id, viewer),
            "info": lambda: {
                "dataset_info": {"features": viewer.features, "config_name": config},
                "partial": viewer.partial,
            },
            "first-rows": lambda: {
                **where,
                "features": [
                    {"feature_idx": i, "name": n, "type": t} for i, (n, t) in enumerate(viewer.features.items())
                ],
                "rows": [
                    {"row_idx": i, "row": row, "truncated_cells": viewer.cut_cells.get(i, [])}
                    for i, row in enumerate(viewer.rows[config][split][:100])
                ],
                "truncated": False,
            },
            "statistics": lambda: {
                "num_examples": viewer.counts.get(f"{config}/{split}", 3),
                "statistics": viewer.statistics.get(f"{config}/{split}", []),
                "partial": viewer.partial,
            },
        }
        revision = viewer.revision or repository.commit("main")
        return Canned(answers[what](), headers={"X-Revision": revision})

    @staticmethod
    def _splits(name: str, viewer: Viewer) -> dict[str, Any]:
        listed = [{"dataset": name, "config": c, "split": s} for c, splits in viewer.rows.items() for s in splits]
        return {"splits": listed, "pending": viewer.pending, "failed": []}

    @staticmethod
    def _size(name: str, viewer: Viewer) -> dict[str, Any]:
        splits = [
            {"dataset": name, "config": c, "split": s, "num_bytes_parquet_files": 100, "num_bytes_memory": 1000,
             "num_rows": viewer.counts.get(f"{c}/{s}", len(rows)), "num_columns": len(viewer.features)}
            for c, splits in viewer.rows.items() for s, rows in splits.items()
        ]  # fmt: skip
        return {
            "size": {"dataset": {}, "configs": [], "splits": splits},
            "pending": [],
            "failed": [],
            "partial": viewer.partial,
        }


def ranged(content: bytes, stated: str) -> Canned:
    """The bytes that a request asks for, as a server of files sends them."""
    if not stated:
        return Canned(content, media="application/octet-stream")
    start, _, end = stated.removeprefix("bytes=").partition("-")
    piece = content[int(start) : int(end) + 1]
    headers = {"Content-Range": f"bytes {start}-{int(start) + len(piece) - 1}/{len(content)}"}
    return Canned(piece, 206, media="application/octet-stream", headers=headers)
