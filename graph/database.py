"""The one way to open the run database for plain SQL: runs, effects and ledger share it with the checkpoints.

Every connection is write-ahead logged and fully synchronous, so that what was committed survives a power cut, and
the file is readable by its owner alone. Connections are short-lived: one a unit of work, closed at its end. This
module knows no tables; each service creates its own.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import StoreError
from .settings import database_path

__all__ = ["BUSY_SECONDS", "PRAGMAS", "store_error", "transaction"]

BUSY_SECONDS = 30.0
"""How long a writer waits for another before it gives up."""

PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA journal_size_limit=4194304")


def create_private(path: Path) -> None:
    """Create `path` (mode 0600) and its folder (mode 0700) unless they exist."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


@contextmanager
def transaction(schema: str, path: Path | None = None, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
    """A write transaction, begun immediately: what is read inside cannot be changed by another before the commit.

    Args:
        schema: `CREATE TABLE IF NOT EXISTS …` statements of the calling service.
        path: the database file; the one of `TRAINWRIGHT_HOME` when None.
        durable: False for what a power cut may take (never a kill): it is not forced to the disk by itself.

    Raises:
        StoreError: the database is locked for longer than `BUSY_SECONDS`, read-only, damaged, or the disk is full.
    """
    file = path or database_path()
    try:
        create_private(file)
        connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            for pragma in PRAGMAS if durable else (*PRAGMAS, "PRAGMA synchronous=NORMAL"):
                connection.execute(pragma)
            connection.executescript(schema)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise store_error(error, file) from error
    except OSError as error:
        raise StoreError(
            f"The run database {file} cannot be opened: {error.strerror or error}.",
            hint="Set TRAINWRIGHT_HOME to a folder that you can write to.",
        ) from error


def store_error(error: sqlite3.Error, path: Path | None = None) -> StoreError:
    """What SQLite says, as an error for a person."""
    file = path or database_path()
    return StoreError(f"The run database {file} cannot be used: {error}.", hint=_mend(str(error), file.parent))


def _mend(error: str, folder: Path) -> str:
    if "locked" in error:
        return "Another process holds it; try again when that one is done."
    if "full" in error:
        return f"The disk that holds {folder} is full; free some space and resume the run."
    if "readonly" in error or "read-only" in error:
        return f"Make {folder} writable, or set TRAINWRIGHT_HOME to another folder."
    if "malformed" in error or "not a database" in error:
        return "The file is damaged; move it away and restore a copy. The run folders are not affected."
    return "`trainwright doctor` says more."
