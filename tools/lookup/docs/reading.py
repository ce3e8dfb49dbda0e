"""Reading the documentation: which libraries there are, the pages of one, a page by section.

What is indexed is read from the index; a page or a list that is not, is fetched by itself and kept in the cache. A library
that is not complete is completed by `update` or `search`, not here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from trainwright.graph.errors import NotFound, RemoteError
from trainwright.tools.http import fetch, fetch_json, is_offline
from trainwright.tools.http.situation import check_stopped
from trainwright.tools.lookup.found import Source, part_of, parts_of

from .building import is_fresh
from .file import with_index
from .markdown import Section, clean, sections_of
from .origins import Hub
from .places import DOCS, KNOWN, Listed, library_name, page_address, page_name, root_of
from .records import Contents, Entry, Libraries, LibraryState, Listing, Reading
from .store import Index, Library

__all__ = ["libraries", "pages", "read", "state_of"]

PART = 8_000
"""Characters of a page in one answer."""

PAGES = 60
"""Pages in one part of a list."""

SECTIONS = 80
"""Entries of a page's table of contents."""


def libraries() -> Libraries:
    """The libraries that the Hub documents, and what of them is indexed."""
    found = Libraries()
    names: dict[str, str] = {}
    try:
        value, answer = fetch_json("api/docs", service=DOCS, limit=4 * 2**20)
        found.sources.append(answer.source())
        names = _named(value)
        if not names:
            found.notes.append("The Hub's list of libraries is empty or of another form; a built-in list stands here.")
    except RemoteError as error:
        check_stopped()
        found.notes.append(f"{error.message} A built-in list of libraries stands here.")
    states = with_index(_states, found.notes)
    found.indexed = [state.model_copy(update={"about": names.get(state.name, "")}) for state in states]
    there = {state.name for state in states}
    found.others = sorted(name for name in (names or dict.fromkeys(KNOWN, "")) if name not in there)
    return found


def _named(value: object) -> dict[str, str]:
    """Names and categories in the Hub's list: {"id": …, "url": "/docs/…", "category": …}."""
    found: dict[str, str] = {}
    for item in value[:500] if isinstance(value, list) else ():
        name = item.get("id") if isinstance(item, dict) else None
        if isinstance(name, str) and str(item.get("url", "")).rstrip("/").endswith(f"{root_of(name)}"):
            found[name] = " ".join(str(item.get("category", "")).split())[:60]
    return found


def _states(index: Index) -> list[LibraryState]:
    return [state_of(library) for library in index.libraries() if library.pages]


def state_of(library: Library) -> LibraryState:
    """A library's record for a reader."""
    return LibraryState(
        name=library.name,
        version=library.version,
        pages=library.pages,
        days=round(max(time.time() - library.finished, 0.0) / 86_400, 1) if library.finished else None,
        left=library.unread if library.finished >= library.begun else max(library.listed - library.pages, 0),
    )


def pages(library: str, part: int = 1) -> Contents:
    """The pages of a library, in the order of its table of contents.

    Raises:
        RequestError: that is no library's name.
        NotFound: the Hub has no such library.
    """
    name = library_name(library)
    notes: list[str] = []
    known = with_index(lambda index: _listed(index, name), notes)
    if known and known[0].finished:
        row, listed = known
        version, sources = row.version, [Source(name="the index of the documentation")]
        if not is_fresh(row):
            notes.append(
                f"The index of {name} was last looked at {(time.time() - row.finished) / 86_400:.0f} days ago."
            )
    else:
        listing = Hub().listing(name)
        version, listed, sources = listing.version, listing.pages, [listing.answer.source()]
    pages = [listed[at : at + PAGES] for at in range(0, max(len(listed), 1), PAGES)]
    shown = part_of(pages, part, f"the list of {name}")
    return Contents(
        library=name, version=version, total=len(listed), part=part, parts=len(pages), sources=sources, notes=notes,
        pages=[Listing(page=f"{name}/{one.path}", title=one.title) for one in shown],
    )  # fmt: skip


def _listed(index: Index, name: str) -> tuple[Library, list[Listed]] | None:
    library = index.library(name)
    if library is None:
        return None
    return library, [Listed(page.path, page.title) for page in index.pages(library)]


