"""The index of the cache: one SQLite file that several processes share, begun anew where it is damaged.

Trouble never leaves this module: where there is no index that can be used, there is none, which is said once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from .folders import private_folder

__all__ = ["Index"]

BUSY_SECONDS = 5.0
"""Seconds to wait for another process that writes."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL, headers TEXT NOT NULL,
    digest TEXT NOT NULL, size INTEGER NOT NULL, fetched REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON entries (used, size);
CREATE INDEX IF NOT EXISTS by_age ON entries (fetched);
CREATE INDEX IF NOT EXISTS by_digest ON entries (digest)
"""
VERSION = 1
_log = logging.getLogger(__name__)


class Index:
    """The index in one folder; safe for threads. Nothing is opened or made before it is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._open: sqlite3.Connection | None = None
        self._said = False

    @contextmanager
    def transaction(self, write: bool = False) -> Iterator[sqlite3.Connection | None]:
        """The database, in one transaction where `write`; None where there is none that can be used."""
        with self._lock:
            try:
                index = self._connected()
                if write:
                    index.execute("BEGIN IMMEDIATE")
            except (sqlite3.Error, OSError) as error:
                self._trouble(error)
                yield None
                return
            try:
                yield index
                if write:
                    index.execute("COMMIT")
            except (sqlite3.Error, OSError) as error:
                self._trouble(error)
            finally:
                if self._open is not None and index.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        index.execute("ROLLBACK")

    def _connected(self) -> sqlite3.Connection:
        if self._open is not None and not (self.folder / "index.sqlite").exists():
            self.close()  # somebody removed the folder
        if self._open is None:
            try:
                self._open = self._connect()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._begin_anew(error)
                self._open = self._connect()
        return self._open

    def _connect(self) -> sqlite3.Connection:
        path = self.folder / "index.sqlite"
        try:
            private_folder(self.folder)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            index = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        except OSError:
            if not path.exists():
                raise
            # On a disk that cannot be written, what is there can still be read.
            return sqlite3.connect(f"file:{quote(str(path))}?immutable=1", uri=True, check_same_thread=False)
        try:
            _prepare(index)
        except BaseException:
            index.close()
            raise
        return index

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    def _trouble(self, error: Exception) -> None:
        """Begin anew where the index is damaged; otherwise say once that nothing is kept."""
        if _is_damage(error):
            self._begin_anew(error)
        elif not self._said:
            self._said = True
            _log.warning(
                "Nothing can be kept in the cache %s: %s. Answers are asked for each time.", self.folder, error
            )

    def _begin_anew(self, error: Exception) -> None:
        _log.debug("the cache's index is damaged, and begun anew: %s", error)
        self.close()
        for name in ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm"):
            with contextlib.suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)


def _is_damage(error: Exception) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return str(error).startswith("no such")  # a table or a column
    return isinstance(error, sqlite3.DatabaseError)


def _prepare(index: sqlite3.Connection) -> None:
    for again in range(20):
        try:
            index.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:  # another process does the same: SQLite does not wait for that
            if "locked" not in str(error) or again == 19:
                raise
            time.sleep(0.05)
    index.execute("PRAGMA synchronous = NORMAL")
    if index.execute("PRAGMA user_version").fetchone()[0] == VERSION:
        return
    index.execute("BEGIN IMMEDIATE")
    if index.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        index.execute("DROP TABLE IF EXISTS entries")
        for statement in SCHEMA.split(";"):
            index.execute(statement)
        index.execute(f"PRAGMA user_version = {VERSION}")
    index.execute("COMMIT")
