"""The table of runs: readable name, thread, status, what waits. Plain sqlite3, so that listing runs is quick.

A row is a view for people; the truth of a run is its checkpoints. Only what a run begins with, request and settings,
is read back from here: a run that was killed before its first checkpoint begins again from its row. The driver writes
the row before the graph starts, and the first node of the graph where there is none, so a run that was begun in
LangGraph Studio has one too. This module does not import LangGraph or Pydantic.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from .database import exists, transaction
from .errors import RequestError, RunNotFound
from .settings import database_path

__all__ = ["SCHEMA", "RunRow", "Runs", "now", "open_runs", "slug"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    name TEXT PRIMARY KEY, thread_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, stage TEXT NOT NULL DEFAULT '',
    steps INTEGER NOT NULL DEFAULT 0, waiting TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    data TEXT NOT NULL DEFAULT '', paper TEXT NOT NULL DEFAULT '', goal TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '', result TEXT, pid INTEGER NOT NULL DEFAULT 0,
    request TEXT, settings TEXT
);
"""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}[a-z0-9]|[a-z0-9]")


def now() -> str:
    """The present, UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def slug(text: str, limit: int = 24) -> str:
    """`text` as a part of a name: lower-case letters, digits and hyphens, at most `limit` of them."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:limit].strip("-")


@dataclass(frozen=True)
class RunRow:
    """One run as the terminal lists it. Times are UTC, ISO 8601."""

    name: str
    thread_id: str
    status: str
    stage: str
    steps: int
    waiting: dict[str, Any] | None
    created_at: str
    updated_at: str
    data: str
    paper: str
    goal: str
    reason: str
    result: dict[str, Any] | None
    pid: int
    request: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None

    @property
    def alive(self) -> bool:
        """Whether the process that last drove the run still exists."""
        if self.pid <= 0:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class Runs:
    """The runs of one database."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(
        self,
        thread_id: str,
        wanted: str,
        base: str,
        request: Mapping[str, str],
        settings: Mapping[str, Any] | None = None,
    ) -> str:
        """The name of the run of `thread_id`; the first call chooses and stores it, later calls return it.

        Args:
            thread_id: the LangGraph thread.
            wanted: the name that the person asked for, or empty.
            base: what to derive a name from when `wanted` is empty; four random hex digits follow it.
            request: `data`, `paper` and `goal`, for the list; stored whole.
            settings: how the run works; stored whole.

        Raises:
            RequestError: `wanted` is taken, or is no name.
        """
        with transaction(SCHEMA, self.path) as db:
            row = db.execute("SELECT name FROM runs WHERE thread_id=?", (thread_id,)).fetchone()
            if row is not None:
                return str(row["name"])
            if wanted:
                check_name(wanted)
                if db.execute("SELECT 1 FROM runs WHERE name=?", (wanted,)).fetchone():
                    raise RequestError(f"There is a run named {wanted} already.", hint="Choose another --name.")
            name = wanted or f"{slug(base, 40) or 'run'}-{secrets.token_hex(2)}"
            while not wanted and db.execute("SELECT 1 FROM runs WHERE name=?", (name,)).fetchone():
                name = f"{slug(base, 40) or 'run'}-{secrets.token_hex(3)}"
            db.execute(
                "INSERT INTO runs (name, thread_id, status, created_at, updated_at, data, paper, goal, pid, request, "
                "settings) VALUES (?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    thread_id,
                    now(),
                    now(),
                    *(request.get(k, "")[:500] for k in ("data", "paper", "goal")),
                    os.getpid(),
                    json.dumps(dict(request)),
                    json.dumps(dict(settings or {})),
                ),
            )
            return name

    def update(self, name: str, **fields: Any) -> None:
        """Set columns of a run; dictionaries are stored as JSON. The row notes the present and this process."""
        with transaction(SCHEMA, self.path) as db:
            self.write(db, name, **fields)

    @staticmethod
    def write(db: Connection, name: str, **fields: Any) -> None:
        """`update` inside a transaction that the caller has open."""
        values = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in fields.items()}
        values |= {"updated_at": now(), "pid": os.getpid()}
        columns = ", ".join(f"{key}=?" for key in values)
        db.execute(f"UPDATE runs SET {columns} WHERE name=?", (*values.values(), name))  # noqa: S608 - our own keys

    def list(self) -> list[RunRow]:
        """All runs, the latest first."""
        if not exists(self.path):
            return []
        with transaction(SCHEMA, self.path) as db:
            rows = db.execute("SELECT * FROM runs ORDER BY created_at DESC, rowid DESC").fetchall()
        return [_row(dict(row)) for row in rows]

    def get(self, name: str) -> RunRow:
        """The run of exactly that name.

        Raises:
            RunNotFound: there is none.
        """
        return self._one(name, [row for row in self.list() if row.name == name])

    def of_thread(self, thread_id: str) -> RunRow | None:
        """The run of a LangGraph thread, or None."""
        return next((row for row in self.list() if row.thread_id == thread_id), None)

    def resolve(self, prefix: str) -> RunRow:
        """The run of that name, or the only one whose name begins so.

        Raises:
            RunNotFound: none or several match; the message lists them.
        """
        rows = self.list()
        exact = [row for row in rows if row.name == prefix]
        return self._one(prefix, exact or [row for row in rows if prefix and row.name.startswith(prefix)])

    def _one(self, name: str, found: Sequence[RunRow]) -> RunRow:
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(row.name for row in found[:8])
            raise RunNotFound(f"{len(found)} runs begin with {name!r}: {names}.", hint="Give more of the name.")
        raise RunNotFound(f"There is no run named {name!r}.", hint="`trainwright runs` lists them.")


def check_name(name: str) -> None:
    """Refuse what cannot be a run's name and a folder's name at once.

    Raises:
        RequestError: with the rule.
    """
    if not NAME.fullmatch(name) or ".." in name:
        raise RequestError(
            f"{name[:80]!r} cannot be the name of a run.",
            hint="Use 1 to 64 lower-case letters, digits, dots, hyphens and underscores; no punctuation at the ends.",
        )


def _row(values: dict[str, Any]) -> RunRow:
    """The row; columns that a newer release added are left out."""
    known = {field.name: values[field.name] for field in fields(RunRow)}
    for key in ("waiting", "result", "request", "settings"):
        known[key] = json.loads(known[key]) if known[key] else None
    return RunRow(**known)


def open_runs(path: Path | None = None) -> Runs:
    """The runs of `TRAINWRIGHT_HOME`, or of another database file."""
    return Runs(path or database_path())
