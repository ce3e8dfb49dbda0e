"""From columns of strings to numbers, dates, truth values or strings, over all parts together.

A column gets one type in all parts. What was taken for missing, which notation of numbers was read, and what did not
fit is said in a finding. Text keeps words such as `NA` or `?`: there they are words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trainwright.graph.state import Finding

from .messages import finding, shown, shown_list

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["is_text", "typed"]

MISSING = frozenset(
    ("?", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "null", "NULL", "Null", "#N/A", "<NA>", "#NA", "NaT")
)
ALSO_IN_NUMBERS = frozenset(
    ("-", "--", "---", ".", "..", "None", "none", "na", "Na", "missing", "unknown", "Unknown", "*")
)
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
INFINITE = r"(?i)^[+-]?inf(inity)?$"
GROUPED = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"
GROUPED_OR_PLAIN = r"^[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?$"
COMMA = r"^[+-]?\d+,\d+([eE][+-]?\d+)?$"
COMMA_OR_PLAIN = r"^[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?([eE][+-]?\d+)?$"
UNIT = r"^[$€£]\s?[+-]?[\d.,]+$|^[+-]?[\d.,]+\s?%$"
TRUTH = {"true": True, "false": False}
DATES = (
    (r"^\d{4}-\d{2}-\d{2}$", ("%Y-%m-%d",)),
    (r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$", ("ISO8601",)),
    (r"^\d{4}/\d{1,2}/\d{1,2}$", ("%Y/%m/%d",)),
    (r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}$", ("%Y/%m/%d %H:%M",)),
    (r"^\d{1,2}/\d{1,2}/\d{4}$", ("%m/%d/%Y", "%d/%m/%Y")),
    (r"^\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}$", ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M")),
    (r"^\d{1,2}/\d{1,2}/\d{2}$", ("%m/%d/%y", "%d/%m/%y")),
    (r"^\d{1,2}\.\d{1,2}\.\d{4}$", ("%d.%m.%Y",)),
    (r"^\d{1,2}[- ][A-Za-z]{3}[- ]\d{4}$", ("%d-%b-%Y", "%d %b %Y")),
)
SAMPLE = 5_000
ONE_WORD = 0.25
"""Share of the numbers up to which a single repeated word among them is taken for a missing value."""


@dataclass
class Values:
    """The distinct values of a column and how often each occurs.

    Attributes:
        codes: for every row the position in `distinct`; null where the cell is empty.
        distinct: stripped strings, none empty.
        counts: rows of each distinct value.
    """

    name: str
    codes: pa.Array
    distinct: pa.Array
    counts: list[int]
    notes: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows that hold a value."""
        return sum(self.counts)

    def matching(self, pattern: str) -> pa.Array:
        """Which distinct values match."""
        import pyarrow.compute as pc

        return pc.match_substring_regex(self.distinct, pattern)

    def spread(self, values: pa.Array) -> pa.Array:
        """One value for each distinct string, spread over the rows."""
        return values.take(self.codes)


def typed(name: str, column: pa.ChunkedArray, *, comma_decimal: bool = False) -> tuple[pa.Array, list[Finding]]:
    """The column as float64, int64, bool, timestamp[us] or string, and what was decided on the way."""
    values = _values(name, column)
    for reading in (_as_missing, _as_truth, _as_numbers, _as_dates):
        array = reading(values, comma_decimal)
        if array is not None:
            return array, values.notes
    return _as_strings(values), values.notes


def _values(name: str, column: pa.ChunkedArray) -> Values:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    stripped = pc.utf8_trim_whitespace(column.cast(pa.string()).combine_chunks())
    stripped = pc.if_else(pc.equal(stripped, ""), pa.scalar(None, pa.string()), stripped)
    encoded = stripped.dictionary_encode()
    codes = encoded.indices
    counts = np.bincount(codes.drop_null().to_numpy(zero_copy_only=False), minlength=len(encoded.dictionary))
    return Values(name, codes, encoded.dictionary, counts.tolist())


def _as_missing(values: Values, _: bool) -> pa.Array | None:
    """All cells are empty."""
    import pyarrow as pa

    return pa.nulls(len(values.codes), pa.string()) if not len(values.distinct) else None


