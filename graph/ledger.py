"""The ledger: what a run has used of what is limited, in integers, exact over any crash.

Resources are counted in their smallest unit: `steps` (engineer turns), `milliseconds` (time at work), `input_tokens`,
`cached_tokens` (a part of them), `output_tokens`, `usd_micros` (micro-dollars of calls whose price is known) and
`unpriced_tokens` (tokens of calls whose price nobody knows). An amount is either charged at once, or reserved before something begins and settled by what it really
used; a reservation counts in full until it is settled, also over a crash. Reserving is atomic across threads and
processes: the sum and the new entry are one transaction. Every entry has a key, so that writing it twice counts once.

The ledger does not decide what to do at a limit: it refuses with `LimitReached`, and the graph's edges decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from sqlite3 import Connection

from .database import transaction
from .errors import LimitReached
from .runs import now
from .settings import database_path

__all__ = ["SCHEMA", "Ledger"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    key TEXT PRIMARY KEY, run TEXT NOT NULL, resource TEXT NOT NULL, node TEXT NOT NULL DEFAULT '',
    amount INTEGER NOT NULL CHECK (amount >= 0), settled INTEGER NOT NULL, at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ledger_run ON ledger (run, resource);
"""


class Ledger:
    """The entries of one database."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or database_path()

    def charge(self, run: str, resource: str, amount: int, *, key: str, node: str = "", durable: bool = True) -> None:
        """Count `amount` (at least 0) as used; the second call with the same key changes nothing.

        `durable` as in `database.transaction`.
        """
        with transaction(SCHEMA, self.path, durable=durable) as db:
            self.enter(db, run, resource, amount, key=key, node=node)

    def charge_all(self, run: str, amounts: Mapping[str, int], *, key: str, node: str = "") -> None:
        """`charge` of several resources in one transaction; nothing is entered for an amount of 0.

        Each entry has the key `key` with the resource's name behind it.
        """
        with transaction(SCHEMA, self.path) as db:
            for resource, amount in amounts.items():
                if amount:
                    self.enter(db, run, resource, amount, key=f"{key}/{resource}", node=node)

    @staticmethod
    def enter(db: Connection, run: str, resource: str, amount: int, *, key: str, node: str = "") -> None:
        """`charge` inside a transaction that the caller has open."""
        db.execute(
            "INSERT INTO ledger (key, run, resource, node, amount, settled, at) VALUES (?, ?, ?, ?, ?, 1, ?) "
            "ON CONFLICT (key) DO NOTHING",
            (key, run, resource, node, amount, now()),
        )

    def reserve(self, run: str, resource: str, amount: int, *, limit: int, key: str, node: str = "") -> None:
        """Hold `amount` against `limit` before something begins; the second call with the same key changes nothing.

        Raises:
            LimitReached: what is used and held already, plus `amount`, is more than `limit`; nothing was reserved.
        """
        with transaction(SCHEMA, self.path) as db:
            if db.execute("SELECT 1 FROM ledger WHERE key=?", (key,)).fetchone():
                return
            used = _total(db, run, resource)
            if used + amount > limit:
                raise LimitReached(
                    resource,
                    f"{amount} {resource} more would pass the limit of {limit}: {used} are used or held already.",
                    hint="Raise the limit and resume the run.",
                )
            db.execute(
                "INSERT INTO ledger (key, run, resource, node, amount, settled, at) VALUES (?, ?, ?, ?, ?, 0, ?)",
                (key, run, resource, node, amount, now()),
            )

    def settle(self, key: str, amount: int) -> None:
        """Replace the reservation `key` by what was really used; settling again changes nothing."""
        with transaction(SCHEMA, self.path) as db:
            db.execute("UPDATE ledger SET amount=?, settled=1, at=? WHERE key=? AND settled=0", (amount, now(), key))

    def release(self, key: str) -> None:
        """Give a reservation back of which nothing was used; an entry that is settled stays."""
        with transaction(SCHEMA, self.path) as db:
            db.execute("DELETE FROM ledger WHERE key=? AND settled=0", (key,))

    def held(self, key: str) -> int | None:
        """What the entry `key` holds or has used; None if there is no such entry."""
        with transaction(SCHEMA, self.path) as db:
            row = db.execute("SELECT amount FROM ledger WHERE key=?", (key,)).fetchone()
        return None if row is None else int(row["amount"])

    def total(self, run: str, resource: str) -> int:
        """What is used or held, in the resource's unit."""
        with transaction(SCHEMA, self.path) as db:
            return _total(db, run, resource)

    @staticmethod
    def totals(db: Connection, run: str) -> dict[str, int]:
        """What is used or held of every resource, in its unit; inside a transaction that the caller has open."""
        rows = db.execute("SELECT resource, SUM(amount) AS amount FROM ledger WHERE run=? GROUP BY resource", (run,))
        return {row["resource"]: row["amount"] for row in rows.fetchall()}

    def table(self, run: str) -> dict[str, dict[str, int]]:
        """What is used or held, by node and resource, the nodes in the order in which they first appear."""
        with transaction(SCHEMA, self.path) as db:
            rows = db.execute(
                "SELECT node, resource, SUM(amount) AS amount, MIN(rowid) AS first FROM ledger WHERE run=? "
                "GROUP BY node, resource ORDER BY first",
                (run,),
            ).fetchall()
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            found.setdefault(row["node"], {})[row["resource"]] = row["amount"]
        return found

    def by_node(self, run: str, resource: str) -> dict[str, int]:
        """The same, by node, in the order in which the nodes first appear."""
        with transaction(SCHEMA, self.path) as db:
            rows = db.execute(
                "SELECT node, SUM(amount) AS amount FROM ledger WHERE run=? AND resource=? "
                "GROUP BY node ORDER BY MIN(rowid)",
                (run, resource),
            ).fetchall()
        return {row["node"]: row["amount"] for row in rows}


def _total(db: Connection, run: str, resource: str) -> int:
    row = db.execute(
        "SELECT COALESCE(SUM(amount), 0) FROM ledger WHERE run=? AND resource=?", (run, resource)
    ).fetchone()
    return int(row[0])
