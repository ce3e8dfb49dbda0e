"""Searching the documentation: by words, names and beginnings of names, with what may be meant where a word is unknown.

Sections are ranked by BM25, with titles, headings and names above the text. All words must be in a section; where none has
them all, beginnings of words are tried, then sections with some of them, and the answer says so. A library that is not
indexed yet, or was not looked at for a week, is built first where the network may be used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from trainwright.graph.errors import NotCached, RemoteError, RequestError
from trainwright.tools.http import fetch_json, is_offline
from trainwright.tools.http.situation import check_stopped, why_offline
from trainwright.tools.lookup.found import Source

from .building import Progress, build, is_fresh
from .file import with_index
from .markdown import plain
from .places import DOCS, library_name, page_address, page_name
from .records import Close, Hit, Hits
from .store import Index, Library
from .words import Term, close_to, snippet, terms_of

__all__ = ["fresh_enough", "search"]

MOST_HITS = 50
PER_PAGE = 3
"""Sections of one page in an answer, as long as other pages have some."""

WEIGHTS = (0.0, 5.0, 8.0, 1.0, 2.0)
"""Of library, title, headings, text, and parts of names."""

RANKED = 4_000
"""Sections that are ranked; of a word that more have, first those that have it in a heading."""

BUILD_SECONDS = 120.0
"""How long a question waits for a library to be built; what is not there by then comes with the next one."""

AGAIN = 300.0
"""Seconds before a library that is old or not complete, and of which something is there, is tried again by a question."""

SNIPPET = 260
"""Characters of a section that a hit shows."""


def search(query: str, library: str = "", limit: int = 10, *, progress: Progress = lambda *_: None) -> Hits:
    """Sections for a question.

    Args:
        query: words and names; a `*` behind a word takes it for a beginning, quotation marks hold words together.
        library: only this one; everything that is indexed when empty.
        limit: sections, at most 50.
        progress: is told how far a library is that has to be built first.

    Raises:
        RequestError: that is no library's name.
        NotCached: offline, and nothing is indexed.
        RemoteError: it is not indexed, and cannot be had.
    """
    found = Hits()
    if limit > MOST_HITS:
        found.notes.append(f"At most {MOST_HITS} are given, not {limit}.")
    name = library_name(library) if library else ""
    if name:
        fresh_enough(name, found.sources, found.notes, progress)
    with_index(lambda index: _search(index, found, query, name, max(1, min(limit, MOST_HITS))), found.notes)
    return found


def fresh_enough(name: str, sources: list[Source], notes: list[str], progress: Progress = lambda *_: None) -> None:
    """Build or refresh a library where that is due and the network may be used; adds who was asked, and what is to be said.

    Raises:
        NotCached: offline, and nothing of it is indexed.
        RemoteError: it cannot be had, and nothing of it is there.
    """
    known = with_index(lambda index: index.library(name), notes)
    if is_fresh(known):
        return
    if is_offline():
        if known is None or not known.pages:
            raise NotCached(
                f"The documentation of {name} is not indexed, and nothing was sent, since {why_offline()} was given.",
                hint=f"Run `trainwright lookup docs update --library {name}` once without it; after that it works offline.",
            )
        notes.append(f"{_state(known)} Nothing is fetched offline.")
        return
    if known and known.pages and 0 <= time.time() - known.tried < AGAIN:
        notes.append(
            f"{_state(known)} That was tried not long ago; `trainwright lookup docs update` tries it again now."
        )
        return
    done = build(name, progress, seconds=BUILD_SECONDS)
    sources += done.sources
    if known is None and done.changed:
        notes.append(f"{name} was not indexed yet: {done.changed:,} pages were read and indexed.")
    notes += done.notes


def _state(known: Library) -> str:
    if not known.finished:
        return f"The index of {known.name} is not complete: {known.pages:,} of {known.listed:,} pages are there."
    return f"The index of {known.name} is {(time.time() - known.finished) / 86_400:.0f} days old and is due to be looked at."


def _search(index: Index, found: Hits, query: str, name: str, limit: int) -> None:
    index.index_waiting()
    libraries = index.libraries()
    terms = terms_of(query)
    if not terms:
        found.notes.append("There is no word in that to search for.")
        return
    chosen = [one for one in libraries if one.name == name] if name else libraries
    if not chosen or not any(one.pages for one in chosen):
        _ask_hub(found, query, limit)
        return
    numbers = _numbers(index, found, terms, f"library : lib{chosen[0].id} AND " if name else "", limit)
    found.hits = list(_shown(index, numbers, terms, limit))
    found.sources.append(
        Source(name="the index of the documentation", address=", ".join(_named(one) for one in chosen))
    )
    if not name and not found.hits:
        _ask_hub(found, query, limit)


def _named(library: Library) -> str:
    return f"{library.name} {library.version}".strip()


def _numbers(index: Index, found: Hits, terms: Sequence[Term], within: str, limit: int) -> list[int]:
    """Sections in their order: with all words, else with beginnings of them, else with some."""
    most = 4 * limit + 20
    numbers = _ranked(index, within, " AND ".join(term.query() for term in terms), most)
    if not numbers:
        found.unknown = list(_unknown(index, terms, within))
        numbers = _ranked(index, within, " AND ".join(term.query(beginning=True) for term in terms), most)
        if numbers:
            found.notes.append("No section has just these words; these have words that begin so.")
    if not numbers and len(terms) > 1:
        numbers = _ranked(index, within, "(" + " OR ".join(term.query() for term in terms) + ")", most)
        if numbers:
            found.notes.append("No section has all of these words; these have some.")
    return numbers


def _ranked(index: Index, within: str, query: str, most: int) -> list[int]:
    """The best sections. Ranking takes time in proportion to what matches, so it is given no more than `RANKED`."""
    matches = index.matches(within + query, RANKED + 1)
    if len(matches) <= RANKED:
        return index.ranked(within + query, WEIGHTS, most) if matches else []
    headed = f"{within}{{title heading}} : ({query})"
    in_headings = index.matches(headed, RANKED + 1)
    if len(in_headings) <= RANKED:
        best = index.ranked(headed, WEIGHTS, most) if in_headings else []
        return best if len(best) >= most else [*best, *(n for n in matches[: 2 * most] if n not in best)]
    return index.ranked(headed, WEIGHTS, most, last=in_headings[RANKED - 1])


def _unknown(index: Index, terms: Sequence[Term], within: str) -> Iterator[Close]:
    """The words that no section has, and known ones that are spelt alike."""
    for term in terms:
        if not term.beginning and not index.matches(within + term.query(), 1):
            close = {
                piece: close_to(piece, index.words_like(piece))
                for piece in term.pieces
                if len(piece) > 3 and not index.matches(f'{within}"{piece}"', 1)
            }
            meant = [
                term.asked.lower().replace(piece, other) for piece, others in close.items() for other in others
                if index.matches(f'{within}"{other}"', 1)
            ]  # fmt: skip
            if meant:
                yield Close(word=term.asked, close=meant[:3])


def _shown(index: Index, numbers: Sequence[int], terms: Sequence[Term], limit: int) -> Iterator[Hit]:
    seen: set[tuple[str, str]] = set()
    on_page: dict[str, int] = {}
    left = limit
    for strict in (True, False):
        for number in numbers:
            shown = index.shown(number) if left else None
            if shown is None:
                continue
            library, path, title, section, text = shown
            page, key = f"{library}/{path}", (f"{library}/{path}", section.anchor)
            if key in seen or (strict and on_page.get(page, 0) >= PER_PAGE):
                continue
            seen.add(key)
            on_page[page] = on_page.get(page, 0) + 1
            left -= 1
            body = text.partition("\n")[2] if text.startswith("#") else text
            above = section.above.removeprefix(title).removeprefix(" > ")
            yield Hit(
                page=page, section=section.heading, above=above, text=snippet(body, terms, SNIPPET),
                address=page_address(library, path, "" if section.level == 1 else section.anchor),
            )  # fmt: skip


def _ask_hub(found: Hits, query: str, limit: int) -> None:
    """The Hub's own search by meaning, for where nothing is indexed or nothing was found.

    Raises:
        RemoteError: it cannot be asked, and nothing is indexed.
    """
    nothing = not found.sources
    try:
        value, answer = fetch_json("api/docs/search", service=DOCS, params={"q": query[:250]}, limit=4 * 2**20)
    except RemoteError as error:
        check_stopped()
        if nothing:
            hint = "`trainwright lookup docs update --library NAME` builds the index of a library."
            raise type(error)(f"No documentation is indexed yet. {error.message}", hint=hint) from error
        found.notes.append(f"The Hub's own search could not be asked: {error.message}")
        return
    found.hits = list(_hits_of(value))[:limit]
    found.sources.append(answer.source())
    found.notes.append("These are from the Hub's own search; name a library to have it indexed and searched here.")


def _hits_of(value: object) -> Iterator[Hit]:
    for item in value if isinstance(value, list) else ():
        if not isinstance(item, dict):
            continue
        try:
            library, path, anchor = page_name(str(item.get("source_page_url", "")))
        except RequestError:  # an address of another kind: no page of documentation
            continue
        headings = [plain(str(item[key])) for key in ("heading1", "heading2", "heading3") if item.get(key)]
        text = " ".join(str(item.get("text", "")).split())
        yield Hit(
            page=f"{library}/{path}", section=headings[-1] if headings else path, above=" > ".join(headings[:-1]),
            address=page_address(library, path, anchor), text=text[:SNIPPET] + (" …" if len(text) > SNIPPET else ""),
        )  # fmt: skip
