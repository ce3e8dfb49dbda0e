"""Which rows a trial is fitted on, and which ones it is scored on. Nothing is fitted here."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from contract import Rows, Schema
from fitting import encoded

__all__ = ["Part", "drawn", "folds"]


@dataclass(frozen=True)
class Part:
    """Rows to fit on and rows to score on; `key` names the pair."""

    key: str
    train: Rows
    held: Rows


def folds(schema: Schema, rows: Rows, count: int, seed: int) -> list[Part]:
    """Each row held out once: `count` folds or fewer, drawn at random, with the classes in equal shares.

    Args:
        rows: at least 2, with targets.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    truth = encoded(schema, rows)
    count = max(2, min(count, len(rows) // 2))
    kind = KFold
    if schema.task == "classification":
        sizes = np.unique(truth, return_counts=True)[1]
        if sizes.min() >= 2:
            kind, count = StratifiedKFold, max(2, min(count, int(sizes.max())))
    with warnings.catch_warnings():
        # A class that is rarer than the number of folds is missing from some of them.
        warnings.simplefilter("ignore")
        places = list(kind(count, shuffle=True, random_state=seed).split(np.zeros(len(truth)), truth))
    return [Part(f"fold{i}", rows.take(inside), rows.take(outside)) for i, (inside, outside) in enumerate(places)]


def drawn(schema: Schema, rows: Rows, size: int, seed: int) -> Rows:
    """`size` of the rows, in their order: drawn at random, but the last ones where groups or time matter."""
    if schema.clustered:
        return rows.take(np.arange(len(rows) - size, len(rows)))
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows.take(np.sort(order[:size]))
