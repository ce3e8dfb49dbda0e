"""Following a run: what is printed as its events come, where nobody is at a terminal."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from trainwright.cli.screen import Screen
from trainwright.cli.session import Plain, follow
from trainwright.cli.signals import given_back
from trainwright.graph.settings import EXIT_CODES

Event = dict[str, Any]

CARD = {"key": "target_column", "text": "Which column?", "options": ["a", "b"]}
WAITING = {"gate": "ask_person", "card": CARD, "text": "Which column?", "problem": ""}


@pytest.fixture(autouse=True)
def handlers_given_back() -> Iterator[None]:
    """Whoever follows a run is expected to end; the tests go on."""
    with given_back():
        yield


def result(status: str, **more: Any) -> Event:
    return {"event": "result", "run": "r-1", "status": status, "steps": 3, "spent": {"seconds": 1.0}, **more}


def events(*given: Event) -> Any:
    """The beginning of an iteration over these events, as the driver gives one."""

    async def one_after_the_other() -> AsyncIterator[Event]:
        for event in given:
            yield event

    return one_after_the_other


@pytest.mark.parametrize("status", sorted(EXIT_CODES))
def test_every_status_has_its_exit_code(status: str, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = WAITING if status == "waiting" else None
    assert follow(events(result(status, waiting=waiting)), as_json=False) == EXIT_CODES[status]
    assert "r-1" in capsys.readouterr().out


def test_a_question_without_a_terminal_waits_and_is_never_answered(capsys: pytest.CaptureFixture[str]) -> None:
    told = events({"event": "waiting", "run": "r-1", **WAITING}, result("waiting", waiting=WAITING))
    assert follow(told, as_json=False) == 3
    shown = capsys.readouterr().out
    assert "Which column?" in shown
    assert "answers: a, b" in shown
    assert "trainwright answer r-1 TEXT" in shown
    assert shown.count("Which column?") == 1


def test_a_problem_with_the_last_answer_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    again = WAITING | {"problem": "'c' is none of the answers."}
    follow(events({"event": "waiting", "run": "r-1", **again}, result("waiting", waiting=again)), as_json=False)
    shown = capsys.readouterr().out
    assert shown.index("is none of the answers") < shown.index("Which column?")


def plain(clock: list[float]) -> tuple[Plain, io.StringIO]:
    out = io.StringIO()
    screen = Screen(out, terminal=False, lively=False, interactive=False, ascii_only=False)
    return Plain(screen, lambda: clock[0]), out


def test_lines_carry_the_time_and_metrics_come_now_and_then() -> None:
    clock = [100.0]
    follower, out = plain(clock)
    follower.take({"event": "node", "run": "r-1", "node": "watch_job", "phase": "start"})
    for second in range(20):
        clock[0] = 101.0 + second
        follower.take({"event": "metrics", "run": "r-1", "values": {"loss": float(second)}})
    clock[0] = 165.0
    follower.take({"event": "node", "run": "r-1", "node": "watch_job", "phase": "end", "seconds": 64.0})
    rows = out.getvalue().splitlines()
    assert rows[0] == "00:00 watch job: begins"
    metrics = [row for row in rows if "loss" in row]
    assert [row[:5] for row in metrics] == ["00:05", "00:10", "00:15", "00:20", "01:05"]
    assert rows[-1] == "01:05 watch job: done in 1 min 04 s"


PROGRAM = """
import asyncio, sys
from trainwright.cli.failures import guarded
from trainwright.cli.session import follow
EVENTS = {events!r}
def begin():
    async def give():
        for event in EVENTS:
            yield event
        print("a library that prints")
    return give()
@guarded
def command(*, as_json):
    return follow(begin, as_json=as_json)
sys.exit(command(as_json=True))
"""


def test_with_json_only_json_reaches_standard_output(own_home: Path) -> None:
    told = [
        {"event": "note", "run": "r-1", "text": "\x1b[2J \udcff ü"},
        {"event": "metrics", "run": "r-1", "values": {"loss": float("nan")}},
        result("failed", reason="no"),
    ]
    code = PROGRAM.format(events=told).replace("nan", "float('nan')")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    assert [row["event"] for row in rows] == ["note", "metrics", "result"]
    assert rows[1]["values"]["loss"] is None
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    assert "a library that prints" in done.stderr
