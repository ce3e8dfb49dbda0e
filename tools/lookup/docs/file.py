"""The file of the documentation's index: opened, made, and begun anew where it is damaged.

`$TRAINWRIGHT_HOME/cache/docs/index.db` is one SQLite file that several processes may use. One that is damaged is moved aside
and begun anew, and that is said. Of one that another version of this program made, the pages are kept and indexed anew. It is
emptied in its place: a file that is taken away under a process would be lost to it. What lies in it is the matter of `store`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from trainwright.graph.errors import StoreError
from trainwright.graph.settings import home
from trainwright.tools.http.folders import private_folder

from .markdown import VERSION as READER
from .store import Damaged, Index
from .words import VERSION as SPLITTER

__all__ = ["clear", "folder", "in_use", "lock_of", "size", "with_index"]

BUSY_SECONDS = 30.0
"""Seconds to wait for another process that writes."""

ALONE, IN_USE = ".index.lock", ".use.lock"
"""Files that are locked; no library has such a name."""

SCHEMA_VERSION = 10_000 * READER + 100 * SPLITTER + 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS libraries (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '',
    tag TEXT NOT NULL DEFAULT '', tried REAL NOT NULL DEFAULT 0, begun REAL NOT NULL DEFAULT 0,
    finished REAL NOT NULL DEFAULT 0,
    listed INTEGER NOT NULL DEFAULT 0, unread INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS pages (
    id INTEGER PRIMARY KEY, library INTEGER NOT NULL, path TEXT NOT NULL, title TEXT NOT NULL, place INTEGER NOT NULL,
    tag TEXT NOT NULL, digest TEXT NOT NULL, checked REAL NOT NULL, indexed INTEGER NOT NULL DEFAULT 0, text BLOB NOT NULL,
    UNIQUE (library, path)
);
CREATE INDEX IF NOT EXISTS waiting ON pages (id) WHERE indexed = 0;
CREATE TABLE sections (
    id INTEGER PRIMARY KEY, page INTEGER NOT NULL, level INTEGER NOT NULL, heading TEXT NOT NULL, above TEXT NOT NULL,
    anchor TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL
);
CREATE INDEX of_page ON sections (page);
CREATE TABLE words (word TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE VIRTUAL TABLE heads USING fts5 (library, title, heading, content = '', tokenize = 'unicode61');
CREATE VIRTUAL TABLE search USING fts5 (
    library, title, heading, body, parts, content = '', tokenize = 'unicode61', prefix = '3 4 5'
);
INSERT INTO search (search, rank) VALUES ('hashsize', 33554432)
"""
"""The beginnings of words have an index of their own: `tra*` stands for thousands of words. With more memory (32 MiB) for
what is not written yet, FTS5 has less to merge."""

FETCHED = ("pages", "libraries")
"""Tables of what was fetched; the rest is made from these."""

MADE = ("search", "heads", "words", "sections")

T = TypeVar("T")


def folder() -> Path:
    """Where the index is, whether or not it is there."""
    return home() / "cache" / "docs"


def with_index(use: Callable[[Index], T], notes: list[str]) -> T:
    """Do something with the index; once more with a new one where it is damaged.

    Args:
        use: does it.
        notes: gets what has to be said of the file itself.

    Raises:
        StoreError: the file can be neither read nor made.
    """
    for again in (False, True):
        try:
            index = _opened(notes)
        except Damaged as error:
            if again:
                raise StoreError(f"The index of the documentation in {folder()} cannot be used: {error}.") from error
            notes.append(_set_aside(error))
            continue
        try:
            return use(index)
        except (sqlite3.DatabaseError, Damaged) as error:
            if again or not _is_damage(error):
                raise _trouble(error) from error
            index.database.close()
            notes.append(_set_aside(error))
        finally:
            index.database.close()
    raise AssertionError("unreachable")


def _trouble(error: Exception) -> StoreError:
    return StoreError(
        f"The index of the documentation in {folder()} cannot be used: {error}.",
        hint="Another process may hold it, or the disk is full or read-only.",
    )


def _is_damage(error: Exception) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return str(error).startswith("no such")
    return isinstance(error, Damaged) or (
        isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError)
    )


def _opened(notes: list[str]) -> Index:
    path = folder() / "index.db"
    try:
        private_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _trouble(error) from error
    try:
        _prepare(database)
        if _version(database) != SCHEMA_VERSION:
            with _alone():
                kept = _make(database)
            if kept:
                notes.append(
                    "The index of the documentation was made by another version of this program: its "
                    f"{kept:,} pages were kept, and are indexed anew."
                )
    except sqlite3.DatabaseError as error:
        database.close()
        if _is_damage(error):
            raise Damaged(str(error)) from error
        raise _trouble(error) from error
    except BaseException:
        database.close()
        raise
    return Index(database)


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _prepare(database: sqlite3.Connection) -> None:
    until = time.monotonic() + BUSY_SECONDS
    while database.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:  # another process does the same: SQLite does not wait for that
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA cache_size = -65536")


