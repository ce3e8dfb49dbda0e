"""What a research helper may use: turns of the run's, tokens, money and time of its own, and how they are counted.

The ledger is the truth. A turn is reserved there before it is taken, under a key that is the same after a kill, so that
no turn is counted twice or lost, and helpers at once cannot pass the cap of the run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from trainwright.graph import ledger
from trainwright.graph.database import transaction
from trainwright.graph.ledger import Ledger, Sums
from trainwright.graph.limits import Remaining, limits_at, named
from trainwright.graph.state import Settings
from trainwright.tools.toolbox import Standing

from .boundary import charge_time

__all__ = [
    "at_work",
    "hold_turn",
    "node_of",
    "out_of",
    "release_turn",
    "seconds_left",
    "share",
    "standing_of_helper",
    "sums_of",
    "turns_of",
]

KEPT_BACK = 1
"""Turns that helpers leave to their stage."""

TOKENS = ("input_tokens", "output_tokens")


def node_of(stage: str, begun: int, number: int | str = "") -> str:
    """The node in the ledger of one helper, or without its number the beginning of those of all of one call."""
    return f"research/{stage}/{begun}-{number}"


def sums_of(run: str) -> Sums:
    """What the run has used."""
    with transaction(ledger.SCHEMA) as db:
        return Ledger.sums(db, run)


def turns_of(sums: Sums, beginning: str) -> int:
    """Turns that were taken at the nodes that begin so."""
    return sum(used for (node, name), (used, _) in sums.items() if name == "steps" and node.startswith(beginning))


def share(sums: Sums, settings: Settings, node: str, waiting: int) -> int:
    """Turns of what is left to the run, and the stage, that each of `waiting` helpers may take."""
    left = min((row.left for row in _rows(sums, settings, node) if row.limit.resources[0] == "steps"), default=0)
    return max(0, left - KEPT_BACK) // max(1, waiting)


def out_of(sums: Sums, settings: Settings, node: str, *, paid: bool) -> str:
    """Why a helper may take no further turn, whatever its own count of turns says; empty when it may."""
    wanted = ("milliseconds", *(("usd_micros", *TOKENS) if paid else ()))
    for row in _rows(sums, settings, node):
        taken = row.used + row.held
        if row.limit.resources[0] in wanted and taken and row.used >= row.limit.amount:
            return f"The {named(row.limit)} is reached ({row.limit.say(taken)} used)."
    return ""


def seconds_left(sums: Sums, settings: Settings, node: str) -> float:
    """Seconds of work that the run, and the stage, still have."""
    return _left(_rows(sums, settings, node), "milliseconds") / 1_000


def standing_of_helper(sums: Sums, settings: Settings, node: str, turns: int, most: int, seconds: float) -> Standing:
    """What remains to a helper at this turn."""
    rows = _rows(sums, settings, node)
    own = {name: used for (at, name), (used, _) in sums.items() if at == node}
    unpriced = sum(used for (_, name), (used, _) in sums.items() if name == "unpriced_tokens")
    return Standing(
        steps=turns,
        step_cap=most,
        seconds_left=min(seconds, _left(rows, "milliseconds") / 1_000),
        tokens=sum(own.get(name, 0) for name in TOKENS),
        tokens_left=_left(rows, "input_tokens"),
        usd_micros=own.get("usd_micros", 0),
        usd_micros_left=_left(rows, "usd_micros"),
        unpriced_tokens=unpriced,
    )


def _rows(sums: Sums, settings: Settings, node: str) -> list[Remaining]:
    limits = [limit for limit in limits_at(settings, node) if limit.covers(node)]
    return [Remaining(limit, *limit.taken(sums)) for limit in limits]


def _left(rows: list[Remaining], resource: str) -> int:
    return min((row.left for row in rows if row.limit.resources[0] == resource), default=0)


class _Clock:
    """The time of one run in which helpers are at work, shared among those who are at any moment."""

    def __init__(self) -> None:
        self.now_at_work = 0
        self.each = 0.0
        self.last = time.monotonic()

    def changes(self, by: int) -> float:
        """Somebody begins or ends; the seconds that each who was at work all the time has had so far."""
        now = time.monotonic()
        if self.now_at_work:
            self.each += (now - self.last) / self.now_at_work
        self.last = now
        self.now_at_work += by
        return self.each


_clocks: dict[str, _Clock] = {}
"""Of the runs whose helpers are at work in this process, which are all in one event loop."""


@asynccontextmanager
async def at_work(run: str, node: str) -> AsyncIterator[None]:
    """A helper is at work; its share of the run's time is charged at its end: of a second with three at work, a third."""
    clock = _clocks.setdefault(run, _Clock())
    begun = clock.changes(+1)
    try:
        yield
    finally:
        seconds = clock.changes(-1) - begun
        if not clock.now_at_work:
            _clocks.pop(run, None)
        await asyncio.shield(asyncio.to_thread(charge_time, run, node, seconds))


def hold_turn(run: str, settings: Settings, node: str, turn: int) -> str:
    """Set a turn aside before it is taken (blocking); the key under which it is settled or released.

    Raises:
        LimitReached: the run, or the stage, has no turn left.
    """
    key = _key(run, node, turn)
    limits = [limit for limit in limits_at(settings, node) if limit.resources == ("steps",)]
    Ledger().reserve(run, {"steps": 1}, limits=limits, key=key, node=node)
    return key


def release_turn(run: str, node: str, turn: int) -> None:
    """Give back a turn that a killed process had set aside, if the helper ends without it (blocking)."""
    Ledger().release(_key(run, node, turn))


def _key(run: str, node: str, turn: int) -> str:
    return f"{run}/step/{node}/{turn}"
