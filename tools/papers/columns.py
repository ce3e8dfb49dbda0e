"""The reading order of a page: one column or two, with what spans both between them.

Where two columns part is looked for page by page, and the paper as a whole decides where a page alone is unclear.
Three and more columns are read as two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from .pages import Line, Page, Piece, join_pieces

__all__ = ["Layout", "find_layout", "order_lines"]

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


@dataclass(frozen=True)
class _Gutter:
    x: float
    crossed: float
    aligned: int


def _gutter(page: Page, body: float) -> _Gutter | None:
    """The best place for a gutter, and how much text crosses it compared with the text beside it."""
    text = [p for p in page.pieces if abs(p.size - body) < 0.25 * body and any(c.isalpha() for c in p.text)]
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
    pieces = list(pieces)
    if gutter is None:
        lines = join_pieces(pieces, page.number, 0)
        _set_edges(lines)
        return lines
    across, rest = _split_across(pieces, gutter)
    wide = join_pieces(across, page.number, 0)
    left = join_pieces([p for p in rest if (p.x0 + p.x1) / 2 <= gutter], page.number, 1)
    right = join_pieces([p for p in rest if (p.x0 + p.x1) / 2 > gutter], page.number, 2)
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
