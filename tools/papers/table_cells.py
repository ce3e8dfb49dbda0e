"""The words of a table as rows, columns and cells.

Columns are where white space runs through the rows with numbers; a header that stands over several columns is given
to each of them. Which words belong to the table is decided in `tables.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .glyphs import clean
from .pages import Page, Rule, Word
from .records import Table

__all__ = ["Row", "build_table", "is_number", "rows_of", "widest_gap"]

_NUMBER = re.compile(
    r"[-+−–±~≈<>≤≥]?\(?[-+−]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+)(?:[eE][-+−]?\d+)?\)?[%‰*†‡§]*"
    r"(?:±\d*\.?\d+%?)?(?:/\d*\.?\d+%?)*[KMkx×]?\)?[*†‡]*|[-−–—✓✗×]|n/?a|N/?A"
)


_MOST_HEADER_ROWS = 5
"""Rows that a header has at most; what looks like more is a table with words in it and few plain numbers."""


@dataclass(slots=True)
class Row:
    words: list[Word]
    y0: float = 0.0
    y1: float = 0.0
    cells: list[tuple[float, float, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(w.text for w in self.words)

    @property
    def numbers(self) -> int:
        return sum(is_number(w.text) for w in self.words)

    @property
    def x0(self) -> float:
        return self.words[0].x0

    @property
    def x1(self) -> float:
        return max(w.x1 for w in self.words)


def is_number(text: str) -> bool:
    """Whether a word stands for a value in a table: a number, with its sign, unit or mark, or a dash."""
    return bool(_NUMBER.fullmatch(text))


def rows_of(words: Iterable[Word]) -> list[Row]:
    rows: list[Row] = []
    for word in sorted(words, key=lambda w: (w.middle, w.x0)):
        row = next((r for r in reversed(rows[-3:]) if _on_row(r, word)), None)
        if row is None:
            rows.append(Row([word], word.y0, word.y1))
        else:
            row.words.append(word)
            if word.height > 0.8 * (row.y1 - row.y0):
                row.y0, row.y1 = min(row.y0, word.y0), max(row.y1, word.y1)
    for row in rows:
        row.words.sort(key=lambda w: w.x0)
        row.cells = _cells(row.words)
    rows.sort(key=lambda r: (r.y0 + r.y1) / 2)
    return rows


def _on_row(row: Row, word: Word) -> bool:
    overlap = min(row.y1, word.y1) - max(row.y0, word.y0)
    return overlap > 0.55 * min(row.y1 - row.y0, word.height)


def _cells(words: Sequence[Word], ems: float = 0.62) -> list[tuple[float, float, str]]:
    """Words with ordinary spaces between them belong together."""
    cells: list[tuple[float, float, str]] = []
    for word in words:
        if (
            cells
            and word.x0 - cells[-1][1] < ems * word.height
            and not (is_number(word.text) and is_number(cells[-1][2]) and word.x0 - cells[-1][1] > 0.35 * word.height)
        ):
            x0, _, text = cells[-1]
            cells[-1] = (x0, word.x1, f"{text} {word.text}")
        else:
            cells.append((word.x0, word.x1, word.text))
    return cells


def widest_gap(row: Row) -> float:
    return max((b[0] - a[1] for a, b in zip(row.cells, row.cells[1:], strict=False)), default=0.0)


def build_table(rows: list[Row], page: Page, caption: str, extent: tuple[float, float]) -> Table | None:
    data = [r for r in rows if len(r.cells) >= 2 and r.numbers >= 1 and r.numbers * 4 >= len(r.words)]
    columns = _columns(data if len(data) >= 2 else [r for r in rows if len(r.cells) >= 2])
    if len(columns) < 2:
        return None
    short = [r for r in page.rules if extent[0] - 3 <= r.y <= extent[1] + 3]
    first_data = _first_data(rows, columns)
    if first_data > _MOST_HEADER_ROWS:
        first_data = _below_the_first_rule(rows, short) or 1
    header = [""] * len(columns)
    for row in rows[:first_data]:
        for place, text in _spread(row, columns, short):
            header[place] = f"{header[place]} {text}".strip()
    body: list[list[str]] = []
    strong: list[int] = []
    for row in rows[first_data:]:
        cells = _filled(row, columns)
        if any(cells):
            first = [w for w in row.words if not is_number(w.text)]
            if first and all(w.bold for w in first):
                strong.append(len(body))
            body.append(cells)
    body, strong = _merged(body, strong)
    return Table(page=page.number, caption=caption, header=header, rows=body, strong=strong) if body else None


def _merged(rows: list[list[str]], strong: list[int]) -> tuple[list[list[str]], list[int]]:
    """The rows with labels that run over two lines made whole."""
    out: list[list[str]] = []
    places: dict[int, int] = {}
    for index, row in enumerate(rows):
        if out and _continues(out[-1], row):
            out[-1] = [f"{a} {b}".strip() for a, b in zip(out[-1], row, strict=True)]
        else:
            out.append(row)
        places[index] = len(out) - 1
    return out, sorted({places[i] for i in strong})


def _continues(above: list[str], row: list[str]) -> bool:
    """Whether a row only ends what the one above began: an open bracket, or a citation cut in two."""
    filled = [i for i, cell in enumerate(row) if cell]
    if any(is_number(row[i]) for i in filled) or any(not above[i] for i in filled) or len(filled) == len(row):
        return False
    first = filled[0]
    open_above = above[first].count("(") > above[first].count(")")
    return (open_above and ")" in row[first]) or (
        row[first][:1].islower() and above[first].endswith((",", "and", "of", "-", "with"))
    )


def _columns(rows: list[Row]) -> list[tuple[float, float]]:
    """The extents of the columns: where white space runs through all but a few of the rows, columns part."""
    if not rows:
        return []
    height = sorted(r.y1 - r.y0 for r in rows)[len(rows) // 2]
    left = min(r.x0 for r in rows)
    right = max(r.x1 for r in rows)
    count = int(right - left) + 2
    cover = [0] * count
    for row in rows:
        for x0, x1, _ in _cells(row.words, 0.5):
            for x in range(int(x0 - left), min(count, int(x1 - left) + 1)):
                cover[x] += 1
    allowed = len(rows) * 0.08 if len(rows) >= 8 else 0
    columns: list[tuple[float, float]] = []
    start = -1
    gap = 0
    for x in range(count):
        if cover[x] > allowed:
            if start < 0:
                start = x
            elif gap >= 0.28 * height:
                columns.append((left + start, left + x - gap))
                start = x
            gap = 0
        elif start >= 0:
            gap += 1
    if start >= 0:
        columns.append((left + start, right))
    return columns


def _first_data(rows: list[Row], columns: list[tuple[float, float]]) -> int:
    """Number of header rows: those before the first row with values in columns other than the first."""
    for index, row in enumerate(rows):
        values = [w for w in row.words if is_number(w.text) and w.x0 > columns[0][1]]
        if values and len(values) * 2 >= len([w for w in row.words if w.x0 > columns[0][1]]) and index > 0:
            return index
        if (
            values
            and index == 0
            and not _years(values)
            and (len(values) >= 2 or re.search(r"\d\.\d|%", values[0].text))
        ):
            return 0
    return 1


def _below_the_first_rule(rows: Sequence[Row], rules: Sequence[Rule]) -> int:
    """Number of rows above the first line that runs through most of the table's width with a few rows above; else 0."""
    width = max(r.x1 for r in rows) - min(r.x0 for r in rows)
    for rule in sorted(rules, key=lambda r: r.y):
        length = sum(r.x1 - r.x0 for r in rules if abs(r.y - rule.y) < 1)
        above = sum((r.y0 + r.y1) / 2 < rule.y for r in rows)
        if length > 0.6 * width and 1 <= above <= _MOST_HEADER_ROWS:
            return above
    return 0


