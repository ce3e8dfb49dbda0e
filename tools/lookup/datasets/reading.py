"""Rows from files, on the Hub or here: the beginning of them, as much as is asked for, as an Arrow table.

Delimited text is read by the same code that loads data for a run. JSON may be nested here, since conversations are.
Pictures, sounds and other bytes are not read. Text that is cut is cut behind a whole line.
"""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from trainwright.graph.errors import DataError
from trainwright.tools.datasets.bytes_and_text import decode
from trainwright.tools.datasets.messages import shown, shown_list
from trainwright.tools.datasets.tables import table_suffix

from .kinds import Kind, from_arrow
from .stored import HubFile, StoredFile

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LOCAL_TEXT", "REMOTE_TEXT", "Head", "read_head"]

LOCAL_TEXT = 64 * 2**20
REMOTE_TEXT = 8 * 2**20
"""Bytes of text, decompressed, that are read of a file."""

MEMORY = 256 * 2**20
"""Bytes that the rows may take in memory."""

MOST_COLUMNS = 2000


@dataclass
class Head:
    """The beginning of a split.

    Attributes:
        table: its rows; columns of bytes are left out.
        kinds: all columns.
        total: rows of the whole, where the files say so.
        whole: whether these are all rows.
        notes: what was noticed.
    """

    table: pa.Table
    kinds: dict[str, Kind]
    total: int | None = None
    whole: bool = True
    notes: list[str] = field(default_factory=list)


def read_head(files: Sequence[StoredFile], *, rows: int, columns: Sequence[str] = ()) -> Head:
    """The first rows of files that follow each other.

    Args:
        files: at least one.
        rows: at most so many.
        columns: these alone, where they are there; all when empty.

    Raises:
        DataError: a file cannot be read; names the line where known.
        RemoteError: a file on the Hub cannot be had.
    """
    import pyarrow as pa

    heads: list[Head] = []
    left = rows
    for file in files:
        head = _head(file, left, columns)
        heads.append(head)
        left -= len(head.table)
        if left <= 0 or not head.whole or sum(h.table.nbytes for h in heads) >= MEMORY:
            break
    kinds = {name: kind for head in reversed(heads) for name, kind in head.kinds.items()}
    totals = [head.total for head in heads]
    known = len(heads) == len(files) and all(total is not None for total in totals)
    try:
        table = (
            heads[0].table
            if len(heads) == 1
            else pa.concat_tables([h.table for h in heads], promote_options="permissive")
        )
    except pa.ArrowException as error:
        raise DataError(f"The files of one split have columns of different types: {str(error)[:200]}.") from error
    return Head(
        table=table,
        kinds={name: kinds[name] for name in dict.fromkeys(name for head in heads for name in head.kinds)},
        total=sum(total or 0 for total in totals) if known else None,
        whole=len(heads) == len(files) and all(head.whole for head in heads),
        notes=[note for head in heads for note in head.notes],
    )


def _head(file: StoredFile, rows: int, columns: Sequence[str]) -> Head:
    suffix = table_suffix(Path(file.name))
    try:
        with file.open() as stream:
            if suffix in (".parquet", ".pq"):
                return _parquet(stream, rows, columns)
            if suffix == ".arrow":
                return _arrow(stream, rows, columns)
            head = _text(file, stream, suffix, rows)
    except OSError as error:
        raise DataError(f"{shown(file.name)} cannot be read: {error.strerror or str(error)[:160]}.") from error
    except ValueError as error:  # Arrow's errors on damaged files are of this kind
        raise DataError(f"{shown(file.name)} cannot be read: {str(error).splitlines()[0][:160]}.") from error
    if columns:
        head.table = head.table.select([name for name in head.table.column_names if name in columns])
    return head


def _wanted(kinds: Mapping[str, Kind], columns: Sequence[str]) -> list[str]:
    return [name for name, kind in kinds.items() if not kind.is_bulk and (not columns or name in columns)][
        :MOST_COLUMNS
    ]


def _parquet(stream: BinaryIO, rows: int, columns: Sequence[str]) -> Head:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(stream, buffer_size=2**16, pre_buffer=False) as file:
        kinds = {
            name: kind for name, kind in from_arrow(file.schema_arrow).items() if not name.startswith("__index_level_")
        }
        total = int(file.metadata.num_rows)
        names = _wanted(kinds, columns)
        batches: list[pa.RecordBatch] = []
        if names and rows > 0:
            for batch in file.iter_batches(batch_size=min(max(rows, 1), 2048), columns=names, use_threads=False):
                batches.append(batch)
                if sum(map(len, batches)) >= rows or sum(b.nbytes for b in batches) >= MEMORY:
                    break
        schema = pa.schema([file.schema_arrow.field(name) for name in names])
    table = pa.Table.from_batches(batches).slice(0, rows) if batches else schema.empty_table()
    return Head(table.replace_schema_metadata(None), kinds, total, whole=len(table) == total)


