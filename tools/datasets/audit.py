"""Findings on columns and rows that a person should know before anything is trained: gaps, copies, imbalance, size.

A finding changes nothing by itself; what is left out, and how rows are divided, is decided by who calls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainwright.graph.state import Finding

from .delimited import NUMBER
from .facts import Facts
from .messages import counted, finding, shown, shown_list

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["about_classes", "about_columns", "about_copies", "about_numbers", "default_metric", "useless_columns"]

TINY = 200
UNEVEN = 0.75
"""Entropy of the class shares over its largest possible value: below this the classes are strongly uneven."""


def useless_columns(facts: Mapping[str, Facts], frame: pd.DataFrame, names: Sequence[str]) -> dict[str, str]:
    """Columns that can tell nothing, with the reason: empty ones, and those with one value in all training rows."""
    found = {}
    for name in names:
        fact = facts[name]
        if not fact.rows:
            found[name] = "empty_column"
        elif fact.kind not in ("image", "vector") and fact.distinct <= 3 and _constant(frame, name):
            found[name] = "constant_column"
    return found


def _constant(frame: pd.DataFrame, name: str) -> bool:
    return name in frame.columns and frame[name].nunique(dropna=False) <= 1


def about_columns(facts: Mapping[str, Facts], features: Sequence[str], frame: pd.DataFrame) -> list[Finding]:
    """Missing values, high cardinality, and features that are copies of each other."""
    notes = []
    gaps = [facts[name] for name in features if facts[name].missing]
    if gaps:
        worst = sorted(gaps, key=lambda fact: -fact.missing)
        listed = ", ".join(f"{shown(f.name, 40)} {f.missing / (f.missing + f.rows):.0%}" for f in worst[:6])
        half = any(fact.missing > fact.rows for fact in gaps)
        text = (
            f"Values are missing in {counted(len(gaps), 'column')}: {listed}{' and others' if len(worst) > 6 else ''}."
        )
        names = [fact.name for fact in worst]
        notes.append(finding("missing_values", "warning" if half else "info", text, names, worst[0].missing))
    wide = [name for name in features if facts[name].kind == "category" and facts[name].distinct > 100]
    if wide:
        listed = ", ".join(f"{shown(name, 40)} ({facts[name].distinct})" for name in wide[:6])
        text = f"Categories with very many different values: {listed}. Rare ones are learnt as one."
        notes.append(finding("high_cardinality", "warning", text, wide))
    mixed = [name for name in features if facts[name].kind == "category" and _mixed(frame[name])]
    if mixed:
        text = f"Columns that mix numbers and words, and are read as categories: {shown_list(mixed)}."
        notes.append(finding("mixed_types", "warning", text, mixed))
    twins = _twins(facts, features, frame)
    if twins:
        text = f"Columns that hold the same as another one: {shown_list(f'{b} = {a}' for a, b in twins)}."
        notes.append(finding("duplicate_columns", "info", text, [b for _, b in twins]))
    return notes


def _mixed(series: pd.Series[Any]) -> bool:
    """Whether some, but not nearly all or hardly any, of the different values are numbers."""
    if str(series.dtype) != "str":
        return False
    values = series.dropna().unique()[:2_000]
    numbers = sum(NUMBER.fullmatch(value.strip()) is not None for value in values)
    return len(values) >= 5 and 0.1 <= numbers / len(values) <= 0.95


def _twins(facts: Mapping[str, Facts], features: Sequence[str], frame: pd.DataFrame) -> list[tuple[str, str]]:
    seen: dict[tuple[Any, ...], str] = {}
    twins = []
    for name in features:
        fact = facts[name]
        if fact.kind in ("image", "vector") or fact.distinct < 3:
            continue
        column = frame[name]
        total = column.sum() if fact.kind == "number" else ""
        key = (fact.kind, fact.distinct, fact.missing, fact.examples, total)
        if key in seen and frame[seen[key]].equals(column):
            twins.append((seen[key], name))
        else:
            seen.setdefault(key, name)
    return twins


def about_numbers(facts: Mapping[str, Facts], features: Sequence[str], frame: pd.DataFrame) -> list[Finding]:
    """Values far outside the rest of their column: more than ten interquartile ranges beyond the quartiles."""
    import numpy as np

    names = [name for name in features if facts[name].kind == "number" and facts[name].distinct > 20]
    if not names or len(frame) < 50:
        return []
    matrix = frame[names].to_numpy(dtype=np.float64, na_value=np.nan)
    low, high = np.nanpercentile(matrix, [25, 75], axis=0)
    spread = high - low
    with np.errstate(invalid="ignore"):
        far = ((matrix < low - 10 * spread) | (matrix > high + 10 * spread)) & (spread > 0)
    counts = far.sum(axis=0)
    found = [(name, int(count)) for name, count in zip(names, counts, strict=True) if count]
    if not found:
        return []
    listed = ", ".join(f"{shown(name, 40)} ({counted(count, 'row')})" for name, count in found[:6])
    text = f"Some values lie far outside the rest of their column: {listed}. They were kept."
    return [finding("outliers", "info", text, [name for name, _ in found], sum(count for _, count in found))]


def about_copies(
    keys: Mapping[str, NDArray[np.uint64]],
    near: Mapping[str, NDArray[np.uint64]],
    targets: Mapping[str, pd.Series[Any]],
    grid: bool,
) -> list[Finding]:
    """Copies within a part, across parts, and with another target.

    Args:
        keys, near: part name to exact and near keys of its rows; `near` is empty without texts.
        targets: part name to the target of the same rows.
        grid: the features have so few combinations that equal rows must occur.
    """
    import numpy as np

    notes = []
    main = next(iter(keys))
    extra = len(keys[main]) - len(np.unique(keys[main]))
    why = " The features have few different values, so equal rows need not be copies." if grid else ""
    if extra:
        where = "" if main == "all" else f" in the {main} part"
        text = f"Exact copies of another row's features{where}: {counted(extra, 'row')}.{why}"
        notes.append(finding("duplicate_rows", "info" if grid else "warning", text, rows=extra))
    for part in list(keys)[1:]:
        shared = int(np.isin(keys[part], keys[main]).sum())
        if shared:
            text = f"The {part} part has {counted(shared, 'row')} with exact copies in the {main} part.{why}"
            notes.append(finding("duplicates_across_parts", "warning", text, rows=shared))
        if part in near:
            close = int(np.isin(near[part], near[main]).sum()) - shared
            if close > 0:
                text = f"The {part} part has {counted(close, 'more row')} of the {main} part but for case, blanks or punctuation."
                notes.append(finding("near_duplicates_across_parts", "warning", text, rows=close))
    if near and len(keys) == 1:
        close = len(near[main]) - len(np.unique(near[main])) - extra
        if close > 0:
            text = f"Texts of another row but for case, blanks or punctuation: {counted(close, 'more row')}."
            notes.append(finding("near_duplicates", "info", text, rows=close))
    return notes + _contradictions(keys, targets)


def _contradictions(keys: Mapping[str, NDArray[np.uint64]], targets: Mapping[str, pd.Series[Any]]) -> list[Finding]:
    import numpy as np
    import pandas as pd

    every = np.concatenate(list(keys.values()))
    codes, _ = pd.factorize(pd.concat(list(targets.values()), ignore_index=True))
    order = np.lexsort((codes, every))
    key, code = every[order], codes[order]
    same = key[1:] == key[:-1]
    differing = np.unique(key[1:][same & (code[1:] != code[:-1])])
    rows = int(np.isin(every, differing).sum())
    if not rows:
        return []
    text = f"{rows} rows have the same features as another row but another target: no model can get them all right."
    return [finding("contradicting_duplicates", "warning", text, rows=rows)]


def about_classes(counts: Mapping[str, int], rows: int, features: int) -> list[Finding]:
    """Imbalance, classes with hardly any rows, and few rows over all. `counts` is empty for regression."""
    notes = []
    if counts:
        largest = max(counts, key=lambda label: counts[label])
        smallest = min(counts, key=lambda label: counts[label])
        if _evenness(counts) < UNEVEN or counts[largest] >= 20 * counts[smallest]:
            text = f"The classes are uneven: {shown(largest, 40)} has {counts[largest]} of {rows} rows, "
            text += f"{shown(smallest, 40)} has {counts[smallest]}."
            notes.append(finding("class_imbalance", "warning", text))
        rare = [label for label, count in counts.items() if count < 3]
        if rare:
            text = f"Classes with one or two rows: {shown_list(rare)}. Without official parts those rows stay "
            text += "in training, since nothing could be measured on them."
            notes.append(finding("rare_classes", "warning", text, rows=sum(counts[label] for label in rare)))
    if rows < TINY:
        text = f"There are only {rows} rows: scores on so few test rows are uncertain; the interval shows how much."
        notes.append(finding("tiny_data", "warning", text, rows=rows))
    elif features > 2 * rows:
        text = f"There are {features} features for {rows} rows: chance alone can make a feature look useful."
        notes.append(finding("more_features_than_rows", "info", text))
    return notes


def _evenness(counts: Mapping[str, int]) -> float:
    total = sum(counts.values())
    if len(counts) < 2:
        return 1.0
    shares = [count / total for count in counts.values() if count]
    return -sum(share * math.log(share) for share in shares) / math.log(len(counts))


def default_metric(task: str, counts: Mapping[str, int]) -> str:
    """The metric that suits: accuracy, for strongly uneven classes balanced accuracy or macro F1; RMSE."""
    if task == "regression":
        return "rmse"
    if _evenness(counts) >= UNEVEN:
        return "accuracy"
    return "balanced_accuracy" if len(counts) == 2 else "f1_macro"
