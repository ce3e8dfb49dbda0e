"""Words of documentation and of questions: names split as people type them, queries that SQLite cannot misread.

The index splits `lora_alpha` and `trl.SFTConfig` at what is no letter or digit, and finds them as phrases; names in camel
case are split here. Nothing is read from a disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from trainwright.tools.lookup.stopwords import STOP_WORDS

__all__ = ["MOST_TERMS", "VERSION", "Term", "close_to", "parts_in", "snippet", "terms_of", "words_in"]

VERSION = 1
"""Counts the changes of `parts_in`: what it makes lies in the index, and is made again to take a page out."""

MOST_TERMS = 8
"""Terms of a question that are looked for."""

MOST_PARTS = 400
"""Names in camel case of a section whose parts are indexed."""

SHORTEST_PREFIX = 3
"""Letters before a `*`, and of a word that is also taken for the beginning of one."""

_ASKED = re.compile(r'"([^"]{1,200})"|([^\W_]+(?:[._-]?[^\W_]+|_)*)(\*?)|(_+[^\W_]+(?:_+|[^\W_]+)*)(\*?)')
_PIECE = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAME = re.compile(r"[A-Za-z]\w{2,79}")
_WORD = re.compile(r"[^\W\d_]\w{3,39}")


class Term(NamedTuple):
    """A word, name or phrase that is looked for: its pieces, other ways to split it, whether it is only a beginning."""

    asked: str
    pieces: tuple[str, ...]
    split: tuple[str, ...] = ()
    beginning: bool = False

    def query(self, beginning: bool = False) -> str:
        """As FTS5 reads it: nothing but quoted letters and digits."""
        star = "*" if (self.beginning or beginning) and len(self.pieces[-1]) >= SHORTEST_PREFIX else ""
        whole = f'"{" ".join(self.pieces)}"{star}'
        return f'({whole} OR "{" ".join(self.split)}")' if self.split else whole


def terms_of(text: str) -> list[Term]:
    """What a question asks for; words that say nothing are left out unless there are no others."""
    found: dict[str, Term] = {}
    for match in _ASKED.finditer(text[:1_000].encode("utf-8", "ignore").decode()):
        asked = match[1] or match[2] or match[4]
        pieces = tuple(piece.lower() for piece in _PIECE.findall(asked))
        if pieces:
            camel = tuple(part.lower() for part in _CAMEL.findall(asked)) if asked.isascii() else ()
            split = camel if len(camel) > len(pieces) and not match[1] else ()
            found.setdefault(asked.lower(), Term(asked, pieces, split, bool(match[3] or match[5])))
    told = [term for key, term in found.items() if key not in STOP_WORDS]
    return told or list(found.values())


def parts_in(text: str) -> str:
    """The parts of the names in camel case in a text, so that "training arguments" finds TrainingArguments."""
    mixed = (name for name in _NAME.findall(text) if not (name.islower() or name.istitle() or name.isupper()))
    names = list(dict.fromkeys(mixed))[:MOST_PARTS]
    return " ".join(" ".join(_CAMEL.findall(name)) for name in names)


def words_in(text: str) -> set[str]:
    """The words of a text that could be meant where somebody mistypes one."""
    lowered = text.lower()
    words = set(_WORD.findall(lowered))
    return words.union(*(word.split("_") for word in words if "_" in word)) - {""} if "_" in lowered else words


def close_to(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Known words that a mistyped one may mean, the closest first."""
    pairs = {word[i : i + 2] for i in range(len(word) - 1)}
    matcher = SequenceMatcher(None, b=word, autojunk=False)  # it prepares its second text once
    scored = []
    for other in known:
        if other == word or abs(len(other) - len(word)) > 2:
            continue
        shared = sum(other[i : i + 2] in pairs for i in range(len(other) - 1))
        if 2 * shared < len(word) // 2:
            continue
        matcher.set_seq1(other)
        if matcher.quick_ratio() >= 0.78 and (ratio := matcher.ratio()) >= 0.78:
            scored.append((-ratio, other))
    return [other for _, other in sorted(scored)[:most]]


def snippet(text: str, terms: Sequence[Term], width: int = 260) -> str:
    """A stretch of a text, on one line, where most of the terms stand close together."""
    flat = " ".join(text.split())
    if len(flat) <= width:
        return flat
    lowered = flat.lower()
    wanted = {
        form for term in terms for form in (term.asked.lower(), *term.pieces, "".join(term.split)) if len(form) > 1
    }
    hits = sorted({place for form in wanted for place in _places(lowered, form)})
    best = max(hits, key=lambda place: (_weight(lowered[place : place + width - 60], wanted), -place), default=0)
    start = max(0, min(best - 50, len(flat) - width))
    if start and (space := flat.find(" ", start, start + 30)) > 0:
        start = space + 1
    end = flat.rfind(" ", start, start + width)
    end = end if 0 < start + width - end < 40 and start + width < len(flat) else start + width
    return ("… " if start else "") + flat[start:end].strip() + (" …" if end < len(flat) else "")


def _places(text: str, form: str, most: int = 20) -> list[int]:
    found: list[int] = []
    place = text.find(form)
    while place >= 0 and len(found) < most:
        found.append(place)
        place = text.find(form, place + len(form))
    return found


def _weight(window: str, wanted: Iterable[str]) -> int:
    return sum(len(form) for form in wanted if form in window)
