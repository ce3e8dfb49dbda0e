"""A word of a command after expansion, as far as it is known before the command runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

__all__ = ["Kind", "Word", "joined", "names_of"]

Kind = Literal["literal", "glob", "name", "inside", "text"]
"""From most to least known: a text; a pattern; unknown pieces without a slash, such as a number or a date; a path that a
command listed below the workspace; anything."""

ORDER: tuple[Kind, ...] = ("literal", "glob", "name", "inside", "text")


@dataclass(frozen=True)
class Word:
    """One argument, or several where `many` is set.

    Attributes:
        text: what is known; a piece that is not known is `HOLE`.
        kind: how much is known.
        many: whether it may become several arguments, or none.
        secret: whether it holds what an environment variable with a secret's name holds.
        code: whether the text holds a command substitution that was quoted, and that arithmetic would run.
        checked: for a path that a command listed: whether none of those can be a link that leads out, or the history.
        bare: whether it was written without quotes and holds no expansion, as a brace or tilde must be.
    """

    HOLE: ClassVar[str] = "\ufffc"

    text: str
    kind: Kind = "literal"
    many: bool = False
    secret: bool = False
    code: bool = False
    checked: bool = False
    bare: bool = False

    @property
    def known(self) -> bool:
        """Whether it is one text that is known."""
        return self.kind == "literal"

    @property
    def shown(self) -> str:
        """For a person."""
        return self.text.replace(self.HOLE, "…")

    @classmethod
    def unknown(cls, kind: Kind = "text", *, many: bool = False, secret: bool = False) -> Word:
        """Nothing but a piece that is not known."""
        return cls(cls.HOLE, kind, many=many, secret=secret)


def joined(pieces: Iterable[Word]) -> Word:
    """Pieces that stand beside each other, as one word."""
    found = list(pieces)
    if len(found) == 1:
        return found[0]
    if not found:
        return Word("")
    kind: Kind = max((piece.kind for piece in found), key=ORDER.index)
    return Word(
        "".join(piece.text for piece in found),
        kind,
        many=any(piece.many for piece in found),
        secret=any(piece.secret for piece in found),
        code=any(piece.code for piece in found),
        checked=all(piece.checked for piece in found if piece.kind == "inside"),
    )


def names_of(text: str) -> frozenset[str]:
    """The names that stand in a text, for the lists that are too long to be read with quotes."""
    return frozenset(text.split())
