"""What a research helper may use: turns of the run's, tokens, money and time of its own, and how they are counted.

The ledger is the truth. A turn is reserved there before it is taken, under a key that is the same after a kill, so that
no turn is counted twice or lost, and helpers at once cannot pass the cap of the run.
"""

from __future__ import annotations

import time

from trainwright.graph import ledger
from trainwright.graph.database import transaction
from trainwright.graph.ledger import Ledger, Sums
from trainwright.graph.limits import Remaining, limits_at, named
from trainwright.graph.state import Settings
from trainwright.tools.toolbox import Standing

from .boundary import charge_time

__all__ = ["HeldTurn", "allowance", "hold_turn", "node_of", "out_of", "standing_of_helper", "sums_of", "turns_of"]

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


def allowance(sums: Sums, settings: Settings, node: str, waiting: int) -> int:
    """Turns that each of `waiting` helpers may take: its own limit, or its share of what is left to the run."""
    left = min((row.left for row in _rows(sums, settings, node) if row.limit.resources[0] == "steps"), default=0)
    return min(settings.research_turns, max(0, left - KEPT_BACK) // max(1, waiting))


def out_of(sums: Sums, settings: Settings, node: str, *, paid: bool) -> str:
    """Why a helper may take no further turn, whatever its own count of turns says; empty when it may."""
    wanted = ("milliseconds", *(("usd_micros", *TOKENS) if paid else ()))
    for row in _rows(sums, settings, node):
        taken = row.used + row.held
        if row.limit.resources[0] in wanted and taken and row.used >= row.limit.amount:
            return f"The {named(row.limit)} is reached ({row.limit.say(taken)} used)."
    return ""


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


class HeldTurn:
    """One turn of a helper that is set aside before it is taken; counts itself once, however often it is taken again."""

    def __init__(self, run: str, node: str, turn: int, together: int) -> None:
        self.run, self.node, self.together = run, node, together
        self.key = f"{run}/step/{node}/{turn}"
        self.started = time.monotonic()

    def taken(self) -> float:
        """Count it; the seconds that it took. Helpers at work at once share the run's time."""
        Ledger().settle(self.key, {"steps": 1})
        return self._spent()

    def not_taken(self) -> float:
        """Give it back; the seconds that were spent on it."""
        Ledger().release(self.key)
        return self._spent()

    def _spent(self) -> float:
        seconds = time.monotonic() - self.started
        charge_time(self.run, self.node, seconds / self.together)
        return seconds


def hold_turn(run: str, settings: Settings, node: str, turn: int, together: int) -> HeldTurn:
    """Set a turn aside (blocking).

    Raises:
        LimitReached: the run, or the stage, has no turn left.
    """
    held = HeldTurn(run, node, turn, together)
    limits = [limit for limit in limits_at(settings, node) if limit.resources == ("steps",)]
    Ledger().reserve(run, {"steps": 1}, limits=limits, key=held.key, node=node)
    return held
