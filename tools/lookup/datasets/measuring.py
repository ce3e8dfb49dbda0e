"""The figures of columns: from rows that were read, or from what the Hub's viewer has counted.

Both count alike: a text with few different values is a label, every other one is measured by its length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .kinds import Kind
from .report import ColumnReport

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["bare", "from_viewer", "measured", "shown_rows"]

MOST_LABELS = 20
MOST_COLUMNS = 60
CELL = 150


def bare(kinds: Mapping[str, Kind]) -> list[ColumnReport]:
    """Columns with their types alone."""
    return [ColumnReport(name=name[:200], type=kind.text()[:600]) for name, kind in list(kinds.items())[:MOST_COLUMNS]]


def from_viewer(kinds: Mapping[str, Kind], statistics: Any, rows: Any = None) -> list[ColumnReport]:
    """Columns with the figures of the viewer of so many rows; those that it has none of keep their type alone."""
    reports = {report.name: report for report in bare(kinds)}
    for one in statistics if isinstance(statistics, list) else []:
        report = reports.get(str(one.get("column_name"))) if isinstance(one, dict) else None
        figures = one.get("column_statistics") if report else None
        if report is not None and isinstance(figures, dict):
            _copy(report, str(one.get("column_type")), figures)
            report.rows = max(0, (_whole(rows) or 0) - (report.missing or 0))
    return list(reports.values())


def _copy(report: ColumnReport, kind: str, figures: Mapping[str, Any]) -> None:
    report.missing = _whole(figures.get("nan_count"))
    report.distinct = _whole(figures.get("n_unique"))
    frequencies = figures.get("frequencies")
    if isinstance(frequencies, dict):
        counts = {str(name): _whole(count) or 0 for name, count in frequencies.items()}
        if without := _whole(figures.get("no_label_count")):
            counts["-1"] = without  # as they stand in the rows
        _set_labels(report, counts)
        return
    report.of = {"string_text": "characters", "list": "items", "audio": "seconds"}.get(kind, "")
    report.min, report.max = _plain(figures.get("min")), _plain(figures.get("max"))
    mean = figures.get("mean")
    report.mean = float(mean) if isinstance(mean, int | float) else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None


def _plain(value: Any) -> int | float | str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if isinstance(value, float) and not math.isfinite(value) else value
    return str(value)[:60] if isinstance(value, str) else None


def _set_labels(report: ColumnReport, counts: Mapping[str, int]) -> None:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    report.distinct = len(ordered)
    report.labels = {name[:80]: count for name, count in ordered[:MOST_LABELS]}
    report.more_labels = max(0, len(ordered) - MOST_LABELS)


def measured(kinds: Mapping[str, Kind], rows: pa.Table) -> list[ColumnReport]:
    """Columns with figures counted from rows; columns that were not read keep their type alone."""
    reports = bare(kinds)
    for report in reports:
        if report.name in rows.column_names and len(rows):
            _measure(report, kinds[report.name], rows.column(report.name))
    return reports


def _measure(report: ColumnReport, kind: Kind, column: pa.ChunkedArray) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    report.missing = column.null_count
    column = column.drop_null()
    report.rows = len(column)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not len(column) or kind.is_bulk:
        return
    if kind.name == "list":
        _range(report, pc.list_value_length(column), "items")
    elif kind.name == "class" and pa.types.is_integer(column.type):
        named = dict(enumerate(kind.names))
        _set_labels(report, {named.get(key, str(key)): count for key, count in _counts(column).items()})
    elif pa.types.is_boolean(column.type):
        _set_labels(report, {str(key): count for key, count in _counts(column).items()})
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        report.distinct = pc.count_distinct(column).as_py()
        if _is_category(report.distinct, len(column)):
            _set_labels(report, {str(key): count for key, count in _counts(column).items()})
        else:
            _range(report, pc.utf8_length(column), "characters")
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        report.distinct = pc.count_distinct(column).as_py()
        if pa.types.is_integer(column.type) and report.distinct <= MOST_LABELS:
            _set_labels(report, {str(key): count for key, count in _counts(column).items()})
        else:
            _range(report, column, "")
    elif pa.types.is_temporal(column.type):
        report.distinct = pc.count_distinct(column).as_py()
        limits = pc.min_max(column).as_py()
        report.min, report.max = str(limits["min"]), str(limits["max"])


def _is_category(distinct: int, rows: int) -> bool:
    return distinct <= 10 or (distinct < 1000 and distinct <= 0.2 * rows)


def _counts(column: pa.ChunkedArray) -> dict[Any, int]:
    return {one["values"]: one["counts"] for one in column.value_counts().to_pylist()}


def _range(report: ColumnReport, values: Any, of: str) -> None:
    import pyarrow.compute as pc

    limits = pc.min_max(values).as_py()
    mean = pc.mean(values).as_py()
    report.min, report.max, report.of = _plain(limits["min"]), _plain(limits["max"]), of
    report.mean = round(float(mean), 5) if mean is not None and math.isfinite(mean) else None


def shown_rows(rows: list[dict[str, Any]], kinds: Mapping[str, Kind], most: int) -> list[dict[str, Any]]:
    """The first rows as a report shows them: classes by name, each value cut after `CELL` characters."""
    return [
        {name[:200]: _cell(value, kinds.get(name)) for name, value in list(row.items())[:MOST_COLUMNS]}
        for row in rows[:most]
    ]


def _cell(value: Any, kind: Kind | None) -> Any:
    if kind is not None and kind.is_bulk and value is not None:
        return f"({kind.name})"
    if kind is not None and kind.name == "class" and type(value) is int and 0 <= value < len(kind.names):
        return kind.names[value][:CELL]
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    text = value if isinstance(value, str) else _json(value)
    return text if len(text) <= CELL else text[:CELL] + "…"


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, default=str)
