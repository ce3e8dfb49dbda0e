"""Names that are used and bound nowhere, found by pyflakes. What else pyflakes finds is a matter of taste here."""

from __future__ import annotations

from collections.abc import Iterator

from .findings import Finding
from .scripts import Script

__all__ = ["undefined_names"]


def undefined_names(script: Script) -> Iterator[Finding]:
    """A finding for each use of a name that is not defined."""
    from pyflakes import messages  # type: ignore[import-untyped, unused-ignore]
    from pyflakes.checker import Checker  # type: ignore[import-untyped, unused-ignore]

    for message in Checker(script.tree, filename=script.name).messages:
        if isinstance(message, messages.UndefinedName | messages.UndefinedExport):
            # In a text, or with annotations postponed, an annotation is not evaluated, so nothing fails there.
            place = (message.lineno, message.col)
            harmless = place in script.annotations and (script.postponed or _is_text(script, place))
            yield Finding(
                script.name,
                message.lineno,
                "name",
                "warning" if harmless else "error",
                f"The name {message.message_args[0]!r} is not defined: import or define it, or correct its spelling.",
            )
        elif isinstance(message, messages.UndefinedLocal):
            yield Finding(
                script.name,
                message.lineno,
                "name",
                "error",
                f"The local name {message.message_args[0]!r} is used before it gets a value in its function.",
            )


def _is_text(script: Script, place: tuple[int, int]) -> bool:
    return any((node.lineno, node.col_offset) == place for node in script.texts)
