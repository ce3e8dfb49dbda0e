"""What a training job may take: its time-out, its dollars, its GPU-hours; what is held of them, and what it really used.

One place knows how a job's reservation is made, so that what a person approves, what the ledger holds and what is
settled are the same. A price that nobody knows is asked of a person and never taken to be zero. This module starts no
job.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

from trainwright.graph import ledger as ledgers
from trainwright.graph.amounts import say
from trainwright.graph.database import transaction
from trainwright.graph.errors import LimitReached, NeedsPerson
from trainwright.graph.ledger import Ledger, Sums
from trainwright.graph.limits import Remaining, limits_of, remaining
from trainwright.graph.settings import run_path
from trainwright.graph.state import Settings, State
from trainwright.tools.jobs import JobEngine, LocalEngine, Terms

__all__ = [
    "engine_for",
    "hold",
    "hold_again",
    "job_estimate",
    "job_folder",
    "most_for_plan",
    "settle",
    "settle_in_full",
    "terms_of",
    "used_of",
]

NODE = "watch_job"
"""The node under which the ledger has what jobs use."""

LEAST_SECONDS = 900.0
"""No job is given less, unless the run itself has less left."""

MARGIN = 10.0
"""How many times the estimate of its smoke test a job may take."""

DEAREST = Decimal(10_000)
"""Dollars an hour above which an answer is taken for a slip."""


def job_folder(run: str, attempt: int) -> Path:
    """The folder of an attempt's job."""
    return run_path(run) / "attempts" / str(attempt) / "job"


def engine_for(run: str, attempt: int) -> JobEngine:
    """The engine that runs the job of an attempt."""
    return LocalEngine(job_folder(run, attempt))


def terms_of(state: State, settings: Settings) -> Terms:
    """The terms of the job of this attempt; a price that only a person knows is their answer.

    Raises:
        NeedsPerson: nobody knows the price, or the answer is none.
    """
    terms = engine_for(state.run, state.attempt).terms(settings)
    if terms.usd_per_hour is not None:
        return terms
    key = f"price:{terms.name}"
    answer = state.answers.get(key)
    price = None if answer is None else _dollars(answer)
    if price is not None:
        return terms._replace(usd_per_hour=price)
    wrong = "" if answer is None else f"{answer[:40]!r} is no price. "
    raise NeedsPerson(
        f"{wrong}Nobody knows what an hour of a job on {terms.name} costs, so none was started. What does it cost, "
        "in US dollars an hour?",
        key=key,
        hint="Answer a number such as 1.50, or 0 if it is free.",
    )


def _dollars(answer: str) -> Decimal | None:
    try:
        price = Decimal(answer.strip().removeprefix("$").strip())
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price <= DEAREST else None


def hold(state: State, settings: Settings, key: str) -> float:
    """Hold in the ledger what the job `key` may take; the seconds that it may. Held before: what was held then.

    Raises:
        LimitReached: it does not fit into a limit; nothing is held.
        NeedsPerson: nobody knows its price.
    """
    ledger = Ledger()
    if (held := ledger.held(key)) is not None:
        return held.get("milliseconds", 0) / 1_000
    terms, sums = terms_of(state, settings), _sums(state.run)
    milliseconds = _allowance(state, settings, sums)
    if milliseconds <= 0:
        hours = settings.max_hours
        text = f"No time is left for a training job: the limit is {hours:g} hours. All work is kept."
        hint = f"`trainwright resume {state.run} --max-hours {hours * 2:g}` goes on."
        raise LimitReached("max_hours", text, hint=hint)
    ledger.reserve(state.run, _amounts(terms, milliseconds), limits=limits_of(settings), key=key, node=NODE)
    return milliseconds / 1_000


def _allowance(state: State, settings: Settings, sums: Sums) -> int:
    """Milliseconds that the job may take: a multiple of what it is expected to, within the time that is left."""
    assert state.sandbox is not None
    wanted = int(max(LEAST_SECONDS, MARGIN * state.sandbox.estimated_seconds) * 1_000)
    return min(wanted, *(row.left for row in remaining(sums, settings) if _times_jobs(row)))


def _times_jobs(row: Remaining) -> bool:
    return "milliseconds" in row.limit.resources and row.limit.covers(NODE)


def _amounts(terms: Terms, milliseconds: int) -> dict[str, int]:
    """What a job of that length takes at most, by resource; nothing of what it does not use."""
    usd = terms.usd_micros(milliseconds / 1_000)
    assert usd is not None, "an unknown price was asked for"
    found = {"milliseconds": milliseconds, "usd_micros": usd, "gpu_milliseconds": terms.gpus * milliseconds}
    return {name: amount for name, amount in found.items() if amount or name == "milliseconds"}


