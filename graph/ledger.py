"""The ledger: what a run has used of what is limited, in integers, exact over any crash.

Resources are counted in their smallest unit (`amounts.RESOURCES` names them all). Amounts are either charged at once, or
reserved before something begins and settled by what it really used; a reservation counts in full until it is settled,
also over a crash. Reserving is atomic across threads and processes, over all its resources and limits at once: the sums
and the new entries are one transaction. Every entry has a key, so that writing it twice counts once.

A limit holds for what asks first. What is charged at once, or settled above its reservation because it really used
more, is entered as it is: the ledger tells the truth, and the next reservation is refused. The ledger does not decide
what to do at a limit: it refuses with `LimitReached`, and the graph's edges decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection, Row
from typing import NamedTuple

from .amounts import RESOURCES, flag, raised, say
from .database import transaction
from .errors import LimitReached
from .runs import now
from .settings import database_path

__all__ = ["SCHEMA", "Entry", "Ledger", "Limit", "Reservation", "Sums"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    key TEXT PRIMARY KEY, run TEXT NOT NULL, resource TEXT NOT NULL, node TEXT NOT NULL DEFAULT '',
    amount INTEGER NOT NULL CHECK (amount >= 0), settled INTEGER NOT NULL, at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ledger_run ON ledger (run, resource);
"""

Sums = Mapping[tuple[str, str], tuple[int, int]]
"""What is used and what is held, by node and resource."""


class Limit(NamedTuple):
    """One bound: the sum of `resources` over its nodes stays at or below `amount`.

    Attributes:
        setting: the field of `Settings` that sets it, `stages.NAME.FIELD` for a limit of one stage.
        resources: what is added up.
        amount: in the resources' smallest unit.
        nodes: whose entries count; those of all nodes when None.
        but: nodes whose entries do not count.
    """

    setting: str
    resources: tuple[str, ...]
    amount: int
    nodes: tuple[str, ...] | None = None
    but: tuple[str, ...] = ()

    def covers(self, node: str) -> bool:
        """Whether entries of `node` count; those of `a` hold those of `a/b`, too."""
        whole = [node[:place] for place, sign in enumerate(node) if sign == "/"] + [node]
        return not any(n in self.but for n in whole) and (self.nodes is None or any(n in self.nodes for n in whole))

    def taken(self, sums: Sums) -> tuple[int, int]:
        """What is used, and what is held beside it."""
        counted = [pair for (node, name), pair in sums.items() if name in self.resources and self.covers(node)]
        return sum(used for used, _ in counted), sum(held for _, held in counted)

    def asked(self, amounts: Mapping[str, int], node: str) -> int:
        """How much of `amounts` counts against it at `node`."""
        return sum(amounts.get(name, 0) for name in self.resources) if self.covers(node) else 0

    def say(self, amount: int) -> str:
        """An amount of what it limits, in words."""
        return say(self.resources[0], amount)

    def flag(self, needed: int) -> str:
        """The flag that raises it so that `needed` fits."""
        return flag(self.setting, raised(self.setting, self.amount, needed))


class Entry(NamedTuple):
    """One line of the ledger."""

    key: str
    node: str
    resource: str
    amount: int
    settled: bool
    at: str


