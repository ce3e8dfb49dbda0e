"""From loaded parts to decisions: roles of all columns, target, task, findings, and the split that is due.

This is the one place where the audit's pieces meet, for `inspection.py` to report and for `freezing.py` to act on. An
open question or a refusal ends it early, with what is known by then.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trainwright.graph.errors import DataError
from trainwright.graph.state import Column, Finding, Modality, Task

from . import audit
from .copies import exact_keys, is_grid, near_keys
from .facts import Facts, column_facts
from .features import settle_features
from .labelling import set_labels, settle_parts
from .leaks import leaking_columns
from .loaded import LoadedData
from .messages import finding, shown, shown_list
from .roles import id_columns, split_column, time_column
from .sources import load_data
from .split_parts import SplitPlan, due_split, parts_by_column
from .targets import SURE, Asked, Chosen, choose_target, choose_task
from .unsupported import edge_list, unlabelled

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["ROW_ID", "Examined", "examine"]

FEWEST_ROWS = 10
ROW_ID = "id"
HEADER_ANSWERS = ("present", "absent")


@dataclass
class Examined:
    """What is known of a data set. The frames belong to a cache: never change them in place.

    Attributes:
        loaded: as the loader gave it.
        frame: the rows of all parts that have a target, numbered from 0.
        part: the part of each row: `all`, or train, validation, test.
        labels: the target of each row: canonical strings, or float64.
        facts: of every column.
        features: columns that a model may see, in order.
        dropped: other columns with their role.
        exact, near: keys of copies; `near` is None without texts.
        grid: equal rows are no sign of copying here.
        counts: label to rows, of the rows that training may see.
    """

    loaded: LoadedData
    modality: Modality = "unknown"
    task: Task | None = None
    target: str = ""
    target_why: str = ""
    metric: str = ""
    refusal: str = ""
    question: Asked | None = None
    facts: dict[str, Facts] = field(default_factory=dict)
    features: list[str] = field(default_factory=list)
    dropped: dict[str, tuple[Role, str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    split: SplitPlan = field(default_factory=lambda: SplitPlan(""))
    counts: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    grid: bool = False
    frame: pd.DataFrame = field(default_factory=lambda: _nothing("frame"), repr=False)
    part: NDArray[Any] = field(default_factory=lambda: _nothing("array"), repr=False)
    labels: pd.Series[Any] = field(default_factory=lambda: _nothing("series"), repr=False)
    exact: NDArray[np.uint64] = field(default_factory=lambda: _nothing("array"), repr=False)
    near: NDArray[np.uint64] | None = field(default=None, repr=False)

    @property
    def main(self) -> NDArray[np.bool_]:
        """Which rows belong to the part that is trained on: `all`, or `train`."""
        mask: NDArray[np.bool_] = (self.part == "all") | (self.part == "train")
        return mask

    @property
    def named(self) -> bool:
        """Whether the columns have names of their own, and not c0, c1, …"""
        return not all(re.fullmatch(r"c\d+", name) for name in self.facts)

    @property
    def columns(self) -> list[Column]:
        """Every column with its kind and role, in the order of the data."""
        return [_column(self, fact) for fact in self.facts.values()]


def _nothing(what: Literal["frame", "array", "series"]) -> Any:
    """Empty, until the rows are looked at."""
    import numpy as np
    import pandas as pd

    return {"frame": pd.DataFrame(), "series": pd.Series(dtype="float64"), "array": np.array([])}[what]


Role = Literal["id", "split", "group", "time", "dropped"]

_lock = threading.Lock()
_cached: dict[tuple[str, ...], Examined] = {}


def examine(
    spec: str,
    *,
    target_column: str = "",
    goal: str = "",
    context: str = "",
    task: str = "",
    header: str = "",
    cache: Path | None = None,
) -> Examined:
    """Decide what can be decided; the arguments are those of `inspect_data`. Unchanged files are examined once.

    Raises:
        DataError: the data cannot be read, or cannot be used as they are.
    """
    if header and header not in HEADER_ANSWERS:
        raise DataError(f"{shown(header)} is no answer on the header.", hint="Answer present or absent.")
    stated: Literal["present", "absent"] | None = "present" if header == "present" else "absent" if header else None
    loaded = load_data(spec, cache=cache, header=stated)
    if target_column and task:
        goal = context = ""  # nothing is left to decide
    key = (target_column, goal, context, task, header)
    with _lock:
        if any(kept.loaded is not loaded for kept in _cached.values()):
            _cached.clear()  # one data set at a time: large ones must not pile up
        if key not in _cached:
            found = _examined(loaded, target_column, goal, context, task, header)
            _cached[key] = found
            if found.task is not None:
                # What a person need not be told twice: the plan says how the target was found.
                notes = [note for note in found.findings if note.code not in ("target_chosen", "task_chosen")]
                _cached[(found.target, "", "", found.task, header)] = replace(found, findings=notes)
        return _cached[key]


def _examined(loaded: LoadedData, target_column: str, goal: str, context: str, task: str, header: str) -> Examined:
    found = Examined(loaded, loaded.modality, findings=list(loaded.notes))
    if loaded.refusal:
        return replace(found, refusal=loaded.refusal)
    _whole(found)
    if loaded.unclear_header and not header:
        return replace(found, question=_header_question(loaded))
    _drop_by_role(found)
    if not target_column and (refused := _no_table(found)):
        return replace(found, modality=refused[0], refusal=refused[1])
    chosen = _target(found, target_column, goal, context)
    if isinstance(chosen, Asked):
        return replace(found, question=chosen)
    found.target, found.target_why = chosen.value, chosen.why
    if found.target == ROW_ID:
        text = f"The target is called {ROW_ID!r}, which is the name for the number of a row."
        raise DataError(text, hint="Rename that column, or name another --target-column.")
    found.dropped.pop(found.target, None)
    if not chosen.sure:
        text = f"{shown(found.target)} was taken for the target. {chosen.why} --target-column names another one."
        found.findings.append(finding("target_chosen", "warning", text, [found.target]))
    settle_parts(found)
    decided = _task(found, task, goal)
    if isinstance(decided, Asked):
        return replace(found, question=decided)
    found.task = "classification" if decided.value == "classification" else "regression"
    if not decided.sure:
        text = f"{shown(found.target)} was taken for {'classes' if found.task == 'classification' else 'a quantity'}. "
        found.findings.append(finding("task_chosen", "warning", text + decided.why, [found.target]))
    refused = settle_features(found)
    if refused is not None:
        return replace(found, modality=refused[0], refusal=refused[1])
    set_labels(found)
    _audit(found)
    return found


def _no_table(found: Examined) -> tuple[Modality, str] | None:
    left = {name: fact for name, fact in found.facts.items() if name not in found.dropped}
    return unlabelled(left) or edge_list(left, found.frame)


def _whole(found: Examined) -> None:
    """All parts in one frame, and the facts of each column."""
    import numpy as np
    import pandas as pd

    parts = found.loaded.parts
    total = sum(map(len, parts.values()))
    if total < FEWEST_ROWS:
        rows = "no rows" if not total else "a single row" if total == 1 else f"only {total} rows"
        raise DataError(
            f"{shown(found.loaded.source, 200)} has {rows}; at least {FEWEST_ROWS} are needed to train on some and to "
            "measure on others.",
            hint="Give a file with more rows; some hundreds make a score that means something.",
        )
    _refuse_empty_part(parts)
    found.frame = pd.concat(list(parts.values()), ignore_index=True) if len(parts) > 1 else next(iter(parts.values()))
    found.part = np.repeat(np.array(list(parts), dtype=object), [len(frame) for frame in parts.values()])
    found.facts = {str(name): column_facts(str(name), found.frame[name]) for name in found.frame.columns}
    found.rows = {name: len(frame) for name, frame in parts.items()}


def _refuse_empty_part(parts: Mapping[str, pd.DataFrame]) -> None:
    empty = [name for name, frame in parts.items() if not len(frame)]
    if empty:
        raise DataError(
            f"The {empty[0]} part has no rows.", hint="Leave that file out, or give one with a header line and rows."
        )


def _header_question(loaded: LoadedData) -> Asked:
    text = (
        f"Does the first line of {shown(loaded.name)} name the columns ({shown_list(loaded.unclear_header)}), or is it "
    )
    return Asked(key="header", text=text + "a row like the others?", options=list(HEADER_ANSWERS))


def _drop_by_role(found: Examined) -> None:
    """Columns whose names and values say that they are no features."""
    main = next(iter(found.loaded.parts.values()))
    if list(found.loaded.parts) == ["all"] and (column := split_column(found.facts, main)):
        found.dropped[column] = ("split", "says which part a row belongs to")
        found.part = parts_by_column(found.frame[column])
        found.rows = dict(Counter(found.part.tolist()))
        found.split = SplitPlan("official", column)
    for name in id_columns(found.facts, main, list(found.dropped)):
        found.dropped[name] = ("id", "numbers or names the rows")
    for name, why in audit.useless_columns(found.facts, main, list(found.facts)).items():
        found.dropped.setdefault(name, ("dropped", why))


def _target(found: Examined, asked: str, goal: str, context: str) -> Chosen | Asked:
    loaded, parts, named = found.loaded, found.loaded.parts, found.named
    declared = loaded.target
    if not declared and "test" in parts and not any(SURE.match(str(c).strip()) for c in parts["test"].columns):
        only = [c for c in next(iter(parts.values())).columns if c not in parts["test"].columns]
        declared = str(only[0]) if len(only) == 1 else ""
    if asked:
        return choose_target(found.facts, asked=asked)
    # A column called label is the target even where its values (none, one, or all different) say that it is useless.
    facts = {n: f for n, f in found.facts.items() if n not in found.dropped or n == declared or SURE.match(n.strip())}
    return choose_target(facts, declared=declared, goal=goal, context=context, named=named)


def _task(found: Examined, asked: str, goal: str) -> Chosen | Asked:
    fact = column_facts(found.target, found.frame[found.target])
    found.facts[found.target] = fact
    return choose_task(fact, found.frame[found.target], asked=asked, goal=goal)


def _audit(found: Examined) -> None:
    """Leaks, copies, imbalance and the split that is due."""
    main = found.main
    frame = found.frame[main]
    leaks = leaking_columns(found.facts, found.features, frame, found.labels[main], found.task or "")
    for note in leaks:
        for name in note.columns:
            found.dropped[name] = ("dropped", "gives the target away")
    found.features = [name for name in found.features if name not in found.dropped]
    texts = [name for name in found.features if found.facts[name].kind == "text"]
    features = found.frame[found.features]
    found.exact, found.near = exact_keys(features), near_keys(features, texts)
    found.grid = is_grid(found.facts, found.features, found.frame)
    masks = {part: found.part == part for part in found.rows}
    found.findings += leaks
    found.findings += audit.about_columns(found.facts, found.features, frame)
    found.findings += audit.about_numbers(found.facts, found.features, frame)
    found.findings += audit.about_copies(
        {part: found.exact[mask] for part, mask in masks.items()},
        {} if found.near is None else {part: found.near[mask] for part, mask in masks.items()},
        {part: found.labels[mask] for part, mask in masks.items()},
        found.grid,
    )
    found.findings += audit.about_classes(found.counts, len(found.frame), len(found.features))
    found.findings += _about_roles(found)
    found.metric = audit.default_metric(found.task or "", found.counts)
    group = next((name for name, (role, _) in found.dropped.items() if role == "group"), "")
    time = time_column(found.facts, frame, [found.target, *found.dropped])
    found.split, notes = due_split(
        found.part, found.labels, found.task or "", found.split.column, found.frame, group=group, time=time
    )
    found.findings += notes


def _about_roles(found: Examined) -> list[Finding]:
    notes = []
    ids = [name for name, (role, _) in found.dropped.items() if role == "id"]
    useless = {
        code: [name for name, (_, why) in found.dropped.items() if why == code]
        for code in ("constant_column", "empty_column")
    }
    if ids:
        text = f"Columns that number or name the rows were left out: {shown_list(ids)}."
        notes.append(finding("id_like_column", "info", text, ids))
    for code, names in useless.items():
        if names:
            what = "hold one value in all training rows" if code == "constant_column" else "hold nothing"
            text = f"Columns that {what} were left out: {shown_list(names)}."
            notes.append(finding(code, "info", text, names))
    return notes


def _column(found: Examined, fact: Facts) -> Column:
    role, why = found.dropped.get(fact.name, ("feature", ""))
    if fact.name == found.target:
        role, why = "target", ""
    return Column.model_validate(
        {
            "name": fact.name,
            "kind": "id" if role == "id" else fact.kind,
            "role": role,
            "missing": fact.missing,
            "distinct": fact.distinct,
            "note": why,
        }
    )
