"""From a PDF page to what a reader sees of it: words, lines and rules with their places.

A line here is what a reader sees as one line of one column: pieces on the same height are joined, and what nobody
can see is left out (`hidden.py`). Nothing is decided about the order of the columns (`columns.py`), nor about what a
line is (`flow.py`).
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .glyphs import clean
from .hidden import Sight

__all__ = ["Line", "Page", "Piece", "Rule", "Word", "body_size", "join_pieces", "read_page"]

_BOLD_FLAG, _ITALIC_FLAG, _SUPERSCRIPT_FLAG = 16, 2, 1
_BOLD_FONT = re.compile(r"bold|black|heavy|medi\b|-medi|cmbx|cmmib|sfbx|semibold|demi|CMB\d|[-,]bd|\.B(\+|$)|-B$", re.I)
_ITALIC_FONT = re.compile(r"ital|obli|cmti|slant|-it$", re.I)
_RULE_THICKNESS, _RULE_LENGTH = 2.0, 15.0


@dataclass(slots=True)
class Word:
    """One word; lengths in points (1/72 inch), the origin at the top left of the page."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str
    bold: bool = False

    @property
    def middle(self) -> float:
        """Vertical middle of the box."""
        return (self.y0 + self.y1) / 2

    @property
    def height(self) -> float:
        """Height of the box."""
        return self.y1 - self.y0


@dataclass(slots=True)
class Rule:
    """A thin horizontal line."""

    x0: float
    x1: float
    y: float


@dataclass(slots=True)
class Piece:
    """A line as MuPDF gives it, before the pieces of one visual line are joined."""

    x0: float
    y0: float
    x1: float
    y1: float
    base: float
    size: float
    text: str
    bold: int
    italic: int
    caps: bool
    superscript: bool = False
    lead: str = ""


@dataclass(slots=True)
class Line:
    """One line of one column.

    `bold` and `italic` are shares of its letters in [0, 1]; `lead` is the bold start of a line that goes on in
    ordinary type.
    """

    page: int
    x0: float
    y0: float
    x1: float
    y1: float
    text: str
    size: float
    bold: float = 0.0
    italic: float = 0.0
    caps: bool = False
    column: int = 0
    left: float = 0.0
    right: float = 0.0
    superscript: bool = False
    lead: str = ""

    @property
    def height(self) -> float:
        """Height of the box."""
        return self.y1 - self.y0


@dataclass(slots=True)
class Page:
    """A page: its pieces and words, and what was set aside; `side` is where small print beside its text ends, else 0."""

    number: int
    width: float
    height: float
    pieces: list[Piece] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    stamps: list[str] = field(default_factory=list)
    hidden: int = 0
    pictured: float = 0.0
    recognised: bool = False
    drawn: bool = False
    side: float = 0.0


def read_page(page: Any, number: int) -> Page:
    """Words, pieces and rules of a pymupdf page. `hidden` counts the characters that nobody can see."""
    import pymupdf

    flags = pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_PRESERVE_WHITESPACE
    text_page = page.get_textpage(flags=flags)
    blocks = page.get_text("dict", textpage=text_page)["blocks"]
    sight = Sight(page, blocks)
    out = Page(number, float(page.rect.width), float(page.rect.height))
    out.pictured, out.recognised = sight.pictured, sight.recognised
    bold: list[tuple[float, float, float, float]] = []
    for block in blocks:
        for line in block.get("lines", ()):
            _take_line(line, sight, out, bold)
    _take_words(page.get_text("words", textpage=text_page), sight, out, bold)
    out.rules = list(_rules(sight.painted))
    out.drawn = any("text" not in kind for kind, _ in sight.painted)
    out.hidden = sight.dropped
    return out


def _take_line(line: dict[str, Any], sight: Sight, out: Page, bold: list[tuple[float, float, float, float]]) -> None:
    spans = [span for span in line["spans"] if span["text"] and sight.visible(span)]
    text = clean("".join(span["text"] for span in spans))
    if not text:
        return
    if abs(line["dir"][0] - 1.0) > 0.02:
        out.stamps.append(text)
        return
    bold.extend(tuple(span["bbox"]) for span in spans if _is_bold(span) and span["text"].strip())
    filled = [span for span in spans if span["text"].strip()]
    main = max(filled, key=lambda span: (round(span["size"], 1) * min(3, len(span["text"].strip())), span["size"]))
    letters = Counter[str]()
    for span in filled:
        count = len(span["text"].strip())
        letters["bold"] += count * _is_bold(span)
        letters["italic"] += count * bool(span["flags"] & _ITALIC_FLAG or _ITALIC_FONT.search(span["font"]))
    x0, y0 = min(span["bbox"][0] for span in filled), min(span["bbox"][1] for span in filled)
    x1, y1 = max(span["bbox"][2] for span in filled), max(span["bbox"][3] for span in filled)
    largest = max(span["size"] for span in filled)
    out.pieces.append(
        Piece(
            x0,
            y0,
            x1,
            y1,
            main["origin"][1],
            largest,
            text,
            letters["bold"],
            letters["italic"],
            _is_caps(text),
            bool(filled[0]["flags"] & _SUPERSCRIPT_FLAG) or filled[0]["size"] < 0.8 * largest,
            _lead(spans),
        )
    )


