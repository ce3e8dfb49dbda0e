"""The script contract's files: `dataset.json`, parquet rows in, `metrics.jsonl` and predictions out.

Rows become plain arrays here (`Rows`), by the kinds that `dataset.json` gives its columns and whatever types the
parquet file has: a column that is missing, or of another type than in training, becomes missing values, not a crash.
Nothing is learnt from the data in this module; that is `features.py`.
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from images import decode_images, image_shape

__all__ = ["BadInput", "Floats", "Rows", "Schema", "append_metrics", "cores", "read_rows", "write_predictions"]

# Read when OpenMP is loaded, with scikit-learn, after this: idle threads sleep instead of spinning. On a machine that
# others use as well, spinning ones make boosting on few rows a hundred times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

Floats = npt.NDArray[np.float64]

DATE_PARTS = 13
"""Numbers that a date becomes: see `_date_parts`."""


class BadInput(Exception):
    """The data, the settings or the model folder cannot be used; the message says which, and what to do."""


@dataclass(frozen=True)
class Schema:
    """What is known of the columns before any row is read.

    Attributes:
        task: `classification` or `regression`.
        modality: `table`, `text`, `images` or another word of the data set.
        columns: (name, kind) of each feature; kinds: number, boolean, category, text, date, image, vector.
        classes: labels, sorted; empty for regression.
        shape: of one row's pixels or array, or of a decoded image; empty where there is none.
        clustered: rows belong to groups or follow each other in time, so that folds cut at random would leak.
    """

    task: str
    modality: str
    target: str
    columns: tuple[tuple[str, str], ...]
    classes: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    metric: str = ""
    seed: int = 0
    clustered: bool = False

    @classmethod
    def read(cls, folder: Path) -> Schema:
        """The schema in `folder`/dataset.json.

        Raises:
            BadInput: the file is missing, is no JSON, or lacks what is needed.
        """
        path = folder / "dataset.json"
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
            columns = given["columns"]
            features = tuple((str(c["name"]), str(c["kind"])) for c in columns if c.get("role") == "feature")
            schema = cls(
                task=str(given["task"]),
                modality=str(given.get("modality") or "table"),
                target=str(given["target"]),
                columns=features,
                classes=tuple(str(label) for label in given.get("classes") or ()),
                shape=tuple(int(size) for size in given.get("shape") or ()),
                metric=str(given.get("metric") or ""),
                seed=int(given.get("seed") or 0),
                clustered=any(c.get("role") in ("group", "time") for c in columns)
                or str((given.get("split") or {}).get("kind", "")) in ("group", "time"),
            )
        except FileNotFoundError as error:
            raise BadInput(f"{path} is missing: --data must name a folder with dataset.json.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{path} is not a data set description: {type(error).__name__}: {error}.") from error
        if schema.task not in ("classification", "regression"):
            raise BadInput(f"{path}: task is {schema.task!r}; it must be classification or regression.")
        if not schema.columns:
            raise BadInput(f"{path} lists no column with the role feature: there is nothing to predict from.")
        return schema

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Schema:
        """The schema that `to_json` wrote."""
        tuples = {
            "columns": tuple((str(a), str(b)) for a, b in given["columns"]),
            "classes": tuple(given["classes"]),
            "shape": tuple(given["shape"]),
        }
        return cls(**{**given, **tuples})

    def to_json(self) -> dict[str, Any]:
        """Plain values, for meta.json."""
        return asdict(self)

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the feature columns of these kinds."""
        return [name for name, kind in self.columns if kind in kinds]


