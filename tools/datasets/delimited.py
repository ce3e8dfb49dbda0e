"""Delimited text (csv, tsv and their relatives) to a grid of strings: delimiter, quotes, line numbers, comments.

Lines end at a newline and nowhere else: `\x85` and `\x0c` may stand inside a field. Whether the first row is a header
is decided in `headers.py`, and types in `column_types.py`; here every cell is a string, as it stands in the file.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from trainwright.graph.errors import DataError
from trainwright.graph.state import Finding

from .bytes_and_text import decode, read_bytes
from .messages import finding, shown

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Grid", "NotDelimited", "read_grid"]

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", " ": "blank"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
CHUNK = 20_000
LOOSE_SUFFIXES = (".txt", ".data", ".dat", ".test", ".train", ".all", "")


class NotDelimited(DataError):
    """The text has no columns: prose, perhaps."""


@dataclass
class Grid:
    """The rows of a file, column by column, the first row included.

    Attributes:
        path: the file.
        first: cells of the first row.
        columns: one string array a column; all have the same length.
        delimiter: a single character.
        notes: what was noticed.
    """

    path: Path
    first: list[str]
    columns: list[pa.ChunkedArray]
    delimiter: str
    notes: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows, the first included."""
        return len(self.columns[0])


@dataclass(frozen=True)
class Dialect:
    """How a line becomes cells."""

    delimiter: str
    quoted: bool = True


def read_grid(path: Path) -> Grid:
    """Read a delimited text file.

    Raises:
        NotDelimited: the lines hold no delimiter.
        DataError: empty, binary, ragged (with the line number), or a quote that never ends.
    """
    decoded = decode(path, read_bytes(path))
    notes = []
    if decoded.encoding != "utf-8":
        notes.append(finding("encoding", "info", f"{shown(path.name)} was read as {decoded.encoding}."))
    text, skipped = _without_preface(decoded.text)
    if skipped:
        notes.append(finding("skipped_lines", "info", f"{skipped} comment lines before the table were skipped."))
    dialect = _dialect(path, text)
    if dialect.delimiter == " ":
        text = "\n".join(line.strip() for line in text.replace("\t", " ").split("\n"))
    if dialect.delimiter not in ",\t" or (dialect.delimiter == "," and path.name.endswith(".tsv")):
        notes.append(finding("delimiter", "info", f"Columns are separated by a {DELIMITERS[dialect.delimiter]}."))
    if not dialect.quoted:
        notes.append(finding("quotes", "info", "Quotation marks were read as plain characters."))
    grid = _filled(path, text, dialect, skipped)
    grid.notes[:0] = notes
    return grid


def _without_preface(text: str) -> tuple[str, int]:
    """The text without comment lines at its beginning, and how many there were."""
    skipped = 0
    while True:
        line, newline, rest = text.partition("\n")
        following = rest.partition("\n")[0]
        is_comment = line.lstrip().startswith(("#", "%", "|", "//")) and _marks(line) < max(1, _marks(following))
        if not newline or not (is_comment or re.fullmatch(r"sep=.\r?", line.strip('"'))):
            return text, skipped
        text, skipped = rest, skipped + 1


def _marks(line: str) -> int:
    return max(line.count(mark) for mark in ",;\t")


def _dialect(path: Path, text: str) -> Dialect:
    """The delimiter that divides the most lines into the same number of cells, more than one."""
    lines = list(islice((line for line in text[:400_000].split("\n") if line.strip()), 400))
    if len(text) > 400_000 and len(lines) > 1:
        lines.pop()  # it may be cut
    preferred = "\t" if ".tsv" in path.name or ".tab" in path.name else ","
    best: tuple[float, bool, int] = (0.0, False, 0)
    chosen = ""
    for mark in (",", "\t", ";", "|"):
        width, share = _consistency("\n".join(lines), mark)
        if width > 1 and (round(share, 2), mark == preferred, width) > best:
            best, chosen = (round(share, 2), mark == preferred, width), mark
    loose = path.name.removesuffix(".gz").endswith(LOOSE_SUFFIXES[:-1]) or not path.suffix
    enough = 0.9 if loose else 0.0
    if chosen and best[0] > enough:
        return Dialect(chosen, quoted=chosen != "\t" or _quotes_help(text))
    if _blank_separated(lines):
        return Dialect(" ")
    if chosen and not loose and best[0] > 0.3:
        return Dialect(chosen)
    raise NotDelimited(
        f"{shown(path.name)} has a single column: no comma, tab, semicolon or bar divides its lines.",
        hint="A table with at least one feature column and one target column is needed.",
    )