def used_of(held: Mapping[str, int], seconds: float, unit_seconds: int) -> dict[str, int]:
    """What a job used of what was held for it: its real time, and dollars and GPUs at the terms of the reservation.

    Args:
        held: the reservation, by resource.
        seconds: that the job ran.
        unit_seconds: the billing unit, up to which its time is rounded.
    """
    ran, allowed = int(round(seconds * 1_000, 3)), held.get("milliseconds", 0)
    if not allowed:
        return {"milliseconds": ran}
    unit = Terms("", None, unit_seconds=unit_seconds)
    paid = Fraction(unit.billed(ran / 1_000), unit.billed(allowed / 1_000))
    used = {
        "milliseconds": ran,
        "usd_micros": math.ceil(held.get("usd_micros", 0) * paid),
        "gpu_milliseconds": math.ceil(Fraction(held.get("gpu_milliseconds", 0) * ran, allowed)),
    }
    return {name: amount for name, amount in used.items() if name in held}


def settle(key: str, seconds: float, unit_seconds: int = 1) -> None:
    """Replace what is held for a job by what it used; nothing happens if that was done, or nothing is held."""
    ledger = Ledger()
    if (held := ledger.held(key)) is not None:
        ledger.settle(key, used_of(held, seconds, unit_seconds))


def settle_in_full(key: str) -> None:
    """The same for a job of which nobody knows how long it ran: all that was held is taken as used."""
    ledger = Ledger()
    if (held := ledger.held(key)) is not None:
        ledger.settle(key, held)


def hold_again(run: str, settings: Settings, key: str, number: int, seconds: float, unit_seconds: int) -> None:
    """Before a lost job is started again: what it used so far is used, and as much as at first stays held.

    Args:
        run, settings: whose job, with its limits.
        key: of its reservation.
        number: how often it was lost.
        seconds: that it ran this time.
        unit_seconds: the billing unit.

    Raises:
        LimitReached: both together do not fit into a limit.
    """
    ledger = Ledger()
    used = used_of(ledger.held(key) or {}, seconds, unit_seconds)
    lost = f"{key}/lost/{number}"
    ledger.reserve(run, used, limits=limits_of(settings), key=lost, node=NODE)
    ledger.settle(lost, used)


def most_for_plan(state: State, settings: Settings) -> int | None:
    """Micro-dollars that the job of the plan would hold by the plan's own estimate; None where nobody knows the price."""
    assert state.plan is not None
    seconds = max(LEAST_SECONDS, MARGIN * state.plan.seconds)
    return engine_for(state.run, state.attempt).terms(settings).usd_micros(seconds)


def job_estimate(state: State, settings: Settings) -> dict[str, Any]:
    """What the job of this attempt would hold if it were submitted now, and what every limit would still leave.

    `usd` is None where nobody knows the price. The amounts are of this moment, so that nothing may bind to them.

    Returns:
        `where`, `hours`, `usd`, `usd_per_hour`, `gpu_hours`, `text` (one sentence), and `limits`: for each limit that
        bears on a job `limit` (the setting), `of`, `used`, `held`, `left` (before it) in words, and `fits`.
    """
    sums, terms = _sums(state.run), engine_for(state.run, state.attempt).terms(settings)
    answer = state.answers.get(f"price:{terms.name}")
    if terms.usd_per_hour is None and answer is not None:
        terms = terms._replace(usd_per_hour=_dollars(answer))
    milliseconds = _allowance(state, settings, sums)
    seconds = milliseconds / 1_000
    usd, gpu = terms.usd_micros(seconds), terms.gpu_milliseconds(seconds)
    amounts = {"milliseconds": milliseconds, "usd_micros": usd or 0, "gpu_milliseconds": gpu}
    rows = [_limit_row(row, amounts) for row in remaining(sums, settings) if _bears(row)]
    return {
        "where": terms.name,
        "hours": round(seconds / 3_600, 4),
        "usd": None if usd is None else usd / 1e6,
        "usd_per_hour": None if terms.usd_per_hour is None else float(terms.usd_per_hour),
        "gpu_hours": gpu / 3_600_000,
        "text": _said(terms, milliseconds, usd, gpu),
        "limits": rows,
    }


def _bears(row: Remaining) -> bool:
    return row.limit.covers(NODE) and row.limit.resources[0] in ("milliseconds", "usd_micros", "gpu_milliseconds")


def _limit_row(row: Remaining, amounts: Mapping[str, int]) -> dict[str, Any]:
    limit = row.limit
    words = {"of": limit.amount, "used": row.used, "held": row.held, "left": row.left}
    fits = limit.asked(amounts, NODE) <= row.left
    return {"limit": limit.setting, **{name: limit.say(amount) for name, amount in words.items()}, "fits": fits}


def _said(terms: Terms, milliseconds: int, usd: int | None, gpu: int) -> str:
    """The estimate in one sentence."""
    cost = "nobody knows what it costs" if usd is None else "it costs nothing" if not usd else f"up to {_price(usd)}"
    gpus = f", {say('gpu_milliseconds', gpu)}" if gpu else ""
    return f"On {terms.name}, for at most {say('milliseconds', milliseconds)}{gpus}: {cost}."


def _price(usd: int) -> str:
    return say("usd_micros", usd)


def _sums(run: str) -> Sums:
    with transaction(ledgers.SCHEMA) as db:
        return Ledger.sums(db, run)
