"""What earlier versions of the state look like, and how they are read today.

A checkpoint, a pending write, a file of the run's folder, a row of the table of runs: each holds objects of
`graph/state.py` as plain values, in the shape of whatever release wrote them. They are brought to today's shape as they
are read, by class, wherever they lie; what is written afterwards has today's shape. So a run that was stopped by an
earlier release goes on in the middle of a step, and a fork or Studio reads it as well.

Rules for a release that changes a class of the state:

- `SCHEMA_VERSION` in `graph/state.py` goes up by one; each checkpoint is stamped with it, and an older release refuses
  what a newer one wrote.
- A new field with a default needs nothing here. Anything else (a field renamed, removed, split, or with other values)
  gets a function in `CHANGES`, under the new version and the class's name.
- The function gets plain values and returns them in the new shape. It leaves values alone that have it already: a later
  write to an old checkpoint has the new shape.
- It raises ValueError where nothing sensible can be made of them; the run is then refused, with what to do.
- Channels of the graph and of a stage may be added, never renamed or given another meaning.

This module knows no class of the state, and decides nothing about runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["CHANGES", "FIRST", "STAMP", "migrated", "version_of"]

Values = dict[str, Any]
Change = Callable[[Values], Values]

STAMP = "state_version"
"""Key of a checkpoint's metadata that says which version wrote it."""

FIRST = 1
"""Version of a checkpoint without a stamp."""

CHANGES: dict[int, dict[str, Change]] = {
    2: {},  # limits of dollars, tokens and GPU-hours, rules of approvals, questions from every node: fields with defaults
}
"""By version and class, what brings values of the version before to that version."""


def migrated(name: str, given: Any) -> Any:
    """The values of a class of the state in today's shape; anything that is no mapping is left alone.

    Raises:
        ValueError: nothing can be made of them.
    """
    if not isinstance(given, Mapping):
        return given
    for version in sorted(CHANGES):
        if change := CHANGES[version].get(name):
            given = change(dict(given))
    return given


def version_of(metadata: Mapping[str, Any] | None) -> int:
    """The version of the state that wrote a checkpoint, by its metadata."""
    stamp = (metadata or {}).get(STAMP, FIRST)
    return stamp if isinstance(stamp, int) else FIRST
