"""Tables by the places of words: most tables of research papers have no lines between their cells.

A table is looked for beside its caption, above and below. Horizontal rules show how far it reaches where there are
any; otherwise rows that look like a table do. Tables without a caption are not looked for, and cells that span several
rows stay where they are printed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .pages import Line, Page, Rule, Word
from .records import Table
from .table_cells import Row, build_table, rows_of, widest_gap

__all__ = ["CAPTION", "Box", "FoundTable", "find_tables", "vote_below"]

_LEAST = 2.0
"""Weight that a table has at least."""


CAPTION = re.compile(r"(?:Table|TABLE|Tab\.)\s?(?:[A-Z]?\.?\d+|[IVX]+)\s*(?:[.:]|$|[-–—|]|(?=\s+[A-Z(]))")
_OTHER_CAPTION = re.compile(r"(?:Figure|FIGURE|Fig\.|Algorithm|Listing)\s?\d+")


@dataclass(slots=True)
class Box:
    """A rectangle; points, the origin at the top left."""

    x0: float
    y0: float
    x1: float
    y1: float

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies inside."""
        return self.x0 - 1 <= x <= self.x1 + 1 and self.y0 - 1 <= y <= self.y1 + 1


@dataclass(frozen=True)
class Band:
    """The part of the page's width in which a table is looked for, and the gutter inside it, if there is one."""

    left: float
    right: float
    gutter: float | None = None


@dataclass(slots=True)
class FoundTable:
    """A table and the place that it takes, so that its words are no running text."""

    table: Table
    box: Box


def find_tables(
    page: Page, captions: Sequence[Sequence[Line]], gutter: float | None, below: bool | None = None
) -> list[FoundTable]:
    """The tables that belong to the given captions (each its lines from top to bottom).

    `below` says whether tables of this paper stand below their captions; None if that is not known.
    """
    marks = [_mark(lines) for lines in captions]
    taken: list[Box] = []
    found = []
    for lines, mark in zip(captions, marks, strict=True):
        sides = _sides(page, mark, marks, taken, gutter)
        rows = _better(sides, below)
        if _weight(rows) < _LEAST:
            continue
        box = Box(min(r.x0 for r in rows), rows[0].y0, max(r.x1 for r in rows), rows[-1].y1)
        table = build_table(rows, page, " ".join(line.text for line in lines), (box.y0, box.y1))
        if table is not None:
            taken.append(box)
            found.append(FoundTable(table, box))
    return found


def vote_below(page: Page, captions: Sequence[Sequence[Line]], gutter: float | None) -> int:
    """How many captions of a page have a table below them alone, less those that have one above alone."""
    marks = [_mark(lines) for lines in captions]
    votes = 0
    for mark in marks:
        under, over = (_weight(side) >= _LEAST for side in _sides(page, mark, marks, [], gutter))
        votes += int(under and not over) - int(over and not under)
    return votes


def _mark(lines: Sequence[Line]) -> Box:
    return Box(min(c.x0 for c in lines), lines[0].y0, max(c.x1 for c in lines), lines[-1].y1)


def _sides(
    page: Page, mark: Box, marks: Sequence[Box], taken: Sequence[Box], gutter: float | None
) -> tuple[list[Row], list[Row]]:
    """The rows that could be the table: below the caption, and above it."""
    band = _band(page, mark, gutter)
    inside = [
        w
        for w in page.words
        if band.left - 2 <= (w.x0 + w.x1) / 2 <= band.right + 2
        and not any(m.holds((w.x0 + w.x1) / 2, w.middle) for m in [*marks, *taken])
    ]
    rows = rows_of(inside)
    return _reach(page, rows, mark, band, True, marks), _reach(page, rows, mark, band, False, marks)


def _better(sides: tuple[list[Row], list[Row]], below: bool | None) -> list[Row]:
    under, over = sides
    if below is not None and _weight(under if below else over) >= _LEAST:
        return under if below else over
    return max(under, over, key=_weight)


def _band(page: Page, mark: Box, gutter: float | None) -> Band:
    left = min((w.x0 for w in page.words), default=0.0)
    right = max((w.x1 for w in page.words), default=page.width)
    if gutter is None:
        return Band(left, right)
    if mark.x0 < gutter - 4 and mark.x1 > gutter + 4:
        return Band(left, right, gutter)
    return Band(left, gutter) if (mark.x0 + mark.x1) / 2 < gutter else Band(gutter, right)


def _reach(page: Page, rows: list[Row], mark: Box, band: Band, down: bool, marks: Sequence[Box]) -> list[Row]:
    """The rows of the table on one side of its caption, from top to bottom."""
    side = [r for r in rows if (r.y0 >= mark.y1 - 2 if down else r.y1 <= mark.y0 + 2)]
    if not down:
        side.reverse()
    other = [m for m in marks if m is not mark and (m.y0 > mark.y1 if down else m.y1 < mark.y0)]
    stop = (
        min((m.y0 for m in other if m.x1 > band.left and m.x0 < band.right), default=page.height)
        if down
        else max((m.y1 for m in other if m.x1 > band.left and m.x0 < band.right), default=0.0)
    )
    side = [r for r in side if (r.y1 <= stop + 2 if down else r.y0 >= stop - 2)]
    ruled = _ruled(page.rules, side, mark, band, down)
    if ruled:
        return ruled
    return _grown(side, mark, band, down)


