"""Warnings before a limit is reached: at 50, 80 and 95 % of it, each told once, however often a run is resumed.

What was told is kept in the run database under the limit's amount, so that a raised limit warns anew. Only what is used
counts, not what is held for something under way, most of which comes back. This module tells nobody; `nodes/budget.py`
does.
"""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import NamedTuple

from .ledger import Limit
from .limits import Remaining
from .runs import now

__all__ = ["PERCENTS", "SCHEMA", "Passed", "newly_passed"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS limit_warnings (
    run TEXT NOT NULL, setting TEXT NOT NULL, amount INTEGER NOT NULL, percent INTEGER NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (run, setting, amount, percent)
);
"""

PERCENTS = (50, 80, 95)


class Passed(NamedTuple):
    """A threshold that was passed; the amount in its resource's smallest unit."""

    limit: Limit
    used: int
    percent: int


def newly_passed(db: Connection, run: str, rows: Sequence[Remaining]) -> list[Passed]:
    """The highest threshold of each limit that was passed since the last call, in a transaction that the caller has open.

    A limit of nothing has no thresholds.
    """
    candidates = [(row, percents) for row in rows if (percents := _reached(row))]
    if not candidates:
        return []
    told = {tuple(row) for row in db.execute("SELECT setting, amount, percent FROM limit_warnings WHERE run=?", (run,))}
    found = []
    for row, percents in candidates:
        setting, amount = row.limit.setting, row.limit.amount
        fresh = [percent for percent in percents if (setting, amount, percent) not in told]
        if fresh:
            _remember(db, run, row.limit, fresh)
            found.append(Passed(row.limit, row.used, fresh[-1]))
    return found


def _reached(row: Remaining) -> list[int]:
    return [percent for percent in PERCENTS if row.limit.amount and row.used * 100 >= percent * row.limit.amount]


def _remember(db: Connection, run: str, limit: Limit, percents: Sequence[int]) -> None:
    lines = [(run, limit.setting, limit.amount, percent, now()) for percent in percents]
    db.executemany("INSERT OR IGNORE INTO limit_warnings VALUES (?, ?, ?, ?, ?)", lines)
