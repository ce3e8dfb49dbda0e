"""Amounts of what is limited: their integers, their words, and the flag that raises a limit.

A resource is counted in its smallest unit, so that sums are exact: dollars in micro-dollars, time in milliseconds. What
a person sets in dollars or hours is converted through its decimal digits, never through binary fractions: down where
it is a limit, up where it is a cost. This module knows no run and no limit.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

__all__ = [
    "HOUR",
    "MICROS",
    "RESOURCES",
    "ceiling",
    "flag",
    "floor",
    "raised",
    "say",
]

RESOURCES = (
    "steps", "milliseconds", "input_tokens", "cached_tokens", "output_tokens", "unpriced_tokens", "usd_micros",
    "gpu_milliseconds",
)  # fmt: skip
"""All that the ledger counts. `cached_tokens` are a part of `input_tokens`; `unpriced_tokens` those, in and out, of
calls that nobody has a price for; `usd_micros` is all money, and the entry's node tells what for."""

MICROS = 1_000_000
"""Micro-dollars of a dollar."""

HOUR = 3_600_000
"""Milliseconds of an hour."""

UNITS = {"usd": MICROS, "hours": HOUR, "gpu_hours": HOUR, "tokens": 1, "step_cap": 1}
"""Smallest units in one unit of a setting, by how its name ends."""


def floor(value: float | Decimal, unit: int) -> int:
    """`value` in smallest units, `unit` of them in one; rounded down, as a limit is."""
    return int((Decimal(str(value)) * unit).to_integral_value(ROUND_FLOOR))


def ceiling(value: float | Decimal, unit: int) -> int:
    """`value` in smallest units, `unit` of them in one; rounded up, as a cost is."""
    return int((Decimal(str(value)) * unit).to_integral_value(ROUND_CEILING))


def say(resource: str, amount: int) -> str:
    """An amount in words: `$1.20`, `3 hours`, `0.5 GPU-hours`, `12,000 tokens`, `300 steps`."""
    if resource == "usd_micros":
        return _dollars(amount)
    if resource == "milliseconds":
        return _counted(amount, HOUR, "hour") if amount >= HOUR // 10 else _counted(amount, 1_000, "second")
    if resource == "gpu_milliseconds":
        return _counted(amount, HOUR, "GPU-hour")
    return f"{amount:,} {'step' if resource == 'steps' else 'token'}{'' if amount == 1 else 's'}"


def _dollars(micros: int) -> str:
    whole, part = divmod(micros, MICROS)
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"${whole:,}.{digits}"


def _counted(amount: int, unit: int, word: str) -> str:
    number = f"{amount / unit:,.3f}".rstrip("0").rstrip(".")
    return f"{number} {word}{'' if number == '1' else 's'}"


def raised(setting: str, amount: int, needed: int) -> str:
    """A value for `setting` that is enough for `needed` and at least twice `amount`, as one types it."""
    unit = UNITS[next(end for end in UNITS if setting.endswith(end))]
    wanted = Decimal(max(2 * amount, needed)) / unit
    if unit == 1:
        return f"{wanted:f}"
    return f"{wanted.quantize(Decimal('0.01'), ROUND_CEILING):f}".rstrip("0").rstrip(".")


def flag(setting: str, value: str) -> str:
    """The flag of the terminal that sets a limit: `--max-usd 10`, or `--stage-limit plan.max_usd=10`."""
    first, _, rest = setting.partition(".")
    return f"--stage-limit {rest}={value}" if first == "stages" else f"--{setting.replace('_', '-')} {value}"
