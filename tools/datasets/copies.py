"""Rows that are copies of each other: by all features exactly, and by texts but for case, spacing and punctuation.

A key is a 64-bit hash of a row's features; the target is no part of it, so that contradicting copies are found too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .facts import Facts

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["exact_keys", "is_grid", "near_keys", "plain_text"]

MULTIPLIER = 0x9E3779B97F4A7C15
BY_CHANCE = 0.05
"""Rows like a given one that chance alone must bring, before equal rows are no sign of copying."""


def exact_keys(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """One key a row over all columns of `frame`; equal rows have equal keys, and missing equals missing."""
    import numpy as np

    keys = np.zeros(len(frame), dtype=np.uint64)
    for name in frame.columns:
        # A round of multiply and shift, as in SplitMix64: each bit of a value reaches each bit of the key.
        keys = (keys ^ _bits(frame[name])) * np.uint64(MULTIPLIER)
        keys ^= keys >> np.uint64(29)
    return keys


def _bits(series: pd.Series[Any]) -> NDArray[np.uint64]:
    """64 bits a value: the number itself, or a hash."""
    import numpy as np
    import pandas as pd

    if str(series.dtype) == "float64":
        values = series.to_numpy() + 0.0  # -0.0 becomes 0.0
        values[np.isnan(values)] = np.nan
        return values.view(np.uint64)
    if str(series.dtype) == "int64":
        return series.to_numpy().astype(np.uint64)
    if str(series.dtype) == "object":
        series = pd.Series([None if v is None else v if isinstance(v, bytes) else v.tobytes() for v in series])
    return np.asarray(pd.util.hash_pandas_object(series, index=False), dtype=np.uint64)


def near_keys(frame: pd.DataFrame, texts: Sequence[str]) -> NDArray[np.uint64] | None:
    """Keys in which the text columns are reduced by `plain_text`; None without text columns."""
    import pandas as pd

    if not texts:
        return None
    reduced = frame.copy(deep=False)
    for name in texts:
        reduced[name] = pd.Series([plain_text(v) for v in frame[name]], index=frame.index, dtype="str")
    return exact_keys(reduced)


PUNCTUATION = re.compile(r"[\W_]+")


def plain_text(text: Any) -> str:
    """Letters and digits alone, case folded, one blank between words; a text without any stays as it is."""
    if not isinstance(text, str):
        return ""
    reduced = PUNCTUATION.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
    return reduced or text


def is_grid(facts: Mapping[str, Facts], features: Sequence[str], frame: pd.DataFrame) -> bool:
    """Whether the features have so few combinations of values that equal rows must occur.

    If the columns were independent, two rows would agree in all of them with the product of the chances that they agree
    in each; the features are a grid if a row has then more than `BY_CHANCE` others like it.
    """
    if any(facts[name].kind not in ("number", "category", "boolean") for name in features):
        return False
    rows = len(frame)
    if len(features) == 1:
        return facts[features[0]].distinct < 0.5 * rows
    expected = float(rows)
    for name in features:
        counts = frame[name].value_counts(dropna=False).to_numpy(dtype=float)
        expected *= float((counts * (counts - 1)).sum()) / (rows * (rows - 1))
        if expected < BY_CHANCE:
            return False
    return True
