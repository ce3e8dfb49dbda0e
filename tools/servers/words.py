"""Texts of a server as a person or a model may see them: without what cannot be seen, and cut."""

from __future__ import annotations

import unicodedata

__all__ = ["clean", "visible"]


def visible(text: str) -> str:
    """The text without control characters (but for line breaks and tabs), and without what is invisible or turns text
    around: both hide words from a person that a model reads."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))


def clean(text: str, limit: int) -> str:
    """One line of at most `limit` characters."""
    line = " ".join(visible(text[: 20 * limit]).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
