"""What a person tells a run while it works: kept in the run database, read by the engineer at its next turn.

The state of the run holds the number of the last message that the engineer was given, in the same checkpoint as the
turn, so that none is lost or given twice. This module does not decide who may tell.
"""

from __future__ import annotations

from sqlite3 import Connection
from typing import NamedTuple

from .database import transaction
from .errors import RequestError
from .redaction import redact
from .runs import now

__all__ = ["SCHEMA", "Telling", "of_run", "read", "tell"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS tellings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL
);
"""
LONGEST = 4_000
"""Characters of a message."""


class Telling(NamedTuple):
    """One message: its number, what was said, and when (UTC, ISO 8601)."""

    id: int
    text: str
    at: str


def tell(run: str, text: str) -> int:
    """Keep a message for the engineer of a run; its number.

    Raises:
        RequestError: it is empty or longer than 4,000 characters.
    """
    said = text.strip()
    if not said or len(said) > LONGEST:
        raise RequestError(
            f"A message has 1 to {LONGEST:,} characters; this one has {len(said):,}.", hint="Nothing was kept."
        )
    with transaction(SCHEMA) as db:
        row = db.execute("INSERT INTO tellings (run, text, at) VALUES (?, ?, ?)", (run, redact(said), now()))
        return int(row.lastrowid or 0)


def of_run(run: str, after: int = 0) -> list[Telling]:
    """The messages to a run behind number `after`, in order."""
    with transaction(SCHEMA) as db:
        return read(db, run, after)


def read(db: Connection, run: str, after: int) -> list[Telling]:
    """`of_run` inside a transaction that the caller has open."""
    rows = db.execute("SELECT id, text, at FROM tellings WHERE run=? AND id>? ORDER BY id", (run, after))
    return [Telling(row["id"], row["text"], row["at"]) for row in rows.fetchall()]
