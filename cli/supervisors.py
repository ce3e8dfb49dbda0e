"""Processes of runs that go on by themselves: supervisors of jobs, and programs that a crash left without anybody.

Only what Trainwright started is found, by the variable that it gave it (`graph/ownership.py`): a person's `tail` on a
run's files, or a shell in its folder, is never one. Which run it belongs to is told by the folders that it works in.
A program whose starter still waits for it is passed over; whether somebody waits for a supervisor is not decided here.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainwright.graph.ownership import starter_of
from trainwright.graph.settings import home

if TYPE_CHECKING:
    import psutil

__all__ = ["Running", "end_tree", "running"]

MODULE = "trainwright.tools.jobs.supervisor"
END_SECONDS = 10.0
"""How long the kernel may take to end what was killed."""


@dataclass(frozen=True)
class Running:
    """A process of a run.

    Attributes:
        process: the process itself.
        run: name of the run in whose folder it works.
        job: folder of the job that it supervises; None for any other process.
    """

    process: psutil.Process
    run: str
    job: Path | None


def running() -> list[Running]:
    """The processes of this home's runs; of a tree only its root."""
    import psutil

    found = {one.process.pid: one for one in map(_of_run, psutil.process_iter()) if one is not None}
    return [one for one in found.values() if not _below(one.process, found.keys())]


def _of_run(process: psutil.Process) -> Running | None:
    import psutil

    try:
        starter = starter_of(process.environ())  # of another user's it cannot be read: then it is not ours
        if starter is None:
            return None
        words = process.cmdline()
        if MODULE in words[:-1]:
            folder = Path(words[words.index(MODULE) + 1])
            name = _run_of(folder)
            return Running(process, name, folder) if name else None
        if starter.lives and any(parent.pid == starter.pid for parent in process.parents()):
            return None
        places = [*(Path(word) for word in words if word.startswith("/")), Path(process.cwd())]
    except (psutil.Error, OSError):
        return None
    name = next(filter(None, (_run_of(place) for place in places if "attempts" in place.parts)), "")
    return Running(process, name, None) if name else None


def _run_of(place: Path) -> str:
    """The run in whose folder a place lies; empty if it lies elsewhere, or belongs to another home."""
    runs = home() / "runs"
    return place.relative_to(runs).parts[0] if runs in place.parents else ""


def _below(process: psutil.Process, others: Container[int]) -> bool:
    import psutil

    try:
        return any(parent.pid in others for parent in process.parents())
    except psutil.Error:
        return False


def end_tree(process: psutil.Process) -> list[int]:
    """End a process with all that it started; the numbers of those that are still there."""
    import psutil

    try:
        tree = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    for one in tree:
        try:
            one.kill()  # psutil compares the times of birth: never a stranger with the same number
        except psutil.Error:
            continue
    deadline = time.monotonic() + END_SECONDS
    while (left := list(_living(tree))) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _living(tree: Sequence[psutil.Process]) -> Iterator[int]:
    import psutil

    for one in tree:
        try:
            if one.is_running() and one.status() != psutil.STATUS_ZOMBIE:
                yield one.pid
        except psutil.Error:
            continue