def _as_truth(values: Values, _: bool) -> pa.Array | None:
    import pyarrow as pa

    if len(values.distinct) > 6:
        return None
    given = {word: TRUTH.get(word.lower()) for word in values.distinct.to_pylist() if word not in MISSING}
    if not given or None in given.values():
        return None
    return values.spread(pa.array([given.get(word) for word in values.distinct.to_pylist()], pa.bool_()))


def _as_numbers(values: Values, comma_decimal: bool) -> pa.Array | None:
    """Numbers in one of four notations; a few odd values become missing, and are named."""
    import pyarrow.compute as pc

    if not pc.any(pc.match_substring_regex(values.distinct, r"\d")).as_py():
        return None
    plain = values.matching(NUMBER)
    if not _fit(values, plain):
        return _other_notation(values, comma_decimal)
    if not _leading_zeros(values, plain):
        return _plain_numbers(values, plain)
    text = f"Column {shown(values.name)} holds codes with leading zeros; they stay strings."
    values.notes.append(finding("leading_zeros", "info", text, [values.name]))
    return None


def _fit(values: Values, mask: pa.Array) -> bool:
    """Whether the values that match are all, but for marks of missing values and at most a few odd cells."""
    import numpy as np

    matches = np.asarray(mask.to_numpy(zero_copy_only=False), dtype=bool)
    if not matches.any():
        return False
    rest = np.flatnonzero(~matches).tolist()
    if not rest:
        return True
    if len(rest) > 60:
        return False
    words = {i: values.distinct[i].as_py() for i in rest}
    odd = [i for i, word in words.items() if word not in MISSING | ALSO_IN_NUMBERS and not re.match(INFINITE, word)]
    fitting = sum(count for i, count in enumerate(values.counts) if matches[i])
    odd_rows = sum(values.counts[i] for i in odd)
    # One word again and again, such as "k.A.", is how some file says that a value is missing.
    word = len(odd) == 1 and odd_rows >= 3 and not re.search(r"\d", words[odd[0]])
    if len(odd) > 3 or odd_rows > (ONE_WORD if word else 0.01) * fitting:
        return False
    marks = [word for i, word in words.items() if i not in odd]
    if marks:
        _note_missing(values, marks)
    if odd:
        text = (
            f"Column {shown(values.name)} holds numbers, but for {odd_rows} cells ({shown_list(words[i] for i in odd)}); "
            "those were taken as missing."
        )
        values.notes.append(finding("odd_values", "warning", text, [values.name], odd_rows))
    return True


def _note_missing(values: Values, marks: list[str]) -> None:
    count = sum(n for word, n in zip(values.distinct.to_pylist(), values.counts, strict=True) if word in marks)
    text = f"In column {shown(values.name)}, {shown_list(sorted(marks))} stands for a missing value in {count} rows."
    values.notes.append(finding("missing_marks", "info", text, [values.name], count))


def _leading_zeros(values: Values, plain: pa.Array) -> bool:
    """Codes such as 00501: digits alone, all of one length, some beginning with 0."""
    import pyarrow.compute as pc

    digits = values.distinct.filter(plain)
    if not len(digits) or not pc.all(pc.match_substring_regex(digits, r"^\d{2,}$")).as_py():
        return False
    lengths = pc.min_max(pc.utf8_length(digits)).as_py()
    return lengths["min"] == lengths["max"] and bool(pc.any(pc.starts_with(digits, "0")).as_py())


