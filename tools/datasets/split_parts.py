"""How rows are divided into training, validation and test: which kind is due, and the division itself.

Everything is drawn from one seeded generator (NumPy's PCG64) over row numbers; the same rows and the same seed give
the same parts. A fifth of the rows is the test part, a fifth of the rest validation, where the source has no parts of
its own. Copies across parts are dealt with in `freezing.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import DataError
from trainwright.graph.state import Finding

from .messages import finding, shown
from .roles import SPLIT_VALUES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["SplitPlan", "due_split", "held_out", "parts_by_column"]

HELD_OUT = 0.2
FEWEST_GROUPS = 5
ORDERS = 40
"""Orders of the groups that are tried; the one that comes closest to the wanted share and class balance is taken."""


@dataclass(frozen=True)
class SplitPlan:
    """The kind of split, the column that it goes by, and the reason."""

    kind: str
    column: str = ""
    why: str = ""


def parts_by_column(series: pd.Series[Any]) -> NDArray[Any]:
    """The part of each row, from an official split column; a blank cell is training, and of folds the last is test."""
    import numpy as np

    if is_fold(series):
        return np.where(series == series.max(), "test", "train").astype(object)

    flag = str(series.name).lower()
    words = series.map(lambda value: str(value).strip().lower(), na_action="ignore")
    if str(series.dtype) == "str":
        return np.array(
            [SPLIT_VALUES.get(word, "train") if isinstance(word, str) else "train" for word in words], object
        )
    yes, no = ("test", "train") if "test" in flag else ("train", "test")
    return np.array([yes if word in ("true", "1", "1.0") else no for word in words], dtype=object)


def is_fold(series: pd.Series[Any]) -> bool:
    """Whether a split column numbers folds."""
    return str(series.dtype) in ("int64", "float64") and series.nunique() > 2


def due_split(
    part: NDArray[Any],
    labels: pd.Series[Any],
    task: str,
    column: str,
    frame: pd.DataFrame,
    *,
    group: str = "",
    time: str = "",
) -> tuple[SplitPlan, list[Finding]]:
    """The kind of split that the data call for, and what there is to say about it."""
    import numpy as np

    if part[0] != "all":
        why = f"The column {shown(column)} gives the official parts." if column else "The data come in official parts."
        notes = _shared_groups(part, frame, group)
        if column and is_fold(frame[column]):
            last = int(frame[column].max())
            why = f"The column {shown(column)} gives official folds; fold {last} is the test part. One fold alone is a noisy "
            why += "measure: the others may score differently."
            notes.append(finding("official_folds", "warning", why, [column]))
        elif column:
            notes.append(finding("official_split_column", "info", why, [column]))
        return SplitPlan("official", column, why), notes
    if group and _groups_suffice(frame[group], labels, task):
        why = f"Rows with the same {shown(group)} belong together: one in training and one in test would flatter the score."
        return SplitPlan("group", group, why), [finding("group_column", "warning", why, [group])]
    if time:
        cut = _time_cut(frame[time], HELD_OUT)
        if task == "regression" or set(labels[cut]) <= set(labels[~cut]):
            why = f"The rows are ordered by {shown(time)}: the model is measured on later rows than it was trained on."
            return SplitPlan("time", time, why), [finding("time_column", "warning", why, [time])]
    if task == "classification" and int(np.max(labels.value_counts())) > 1:
        return SplitPlan("stratified", "", "Rows are independent; each part gets the same share of every class."), []
    return SplitPlan("random", "", "Rows are independent."), []


def _shared_groups(part: NDArray[Any], frame: pd.DataFrame, group: str) -> list[Finding]:
    if not group:
        return []
    held, trained = frame[group][part == "test"], set(frame[group][part == "train"])
    shared = sorted({str(value) for value in held if value in trained})
    if not shared:
        return []
    text = (
        f"The official test part shares {len(shared)} values of {shown(group)} with the training part: the score says "
    )
    text += "little about new ones."
    return [finding("groups_across_parts", "warning", text, [group], int(held.isin(list(trained)).sum()))]


def _groups_suffice(series: pd.Series[Any], labels: pd.Series[Any], task: str) -> bool:
    """At least five groups, none of which is most of the data, and every class in several of them."""
    sizes = series.value_counts()
    if len(sizes) < FEWEST_GROUPS or sizes.iloc[0] > 0.5 * len(series):
        return False
    return task == "regression" or int(series.groupby(labels.to_numpy()).nunique().min()) >= 3


def held_out(
    rows: NDArray[np.int64],
    share: float,
    plan: SplitPlan,
    labels: pd.Series[Any],
    frame: pd.DataFrame,
    generator: np.random.Generator,
) -> NDArray[np.bool_]:
    """Which of `rows` are held out.

    Args:
        rows: row numbers.
        share: wanted share, in (0, 1).
        plan: kind and column.
        labels: target of all rows.
        frame: all rows.
        generator: is drawn from.

    Raises:
        DataError: the rows cannot be divided so.
    """
    import numpy as np
    import pandas as pd

    if len(rows) < 2:
        raise DataError(f"{len(rows)} rows cannot be divided.", hint="Give more rows.")
    if plan.kind == "time":
        return _time_cut(frame[plan.column].iloc[rows], share)
    classes = pd.factorize(labels.iloc[rows])[0] if str(labels.dtype) == "str" else None
    if plan.kind == "group":
        return _by_groups(pd.factorize(frame[plan.column].iloc[rows])[0], classes, share, generator)
    if classes is not None and plan.kind != "random":
        return _stratified(classes, share, generator)
    mask = np.zeros(len(rows), dtype=bool)
    mask[generator.permutation(len(rows))[: min(len(rows) - 1, max(1, round(share * len(rows))))]] = True
    return mask


def _stratified(classes: NDArray[np.int64], share: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    """The same share of each class; a class of three rows or more gets one at least, smaller ones none."""
    import numpy as np

    counts = np.bincount(classes)
    wanted = counts * share
    taken = np.floor(wanted).astype(np.int64)
    left = max(0, round(share * len(classes)) - int(taken.sum()))
    taken[np.argsort(-(wanted - taken), kind="stable")[:left]] += 1
    taken = np.where(counts >= 3, np.clip(taken, 1, counts - 2), 0)
    order = generator.permutation(len(classes))
    ranked = order[np.argsort(classes[order], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    mask = np.zeros(len(classes), dtype=bool)
    for start, count in zip(starts.tolist(), taken.tolist(), strict=True):
        mask[ranked[start : start + count]] = True
    if not mask.any():
        raise DataError("No class has three rows, so nothing can be held out.", hint="Give more rows of each class.")
    return mask


def _by_groups(
    groups: NDArray[np.int64], classes: NDArray[np.int64] | None, share: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Whole groups; of some orders of the groups the one that comes closest to the share, over all and in each class."""
    import numpy as np

    sizes = np.bincount(groups)
    if len(sizes) < 2:
        raise DataError("All rows belong to one group, so no group can be held out.", hint="Choose another split.")
    table = np.zeros((len(sizes), 1 if classes is None else int(classes.max()) + 1))
    np.add.at(table, (groups, np.zeros_like(groups) if classes is None else classes), 1)
    best, chosen = np.inf, np.zeros(len(sizes), dtype=bool)
    for _ in range(ORDERS):
        order = generator.permutation(len(sizes))
        count = int(np.searchsorted(np.cumsum(sizes[order]), share * len(groups), side="left")) + 1
        count = min(max(1, count), len(sizes) - 1)
        held = table[order[:count]].sum(axis=0)
        total = table.sum(axis=0)
        untrained = int(((total - held) == 0).sum())
        off = abs(held.sum() / total.sum() - share) + float(np.abs(held / total - share).mean()) + 10 * untrained
        if off < best - 1e-12:
            best, chosen = off, np.isin(np.arange(len(sizes)), order[:count])
    return chosen[groups]


def _time_cut(dates: pd.Series[Any], share: float) -> NDArray[np.bool_]:
    """The latest rows; rows of the same time stay together."""
    import numpy as np

    values = dates.to_numpy()
    ordered = np.sort(values)
    cut = ordered[min(len(ordered) - 1, int(len(ordered) * (1 - share)))]
    mask = values >= cut if cut > ordered[0] else values > cut
    if not mask.any():
        raise DataError("All rows have the same time, so none is later.", hint="Choose another split.")
    return np.asarray(mask, dtype=bool)
