"""The report's plots, as SVG text: deterministic, a few lines each, no plotting library to load."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal, NamedTuple

__all__ = ["Mark", "bars", "figure", "score_plot"]

LEFT, RIGHT, ROW = 190, 560, 30
"""Where the axis begins and ends, and how high a row is, in units of the picture; it is 640 wide."""

HUGE = 1e100
"""From here on a value is no score, and differences of two could overflow. Not-a-number is never below it."""


class Mark(NamedTuple):
    """One value beside others, on a row of its own so that equal values do not hide each other."""

    name: str
    value: float
    kind: Literal["score", "baseline", "claim", "target"]


def figure(value: float) -> str:
    """A score with four digits behind the point where that says something."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4f}"
    return f"{value:.4g}"


def score_plot(marks: Sequence[Mark], interval: tuple[float, float]) -> str:
    """The score with its interval, and what it is compared with, on one axis; a row each.

    Args:
        marks: the score first; what is not finite, or beyond `HUGE`, is left out.
        interval: ends of the score's interval.

    Returns:
        SVG text; empty when nothing is left.
    """
    shown = [mark for mark in marks if abs(mark.value) < HUGE]
    ends = [end for end in interval if abs(end) < HUGE]
    if not shown:
        return ""
    points = [*(mark.value for mark in shown), *ends]
    low, high = min(points), max(points)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room

    def x(value: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (value - low) / (high - low), 1)

    bottom = 8 + ROW * len(shown)
    parts = [f'<svg viewBox="0 0 640 {bottom + 24}" role="img" aria-label="{_spoken(shown)}">']
    for index, mark in enumerate(shown):
        y = 8 + ROW * index + ROW // 2
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{RIGHT}" y2="{y}" class="axis"/>')
        if mark.kind == "score" and len(ends) == 2:
            width = max(2.0, round(x(ends[1]) - x(ends[0]), 1))
            parts.append(f'<rect x="{x(ends[0])}" y="{y - 9}" width="{width}" height="18" class="interval"/>')
        parts.append(_sign(mark.kind, x(mark.value), y))
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4}" class="label">{escape(mark.name)}</text>')
        strong = " strong" if mark.kind == "score" else ""
        parts.append(f'<text x="{RIGHT + 10}" y="{y + 4}" class="value{strong}">{figure(mark.value)}</text>')
    for value in (low + room, high - room) if high - low > 2 * room else (high - room,):
        parts.append(f'<line x1="{x(value)}" y1="{bottom}" x2="{x(value)}" y2="{bottom + 5}" class="axis"/>')
        parts.append(f'<text x="{x(value)}" y="{bottom + 18}" class="faint">{figure(value)}</text>')
    return "".join([*parts, "</svg>"])


def _spoken(marks: Sequence[Mark]) -> str:
    return escape(", ".join(f"{mark.name} {figure(mark.value)}" for mark in marks))


def _sign(kind: str, x: float, y: int) -> str:
    if kind == "score":
        return f'<line x1="{x}" y1="{y - 11}" x2="{x}" y2="{y + 11}" class="score"/>'
    if kind == "claim":
        return f'<path d="M{x} {y - 8} l8 8 l-8 8 l-8 -8 z" class="claim"/>'
    if kind == "target":
        return f'<path d="M{x} {y + 7} l7 -14 l-14 0 z" class="target"/>'
    return f'<circle cx="{x}" cy="{y}" r="6" class="baseline"/>'


def bars(rows: Sequence[tuple[str, float]]) -> str:
    """Seconds by node, the longest as wide as the plot.

    Args:
        rows: a name and its seconds; empty rows give no picture.
    """
    if not rows:
        return ""
    longest = max(seconds for _, seconds in rows) or 1.0
    height = 22 * len(rows) + 6
    parts = [f'<svg viewBox="0 0 640 {height}" role="img" aria-label="seconds by node">']
    for index, (name, seconds) in enumerate(rows):
        y = 4 + 22 * index
        width = round(max(1.0, 380 * seconds / longest), 1)
        parts.append(f'<text x="150" y="{y + 13}" class="label">{escape(name)}</text>')
        parts.append(f'<rect x="160" y="{y}" width="{width}" height="16" class="bar"/>')
        parts.append(f'<text x="{168 + width}" y="{y + 13}" class="value">{seconds:.1f} s</text>')
    return "".join([*parts, "</svg>"])
