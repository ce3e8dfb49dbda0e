"""Cleaning of characters as PDF files give them: ligatures, lost accents, TeX encodings, odd spaces.

Only what cannot change a meaning is changed; words and numbers stay as they are printed.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["clean", "join_lines"]

_LIGATURES = str.maketrans(
    {
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "ﬅ": "st",
        "ﬆ": "st",
        "\u00a0": " ",
        "\u2002": " ",
        "\u2003": " ",
        "\u2009": " ",
        "\u200a": " ",
        "\u202f": " ",
        "\u00ad": "",
        "\u200b": "",
        "\u200c": "",
        "\u200d": "",
        "\u2060": "",
        "\ufeff": "",
        "\x00": "",
    }
)
# Fonts in TeX's own encoding (OT1) whose map was lost: the characters that then stand for ligatures and signs.
_TEX_LIGATURES = {"↵": "ff", "\u000b": "ff", "\u000c": "fi", "\u000e": "ffi", "\u000f": "ffl"}
_TEX_INSIDE_WORD = re.compile(r"(?<=[A-Za-z])[↵\x0b\x0c\x0e\x0f](?=[a-z])|\b[↵\x0b\x0c\x0e\x0f](?=[a-z]{2})")
# The same fonts' Greek letters, where they stand alone.
_TEX_GREEK = {"↵": "α", "✏": "ε", "⌘": "η", "⇢": "ρ", "⌧": "τ"}
_TEX_ALONE = re.compile(r"(?<![A-Za-z])[↵✏⌘⇢⌧](?![a-z])")
_TEX_TIMES = re.compile(r"(?<=\d) ?⇥ ?(?=\d)")
_ACCENTS = {"ˇ": "\u030c", "´": "\u0301", "`": "\u0300", "¨": "\u0308", "˜": "\u0303", "¸": "\u0327"}
_LOOSE_ACCENT = re.compile(r"([A-Za-z])([ˇ´¨˜¸])|([´¨`])([aeiouAEIOU])(?=[a-z])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ue000-\uf8ff]")
_SPACES = re.compile(r"\s+")


def _compose(match: re.Match[str]) -> str:
    letter, accent = (match[1], match[2]) if match[1] else (match[4], match[3])
    return unicodedata.normalize("NFC", letter + _ACCENTS[accent])


def clean(text: str) -> str:
    """One line of a PDF with its ligatures, accents and spaces mended."""
    if text.isascii() and text.isprintable() and "`" not in text and " " not in text:
        return text  # most words: nothing in them can be mended
    text = text.translate(_LIGATURES)
    text = _TEX_INSIDE_WORD.sub(lambda m: _TEX_LIGATURES[m[0]], text)
    text = _TEX_ALONE.sub(lambda m: _TEX_GREEK[m[0]], text)
    text = _TEX_TIMES.sub(" × ", text)
    text = _LOOSE_ACCENT.sub(_compose, text)
    text = _CONTROL.sub("", text)
    text = re.sub(r"(?<=\d) \. (?=\d)", ".", text)
    return _SPACES.sub(" ", text).strip()


_HYPHEN_END = re.compile(r"[A-Za-z]{2}[-‐]$")
_COMPOUND_STARTS = {
    "self",
    "non",
    "semi",
    "multi",
    "pre",
    "state",
    "co",
    "fine",
    "cross",
    "high",
    "low",
    "well",
    "large",
    "small",
    "long",
    "short",
    "real",
    "hand",
    "mini",
    "max",
    "two",
    "three",
    "one",
    "hyper",
}


def join_lines(left: str, right: str) -> str:
    """Two lines of one paragraph as running text; a word that was hyphenated at the line's end is made whole."""
    if not left or not right:
        return left or right
    end = left[-60:]  # a paragraph may be long, and only its end matters
    if _HYPHEN_END.search(end) and right[0].islower():
        word = re.split(r"[^A-Za-z]", end[:-1])[-1].lower()
        compound = "-" in right.split(" ", 1)[0].rstrip("-") or (word.endswith("ly") and len(word) > 5)
        keep = compound or word in _COMPOUND_STARTS or left[:-1].endswith(("-of", "-the", "-to"))
        return left + right if keep else left[:-1] + right
    if left.endswith(("-", "‐", "/", "–")) and not left.endswith((" -", " –")):
        return left + right
    return f"{left} {right}"
