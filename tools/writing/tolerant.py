"""Where a passage occurs in a text if only its layout differs: the search behind `replace_once`.

Ignored are white space at the ends of lines, an indentation that all lines have more, less or otherwise than the
passage, and characters that look alike. A match is a span of characters: it may begin and end inside a line, but not
inside a word. Texts have `\\n` as their only line end here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Match", "canonical", "reindent", "tolerant_matches"]

BLANK = " \t"
LOOK_ALIKES = {
    **dict.fromkeys("‘’‚‛′", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys(
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
    ),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
}
"""What a character is taken for: one character, or nothing."""

TABLE = str.maketrans(LOOK_ALIKES)


@dataclass(frozen=True)
class Match:
    """One place where the passage fits.

    Attributes:
        start, end: of the span in the text.
        given, there: the indentation common to the lines of the passage and of the place; the same if it fits.
        inside: the span begins inside a line, so that the first line of a replacement is not to be indented.
        ignored: what differs.
    """

    start: int
    end: int
    given: str
    there: str
    inside: bool
    ignored: tuple[str, ...]


def canonical(text: str) -> str:
    """The text with each look-alike character as the one that it looks like."""
    return text.translate(TABLE)


class _Line:
    """A line in canonical form, which knows where its characters stand in the text."""

    def __init__(self, text: str, start: int) -> None:
        self.raw = text
        self.start = start
        self.plain = canonical(text)

    @cached_property
    def core(self) -> str:
        """Without white space at the end."""
        return self.plain.rstrip(BLANK)

    @cached_property
    def indent(self) -> str:
        """White space at the beginning."""
        return self.plain[: len(self.plain) - len(self.plain.lstrip(BLANK))]

    @cached_property
    def _kept(self) -> Sequence[int]:
        if self.plain == self.raw:
            return range(len(self.raw))
        return [place for place, letter in enumerate(self.raw) if LOOK_ALIKES.get(letter) != ""]

    def begin(self, place: int) -> int:
        """Where in the text the character `place` of the canonical form stands; past the last one: the line's end."""
        return self.start + (self._kept[place] if place < len(self._kept) else len(self.raw))

    def end(self, place: int) -> int:
        """Where in the text the first `place` characters of the canonical form end."""
        return self.start + (self._kept[place - 1] + 1 if place else 0)

    def cuts(self, place: int) -> bool:
        """Whether a word would be cut in two there."""
        return 0 < place < len(self.plain) and _in_word(self.plain[place - 1]) and _in_word(self.plain[place])


def _in_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def tolerant_matches(text: str, old: str) -> list[Match]:
    """Every place where `old` fits, sorted; none if there is nothing but white space in it."""
    wanted = [_Line(line, 0) for line in old.split("\n")]
    if not any(line.core for line in wanted):
        return []
    lines, start = [], 0
    for line in text.split("\n"):
        lines.append(_Line(line, start))
        start += len(line) + 1
    matches = []
    for first in range(len(lines) - len(wanted) + 1):
        place = lines[first : first + len(wanted)]
        # A passage that fits with its own indentation is not looked for with another one at the same line.
        matches += list(_spans(place, wanted)) or list(_blocks(place, wanted))
    return [_judged(text, old, match) for match in matches]


def _spans(place: list[_Line], wanted: list[_Line]) -> Iterator[Match]:
    """Where the passage fits from the first of these lines on with its own indentation."""
    if len(wanted) > 1 and not all(line.core == one.core for line, one in zip(place[1:-1], wanted[1:-1], strict=True)):
        return
    alone = len(wanted) == 1
    for begin, start in _starts(place[0], wanted[0], alone=alone):
        end = _end(place[0], wanted[0], begin) if alone else _last(place[-1], wanted[-1], "", "")
        if end is not None:
            yield Match(start, end, "", "", begin > 0, ())


def _end(line: _Line, wanted: _Line, begin: int) -> int | None:
    """Where in the text a passage of one line ends that begins at `begin`; None if that is inside a word."""
    if _open(wanted):
        return line.start + len(line.raw)
    end = begin + len(wanted.plain)
    return None if line.cuts(end) else line.end(end)


def _open(wanted: _Line) -> bool:
    """Whether the passage goes on to the end of its last line."""
    return wanted.plain != wanted.core


