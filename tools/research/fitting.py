"""The answer of a lookup in so many characters: one that is JSON stays JSON, so that its quotes and sources can be checked.

The longest list or text in it is cut first, and its notes say so. Who was asked is never cut. Pure functions.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["fitting"]

KEPT = ("sources", "notes")
"""Fields of an answer that are never cut."""

SHORTEST = 200
"""Characters to which a text is cut at the shortest; below that its list, or the whole answer, is cut."""

ROUNDS = 50
"""How often something is cut at most; an answer of so many small texts is cut as a text."""

ASK = "ask for less, such as one section or fewer results."


def fitting(text: str, limit: int) -> str:
    """The text in at most `limit` characters, but for a remark at the end of one that cannot stay JSON."""
    if len(text) <= limit:
        return text
    try:
        answer = json.loads(text)
        shorter = _object(answer, limit) if isinstance(answer, dict) else ""
    except (ValueError, RecursionError):
        shorter = ""
    return shorter or f"{text[:limit]}\n… {len(text) - limit} characters cut; {ASK}"


def _object(answer: dict[str, Any], limit: int) -> str:
    """An object that is cut until it fits; empty where nothing in it can be cut any more."""
    given = answer.get("notes", [])
    said: list[str] = []
    for _ in range(ROUNDS):
        answer["notes"] = [*(given if isinstance(given, list) else [given]), *said]
        text = json.dumps(answer, ensure_ascii=False)
        if len(text) <= limit:
            return text
        excess = len(text) - limit + SHORTEST  # with room for the note
        what = next((key for key in _largest(answer) if key not in KEPT and _cut(answer, key, excess)), "")
        if not what:
            break
        said = list(dict.fromkeys([*said, f"Too long: {what} is not shown in full; {ASK}"]))
    return ""


def _cut(holder: Any, key: Any, excess: int) -> bool:
    """Take about `excess` characters from a value, or else from the largest in it that has any to spare."""
    value = holder[key]
    if isinstance(value, str):
        share = max(0.0, 1 - excess / _size(value))  # of what is written, where some characters are two
        holder[key] = value[: max(SHORTEST, int(len(value) * share))]
        return len(holder[key]) < len(value)
    if isinstance(value, dict):
        return any(_cut(value, one, excess) for one in _largest(value))
    if not isinstance(value, list) or not value:
        return False
    kept = _fewer(value, excess)
    if kept == len(value) and _cut(value, -1, excess):
        return True
    holder[key] = value[: max(1, min(kept, len(value) - 1))]
    return len(holder[key]) < len(value)


def _fewer(items: list[Any], excess: int) -> int:
    """How many of the first items stay, at least one: the last go, but for one that is far longer than it must be."""
    kept = len(items)
    while kept > 1 and excess > 0 and (size := _size(items[kept - 1])) <= 2 * excess:
        excess -= size
        kept -= 1
    return kept


def _largest(holder: dict[str, Any]) -> list[str]:
    """The keys, those of the largest values first."""
    return sorted(holder, key=lambda key: -_size(holder[key]))


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False))
