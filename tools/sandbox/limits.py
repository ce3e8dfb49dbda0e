"""What a sandboxed process may use, and what came of it. This module starts nothing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = ["Ended", "Limits", "Mount", "SandboxResult", "container_memory", "default_memory"]

Ended = Literal["exit", "signal", "timeout", "cpu", "memory", "disk", "processes", "output", "cancelled"]


CGROUP = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)
"""Limit, use and details of a container's memory, in version 2 and version 1 of control groups."""


def container_memory() -> tuple[int, int]:
    """Limit and use of the container we run in, in bytes, without what the kernel can drop; (0, 0) if unlimited."""
    for limit, used, details in CGROUP:
        try:
            bound = int(Path(limit).read_text())
            droppable = re.search(r"(?m)^(?:total_)?inactive_file (\d+)$", Path(details).read_text())
            use = int(Path(used).read_text()) - (int(droppable[1]) if droppable else 0)
        except (OSError, ValueError):
            continue
        if bound < _machine_memory():
            return bound, use
    return 0, 0


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def default_memory() -> int:
    """Bytes that a sandbox may use unless told otherwise: half of what this machine has for us, at most 16 GiB."""
    limit, _ = container_memory()
    return min(16 * 2**30, (limit or _machine_memory()) // 2)


@dataclass(frozen=True)
class Limits:
    """Upper bounds for the whole process tree.

    Attributes:
        wall_seconds: time on the clock.
        cpu_seconds: processor time, summed over all processes.
        memory_bytes: memory of all processes together.
        processes: processes and threads together.
        file_bytes: size of one file.
        disk_bytes: sum of all files in the writable folders.
        output_bytes: what it may print in all; head and tail are kept.
    """

    wall_seconds: float = 600.0
    cpu_seconds: float = 2_400.0
    memory_bytes: int = field(default_factory=default_memory)
    processes: int = 256
    file_bytes: int = 2 * 2**30
    disk_bytes: int = 4 * 2**30
    output_bytes: int = 16 * 2**20


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host as it appears inside."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class SandboxResult:
    """How a sandboxed process ended.

    Attributes:
        ended: `exit` by itself; `signal` by a signal of its own doing; otherwise the limit that stopped it.
        exit_code: of the process; -N after signal N; None if a limit stopped it.
        stdout, stderr: head and tail of what it printed, as text.
        seconds, cpu_seconds: on the clock; of the whole tree, as far as the watcher saw.
        peak_memory: bytes of the whole tree, as far as the watcher saw.
        message: what happened, for a person; empty after a good end.
    """

    ended: Ended
    exit_code: int | None
    stdout: str
    stderr: str
    seconds: float
    cpu_seconds: float
    peak_memory: int
    message: str = ""
