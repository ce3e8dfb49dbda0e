"""Numbers as papers print them: percent signs, spreads, thousands, powers of ten whose exponent lost its height."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["NUMBER", "Number", "as_scalar", "read_cell", "read_number", "tidy_number"]

_POWER = r"(?:\s?[×x·⋅∗*]\s?10\s?\^?\s?\{?[-−–]?\s?\d{1,2}\}?)"
NUMBER = (
    rf"(?:(?:10|2|e)\s?\^\s?\{{?\(?[-−–]?\d{{1,2}}\)?\}}?|10[-−–]\d{{1,2}}(?!\d|\.\d)|"
    rf"(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+\.\d+|\d+|\.\d+)(?:[eE][-−+]?\d{{1,2}}|{_POWER})?)"
)
"""Pattern of one number without its sign."""

_ONE = re.compile(
    rf"(?P<sign>[-+−–])?\s?(?P<number>{NUMBER})\s?(?P<percent>%|percent\b|per cent\b|\\%)?"
    rf"(?:\s?(?:±|\+/-|\+-|\\pm)\s?(?P<spread>\d*\.?\d+)\s?(?P<percent2>%)?)?"
)
_MARKS = re.compile(r"^[~≈*†‡§∗\s]+|[\s*†‡§∗⇤↑↓]+$")
_ASIDE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")


@dataclass(frozen=True)
class Number:
    """A number as printed.

    Attributes:
        value: as printed; 97.4 for 97.4 %.
        percent: a percent sign stands behind it.
        spread: what stands behind ±, or None.
        decimals: digits behind the point.
    """

    value: float
    percent: bool = False
    spread: float | None = None
    decimals: int = 0

    @property
    def fraction(self) -> float:
        """The value of a percentage as a fraction: 0.974 for 97.4 %, without noise behind its digits."""
        return round(self.value / 100, self.decimals + 2)


def tidy_number(text: str) -> float | None:
    """The value of one printed number without sign, or None."""
    bare = re.sub(r"[\s{}()]", "", text).replace("−", "-").replace("–", "-")
    if match := re.fullmatch(r"(10|2|e)\^(-?\d{1,2})", bare):
        return float({"10": 10.0, "2": 2.0, "e": 2.718281828459045}[match[1]] ** int(match[2]))
    if match := re.fullmatch(r"10-(\d{1,2})", bare):
        return float(f"1e-{match[1]}")
    if match := re.fullmatch(r"([\d.,]+)[×x·⋅∗*]10\^?(-?\d{1,2})", bare):
        mantissa = _plain(match[1])
        return None if mantissa is None else float(f"{mantissa!r}e{match[2]}")
    return _plain(bare)


def _plain(text: str) -> float | None:
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        text = text.replace(",", "")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e300 else None


def read_number(text: str) -> Number | None:
    """The number that a whole text is: `97.4 %`, `0.95 ± 0.04`, `1,234`, `10−3`; None if it is more or less."""
    match = _ONE.fullmatch(text.strip())
    if not match or any(c.isdigit() and not c.isascii() for c in text):
        return None
    value = tidy_number(match["number"])
    if value is None:
        return None
    if match["sign"] in ("-", "−", "–"):
        value = -value
    spread = float(match["spread"]) if match["spread"] else None
    point = re.search(r"\.(\d+)", match["number"])
    percent = bool(match["percent"] or match["percent2"])
    return Number(value, percent, spread, len(point[1]) if point else 0)


def read_cell(text: str) -> Number | None:
    """The number in the cell of a table, where marks, a rank or a time in brackets may stand beside it."""
    bare = _MARKS.sub("", text.strip())
    bare = re.sub(r"\s(?=[.,]\d)|(?<=\d[.])\s(?=\d)", "", bare)
    found = read_number(bare)
    if found is not None:
        return found
    if match := re.fullmatch(r"(?P<value>[-−]?\d*\.?\d+%?)\s*\((?P<spread>\d*\.?\d+)\)", bare):
        first = read_number(match["value"])
        return first
    shorter = _MARKS.sub("", _ASIDE.sub("", bare))
    return read_number(shorter) if shorter != bare else None


def as_scalar(text: str) -> int | float | None:
    """A setting's value: a whole number where it is printed as one."""
    number = read_number(text)
    if number is None:
        return None
    if number.percent:
        return number.fraction
    whole = (number.value == int(number.value) and "." not in text and abs(number.value) >= 1) or number.value == 0
    return int(number.value) if whole and number.decimals == 0 else number.value
