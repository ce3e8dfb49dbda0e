"""Table files to raw columns: delimited text, jsonl, json, Parquet; one file for each part.

The header of delimited files is decided over all parts together. What the columns mean is not decided here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import DataError

from .bytes_and_text import decode, read_bytes
from .delimited import Grid, read_grid
from .headers import Header, column_names, header_of
from .loaded import RawData
from .messages import finding, shown, shown_list

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TABLE_SUFFIXES", "read_delimited", "read_json", "read_parquet", "table_suffix"]

TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".txt", ".data", ".dat")


def table_suffix(path: Path) -> str:
    """The suffix that names the format, in small letters, without `.gz`."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def read_delimited(files: Mapping[str, list[Path]], header: Header | None = None) -> RawData:
    """Delimited text, one or more files a part.

    Args:
        files: part name to its files.
        header: `present` or `absent` to overrule what the first rows look like.

    Raises:
        DataError: a file cannot be read, or parts have different numbers of columns.
    """
    grids = {part: [read_grid(path) for path in paths] for part, paths in files.items()}
    first = next(iter(grids.values()))[0]
    found = header or _header(grids)
    cells = None if found == "absent" else first.first
    names, notes = column_names(cells, len(first.columns))
    if found == "absent":
        text = f"{shown(first.path.name)} has no header line: its first row is a row like the others. "
        text += f"The columns are called {names[0]} to {names[-1]}."
        notes.append(finding("no_header", "warning", text))
    raw = RawData({}, notes, comma_decimal=first.delimiter in ";\t")
    if found == "unclear":
        raw.unclear_header = tuple(cell.strip() for cell in first.first)
    for part, several in grids.items():
        raw.parts[part] = _joined([_named(grid, names, first, found) for grid in several])
        notes += [note for grid in several for note in grid.notes]
    return raw


def _header(grids: Mapping[str, list[Grid]]) -> Header:
    every = [grid for several in grids.values() for grid in several]
    if len(every) > 1 and all([c.strip() for c in g.first] == [c.strip() for c in every[0].first] for g in every[1:]):
        return "present"
    return header_of(every[0])


def _named(grid: Grid, names: list[str], first: Grid, header: Header) -> dict[str, pa.ChunkedArray]:
    if header == "absent":
        _same_width(grid, first)
        return dict(zip(names, grid.columns, strict=True))
    if grid is first:
        return {name: column[1:] for name, column in zip(names, grid.columns, strict=True)}
    own, _ = column_names(grid.first, len(grid.columns))
    if set(own) & set(names):
        return {name: column[1:] for name, column in zip(own, grid.columns, strict=True)}
    _same_width(grid, first)
    if header_of(grid) == "present":
        raise DataError(
            f"{shown(grid.path.name)} has other columns ({shown_list(own)}) than {shown(first.path.name)} "
            f"({shown_list(names)}).",
            hint="Give the parts the same header.",
        )
    text = f"{shown(grid.path.name)} has no header line; it was given the columns of {shown(first.path.name)}."
    grid.notes.append(finding("no_header", "warning", text))
    return dict(zip(names, grid.columns, strict=True))


def _same_width(grid: Grid, first: Grid) -> None:
    if len(grid.columns) != len(first.columns):
        raise DataError(
            f"{shown(grid.path.name)} has {len(grid.columns)} columns, {shown(first.path.name)} {len(first.columns)}.",
            hint="Give the parts the same columns.",
        )


def _joined(pieces: list[dict[str, pa.ChunkedArray]]) -> dict[str, pa.ChunkedArray]:
    """The files of one part behind each other; a column that a file lacks is missing there."""
    import pyarrow as pa

    if len(pieces) == 1:
        return pieces[0]
    tables = [pa.table(piece) for piece in pieces]
    whole = pa.concat_tables(tables, promote_options="permissive")
    return {name: whole.column(i) for i, name in enumerate(whole.column_names)}


def read_parquet(files: Mapping[str, list[Path]]) -> RawData:
    """Parquet files, one or more a part. Image columns of the Hub's kind become bytes.

    Raises:
        DataError: a file is damaged.
    """
    raw = RawData({})
    for part, paths in files.items():
        raw.parts[part] = _joined([_parquet(path, raw) for path in paths])
    return raw


