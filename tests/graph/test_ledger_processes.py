"""A thousand random plans of reserving, settling and dying, by eight processes that live long, on one real database.

Each plan is a run of its own with limits of its own. The workers are told what to do without waiting for each other, so
that they truly collide; a worker that dies is replaced, and the next one finds what was held. A trigger in the database
looks at every single row that is written or changed, so that no limit is passed for a moment either, by not one
micro-dollar. Where one worker does a whole plan, nothing collides, and it is foretold exactly what is refused.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from trainwright.graph.ledger import Ledger, Limit

from .ledger_worker import Order, serve

WORKERS = 8
PLANS = 1_000

WATCH = """
CREATE TABLE caps (run TEXT PRIMARY KEY, usd INTEGER NOT NULL, tokens INTEGER NOT NULL);
CREATE TABLE passed (run TEXT NOT NULL, usd INTEGER, tokens INTEGER);
""" + "".join(
    f"""
CREATE TRIGGER watch_{change.lower()} AFTER {change} ON ledger BEGIN
    INSERT INTO passed SELECT c.run, s.usd, s.tokens FROM caps c, (
        SELECT SUM(amount) FILTER (WHERE resource = 'usd_micros') AS usd,
               SUM(amount) FILTER (WHERE resource IN ('input_tokens', 'output_tokens')) AS tokens
        FROM ledger WHERE run = NEW.run) s
    WHERE c.run = NEW.run AND (s.usd > c.usd OR s.tokens > c.tokens);
END;
"""
    for change in ("INSERT", "UPDATE")
)


FATES: dict[str, tuple[tuple[str, str], ...]] = {
    "settled": (("reserve", ""), ("settle", "")),
    "released": (("reserve", ""), ("release", "")),
    "left": (("reserve", ""),),
    "told twice": (("reserve", ""), ("reserve", ""), ("settle", ""), ("settle", ""), ("release", "")),
    "dies in reserving": (("reserve", "middle"), ("reserve", ""), ("settle", "")),
    "dies having reserved": (("reserve", "after"), ("reserve", ""), ("settle", "")),
    "dies having reserved, for good": (("reserve", "after"),),
    "dies in settling": (("reserve", ""), ("settle", "middle"), ("settle", "")),
    "dies having settled": (("reserve", ""), ("settle", "after"), ("settle", ""), ("reserve", "")),
    "dies in releasing": (("reserve", ""), ("release", "middle"), ("release", "")),
    "dies having released": (("reserve", ""), ("release", "after"), ("settle", "")),
    "charged": (("charge", ""), ("charge", "")),
    "dies having charged": (("charge", "after"), ("charge", "")),
}
"""What becomes of a key: what its worker is told, and where it dies of it."""


class Task(NamedTuple):
    """One key and its worker; `share` is the per cent of the reservation that is really used."""

    worker: int
    fate: str
    usd: int
    tokens: int
    share: int


TASKS = st.builds(
    Task,
    worker=st.integers(0, WORKERS - 1),
    fate=st.sampled_from([*["settled"] * 8, *["released", "left", "told twice"] * 2, *FATES]),
    usd=st.integers(0, 600),
    tokens=st.integers(0, 400),
    share=st.integers(0, 100),
)


class Crew:
    """The workers; a dead one is replaced when it is needed again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["trainwright.graph.ledger"])
        self.members = [self._hire() for _ in range(WORKERS)]
        self.deaths = 0

    def _hire(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=serve, args=(theirs, str(self.path)), daemon=True)
        process.start()
        theirs.close()
        return process, ours

    def order(self, worker: int, order: Order) -> None:
        """Tell a worker what to do; its answer is waited for later."""
        self.members[worker][1].send(order)

    def answer(self, worker: int) -> str:
        """What came of the oldest order that is not answered; `died` if it did, and a new one takes its place."""
        process, pipe = self.members[worker]
        try:
            answer: str = pipe.recv()
        except (EOFError, ConnectionResetError):
            process.join()
            pipe.close()
            self.members[worker] = self._hire()
            self.deaths += 1
            return "died"
        return answer

    def dismiss(self) -> None:
        """End them all."""
        for process, pipe in self.members:
            pipe.close()
            process.join(10)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """The database with the trigger; a connection stays open, so that no worker is the last to close it."""
    path = tmp_path / "runs.db"
    Ledger(path).total("none", "steps")
    watcher = sqlite3.connect(path, timeout=30)
    watcher.executescript(WATCH)
    yield path
    watcher.close()


def test_the_watch_sees_what_is_written_and_what_is_changed(path: Path) -> None:
    ledger = Ledger(path)
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO caps VALUES ('inserted', 10, 10), ('updated', 10, 10)")
    db.close()
    ledger.charge("inserted", "usd_micros", 11, key="one")
    ledger.reserve("updated", {"output_tokens": 10}, limits=(), key="two")
    ledger.settle("two", {"output_tokens": 12})
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT * FROM passed ORDER BY run").fetchall() == [
            ("inserted", 11, None),
            ("updated", None, 12),
        ]
    db.close()


