"""Columns that are no features: identifiers, official split columns, groups and times.

A role is read from a column's name and values together, since a name alone (`customer_id`) may stand for an
identifier, a group of repeated rows, or a category.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .facts import Facts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SPLIT_VALUES", "group_column", "id_columns", "split_column", "time_column"]

ID_NAME = re.compile(
    r"(?i)^(ids?|index|idx|row|row_?(id|no|nr|num|number|names?)|unnamed.*|uuid|guid|key|no|nr|sno|serial.*|s\.?no\.?"
    r"|sample_?(id|no|number)|record_?(id|no|number)?|instance_?(id|no|number)?|.*[_\s.-](id|uuid|guid)|id[_\s.-].*)$"
)
CAMEL_ID = re.compile(r".*[a-z](Id|ID|Number|No)$")
PEOPLE = (
    "subject|patient|person|participant|user|customer|client|speaker|member|household|family|animal|donor|rat|mouse"
    "|driver|player|student|session|respondent|volunteer|individual|twin|group|worker|rater"
)
GROUP_NAME = re.compile(
    rf"(?i)^({PEOPLE})s?[_ .#-]?(id|no|nr|num|number|code|name|key|hash)?#?$|^({PEOPLE})\w*[_ .-](id|key|hash)$"
)
SPLIT_NAME = re.compile(r"(?i)^(data_?)?(split|set|partition|subset|part|usage|fold|dataset)(_?(name|type|no|id))?$")
FOLD_NAME = re.compile(r"(?i)^(cv_?|k_?)?folds?(_?(id|no|nr|number))?$")
FLAG_NAME = re.compile(r"(?i)^(is_?)?(train|test|training|testing)(_?(set|flag|row))?$")
SPLIT_VALUES = {
    "train": "train", "training": "train", "tr": "train", "trn": "train", "learn": "train",
    "valid": "validation", "validation": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test", "tst": "test", "te": "test", "eval": "test", "holdout": "test",
    "held-out": "test", "heldout": "test", "evaluation": "test",
}  # fmt: skip
AXES = re.compile(
    r"(?i)^(x\d*|t|time|times?tamp|step|steps|age|year|day|days|week|month|hour|minute|second|date|distance|position|depth|height|temperature|dose|epoch)s?$"
)
CODE = re.compile(r"\S*\d\S*")
FEWEST_GROUPS = 5
MOST_FOLDS = 20
FEWEST_DATES = 10


def split_column(facts: Mapping[str, Facts], frame: pd.DataFrame, taken: Sequence[str] = ()) -> str:
    """The column that says which official part a row belongs to; empty if there is none."""
    for name, fact in facts.items():
        if name in taken or fact.kind not in ("category", "boolean", "number") or not 2 <= fact.distinct <= 50:
            continue
        if fact.kind == "category" and SPLIT_NAME.match(name):
            words = {SPLIT_VALUES.get(str(value).strip().lower()) for value in frame[name].dropna().unique()}
            if None not in words and {"train"} < words:
                return name
        if FOLD_NAME.match(name) and fact.whole and 2 < fact.distinct <= MOST_FOLDS and not fact.missing:
            return name
        flag = FLAG_NAME.match(name)
        if (
            flag
            and fact.distinct == 2
            and (fact.kind == "boolean" or (fact.whole and set(fact.examples) == {"0", "1"}))
        ):
            return name
    return ""


def id_columns(facts: Mapping[str, Facts], frame: pd.DataFrame, taken: Sequence[str] = ()) -> list[str]:
    """Columns that number or name the rows.

    Args:
        facts: of all columns.
        frame: the training rows, in the order of the file.
        taken: columns that have another role.
    """
    others = [fact for name, fact in facts.items() if name not in taken]
    return [fact.name for fact in others if _identifies(fact, frame, alone=len(others) < 2)]


def _identifies(fact: Facts, frame: pd.DataFrame, *, alone: bool) -> bool:
    if fact.name == "id":
        return True
    named = bool(ID_NAME.match(fact.name) or CAMEL_ID.match(fact.name))
    if named and (fact.kind in ("category", "text") or fact.whole) and _unique(frame, fact.name):
        return True
    if alone or fact.name not in frame.columns:
        return False
    if fact.kind == "number" and fact.whole:
        return not AXES.match(fact.name) and counts_rows(frame[fact.name])
    if fact.kind == "category" and fact.rows >= 20 and fact.distinct > 0.95 * fact.rows:
        return named or all(CODE.fullmatch(word) for word in fact.examples)
    return False


def _unique(frame: pd.DataFrame, name: str) -> bool:
    """Whether no value occurs twice in one part: another part may count anew."""
    if name not in frame.columns:
        return False
    given = frame[name].dropna()
    return len(given) > 1 and bool(given.is_unique)


def counts_rows(series: pd.Series[Any]) -> bool:
    """Whether a column is the row number, from 0 or 1."""
    import numpy as np

    if len(series) < 20 or series.isna().any():
        return False
    values = series.to_numpy(dtype=float)
    return values[0] in (0, 1) and bool(np.all(np.diff(values) == 1))


def group_column(facts: Mapping[str, Facts], taken: Sequence[str] = ()) -> str:
    """The column of persons, sessions or the like that several rows share; empty if there is none."""
    best = ""
    for name, fact in facts.items():
        if name in taken or not GROUP_NAME.match(name) or fact.missing:
            continue
        if fact.kind not in ("category", "text") and not fact.whole:
            continue
        repeated = FEWEST_GROUPS <= fact.distinct < fact.rows
        plain = re.fullmatch(r"(?i)(group|session|family|member)s?", name)
        if repeated and not (plain and fact.distinct < 10) and (not best or fact.distinct > facts[best].distinct):
            best = name
    return best


def time_column(facts: Mapping[str, Facts], frame: pd.DataFrame, taken: Sequence[str] = ()) -> str:
    """The date column by which the rows of the file are sorted; empty if there is none."""
    for name, fact in facts.items():
        if name in taken or fact.kind != "date" or fact.missing or fact.distinct < FEWEST_DATES:
            continue
        dates = frame[name]
        if dates.is_monotonic_increasing or dates.is_monotonic_decreasing:
            return name
    return ""
