"""What each column holds: its kind, how much is missing, how many different values.

Kinds follow from types and values alone. Which column is predicted, and which ones must not be seen, is decided in
`targets.py` and `roles.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .column_types import is_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Facts", "Kind", "column_facts"]

Kind = Literal["number", "category", "text", "date", "boolean", "image", "vector"]
SAMPLE = 5_000
LONG_TEXT_WORDS = 5
"""Strings of this many words on average are text even where many of them repeat."""


@dataclass(frozen=True)
class Facts:
    """One column over all parts together.

    Attributes:
        kind: as `dataset.json` names it.
        rows: rows that hold a value.
        missing: rows that hold none.
        distinct: different values; of vectors the number of rows.
        whole: a number column whose values are all integers.
        words: mean number of words of its strings, over a sample; 0 for other columns.
        examples: up to 5 different values, for messages and options.
    """

    name: str
    kind: Kind
    rows: int
    missing: int
    distinct: int
    whole: bool = False
    words: float = 0.0
    examples: tuple[str, ...] = ()

    @property
    def unique(self) -> bool:
        """Every row that holds a value holds another one."""
        return self.rows > 1 and self.distinct == self.rows

    @property
    def classlike(self) -> bool:
        """Whether its values could be classes: words or truth values that repeat."""
        return self.kind in ("category", "boolean") and 2 <= self.distinct <= max(2, min(200, self.rows // 3))


def column_facts(name: str, series: pd.Series[Any]) -> Facts:
    """The facts of one column."""
    import numpy as np
    import pandas as pd

    given = series.dropna()
    missing = len(series) - len(given)
    kind: str = str(series.dtype)
    if kind == "object":
        first = given.iloc[0] if len(given) else b""
        if isinstance(first, bytes):
            return Facts(name, "image", len(given), missing, int(given.nunique()))
        return Facts(name, "vector", len(given), missing, len(given))
    distinct = pd.unique(given)
    examples = tuple(str(value)[:60] for value in distinct[:5])
    plain = (len(given), missing, len(distinct))
    if kind in ("bool", "boolean"):
        return Facts(name, "boolean", *plain, examples=examples)
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return Facts(name, "date", *plain, examples=examples)
    if pd.api.types.is_numeric_dtype(series.dtype):
        whole = bool(np.all(np.mod(np.asarray(distinct, dtype=float), 1) == 0)) if len(distinct) else False
        return Facts(name, "number", *plain, whole=whole, examples=examples)
    sample = [str(value) for value in distinct[:SAMPLE]]
    words = sum(len(value.split()) for value in sample) / len(sample) if sample else 0.0
    text = is_text(sample, len(distinct), len(given)) or (
        words >= LONG_TEXT_WORDS and len(distinct) >= max(20, len(given) // 10)
    )
    return Facts(name, "text" if text else "category", *plain, words=words, examples=examples)