@dataclass
class Rows:
    """Rows as arrays.

    Attributes:
        ids: int64, [n].
        numbers: float64, [n, p]: numbers, booleans as 0 and 1, dates as `DATE_PARTS` numbers each; NaN is missing.
        categories: one object array [n] of strings or None for each category column.
        texts: one object array [n] of strings for each text column; missing is the empty string.
        pixels: float32, [n, d] in the original range, or None.
        target: object array of labels, or float64; None where the file has no target.
    """

    ids: npt.NDArray[np.int64]
    numbers: Floats
    categories: list[npt.NDArray[np.object_]] = field(default_factory=list)
    texts: list[npt.NDArray[np.object_]] = field(default_factory=list)
    pixels: npt.NDArray[np.float32] | None = None
    target: npt.NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: npt.NDArray[np.int64]) -> Rows:
        """The rows at these positions."""
        return Rows(
            self.ids[index],
            self.numbers[index],
            [column[index] for column in self.categories],
            [column[index] for column in self.texts],
            None if self.pixels is None else self.pixels[index],
            None if self.target is None else self.target[index],
        )

    def joined(self, other: Rows) -> Rows:
        """These rows and then the other ones."""
        pixels = None
        if self.pixels is not None and other.pixels is not None:
            pixels = np.concatenate([self.pixels, other.pixels])
        target = None
        if self.target is not None and other.target is not None:
            target = np.concatenate([self.target, other.target])
        return Rows(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.numbers, other.numbers]),
            [np.concatenate(pair) for pair in zip(self.categories, other.categories, strict=True)],
            [np.concatenate(pair) for pair in zip(self.texts, other.texts, strict=True)],
            pixels,
            target,
        )


def with_image_shape(schema: Schema, path: Path) -> Schema:
    """The schema with the common size of its images, decided from the rows in `path`; unchanged without images."""
    columns = schema.of_kind("image")
    if not columns:
        return schema
    sample = pq.read_table(path, columns=columns[:1]).column(0).slice(0, 200).to_pylist()
    return Schema(**{**schema.__dict__, "shape": image_shape(sample, schema.shape)})


