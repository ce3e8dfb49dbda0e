"""Names and values from data files, made fit for a message: one line, no control characters, not too long.

Everything that a data file holds is data: a column may be called `\x1b[2J` or be ten thousand characters long. The
names themselves are never changed here, only their display.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trainwright.graph.state import Finding

__all__ = ["counted", "finding", "shown", "shown_list"]


def shown(text: object, limit: int = 60) -> str:
    """`text` quoted, escaped and cut after `limit` characters."""
    raw = text if isinstance(text, str) else str(text)
    cut = raw if len(raw) <= limit else raw[:limit] + "…"
    return repr(cut)


def shown_list(names: Iterable[object], most: int = 8) -> str:
    """The first `most` names, and how many more there are."""
    every = list(names)
    text = ", ".join(shown(name, 40) for name in every[:most])
    return text if len(every) <= most else f"{text} and {len(every) - most} more"


def counted(number: int, noun: str) -> str:
    """`1 row`, `2 rows`; `1 class`, `2 classes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{'es' if noun.endswith('s') else 's'}"


def finding(code: str, severity: str, message: str, columns: Sequence[str] = (), rows: int = 0) -> Finding:
    """A finding of the audit; `columns` keep their raw names."""
    return Finding.model_validate(
        {"code": code, "severity": severity, "message": message, "columns": list(columns)[:100], "rows": rows}
    )
