"""Replacing one passage of a text by another: exactly, or, if only the layout differs, in the one place that fits.

Line ends are the file's business: `\\n` in what is given stands for either kind, and what is written gets the kind that
the place has. Nothing outside the matched passage is ever changed. This module reads and writes no files.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from trainwright.graph.errors import Refusal

from .tolerant import Match, canonical, reindent, tolerant_matches

__all__ = ["Edit", "replace_once"]

MANY = 1_000
"""Places after which nobody counts on."""

READ_AGAIN = "Read the file again and give the passage as it stands there."


@dataclass(frozen=True)
class Edit:
    """A text after its edit.

    Attributes:
        text: the whole text.
        count: passages that were replaced.
        line: of the first of them, from 1.
        note: what was ignored to find it, for a person; empty after an exact match.
    """

    text: str
    count: int
    line: int
    note: str = ""


def replace_once(text: str, old: str, new: str, *, everywhere: bool = False) -> Edit:
    """Replace the one passage `old` by `new`; with `everywhere`, each exact occurrence of it.

    Where the exact passage does not occur, differences in trailing white space, in an indentation common to all lines
    and in look-alike characters are ignored, if exactly one place fits then; the replacement is indented like the place.

    Raises:
        Refusal: `old` is empty, equals `new`, does not occur, or occurs more than once; or nothing would change.
    """
    lines = _Lines(text)
    old, new = old.replace("\r\n", "\n"), new.replace("\r\n", "\n")
    if not old:
        raise Refusal("The old text is empty.", hint="Give the passage to replace; write_file makes a new file.")
    if old == new:
        raise Refusal("The old text and the new text are the same; nothing was changed.")
    places = list(islice(_places(lines.plain, old), MANY))
    if len(places) > 1 and not everywhere:
        raise Refusal(
            f"The old text occurs {_number(places)} times, {_at(lines, places)}; nothing was changed.",
            hint="Give more of the lines around the place that is meant, or set everywhere.",
        )
    if places:
        starts = _apart(lines.plain, old) if everywhere else places
        return _replaced(lines, [(start, start + len(old), new) for start in starts], "")
    return _tolerant(lines, old, new)


class _Lines:
    """A text with `\\n` as its only line end, and the way back to the text as it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.plain = text.replace("\r\n", "\n")
        self._long: list[int] = []  # places in `plain` of the line ends that are `\r\n`
        at = text.find("\r\n")
        while at >= 0:
            self._long.append(at - len(self._long))
            at = text.find("\r\n", at + 2)

    def raw(self, place: int) -> int:
        """The place in the text as it stands."""
        return place + bisect_left(self._long, place)

    def number(self, place: int) -> int:
        """The number of the line, from 1."""
        return self.plain.count("\n", 0, place) + 1

    def end(self, place: int) -> str:
        """The line end that is used around a place: that of its line, else that of the line before."""
        at = self.plain.find("\n", place)
        at = at if at >= 0 else self.plain.rfind("\n", 0, place)
        index = bisect_left(self._long, at)
        return "\r\n" if at >= 0 and index < len(self._long) and self._long[index] == at else "\n"


def _places(text: str, old: str) -> Iterator[int]:
    """Every place where it occurs, also those that overlap: which of two is meant, nobody could tell."""
    at = text.find(old)
    while at >= 0:
        yield at
        at = text.find(old, at + 1)


def _apart(text: str, old: str) -> Iterator[int]:
    """The places that `str.replace` replaces."""
    at = text.find(old)
    while at >= 0:
        yield at
        at = text.find(old, at + len(old))


def _replaced(lines: _Lines, changes: Iterator[tuple[int, int, str]] | list[tuple[int, int, str]], note: str) -> Edit:
    """The text after changes (start, end, new) in the plain text, which are sorted and do not overlap."""
    parts, done, count, first = [], 0, 0, 0
    for start, end, new in changes:
        first = first or lines.number(start)
        parts += [lines.text[done : lines.raw(start)], new.replace("\n", lines.end(start))]
        done, count = lines.raw(end), count + 1
    return Edit("".join([*parts, lines.text[done:]]), count, first, note)


def _number(places: list[int]) -> str:
    return str(len(places)) if len(places) < MANY else f"at least {MANY:,}"


def _at(lines: _Lines, places: list[int], shown: int = 10) -> str:
    numbers = [str(lines.number(place)) for place in places[:shown]]
    more = f" and {len(places) - shown} more" if len(places) > shown else ""
    return f"at line{'s' if len(places) > 1 else ''} {', '.join(numbers)}{more}"


def _tolerant(lines: _Lines, old: str, new: str) -> Edit:
    matches = tolerant_matches(lines.plain, old)
    if not matches:
        raise Refusal(f"The old text does not occur; nothing was changed. {_closest(lines, old, new)}", hint=READ_AGAIN)
    if len(matches) > 1:
        places = [match.start for match in matches]
        raise Refusal(
            f"The old text does not occur exactly, and roughly in {len(places)} places, {_at(lines, places)}; "
            "nothing was changed.",
            hint=READ_AGAIN,
        )
    match = matches[0]
    fitted = _fitted(match, new)
    edit = _replaced(lines, [(match.start, match.end, fitted)], f"ignored: {', '.join(match.ignored)}")
    if edit.text == lines.text:
        raise Refusal(f"The place at line {edit.line} reads like the new text already; nothing was changed.")
    return edit


def _fitted(match: Match, new: str) -> str:
    try:
        return reindent(new, match)
    except ValueError as error:
        raise Refusal(
            f"The old text is indented otherwise than the file, and {error}; nothing was changed.", hint=READ_AGAIN
        ) from error


def _closest(lines: _Lines, old: str, new: str) -> str:
    """What of the file comes nearest, as a sentence."""
    if new.strip() and (at := lines.plain.find(new)) >= 0:
        return f"The new text stands at line {lines.number(at)} already."
    there: dict[str, int] = {}
    for number, line in enumerate(canonical(lines.plain).split("\n"), start=1):
        there.setdefault(line.strip()[:300], number)
    wanted = [line.strip()[:300] for line in canonical(old).split("\n") if line.strip()]
    strange = next((line for line in wanted if line not in there), None)
    if strange is None:
        return "Each of its lines occurs, but not together or not with this indentation." if wanted else ""
    found = difflib.get_close_matches(strange, [line for line in there if line], n=1, cutoff=0.6)
    if not found:
        return f"Nothing resembles its line {strange[:120]!r}."
    return f"Instead of {strange[:120]!r} there is, at line {there[found[0]]}, {found[0][:120]!r}."