def _ruled(rules: Sequence[Rule], side: list[Row], mark: Box, band: Band, down: bool) -> list[Row]:
    """The rows between the first and the last of the rules that begin and end together."""
    near = sorted(
        (
            r
            for r in rules
            if band.left - 6 <= r.x0 and r.x1 <= band.right + 6 and (r.y >= mark.y1 - 3 if down else r.y <= mark.y0 + 3)
        ),
        key=lambda r: r.y if down else -r.y,
    )
    if not near:
        return []
    first = near[0]
    distance = first.y - mark.y1 if down else mark.y0 - first.y
    if distance > 40:
        return []
    width = max(r.x1 - r.x0 for r in near if abs(r.y - first.y) < 4)
    if width < 40:
        return []
    mates = [r for r in near if _same_extent(r, first)]
    end = first.y
    for rule in mates:
        between = [r for r in side if min(end, rule.y) < (r.y0 + r.y1) / 2 < max(end, rule.y)]
        if any(_is_text(r, band) for r in between) or any(_OTHER_CAPTION.match(r.text) for r in between):
            break
        if abs(rule.y - end) > 400:
            break
        end = rule.y
    low, high = min(first.y, end), max(first.y, end)
    if high - low < 8:
        return []
    kept = [r for r in side if low - 2 < (r.y0 + r.y1) / 2 < high + 2]
    kept.sort(key=lambda r: r.y0)
    return _beyond(side, kept, band, -1) + kept + _beyond(side, kept, band, 1)


def _beyond(side: list[Row], kept: list[Row], band: Band, step: int) -> list[Row]:
    """Rows outside the rules that belong to the table: a header above the first rule, last rows below none."""
    if not kept:
        return []
    rows = sorted(
        (r for r in side if (r.y0 < kept[0].y0 if step < 0 else r.y0 > kept[-1].y0)), key=lambda r: step * r.y0
    )
    extra: list[Row] = []
    edge = kept[0] if step < 0 else kept[-1]
    for row in rows[:3]:
        gap = edge.y0 - row.y1 if step < 0 else row.y0 - edge.y1
        if gap > 1.1 * (row.y1 - row.y0) or _is_text(row, band) or not _is_tabular(row):
            break
        if row.x0 < kept[0].x0 - 40 or row.x1 > max(r.x1 for r in kept) + 40:
            break
        extra.append(row)
        edge = row
    return sorted(extra, key=lambda r: r.y0)


def _same_extent(rule: Rule, first: Rule) -> bool:
    return abs(rule.x0 - first.x0) < 4 and abs(rule.x1 - first.x1) < 4


def _grown(side: list[Row], mark: Box, band: Band, down: bool) -> list[Row]:
    """Rows that look like a table, one after the other, from the caption away."""
    kept: list[Row] = []
    loose: list[Row] = []
    edge = mark.y1 if down else mark.y0
    for row in side:
        gap = row.y0 - edge if down else edge - row.y1
        height = row.y1 - row.y0
        if gap > (2.2 if kept else 3.0) * height or _OTHER_CAPTION.match(row.text) or _is_text(row, band):
            break
        edge = row.y1 if down else row.y0
        if _is_tabular(row):
            kept += [*loose, row]
            loose = []
        else:
            loose.append(row)
            if len(loose) > 3:
                break
    if down and kept and loose and len(loose) == 1 and len(loose[0].cells) > 1:
        kept += loose
    if not down and loose and len(loose) <= 2 and kept and all(len(r.cells) > 1 for r in loose):
        kept += loose
    kept.sort(key=lambda r: r.y0)
    return kept


def _is_tabular(row: Row) -> bool:
    return len(row.cells) >= 3 or (len(row.cells) == 2 and (row.numbers >= 1 or widest_gap(row) > 14))


def _is_text(row: Row, band: Band) -> bool:
    """Whether a row is a line of running text: it fills its column, or one of two columns, with words."""
    if band.gutter is not None:
        left = [w for w in row.words if w.x1 < band.gutter + 2]
        right = [w for w in row.words if w.x0 > band.gutter - 2]
        sides = ((left, band.gutter - band.left), (right, band.right - band.gutter))
        if any(_fills(words, width - 8, row.y1 - row.y0) for words, width in sides):
            return True
    return _fills(row.words, band.right - band.left, row.y1 - row.y0)


def _fills(words: Sequence[Word], width: float, height: float) -> bool:
    if len(words) < 5:
        return False
    plain = sum(w.text.rstrip(".,;:)").lstrip("(").isalpha() for w in words)
    widest = max(b.x0 - a.x1 for a, b in pairwise(words))
    full = words[-1].x1 - words[0].x0 > 0.86 * width
    return full and widest < 1.3 * height and plain >= 5 and plain >= 0.6 * len(words)


def _weight(rows: list[Row]) -> float:
    """How much of a table the rows are: its numbers, and a little for rows with several cells."""
    return sum(min(r.numbers, 12) + 0.4 * (len(r.cells) > 1) for r in rows)
