"""From Arrow columns of several parts to typed frames: one type a column, over all parts together.

Nested values are refused with the column's name, but for lists of numbers of one length, which become columns of
their own. Column names become strings; nothing else about a name is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainwright.graph.errors import DataError
from trainwright.graph.state import Finding

from .column_types import typed
from .loaded import PART_ORDER, RawData
from .messages import finding, shown, shown_list

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["assembled"]

MOST_COLUMNS = 50_000
MOST_NESTED = 4_096


def assembled(raw: RawData, source: str) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    """The parts as frames, in the order train, validation, test, and what was decided on the way.

    Raises:
        DataError: a column holds nested values, or there are too many columns.
    """
    import pandas as pd

    names = [name for name in PART_ORDER if name in raw.parts]
    every = list(dict.fromkeys(column for name in names for column in raw.parts[name]))
    if len(every) > MOST_COLUMNS:
        raise DataError(f"{shown(source, 200)} has {len(every)} columns; {MOST_COLUMNS} is the most.")
    sizes = {name: _rows(raw.parts[name]) for name in names}
    notes: list[Finding] = []
    built: dict[str, dict[str, pd.Series]] = {name: {} for name in names}
    for column in every:
        holding = [name for name in names if column in raw.parts[name]]
        whole, said = _one_type(column, [raw.parts[name][column] for name in holding], raw, source)
        notes += said
        for label, series in whole.items():
            start = 0
            for name in holding:
                piece = series.iloc[start : start + sizes[name]]
                built[name][label] = piece.reset_index(drop=True)
                start += sizes[name]
    _note_punctuation(built, notes)
    return {name: pd.DataFrame(built[name], copy=False) for name in names}, _merged(notes)


def _rows(columns: dict[str, pa.ChunkedArray]) -> int:
    return len(next(iter(columns.values()))) if columns else 0


def _one_type(
    name: str, pieces: list[pa.ChunkedArray], raw: RawData, source: str
) -> tuple[dict[str, pd.Series], list[Finding]]:
    import pyarrow as pa

    if raw.shape and all(pa.types.is_fixed_size_list(piece.type) for piece in pieces):
        return {name: _object_series([row for piece in pieces for row in _arrays(piece)])}, []
    plain = [_simplified(name, piece, source) for piece in pieces]
    types = {piece.type for piece in plain if not pa.types.is_null(piece.type)}
    common = _common_type(types)
    chunks = [chunk for piece in plain for chunk in _cast(piece, common).chunks]
    whole = pa.chunked_array(chunks, common)
    if pa.types.is_list(common) or pa.types.is_large_list(common):
        return _expanded(name, whole, source)
    if pa.types.is_binary(common):
        return {name: _object_series(whole.to_pylist())}, []
    notes: list[Finding] = []
    array: pa.Array = whole
    if pa.types.is_string(common):
        array, notes = typed(name, whole, comma_decimal=raw.comma_decimal)
    return {name: _series(name, array, notes)}, notes


def _simplified(name: str, column: pa.ChunkedArray, source: str) -> pa.ChunkedArray:
    """The column in one of: null, bool, int64, float64, timestamp[us], string, binary, list of float64."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _simplified(name, column.cast(kind.value_type), source)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        if pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type):
            return column.cast(pa.large_list(pa.float64()))
        raise _nested(name, source, str(kind))
    if pa.types.is_nested(kind):
        raise _nested(name, source, str(kind))
    if pa.types.is_uint64(kind):
        return _cast_or(column, pa.int64(), pa.string())
    for test, wanted in (
        (pa.types.is_integer, pa.int64()),
        (pa.types.is_floating, pa.float64()),
        (pa.types.is_decimal, pa.float64()),
        (pa.types.is_timestamp, pa.timestamp("us")),
        (pa.types.is_date, pa.timestamp("us")),
        (pa.types.is_boolean, pa.bool_()),
        (pa.types.is_null, pa.null()),
    ):
        if test(kind):
            return column.cast(wanted, safe=False)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return column.cast(pa.binary())
    if pa.types.is_duration(kind):
        return column.cast(pa.int64()).cast(pa.float64())
    return column.cast(pa.string())


