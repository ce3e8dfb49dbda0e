"""Two data sets side by side: columns, types, labels, rows, size, licence, and what each can train."""

from __future__ import annotations

from pathlib import Path

from trainwright.graph.errors import RequestError

from .arguments import InspectArgs, hub_part
from .report import ComparedColumn, Comparison, Inspection, Side

__all__ = ["compare", "is_local"]

MOST = 60


def is_local(spec: str) -> bool:
    """Whether a spec is a path: one that exists, or that cannot be the name of a data set."""
    try:
        hub_part(spec)
    except RequestError:
        return True
    return Path(spec).expanduser().exists()


def compare(first: str, second: str, *, local: bool) -> Comparison:
    """See `trainwright.tools.lookup.datasets.compare`.

    Args:
        local: whether a path of this machine may be read.
    """
    reports = [_inspected(spec, local) for spec in (first, second)]
    one, two = ({column.name: column for column in report.columns} for report in reports)
    common = []
    for name in (name for name in one if name in two):
        column = ComparedColumn(name=name, type=one[name].type)
        column.other_type = two[name].type if two[name].type != one[name].type else ""
        here, there = set(one[name].labels), set(two[name].labels)
        if here and there and not one[name].more_labels and not two[name].more_labels:
            column.same_labels = here == there
            column.labels_only_here, column.labels_only_there = sorted(here - there), sorted(there - here)
        common.append(column)
    notes = [f"{report.id}: {note}" for report in reports for note in report.notes]
    if not common:
        notes.append("The two have no column in common.")
    return Comparison(
        sides=[_side(report) for report in reports],
        common=common[:MOST],
        only_first={name: c.type for name, c in list(one.items())[:MOST] if name not in two},
        only_second={name: c.type for name, c in list(two.items())[:MOST] if name not in one},
        notes=list(dict.fromkeys(notes)),
        sources=[source for report in reports for source in report.sources],
    )


def _inspected(spec: str, local: bool) -> Inspection:
    from .inspecting import inspect_file, inspect_hub

    if local and is_local(spec):
        return inspect_file(spec, samples=0)
    return inspect_hub(InspectArgs.model_validate({"id": spec, "samples": 0}))


def _side(report: Inspection) -> Side:
    return Side(
        id=report.id,
        config=report.config,
        split=report.split,
        rows=report.rows,
        bytes=report.bytes,
        licence=report.licence,
        gated=report.gated,
        splits=list(dict.fromkeys(one.split for one in report.splits)),
        fits={fit.method: " ".join(part for part in (fit.verdict, fit.format) if part) for fit in report.fitness},
    )
