"""`inspect_data`: what the data are, what is predicted from what, and what a person should know about them.

The audit reads and reports; rows are divided in `freezing.py`. Class counts are those of the rows that training may
see wherever the source has a test part of its own.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trainwright.graph.state import Column, Finding, Modality, Task

from .examining import Examined, examine
from .targets import Asked

__all__ = ["Inspection", "SplitDue", "inspect_data"]

CELL = 80


class SplitDue(BaseModel):
    """The kind of split that the data call for."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(description="official, stratified, random, group or time; empty before the target is known.")
    column: str = Field("", description="Split, group or time column, where there is one.")
    why: str = ""


class Inspection(BaseModel):
    """The audit of a data set, as a tool's answer."""

    model_config = ConfigDict(extra="forbid")

    name: str
    source: str
    revision: str
    licence: str
    task: Task | None = Field(None, description="None while a question is open, or where nothing can be predicted.")
    modality: Modality
    target: str = ""
    target_why: str = Field("", description="How the target was decided.")
    metric: str = Field("", description="The metric that suits these data.")
    classes: dict[str, int] = Field(default_factory=dict, description="Canonical label to rows.")
    rows: dict[str, int] = Field(default_factory=dict, description="Part to rows that have a target.")
    columns: list[Column] = Field(default_factory=list)
    findings: list[Finding] = Field(default_factory=list)
    shape: list[int] = Field(default_factory=list, description="Of the image or array in one row.")
    split: SplitDue = SplitDue(kind="")
    header: str = Field("", description="present or absent, where a person answered that.")
    refusal: str = Field("", description="Why no recipe can serve these data; empty if one may.")
    question: Asked | None = Field(None, description="What only a person can tell.")
    samples: list[dict[str, str]] = Field(default_factory=list, description="The first training rows, cells cut short.")


_lock = threading.Lock()
_cached: dict[tuple[str, ...], tuple[Examined, Inspection]] = {}


def inspect_data(
    spec: str,
    *,
    target_column: str = "",
    goal: str = "",
    context: str = "",
    task: str = "",
    header: str = "",
    cache: Path | None = None,
) -> Inspection:
    """The audit of a data set; a second call with unchanged files costs nothing.

    Args:
        spec: what a person wrote after `--data`.
        target_column: column to predict, as a person named it; empty: found, or asked for.
        goal: the person's own words.
        context: words of others on the task, such as the paper's title; they choose no column, but order the answers.
        task: `classification` or `regression` where a person answered that.
        header: `present` or `absent` where a person answered that.
        cache: folder for what is fetched; default `$TRAINWRIGHT_HOME/cache`.

    Raises:
        DataError: the data cannot be read, or cannot be used as they are.
    """
    with _lock:
        examined = examine(
            spec, target_column=target_column, goal=goal, context=context, task=task, header=header, cache=cache
        )
        key = (spec, target_column, goal, context, task, header, str(cache))
        kept = _cached.get(key)
        if kept is not None and kept[0] is examined:
            return kept[1].model_copy(deep=True)
        inspection = _inspection(examined, header)
        _cached.clear()
        _cached[key] = (examined, inspection)
        return inspection.model_copy(deep=True)


def _inspection(found: Examined, header: str) -> Inspection:
    loaded = found.loaded
    return Inspection(
        name=loaded.name,
        source=loaded.source,
        revision=loaded.revision,
        licence=loaded.licence,
        task=found.task,
        modality=found.modality,
        target=found.target,
        target_why=found.target_why,
        metric=found.metric,
        classes=found.counts,
        rows=found.rows,
        columns=found.columns,
        findings=found.findings,
        shape=list(loaded.shape),
        split=SplitDue(kind=found.split.kind, column=found.split.column, why=found.split.why),
        header=header,
        refusal=found.refusal,
        question=found.question,
        samples=_samples(found),
    )


def _samples(found: Examined) -> list[dict[str, str]]:
    if not found.loaded.parts or found.refusal:
        return []
    head = next(iter(found.loaded.parts.values())).head(3)
    names = list(head.columns)[:40]
    return [{name: _cell(row[name]) for name in names} for _, row in head.iterrows()]


def _cell(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if getattr(value, "ndim", 0):
        return f"{value.size} numbers"
    return str(value)[:CELL]
