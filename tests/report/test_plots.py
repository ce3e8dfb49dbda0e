"""The report's plots."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from trainwright.tools.report.plots import Mark, bars, figure, score_plot

SVG_WIDTH = 640.0


def positions(svg: str) -> dict[str, float]:
    """Where each kind of sign stands on the horizontal axis."""
    found = {}
    for item in ET.fromstring(svg):
        kind = item.get("class", "")
        if kind in ("score", "baseline"):
            found[kind] = float(item.get("x1") or item.get("cx") or "nan")
        elif kind in ("claim", "target"):
            found[kind] = float(item.get("d", "").split()[0].removeprefix("M"))
        elif kind == "interval":
            found["low"] = float(item.get("x", "nan"))
            found["high"] = found["low"] + float(item.get("width", "nan"))
    return found


def test_signs_stand_in_the_order_of_their_values() -> None:
    marks = [
        Mark("accuracy", 0.9, "score"),
        Mark("baseline", 0.1, "baseline"),
        Mark("claim", 0.95, "claim"),
        Mark("wanted", 0.8, "target"),
    ]
    found = positions(score_plot(marks, (0.85, 0.93)))
    assert found["baseline"] < found["target"] < found["low"] < found["score"] < found["high"] < found["claim"]


def test_equal_values_can_be_drawn() -> None:
    marks = [Mark("rmse", 0.0, "score"), Mark("baseline", 0.0, "baseline")]
    found = positions(score_plot(marks, (0.0, 0.0)))
    assert found["score"] == found["baseline"]


def test_nothing_finite_no_plot() -> None:
    assert score_plot([Mark("r2", math.nan, "score")], (math.nan, math.nan)) == ""


def test_names_are_escaped() -> None:
    svg = score_plot([Mark('<b a="1">&', 1.0, "score")], (0.5, 1.5))
    assert "<b" not in svg
    assert [item.text for item in ET.fromstring(svg) if item.get("class") == "label"] == ['<b a="1">&']
    assert "<script>" not in bars([("<script>", 1.0)])


any_value = st.one_of(st.floats(), st.sampled_from([1.7e308, -1.7e308, 1e100, 5e-324]))


@given(st.lists(any_value, min_size=1, max_size=4), any_value, any_value)
def test_whatever_the_values_it_stays_in_the_picture(values: list[float], low: float, high: float) -> None:
    svg = score_plot([Mark("m", value, "score") for value in values], (min(low, high), max(low, high)))
    if svg:
        assert all(0 <= place <= SVG_WIDTH for name, place in positions(svg).items() if name == "score")


def test_bars() -> None:
    assert bars([]) == ""
    rects = [item for item in ET.fromstring(bars([("plan", 0.0), ("watch job", 10.0)])) if item.get("class") == "bar"]
    assert [item.get("width") for item in rects] == ["1.0", "380.0"]
    assert ET.fromstring(bars([("plan", 0.0)])) is not None


def test_figures() -> None:
    assert [figure(value) for value in (0.98889, 0, 123456.7, 1e-5, -0.5)] == [
        "0.9889",
        "0.0000",
        "1.235e+05",
        "1e-05",
        "-0.5000",
    ]
