"""What the cards of the process's gates have in common: whose account pays, what it costs, what remains, what changed.

Pure functions of the state, but for a look at the ledger. No gate is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.graph import ledger as ledgers
from trainwright.graph.amounts import say
from trainwright.graph.database import transaction
from trainwright.graph.ledger import Ledger
from trainwright.graph.limits import remaining
from trainwright.graph.state import Settings, State
from trainwright.tools.jobs import Terms

from .estimates import engine_for

__all__ = ["PLACE", "changed", "cost", "payer", "standing", "terms"]

Card = dict[str, Any]

PLACE = "this machine"


def cost(usd_micros: int | None) -> str:
    if usd_micros is None:
        return "nobody knows what it costs"
    return f"up to {say('usd_micros', usd_micros)}" if usd_micros else "no cost"


def payer(state: State) -> str:
    """Whose account pays for what a gate of the process lets happen."""
    settings, job = state.settings or Settings(), terms(state)
    if job.usd_per_hour is None:
        machine = f"you, for {job.name}, at a price that nobody knows"
    elif job.usd_per_hour:
        machine = f"you, for {job.name}, at ${job.usd_per_hour:f} an hour"
    else:
        machine = f"nobody: {job.name} costs nothing"
    if settings.engineer == "recipes":
        return machine
    return f"{machine}; calls of {settings.engineer} are paid by the account of its key"


def terms(state: State) -> Terms:
    """The terms of the attempt's job as the engine itself knows them, so that no answer changes what was approved."""
    return engine_for(state.run, state.attempt).terms(state.settings or Settings())


def standing(state: State) -> Card:
    """What remains of each limit; it changes by itself."""
    with transaction(ledgers.SCHEMA) as db:
        sums = Ledger.sums(db, state.run)
    rows = remaining(sums, state.settings or Settings())
    return {"remains": [f"{row.limit.say(row.left)} ({row.limit.setting})" for row in rows]}


def changed(names: Sequence[str], before: Card | None, card: Card) -> list[str]:
    """What differs from what was last agreed to, a line each."""
    if before is None:
        return []
    return [
        f"{name}: {_short(before.get(name))} → {_short(card.get(name))}"
        for name in names
        if before.get(name) != card.get(name)
    ]


def _short(value: Any) -> str:
    text = "nothing" if value in (None, "", [], {}) else " ".join(str(value).split())
    return text if len(text) <= 160 else f"{text[:157]}..."