class _Page(NamedTuple):
    title: str
    version: str
    text: str
    sections: Sequence[Section]
    source: Source
    notes: list[str]


def read(page: str, section: str = "", part: int = 1) -> Reading:
    """A page, or one section with those below it.

    Args:
        page: library/path, or the page's address on the Hub; the anchor of an address names a section.
        section: its heading, the beginning of it, or its anchor.
        part: long texts come in parts of 8,000 characters.

    Raises:
        RequestError: that is no page of the Hub's documentation.
        NotFound: there is no such page, or no such section; what there is, is listed.
    """
    library, path, anchor = page_name(page)
    notes: list[str] = []
    there = with_index(lambda index: _indexed(index, library, path), notes) or _fetched(library, path)
    wanted = section or anchor
    chosen = _chosen(there.sections, wanted, f"{library}/{path}") if wanted else None
    text = there.text[chosen.start : _end(there.sections, chosen)] if chosen else there.text
    parts = parts_of(text, PART)
    shown = part_of(parts, part, f"{library}/{path}")
    listed = [Entry(section=s.heading, level=s.level, characters=s.end - s.start) for s in there.sections]
    notes += there.notes
    if not chosen and part == 1 and len(listed) > SECTIONS:
        notes.append(f"The first {SECTIONS} of {len(listed):,} sections are listed.")
    return Reading(
        page=f"{library}/{path}", title=there.title, section=chosen.heading if chosen else "", version=there.version,
        address=page_address(library, path, chosen.anchor if chosen and chosen.level > 1 else ""),
        part=part, parts=len(parts), text=shown, sources=[there.source], notes=notes,
        sections=listed[:SECTIONS] if not chosen and part == 1 and len(listed) > 1 else [],
    )  # fmt: skip


def _indexed(index: Index, library: str, path: str) -> _Page | None:
    row = index.library(library)
    found = index.page(row, path) if row else None
    if row is None or found is None:
        return None
    known, text = found
    notes = []
    if not is_fresh(row) and row.finished:
        notes.append(f"The index of {library} was last looked at {(time.time() - row.finished) / 86_400:.0f} days ago.")
    source = Source(name=row.source, address=page_address(library, path), cached=True, stale=not is_fresh(row))
    return _Page(known.title, row.version, text, sections_of(text, known.title), source, notes)


def _fetched(library: str, path: str) -> _Page:
    """One page by itself, from the Hub or the cache."""
    try:
        answer = fetch(f"{root_of(library)}/{path}.md", service=DOCS)
    except NotFound as error:
        hint = "" if is_offline() else f"`pages` lists the pages of {library}."
        raise NotFound(f"There is no page {library}/{path} in the Hub's documentation.", hint=hint) from error
    if answer.media == "text/html":
        raise NotFound(f"The Hub has {library}/{path} as a web page, but not as Markdown.", hint="Fetch it with `web`.")
    text = clean(answer.text)
    sections = sections_of(text, path)
    return _Page(sections[0].heading, "", text, sections, answer.source(), [])


def _chosen(sections: Sequence[Section], wanted: str, page: str) -> Section:
    """The section that is meant: by anchor, by heading, by its beginning, by a part of it; the first of several."""
    key = _key(wanted.rpartition(" > ")[2] or wanted)
    tests: tuple[Callable[[Section], bool], ...] = (
        lambda s: s.anchor == wanted.lstrip("#") or s.heading == wanted,
        lambda s: _key(s.heading) == key or s.anchor.lower() == wanted.lstrip("#").lower(),
        lambda s: s.anchor.rpartition(".")[2].lower() == key,
        lambda s: _key(s.heading).startswith(key),
        lambda s: key in _key(s.heading),
    )
    for test in tests if key else ():
        for section in sections:
            if test(section):
                return section
    there = ", ".join(dict.fromkeys(section.heading for section in sections))
    raise NotFound(f"{page} has no section {wanted[:100]!r}.", hint=f"There are: {there[:1_500]}.")


def _key(text: str) -> str:
    return " ".join(text.lower().strip("# ").split())


def _end(sections: Sequence[Section], chosen: Section) -> int:
    """Where the section ends, with those below it."""
    later = sections[sections.index(chosen) + 1 :]
    return next((one.start for one in later if one.level <= chosen.level), sections[-1].end)
