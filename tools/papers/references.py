"""The list of references, cut into its entries: by numbers, by hanging indents, or by gaps."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from statistics import median

from .glyphs import join_lines
from .pages import Line

__all__ = ["split_reference_text", "split_references"]

_BRACKET = re.compile(r"\[(?:\d{1,3}|[A-Z][\w+*-]{1,12})\]\s*\S")
_DOTTED = re.compile(r"\d{1,3}\.\s+\S")
_BARE = re.compile(r"\d{1,3}\s+[A-Z]")


def split_references(lines: Sequence[Line]) -> list[str]:
    """One text an entry."""
    for mark in (_BRACKET, _DOTTED, _BARE):
        if sum(bool(mark.match(line.text)) for line in lines) >= max(2, len(lines) // 12):
            return _joined(lines, _in_sequence(lines, mark))
    return _joined(lines, _by_place(lines))


def _in_sequence(lines: Sequence[Line], mark: re.Pattern[str]) -> list[bool]:
    """Whether each line begins an entry: it has the mark, and its number, if it is one, is the next."""
    starts = []
    last = 0
    for line in lines:
        begins = bool(mark.match(line.text))
        number = re.match(r"\[?(\d{1,3})", line.text)
        if begins and number:
            begins = last == 0 or last < int(number[1]) <= last + 3
            last = int(number[1]) if begins else last
        starts.append(begins)
    return starts


def _by_place(lines: Sequence[Line]) -> list[bool]:
    """Whether each line begins an entry, by hanging indent where there is one, otherwise by the gap above."""
    edges: dict[tuple[int, int], float] = {}
    for line in lines:
        key = (line.page, line.column)
        edges[key] = min(edges.get(key, line.x0), line.x0)
    hanging = [line.x0 > edges[line.page, line.column] + 4 for line in lines]
    if sum(hanging) >= 0.2 * len(lines):
        return [not h for h in hanging]
    pitches = [b.y0 - a.y0 for a, b in itertools.pairwise(lines) if b.y0 > a.y0]
    usual = median(pitches) if pitches else 0.0
    low = min(pitches, default=0.0)
    height = median(line.height for line in lines) if lines else 0.0
    loose = low > 1.2 * height  # every line stands alone: each is an entry
    limit = height if loose else (low + 2.5) if low else usual * 1.2
    starts = [True]
    for last, line in itertools.pairwise(lines):
        same = line.page == last.page and line.column == last.column
        starts.append(line.y0 - last.y0 > limit if same else last.text.endswith("."))
    return starts


def _joined(lines: Sequence[Line], starts: Sequence[bool]) -> list[str]:
    entries: list[str] = []
    for line, begins in zip(lines, starts, strict=True):
        if begins or not entries:
            entries.append(line.text)
        else:
            entries[-1] = join_lines(entries[-1], line.text)
    return [entry for entry in entries if len(entry) > 15]


def split_reference_text(text: str) -> list[str]:
    """The entries of a list of references in Markdown or plain text."""
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n", text) if block.strip()]
    if len(blocks) < 2:
        blocks = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    items: list[str] = []
    for block in blocks:
        items += re.split(r"\s(?=\[\d{1,3}\] )", block)
    return [item for item in items if len(item) > 15]
