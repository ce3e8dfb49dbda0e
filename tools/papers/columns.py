"""The reading order of a page: one column or two, with what spans both between them.

Where two columns part is looked for page by page, and the paper as a whole decides where a page alone is unclear.
Three and more columns are read as two. A narrow column of small print to the left of the text, where some journals put
dates, addresses and licences, comes last on its page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from .pages import Line, Page, Piece, join_pieces

__all__ = ["SIDE", "Layout", "find_layout", "find_side", "order_lines"]

SIDE = 3
"""The `column` of lines that stand in small print beside the text."""

_STEPS = 61
_LOW, _HIGH = 0.38, 0.62


@dataclass(frozen=True)
class Layout:
    """Where the two columns of each page part, in points from the left; None for one column."""

    gutters: tuple[float | None, ...]


def find_layout(pages: Sequence[Page], body: float) -> Layout:
    """The columns of every page; `body` is the size of the running text in points."""
    found = [_gutter(page, body) for page in pages]
    clear = [g.x for g in found if g is not None and g.crossed < 0.25]
    judged = [g for g in found if g is not None]
    mostly_two = len(clear) * 2 > len(judged)
    usual = median(clear) if clear else 0.0
    gutters: list[float | None] = []
    for gutter in found:
        if gutter is None:
            gutters.append(usual if mostly_two else None)
        elif mostly_two:
            gutters.append(gutter.x if gutter.crossed < 0.7 else None)
        else:
            gutters.append(gutter.x if gutter.crossed < 0.12 and gutter.aligned >= 12 else None)
    return Layout(tuple(gutters))


def find_side(page: Page, body: float) -> float:
    """Where the small print beside the text ends, in points from the left; 0 where a page has none."""
    long = [p for p in page.pieces if p.x1 - p.x0 > 0.4 * page.width and abs(p.size - body) < 0.15 * body]
    if not long:
        return 0.0
    left, count = Counter(round(p.x0) for p in long).most_common(1)[0]
    before = sum(p.x0 < left - 4 for p in long)
    if count < 8 or before > 0.1 * len(long) or not 0.22 * page.width < left < 0.45 * page.width:
        return 0.0
    beside = [p for p in page.pieces if p.x1 < left - 4]
    letters, every = (sum(len(p.text) for p in pieces) for pieces in (beside, page.pieces))
    if len(beside) < 5 or median(p.size for p in beside) >= 0.92 * body or not 80 <= letters < 0.5 * every:
        return 0.0
    in_rows = sum(any(_goes_on(p, q) for q in page.pieces) for p in beside)
    return left - 2.0 if in_rows < 0.5 * len(beside) else 0.0


def _goes_on(piece: Piece, other: Piece) -> bool:
    """Whether two pieces are of one row, as in a wide table."""
    return other.x0 > piece.x1 and abs(other.base - piece.base) < 1 and abs(other.size - piece.size) < 0.3


@dataclass(frozen=True)
class _Gutter:
    x: float
    crossed: float
    aligned: int


def _gutter(page: Page, body: float) -> _Gutter | None:
    """The best place for a gutter, and how much text crosses it compared with the text beside it."""
    pieces = (p for p in page.pieces if p.x1 > page.side)
    text = [p for p in pieces if abs(p.size - body) < 0.25 * body and any(c.isalpha() for c in p.text)]
    if len(text) < 10:
        return None
    beside = (_cover(text, page.width * 0.25) + _cover(text, page.width * 0.75)) / 2
    if not beside:
        return None
    places = [page.width * (_LOW + (_HIGH - _LOW) * step / (_STEPS - 1)) for step in range(_STEPS)]
    covers = [_cover(text, x) for x in places]
    least = min(covers)
    good = [x for x, cover in zip(places, covers, strict=True) if cover <= least + 0.02 * beside]
    x = _middle_of_longest(good, page.width * (_HIGH - _LOW) / (_STEPS - 1))
    starts = [round(p.x0) for p in text if p.x0 > x]
    aligned = max((sum(abs(s - t) <= 1 for t in starts) for s in set(starts)), default=0)
    return _Gutter(x, least / beside, aligned)


def _cover(pieces: Iterable[Piece], x: float) -> float:
    return sum(p.y1 - p.y0 for p in pieces if p.x0 < x < p.x1)


def _middle_of_longest(places: list[float], step: float) -> float:
    best = run = [places[0]]
    for place in places[1:]:
        run = [*run, place] if place - run[-1] < 1.5 * step else [place]
        if len(run) > len(best):
            best = run
    return (best[0] + best[-1]) / 2


def order_lines(page: Page, pieces: Iterable[Piece], gutter: float | None) -> list[Line]:
    """The lines of a page in reading order, each with the left and right edge of its column."""
    every = list(pieces)
    beside = join_pieces([p for p in every if p.x1 <= page.side], page.number, SIDE)
    _set_edges(beside)
    return _order([p for p in every if p.x1 > page.side], page.number, gutter) + beside


def _order(pieces: list[Piece], number: int, gutter: float | None) -> list[Line]:
    if gutter is None:
        lines = join_pieces(pieces, number, 0)
        _set_edges(lines)
        return lines
    across, rest = _split_across(pieces, gutter)
    wide = join_pieces(across, number, 0)
    left = join_pieces([p for p in rest if (p.x0 + p.x1) / 2 <= gutter], number, 1)
    right = join_pieces([p for p in rest if (p.x0 + p.x1) / 2 > gutter], number, 2)
    for lines in (wide, left, right):
        _set_edges(lines)
    ordered: list[Line] = []
    for line in wide:
        ordered += _above(left, line) + _above(right, line)
        left, right = left[len(_above(left, line)) :], right[len(_above(right, line)) :]
        ordered.append(line)
    return ordered + left + right


def _above(lines: list[Line], mark: Line) -> list[Line]:
    middle = (mark.y0 + mark.y1) / 2
    count = next((i for i, line in enumerate(lines) if (line.y0 + line.y1) / 2 > middle), len(lines))
    return lines[:count]


def _split_across(pieces: list[Piece], gutter: float) -> tuple[list[Piece], list[Piece]]:
    """What crosses the gutter, with what stands on the same line close beside it; and the rest."""
    seeds = [p for p in pieces if p.x0 < gutter - 4 and p.x1 > gutter + 4]
    across = list(seeds)
    rest: list[Piece] = []
    for piece in pieces:
        if piece in seeds:
            continue
        touching = any(
            abs(piece.base - s.base) < 0.5 * s.size and min(abs(piece.x0 - s.x1), abs(s.x0 - piece.x1)) < 1.5 * s.size
            for s in seeds
        )
        (across if touching else rest).append(piece)
    return across, rest


def _set_edges(lines: list[Line]) -> None:
    if not lines:
        return
    long = sorted(lines, key=lambda line: line.x1 - line.x0)[len(lines) // 2 :]
    left = median(line.x0 for line in long)
    right = median(line.x1 for line in long)
    for line in lines:
        line.left, line.right = left, right