@dataclass(frozen=True)
class Reservation:
    """What is held for something that has begun, or may have."""

    key: str
    node: str
    at: str
    amounts: dict[str, int] = field(default_factory=dict)


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
    def enter(
        db: Connection, run: str, resource: str, amount: int, *, key: str, node: str = "", settled: bool = True
    ) -> None:
        """`charge` inside a transaction that the caller has open."""
        db.execute(
            "INSERT INTO ledger (key, run, resource, node, amount, settled, at) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (key) DO NOTHING",
            (key, run, resource, node, amount, int(settled), now()),
        )

    def reserve(
        self, run: str, amounts: Mapping[str, int], *, limits: Sequence[Limit], key: str, node: str = ""
    ) -> None:
        """Hold `amounts` before something begins: all of them, or none.

        The second call with the same key changes nothing, whether the first is still held or settled.

        Args:
            run: whose.
            amounts: what it may use at most, by resource.
            limits: what must not be passed; those that `amounts` does not touch do not matter.
            key: the identity of what begins, without a resource's name at its end.
            node: what it is for.

        Raises:
            LimitReached: what is used and held already, plus `amounts`, is more than a limit; nothing was reserved.
            ValueError: a resource is unknown, or there is none.
        """
        _check(amounts)
        with transaction(SCHEMA, self.path) as db:
            if _rows(db, key):
                return
            sums = self.sums(db, run)
            for limit in limits:
                _refuse_above(run, limit, sums, limit.asked(amounts, node))
            for resource, amount in amounts.items():
                self.enter(db, run, resource, amount, key=f"{key}/{resource}", node=node, settled=False)

    def settle(self, key: str, amounts: Mapping[str, int]) -> None:
        """Replace the reservation `key` by what was really used; what `amounts` leaves out was not used at all.

        Settling again changes nothing, and neither does settling what was never reserved, or was released.
        """
        with transaction(SCHEMA, self.path) as db:
            rows = [row for row in _rows(db, key) if not row["settled"]]
            for row in rows:
                used = amounts.get(row["resource"], 0)
                db.execute("UPDATE ledger SET amount=?, settled=1, at=? WHERE key=?", (used, now(), row["key"]))
            for resource in amounts if rows else ():
                if resource not in {row["resource"] for row in rows}:
                    name, run, node = f"{key}/{resource}", rows[0]["run"], rows[0]["node"]
                    self.enter(db, run, resource, amounts[resource], key=name, node=node)

    def release(self, key: str) -> None:
        """Give a reservation back of which nothing was used; one that is settled stays."""
        with transaction(SCHEMA, self.path) as db:
            for row in _rows(db, key):
                db.execute("DELETE FROM ledger WHERE key=? AND settled=0", (row["key"],))

    def held(self, key: str) -> dict[str, int] | None:
        """What `key` holds, or has used once it is settled, by resource; None if it was never reserved or released."""
        with transaction(SCHEMA, self.path) as db:
            rows = _rows(db, key)
        return {row["resource"]: row["amount"] for row in rows} if rows else None

    def open(self, run: str) -> list[Reservation]:
        """The reservations of a run that are not settled, the oldest first."""
        with transaction(SCHEMA, self.path) as db:
            rows = db.execute("SELECT * FROM ledger WHERE run=? AND settled=0 ORDER BY rowid", (run,)).fetchall()
        found: dict[str, Reservation] = {}
        for row in rows:
            key = row["key"].removesuffix(f"/{row['resource']}")
            at_once = found.setdefault(key, Reservation(key, row["node"], row["at"]))
            at_once.amounts[row["resource"]] = row["amount"]
        return list(found.values())

    def entries(self, run: str) -> list[Entry]:
        """Every line of a run, the oldest first."""
        with transaction(SCHEMA, self.path) as db:
            rows = db.execute("SELECT * FROM ledger WHERE run=? ORDER BY rowid", (run,)).fetchall()
        return [
            Entry(row["key"], row["node"], row["resource"], row["amount"], bool(row["settled"]), row["at"])
            for row in rows
        ]

    def total(self, run: str, resource: str) -> int:
        """What is used or held, in the resource's unit."""
        with transaction(SCHEMA, self.path) as db:
            return sum(used + held for (_, name), (used, held) in self.sums(db, run).items() if name == resource)

    @staticmethod
    def sums(db: Connection, run: str) -> Sums:
        """What is used and held, by node and resource, in the order in which they first appear.

        Inside a transaction that the caller has open. Every sum that this program shows or decides by comes from here.
        """
        rows = db.execute(
            "SELECT node, resource, SUM(amount * settled) AS used, SUM(amount * (1 - settled)) AS held, "
            "MIN(rowid) AS first FROM ledger WHERE run=? GROUP BY node, resource ORDER BY first",
            (run,),
        )
        return {(row["node"], row["resource"]): (row["used"], row["held"]) for row in rows.fetchall()}

    @staticmethod
    def totals(db: Connection, run: str) -> dict[str, int]:
        """What is used or held of every resource, in its unit; inside a transaction that the caller has open."""
        found: dict[str, int] = {}
        for (_, resource), (used, held) in Ledger.sums(db, run).items():
            found[resource] = found.get(resource, 0) + used + held
        return found

    def table(self, run: str) -> dict[str, dict[str, int]]:
        """What is used or held, by node and resource, the nodes in the order in which they first appear.

        What is counted apart below a node, such as `research/plan/7-1`, is shown as that node's.
        """
        with transaction(SCHEMA, self.path) as db:
            sums = self.sums(db, run)
        found: dict[str, dict[str, int]] = {}
        for (node, resource), (used, held) in sums.items():
            amounts = found.setdefault(node.partition("/")[0], {})
            amounts[resource] = amounts.get(resource, 0) + used + held
        return found

    def by_node(self, run: str, resource: str) -> dict[str, int]:
        """The same of one resource, by node."""
        return {node: amounts[resource] for node, amounts in self.table(run).items() if resource in amounts}


def _check(amounts: Mapping[str, int]) -> None:
    unknown = [name for name in amounts if name not in RESOURCES]
    if unknown or not amounts:
        raise ValueError(f"{', '.join(unknown) or 'nothing'} cannot be reserved; there are {', '.join(RESOURCES)}")


def _rows(db: Connection, key: str) -> list[Row]:
    """The entries of a reservation, one a resource; a database of an earlier version has a single one under `key`."""
    keys = (key, *(f"{key}/{resource}" for resource in RESOURCES))
    marks = ", ".join("?" for _ in keys)
    return db.execute(f"SELECT * FROM ledger WHERE key IN ({marks}) ORDER BY rowid", keys).fetchall()  # noqa: S608 - marks only


def _refuse_above(run: str, limit: Limit, sums: Sums, asked: int) -> None:
    """Refuse `asked` where it does not fit into what a limit leaves."""
    if not asked:
        return
    used, held = limit.taken(sums)
    if used + held + asked <= limit.amount:
        return
    beside = f" and {limit.say(held)} held for what is under way" if held else ""
    raise LimitReached(
        limit.setting,
        f"Up to {limit.say(asked)} would be needed, which does not fit into the limit {limit.setting} of "
        f"{limit.say(limit.amount)}: {limit.say(used)} used{beside}. Nothing was begun, and all work is kept.",
        hint=f"`trainwright resume {run} {limit.flag(used + held + asked)}` goes on.",
    )
