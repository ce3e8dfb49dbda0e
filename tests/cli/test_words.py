"""Words for people: nothing from outside reaches a terminal as more than text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.cli.words import (
    age,
    clean,
    dollars,
    duration,
    line,
    measured,
    number,
    size,
    sparkline,
    tokens_and_dollars,
)


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]52;c;Y2xpcGJvYXJk\x07", ""),
        ("a\x1b[2J\x1b[Hb", "ab"),
        ("\x9b31mred", "red"),
        ("bell\x07 back\x08space\x7f", "bell backspace"),
        ("\x1bP1;2|payload\x1b\\end", "end"),
        ("left\u202etfel", "lefttfel"),
        ("zero\u200bwidth", "zerowidth"),
        ("\ufeffmark", "mark"),
        ("over\rwritten", "over\nwritten"),
        ("two\r\nlines", "two\nlines"),
        ("a\u2028b", "a\nb"),
        ("\udcff", "?"),
        ("half \x1b[", "half "),
        ("[bold red]markup[/]", "[bold red]markup[/]"),
        ("Ünï 漢字 🙂", "Ünï 漢字 🙂"),
    ],
)
def test_escapes_are_taken_out_and_text_stays(hostile: str, harmless: str) -> None:
    assert clean(hostile) == harmless


@given(st.text())
def test_nothing_that_a_terminal_obeys_survives(text: str) -> None:
    shown = clean(text)
    assert not any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in shown)
    shown.encode("utf-8")
    assert clean(shown) == shown


@given(st.text(), st.integers(4, 300))
def test_a_line_is_one_line_and_short(text: str, limit: int) -> None:
    shown = line(text, limit)
    assert "\n" not in shown
    assert len(shown) <= limit


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3_599.7, "1 h 00 min"),
        (7_800, "2 h 10 min"),
        (273_600, "3 d 4 h"),
        (-1, "?"),
        (float("nan"), "?"),
        (float("inf"), "?"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_ages() -> None:
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)

    def ago(**kwargs: float) -> str:
        return age((now - timedelta(**kwargs)).isoformat(), now)

    assert ago(seconds=5) == "just now"
    assert ago(minutes=3) == "3 min ago"
    assert ago(hours=5) == "5 h ago"
    assert ago(days=9) == "9 d ago"
    assert ago(days=400) == "2025-03-30"
    assert age("2026-05-04T11:00:00", now) == "1 h ago"
    assert age("no \x1b[1mdate", now) == "no date"


def test_sizes_and_numbers() -> None:
    assert [size(1023), size(1024), size(3 * 2**30)] == ["1023 B", "1.0 KiB", "3.0 GiB"]
    assert [number(0.97421), number(12), number(True), number(1e-7), number(123456789.0), number(None)] == [
        "0.9742",
        "12",
        "True",
        "1e-07",
        "1.235e+08",
        "None",
    ]


def test_counts_among_metrics() -> None:
    values = [1150.0, 1.0, 0.0, 0.5, -3.0, float("inf"), 1e300]
    assert [measured(value) for value in values] == ["1150", "1.0000", "0.0000", "0.5000", "-3", "inf", "1e+300"]


def test_sparklines() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, 7], ascii_only=True) == "_#"
    assert sparkline([3, 3, 3]) == "▁▁▁"
    assert sparkline([]) == ""
    assert sparkline([float("nan"), 1.0]) == "▁"
    assert sparkline([-1.7e308, 1.7e308]) == "▁█"
    assert len(sparkline([float(i) for i in range(500)], 24)) == 24


@given(st.lists(st.floats(), max_size=80))
def test_sparklines_take_any_numbers(values: list[float]) -> None:
    assert len(sparkline(values, 24)) <= 24


@pytest.mark.parametrize(
    ("tokens", "usd", "priced", "said"),
    [
        (45_300, 0.42, True, "45,300 tokens, $0.42"),
        (10, 0.0, True, "10 tokens, $0.00"),
        (10, 0.001, True, "10 tokens, less than a cent"),
        (10, 0.0, False, "10 tokens, price not known"),
        (10, 0.5, False, "10 tokens, $0.50 and more, the price is not known"),
    ],
)
def test_what_a_model_used(tokens: int, usd: float, priced: bool, said: str) -> None:
    assert tokens_and_dollars(tokens, usd, priced) == said


def test_dollars_are_never_rounded_to_nothing() -> None:
    assert [dollars(usd) for usd in (0, 0.001, 0.005, 1_234.5)] == ["$0.00", "less than a cent", "$0.01", "$1,234.50"]