def _lead(spans: Sequence[dict[str, Any]]) -> str:
    """The bold start of a line that goes on in ordinary type."""
    start = ""
    for span in spans:
        if span["text"].strip() and not _is_bold(span):
            return clean(start)
        start += span["text"]
    return ""


def _is_bold(span: dict[str, Any]) -> bool:
    return bool(span["flags"] & _BOLD_FLAG or _BOLD_FONT.search(span["font"]))


def _is_caps(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= 4 and sum(c.isupper() for c in letters) >= 0.9 * len(letters)


def _take_words(
    raw: Iterable[Sequence[Any]], sight: Sight, out: Page, bold: list[tuple[float, float, float, float]]
) -> None:
    for x0, y0, x1, y1, text, *_ in raw:
        cleaned = clean(text)
        if not cleaned or not sight.visible_at(x0, y0, x1, y1):
            continue
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        strong = any(b[0] <= x <= b[2] and b[1] <= y <= b[3] for b in bold)
        out.words.append(Word(x0, y0, x1, y1, cleaned, strong))


def _rules(painted: Iterable[tuple[str, tuple[float, float, float, float]]]) -> Iterable[Rule]:
    for kind, (x0, y0, x1, y1) in painted:
        if kind in ("stroke-path", "fill-path") and y1 - y0 <= _RULE_THICKNESS and x1 - x0 >= _RULE_LENGTH:
            yield Rule(x0, x1, (y0 + y1) / 2)


def body_size(pages: Iterable[Page]) -> float:
    """The font size in which most of the letters are set, in points."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for piece in page.pieces:
            sizes[round(piece.size * 2) / 2] += len(piece.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def join_pieces(pieces: Iterable[Piece], page: int, column: int) -> list[Line]:
    """The lines that the pieces of one column make, from top to bottom."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: (p.base, p.x0)):
        row = next((r for r in reversed(rows[-4:]) if _same_row(r, piece)), None)
        if row is None:
            rows.append([piece])
        else:
            row.append(piece)
    lines = [_line(sorted(row, key=lambda p: p.x0), page, column) for row in rows]
    lines.sort(key=lambda line: (line.y0 + line.y1) / 2)
    return lines


def _same_row(row: list[Piece], piece: Piece) -> bool:
    main = max(row, key=lambda p: (p.size, len(p.text)))
    small = min(main.y1 - main.y0, piece.y1 - piece.y0)
    overlap = min(main.y1, piece.y1) - max(main.y0, piece.y0)
    if overlap < 0.5 * small:
        return False
    near = 0.25 if abs(main.size - piece.size) < 0.15 * main.size else 0.7
    return abs(main.base - piece.base) <= near * max(main.size, piece.size)


def _line(row: list[Piece], page: int, column: int) -> Line:
    text = row[0].text
    for left, right in itertools.pairwise(row):
        gap = right.x0 - left.x1
        text += ("" if gap < 0.12 * max(left.size, right.size) else " ") + right.text
    letters = max(1, sum(len(p.text) for p in row))
    main = max(row, key=lambda p: (len(p.text), p.size))
    largest = max(row, key=lambda p: p.size)
    size = largest.size if largest.caps or len(largest.text) * 4 > letters else main.size
    return Line(
        page,
        min(p.x0 for p in row),
        min(p.y0 for p in row),
        max(p.x1 for p in row),
        max(p.y1 for p in row),
        clean(text),
        size,
        sum(p.bold for p in row) / letters,
        sum(p.italic for p in row) / letters,
        _is_caps(text),
        column,
        superscript=row[0].superscript or (row[0].size < 0.8 * size and len(row[0].text) <= 3),
        lead=row[0].lead or (row[0].text if row[0].bold >= len(row[0].text) * 0.8 and len(row) > 1 else ""),
    )
