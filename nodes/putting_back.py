"""Edited arguments of a call, with the secrets that the person never saw put back where they were.

A card shows marks in place of secrets, and what a person edits is what the card showed. Where they left a value alone,
the original stands; in a text that they changed, each mark becomes what it stood for: a secret, or a mark that the call
held itself. Where that cannot be known the edit is refused: no mark is run in place of a secret. Nothing is judged or
run here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trainwright.graph.errors import Refusal
from trainwright.graph.redaction import MARK

__all__ = ["put_back"]

_MARK = re.compile(re.escape(MARK) + r"[^\]\n]{1,80}\]")

HINT = "Leave that argument as it is shown, or reject the call and say what should change."


def put_back(shown: Any, original: Any, edited: Any) -> Any:
    """What an edit means.

    Args:
        shown: arguments, or a part of them, as the card shows them: the original with marks in place of secrets.
        original: as the call was made.
        edited: what a person made of what was shown.

    Raises:
        Refusal: a mark is in it whose secret cannot be told.
    """
    if edited == shown:
        return original
    if isinstance(edited, dict):
        return _mapping(shown, original, edited)
    if isinstance(edited, list):
        return _list(shown, original, edited)
    if isinstance(edited, str) and MARK in edited:
        both_texts = isinstance(shown, str) and isinstance(original, str)
        return _text(_secrets(shown, original) if both_texts else {}, edited)
    return edited


def _mapping(shown: Any, original: Any, edited: Mapping[str, Any]) -> dict[str, Any]:
    """By name; a name may be redacted too, and the order of what is shown is that of the original."""
    alike = isinstance(shown, dict) and isinstance(original, dict) and len(shown) == len(original)
    names = dict(zip(shown, original, strict=True)) if alike else {}
    found = {}
    for name, value in edited.items():
        if name in names:
            found[names[name]] = put_back(shown[name], original[names[name]], value)
        else:
            found[put_back(None, None, name)] = put_back(None, None, value)
    return found


def _list(shown: Any, original: Any, edited: list[Any]) -> list[Any]:
    """By place where as many are left; otherwise by what is shown."""
    alike = isinstance(shown, list) and isinstance(original, list) and len(shown) == len(original)
    if alike and len(shown) == len(edited):
        return [put_back(*three) for three in zip(shown, original, edited, strict=True)]
    known = list(zip(shown, original, strict=True)) if alike else []
    found = []
    for value in edited:
        meant = [one for seen, one in known if seen == value]
        same = bool(meant) and all(one == meant[0] for one in meant)
        found.append(meant[0] if same else put_back(None, None, value))
    return found


def _secrets(shown: str, original: str) -> dict[str, str | None]:
    """The secret of each mark in a text; None where one mark stands for several."""
    marks, between = _MARK.findall(shown), _MARK.split(shown)
    if shown == original:
        return {mark: mark for mark in marks}  # the engineer had no more than these marks itself
    if not marks or not original.startswith(between[0]):
        return {}
    found: dict[str, str | None] = {}
    places = _places(between, original)
    for mark, start, end in zip(marks, *places, strict=True) if places else ():
        secret = original[start:end]
        found[mark] = secret if found.get(mark, secret) == secret else None
    return found


def _places(between: list[str], original: str) -> tuple[list[int], list[int]] | None:
    """Where the secrets begin and end, if what stands between them fits into the original in one way only."""
    first, last = between[0], between[-1]
    stop = len(original) - len(last)
    earliest, place = [], len(first)
    for text in between[1:-1]:
        if (place := original.find(text, place + 1, stop)) < 0:
            return None
        earliest.append(place)
        place += len(text)
    latest, place = [], stop
    for text in reversed(between[1:-1]):
        if (place := original.rfind(text, len(first), place - 1)) < 0:
            return None
        latest.append(place)
    if earliest != latest[::-1] or not original.endswith(last):
        return None
    starts = [len(first), *(at + len(text) for at, text in zip(earliest, between[1:-1], strict=True))]
    return starts, [*earliest, stop]


def _text(secrets: Mapping[str, str | None], edited: str) -> str:
    def secret(mark: re.Match[str]) -> str:
        known = secrets.get(mark[0])
        if known is None:
            raise Refusal(f"It cannot be told which secret {mark[0]!r} stands for in the edited text.", hint=HINT)
        return known

    return _MARK.sub(secret, edited)
