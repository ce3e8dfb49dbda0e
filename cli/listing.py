"""`trainwright runs`: every run on a line, or on two where the terminal is narrow."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from trainwright.graph.runs import RunRow, open_runs

from .going_on import effective_status
from .outcome import ENDED_WELL
from .screen import Line, Screen, open_screen
from .words import age, line, node_title, number, status_title

__all__ = ["run_lines", "show_runs"]

WIDE = 84
"""Columns from which on a run has a single line."""


def show_runs(*, as_json: bool, waiting: bool = False) -> int:
    """Print the runs; of those only the ones that wait, if `waiting`."""
    rows = [row for row in open_runs().list() if not waiting or row.status == "waiting"]
    if as_json:
        from .jsonlines import json_lines

        for row in rows:
            json_lines().write(row_object(row))
        return 0
    screen = open_screen(interactive=False)
    screen.show([Line("No run waits.")] if waiting and not rows else run_lines(rows, screen))
    return 0


def row_object(row: RunRow) -> dict[str, Any]:
    """A run's row for programs; its status as it is, whether or not its process could say so."""
    return {**asdict(row), "status": effective_status(row)}


def run_lines(rows: list[RunRow], screen: Screen) -> list[Line]:
    """The runs as lines for this screen."""
    if not rows:
        return [Line("There are no runs yet. `trainwright demo` makes one.")]
    width = screen.width if screen.terminal else 10_000
    if width < WIDE:
        return [part for row in rows for part in _two_lines(row)]
    names = max(len(row.name) for row in rows)
    states = max(len(_state(row)) for row in rows)
    head = Line(f"{'RUN':<{names}}  {'STATUS':<{states}}  {'STEPS':>5}  {'CHANGED':<12}  {'SCORE':<20}  DATA", "faint")
    return [head, *(_one_line(row, names, states, width) for row in rows)]


def _one_line(row: RunRow, names: int, states: int, width: int) -> Line:
    text = (
        f"{row.name:<{names}}  {_state(row):<{states}}  {row.steps:>5}  {age(row.updated_at):<12}  "
        f"{_score(row):<20}  {line(row.data or '-', 60)}"
    )
    return Line(text[: width - 1].rstrip(), _role(row))  # type: ignore[arg-type]


def _two_lines(row: RunRow) -> list[Line]:
    details = ", ".join(filter(None, (_state(row), age(row.updated_at), _score(row))))
    return [Line(row.name, "title"), Line(details, _role(row), indent=2)]  # type: ignore[arg-type]


def _state(row: RunRow) -> str:
    status = effective_status(row)
    if status == "running":
        return f"at work: {node_title(row.stage)}"
    if status == "waiting":
        return f"waits: {node_title(str((row.waiting or {}).get('gate', row.stage)))}"
    return status_title(status)


def _role(row: RunRow) -> str:
    status = effective_status(row)
    if status in ("running", *ENDED_WELL):
        return ""
    return "warn" if status in ("waiting", "interrupted") else "faint"


def _score(row: RunRow) -> str:
    result = (row.result or {}).get("evaluation")
    return f"{line(result['metric'], 14)} {number(result['value'])}" if result else ""
