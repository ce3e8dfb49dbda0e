"""Values of models out of files that others wrote: each lies in the range that is asked for, or it counts as missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trainwright.tools.lookup.values import texts

__all__ = ["number", "several", "whole"]


def several(value: Any, most: int = 10, limit: int = 200) -> list[str]:
    """The texts of a list, or the one text: a model's card may have either."""
    return texts(value if isinstance(value, list | tuple) else [value], most, limit)


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
