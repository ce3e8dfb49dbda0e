"""Labels as canonical strings, so that 3, 3.0 and "3" are one class everywhere.

The training scripts read labels by the same rule; what is no class (a measured number) stays a float64.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["canonical", "canonical_labels"]


def canonical(value: Any) -> str | None:
    """The label of one value; None where it is missing or blank. Whole floats below 2^53 lose their fraction."""
    if value is None or value != value:
        return None
    if isinstance(value, float):
        whole = math.isfinite(value) and value.is_integer() and abs(value) < 2**53
        return str(int(value)) if whole else repr(float(value))
    return str(value).strip() or None


def canonical_labels(series: pd.Series[Any]) -> pd.Series[Any]:
    """The labels of a column: strings, missing where there is none; the index stays."""
    import numpy as np
    import pandas as pd

    codes, values = pd.factorize(series)
    names = np.array([canonical(value) for value in values.tolist()] + [None], dtype=object)
    return pd.Series(names[codes], index=series.index, dtype="str")
