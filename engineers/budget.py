"""Every call of a model is reserved in the ledger before it is sent, and settled when it is over.

What is reserved is the most that the call can take: the request's tokens, estimated cautiously, an answer as long as it
may be, and their price. Where that does not fit into a limit, a shorter answer is asked for as long as it is of use. A
reservation that a killed process left behind is settled in full when the run goes on: nobody knows what that call
cost. This module sends nothing and knows no provider.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from trainwright.graph.amounts import say
from trainwright.graph.errors import LimitReached
from trainwright.graph.ledger import Ledger, Reservation
from trainwright.graph.limits import limits_at
from trainwright.graph.state import Settings

from .pricing import Cost, Usage

__all__ = ["LEAST", "Reserved", "reserve", "settle_left"]

LEAST = 2_048
"""Tokens below which a shortened answer is of no use: no script fits into less."""

_under_way: set[str] = set()
"""Calls of this process: theirs are the reservations that nobody left behind."""
_lock = threading.Lock()


@dataclass
class Reserved:
    """What is held for one call.

    Attributes:
        key: of the reservation.
        amounts: what is held, by resource.
        answer: tokens that the answer may have.
        cost: what the call costs.
    """

    key: str
    amounts: dict[str, int]
    answer: int
    cost: Cost

    def settle(self, usage: Usage) -> int | None:
        """Replace the reservation by what was used; its micro-dollars, None where there is no price."""
        used = _amounts(self.cost, usage)
        if "usd_micros" in self.amounts and "usd_micros" not in used:
            used["usd_micros"] = self.amounts["usd_micros"]  # the list fails on these figures: never zero
            used.pop("unpriced_tokens", None)
        if usage.cached:
            used["cached_tokens"] = usage.cached
        try:
            Ledger().settle(self.key, used)
        finally:
            self._over()
        return used.get("usd_micros")

    def release(self) -> None:
        """Give it back: the call took nothing."""
        try:
            Ledger().release(self.key)
        finally:
            self._over()

    def _over(self) -> None:
        with _lock:
            _under_way.discard(self.key)


def reserve(
    run: str, stage: str, name: str, settings: Settings, cost: Cost, *, read: int, answer: int, least: int = LEAST
) -> Reserved:
    """Hold what one call may take at most; of a shorter answer where the whole does not fit.

    Args:
        run, stage: whose call it is; of a research helper its node in the ledger.
        name: the model's, for the message.
        settings: with the limits.
        cost: what calls of the model cost.
        read: tokens of the request, at most.
        answer: tokens of the answer, at most.
        least: tokens to which the answer may be shortened.

    Raises:
        LimitReached: not even the shortest answer fits; nothing is held.
    """
    key, limits = f"{run}/call/{stage}/{uuid.uuid4()}", limits_at(settings, stage)
    with _lock:
        _under_way.add(key)
    try:
        for wrote in _shorter(answer, least):
            amounts = _amounts(cost, Usage(read, wrote), most=True)
            try:
                Ledger().reserve(run, amounts, limits=limits, key=key, node=stage)
            except LimitReached as error:
                refused, tried = error, wrote
            else:
                return Reserved(key, amounts, wrote, cost)
        raise LimitReached(
            refused.limit,
            f"A call of {name} was not made: it may read {read:,} tokens and write {tried:,}. {refused.message}",
            hint=refused.hint,
        )
    except BaseException:
        with _lock:
            _under_way.discard(key)
        raise


def settle_left(run: str) -> list[str]:
    """Settle in full what a killed process left reserved for calls; a sentence about each, for a person."""
    ledger = Ledger()
    held = [one for one in ledger.open(run) if one.key.startswith(f"{run}/call/")]
    with _lock:  # after the look: a call is put down here before it is reserved
        left = [one for one in held if one.key not in _under_way]
    for one in left:
        ledger.settle(one.key, one.amounts)
    return [_told(one) for one in left]


def _told(one: Reservation) -> str:
    amounts = one.amounts
    tokens = say("input_tokens", amounts.get("input_tokens", 0) + amounts.get("output_tokens", 0))
    dollars = f" and {say('usd_micros', amounts['usd_micros'])}" if "usd_micros" in amounts else ""
    return (
        f"A call of a model in {one.node} was under way when the run was killed. Nobody knows what it took, so all "
        f"that was set aside for it counts as used: {tokens}{dollars}."
    )


def _shorter(answer: int, least: int) -> Iterator[int]:
    """The answer's length, and ever shorter ones down to `least`."""
    yield answer
    while answer > least:
        answer = max(least, answer // 2)
        yield answer


def _amounts(cost: Cost, usage: Usage, *, most: bool = False) -> dict[str, int]:
    """What a call takes of each resource; at `most`, if the provider also writes all of it into its cache."""
    amounts = {"input_tokens": usage.input, "output_tokens": usage.output}
    found = cost(usage)
    if most and found is not None:
        found = max(found, cost(usage._replace(written=usage.input)) or 0)
    return amounts | ({"unpriced_tokens": usage.input + usage.output} if found is None else {"usd_micros": found})
