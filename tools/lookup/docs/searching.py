"""Searching the documentation: by words, names and beginnings of names, with what may be meant where a word is unknown.

Sections are ranked by BM25, with titles, headings and names above the text. All words must be in a section; where none has
them all, beginnings of words are tried, then sections with some of them, and the answer says so. Of words that very many
sections have, only the headings are ranked, so that no question takes long, which the answer says too. A library that is not
indexed yet, or was not looked at for a week, is built first where the network may be used.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from trainwright.graph.errors import NotCached, RemoteError, RequestError
from trainwright.tools.http import fetch_json, is_offline
from trainwright.tools.http.situation import check_stopped, seconds_left, why_offline
from trainwright.tools.lookup.found import Source

from .building import Progress, build, is_fresh, until
from .file import with_index
from .markdown import plain
from .places import DOCS, library_name, page_address, page_name
from .records import Close, Hit, Hits
from .store import Index, Library, Place, library_token
from .words import MOST_TERMS, Term, close_to, snippet, terms_of

__all__ = ["fresh_enough", "search"]

MOST_HITS = 50
PER_PAGE = 3
"""Sections of one page in an answer, as long as other pages have some."""

WEIGHTS = (0.0, 5.0, 8.0, 1.0, 2.0)
"""Of library, title, headings, text, and parts of names."""

RANKED = 3_000
"""Sections that are ranked by everything that stands in them; of words that more have, the headings alone are ranked."""

HEADED = 15_000
"""Sections that are ranked by their headings."""

FILLED = 2_000
"""Sections with all words, but not all of them in a heading, that are ranked by their headings to fill up an answer."""

SUGGESTED = 3
"""Unknown words to which known ones are looked for that are spelt alike."""

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
    deadline = time.monotonic() + min(BUILD_SECONDS, seconds_left())
    if name:
        fresh_enough(name, found.sources, found.notes, progress)

    def ask(index: Index) -> None:
        if left := index.index_waiting(until(deadline)):
            found.notes.append(f"{left:,} pages are there, but not indexed yet; ask again for what they hold.")
        _search(index, found, query, name, max(1, min(limit, MOST_HITS)))

    with_index(ask, found.notes)
    return found


def fresh_enough(name: str, sources: list[Source], notes: list[str], progress: Progress = lambda *_: None) -> None:
    """Build or refresh a library where that is due and the network may be used; adds who was asked, and what is to be said.

    Raises:
        NotCached: offline, and nothing of it is indexed.
        RemoteError: it cannot be had, and nothing of it is there.
    """
    known = with_index(lambda index: index.library(name), notes)
    if known and is_fresh(known):
        if known.unread:
            notes.append(
                f"Pages of {name} that could not be read and are missing or older: {known.unread:,}; "
                f"`trainwright lookup docs update {name}` tries them again."
            )
        return
    if is_offline():
        if known is None or not known.pages:
            raise NotCached(
                f"The documentation of {name} is not indexed, and nothing was sent, since {why_offline()} was given.",
                hint=f"Run `trainwright lookup docs update {name}` once without it; after that it works offline.",
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
    libraries = index.libraries()
    terms = terms_of(query)
    if not terms:
        found.notes.append("There is no word in that to search for.")
        return
    if len(terms) > MOST_TERMS:
        terms = terms[:MOST_TERMS]
        found.notes.append(f"Only the first {MOST_TERMS} words were looked for, up to {terms[-1].asked!r}.")
    chosen = [one for one in libraries if one.name == name] if name else libraries
    if not chosen or not any(one.pages for one in chosen):
        _ask_hub(found, query, limit)
        return
    within = f'library : "{library_token(chosen[0].id)}" AND ' if name else ""
    order = _numbers(index, found, terms, within, 4 * limit + 20)
    chosen_places = _chosen(index, order.numbers, limit)
    if order.cut:
        unranked = "; those that have none of the words there come last, in no order"
        found.notes.append(
            f"More than {RANKED:,} sections have these words, so that titles and headings alone were ranked"
            f"{'' if order.filled.isdisjoint(chosen_places) else unranked}."
        )
    found.hits = list(_shown(index, chosen_places.values(), terms))
    found.sources.append(
        Source(name="the index of the documentation", address=", ".join(_named(one) for one in chosen))
    )
    if not name and not found.hits:
        _ask_hub(found, query, limit)


def _named(library: Library) -> str:
    return f"{library.name} {library.version}".strip()


class _Order(NamedTuple):
    """Numbers of sections, the best first; `cut` where only headings were ranked, `filled` what only fills up the answer."""

    numbers: list[int]
    cut: bool = False
    filled: frozenset[int] = frozenset()


def _numbers(index: Index, found: Hits, terms: Sequence[Term], within: str, most: int) -> _Order:
    """Sections with all words, else with beginnings of them, else with some."""
    some = " OR ".join(term.query() for term in terms)
    order = _ranked(index, found, within, " AND ".join(term.query() for term in terms), some, most)
    if order.numbers:
        return order
    counts = {term: len(index.matches(within + term.query(), RANKED + 1)) for term in terms}
    found.unknown = list(_unknown(index, [term for term in terms if not counts[term]][:SUGGESTED], within))
    begun = " AND ".join(term.query(beginning=counts[term] <= RANKED) for term in terms)
    order = _ranked(index, found, within, begun, some, most)
    if order.numbers:
        found.notes.append("No section has just these words; these have words that begin so.")
        return order
    order = _ranked(index, found, within, some, some, most) if len(terms) > 1 else order
    found.notes.append(
        "No section has all of these words; these have some." if order.numbers else "No section has any of these words."
    )
    return order


def _ranked(index: Index, found: Hits, within: str, query: str, some: str, most: int) -> _Order:
    """The best sections; `some` asks for any of the words. Ranking takes time in proportion to what is ranked."""
    asked = f"{within}({query})"
    matches = index.matches(asked, RANKED + 1)
    if len(matches) <= RANKED:
        return _Order(index.ranked(asked, WEIGHTS, most, matches))
    headed = f"{within}{{title heading}} : ({query})"
    rows = _no_more(found, index.matches(headed, HEADED + 1, "heads"), HEADED)
    best = index.ranked(headed, WEIGHTS[:3], most, rows, "heads")
    rest: list[int] = []
    if len(best) < most and query != some:
        headed = f"{{title heading}} : ({some})"
        rows = _no_more(found, index.matches(f"{asked} AND {headed}", FILLED + 1), FILLED)
        rest = index.ranked(within + headed, WEIGHTS[:3], most, rows, "heads", only=True)
    numbers = list(dict.fromkeys([*best, *rest, *(matches[: 2 * most] if len(best) < most else ())]))
    return _Order(numbers, True, frozenset(numbers[len(best) :]))


def _no_more(found: Hits, rows: list[int], most: int) -> list[int]:
    if len(rows) > most:
        found.notes.append(f"More than {most:,} sections have such headings; only the first of them were ranked.")
    return rows[:most]


def _unknown(index: Index, terms: Sequence[Term], within: str) -> Iterator[Close]:
    """Words that no section has, and known ones that are spelt alike."""
    for term in terms:
        if term.beginning:
            continue
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


def _chosen(index: Index, numbers: Sequence[int], limit: int) -> dict[int, Place]:
    """The sections that are shown: a few of each page, and more only where other pages have none."""
    places = {number: place for number in numbers if (place := index.place(number))}
    chosen: dict[int, Place] = {}
    seen: set[tuple[int, str]] = set()
    on_page: Counter[int] = Counter()
    for of_page in (PER_PAGE, len(places)):
        for number, place in places.items():
            key = place.page, place.section.anchor
            if len(chosen) < limit and key not in seen and on_page[place.page] < of_page:
                chosen[number] = place
                seen.add(key)
                on_page[place.page] += 1
    return chosen


def _shown(index: Index, places: Collection[Place], terms: Sequence[Term]) -> Iterator[Hit]:
    texts = {page: index.text_of(page) for page in {place.page for place in places}}
    for place in places:
        section = place.section
        text = texts[place.page][section.start : section.end]
        body = text.partition("\n")[2] if text.startswith("#") else text
        above = section.above.removeprefix(place.title).removeprefix(" > ")
        yield Hit(
            page=f"{place.library}/{place.path}", section=section.heading, above=above, text=snippet(body, terms, SNIPPET),
            address=page_address(place.library, place.path, "" if section.level == 1 else section.anchor),
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
            hint = "`trainwright lookup docs update NAME` builds the index of a library."
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
