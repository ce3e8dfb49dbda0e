"""What the index of the documentation holds: libraries, pages, and an FTS5 index over the sections of the pages.

Each page's text lies there once, compressed; FTS5 keeps no text of its own (https://sqlite.org/fts5.html, contentless
tables). Titles and headings are indexed once more by themselves: a question whose words are everywhere is answered from
there, in a small part of the time. A page is written as soon as it is there and indexed with others later: what was
fetched survives a kill at any moment, and what is not indexed yet is indexed by whoever opens the file next.

The file itself is the matter of `file`. What is asked for and how it is ranked is decided in `searching`; where pages come
from, in `building`.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Literal, NamedTuple

from .markdown import Section, sections_of
from .words import parts_in, words_in

__all__ = ["Damaged", "Index", "Known", "Library", "PageRow", "Place", "digest_of", "library_token"]

Table = Literal["search", "heads"]
"""Everything of the sections, or their titles and headings alone."""

BATCH = 200
"""Pages that are indexed in one transaction."""

_INSERT = "INSERT INTO search (rowid, library, title, heading, body, parts) VALUES (?, ?, ?, ?, ?, ?)"
_DELETE = "INSERT INTO search (search, rowid, library, title, heading, body, parts) VALUES ('delete', ?, ?, ?, ?, ?, ?)"
_INSERT_HEAD = "INSERT INTO heads (rowid, library, title, heading) VALUES (?, ?, ?, ?)"
_DELETE_HEAD = "INSERT INTO heads (heads, rowid, library, title, heading) VALUES ('delete', ?, ?, ?, ?)"
_LIBRARY = "SELECT l.id, name, version, source, l.tag, tried, begun, finished, listed, unread"
_PAGE = "SELECT id, path, title, tag, digest, checked, place FROM pages"


class Library(NamedTuple):
    """What is known of a library; times in seconds since 1970, `finished` 0 while not all of its pages are there.

    `tag` is that of its whole documentation in one file, `tried` when it was last attempted to look at it, `listed` how
    many pages its list had, and `unread` how many of these could not be read when the others were.
    """

    id: int
    name: str
    version: str
    source: str
    tag: str
    tried: float
    begun: float
    finished: float
    listed: int
    unread: int
    pages: int


class Known(NamedTuple):
    """A page without its text. `tag` is the service's, `digest` that of the text as it came."""

    id: int
    path: str
    title: str
    tag: str
    digest: str
    checked: float
    place: int


class PageRow(NamedTuple):
    """A page with its text, as `clean` made it."""

    path: str
    title: str
    place: int
    tag: str
    digest: str
    text: str


class Place(NamedTuple):
    """Where a section stands: the number, path and title of its page, and what of the page it is."""

    page: int
    library: str
    path: str
    title: str
    section: Section


class Damaged(Exception):
    """The file cannot be read as an index."""


