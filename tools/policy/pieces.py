"""Pieces of words: text as it was written, without its quotes and escapes, cut up and chosen from between braces."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .syntax import RUNS_INSIDE, NotUnderstood
from .words import Word

__all__ = ["MAX_WORDS", "Unit", "ansi", "between_quotes", "choices", "part_of", "plain", "quoted_unit"]

MAX_WORDS = 200
"""That one word may become."""


@dataclass(frozen=True)
class Unit:
    """A piece of a word: text as it was written, text that is quoted, or what an expansion gave."""

    origin: Literal["raw", "quoted", "expanded"]
    word: Word


def plain(text: str, quoted: bool) -> list[Unit]:
    """Text without quotes around it, where a backslash quotes one character."""
    units = list[Unit]()
    for part in re.split(r"(\\.)", text, flags=re.DOTALL):
        if part.startswith("\\") and len(part) == 2:
            units += [] if part == "\\\n" else [quoted_unit(part[1])]
        elif part:
            units.append(Unit("quoted" if quoted else "raw", Word(part, bare=True)))
    return units


def quoted_unit(text: str) -> Unit:
    return Unit("quoted", Word(text, code=RUNS_INSIDE.search(text) is not None))


def between_quotes(text: str) -> str:
    """Text between double quotes, where a backslash quotes few characters."""
    return re.sub(r'\\([$`"\\])', r"\1", text.replace("\\\n", ""))


def ansi(text: str) -> str:
    """Text of `$'…'`."""
    simple = re.sub(r"\\([?\"'])", r"\1", text.replace("\\e", "\\x1b").replace("\\E", "\\x1b"))
    if re.search(r"\\[cuU]|\\[^abefnrtv\\0-7x]", simple):
        raise NotUnderstood("it has an escape that is not known here")
    try:
        return codecs.decode(simple.encode("latin-1", "strict").decode("latin-1"), "unicode_escape")
    except (UnicodeError, ValueError) as error:
        raise NotUnderstood("it has an escape that is not known here") from error


def part_of(units: Sequence[Unit], begin: int, end: int) -> list[Unit]:
    found, place = list[Unit](), 0
    for unit in units:
        size = len(unit.word.text)
        first, last = max(begin - place, 0), min(end - place, size)
        if first == 0 and last == size and size:
            found.append(unit)
        elif first < last:
            if unit.origin != "raw" and not unit.word.known:
                raise NotUnderstood("its braces are nested")
            found.append(Unit(unit.origin, Word(unit.word.text[first:last], bare=unit.word.bare)))
        place += size
    return found


def choices(units: Sequence[Unit], marked: str) -> list[list[Unit]]:
    run = re.fullmatch(r"(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?", marked)
    if run:
        first, last, step = int(run[1]), int(run[2]), abs(int(run[3] or 1)) or 1
        numbers = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
        if len(numbers) > MAX_WORDS:
            raise NotUnderstood("it has too many words")
        return [[quoted_unit(str(number))] for number in numbers]
    if "," not in marked:
        letters = re.fullmatch(r"([A-Za-z])\.\.([A-Za-z])", marked)
        if letters is None:
            raise NotUnderstood("its braces are not known here")
        return [
            [quoted_unit(chr(code))]
            for code in range(min(map(ord, letters.groups())), max(map(ord, letters.groups())) + 1)
        ]
    ends = [place for place, mark in enumerate(marked) if mark == ","]
    return [
        part_of(units, begin, end)
        for begin, end in zip([0, *(place + 1 for place in ends)], [*ends, len(marked)], strict=True)
    ]