def _make(database: sqlite3.Connection) -> int:
    """Make the tables; returns how many pages are kept where another version of this program had made them."""
    kept = 0
    database.execute("BEGIN IMMEDIATE")
    made = _version(database)
    if made != SCHEMA_VERSION:
        _make_anew(database, MADE)
        kept = _keep_pages(database, made // 10_000)
    database.execute("COMMIT")
    return kept


def _make_anew(database: sqlite3.Connection, names: Iterable[str]) -> None:
    for name in names:
        database.execute(f"DROP TABLE IF EXISTS {name}")
    for statement in SCHEMA.split(";"):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _keep_pages(database: sqlite3.Connection, reader: int) -> int:
    """Have the pages that are there indexed; where their texts were read in another way, have all fetched when next due."""
    if "unread" not in {row[1] for row in database.execute("PRAGMA table_info(libraries)")}:
        database.execute("ALTER TABLE libraries ADD COLUMN unread INTEGER NOT NULL DEFAULT 0")
    if reader != READER:
        database.execute("UPDATE libraries SET tag = ''")
        database.execute("UPDATE pages SET tag = '', digest = ''")
    return database.execute("UPDATE pages SET indexed = 0").rowcount


def size() -> int:
    """Bytes that the index takes, with one that was damaged and moved aside."""
    total = 0
    for path in folder().glob("index.*db*"):
        with contextlib.suppress(FileNotFoundError):  # SQLite removes its log when the last connection closes
            total += path.stat().st_size
    return total


class Cleared(NamedTuple):
    """What was forgotten: how many libraries, or an index that was damaged."""

    libraries: int = 0
    damaged: bool = False


def clear() -> Cleared:
    """Forget all documentation.

    Raises:
        StoreError: another process is building a library, or the file cannot be changed.
    """
    if not size():
        return Cleared()
    with _lock(IN_USE, fcntl.LOCK_EX | fcntl.LOCK_NB) as mine:
        if not mine:
            raise StoreError(
                f"The index of the documentation in {folder()} is being built; it was not removed.",
                hint="Try again when the other process is done.",
            )
        libraries = with_index(_emptied, [])
        aside = list(folder().glob("index.damaged.db*"))
        for path in aside:
            path.unlink(missing_ok=True)
        return Cleared(libraries, bool(aside))


def _emptied(index: Index) -> int:
    dropped = len(index.libraries())
    if dropped:
        with index.writing() as database:
            _make_anew(database, (*MADE, *FETCHED))
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint (TRUNCATE)")
    return dropped


@contextmanager
def in_use() -> Iterator[None]:
    """Keep the index from being cleared: who builds a library knows it by a number that another may have afterwards."""
    with _lock(IN_USE, fcntl.LOCK_SH):
        yield


def lock_of(library: str) -> Path:
    """The file that a process holds locked while it builds a library; its folder is made.

    Raises:
        StoreError: it cannot be made.
    """
    try:
        return private_folder(folder()) / f"{library}.lock"
    except OSError as error:
        raise _trouble(error) from error


@contextmanager
def _alone() -> Iterator[None]:
    with _lock(ALONE, fcntl.LOCK_EX):
        yield


@contextmanager
def _lock(name: str, how: int) -> Iterator[bool]:
    """Hold a lock of the folder; False where it is held by another and may not be waited for.

    Raises:
        StoreError: there can be none.
    """
    try:
        opened = (folder() / name).open("a")
    except OSError as error:
        raise _trouble(error) from error
    with opened as lock:
        try:
            fcntl.flock(lock, how)
        except BlockingIOError:
            yield False
        else:
            yield True


def _set_aside(error: Exception) -> str:
    """Move a damaged file away, unless another process has done so; what is to be said."""
    path = folder() / "index.db"
    aside = path.with_name("index.damaged.db")
    with _alone():
        if _is_sound(path):
            return "The index of the documentation was damaged, and has been begun anew by another process."
        for end in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + end).replace(aside.with_name(aside.name + end))
    return (
        f"The index of the documentation was damaged ({' '.join(str(error).split())[:100]}); it was moved to {aside}, "
        "and is built anew."
    )


def _is_sound(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    except sqlite3.Error:
        return False
    try:
        version = _version(database)
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
        if not version and not names:  # another process is about to make the tables
            return True
        checked = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        return version == SCHEMA_VERSION and names >= {*MADE, *FETCHED} and checked == "ok"
    except sqlite3.Error:
        return False
    finally:
        database.close()
