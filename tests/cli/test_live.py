"""The picture that is drawn over: on every terminal it fits."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from trainwright.cli.live import picture
from trainwright.cli.screen import ASCII_MARKS, UNICODE_MARKS, Marks
from trainwright.cli.view import RunView


def busy() -> RunView:
    view = RunView(0.0)
    view.take({"event": "node", "run": "digits-svm-3f2a", "node": "watch_job", "phase": "start", "attempt": 2}, 3.0)
    for step in range(30):
        values = {f"metric_{i}": float(step * i) for i in range(7)}
        view.take({"event": "metrics", "node": "watch_job", "values": values}, 4.0)
    view.take({"event": "progress", "node": "watch_job", "text": "\x1b[2J[bold]evil[/bold]", "fraction": 0.25}, 5.0)
    return view


def drawn(view: RunView, width: int, height: int, marks: Marks = UNICODE_MARKS, **console: object) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, height=height, **console).print(  # type: ignore[arg-type]
        picture(view, 60.0, marks, width, height)
    )
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("height", [5, 10, 24, 60])
def test_it_fits(width: int, height: int) -> None:
    rows = drawn(busy(), width, height)
    assert len(rows) < height
    assert all(len(row) <= width for row in rows)


def test_it_says_what_is_done_under_way_and_ahead() -> None:
    text = "\n".join(drawn(busy(), 100, 40))
    assert "digits-svm-3f2a  attempt 2, step 0, 1 min 00 s" in text
    assert " ✓ submit job" in text
    assert re.search(r" ● watch job +57 s  \[bold\]evil\[/bold\] 25%", text)
    assert " · evaluate" in text
    assert "metric_1" in text
    assert "▁" in text
    assert "... and 2 more metrics" in text


def test_a_low_terminal_has_one_row_for_the_stages() -> None:
    text = "\n".join(drawn(busy(), 100, 12))
    assert "8 of 13  ● watch job 57 s" in text
    assert "approve plan" not in text


def test_outside_text_is_neither_obeyed_nor_read_as_markup() -> None:
    text = "\n".join(drawn(busy(), 100, 40, force_terminal=True))
    assert "\x1b[2J" not in text
    assert "[bold]evil[/bold]" in text


def test_ascii_alone_where_nothing_else_can_be_shown() -> None:
    assert "\n".join(drawn(busy(), 100, 40, ASCII_MARKS)).isascii()


def test_before_the_first_event() -> None:
    assert drawn(RunView(0.0), 80, 24)[0].startswith("starting  attempt 1, step 0, 1 min")
