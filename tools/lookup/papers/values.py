"""Values out of answers that others wrote: each has the type that is asked for, or it counts as missing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from trainwright.tools.lookup.found import cut

__all__ = ["address", "authors_line", "day_of", "items", "line", "mapping", "texts", "whole"]

NAMES_SHOWN = 4
"""Authors that a list of papers names."""


def line(value: Any, limit: int = 300) -> str:
    """A text as one line without control signs, cut where it is longer; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    kept = "".join(c if not unicodedata.category(c).startswith("C") else " " for c in value[: 4 * limit + 4_000])
    return cut(" ".join(kept.split()), limit)


def whole(value: Any) -> int | None:
    """A count, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; an empty one for what is none."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; what is no object is passed over."""
    yield from (one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def texts(value: Any, limit: int = 20, longest: int = 300) -> list[str]:
    """The texts of a list, each once."""
    found = (line(one, longest) for one in value) if isinstance(value, list | tuple) else ()
    return [text for text in dict.fromkeys(found) if text][:limit]


def authors_line(names: Iterable[str]) -> str:
    """The first names, and how many there are besides."""
    known = [name for name in names if name]
    more = len(known) - NAMES_SHOWN
    return ", ".join(known[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def day_of(value: Any) -> str:
    """A date as YYYY-MM-DD, or the year alone; empty for what is neither."""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, int) and not isinstance(value, bool) and 1500 <= value <= 2200:
        return str(value)
    match = re.match(r"\d{4}(?:-\d\d-\d\d)?", value) if isinstance(value, str) else None
    return match[0] if match else ""


def address(value: Any) -> str:
    """An http(s) address that can be shown; empty for anything else."""
    if not isinstance(value, str) or len(value) > 500 or re.search(r"[\s<>\"'`\\]", value):
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return value if parts.scheme in ("http", "https") and parts.hostname and not parts.username else ""