def _arrow(stream: BinaryIO, rows: int, columns: Sequence[str]) -> Head:
    """A file that `datasets` saved: a stream of batches."""
    import pyarrow as pa

    with pa.ipc.open_stream(stream) as reader:
        kinds = from_arrow(reader.schema)
        names = _wanted(kinds, columns)
        tables: list[pa.Table] = []
        whole = True
        for batch in reader:
            if sum(map(len, tables)) >= rows or sum(t.nbytes for t in tables) >= MEMORY:
                whole = False
                break
            tables.append(pa.Table.from_batches([batch]).select(names))
        table = pa.concat_tables(tables) if tables else reader.schema.empty_table().select(names)
    read = len(table)
    table = table.slice(0, rows)
    whole = whole and len(table) == read
    return Head(table.replace_schema_metadata(None), kinds, len(table) if whole else None, whole)


def _text(file: StoredFile, stream: BinaryIO, suffix: str, rows: int) -> Head:
    limit = REMOTE_TEXT if isinstance(file, HubFile) else LOCAL_TEXT
    content, whole = _begun(file, stream, limit)
    if suffix in (".jsonl", ".ndjson", ".json"):
        table, notes, whole = _json(file, content, whole, rows)
    elif suffix in (".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ""):
        table, notes = _delimited(file, content if whole else _to_whole_lines(content), suffix)
    else:
        raise DataError(
            f"{shown(file.name)} is no table: {suffix or 'a name without a suffix'} is not read here.",
            hint="Give csv, tsv, jsonl, json or Parquet.",
        )
    whole = whole and len(table) <= rows
    table = table.slice(0, rows)
    return Head(table, from_arrow(table.schema), len(table) if whole else None, whole, notes)


def _begun(file: StoredFile, stream: BinaryIO, limit: int) -> tuple[bytes, bool]:
    """The first bytes, decompressed, and whether they are all."""
    start = stream.read(2)
    stream.seek(0)
    if start != b"\x1f\x8b":
        content = stream.read(limit + 1)
        return content[:limit], len(content) <= limit
    pieces = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=stream) as packed:
            while pieces.tell() <= limit and (piece := packed.read(min(2**20, limit + 1 - pieces.tell()))):
                pieces.write(piece)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{shown(file.name)} is a damaged gzip file: {error}.", hint="Download or pack it again."
        ) from error
    content = pieces.getvalue()
    return content[:limit], len(content) <= limit


def _to_whole_lines(content: bytes) -> bytes:
    """Without the last line, which is cut, nor the row that it belongs to where a quoted cell has several lines."""
    end = content.rfind(b"\n")
    for _ in range(2000):
        if content.count(b'"', 0, max(end, 0)) % 2 == 0:
            break
        end = content.rfind(b"\n", 0, max(end, 0))
    return content[: end + 1] if end > 0 else content


def _delimited(file: StoredFile, content: bytes, suffix: str) -> tuple[pa.Table, list[str]]:
    import pyarrow as pa

    from trainwright.tools.datasets.assembling import assembled
    from trainwright.tools.datasets.delimited import NotDelimited
    from trainwright.tools.datasets.tables import read_delimited

    with tempfile.TemporaryDirectory() as folder:  # the reader of a run's data takes paths
        path = Path(folder) / (file.name.removesuffix(".gz") or "data")
        path.write_bytes(content)
        try:
            raw = read_delimited({"all": [path]})
            frames, notes = assembled(raw, file.name)
        except NotDelimited:
            return _single_column(file, path, suffix)
    table = pa.Table.from_pandas(frames["all"], preserve_index=False).replace_schema_metadata(None)
    said = [
        note.message for note in (*raw.notes, *notes) if note.code not in ("no_header",) or raw.unclear_header == ()
    ]
    if raw.unclear_header:
        said.append(f"The first line of {shown(file.name)} may be a header or a row: it was read as one of the two.")
    return table, said[:10]


def _single_column(file: StoredFile, path: Path, suffix: str) -> tuple[pa.Table, list[str]]:
    """Text without any delimiter: a csv of one column, or one text a line."""
    import pyarrow as pa

    lines = [line.rstrip("\r") for line in decode(path, path.read_bytes()).text.split("\n") if line.strip()]
    if suffix in (".csv", ".tsv", ".tab"):
        name, *lines = lines
        return pa.table({name.strip().strip('"') or "text": pa.array(lines, pa.string())}), []
    return pa.table({"text": pa.array(lines, pa.string())}), [f"{shown(file.name)} was read as one text a line."]