def read_rows(path: Path, schema: Schema, *, labelled: bool, limit: int | None = None) -> Rows:
    """Rows of a parquet file; at most the first `limit`.

    Raises:
        BadInput: the file cannot be read, has no `id` column, or `labelled` and the target is missing or incomplete.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing.") from error
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path} is not a readable parquet file: {error}.") from error
    if limit is not None:
        table = table.slice(0, limit)
    if "id" not in table.column_names:
        raise BadInput(f"{path} has no column id.")
    rows = _features(table, schema)
    if labelled:
        rows.target = _target(table, schema, path)
    return rows


def _features(table: pa.Table, schema: Schema) -> Rows:
    count = table.num_rows
    numbers: list[Floats] = []
    categories, texts, blocks = [], [], []
    for name, kind in schema.columns:
        column = _column(table, name)
        if kind == "date":
            numbers.append(_date_parts(column, count))
        elif kind == "category":
            categories.append(_labels(column, count))
        elif kind == "text":
            texts.append(_texts(column, count))
        elif kind == "image":
            given = [None] * count if column is None else column.to_pylist()
            blocks.append(decode_images(given, schema.shape))
        elif kind == "vector":
            blocks.append(_vectors(column, count, math.prod(schema.shape) if schema.shape else 0))
        else:
            numbers.append(_numbers(column, count)[:, None])
    return Rows(
        ids=table.column("id").to_numpy().astype(np.int64),
        numbers=np.concatenate(numbers, axis=1) if numbers else np.empty((count, 0)),
        categories=categories,
        texts=texts,
        pixels=np.concatenate(blocks, axis=1) if blocks else None,
    )


def _column(table: pa.Table, name: str) -> pa.ChunkedArray | None:
    found = [i for i, present in enumerate(table.column_names) if present == name]
    return table.column(found[0]) if found else None


def _series(column: pa.ChunkedArray) -> pd.Series[Any]:
    series: pd.Series[Any] = column.to_pandas()
    return series


def _numbers(column: pa.ChunkedArray | None, count: int) -> Floats:
    """float64 with NaN for missing, infinite and unreadable values; booleans and their names are 0 and 1."""
    if column is None:
        return np.full(count, np.nan)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    series = _series(column)
    if series.dtype.kind not in "iuf":
        words = series.map(lambda value: str(value).strip().lower() if value is not None else None)
        known = words.map({"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0})
        series = pd.to_numeric(words, errors="coerce").fillna(known)
    values = series.to_numpy(dtype=np.float64, na_value=np.nan).copy()
    values[~np.isfinite(values)] = np.nan
    return values


def _labels(column: pa.ChunkedArray | None, count: int) -> npt.NDArray[np.object_]:
    """Strings, stripped; None is missing. Whole floats lose their fraction, so that 3, 3.0 and "3" are one category."""
    values: list[Any] = [None] * count if column is None else column.to_pylist()
    found = np.empty(len(values), dtype=object)
    found[:] = [_label(value) for value in values]
    return found


def _label(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return str(value).strip()


def _texts(column: pa.ChunkedArray | None, count: int) -> npt.NDArray[np.object_]:
    values: list[Any] = [None] * count if column is None else column.to_pylist()
    found = np.empty(len(values), dtype=object)
    found[:] = ["" if value is None else str(value) for value in values]
    return found


def _date_parts(column: pa.ChunkedArray | None, count: int) -> Floats:
    """Days since 1970, year, month, day, weekday, day of the year, hour, and sine and cosine of three of them."""
    if column is None:
        return np.full((count, DATE_PARTS), np.nan)
    dates = pd.to_datetime(_series(column), errors="coerce", utc=True).dt.tz_localize(None)
    hour = dates.dt.hour + dates.dt.minute / 60
    plain: list[Any] = [
        (dates - pd.Timestamp(0)) / pd.Timedelta(days=1),
        dates.dt.year,
        dates.dt.month,
        dates.dt.day,
        dates.dt.day_of_week,
        dates.dt.day_of_year,
        hour,
    ]
    turns = [(dates.dt.day_of_year - 1) / 365.25, dates.dt.day_of_week / 7, hour / 24]
    waves = [wave(2 * np.pi * turn) for turn in turns for wave in (np.sin, np.cos)]
    parts = [part.to_numpy(dtype=np.float64, na_value=np.nan) for part in [*plain, *waves]]
    return np.stack(parts, axis=1)


def _vectors(column: pa.ChunkedArray | None, count: int, width: int) -> npt.NDArray[np.float32]:
    """[n, width]; rows of another length are missing."""
    values: list[Any] = [None] * count if column is None else column.to_pylist()
    width = width or max((len(value) for value in values if value is not None), default=1)
    found = np.full((count, width), np.nan, dtype=np.float32)
    for i, value in enumerate(values):
        if value is not None and len(value) == width:
            found[i] = value
    return found


def _target(table: pa.Table, schema: Schema, path: Path) -> npt.NDArray[Any]:
    column = _column(table, schema.target)
    if column is None:
        raise BadInput(f"{path} has no column {schema.target!r}, the target.")
    if schema.task == "regression":
        values = _numbers(column, table.num_rows)
        bad = int(np.isnan(values).sum())
        if bad:
            raise BadInput(f"{path}: {bad} values of the target {schema.target!r} are missing or no numbers.")
        return values
    labels = _labels(column, table.num_rows)
    strange = sorted({str(label) for label in labels} - set(schema.classes))
    if strange:
        raise BadInput(f"{path}: labels that dataset.json does not list as classes: {', '.join(strange[:5])}.")
    return labels


def cores() -> int:
    """Processor cores that this process may use."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:
        return os.cpu_count() or 1


def append_metrics(folder: Path, step: int, values: Mapping[str, Any]) -> None:
    """Append one line to `folder`/metrics.jsonl; values that are not finite are left out."""
    kept = {k: v for k, v in values.items() if not (isinstance(v, float) and not math.isfinite(v))}
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"step": step, **kept}) + "\n")


def write_predictions(
    path: Path, ids: npt.NDArray[np.int64], predictions: Sequence[Any], scores: Floats | None, classes: Sequence[str]
) -> None:
    """Write `id,prediction[,score_<class>…]`: the scores are [n, classes], probabilities that sum to 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = ["id", "prediction", *(f"score_{label}" for label in classes)]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        for i, (identity, prediction) in enumerate(zip(ids, predictions, strict=True)):
            value = repr(float(prediction)) if isinstance(prediction, float) else prediction
            shares = [] if scores is None else [f"{score:.9g}" for score in scores[i]]
            writer.writerow([int(identity), value, *shares])
