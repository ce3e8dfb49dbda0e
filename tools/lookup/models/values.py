"""Values out of files that others wrote: each has the type and the range that is asked for, or it counts as missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trainwright.tools.lookup.found import cut

__all__ = ["line", "mapping", "number", "texts", "whole"]


def line(value: Any, limit: int = 200) -> str:
    """A text as one line without control signs, cut where it is longer; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    return cut(" ".join("".join(c if c.isprintable() else " " for c in value[: limit * 8]).split()), limit)


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; an empty one for what is none."""
    return value if isinstance(value, dict) else {}


def texts(value: Any, most: int = 10, limit: int = 200) -> list[str]:
    """The texts of a list, or the one text, each once."""
    given = value if isinstance(value, list | tuple) else [value]
    return [text for text in dict.fromkeys(line(one, limit) for one in given[: most * 4]) if text][:most]


def number(value: Any) -> int | None:
    """A whole number, also where it stands as a text or as 4096.0; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value if isinstance(value, int) else None


def whole(given: Mapping[str, Any], *names: str, most: int = 10**9, least: int = 1) -> int | None:
    """The first of the named values that is a whole number within the range; None where there is none."""
    for name in names:
        found = number(given.get(name))
        if found is not None and least <= found <= most:
            return found
    return None
