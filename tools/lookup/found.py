"""What every lookup answers with: where it comes from, what has to be said about it, and how a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, final

from pydantic import BaseModel, ConfigDict, Field

from trainwright.graph.errors import RequestError
from trainwright.tools.http import Source

__all__ = ["Found", "Source", "cut", "paragraphs", "part_of", "parts_of", "table"]

Part = TypeVar("Part")


class Found(BaseModel):
    """Base of all answers.

    Attributes:
        sources: who was asked, in order; the one that answered stands last.
        notes: what the reader must know besides: a source that is down, a filter that was not applied, what was cut.
    """

    model_config = ConfigDict(extra="forbid")

    sources: list[Source] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    @final
    def markdown(self) -> str:
        """The answer for a person: what was found, and below it who says so."""
        return paragraphs(self.body(), self.footing())

    def body(self) -> str:
        """What was found, as Markdown; a list of everything where an answer has no better form."""
        return "\n".join(_lines(self.model_dump(mode="json", exclude_defaults=True, exclude={"sources", "notes"})))

    @final
    def footing(self) -> str:
        """Notes and sources, one a line."""
        lines = [f"Note: {' '.join(note.split())}" for note in self.notes]
        for source in self.sources:
            state = " (from the cache, out of date)" if source.stale else " (from the cache)" if source.cached else ""
            lines.append(" ".join(f"Source: {source.name} {source.address}".split()) + state)
        return "\n".join(dict.fromkeys(lines))


def cut(text: str, limit: int) -> str:
    """The beginning of a text; how much is left out is said in it."""
    if len(text) <= limit:
        return text
    return f"{text[:limit].rstrip()} … ({len(text) - limit:,} characters more)"


def parts_of(text: str, size: int) -> list[str]:
    """A text in parts of at most so many characters, each ended between paragraphs, lines or words where it can be."""
    parts: list[str] = []
    rest = text.strip("\n")
    while len(rest) > size:
        mark = next((mark for mark in ("\n\n", "\n", " ") if rest.rfind(mark, size // 2, size) > 0), "")
        end = rest.rfind(mark, size // 2, size) if mark else size
        parts += filter(None, [rest[:end].rstrip()])  # blanks between two parts are none
        rest = rest[end + len(mark) :].lstrip("\n")
    return [*parts, rest] if rest.strip() or not parts else parts


def part_of(parts: Sequence[Part], number: int, what: str) -> Part:
    """One of the parts, counted from 1.

    Args:
        what: has these parts, in the message.

    Raises:
        RequestError: there are not so many.
    """
    if not 1 <= number <= len(parts):
        count = f"{len(parts)} part{'s' if len(parts) > 1 else ''}"
        raise RequestError(f"{what} has {count}; there is no part {number}.", hint=f"Give 1 to {len(parts)}.")
    return parts[number - 1]


def paragraphs(*parts: str) -> str:
    """The parts that have any text, with an empty line between them."""
    return "\n\n".join(part for part in parts if part.strip())


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows as a Markdown table; empty without rows."""
    if not rows:
        return ""
    lines = [list(header), ["---"] * len(header), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:,}" if type(value) is int else str(value)
    return " ".join(text.split()).replace("|", "\\|")


def _lines(value: Any, indent: int = 0) -> Iterator[str]:
    """Nested plain data as Markdown lists."""
    space = "  " * indent
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in items:
        label = f"{space}- {f'{key}: ' if key is not None else ''}"
        if isinstance(item, dict | list) and item:
            if key is None and isinstance(item, dict):
                first, *rest = _lines(item, indent + 1)
                yield f"{space}- {first.strip().removeprefix('- ')}"
                yield from rest
            else:
                yield label.rstrip()
                yield from _lines(item, indent + 1)
        else:
            yield f"{label}{'' if item in ({}, []) else item}".rstrip()