def _plain_numbers(values: Values, plain: pa.Array) -> pa.Array | None:
    """Integers where they fit into 64 bits, else floats; digits beyond that are names, not quantities."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = pc.if_else(plain, values.distinct, pa.scalar(None, pa.string()))
    kept = pc.replace_substring_regex(kept, r"^\+", "")
    if pc.all(values.matching(r"^[+-]?\d+$").filter(plain)).as_py():
        try:
            return values.spread(kept.cast(pa.int64()))
        except pa.ArrowInvalid:
            text = f"Column {shown(values.name)} holds integers of more than 64 bits; they stay strings."
            values.notes[:] = [finding("huge_integers", "warning", text, [values.name])]
            return None
    return values.spread(_finite(values, kept.cast(pa.float64())))


def _finite(values: Values, numbers: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    infinite = pc.fill_null(pc.is_inf(numbers), False)
    if pc.any(infinite).as_py():
        text = f"Column {shown(values.name)} holds numbers too large for a 64-bit float; they were taken as missing."
        values.notes.append(finding("infinite_values", "warning", text, [values.name]))
        return pc.if_else(infinite, pa.scalar(None, pa.float64()), numbers)
    return numbers


def _other_notation(values: Values, comma_decimal: bool) -> pa.Array | None:
    """Thousands separators, decimal commas, currency signs and per cent."""
    import pyarrow.compute as pc

    distinct, units = values.distinct, values.matching(UNIT)
    if pc.any(units).as_py() and _fit(values, pc.or_(units, values.matching(NUMBER))):
        stripped = pc.replace_substring_regex(distinct, r"[$€£%\s]", "")
        inner = Values(values.name, values.codes, stripped, values.counts, values.notes)
        text = f"In column {shown(values.name)} the currency or per cent sign was left out."
        values.notes.append(finding("number_notation", "info", text, [values.name]))
        plain = inner.matching(NUMBER)
        return _plain_numbers(inner, plain) if _fit(inner, plain) else _other_notation(inner, comma_decimal)
    grouped, comma = values.matching(GROUPED), values.matching(COMMA)
    if pc.any(comma).as_py() and _fit(values, values.matching(COMMA_OR_PLAIN)):
        certain = pc.any(pc.and_(comma, pc.invert(grouped))).as_py()
        if certain or comma_decimal:
            return _converted(values, COMMA_OR_PLAIN, (("\\.", ""), (",", ".")), "decimal commas", not certain)
    if pc.any(grouped).as_py() and _fit(values, values.matching(GROUPED_OR_PLAIN)):
        certain = pc.any(values.matching(r",\d{3},|,\d{3}\.")).as_py()
        return _converted(values, GROUPED_OR_PLAIN, ((",", ""),), "commas between thousands", not certain)
    return None


def _converted(
    values: Values, pattern: str, steps: tuple[tuple[str, str], ...], what: str, uncertain: bool
) -> pa.Array | None:
    import pyarrow.compute as pc

    text = f"The numbers of column {shown(values.name)} were read with {what}."
    if uncertain:
        text += " They could be read otherwise too: look at them."
    values.notes.append(finding("number_notation", "warning" if uncertain else "info", text, [values.name]))
    distinct = values.distinct
    for old, new in steps:
        distinct = pc.replace_substring_regex(distinct, old, new)
    inner = Values(values.name, values.codes, distinct, values.counts, values.notes)
    return _plain_numbers(inner, values.matching(pattern))


def _as_dates(values: Values, _: bool) -> pa.Array | None:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    for pattern, formats in DATES:
        matches = values.matching(pattern)
        if not pc.any(matches).as_py() or not _fit(values, matches):
            continue
        kept = pc.if_else(matches, values.distinct, pa.scalar(None, pa.string())).to_pandas()
        fitting = []
        for form in formats:
            dates = pd.to_datetime(kept, format=form, errors="coerce", utc=True).dt.tz_localize(None)
            if dates.notna().sum() == kept.notna().sum():
                fitting.append((form, dates))
        if not fitting:
            values.notes.clear()
            continue
        if len(fitting) > 1 and "/" in pattern:
            text = f"The dates of column {shown(values.name)} were read as month/day/year; day/month/year fits too."
            values.notes.append(finding("date_order", "warning", text, [values.name]))
        return values.spread(pa.Array.from_pandas(fitting[0][1], type=pa.timestamp("us")))
    return None


def is_text(distinct: list[str], distinct_count: int, rows: int) -> bool:
    """Whether strings are free text rather than categories: many different ones, of several words each."""
    if distinct_count < 20 or distinct_count < 0.3 * rows or not distinct:
        return False
    words = sum(len(value.split()) for value in distinct) / len(distinct)
    unspaced = sum(len(value) >= 8 and not value.isascii() for value in distinct) / len(distinct)
    return words >= 2 or unspaced >= 0.5


def _as_strings(values: Values) -> pa.Array:
    """Strings; in a column that is no text, marks such as `?` and `NA` are missing values."""
    import pyarrow as pa

    words = values.distinct.to_pylist()
    if is_text(words[:SAMPLE], len(words), values.rows):
        return values.spread(values.distinct)
    marks = [word for word in words if word in MISSING]
    if marks and len(marks) < len(words):
        _note_missing(values, marks)
        kept = pa.array([None if word in MISSING else word for word in words], pa.string())
        return values.spread(kept)
    return values.spread(values.distinct)
