"""Values out of answers and files that others wrote: each has the type that is asked for, or it counts as missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .found import cut

__all__ = ["items", "line", "mapping", "texts"]


def line(value: Any, limit: int = 300) -> str:
    """A text as one line without control signs, cut where it is longer; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    kept = "".join(c if c.isprintable() else " " for c in value[: 4 * limit + 4_000])
    return cut(" ".join(kept.split()), limit)


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; an empty one for what is none."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; what is no object is passed over."""
    yield from (one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def texts(value: Any, most: int = 20, limit: int = 300) -> list[str]:
    """The texts of a list, each once."""
    given = value[: 4 * most] if isinstance(value, list | tuple) else ()
    return [text for text in dict.fromkeys(line(one, limit) for one in given) if text][:most]
