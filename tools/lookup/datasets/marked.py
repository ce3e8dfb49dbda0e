"""Two answers side by side and a column that says which is better, as chosen and rejected.

`response_0` and `response_1` with the number of the better one, `conversation_a` and `conversation_b` with the name of
the winner. Where it is not clear what the mark says, nothing is concluded: a wrong one would train for the worse.
"""

from __future__ import annotations

from dataclasses import dataclass

from .columns import Columns

__all__ = ["Marked", "marked"]

SUFFIXES = (("0", "1"), ("1", "2"), ("a", "b"), ("A", "B"))
MARKS = ("better_response_id", "better", "winner", "preference", "preferred", "chosen_id", "choice")


@dataclass(frozen=True)
class Marked:
    """Two columns of the same type, and an expression over `row` for each side of the mark."""

    first: str
    second: str
    mark: str
    first_wins: str
    second_wins: str


def marked(c: Columns) -> Marked | None:
    """The two answers and their mark, where that is clear."""
    mark = next((c.lower[name] for name in MARKS if name in c.lower), "")
    if not mark:
        return None
    for one, other in SUFFIXES:
        for first in (name for name in c.kinds if name.endswith(one) and name != mark):
            second = first.removesuffix(one) + other
            if second in c.kinds and c.form(first, second) and not c.is_category(first):
                return _by(c, mark, first, second, (one, other))
    return None


def _by(c: Columns, mark: str, first: str, second: str, ends: tuple[str, str]) -> Marked | None:
    seen = {row[mark] for row in c.rows if isinstance(row.get(mark), str | int) and not isinstance(row[mark], bool)}
    row = f"row[{mark!r}]"
    wins = []
    for end in ends:
        if c.kinds[mark].is_integer and end.isdecimal() and seen <= set(map(int, ends)):
            wins.append(f"{row} == {end}")
        values = [value for value in sorted(map(str, seen)) if value == end or value.endswith(f"_{end}")]
        if c.kinds[mark].is_text and len(values) == 1:
            wins.append(f"{row} == {values[0]!r}")
    return Marked(first, second, mark, *wins) if seen and len(wins) == 2 else None
