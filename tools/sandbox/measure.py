"""What a process tree uses: memory, processor time, processes, and the sandbox's own scratch space.

Memory is the proportional share (PSS) of each process where the kernel tells it, so that pages which processes share
are counted once, and memory-backed files in `/tmp` and `/dev/shm` are counted too. This module ends nothing.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .limits import container_memory

if TYPE_CHECKING:
    import psutil

__all__ = ["Usage", "machine_out_of_memory", "measure"]

SCRATCH = ("tmp", "dev/shm")
BUBBLEWRAP = 2
"""Processes of bubblewrap itself: the one outside, and the first one inside."""

PSS = re.compile(rb"(?m)^Pss:\s+(\d+) kB")
HIGHEST = re.compile(rb"(?m)^VmHWM:\s+(\d+) kB")


@dataclass
class Usage:
    """What the tree used so far; sizes in bytes.

    Attributes:
        peak_memory: the most at any look, and never less than the most that one process ever had.
        cpu_seconds: of all processes, those that are gone included as far as a look saw them or a parent reaped them.
        processes: processes and threads at the last look.
        scratch_files: files in the scratch space at the last look.
    """

    peak_memory: int = 0
    cpu_seconds: float = 0.0
    processes: int = 0
    scratch_files: int = 0
    seen: dict[int, float] = field(default_factory=dict)


def measure(pid: int, inside: int | None, usage: Usage) -> list[psutil.Process]:
    """Look once at the tree of `pid`; the processes in it.

    Args:
        pid: its root.
        inside: a process in the sandbox, through which its scratch space is seen; None where there is none.
        usage: gets what was seen.
    """
    import psutil

    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return []
    memory, living, count = {}, 0.0, 0
    for process in tree:
        try:
            with process.oneshot():
                times = process.cpu_times()
                memory[process.pid] = int(process.memory_info().rss)
                count += process.num_threads()
        except psutil.Error:
            continue
        usage.seen[process.pid] = max(usage.seen.get(process.pid, 0.0), times.user + times.system)
        living += times.user + times.system + getattr(times, "children_user", 0.0)
        living += getattr(times, "children_system", 0.0)
    scratch, usage.scratch_files = _scratch(inside)
    # The sum of the resident sizes is never too low: the exact figure, which costs more, is needed above the peak only.
    if sum(memory.values()) + scratch > 1.02 * usage.peak_memory:
        usage.peak_memory = max(usage.peak_memory, sum(_share(p, rss) for p, rss in memory.items()) + scratch)
        usage.peak_memory = max([usage.peak_memory, *(_highest(p) for p in memory)])
    usage.cpu_seconds = max(usage.cpu_seconds, living, sum(usage.seen.values()))
    usage.processes = count - (BUBBLEWRAP if inside is not None else 0)
    return tree


def _share(pid: int, resident: int) -> int:
    """The proportional share of a process; its resident size where the kernel does not tell."""
    try:
        found = PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
    except OSError:
        return resident
    return int(found[1]) * 1024 if found else resident


def _highest(pid: int) -> int:
    """The most memory that a process ever had, also between two looks; 0 if the kernel does not tell."""
    try:
        found = HIGHEST.search(Path(f"/proc/{pid}/status").read_bytes())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _scratch(inside: int | None) -> tuple[int, int]:
    """Bytes and files in the memory-backed folders of a sandbox."""
    size = files = 0
    for name in SCRATCH if inside is not None else ():
        place = f"/proc/{inside}/root/{name}"
        try:
            # While bubblewrap still prepares, the process sees the machine's own folders there.
            if Path(place).stat().st_dev == Path("/", name).stat().st_dev:
                continue
            status = os.statvfs(place)
        except OSError:
            continue
        size += (status.f_blocks - status.f_bfree) * status.f_frsize
        files += status.f_files - status.f_ffree
    return size, files


def machine_out_of_memory() -> bool:
    """Whether the machine, or the container we run in, has less than 4 % of its memory left."""
    import psutil

    memory = psutil.virtual_memory()
    limit, used = container_memory()
    return bool(memory.available < 0.04 * memory.total or (limit and used > 0.96 * limit))
