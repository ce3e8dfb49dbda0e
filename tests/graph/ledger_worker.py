"""A process that works on the ledger as it is told over a pipe, and dies where it is told to.

It lives as long as nobody kills it: thousands of commands. `dies` says where: `middle` is inside the transaction, after
its first row was written; `after` is behind the commit, before anybody learns of it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from sqlite3 import Connection as Database
from typing import Any, NamedTuple

from trainwright.graph import ledger as ledgers
from trainwright.graph.database import transaction
from trainwright.graph.errors import LimitReached
from trainwright.graph.ledger import Ledger, Limit

__all__ = ["Order", "serve"]


class Order(NamedTuple):
    """What a worker is told: `what` is reserve, settle, release or charge; `dies` is empty, middle or after."""

    what: str
    run: str
    key: str
    amounts: dict[str, int]
    limits: tuple[Limit, ...] = ()
    dies: str = ""


class Dying:
    """A connection that kills its process behind the first statement that changes a row."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def execute(self, *arguments: Any) -> Any:
        done = self.db.execute(*arguments)
        if self.db.total_changes:
            die()
        return done


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def _dying(*arguments: Any, **more: Any) -> Iterator[Any]:
    with transaction(*arguments, **more) as db:
        yield Dying(db)


def serve(pipe: Connection, path: str) -> None:
    """Do what comes over the pipe, and answer `done` or `refused` to each."""
    ledger = Ledger(Path(path))
    while True:
        try:
            order: Order = pipe.recv()
        except EOFError:
            return
        ledgers.transaction = _dying if order.dies == "middle" else transaction  # type: ignore[attr-defined]
        answer = _do(ledger, order)
        if order.dies:
            die()
        pipe.send(answer)


def _do(ledger: Ledger, order: Order) -> str:
    if order.what == "settle":
        ledger.settle(order.key, order.amounts)
    elif order.what == "release":
        ledger.release(order.key)
    elif order.what == "charge":
        ledger.charge(order.run, "milliseconds", order.amounts["milliseconds"], key=order.key, durable=False)
    else:
        try:
            ledger.reserve(order.run, order.amounts, limits=order.limits, key=order.key, node="plan")
        except LimitReached:
            return "refused"
    return "done"
