"""Asking several sources one after the other, and telling of those that did not answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from trainwright.graph.errors import NotCached, NotFound, RemoteError, RemoteUnavailable
from trainwright.tools.http import lookups
from trainwright.tools.lookup.found import Source

__all__ = ["LIMIT", "SHARE", "Asking", "within"]

LIMIT = 50
"""Papers, citations or passages that an answer holds at most."""

SHARE = 35.0
"""Seconds for one source, all tries and waits together: there are others to ask, and they share `LOOKUP_SECONDS`."""

T = TypeVar("T")


class Asking:
    """What was asked for one lookup, and what went wrong.

    Attributes:
        sources: who answered.
        notes: what has to be said.
        failures: what those who did not answer said.
    """

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.notes: list[str] = []
        self.failures: list[RemoteError] = []

    def ask(self, question: Callable[[Asking], T], *, quiet: bool = False, seconds: float = SHARE) -> T | None:
        """The answer of one source; None where it did not answer, which is noted.

        Args:
            question: asks, and adds to `sources` and `notes`.
            quiet: a source that merely does not have it is no matter for a note.
            seconds: for this source.
        """
        try:
            with lookups(seconds=seconds):
                return question(self)
        except RemoteError as error:
            self.failures.append(error)
            if not (quiet and isinstance(error, NotFound)):
                self.note(error.message)
            return None

    def note(self, text: str) -> None:
        """Say it once."""
        text = _sentence(text)
        if text and text not in self.notes:
            self.notes.append(text)

    @property
    def told(self) -> str:
        """What those who did not answer said, each thing once."""
        return " ".join(dict.fromkeys(_sentence(failure.message) for failure in self.failures))

    def failed(self, what: str) -> RemoteError:
        """The error for a lookup that nobody answered.

        Args:
            what: what was looked for.
        """
        kinds = [type(failure) for failure in self.failures]
        told = self.told
        hint = self.failures[0].hint if self.failures else ""
        if kinds and all(kind is NotFound for kind in kinds):
            return NotFound(f"Nobody knows {what}. {told}", hint="Check the id.")
        if NotCached in kinds:
            return NotCached(f"Nothing could be found out about {what}. {told}", hint=hint)
        kind = RemoteUnavailable if RemoteUnavailable in kinds else RemoteError
        return kind(f"No source answered about {what}. {told}", hint=hint)


def _sentence(text: str) -> str:
    """A message that begins with the name of a service, as a sentence of several."""
    return f"T{text[1:]}" if text.startswith("the ") else text


def within(limit: int, asking: Asking) -> int:
    """The limit that counts: what was asked for, between 1 and `LIMIT`; a change is noted."""
    if limit > LIMIT:
        asking.note(f"At most {LIMIT} are given, not {limit}.")
    return max(1, min(limit, LIMIT))
