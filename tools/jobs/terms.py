"""What an hour of a job costs and how it is billed, in exact integers.

A job is paid for whole billing units, so its seconds are rounded up to them, and its dollars up to a micro-dollar.
This module knows no engine and no run.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

__all__ = ["Terms"]

HOUR_SECONDS = 3_600
MICROS = 1_000_000


class Terms(NamedTuple):
    """The terms of a job.

    Attributes:
        name: what is paid for: the engine, or the machine that it rents.
        usd_per_hour: None when nobody knows.
        gpus: accelerators that a job holds.
        unit_seconds: the billing unit.
    """

    name: str
    usd_per_hour: Decimal | None
    gpus: int = 0
    unit_seconds: int = 1

    def billed(self, seconds: float) -> int:
        """Seconds that are paid for: `seconds` (to the millisecond) rounded up to the billing unit."""
        return math.ceil(Fraction(_milliseconds(seconds), 1_000 * self.unit_seconds)) * self.unit_seconds

    def usd_micros(self, seconds: float) -> int | None:
        """Micro-dollars for that long, rounded up; None when nobody knows the price."""
        if self.usd_per_hour is None:
            return None
        return math.ceil(Fraction(self.usd_per_hour) * self.billed(seconds) * MICROS / HOUR_SECONDS)

    def gpu_milliseconds(self, seconds: float) -> int:
        """Milliseconds of accelerators: those of two for a second are two thousand."""
        return self.gpus * _milliseconds(seconds)


def _milliseconds(seconds: float) -> int:
    """Whole milliseconds; `Decimal` of the text, since 0.1 seconds are 100 of them and not one more."""
    return math.ceil(Decimal(str(seconds)) * 1_000)
