"""Supervisors of local jobs that nobody waits for any more: for `trainwright doctor`.

A job that outlives its terminal is as it should be; one whose run has ended, or whose folder is gone, is left over.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainwright.graph.runs import RunRow, open_runs
from trainwright.graph.settings import home

__all__ = ["LeftOver", "left_over"]

MODULE = "trainwright.tools.jobs.supervisor"
OPEN = ("running", "waiting", "interrupted")


@dataclass(frozen=True)
class LeftOver:
    """A process and whose job it is."""

    pid: int
    about: str


def left_over() -> list[LeftOver]:
    """The supervisors of this machine, as far as they belong to this home, that are left over."""
    import psutil

    rows = {row.name: row for row in open_runs().list()}
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if MODULE in words[:-1]:
            about = whose(Path(words[words.index(MODULE) + 1]), rows)
            if about:
                found.append(LeftOver(int(process.info["pid"]), about))
    return found


def whose(folder: Path, rows: dict[str, RunRow]) -> str:
    """Whose job that is if it is left over; empty if it is not, or belongs to another home."""
    runs = home() / "runs"
    if runs not in folder.parents:
        return ""
    name = folder.relative_to(runs).parts[0]
    row = rows.get(name)
    if row is None or not folder.is_dir():
        return f"{name}, which is gone"
    return "" if row.status in OPEN else f"{name}, which has ended ({row.status.replace('_', ' ')})"
