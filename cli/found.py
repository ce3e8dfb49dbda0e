"""What a lookup found, for a person or as JSON: the one place where text of the world comes from a lookup to the terminal.

Nothing of it is obeyed: the screen takes control characters out of every line. What the program says itself, notes and
sources, is told apart by where it stands and not by its words, which a page could have too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainwright.tools.lookup.found import Found

    from .screen import Line

__all__ = ["show_found"]

_FENCE = re.compile(r"(`{3,})[^`]*|(~{3,}).*")
"""What begins a fence: https://spec.commonmark.org/0.31.2/#fenced-code-blocks."""

_HEADING = re.compile(r"#{1,6} +(.*)")


def show_found(found: Found, as_json: bool) -> None:
    """Write what was found, without the secrets that are known here.

    Args:
        as_json: one object with all of its fields.
    """
    from trainwright.graph.redaction import redact

    if as_json:
        from .jsonlines import json_lines

        json_lines().write(redact(found.model_dump(mode="json")))
        return
    from .screen import open_screen

    open_screen().show([*_body(str(redact(found.body()))), *_footing(str(redact(found.footing())))])


def _body(text: str) -> Iterator[Line]:
    """The lines of Markdown; inside a fence it is what was found, and stays as it is."""
    from .screen import Line

    fence = ""
    for line in text.strip("\n").split("\n"):
        mark = _FENCE.fullmatch(line)
        heading = None if fence or mark else _HEADING.fullmatch(line)
        if fence:
            closes = line.startswith(fence) and not line.rstrip().strip(fence[0])
            fence = "" if closes else fence
        elif mark:
            fence = mark[1] or mark[2]
        yield Line(heading[1], "title") if heading else Line(line)


def _footing(text: str) -> Iterator[Line]:
    from .screen import Line

    if text:
        yield Line("")
        for line in text.split("\n"):
            yield Line(line, "faint" if line.startswith("Source: ") else "warn")
