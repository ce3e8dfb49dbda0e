"""Numbers as papers print them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.tools.papers.numbers import Number, as_scalar, read_cell, read_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("97.4", 97.4), ("97.4 %", 97.4), (".93", 0.93), ("1,234", 1234.0), ("10−3", 1e-3), ("10^-3", 1e-3), ("2e-5", 2e-5),
        ("2 × 10−5", 2e-5), ("5 · 10−4", 5e-4), ("3.3 · 1018", 3.3e18), ("−0.5", -0.5), ("2^5", 32.0), ("10^{-4}", 1e-4),
        ("0.95 ± 0.04", 0.95), ("12.6 +/- 0.1", 12.6),
    ],
)  # fmt: skip
def test_numbers(text: str, value: float) -> None:
    number = read_number(text)
    assert number is not None
    assert number.value == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "-", "CNN", "5M", "1.2.3", "97.4 98.1", "k = 3", "1e999", "٣", "three"])
def test_no_numbers(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("cell", "value"), [("64.7 (26s)", 64.7), ("28.4*", 28.4), ("91.2 (1)", 91.2), ("~0.93", 0.93), ("97.4 †", 97.4)]
)
def test_cells_with_something_beside_the_number(cell: str, value: float) -> None:
    number = read_cell(cell)
    assert number is not None
    assert number.value == value


def test_a_percentage_becomes_a_fraction_without_noise() -> None:
    assert Number(97.4, percent=True, decimals=1).fraction == 0.974
    assert as_scalar("50%") == 0.5


def test_whole_numbers_stay_whole() -> None:
    assert repr(as_scalar("500")) == "500"
    assert repr(as_scalar("1.0")) == "1.0"
    assert repr(as_scalar("2^5")) == "32"


@settings(deadline=None)
@given(st.floats(min_value=-1e6, max_value=1e6, allow_nan=False).map(lambda x: round(x, 3)))
def test_what_is_printed_is_read(value: float) -> None:
    number = read_number(f"{value:.3f}")
    assert number is not None
    assert number.value == pytest.approx(value)


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_percentages(tenths: int) -> None:
    number = read_number(f"{tenths / 10:.1f} %")
    assert number is not None
    assert number.percent
    assert number.fraction == pytest.approx(tenths / 1000)
    assert 0 <= number.fraction <= 1


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    for found in (read_number(text), read_cell(text)):
        assert found is None or isinstance(found.value, float)
