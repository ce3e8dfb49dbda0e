"""The one way to open the run database for plain SQL: runs, effects and ledger share it with the checkpoints.

Every connection is write-ahead logged and fully synchronous, so that what was committed survives a power cut, and
the file is readable by its owner alone. Connections are short-lived: one a unit of work, closed at its end. This
module knows no tables; each service creates its own.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .errors import StoreError
from .settings import database_path

__all__ = [
    "BUSY_SECONDS",
    "PRAGMAS",
    "add_columns",
    "busy_seconds",
    "create_private",
    "exists",
    "store_error",
    "transaction",
]

BUSY_SECONDS = 30.0
"""How long a writer waits for another before it gives up; `$TRAINWRIGHT_BUSY_SECONDS` says otherwise."""

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=1000",  # pages of 4 KiB: from there on the log is written over from its beginning
    "PRAGMA journal_size_limit=4194304",
)
"""What every connection says first. Log and limit are SQLite's own default and the same 4 MiB in bytes."""


def busy_seconds() -> float:
    """How long a writer waits for another, in seconds."""
    try:
        return max(0.0, float(os.environ.get("TRAINWRIGHT_BUSY_SECONDS", BUSY_SECONDS)))
    except ValueError:
        return BUSY_SECONDS


def create_private(path: Path) -> None:
    """Create `path` (mode 0600) and its folder (mode 0700) unless they exist.

    Raises:
        StoreError: they cannot be created.
    """
    with _reached(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def exists(path: Path) -> bool:
    """Whether there is a database.

    Raises:
        StoreError: its place cannot be looked at.
    """
    with _reached(path):
        return path.exists()


@contextmanager
def _reached(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StoreError(
            f"The run database {path} cannot be opened: {error.strerror or error}.",
            hint=_full(path.parent) if full else "Set TRAINWRIGHT_HOME to a folder that you can write to.",
        ) from error


@contextmanager
def transaction(schema: str, path: Path | None = None, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
    """A write transaction, begun immediately: what is read inside cannot be changed by another before the commit.

    Args:
        schema: `CREATE TABLE IF NOT EXISTS …` statements of the calling service; for columns that came later see
            `add_columns`.
        path: the database file; the one of `TRAINWRIGHT_HOME` when None.
        durable: False for what a power cut may take (never a kill): it is not forced to the disk by itself.

    Raises:
        StoreError: the database is locked for longer than `busy_seconds`, read-only, damaged, or the disk is full.
    """
    file = path or database_path()
    create_private(file)
    try:
        connection = sqlite3.connect(file, timeout=busy_seconds(), isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            for pragma in PRAGMAS if durable else (*PRAGMAS, "PRAGMA synchronous=NORMAL"):
                connection.execute(pragma)
            connection.executescript(schema)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk ends a transaction by itself
                    connection.execute("ROLLBACK")
                raise
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise store_error(error, file) from error


def add_columns(db: sqlite3.Connection, table: str, columns: Mapping[str, str]) -> None:
    """Give an old table the columns that newer releases write; nothing happens where they are there already.

    The convention for a table that grows: its `CREATE TABLE IF NOT EXISTS` names every column of today, and the
    service calls this, first thing inside its `transaction`, with those that came later. Nothing is ever dropped or
    renamed, so that an older release goes on reading the same file.

    Args:
        db: a connection inside `transaction`: two processes that start at once add a column once.
        table: name of an existing table.
        columns: column name to its declaration. SQLite adds a `NOT NULL` column only with a constant `DEFAULT`.
    """
    known = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    for name, declaration in columns.items():
        if name not in known:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {declaration}")


def store_error(error: sqlite3.Error, path: Path | None = None) -> StoreError:
    """What SQLite says, as an error for a person."""
    file = path or database_path()
    return StoreError(f"The run database {file} cannot be used: {error}.", hint=_mend(error, file))


def _mend(error: sqlite3.Error, file: Path) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "Another process holds it; try again when that one is done. Nothing was lost."
    if primary == sqlite3.SQLITE_FULL:
        return _full(file.parent)
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return f"Make {file.parent} and what is in it writable, or set TRAINWRIGHT_HOME to another folder."
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return (
            "The file is damaged: move it away and restore a copy, or save what can be read with "
            f"`sqlite3 {file.name} .recover`. The folders of the runs are not affected."
        )
    if primary == sqlite3.SQLITE_IOERR:
        return (
            f"The disk that holds {file.parent} may be full, over a quota, or failing; resume the run once it is not."
        )
    return "`trainwright doctor` says more."


def _full(folder: Path) -> str:
    return f"The disk that holds {folder} is full, or at its quota; free some space and resume the run."
