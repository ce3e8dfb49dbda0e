"""What flows into a command and out of it, as far as it is known before the command runs."""

from __future__ import annotations

from dataclasses import dataclass

from .words import Kind

__all__ = ["ANYTHING", "NOTHING", "Stream"]


@dataclass(frozen=True)
class Stream:
    """What flows through a pipe or into a command.

    Attributes:
        kind: of its lines.
        checked: as in `Word`, for the paths in its lines.
        text: the whole of it, where that is known.
        network: whether it came over the network.
        none: whether there is no such stream.
    """

    kind: Kind = "text"
    text: str | None = None
    network: bool = False
    none: bool = False
    checked: bool = False


NOTHING = Stream(none=True)
ANYTHING = Stream()
