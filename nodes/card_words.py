"""What every card says in plain words: the action, where it runs, whose account pays, the estimate, what remains of the
limits, what changed since the last approval, the deadline, and what happens on no.

Pure functions from a card to labelled words, used by the terminal and by the request that Studio shows alike. What is
particular to a plan, a job or a publication is shown by `cli/cards.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["description", "parts", "times"]

DIFF_CHARACTERS = 4_000
"""Of a difference that a description shows; the whole is in the arguments."""


def parts(card: Mapping[str, Any], standing: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The words by their label; what a card does not have is left out."""
    found = [(label, str(card.get(label) or "")) for label in ("action", "where", "pays")]
    found.append(("estimate", str(card.get("estimate") or "")))
    found.append(("now", str(standing.get("now") or "")))
    found.append(("remains", ", ".join(map(str, standing.get("remains", [])))))
    found += [("changed", str(row)) for row in card.get("changed", [])]
    found += [("asked because", str(standing.get("why") or ""))]
    found += times(standing)
    found.append(("on no", str(card.get("on_no") or "")))
    return [(label, text) for label, text in found if text]


def times(standing: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The deadline, where there is one."""
    until = standing.get("until")
    if not until:
        return []
    return [("deadline", f"{until}, by rule {standing.get('rule', '')}; no answer until then counts as no")]


def description(text: str, card: Mapping[str, Any], standing: Mapping[str, Any], problem: str = "") -> str:
    """The same as one text, with the question first, and the difference last."""
    rows = [problem] if problem else []
    rows += [text, *(f"{label}: {words}" for label, words in parts(card, standing))]
    if diff := str(card.get("diff") or ""):
        rows += [f"difference since {card.get('since', 'the last approval')}:", diff[:DIFF_CHARACTERS]]
    return "\n".join(rows)
