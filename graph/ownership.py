"""What this program started and made, told apart from what merely looks like it, also after its process was killed.

Every process that Trainwright starts for a run carries a variable that says who started it; every temporary folder
carries in its name who made it. Who is a process's number with its birth, since numbers are used again. A path on a
command line or a present folder proves nothing: a person looks into a run's folder too. Nothing is ended or removed here.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from .heartbeat import birth_of

__all__ = ["STARTED_BY", "Owner", "maker_of", "started_by_me", "starter_of", "temporary_folder"]

STARTED_BY = "TRAINWRIGHT_STARTED_BY"
"""Variable of every process that was started for a run."""


class Owner(NamedTuple):
    """A process, by its number and its birth."""

    pid: int
    born: int

    @property
    def lives(self) -> bool:
        """Whether that very process exists."""
        return birth_of(self.pid) == self.born


def _me() -> Owner:
    pid = os.getpid()
    return Owner(pid, birth_of(pid) or 0)


def started_by_me() -> dict[str, str]:
    """The variable that marks a process as started by this one."""
    me = _me()
    return {STARTED_BY: f"{me.pid}-{me.born}"}


def starter_of(environment: Mapping[str, str]) -> Owner | None:
    """Who started the process with that environment; None if it was not Trainwright."""
    return _owner(environment.get(STARTED_BY, ""))


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """A folder for a moment. Its name says whose it is from its first moment on, so that none is without a record."""
    me = _me()
    with tempfile.TemporaryDirectory(prefix=f"trainwright-{purpose}-{me.pid}-{me.born}-") as name:
        yield Path(name)


def maker_of(folder: Path) -> Owner | None:
    """Who made a temporary folder; None if its name does not say."""
    return _owner(folder.name.removeprefix("trainwright-").partition("-")[2])


def _owner(text: str) -> Owner | None:
    found = re.match(r"(\d+)-(\d+)(-|$)", text)
    return Owner(int(found[1]), int(found[2])) if found else None