def _parquet(path: Path, raw: RawData) -> dict[str, pa.ChunkedArray]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else "damaged"
        raise DataError(
            f"{shown(path.name)} cannot be read as Parquet: {reason.rstrip('.')}.", hint="Write or download it again."
        ) from error
    columns: dict[str, pa.ChunkedArray] = {}
    names, notes = column_names(list(table.column_names), table.num_columns)
    raw.notes += notes
    for name, column in zip(names, table.columns, strict=True):
        if name.startswith("__index_level_"):
            raw.notes.append(finding("index_column", "info", "The stored row index was left out.", [name]))
            continue
        columns[name] = _unpacked(column, raw)
    return columns


def _unpacked(column: pa.ChunkedArray, raw: RawData) -> pa.ChunkedArray:
    """The bytes of an image or sound struct, as `datasets` writes it; other columns as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_struct(column.type) and "bytes" in [field.name for field in column.type]:
        column = pc.struct_field(column, "bytes")
    if pa.types.is_binary(column.type) and len(column) and (start := column[0].as_py()) is not None:
        if start[:4] in (b"RIFF", b"fLaC", b"OggS") or start[:3] == b"ID3":
            raw.modality, raw.refusal = "audio", SOUND
        else:
            raw.modality = "images"
    return column


SOUND = (
    "These data are sound recordings. No recipe here works on sound. A table of features computed from the "
    "recordings (one row a recording, with its label) could be used."
)


def read_json(files: Mapping[str, list[Path]]) -> RawData:
    """One JSON object a line (jsonl), or one array of objects (json).

    Raises:
        DataError: a line is broken or holds no object; names the line.
    """
    return RawData({part: _joined([_records(path) for path in paths]) for part, paths in files.items()})


def _records(path: Path) -> dict[str, pa.ChunkedArray]:
    text = decode(path, read_bytes(path)).text
    rows = _array(path, text) if text.lstrip().startswith("[") else _lines(path, text)
    fields = list(dict.fromkeys(name for _, row in rows for name in row))
    # A lone surrogate, legal in JSON, cannot be written as UTF-8.
    names, _ = column_names([name.encode("utf-8", "replace").decode() for name in fields], len(fields))
    return {
        name: _column(path, name, [(line, row.get(field)) for line, row in rows])
        for name, field in zip(names, fields, strict=True)
    }


def _lines(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    rows: list[tuple[int, dict[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            if number == 1 and line.lstrip().startswith("{") and len(text) > len(line):
                return _whole_object(path, text, error)
            raise _broken(path, number, str(error)) from error
        if not isinstance(row, dict):
            raise _broken(path, number, f"it holds {shown(row)}, no object")
        rows.append((number, row))
    return rows


def _whole_object(path: Path, text: str, error: Exception) -> list[tuple[int, dict[str, Any]]]:
    """A pretty-printed document: useful only to say what is wrong with it."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        raise _broken(path, 1, str(error)) from error
    raise DataError(
        f"{shown(path.name)} is one JSON object over several lines.",
        hint="Give one object a line (jsonl), or one array of objects.",
    )


def _broken(path: Path, line: int, reason: str) -> DataError:
    return DataError(
        f"{shown(path.name)}, line {line}: no JSON object ({reason[:200]}).", hint="Mend or remove that line."
    )


def _array(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    try:
        rows = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{shown(path.name)} is no valid JSON: {str(error)[:200]}.", hint="Mend the file.") from error
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise DataError(f"{shown(path.name)}, entry {number}: it holds {shown(row)}, no object.")
    return list(enumerate(rows, 1))


def _column(path: Path, name: str, cells: list[tuple[int, Any]]) -> pa.ChunkedArray:
    import pyarrow as pa

    kinds = {type(value) for _, value in cells if value is not None}
    if dict in kinds or (list in kinds and not all(_numbers(v) for _, v in cells if v is not None)):
        line = next(line for line, value in cells if isinstance(value, dict | list))
        raise DataError(
            f"{shown(path.name)}, line {line}: {shown(name)} holds nested values.",
            hint="Flatten it to one value a field, or leave the field out.",
        )
    values = [value for _, value in cells]
    if len(kinds - {int, float}) > 0 and len(kinds) > 1:
        values = [None if value is None else str(value) for value in values]
    try:
        return pa.chunked_array([pa.array(values)])
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError, pa.ArrowTypeError):
        strings = [None if value is None else str(value).encode("utf-8", "replace").decode() for value in values]
        return pa.chunked_array([pa.array(strings, pa.string())])


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, int | float) for item in value)