class Index:
    """The index, open. See `file.with_index`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self._words: set[str] = set()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield self.database
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def libraries(self) -> list[Library]:
        """All libraries of which something is there, by name."""
        rows = self.database.execute(
            f"{_LIBRARY}, count(p.id) FROM libraries l LEFT JOIN pages p ON p.library = l.id GROUP BY l.id ORDER BY name"
        )
        return [Library(*row) for row in rows]

    def library(self, name: str) -> Library | None:
        """One library; None where nothing of it is there."""
        row = self.database.execute(
            f"{_LIBRARY}, (SELECT count(*) FROM pages WHERE library = l.id) FROM libraries l WHERE name = ?",  # noqa: S608
            (name,),
        ).fetchone()
        return Library(*row) if row else None

    def begin(self, name: str) -> Library:
        """The record of a library, made where there is none."""
        self.database.execute("INSERT OR IGNORE INTO libraries (name) VALUES (?)", (name,))
        library = self.library(name)
        assert library is not None
        return library

    def note(self, library: Library, **values: object) -> None:
        """Set columns of a library's record."""
        columns = ", ".join(f"{name} = ?" for name in values)
        self.database.execute(f"UPDATE libraries SET {columns} WHERE id = ?", (*values.values(), library.id))  # noqa: S608

    def pages(self, library: Library) -> list[Known]:
        """The pages of a library, in the order of its list."""
        rows = self.database.execute(f"{_PAGE} WHERE library = ? ORDER BY place, path", (library.id,))
        return [Known(*row) for row in rows]

    def page(self, library: Library, path: str) -> tuple[Known, str] | None:
        """One page with its text."""
        row = self.database.execute(
            f"{_PAGE.replace(' FROM', ', text FROM')} WHERE library = ? AND path = ?", (library.id, path)
        ).fetchone()
        return (Known(*row[:-1]), _unpacked(row[-1])) if row else None

    def put(self, library: Library, page: PageRow, now: float) -> None:
        """Write a page, and take an older text of it out of the index. `index_waiting` indexes it."""
        with self.writing() as database:
            row = database.execute(
                "SELECT id FROM pages WHERE library = ? AND path = ?", (library.id, page.path)
            ).fetchone()
            if row:
                self._take_out(row[0], library)
            database.execute(
                "INSERT OR REPLACE INTO pages (id, library, path, title, place, tag, digest, checked, text)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    row[0] if row else None, library.id, page.path, page.title, page.place, page.tag, page.digest, now,
                    zlib.compress(page.text.encode("utf-8", "replace"), 1),
                ),
            )  # fmt: skip

    def confirm(self, known: Known, now: float, place: int) -> None:
        """A page is as it was."""
        self.database.execute("UPDATE pages SET checked = ?, place = ? WHERE id = ?", (now, place, known.id))

    def remove(self, library: Library, pages: Iterable[Known]) -> None:
        """Forget pages."""
        with self.writing() as database:
            for known in pages:
                self._take_out(known.id, library)
                database.execute("DELETE FROM pages WHERE id = ?", (known.id,))

    def index_waiting(self, go_on: Callable[[], bool]) -> int:
        """Index the pages that are not, as long as `go_on`, asked after each batch, says so; returns how many are left."""
        left = self._waiting()
        while left:
            with self.writing() as database:
                rows = database.execute(
                    "SELECT p.id, l.id, p.title, p.text FROM pages p JOIN libraries l ON l.id = p.library"
                    " WHERE indexed = 0 ORDER BY p.id LIMIT ?",
                    (BATCH,),
                ).fetchall()
                for page, library, title, text in rows:
                    self._put_in(page, library, title, _unpacked(text))
            left = self._waiting() if rows else 0
            if left and not go_on():
                break
        return left

    def _waiting(self) -> int:
        return int(self.database.execute("SELECT count(*) FROM pages WHERE indexed = 0").fetchone()[0])

    def _put_in(self, page: int, library: int, title: str, text: str) -> None:
        database = self.database
        first = database.execute("SELECT coalesce(max(id), 0) + 1 FROM sections").fetchone()[0]
        sections = sections_of(text, title)
        database.executemany(
            "INSERT INTO sections VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ((first + n, page, s.level, s.heading, s.above, s.anchor, s.start, s.end) for n, s in enumerate(sections)),
        )
        rows = [(first + n, *_columns(library, title, section, text)) for n, section in enumerate(sections)]
        database.executemany(_INSERT, rows)
        database.executemany(_INSERT_HEAD, (row[:4] for row in rows))
        new = words_in(text) - self._words
        self._words |= new
        database.executemany("INSERT OR IGNORE INTO words VALUES (?)", ((word,) for word in sorted(new)))
        database.execute("UPDATE pages SET indexed = 1 WHERE id = ?", (page,))

    def _take_out(self, page: int, library: Library) -> None:
        row = self.database.execute("SELECT title, text, indexed FROM pages WHERE id = ?", (page,)).fetchone()
        if row and row[2]:
            # A table without content must be told what it had: the same values are made again from the page's text.
            text = _unpacked(row[1])
            for identity, section in self.sections(page):
                columns = _columns(library.id, row[0], section, text)
                self.database.execute(_DELETE, (identity, *columns))
                self.database.execute(_DELETE_HEAD, (identity, *columns[:3]))
            self.database.execute("DELETE FROM sections WHERE page = ?", (page,))

    def sections(self, page: int) -> list[tuple[int, Section]]:
        """The sections of a page that is indexed, with their numbers in the index."""
        rows = self.database.execute(
            "SELECT id, level, heading, above, anchor, start, stop FROM sections WHERE page = ? ORDER BY id", (page,)
        )
        return [(row[0], Section(*row[1:])) for row in rows]

    def matches(self, query: str, most: int, table: Table = "search") -> list[int]:
        """Numbers of sections that match, in the order of the index, up to `most`."""
        rows = self.database.execute(
            f"SELECT rowid FROM {table} WHERE {table} MATCH ? LIMIT ?",  # noqa: S608
            (query, most),
        )
        return [row[0] for row in rows]

    def ranked(
        self, query: str, weights: Sequence[float], most: int, rows: Sequence[int], table: Table = "search",
        only: bool = False,
    ) -> list[int]:  # fmt: skip
        """Numbers of the sections that match best, of those from the first to the last of `rows`, or `only` of these."""
        if not rows:
            return []
        # The plus sign keeps SQLite from asking the index once for each of them.
        few = " AND +rowid IN (SELECT value FROM json_each(?))" if only else ""
        found = self.database.execute(
            f"SELECT rowid FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ?{few}"  # noqa: S608
            f" ORDER BY bm25({table}, {', '.join(map(str, weights))}), rowid LIMIT ?",
            (query, rows[0], rows[-1], *([json.dumps(rows)] if only else ()), most),
        )
        return [row[0] for row in found]

    def place(self, number: int) -> Place | None:
        """Where a section is."""
        row = self.database.execute(
            "SELECT p.id, l.name, p.path, p.title, s.level, s.heading, s.above, s.anchor, s.start, s.stop FROM sections s"
            " JOIN pages p ON p.id = s.page JOIN libraries l ON l.id = p.library WHERE s.id = ?",
            (number,),
        ).fetchone()
        return Place(row[0], row[1], row[2], row[3], Section(*row[4:])) if row else None

    def text_of(self, page: int) -> str:
        """The text of a page that is there."""
        row = self.database.execute("SELECT text FROM pages WHERE id = ?", (page,)).fetchone()
        return _unpacked(row[0]) if row else ""

    def words_like(self, word: str) -> list[str]:
        """Words of the index among which the one may be that was meant."""
        found: list[str] = []
        for letter in dict.fromkeys(word[:2]):
            rows = self.database.execute(
                "SELECT word FROM words WHERE word >= ? AND word < ? AND length(word) BETWEEN ? AND ?",
                (letter, chr(ord(letter) + 1), len(word) - 2, len(word) + 2),
            )
            found += [row[0] for row in rows]
        return found


def _columns(library: int, title: str, section: Section, text: str) -> tuple[str, str, str, str, str]:
    body = text[section.start : section.end]
    heading = f"{section.above} {section.heading} {section.anchor}"
    return library_token(library), title, heading, body, parts_in(f"{section.heading} {body}")


def library_token(library: int) -> str:
    """The word under which the sections of a library are found: FTS5 takes it for one, and no question can hold it."""
    return f"\ue000{library}"


def _unpacked(text: bytes) -> str:
    try:
        return zlib.decompress(text).decode()
    except (zlib.error, UnicodeDecodeError, TypeError) as error:
        raise Damaged(str(error)) from error


def digest_of(text: str) -> str:
    """The digest of a page as it came."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
