"""What rented machines are and cost: Hugging Face's flavours, a catalog laid over them, and time-outs in words.

The table is what is known without asking; a catalog that was fetched elsewhere is read tolerantly, since its shape has
changed before, and what cannot be read in it changes nothing. A price that nobody knows is None with the reason, never
zero. This module fetches nothing and starts nothing.

Source of the flavours: https://huggingface.co/docs/hub/jobs-pricing and https://huggingface.co/docs/hub/spaces-gpus; where
prices were stated differently at different times, the dearer one stands here, since an estimate is an upper bound.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from .terms import Terms

__all__ = [
    "DEFAULT_SECONDS",
    "FLAVOURS",
    "SANDBOX_SECONDS",
    "Estimate",
    "Flavour",
    "estimate",
    "overlaid",
    "parse_timeout",
    "sandbox_estimate",
]

DEFAULT_FLAVOUR = "cpu-basic"
DEFAULT_SECONDS = 1_800.0
DEFAULT_TIMEOUT = "30m"
"""How long a job may take that names no time-out."""

SANDBOX_SECONDS = 3_600.0
"""The window for which a sandbox is paid at once."""

BILLED_SECONDS = 60
"""Jobs and Spaces are billed by the minute."""

MONTH_SECONDS = 31 * 86_400.0
"""No time-out is longer than this."""


@dataclass(frozen=True)
class Flavour:
    """One machine that can be rented.

    Attributes:
        name: as the provider calls it.
        usd_per_hour: of a job; None when nobody knows.
        gpus: how many accelerators it has.
        vram_gb: memory of all its accelerators together, in GB; 0 without one, or where it is not known.
        cpus, ram_gb: virtual cores and memory; 0 where they are not known.
        space_usd_per_hour: of a sandbox (Space), where it differs from a job's price.
        accelerator: the kind of each accelerator, such as T4; empty without one, or where it is not known.
    """

    name: str
    usd_per_hour: Decimal | None
    gpus: int = 0
    vram_gb: int = 0
    cpus: int = 0
    ram_gb: int = 0
    space_usd_per_hour: Decimal | None = None
    accelerator: str = ""

    @property
    def gb_per_accelerator(self) -> int:
        """Memory of one accelerator, in GB: what a model that is not divided must fit into; 0 where it is not known."""
        return self.vram_gb // self.gpus if self.gpus else 0

    def terms(self) -> Terms:
        """What an hour of a job costs on it."""
        return Terms(self.name, self.usd_per_hour, self.gpus, BILLED_SECONDS)


def _table() -> Iterator[Flavour]:
    yield Flavour("cpu-basic", Decimal("0.05"), cpus=2, ram_gb=16, space_usd_per_hour=Decimal(0))
    yield Flavour("cpu-upgrade", Decimal("0.25"), cpus=8, ram_gb=32, space_usd_per_hour=Decimal("0.05"))
    yield Flavour("cpu-performance", Decimal("1.90"), cpus=32, ram_gb=256)
    yield Flavour("cpu-xl", Decimal(1), cpus=16, ram_gb=124)
    yield Flavour("t4-small", Decimal("0.60"), 1, 16, 4, 15, accelerator="T4")
    yield Flavour("t4-medium", Decimal("0.90"), 1, 16, 8, 30, accelerator="T4")
    yield Flavour("l4x1", Decimal(1), 1, 24, 8, 30, accelerator="L4")
    yield Flavour("l4x4", Decimal(4), 4, 96, 48, 186, accelerator="L4")
    yield Flavour("l40sx1", Decimal(2), 1, 48, 8, 62, accelerator="L40S")
    yield Flavour("l40sx4", Decimal("8.30"), 4, 192, 48, 382, accelerator="L40S")
    yield Flavour("l40sx8", Decimal("23.50"), 8, 384, 192, 1_534, accelerator="L40S")
    yield Flavour("a10g-small", Decimal(1), 1, 24, 4, 15, accelerator="A10G")
    yield Flavour("a10g-large", Decimal(2), 1, 24, 12, 46, accelerator="A10G")
    yield Flavour("a10g-largex2", Decimal(4), 2, 48, 24, 92, accelerator="A10G")
    yield Flavour("a10g-largex4", Decimal(8), 4, 96, 48, 184, accelerator="A10G")
    yield Flavour("a100-large", Decimal(4), 1, 80, 12, 142, accelerator="A100")
    yield Flavour("a100x4", Decimal(16), 4, 320, 48, 568, accelerator="A100")
    yield Flavour("a100x8", Decimal(32), 8, 640, 96, 1_136, accelerator="A100")
    yield Flavour("h200", Decimal(10), 1, 141, 23, 256, accelerator="H200")
    yield Flavour("h200x2", Decimal(20), 2, 282, 46, 512, accelerator="H200")
    yield Flavour("h200x4", Decimal(40), 4, 564, 92, 1_024, accelerator="H200")
    yield Flavour("h200x8", Decimal(80), 8, 1_128, 184, 2_048, accelerator="H200")
    yield Flavour("inf2x6", Decimal(6), 6, accelerator="Inferentia2")


FLAVOURS: Mapping[str, Flavour] = {flavour.name: flavour for flavour in _table()}
"""What is known without asking, by name."""

NAMES = ("name", "flavor", "flavour", "id", "hardware", "slug")
PRICES = (
    "usdPerHour", "usd_per_hour", "pricePerHour", "price_per_hour", "hourlyPrice", "hourly_price", "price", "hourly",
    "costPerHour", "cost_per_hour", "amount", "unitCostUSD", "usd",
)  # fmt: skip
NESTED = ("pricing", "billing", "cost", "price")
LISTS = ("hardware", "flavors", "flavours", "items", "data", "results")
_NUMBER = re.compile(r"(?:USD|\$)?\s*(\d+(?:\.\d+)?)\s*(?:USD|\$)?\s*(?:(?:/|per)\s*h(?:r|our)?)?", re.IGNORECASE)


def overlaid(catalog: Any, table: Mapping[str, Flavour] = FLAVOURS) -> dict[str, Flavour]:
    """The flavours of `table` with the prices that a catalog states, and those that it adds.

    Args:
        catalog: parsed JSON: a list of entries, a dictionary that holds one, or a dictionary from name to entry or
            price. Anything else, and every entry without a name or a price, changes nothing.
        table: what is known already.
    """
    found = dict(table)
    for name, entry in _entries(catalog):
        price = _price(entry)
        if name and price is not None:
            found[name] = replace(found.get(name, Flavour(name, None)), usd_per_hour=price)
    return found


def _entries(catalog: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(catalog, Mapping):
        inner = next((catalog[key] for key in LISTS if isinstance(catalog.get(key), list | dict)), None)
        if inner is not None:
            yield from _entries(inner)
        else:
            yield from ((str(name), entry) for name, entry in catalog.items())
    elif isinstance(catalog, list):
        for entry in catalog:
            if isinstance(entry, Mapping):
                yield next((str(entry[key]) for key in NAMES if isinstance(entry.get(key), str)), ""), entry


def _price(entry: Any) -> Decimal | None:
    """Dollars an hour in an entry, or None."""
    if not isinstance(entry, Mapping):
        return _amount(entry)
    for key in PRICES:
        if (amount := _amount(entry.get(key))) is not None:
            return amount
    inner = [_price(entry[key]) for key in NESTED if isinstance(entry.get(key), Mapping)]
    return next((amount for amount in inner if amount is not None), None)


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value.strip())
        value = match[1] if match else "nan"
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_TIMEOUT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([smhd]?)", re.ASCII)


def parse_timeout(value: Any) -> float | None:
    """Seconds of a time-out: `90s`, `30m`, `3h`, `1.5h`, `1d`, a bare number of seconds; the default for nothing.

    None when it is none: zero, negative, a word, a unit that is not s, m, h or d, or longer than a month.
    """
    if value is None or value == "":
        return DEFAULT_SECONDS
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = _TIMEOUT.fullmatch(value.strip()) if isinstance(value, str) else None
    if isinstance(value, str) and match is None:
        return None
    try:
        seconds = float(match[1]) * _UNITS[match[2] or "s"] if match else float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) and 0 < seconds <= MONTH_SECONDS else None


class Estimate(NamedTuple):
    """What something may cost at most.

    Attributes:
        usd: dollars; None when nobody knows.
        billable: whether it may cost at all; True as long as nobody knows that it does not.
        gpu_hours: of its time-out.
        reason: how it was found, or why it is not known.
    """

    usd: Decimal | None
    billable: bool
    gpu_hours: Decimal
    reason: str


def estimate(
    flavour: str = DEFAULT_FLAVOUR, timeout: Any = None, flavours: Mapping[str, Flavour] = FLAVOURS
) -> Estimate:
    """What a job may cost at most: its price for its whole time-out, rounded up to the billed minute."""
    seconds, machine = parse_timeout(timeout), flavours.get(flavour or DEFAULT_FLAVOUR)
    if seconds is None:
        return Estimate(None, True, Decimal(0), f"The time-out {timeout!r} cannot be read; give one such as 30m or 3h.")
    if machine is None or machine.usd_per_hour is None:
        return Estimate(None, True, Decimal(0), f"Nobody knows the price of the hardware {flavour!r}.")
    return _estimate(machine.terms(), seconds)


def sandbox_estimate(
    flavour: str = DEFAULT_FLAVOUR, *, exists: bool = False, flavours: Mapping[str, Flavour] = FLAVOURS
) -> Estimate:
    """What a sandbox costs for the first hour; nothing when there is one already."""
    machine = flavours.get(flavour or DEFAULT_FLAVOUR)
    if exists:
        return Estimate(Decimal(0), False, Decimal(0), "There is a sandbox already.")
    if machine is None:
        return Estimate(None, True, Decimal(0), f"Nobody knows the price of the hardware {flavour!r}.")
    special = machine.space_usd_per_hour
    terms = machine.terms() if special is None else machine.terms()._replace(usd_per_hour=special)
    if terms.usd_per_hour is None:
        return Estimate(None, True, Decimal(0), f"Nobody knows the price of the hardware {flavour!r}.")
    return _estimate(terms, SANDBOX_SECONDS)


def _estimate(terms: Terms, seconds: float) -> Estimate:
    micros = terms.usd_micros(seconds)
    assert micros is not None, "the price is known here"
    reason = f"{terms.name} at ${terms.usd_per_hour} an hour for up to {terms.billed(seconds) / 60:g} minutes"
    gpu_hours = Decimal(terms.gpu_milliseconds(seconds)) / 3_600_000
    return Estimate(Decimal(micros) / 1_000_000, micros > 0, gpu_hours, reason)
