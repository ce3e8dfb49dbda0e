"""Values of papers out of answers that others wrote, as `trainwright.tools.lookup.values` takes those of anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

__all__ = ["address", "authors_line", "count", "day_of"]

NAMES_SHOWN = 4
"""Authors that a list of papers names."""


def count(value: Any) -> int | None:
    """A count, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


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
