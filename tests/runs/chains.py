"""What a run that is killed again and again is to be, and what became of it. This module runs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Chain", "Ended", "Lived"]


@dataclass
class Chain:
    """One run and where its processes die.

    Attributes:
        name: the run's name.
        begin: the command line that starts it.
        answers: what is answered to a question; gates are approved.
        kinds: the kinds of moments at which a process dies; none: the run is left in peace.
        only: words one of which the moment must hold; all moments when empty.
        quick: whether the engineer writes code of its own that takes a fraction of a second, where it can run.
        asking: whether a call of that engineer in the stage `plan` needs an approval of its own.
        races: moments after which two processes resume at once; they are the only ones then.
    """

    name: str
    begin: list[str]
    answers: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    only: list[str] = field(default_factory=list)
    quick: bool = False
    asking: bool = False
    races: list[str] = field(default_factory=list)


@dataclass
class Ended:
    """How one process ended: the moment at which it died, or its exit code and last words."""

    command: list[str]
    died: str = ""
    code: int | None = None
    pid: int = 0
    signal: int = 0
    said: str = ""
    seconds: float = 0.0
    beside: dict[str, Any] | None = None
    """In a race: how the other process ended."""
    counts: dict[str, int] = field(default_factory=dict)
    """What is there of that which must not be there twice."""


@dataclass
class Lived:
    """What became of a chain."""

    ends: list[Ended] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)
    """Nodes at whose edges something happened, inner ones as stage/node."""

    @property
    def deaths(self) -> list[str]:
        """The moments, in order."""
        return [end.died for end in self.ends if end.died]