def _json(file: StoredFile, content: bytes, whole: bool, rows: int) -> tuple[pa.Table, list[str], bool]:
    if not whole:
        # A character of several bytes may be cut; a whole line never is.
        content = content[: content.rfind(b"\n") + 1] or content[:-4]
    text = decode(Path(file.name), content).text
    notes: list[str] = []
    if text.lstrip().startswith("["):
        entries, whole = _array(file, text, whole, rows)
    elif whole and (found := _wrapped(text)) is not None:
        key, entries = found
        notes.append(f"The rows of {shown(file.name)} lie under its key {shown(key)}.")
    elif whole and "\n" in text.strip() and (names := _keys(text)) is not None:
        raise DataError(
            f"{shown(file.name)} holds one object with the keys {shown_list(names)}, and no list of rows.",
            hint="Give one object a line (jsonl), or one array of objects.",
        )
    else:
        entries, said, read_all = _lines(file, text, rows)
        notes, whole = notes + said, whole and read_all
    return _table(entries, notes), notes, whole


def _keys(text: str) -> list[str] | None:
    """The keys of a text that is one object over several lines; None for any other."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return list(value) if isinstance(value, dict) else None


def _wrapped(text: str) -> tuple[str, list[dict[str, Any]]] | None:
    """The rows of one object that holds a single list of objects, as `{"data": […]}`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    lists = [(k, v) for k, v in value.items() if isinstance(v, list) and v] if isinstance(value, dict) else []
    lists = [(k, v) for k, v in lists if all(isinstance(one, dict) for one in v)]
    return lists[0] if len(lists) == 1 and not {"role", "from"} & set(lists[0][1][0]) else None


def _array(file: StoredFile, text: str, whole: bool, rows: int) -> tuple[list[dict[str, Any]], bool]:
    """The objects of an array; of one that is cut, those that are whole."""
    decoder = json.JSONDecoder()
    place = text.index("[") + 1
    found: list[dict[str, Any]] = []
    while len(found) <= rows:
        while place < len(text) and text[place] in " \t\r\n,":
            place += 1
        if place >= len(text) or text[place] == "]":
            break
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            if not whole:
                break
            line = text.count("\n", 0, place) + 1
            raise DataError(
                f"{shown(file.name)}, line {line}: no valid JSON ({str(error)[:120]}).", hint="Mend the file."
            ) from error
        if not isinstance(value, dict):
            raise DataError(f"{shown(file.name)}, entry {len(found) + 1}: it holds {shown(value)}, no object.")
        found.append(value)
    return found, whole and len(found) <= rows


def _lines(file: StoredFile, text: str, rows: int) -> tuple[list[dict[str, Any]], list[str], bool]:
    """One object a line; broken lines are counted and left out as long as they are few."""
    found: list[dict[str, Any]] = []
    broken: list[int] = []
    reason = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if len(found) >= rows:
            return found, _about(file, broken, reason, found), False
        try:
            value = json.loads(line)
            if not isinstance(value, dict):
                raise ValueError(f"it holds {shown(value)}, no object")
            found.append(value)
        except (ValueError, RecursionError) as error:
            broken.append(number)
            reason = reason or str(error)[:160]
    return found, _about(file, broken, reason, found), True


def _about(file: StoredFile, broken: list[int], reason: str, found: list[dict[str, Any]]) -> list[str]:
    if not broken:
        return []
    if len(broken) > max(10, len(found) // 100) or not found:
        raise DataError(
            f"{shown(file.name)}, line {broken[0]}: no JSON object ({reason}); so are {len(broken) - 1} other lines.",
            hint="Give one object a line (jsonl), or one array of objects.",
        )
    places = ", ".join(map(str, broken[:5]))
    return [f"{len(broken)} lines of {shown(file.name)} hold no JSON object and were left out: {places}. ({reason})"]


def _table(entries: list[dict[str, Any]], notes: list[str]) -> pa.Table:
    import pyarrow as pa

    names = list(dict.fromkeys(str(name) for entry in entries for name in entry))[:MOST_COLUMNS]
    columns: dict[str, pa.Array] = {}
    for name in names:
        values = [entry.get(name) for entry in entries]
        try:
            column = pa.array(values)
        except (pa.ArrowException, OverflowError, UnicodeEncodeError, ValueError, TypeError):
            notes.append(f"Values of {shown(name)} are of different types: they were read as JSON strings.")
            column = pa.array(list(_as_json(values)), pa.string())
        columns[name.encode("utf-8", "replace").decode()] = column
    return pa.table(columns)


def _as_json(values: list[Any]) -> Iterator[str | None]:
    for value in values:
        text = value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False)
        yield None if text is None else text.encode("utf-8", "replace").decode()