def _consistency(text: str, mark: str) -> tuple[int, float]:
    """The commonest number of cells in a row, and its share of the rows."""
    widths: Counter[int] = Counter()
    try:
        widths.update(
            len(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
        )
    except csv.Error:
        return 1, 0.0
    total = widths.total() - widths.pop(0, 0)
    if not widths:
        return 1, 0.0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    return width, count / total


def _blank_separated(lines: list[str]) -> bool:
    rows = [line.split() for line in lines if '"' not in line]
    widths = Counter(map(len, rows))
    if not widths:
        return False
    width, count = widths.most_common(1)[0]
    cells = [cell for row in rows for cell in row]
    numbers = sum(NUMBER.fullmatch(cell) is not None for cell in cells)
    return width > 1 and count >= 0.95 * len(rows) and numbers >= 0.5 * len(cells)


def _quotes_help(text: str) -> bool:
    """Whether a tab-separated text uses quotation marks as csv does: then every opening one is closed in its cell."""
    opening = len(re.findall(r'(?:^|[\t\n])"', text))
    closing = len(re.findall(r'"(?:$|[\t\r\n])', text))
    return opening == closing


def _filled(path: Path, text: str, dialect: Dialect, skipped: int) -> Grid:
    try:
        return _read(path, text, dialect, skipped)
    except csv.Error as error:
        raise DataError(f"{shown(path.name)} cannot be read as a table: {error}.") from error


def _read(path: Path, text: str, dialect: Dialect, skipped: int) -> Grid:
    import pyarrow as pa

    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quoting=csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE,
        skipinitialspace=dialect.delimiter != "\t",
    )
    rows = _numbered(reader)
    pending = list(islice(rows, 6))
    if not pending:
        raise DataError(f"{shown(path.name)} is empty.", hint="Give a file with a header line and rows.")
    notes: list[Finding] = []
    line, first = pending[0]
    if len(pending) > 2 and all(len(row) == len(first) + 1 and row[-1].strip() for _, row in pending[1:]):
        pending[0] = (line, ["row", *first])
        notes.append(finding("row_names", "info", "The header is one cell short: the first column holds row names."))
    width = len(pending[0][1])
    chunks: list[list[pa.Array]] = []
    while pending:
        cells = [_fitted(path, width, line + skipped, row) for line, row in pending]
        chunks.append([pa.array(column, pa.string()) for column in zip(*cells, strict=True)])
        pending = list(islice(rows, CHUNK))
    _refuse_open_quote(path, text, [column[-1].as_py() for column in chunks[-1]], skipped)
    columns = [pa.chunked_array([chunk[i] for chunk in chunks], pa.string()) for i in range(width)]
    return _without_empty_end(Grid(path, [column[0].as_py() for column in columns], columns, dialect.delimiter, notes))


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line that they begin at; empty lines are left out."""
    begun = 0
    for row in reader:
        line, begun = begun + 1, reader.line_num  # type: ignore[attr-defined]
        if any(row) or len(row) > 1:
            yield line, row


def _fitted(path: Path, width: int, line: int, row: list[str]) -> list[str]:
    """The row, if it has `width` cells (an empty one behind the last delimiter is not counted).

    Raises:
        DataError: it has not; names the line.
    """
    if len(row) == width:
        return row
    if len(row) == width + 1 and not row[-1].strip():
        return row[:-1]
    raise DataError(
        f"{shown(path.name)}, line {line}: {len(row)} cells, where the lines before have {width}.",
        hint="Mend that line: a delimiter is missing or too many, or a cell with one needs quotation marks.",
    )


def _refuse_open_quote(path: Path, text: str, last: list[str], skipped: int) -> None:
    """A quotation mark that is never closed swallows the rest of the file into one cell."""
    swallowed = last[-1].count("\n")
    if swallowed < 2 or text.rstrip().endswith('"'):
        return
    line = text.rstrip("\n").count("\n") + 1 - swallowed + skipped
    raise DataError(
        f"{shown(path.name)}, line {max(1, line)}: a quotation mark opens a cell and is never closed.",
        hint="Close it, or write two of them where one is part of the text.",
    )


def _without_empty_end(grid: Grid) -> Grid:
    """Drop a last column that is empty throughout: every line ended with a delimiter."""
    import pyarrow.compute as pc

    last = pc.utf8_trim_whitespace(grid.columns[-1])
    if len(grid.columns) > 1 and pc.all(pc.equal(last, "")).as_py():
        grid.columns.pop()
        grid.first.pop()
        grid.notes.append(finding("trailing_delimiter", "info", "Every line ends with a delimiter; it was ignored."))
    return grid
