"""The run's budget between two turns: what is used, and the warnings that a limit is near.

One look reads the sums and keeps which thresholds were passed, in one transaction; each passed one becomes an event.
This module ends nothing: a limit that is reached ends the run in `think`, one that would be passed where it is reserved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.graph import ledger, thresholds
from trainwright.graph.amounts import HOUR, MICROS
from trainwright.graph.database import transaction
from trainwright.graph.events import emit
from trainwright.graph.ledger import Ledger, Sums
from trainwright.graph.limits import Remaining, named, remaining
from trainwright.graph.state import Settings
from trainwright.graph.thresholds import PERCENTS, Passed
from trainwright.tools.toolbox import Standing

from .notices import notice_of_budget

__all__ = ["emit_all", "standing_of", "warn", "watch"]

UNITS = {"usd_micros": MICROS, "milliseconds": HOUR, "gpu_milliseconds": HOUR}


def watch(run: str, settings: Settings) -> list[dict[str, Any]]:
    """The thresholds that were passed since the last look, as the details of their events."""
    with transaction(ledger.SCHEMA + thresholds.SCHEMA) as db:
        passed = thresholds.newly_passed(db, run, remaining(Ledger.sums(db, run), settings))
    return warn(run, passed)


def warn(run: str, passed: Sequence[Passed]) -> list[dict[str, Any]]:
    """Details of the events of `passed`, of which whoever the configuration names is notified."""
    for limit, _, percent in passed:
        notice_of_budget(run, limit.setting, percent, limit.amount)
    return [_details(one) for one in passed]


def emit_all(run: str, found: list[dict[str, Any]]) -> None:
    """Send the events."""
    for details in found:
        emit("budget", run, **details)


def _details(passed: Passed) -> dict[str, Any]:
    """`used` and `of` in the setting's own unit: dollars, hours, tokens or steps."""
    limit, unit = passed.limit, UNITS.get(passed.limit.resources[0], 1)
    used, of = (amount if unit == 1 else amount / unit for amount in (passed.used, limit.amount))
    text = f"{passed.percent} % of the {named(limit)} is used: {limit.say(passed.used)}."
    return {"limit": limit.setting, "used": used, "of": of, "percent": passed.percent, "text": text}


def standing_of(stage: str, steps: int, sums: Sums, settings: Settings) -> Standing:
    """What remains to the run at a turn of a stage, the limits of that stage included."""
    rows = [row for row in remaining(sums, settings) if row.limit.covers(stage)]
    used = {name: sum(pair[0] for (_, key), pair in sums.items() if key == name) for name in COUNTED}
    return Standing(
        steps=steps,
        step_cap=settings.step_cap,
        seconds_left=_left(rows, "milliseconds") / 1_000,
        tokens=used["input_tokens"] + used["output_tokens"],
        tokens_left=_left(rows, "input_tokens"),
        usd_micros=used["usd_micros"],
        usd_micros_left=_left(rows, "usd_micros"),
        gpu_seconds_left=_left(rows, "gpu_milliseconds") / 1_000,
        unpriced_tokens=used["unpriced_tokens"],
        near=[_near(row) for row in rows if row.used * 100 >= PERCENTS[1] * row.limit.amount > 0],
    )


COUNTED = ("input_tokens", "output_tokens", "usd_micros", "unpriced_tokens")


def _left(rows: list[Remaining], resource: str) -> int:
    """The least that any of the limits on a resource leaves."""
    return min((row.left for row in rows if row.limit.resources[0] == resource), default=0)


def _near(row: Remaining) -> str:
    return f"{row.limit.say(row.left)} of the {named(row.limit)} left"
