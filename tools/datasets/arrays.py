"""NumPy archives (npz) to raw columns: features, target, official parts or index arrays.

Pickled objects are never loaded. A graph is recognised and not mistaken for a table. Arrays of more than one
dimension a row become one flattened column, short series become plain columns.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import DataError
from trainwright.graph.state import Finding

from .loaded import RawData
from .messages import finding, shown, shown_list

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["ARRAY_COLUMN", "GRAPH", "arrays_to_raw", "read_npz"]

MOST_BYTES = 8 * 2**30
ARRAY_COLUMN = "pixels"
WIDEST_SERIES = 20_000
FEATURES = ("x", "data", "features", "feature", "inputs", "images", "image", "samples", "arr_0")
TARGETS = ("y", "label", "labels", "target", "targets", "class", "classes", "outputs", "arr_1")
GRAPH_KEYS = re.compile(r"(?i)^(adj|edge|edges|graph|csr_adj|adjacency)(_|$)|edge_index|edge_list")
PART = {
    "train": "train", "training": "train", "tr": "train", "trn": "train",
    "valid": "validation", "validation": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test", "te": "test", "tst": "test",
}  # fmt: skip
SPLIT_KEY = re.compile(
    r"(?i)^(?:(?:index|idx|indices|split)_?)?(?P<part>train|training|valid|validation|val|dev|test|testing)"
    r"(?:_?(?P<kind>idx|index|indices|ids|mask))?(?:_(?P<fold>\d+))?$"
)
PART_KEY = re.compile(
    r"(?i)^(?:(?P<a>[a-z0-9]+?)_?(?P<part>train|training|trn|tr|valid|validation|val|dev|testing|test|tst|te)"
    r"|(?P<part2>train|training|valid|validation|val|dev|testing|test)_(?P<b>[a-z0-9]+))$"
)
GRAPH = (
    "These data are a graph: nodes with edges between them. No recipe here works on graphs, and treating the nodes as "
    "independent rows would answer another question. A table with one row a node, with features that already describe "
    "its neighbourhood, could be used."
)


@dataclass
class Arrays:
    """What was found in an archive: features and target of each part."""

    x: dict[str, Any] = field(default_factory=dict)
    y: dict[str, Any] = field(default_factory=dict)
    x_name: str = "x"
    y_name: str = "y"
    names: list[str] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


def read_npz(path: Path) -> RawData:
    """Read an archive of arrays.

    Raises:
        DataError: damaged, pickled, too large, or no features and target can be told apart.
    """
    arrays = _arrays(path)
    if any(GRAPH_KEYS.search(key) for key in arrays):
        return RawData({}, modality="graph", refusal=GRAPH)
    found = _by_parts(arrays) or _by_index(path, arrays) or _bare_matrix(arrays)
    if found is None:
        sizes = ", ".join(f"{shown(k, 30)} {v.shape}" for k, v in list(arrays.items())[:12])
        raise DataError(
            f"{shown(path.name)}: features and target cannot be told apart among its arrays: {sizes}.",
            hint="Call them X and y, or X_train, y_train, X_test and y_test.",
        )
    return arrays_to_raw(path.name, found)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > MOST_BYTES:
                raise DataError(f"{shown(path.name)} unpacks to more than 8 GiB.", hint="Give a sample of it.")
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except ValueError as error:
        if "pickle" not in str(error):
            raise DataError(f"{shown(path.name)} holds a damaged array: {shown(error, 200)}.") from error
        raise DataError(
            f"{shown(path.name)} holds pickled Python objects, which are not opened, since they can run code.",
            hint="Save it again from plain arrays of numbers or strings (np.savez without dtype=object).",
        ) from error
    except (zipfile.BadZipFile, OSError, EOFError, KeyError) as error:
        raise DataError(
            f"{shown(path.name)} cannot be read as an npz archive: {shown(error, 200)}.",
            hint="Write or download it again.",
        ) from error


def _by_parts(arrays: dict[str, NDArray[Any]]) -> Arrays | None:
    """X_train, y_train, X_test, y_test, in the usual spellings."""
    found = Arrays()
    for key, value in arrays.items():
        match = PART_KEY.match(key)
        if match is None or value.ndim == 0:
            continue
        stem = (match["a"] or match["b"]).lower()
        part = PART[(match["part"] or match["part2"]).lower()]
        if stem in FEATURES:
            found.x[part] = value
        elif stem in TARGETS:
            found.y[part] = value
            found.y_name = stem
    if "train" not in found.x or "train" not in found.y:
        return None
    return found


def _by_index(path: Path, arrays: dict[str, NDArray[Any]]) -> Arrays | None:
    """X and y, with arrays of row numbers or masks for the parts where there are some."""
    x_key, y_key = _feature_key(arrays), _target_key(arrays)
    if x_key is None or y_key is None or x_key == y_key:
        return None
    x, y = arrays[x_key], arrays[y_key]
    if len(x) != len(y):
        raise DataError(
            f"{shown(path.name)}: {shown(x_key)} has {len(x)} rows, {shown(y_key)} {len(y)}.",
            hint="Features and target need one row each for every sample.",
        )
    found = Arrays(x_name="x", y_name=y_key)
    found.names = _feature_names(arrays, x)
    indices, fold, folds = _indices(path, arrays, len(x))
    if not indices:
        found.x, found.y = {"all": x}, {"all": y}
        return found
    for part, rows in indices.items():
        found.x[part], found.y[part] = x[rows], y[rows]
    used = sum(map(len, indices.values()))
    text = f"The official index arrays of {shown(path.name)} divide the rows."
    if folds > 1:
        text = f"{shown(path.name)} has {folds} official divisions; number {fold} is used. One division alone is a "
        text += "noisy measure: the others may score differently."
    found.notes.append(finding("official_folds" if folds > 1 else "official_split", "info", text))
    if used < len(x):
        text = f"{len(x) - used} rows of {shown(path.name)} belong to no official part; they were left out."
        found.notes.append(finding("rows_outside_parts", "warning", text, rows=len(x) - used))
    return found


def _feature_key(arrays: dict[str, NDArray[Any]]) -> str | None:
    named = [key for name in FEATURES for key, v in arrays.items() if key.lower() == name and v.ndim >= 2]
    if named:
        return named[0]
    wide = [key for key, v in arrays.items() if v.ndim >= 2 and len(v) > 1 and v.dtype.kind in "fiub"]
    return wide[0] if len(wide) == 1 else None


def _target_key(arrays: dict[str, NDArray[Any]]) -> str | None:
    named = [key for name in TARGETS for key, v in arrays.items() if key.lower() == name and v.ndim >= 1]
    if named:
        return named[0]
    thin = [key for key, v in arrays.items() if v.ndim == 1 and len(v) > 1 and not SPLIT_KEY.match(key)]
    return thin[0] if len(thin) == 1 else None


def _feature_names(arrays: dict[str, NDArray[Any]], x: NDArray[Any]) -> list[str]:
    for key, value in arrays.items():
        if "name" in key.lower() or "column" in key.lower():
            names = [_text(item).strip() for item in value.ravel().tolist()]
            if x.ndim == 2 and value.dtype.kind in "US" and len(names) == x.shape[1] == len(set(names)):
                return names
    return []


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _indices(path: Path, arrays: dict[str, NDArray[Any]], rows: int) -> tuple[dict[str, NDArray[np.int64]], int, int]:
    """Row numbers of each official part, the fold that they are of, and how many folds there are."""
    import numpy as np

    by_fold: dict[int, dict[str, NDArray[np.int64]]] = {}
    for key, value in arrays.items():
        match = SPLIT_KEY.match(key)
        if match is None or value.ndim != 1 or value.dtype.kind not in "iub":
            continue
        if value.dtype.kind == "b":
            if len(value) != rows:
                continue
            value = np.flatnonzero(value)
        chosen = np.unique(value.astype(np.int64))
        if len(chosen) and (chosen[0] < 0 or chosen[-1] >= rows):
            raise DataError(
                f"{shown(path.name)}: the index array {shown(key)} names row {chosen[-1]}, but there are {rows} rows "
                "(counted from 0).",
                hint="Mend the index arrays, or leave them out.",
            )
        by_fold.setdefault(int(match["fold"] or 0), {})[PART[match["part"].lower()]] = chosen
    whole = {fold: parts for fold, parts in by_fold.items() if {"train", "test"} <= set(parts)}
    if not whole:
        return {}, 0, 0
    fold = min(whole)
    parts = whole[fold]
    _refuse_overlap(path, parts)
    return parts, fold, len(whole)


def _refuse_overlap(path: Path, parts: dict[str, NDArray[np.int64]]) -> None:
    import numpy as np

    shared = len(np.intersect1d(parts["train"], parts["test"]))
    if shared:
        raise DataError(
            f"{shown(path.name)}: {shared} rows stand in the official training and test index at once.",
            hint="Mend the index arrays, or leave them out; then the rows are divided here.",
        )


def _bare_matrix(arrays: dict[str, NDArray[Any]]) -> Arrays | None:
    """A single matrix: plain columns, whose target is to be found like that of any table."""
    if len(arrays) != 1:
        return None
    matrix = next(iter(arrays.values()))
    if matrix.ndim != 2 or matrix.shape[1] < 2:
        return None
    found = Arrays(x_name="c", y_name="")
    found.x = {"all": matrix}
    return found


def arrays_to_raw(source: str, found: Arrays) -> RawData:
    """Columns from features and target of each part."""
    raw = RawData({}, notes=list(found.notes))
    shaped = {part: _shaped(source, value, raw) for part, value in found.x.items()}
    shapes = {value.shape[1:] for value in shaped.values()}
    if len(shapes) > 1:
        raise DataError(f"The parts of {shown(source)} have rows of different shapes: {shown_list(sorted(shapes))}.")
    for part, value in shaped.items():
        columns = _feature_columns(value, found, raw)
        if part in found.y:
            name = _free(found.y_name, columns)
            columns[name] = _target_column(source, found.y[part], len(value), raw)
            raw.target = name
        raw.parts[part] = columns
    return raw


def _free(name: str, taken: dict[str, Any]) -> str:
    while name in taken:
        name = f"{name}_target"
    return name


def _shaped(source: str, value: NDArray[Any], raw: RawData) -> NDArray[Any]:
    """Rows as vectors (table) or as images of height × width [× channels]."""
    import numpy as np

    if value.dtype.kind not in "fiub" and value.ndim > 2:
        raise DataError(f"The arrays of {shown(source)} hold {value.dtype}, no numbers.")
    if value.ndim == 1:
        return value.reshape(-1, 1)
    if value.ndim == 3 and 1 in value.shape[1:]:
        return _series(value.reshape(len(value), -1), raw)
    if value.ndim == 3 and _is_series(value):
        return _series(value.reshape(len(value), -1), raw)
    if value.ndim == 4 and value.shape[1] in (1, 3) and value.shape[3] not in (1, 3):
        value = np.moveaxis(value, 1, -1)
    if value.ndim == 4 and value.shape[3] == 1:
        value = value[..., 0]
    if value.ndim > 4:
        raise DataError(f"The rows of {shown(source)} have shape {value.shape[1:]}; images or columns are needed.")
    return value


def _is_series(value: NDArray[Any]) -> bool:
    """Several channels over time rather than an image: far longer than wide."""
    low, high = sorted(int(size) for size in value.shape[1:])
    return low <= 16 and high >= 3 * low


def _series(value: NDArray[Any], raw: RawData) -> NDArray[Any]:
    if not any(note.code == "series_as_table" for note in raw.notes):
        text = f"Each row is a series of {value.shape[1]} values; they are used as columns, in their order. Methods "
        text += "made for series (such as DTW) are not among the recipes."
        raw.notes.append(finding("series_as_table", "warning", text))
    return value


def _feature_columns(value: NDArray[Any], found: Arrays, raw: RawData) -> dict[str, pa.ChunkedArray]:
    import numpy as np
    import pyarrow as pa

    if value.ndim == 2:
        raw.modality = "table" if raw.modality == "unknown" else raw.modality
        names = found.names or [f"{found.x_name}{i}" for i in range(value.shape[1])]
        return {name: _plain(value[:, i]) for i, name in enumerate(names)}
    raw.modality, raw.shape = "images", tuple(int(size) for size in value.shape[1:])
    flat = np.ascontiguousarray(value.reshape(len(value), -1), dtype=np.float32)
    width = flat.shape[1]
    rows = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), width)
    return {ARRAY_COLUMN: pa.chunked_array([rows])}


def _plain(column: NDArray[Any]) -> pa.ChunkedArray:
    import numpy as np
    import pyarrow as pa

    if column.dtype.kind == "S":
        column = np.char.decode(column, "utf-8", "replace")
    if column.dtype.kind == "U":
        return pa.chunked_array([pa.array(column.tolist(), pa.string())])
    if column.dtype.kind == "f":
        return pa.chunked_array([pa.array(column.astype(np.float64), from_pandas=True)])
    return pa.chunked_array([pa.array(column)])


def _target_column(source: str, value: NDArray[Any], rows: int, raw: RawData) -> pa.ChunkedArray:
    """The target as one column; a one-hot matrix becomes class numbers."""
    import numpy as np

    if len(value) != rows:
        raise DataError(f"{shown(source)}: {rows} rows of features, but {len(value)} targets.")
    if value.ndim > 1 and value.size == rows:
        value = value.reshape(rows)
    if value.ndim == 2 and value.dtype.kind in "fiub" and np.isin(value, (0, 1)).all() and (value.sum(1) == 1).all():
        text = f"The target is a one-hot matrix of {value.shape[1]} columns; it became class numbers."
        if not any(note.code == "one_hot_target" for note in raw.notes):
            raw.notes.append(finding("one_hot_target", "info", text))
        value = value.argmax(1)
    if value.ndim > 1:
        raise DataError(
            f"The target of {shown(source)} has {value.shape[1]} columns: several outputs at once are not supported.",
            hint="Give the data with one target column.",
        )
    if value.dtype.kind in "cVmO":
        raise DataError(f"The target of {shown(source)} has the type {value.dtype}; numbers or strings are needed.")
    return _plain(value)