def _cast_or(column: pa.ChunkedArray, wanted: pa.DataType, other: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa

    try:
        return column.cast(wanted)
    except pa.ArrowInvalid:
        return column.cast(other)


def _common_type(types: set[pa.DataType]) -> pa.DataType:
    import pyarrow as pa

    if not types:
        return pa.string()
    if len(types) == 1:
        return next(iter(types))
    numbers = {pa.int64(), pa.float64()}
    return pa.float64() if types <= numbers else pa.string()


def _cast(piece: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa

    if piece.type == pa.bool_() and wanted == pa.string():
        return pa.chunked_array([pa.array([None if v is None else str(v) for v in piece.to_pylist()], pa.string())])
    return piece if piece.type == wanted else piece.cast(wanted)


def _nested(name: str, source: str, kind: str) -> DataError:
    return DataError(
        f"Column {shown(name)} of {shown(source, 200)} holds nested values ({shown(kind)}).",
        hint="Flatten it to one value a cell, or leave the column out.",
    )


def _expanded(name: str, whole: pa.ChunkedArray, source: str) -> tuple[dict[str, pd.Series], list[Finding]]:
    """A list of numbers in each row as columns of their own."""
    import numpy as np
    import pandas as pd
    import pyarrow.compute as pc

    lengths = pc.list_value_length(whole).unique().to_pylist()
    if len(lengths) != 1 or not lengths[0] or lengths[0] > MOST_NESTED:
        raise _nested(name, source, "lists of different lengths" if len(lengths) > 1 else f"lists of {lengths[0]}")
    width = int(lengths[0])
    numbers = np.asarray(whole.combine_chunks().flatten().to_numpy(zero_copy_only=False), dtype=float)
    matrix = numbers.reshape(-1, width)
    text = f"Column {shown(name)} holds lists of {width} numbers; they became columns {shown(name)}_0 …."
    columns = {f"{name}_{i}": pd.Series(matrix[:, i]) for i in range(width)}
    return columns, [finding("lists_as_columns", "info", text, [name])]


def _arrays(piece: pa.ChunkedArray) -> list[object]:
    """The rows of a flattened array column, each a view into one float32 matrix."""
    import numpy as np

    flat = np.asarray(piece.combine_chunks().flatten().to_numpy(zero_copy_only=False), dtype=np.float32)
    return list(flat.reshape(len(piece), -1))


def _object_series(values: list[object]) -> pd.Series:
    import pandas as pd

    return pd.Series(values, dtype=object)


def _series(name: str, array: pa.Array | pa.ChunkedArray, notes: list[Finding]) -> pd.Series:
    """A pandas column: float64, int64, bool (boolean where values are missing), datetime64[us] or string."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_boolean(array.type) and array.null_count:
        return pd.Series(array.to_pylist(), dtype="boolean")
    if pa.types.is_string(array.type):
        return pd.Series(array.to_pandas(), dtype="str")
    series: pd.Series = array.to_pandas()
    if pa.types.is_floating(array.type) and np.isinf(series.to_numpy()).any():
        notes.append(finding("infinite_values", "warning", f"Infinite values in {shown(name)} became missing.", [name]))
        series = series.replace([np.inf, -np.inf], np.nan)
    return series


def _note_punctuation(built: dict[str, dict[str, pd.Series]], notes: list[Finding]) -> None:
    """Undo a full stop that ends every label in one part and none in another (as in the test part of Adult)."""
    if len(built) < 2:
        return
    for name in {column for columns in built.values() for column in columns}:
        holding = {part: columns[name] for part, columns in built.items() if name in columns}
        words = {part: _few_words(series) for part, series in holding.items()}
        dotted = {p for p, found in words.items() if found and all(word.endswith(".") for word in found)}
        bare = {p for p, found in words.items() if found and not any(word.endswith(".") for word in found)}
        known = {word for part in bare for word in words[part]}
        for part in sorted(dotted):
            if known and {word[:-1] for word in words[part]} <= known:
                built[part][name] = holding[part].str.removesuffix(".")
                text = f"Values of {shown(name)} end with a full stop in the {part} part alone; it was left out."
                notes.append(finding("trailing_full_stop", "warning", text, [name]))


def _few_words(series: pd.Series) -> set[str]:
    if str(series.dtype) != "str" or not len(series):
        return set()
    values = series.dropna().unique()
    return set(values) if len(values) <= 1_000 else set()


def _merged(notes: list[Finding]) -> list[Finding]:
    """One finding for each kind of thing, when many columns have it."""
    out: list[Finding] = []
    by_code: dict[str, list[Finding]] = {}
    for note in notes:
        by_code.setdefault(note.code, []).append(note)
    for code, group in by_code.items():
        if len(group) <= 4:
            out += group
            continue
        names = [name for note in group for name in note.columns]
        text = f"{group[0].message} The same holds in {len(group) - 1} more columns: {shown_list(names[1:])}."
        severity = "warning" if any(note.severity == "warning" for note in group) else "info"
        out.append(finding(code, severity, text, names, sum(note.rows for note in group)))
    return out