def _starts(line: _Line, wanted: _Line, *, alone: bool) -> Iterator[tuple[int, int]]:
    """Where in the line the passage may begin, as a place in its canonical form and one in the text."""
    if not wanted.core:
        yield len(line.plain), line.start + len(line.raw)
        return
    if alone and not _open(wanted):
        begin = line.plain.find(wanted.plain)
        while begin >= 0:
            if _may_begin(line, wanted, begin):
                yield begin, line.begin(begin)
            begin = line.plain.find(wanted.plain, begin + 1)
        return
    begin = len(line.core) - len(wanted.core)
    if line.core.endswith(wanted.core) and _may_begin(line, wanted, begin):
        yield begin, line.begin(begin)


def _may_begin(line: _Line, wanted: _Line, begin: int) -> bool:
    """Neither inside a word nor, with an indentation of its own, inside the line's."""
    inside_indent = 0 < begin < len(line.indent) and bool(wanted.indent)
    return not inside_indent and not line.cuts(begin)


def _last(line: _Line, wanted: _Line, given: str, there: str) -> int | None:
    """Where in the text the passage ends on its last line; None if it does not fit."""
    if not wanted.plain:
        return line.start
    if not wanted.core:
        if given == there and line.plain.startswith(wanted.plain):
            return line.end(len(wanted.plain))
        return None
    asked = there + wanted.plain[len(given) :]
    if _open(wanted):
        return line.start + len(line.raw) if line.core == asked.rstrip(BLANK) else None
    if line.plain.startswith(asked) and not line.cuts(len(asked)):
        return line.end(len(asked))
    return None


def _blocks(place: list[_Line], wanted: list[_Line]) -> Iterator[Match]:
    """Whether the passage fits these lines with another indentation."""
    headless = not wanted[0].core  # it begins with the end of a line
    pairs = list(zip(place, wanted, strict=True))[1 if headless else 0 :]
    if not all(bool(line.core) == bool(one.core) for line, one in pairs[:-1]):
        return
    filled = [(line, one) for line, one in pairs if one.core]
    given = _common([one.indent for _, one in filled])
    there = _common([line.indent for line, _ in filled])
    if not all(line.core[len(there) :] == one.core[len(given) :] for line, one in pairs[:-1] if one.core):
        return
    end = _last(place[-1], wanted[-1], given, there)
    if end is None:
        return
    start = place[0].start + len(place[0].raw) if headless else place[0].begin(0)
    yield Match(start, end, given, there, headless, ())


def _common(indents: list[str]) -> str:
    """The longest beginning that all have."""
    low, high = min(indents), max(indents)
    return next((low[:place] for place, letter in enumerate(low) if letter != high[place]), low)


def _judged(text: str, old: str, match: Match) -> Match:
    """The match with what had to be ignored for it."""
    there, given = text[match.start : match.end].split("\n"), old.split("\n")
    pairs = list(zip(there, given, strict=True))
    ignored = []
    if any(_tail(line) != _tail(one) for line, one in pairs if canonical(one).strip(BLANK)):
        ignored.append("trailing white space")
    if match.given != match.there:
        ignored.append("indentation")
    if any(line.strip(BLANK) != one.strip(BLANK) for line, one in pairs):
        ignored.append("look-alike characters")
    if not ignored:  # lines of nothing but white space differ
        ignored.append("trailing white space")
    return Match(match.start, match.end, match.given, match.there, match.inside, tuple(ignored))


def _tail(line: str) -> str:
    return line[len(line.rstrip(BLANK)) :]


def reindent(new: str, match: Match) -> str:
    """A replacement with the indentation of the place; indentation of its lines relative to each other is kept.

    Raises:
        ValueError: a line of it is indented less than the place allows; the message is a clause for a person.
    """
    if match.given == match.there:
        return new
    lines = new.split("\n")
    done = lines[:1] if match.inside else []
    return "\n".join([*done, *(_moved(line, match.given, match.there) for line in lines[len(done) :])])


def _moved(line: str, given: str, there: str) -> str:
    if not line.strip():
        return line
    if line.startswith(given):
        return there + line[len(given) :]
    if there.endswith(given):
        return there[: len(there) - len(given)] + line
    less = given[: len(given) - len(there)]
    if given.endswith(there) and line.startswith(less):
        return line[len(less) :]
    raise ValueError(f"a line of the new text is indented less than the old one: {line.strip()[:80]!r}")
