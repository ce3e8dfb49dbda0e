"""Words for people: outside text made harmless, durations, ages, sizes, numbers, names of nodes and statuses.

Whatever comes from a paper, a data file, a job or a person passes through `clean` before it reaches a terminal.
This module prints nothing.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

__all__ = [
    "age",
    "clean",
    "dollars",
    "duration",
    "line",
    "measured",
    "node_title",
    "number",
    "size",
    "sparkline",
    "status_title",
    "tokens_and_dollars",
]

_SEQUENCES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # operating system commands: titles, links, the clipboard
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # device control and other strings
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # control sequences: colours, cursor, screen
    r"|\x1b[ -/]*[0-~]?"
)
_BLOCKS, _ASCII_BLOCKS = "▁▂▃▄▅▆▇█", "_.-:=+*#"


def clean(text: object) -> str:
    """`text` without anything that a terminal would obey: escape sequences, control and direction characters.

    Line breaks and tabs stay. Surrogates, which no encoding can write, become question marks.
    """
    shown = _SEQUENCES.sub("", str(text)).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_harmless(character) for character in shown)


def _harmless(character: str) -> str:
    if character in "\n\t" or " " <= character <= "~":
        return character
    category = unicodedata.category(character)
    if category == "Cs":
        return "?"
    if category in ("Zl", "Zp"):
        return "\n"
    return "" if category in ("Cc", "Cf", "Co") and character not in "\u200d\u200c" else character


def line(text: object, limit: int = 200) -> str:
    """`text` cleaned, on one line, of at most `limit` characters."""
    shown = " ".join(clean(text).split())
    return shown if len(shown) <= limit else shown[: limit - 3].rstrip() + "..."


def duration(seconds: float) -> str:
    """Seconds for people: 0.4 s, 12 s, 3 min 05 s, 2 h 10 min, 3 d 4 h."""
    if not math.isfinite(seconds) or seconds < 0:
        return "?"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def age(moment: str, now: datetime | None = None) -> str:
    """How long ago an ISO 8601 moment was; the text itself if it is none."""
    try:
        then = datetime.fromisoformat(moment)
    except ValueError:
        return clean(moment)
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    if seconds < 60:
        return "just now"
    for limit, unit, word in ((3600, 60, "min"), (86_400, 3600, "h"), (60 * 86_400, 86_400, "d")):
        if seconds < limit:
            return f"{int(seconds // unit)} {word} ago"
    return then.date().isoformat()


def size(count: int) -> str:
    """Bytes for people, in powers of 1024."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def number(value: object) -> str:
    """A score or a setting with four digits behind the point where that says something."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return line(value, 80)
    if isinstance(value, int):
        return str(value)
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4f}"
    return f"{value:.4g}"


def measured(value: float) -> str:
    """A value of a metrics stream, where counts come as floats too: 1150 rows, but an accuracy of 1.0000."""
    return str(int(value)) if math.isfinite(value) and value.is_integer() and 2 <= abs(value) < 1e15 else number(value)


def sparkline(values: Sequence[float], width: int = 24, ascii_only: bool = False) -> str:
    """The last `width` values as little bars, the smallest lowest; what is not finite is left out."""
    kept = [value for value in values if math.isfinite(value)][-width:]
    if not kept:
        return ""
    blocks = _ASCII_BLOCKS if ascii_only else _BLOCKS
    low, high = min(kept), max(kept)
    span = high / 2 - low / 2  # halves: the difference of two huge values would overflow
    if span <= 0:
        return blocks[0] * len(kept)
    return "".join(blocks[min(7, int((value / 2 - low / 2) / span * 8))] for value in kept)


def node_title(name: str) -> str:
    """A node's name as people read it: `approve_plan` is approve plan."""
    return line(name.replace("_", " "), 40)


def status_title(status: str) -> str:
    """A status as people read it."""
    return line(status.replace("_", " "), 40)


def dollars(usd: float) -> str:
    """Dollars to the cent; what is less than one is said, and is not zero."""
    return f"${usd:,.2f}" if usd >= 0.005 or usd == 0 else "less than a cent"


def tokens_and_dollars(tokens: int, usd: float, priced: bool) -> str:
    """What a model used: `45,300 tokens, $0.42`; what nobody knows the price of is said, and is never zero.

    Args:
        tokens: in and out.
        usd: dollars, as far as they are known.
        priced: whether the price of every call is known.
    """
    known = dollars(usd)
    cost = known if priced else f"{known} and more, the price is not known" if usd else "price not known"
    return f"{tokens:,} tokens, {cost}"
