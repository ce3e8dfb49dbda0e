"""Answers and derived values on the disk: found by a digest, verified by another, limited in size and age.

`$TRAINWRIGHT_HOME/cache/http` holds an index in SQLite, which several processes share, and the bodies as files that
are named by their digest. A damaged or missing part is as if it had never been there; a disk that is full or read-only
only means that nothing is kept, which is said once in the log. No request header and no token is stored: what was got
with a token is found only with that very token, through a digest.

`kept` is for values that are costly to derive, such as the text of a paper. When an answer is fresh is decided by who
asks; whether it may be kept, by `client`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from trainwright.graph.errors import RequestError, StoreError

from .folders import cache_folder, private_folder
from .index import Index
from .once import one_at_a_time
from .service import can_be_sent

__all__ = ["Cache", "Entry", "Usage", "cache_of", "kept", "key_of"]

SHARE = 0.9
"""How much of the limit is left when the cache was full: not every new answer has to make room."""

TOUCH_SECONDS = 60.0
"""A use is noted at most this often, so that reading rarely writes."""

TIDY_SECONDS = 3600.0
"""How often old entries are looked for."""

LARGEST = 64 * 2**20
"""Bytes of the largest body that is kept."""

CUT = "x-trainwright-cut"
"""Stands among the headers of a body that was cut."""

VIA = "x-trainwright-via"
"""The addresses that redirected, parted by blanks."""

HEADERS = (CUT, VIA, "content-type", "etag", "last-modified", "link", "content-disposition", "x-total-count", "x-repo-commit",
           "x-linked-etag", "x-linked-size", "content-language", "x-ratelimit-remaining", "x-error-code")  # fmt: skip
"""Headers of an answer that are kept."""

IN_KEY = ("accept", "authorization", "x-api-key", "cookie", "range", "accept-language")
"""Headers of a request on which the answer may depend."""

READ = ("url", "headers", "digest", "fetched", "used")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """An answer on the disk; `fetched` in seconds since 1970."""

    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    fetched: float

    @property
    def validators(self) -> dict[str, str]:
        """What a request carries to learn whether the answer has changed; empty where the service gave nothing usable."""
        pairs = (("etag", "if-none-match"), ("last-modified", "if-modified-since"))
        return {header: self.headers[name] for name, header in pairs if can_be_sent(self.headers.get(name, ""))}


@dataclass(frozen=True)
class Usage:
    """How much of what is on the disk: number and bytes by kind or service, and the limits."""

    folder: Path
    entries: int
    bytes: int
    limit_bytes: int
    limit_days: float
    oldest: float | None
    by_name: Mapping[str, tuple[int, int]]


def key_of(method: str, address: str, headers: Mapping[str, str], body: bytes | None, cut: int | None = None) -> str:
    """The key of an answer; a token is in it only as part of a digest. `cut`: where a longer body is cut."""
    parts = [method, address, *(headers.get(name, "") for name in IN_KEY), "" if cut is None else str(cut)]
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape"))
    digest.update(b"\0" + hashlib.sha256(body or b"").digest())
    return digest.hexdigest()


def kept(kind: str, digest: str, make: Callable[[], bytes]) -> bytes:
    """A derived value from the disk, made and kept where it is not there.

    Args:
        kind: what it is and which version of the code makes it, such as `paper-text-3`.
        digest: of everything that it is made from.
        make: makes it.
    """
    key = hashlib.sha256(f"kept\0{kind}\0{digest}".encode()).hexdigest()
    with one_at_a_time(key):
        entry = cache_of().get(key)
        if entry is not None:
            return entry.body
        value = make()
        cache_of().put(key, kind, "", {}, value, kind="kept")
    return value


_lock = threading.Lock()
_caches: dict[tuple[int, Path], Cache] = {}


def cache_of() -> Cache:
    """The cache of this person, opened at most once in a process."""
    place = (os.getpid(), cache_folder())
    with _lock:
        if place not in _caches:
            for known in [known for known in _caches if known[0] == place[0]]:
                _caches.pop(known).close()  # the home has changed; connections of a parent process are left alone
            _caches[place] = Cache(place[1])
        return _caches[place]


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)  # another thread of the parent may have held it


class Cache:
    """The index and the bodies of one folder. Safe for threads; several processes may use the same folder.

    Args:
        folder: where they are; made when something is kept.
        max_bytes, max_days: the limits; those of the configuration when None.
    """

    def __init__(self, folder: Path, max_bytes: int | None = None, max_days: float | None = None) -> None:
        self.folder = folder
        self._given = (max_bytes, max_days)
        self._index = Index(folder)

    @property
    def limits(self) -> tuple[int, float]:
        """Bytes, and days since an answer was fetched or last confirmed."""
        size, days = self._given
        if size is not None and days is not None:
            return size, days
        usual = _configured()
        return size or usual[0], days or usual[1]

    def get(self, key: str) -> Entry | None:
        """What is kept under a key, verified; None where it is not there or damaged."""
        if not self.folder.exists():
            return None
        row: Sequence[Any] | None = None
        with self._index.transaction() as index:
            if index is not None:
                row = index.execute(f"SELECT {', '.join(READ)} FROM entries WHERE key = ?", (key,)).fetchone()  # noqa: S608
        if row is None:
            return None
        now = time.time()
        try:
            entry, used = self._entry(row, now)
        except (OSError, ValueError, TypeError) as error:
            _log.debug("an entry of the cache is damaged, and forgotten: %s", error)
            self._forget("key = ?", key)
            return None
        if not 0 <= now - used <= TOUCH_SECONDS:
            self._write("UPDATE entries SET used = ? WHERE key = ?", now, key)
        return entry

    def _entry(self, row: Sequence[Any], now: float) -> tuple[Entry, float]:
        url, headers, digest = str(row[0]), json.loads(row[1]), str(row[2])
        body = self._body(digest).read_bytes()
        if hashlib.sha256(body).hexdigest() != digest or not isinstance(headers, dict):
            raise ValueError("another content than was kept")
        return Entry(url, headers, body, min(float(row[3]), now)), float(row[4])

    def put(
        self, key: str, name: str, url: str, headers: Mapping[str, str], content: bytes | Path, kind: str = "http"
    ) -> None:
        """Keep a body, given as bytes or as a file, unless it is larger than `LARGEST` or a quarter of the room."""
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        if size > min(self.limits[0] // 4, LARGEST):
            return
        body = content.read_bytes() if isinstance(content, Path) else content
        digest = hashlib.sha256(body).hexdigest()
        few = json.dumps({name: value for name, value in headers.items() if name in HEADERS})
        now = time.time()
        with self._index.transaction(write=True) as index:
            if index is not None:
                self._store(self._body(digest), body)
                self._drop(index, "key = ? AND digest != ?", key, digest)
                row = (key, kind, name, url, few, digest, size, now, now)
                index.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
                self._tidy_sometimes(index, now)
                self._make_room(index)

    def confirm(self, key: str) -> None:
        """The service says that this answer has not changed: it is as fresh as a new one."""
        now = time.time()
        self._write("UPDATE entries SET fetched = ?, used = ? WHERE key = ?", now, now, key)

    def forget_address(self, url: str) -> None:
        """Drop the answers of an address, given as it is kept: without secrets."""
        self._forget("url = ?", url)

    def clear(self) -> int:
        """Drop everything; returns the number of entries that there were.

        Raises:
            StoreError: that cannot be done.
        """

        def drop(index: sqlite3.Connection) -> int:
            dropped = self._drop(index, "1")
            self._sweep(index, 0.0)
            return dropped

        return self._emptied(drop)

    def prune(self, now: float | None = None) -> int:
        """Drop what is too old, what is too much and what a crash left; returns the number of entries dropped.

        Raises:
            StoreError: that cannot be done.
        """
        when = time.time() if now is None else now
        return self._emptied(lambda index: self._tidy(index, when) + self._make_room(index))

    def _emptied(self, drop: Callable[[sqlite3.Connection], int]) -> int:
        """Elsewhere a cache that cannot be used is as if there were none; whoever wants it emptied must hear of it."""
        dropped: int | None = None if self.folder.exists() else 0
        if dropped is None:
            with self._index.transaction(write=True) as index:
                if index is not None:
                    dropped = drop(index)
        if dropped is None:
            raise StoreError(
                f"The cache {self.folder} cannot be changed; nothing was removed.",
                hint="Another program may be using it, or the disk is full or read-only. Try again, or remove the folder.",
            )
        return dropped

    def _tidy_sometimes(self, index: sqlite3.Connection, now: float) -> None:
        mark = self.folder / "tidied"
        if not mark.exists() or abs(now - mark.stat().st_mtime) > TIDY_SECONDS:
            mark.touch(mode=0o600)
            os.utime(mark, (now, now))
            self._tidy(index, now)

    def _tidy(self, index: sqlite3.Connection, now: float) -> int:
        dropped = self._drop(index, "fetched < ?", now - self.limits[1] * 86_400)
        self._sweep(index, TIDY_SECONDS)
        return dropped

    def _sweep(self, index: sqlite3.Connection, age: float) -> None:
        """Remove files that no entry has, and that are older than so many seconds: a crash may leave some."""
        known = {str(row[0]) for row in index.execute("SELECT DISTINCT digest FROM entries")}
        for path in (self.folder / "bodies").glob("*/*"):
            with contextlib.suppress(OSError):
                if path.name not in known and time.time() - path.stat().st_mtime >= age:
                    path.unlink()

    def usage(self) -> Usage:
        """What is on the disk."""
        limit, days = self.limits
        by_name: dict[str, tuple[int, int]] = {}
        oldest = None
        if self.folder.exists():
            with self._index.transaction() as index:
                if index is not None:
                    rows = index.execute("SELECT name, count(*), sum(size) FROM entries GROUP BY name ORDER BY 3 DESC")
                    by_name = {str(name): (int(count), int(size)) for name, count, size in rows}
                    oldest = index.execute("SELECT min(fetched) FROM entries").fetchone()[0]
        count, size = sum(c for c, _ in by_name.values()), sum(s for _, s in by_name.values())
        return Usage(self.folder, count, size, limit, days, oldest, by_name)

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    def _body(self, digest: str) -> Path:
        if len(digest) != 64 or not digest.isalnum():
            raise ValueError("no digest")
        return self.folder / "bodies" / digest[:2] / digest

    def _store(self, path: Path, body: bytes) -> None:
        private_folder(path.parent)
        with NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:  # mode 0600
            try:
                file.write(body)
                file.close()
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise

    def _make_room(self, index: sqlite3.Connection) -> int:
        limit = self.limits[0]
        total = int(index.execute("SELECT coalesce(sum(size), 0) FROM entries").fetchone()[0])
        if total <= limit:
            return 0
        last = 0.0
        for used, size in index.execute("SELECT used, size FROM entries ORDER BY used"):
            total -= int(size)
            last = float(used)
            if total <= limit * SHARE:
                break
        return self._drop(index, "used <= ?", last)

    def _drop(self, index: sqlite3.Connection, where: str, *values: object) -> int:
        digests = {str(row[0]) for row in index.execute(f"SELECT digest FROM entries WHERE {where}", values)}  # noqa: S608
        dropped = index.execute(f"DELETE FROM entries WHERE {where}", values).rowcount  # noqa: S608
        for digest in digests:
            if index.execute("SELECT 1 FROM entries WHERE digest = ? LIMIT 1", (digest,)).fetchone() is None:
                with contextlib.suppress(OSError, ValueError):
                    self._body(digest).unlink(missing_ok=True)
        return dropped

    def _forget(self, where: str, *values: object) -> int:
        if not self.folder.exists():
            return 0
        dropped = 0
        with self._index.transaction(write=True) as index:
            if index is not None:
                dropped = self._drop(index, where, *values)
        return dropped

    def _write(self, statement: str, *values: object) -> None:
        with self._index.transaction(write=True) as index:
            if index is not None:
                index.execute(statement, values)


def _configured() -> tuple[int, float]:
    from trainwright.graph.configuration import config_path

    path = config_path()
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _limits_of(path, changed)


@lru_cache(maxsize=4)
def _limits_of(path: Path, changed: int) -> tuple[int, float]:
    """The limits of the configuration, read again when the file has changed."""
    from trainwright.graph.configuration import Cache as Section
    from trainwright.graph.configuration import load_configuration

    try:
        section = load_configuration().cache
    except RequestError as error:
        section = Section.model_validate({})
        _log.warning("The usual limits of the cache are used, since the configuration cannot be: %s", error)
    return section.max_mib * 2**20, float(section.max_days)