def _years(words: Sequence[Word]) -> bool:
    return all(re.fullmatch(r"(?:19|20)\d\d|\d{1,2}", w.text) for w in words)


def _spread(row: Row, columns: list[tuple[float, float]], rules: Sequence[Rule]) -> Iterable[tuple[int, str]]:
    """Each header cell with every column that it stands over."""
    for x0, x1, text in row.cells:
        under = next(
            (
                r
                for r in rules
                if -1 <= r.y - row.y1 <= 6
                and r.x0 - 3 <= x0
                and x1 <= r.x1 + 3
                and r.x1 - r.x0 < columns[-1][1] - columns[0][0] - 8
            ),
            None,
        )
        low, high = (under.x0, under.x1) if under else (x0, x1)
        places = [i for i, (a, b) in enumerate(columns) if min(b, high) - max(a, low) > 0.3 * min(b - a, high - low)]
        if not places:
            middle = (x0 + x1) / 2
            places = [min(range(len(columns)), key=lambda i: abs((columns[i][0] + columns[i][1]) / 2 - middle))]
        for place in places:
            yield place, text


def _filled(row: Row, columns: list[tuple[float, float]]) -> list[str]:
    """The row's words in their columns; words with ordinary spaces between them stay together where they can."""
    cells = [""] * len(columns)
    groups: list[list[Word]] = []
    for word in row.words:
        last = groups[-1][-1] if groups else None
        close = last is not None and word.x0 - last.x1 < 0.5 * word.height
        if close and last is not None and not (is_number(word.text) and is_number(last.text) and word.text[0] != "±"):
            groups[-1].append(word)
        else:
            groups.append([word])
    for group in groups:
        x0, x1 = group[0].x0, group[-1].x1
        under = [i for i, (a, b) in enumerate(columns) if min(b, x1) - max(a, x0) > 0.6 * min(b - a, x1 - x0)]
        whole = under[0] if len(under) == 1 else None
        for word in group:
            place = _place(word.x0, word.x1, columns) if whole is None else whole
            cells[place] = f"{cells[place]} {word.text}".strip()
    return [clean(cell) for cell in cells]


def _place(x0: float, x1: float, columns: list[tuple[float, float]]) -> int:
    middle = (x0 + x1) / 2

    def distance(index: int) -> float:
        low, high = columns[index]
        return max(low - middle, middle - high, 0.0)

    return min(range(len(columns)), key=distance)