def _orders(run: str, tasks: list[Task], limits: tuple[Limit, ...]) -> Iterator[tuple[int, Order]]:
    """The orders of a plan with their workers: the first of every task, then the second of each …"""
    for turn in range(max(len(steps) for steps in FATES.values())):
        for number, task in enumerate(tasks):
            if turn < len(FATES[task.fate]):
                what, dies = FATES[task.fate][turn]
                amounts = {"usd_micros": task.usd, "input_tokens": task.tokens, "output_tokens": task.tokens // 2}
                if what == "settle":
                    amounts = {name: amount * task.share // 100 for name, amount in amounts.items()}
                elif what == "charge":
                    amounts = {"milliseconds": task.tokens}
                yield task.worker, Order(what, run, f"{run}/{number}", amounts, limits, dies)


@pytest.mark.slow
def test_no_plan_of_eight_processes_passes_a_limit_and_every_sum_is_exact(path: Path) -> None:
    crew, numbers = Crew(path), iter(range(10**9))
    reader = sqlite3.connect(path, timeout=30, isolation_level=None)
    counts = {"plans": 0, "refused": 0, "held_over": 0, "refused as foretold": 0, "granted as foretold": 0}

    @settings(
        max_examples=PLANS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(st.lists(TASKS, min_size=1, max_size=6), st.integers(0, 1_500), st.integers(0, 1_500))
    def plans(tasks: list[Task], usd: int, tokens: int) -> None:
        number = next(numbers)
        if not number % 4:
            tasks = [task._replace(worker=tasks[0].worker) for task in tasks]
        alone = len({task.worker for task in tasks}) == 1
        run = f"plan{number}"
        reader.execute("INSERT INTO caps VALUES (?, ?, ?)", (run, usd, tokens))
        limits = (
            Limit("max_usd", ("usd_micros",), usd),
            Limit("max_tokens", ("input_tokens", "output_tokens"), tokens),
        )
        model = Model()
        waiting: dict[int, Order] = {}

        def gather() -> None:
            for worker, order in waiting.items():
                answer = crew.answer(worker)
                counts["refused"] += answer == "refused"
                expected = model.foretell(order) if alone else ""
                if alone:
                    assert answer in (expected, "died" if order.dies else expected), order
                    counts["refused as foretold"] += expected == "refused"
                    counts["granted as foretold"] += expected == "done" and order.what == "reserve"
                counts["held_over"] += model.learn(order, answer, _rows(reader, order.key), expected)
            waiting.clear()

        for worker, order in _orders(run, tasks, limits):
            if worker in waiting or any(other.key == order.key for other in waiting.values()):
                gather()
            crew.order(worker, order)
            waiting[worker] = order
        gather()
        counts["plans"] += 1
        model.check(reader, run, usd, tokens)

    try:
        plans()
        assert reader.execute("SELECT * FROM passed").fetchall() == []
        assert counts["plans"] >= PLANS
        assert min(crew.deaths, *counts.values()) > 50, "the plans did not try what they should"
    finally:
        crew.dismiss()
        reader.close()


Held = dict[str, tuple[int, int]]
"""Amount and whether it is settled, by resource."""


def _rows(reader: sqlite3.Connection, key: str) -> Held:
    found = reader.execute(
        "SELECT resource, amount, settled FROM ledger WHERE key = ? OR key LIKE ? || '/%'", (key, key)
    ).fetchall()
    return {resource: (amount, settled) for resource, amount, settled in found}


class Model:
    """What each key must hold, worked out from the answers alone."""

    def __init__(self) -> None:
        self.keys: dict[str, Held] = {}

    def foretell(self, order: Order) -> str:
        """What is answered to an order if nobody else is at work on its run: neither too much is granted nor too little."""
        if order.what != "reserve" or self.keys.get(order.key):
            return "done"
        for limit in order.limits:
            asked = sum(order.amounts.get(name, 0) for name in limit.resources)
            taken = sum(rows[name][0] for rows in self.keys.values() for name in limit.resources if name in rows)
            if asked and taken + asked > limit.amount:
                return "refused"
        return "done"

    def learn(self, order: Order, answer: str, rows: Held, foretold: str = "") -> bool:
        """Take an answer in, and hold the key's rows to it; whether a reservation was left over by a death."""
        before = self.keys.get(order.key, {})
        after = (
            before
            if "refused" in (answer, foretold) or (answer == "died" and order.dies == "middle")
            else _then(order, before)
        )
        if answer == "died" and order.dies == "after" and order.what == "reserve" and not before:
            assert rows == after if foretold else rows in ({}, after), "all that was asked for is held, or nothing"
            after = rows
        if answer == "died" and order.dies == "middle" and order.what == "charge":
            after = before
        assert rows == after, order
        self.keys[order.key] = after
        return answer == "died" and any(not settled for _, settled in after.values())

    def check(self, reader: sqlite3.Connection, run: str, usd: int, tokens: int) -> None:
        """The sums of the run are those of its keys, and within its limits."""
        ledger = Ledger(Path(reader.execute("PRAGMA database_list").fetchone()[2]))
        table = {}
        for node_amounts in ledger.table(run).values():
            table |= {name: table.get(name, 0) + amount for name, amount in node_amounts.items()}
        for name in ("usd_micros", "input_tokens", "output_tokens", "milliseconds"):
            assert table.get(name, 0) == sum(rows[name][0] for rows in self.keys.values() if name in rows)
        assert table.get("usd_micros", 0) <= usd
        assert table.get("input_tokens", 0) + table.get("output_tokens", 0) <= tokens
        held = {key for key, rows in self.keys.items() if any(not settled for _, settled in rows.values())}
        assert {row.key for row in ledger.open(run)} == held


def _then(order: Order, before: Held) -> Held:
    """What a key holds after an order that was done."""
    if order.what == "charge":
        return before or {name: (amount, 1) for name, amount in order.amounts.items()}
    if order.what == "reserve":
        return before or {name: (amount, 0) for name, amount in order.amounts.items()}
    if any(settled for _, settled in before.values()) or not before:
        return before
    if order.what == "release":
        return {}
    return {name: (order.amounts.get(name, 0), 1) for name in before}
