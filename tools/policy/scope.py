"""What a command knows at a place in it: folder, variables, functions. One `Scope` is one way it may have come there.

Scopes are values: a branch, a loop or a subshell works on copies, and where ways meet their sets are united.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .syntax import NotUnderstood
from .words import Word

__all__ = ["MAX_WAYS", "Scope", "Scopes", "Ways", "united"]

MAX_WAYS = 24
"""More ways than these are not followed."""

NAMES = frozenset(
    {
        "?",
        "#",
        "$",
        "!",
        "-",
        "UID",
        "EUID",
        "PPID",
        "RANDOM",
        "SECONDS",
        "LINENO",
        "HOSTNAME",
        "USER",
        "LOGNAME",
        "SHLVL",
    }
)
"""Variables of every shell that hold no slash and no secret."""


@dataclass(frozen=True)
class Scope:
    """One way in which the command may have come to a place in it.

    Attributes:
        cwd: folder, absolute; empty if it is not known.
        variables: values by name, one word, or several for an array; sorted pairs.
        functions: bodies by name, as source text; sorted pairs.
        positional: `$1` and so on; None where they are not known.
    """

    cwd: str
    variables: tuple[tuple[str, tuple[Word, ...]], ...] = ()
    functions: tuple[tuple[str, str], ...] = ()
    positional: tuple[Word, ...] | None = None

    def value(self, name: str) -> tuple[Word, ...] | None:
        """The value that the command itself gave to a variable."""
        return dict(self.variables).get(name)

    def with_value(self, name: str, value: tuple[Word, ...]) -> Scope:
        """The scope after an assignment."""
        return replace(self, variables=tuple(sorted({**dict(self.variables), name: value}.items())))

    def with_function(self, name: str, body: str) -> Scope:
        """The scope after a definition."""
        return replace(self, functions=tuple(sorted({**dict(self.functions), name: body}.items())))

    def at(self, cwd: str) -> Scope:
        """The scope in another folder."""
        return replace(self, cwd=cwd)

    def blurred(self, names: Iterable[str]) -> Scope:
        """The scope with these variables no longer known."""
        unknown: Mapping[str, tuple[Word, ...]] = {name: (Word.unknown(many=True),) for name in names}
        return replace(self, variables=tuple(sorted({**dict(self.variables), **unknown}.items())))


Scopes = frozenset[Scope]


@dataclass(frozen=True)
class Ways:
    """Where the command may be after a statement: after success, and after failure."""

    done: Scopes = field(default_factory=frozenset)
    failed: Scopes = field(default_factory=frozenset)

    @classmethod
    def same(cls, scopes: Scopes) -> Ways:
        """After a statement that changes nothing here, whether it fails or not."""
        return cls(scopes, scopes)

    @property
    def all(self) -> Scopes:
        """However it ended."""
        return united(self.done, self.failed)


def united(*parts: Scopes) -> Scopes:
    """All ways of the parts.

    Raises:
        NotUnderstood: there are too many.
    """
    found = frozenset[Scope]().union(*parts)
    if len(found) > MAX_WAYS:
        raise NotUnderstood("it has too many ways to be followed")
    return found
