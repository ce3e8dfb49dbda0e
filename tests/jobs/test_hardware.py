"""What machines cost: exact integers, tolerant reading of catalogs, and a price that nobody knows is never zero."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.graph.state import Settings
from trainwright.tools.jobs import LocalEngine, Terms
from trainwright.tools.jobs.hardware import FLAVOURS, estimate, overlaid, parse_timeout, sandbox_estimate


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 1_800), ("", 1_800), ("90s", 90), ("30m", 1_800), ("3h", 10_800), ("1.5h", 5_400), ("1d", 86_400),
        ("30 m", 1_800), (" 30m ", 1_800), ("90", 90), (90, 90), (0.5, 0.5), (".5h", 1_800),
    ],
)  # fmt: skip
def test_time_outs_that_can_be_read(text: Any, seconds: float) -> None:
    assert parse_timeout(text) == seconds


@pytest.mark.parametrize(
    "text",
    [0, -5, True, False, "2hrs", "abc", "0h", [1], "-5m", "1e3", "nan", "inf", float("nan"), float("inf"), "1h30m", "32d",
     "9" * 400 + "h", "٣h", {}, b"3h"],
)  # fmt: skip
def test_time_outs_that_are_none(text: Any) -> None:
    assert parse_timeout(text) is None


@given(st.text() | st.floats() | st.integers() | st.none() | st.booleans())
def test_a_time_out_is_positive_seconds_within_a_month_or_none(value: Any) -> None:
    seconds = parse_timeout(value)
    assert seconds is None or 0 < seconds <= 31 * 86_400


def test_a_job_without_wishes_is_the_smallest_machine_for_half_an_hour() -> None:
    found = estimate()
    assert (found.usd, found.billable, found.gpu_hours) == (Decimal("0.025"), True, 0)


def test_a_job_costs_its_whole_time_out_and_gpu_hours_count_each_gpu() -> None:
    found = estimate("a10g-largex2", "90m")
    assert (found.usd, found.billable, found.gpu_hours) == (6, True, 3)
    assert "$4 an hour for up to 90 minutes" in found.reason


def test_unknown_hardware_has_no_price_and_is_named() -> None:
    found = estimate("h900x9", "1h")
    assert (found.usd, found.billable) == (None, True)
    assert "'h900x9'" in found.reason


def test_an_unreadable_time_out_has_no_price_and_is_quoted() -> None:
    found = estimate("t4-small", "2hrs")
    assert (found.usd, found.billable) == (None, True)
    assert "'2hrs'" in found.reason


@pytest.mark.parametrize(
    ("flavour", "exists", "usd", "billable"),
    [
        ("cpu-basic", False, "0", False),
        ("t4-small", True, "0", False),
        ("t4-small", False, "0.60", True),
        ("cpu-upgrade", False, "0.05", True),
    ],
)
def test_a_sandbox_costs_its_first_hour(flavour: str, exists: bool, usd: str, billable: bool) -> None:
    found = sandbox_estimate(flavour, exists=exists)
    assert (found.usd, found.billable) == (Decimal(usd), billable)


def test_an_unknown_sandbox_has_no_price() -> None:
    assert sandbox_estimate("h900")[:2] == (None, True)


def test_a_catalog_is_read_in_the_shapes_that_it_has_had() -> None:
    catalog = [
        {"name": "x", "price": 1},
        {"flavor": "y", "pricing": {"usdPerHour": "$2.50/h"}},
        {"id": "z"},
        {"hardware": "w", "billing": {"cost": {"amount": "0.75 USD per hour"}}},
    ]
    found = overlaid(catalog, {})
    assert {name: flavour.usd_per_hour for name, flavour in found.items()} == {
        "x": 1, "y": Decimal("2.50"), "w": Decimal("0.75"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "catalog",
    [{"hardware": [{"name": "x", "price": 3}]}, {"data": {"x": {"hourly": 3}}}, {"x": 3}, {"x": "3 $/hour"}],
)
def test_a_catalog_may_be_wrapped_or_a_dictionary(catalog: Any) -> None:
    assert overlaid(catalog, {})["x"].usd_per_hour == 3


def test_a_catalogs_price_lies_over_the_table_and_the_rest_stays() -> None:
    found = overlaid([{"name": "t4-small", "price": "0.4"}])
    assert (found["t4-small"].usd_per_hour, found["t4-small"].gpus) == (Decimal("0.4"), 1)
    assert {name: flavour for name, flavour in found.items() if name != "t4-small"} == {
        name: flavour for name, flavour in FLAVOURS.items() if name != "t4-small"
    }


@pytest.mark.parametrize(
    "price", [None, True, -1, "free", "1,5", [], float("nan"), float("inf"), "1e999", {"usd": None}, ""]
)
def test_a_price_that_cannot_be_read_changes_nothing(price: Any) -> None:
    assert overlaid([{"name": "t4-small", "price": price}]) == dict(FLAVOURS)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.sampled_from(["name", "price", "t4-small"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["name", "price", "pricing", "hardware", "usdPerHour", "x"]), inner, max_size=4
    ),
)  # fmt: skip


@given(JSON)
def test_no_catalog_breaks_the_reading_or_makes_a_price_negative(catalog: Any) -> None:
    for flavour in overlaid(catalog).values():
        assert flavour.usd_per_hour is None or (flavour.usd_per_hour.is_finite() and flavour.usd_per_hour >= 0)


def test_every_known_flavour_has_a_price_and_those_with_memory_of_their_own_a_gpu() -> None:
    for flavour in FLAVOURS.values():
        assert flavour.usd_per_hour is not None
        assert flavour.gpus >= 1 or flavour.vram_gb == 0
    assert "h100" not in FLAVOURS


@pytest.mark.parametrize(
    ("seconds", "unit", "billed", "micros"),
    [(1, 60, 60, 60_000), (60, 60, 60, 60_000), (60.001, 60, 120, 120_000), (0, 60, 0, 0), (0.1, 1, 1, 1_000)],
)
def test_billing_rounds_up_to_the_unit(seconds: float, unit: int, billed: int, micros: int) -> None:
    terms = Terms("x", Decimal("3.60"), unit_seconds=unit)
    assert (terms.billed(seconds), terms.usd_micros(seconds)) == (billed, micros)


def test_a_fraction_of_a_micro_dollar_is_a_whole_one() -> None:
    assert Terms("x", Decimal("0.000001")).usd_micros(1) == 1
    assert Terms("x", Decimal(0)).usd_micros(10**6) == 0


def test_an_unknown_price_stays_unknown() -> None:
    assert Terms("x", None).usd_micros(60) is None


def test_this_machine_costs_what_the_person_says_to_the_digit(tmp_path: Path) -> None:
    engine = LocalEngine(tmp_path)
    assert engine.terms(Settings()).usd_micros(3_600) == 0
    assert engine.terms(Settings(machine_usd_per_hour=0.1)).usd_micros(3_600) == 100_000
