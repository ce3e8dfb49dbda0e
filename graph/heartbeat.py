"""The heartbeat of a lease: who holds it, on which machine, and when that process last showed that it lives.

A process is known by its number and its birth, since numbers are used again. This module holds and frees nothing.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from .runs import now

__all__ = ["BEAT", "Holder", "What", "age_of", "birth_of", "myself", "read_heartbeat"]

BEAT = "driver.json"
"""File in the run's folder."""

What = Literal["drive", "visit"]


@dataclass(frozen=True)
class Holder:
    """Who holds a lease.

    Attributes:
        pid, born: the process, and when it began (`birth_of`).
        host, boot: the machine, and its present start.
        since, at: when it took the lease, and its last sign of life; UTC, ISO 8601.
        beats: signs of life so far.
        what: `drive`, or `visit` of a node.
    """

    pid: int
    born: int
    host: str
    boot: str
    since: str
    at: str
    beats: int
    what: What

    @property
    def here(self) -> bool:
        """Whether it is on this machine: then the lock alone decides."""
        return self.host == socket.gethostname() or (bool(self.boot) and self.boot == _boot())

    @property
    def lives(self) -> bool:
        """Whether that very process exists, of one on this machine."""
        return birth_of(self.pid) == self.born


def myself(what: What) -> Holder:
    """This process, as the holder of a lease that begins now."""
    at, pid = now(), os.getpid()
    return Holder(pid, birth_of(pid) or 0, socket.gethostname(), _boot(), at, at, 0, what)


def read_heartbeat(folder: Path) -> Holder | None:
    """The heartbeat in a run's folder; None where there is none, or none that can be read."""
    try:
        return Holder(**json.loads((folder / BEAT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def age_of(at: str) -> float:
    """Seconds since a time, for people; 0 where a clock says that it is still to come."""
    try:
        return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds())
    except ValueError:
        return 0.0


def birth_of(pid: int) -> int | None:
    """When a process began, in the machine's own ticks; with the number it names that very process. None: it is gone.

    On Linux these are ticks since the machine's start, which no change of the clock moves.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, *fields = text[text.rindex(")") + 2 :].split()
        return None if state in "ZX" else int(fields[18])
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
    return _birth_elsewhere(pid)


def _birth_elsewhere(pid: int) -> int | None:
    import psutil

    try:
        return int(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def _boot() -> str:
    """The machine's present start, the same in all its containers; empty where nothing tells."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
