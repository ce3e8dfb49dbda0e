"""What every lookup answers with: where it comes from, what has to be said about it, and how a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Found", "Source", "cut", "table"]


class Source(BaseModel):
    """Who said it.

    Attributes:
        name: the service, such as arXiv.
        address: where it was asked.
        cached: whether the answer lay in the cache.
        stale: whether it is older than it should be, because the service could not be asked.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    address: str = ""
    cached: bool = False
    stale: bool = False


class Found(BaseModel):
    """Base of all answers.

    Attributes:
        sources: who was asked, in order; the one that answered stands last.
        notes: what the reader must know besides: a source that is down, a filter that was not applied, what was cut.
    """

    model_config = ConfigDict(extra="forbid")

    sources: list[Source] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    def markdown(self) -> str:
        """The answer for a person."""
        body = "\n".join(_lines(self.model_dump(mode="json", exclude_defaults=True, exclude={"sources", "notes"})))
        return "\n\n".join(part for part in (body, self.footing()) if part)

    def footing(self) -> str:
        """Notes and sources, one a line."""
        lines = [f"Note: {note}" for note in self.notes]
        for source in self.sources:
            state = " (from the cache, out of date)" if source.stale else " (from the cache)" if source.cached else ""
            lines.append(f"Source: {source.name} {source.address}".rstrip() + state)
        return "\n".join(dict.fromkeys(lines))


def cut(text: str, limit: int) -> str:
    """The beginning of a text; how much is left out is said in it."""
    if len(text) <= limit:
        return text
    return f"{text[:limit].rstrip()} … ({len(text) - limit:,} characters more)"


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
