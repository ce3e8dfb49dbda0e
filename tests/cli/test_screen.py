"""The terminal as it is: what is printed on one, and what through a pipe."""

from __future__ import annotations

import io
import re

import pytest

from trainwright.cli.screen import Line, Screen, open_screen


class Stream(io.StringIO):
    """A stream that is, or is not, a terminal of some encoding."""

    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self.terminal, self.name_of_encoding = terminal, encoding

    def isatty(self) -> bool:
        return self.terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.name_of_encoding


def screen(terminal: bool = True, width: int = 80, monkeypatch: pytest.MonkeyPatch | None = None) -> Screen:
    if monkeypatch is not None:
        monkeypatch.setenv("COLUMNS", str(width))
    return Screen(Stream(terminal), terminal, False, False, False)


def shown(one: Screen) -> str:
    """What was printed, without bold and dim, which are no colours."""
    assert isinstance(one.out, io.StringIO)
    return re.sub(r"\x1b\[[0-9;]*m", "", one.out.getvalue())


def test_through_a_pipe_lines_are_never_wrapped_and_have_no_colour() -> None:
    one = screen(terminal=False)
    one.show([Line("word " * 100, "bad", label="why", indent=4)])
    assert shown(one) == "    why: " + ("word " * 100).rstrip() + "\n"
    assert "rich" not in str(type(one._console))


@pytest.mark.parametrize("width", [20, 59, 60, 120])
def test_a_card_fits_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    one = screen(width=width, monkeypatch=monkeypatch)
    one.card("The plan", [Line("a" * 300), Line("tab\tand [bold]no markup[/bold] :smile:", label="x", indent=2)])
    rows = shown(one).splitlines()
    assert max(len(row) for row in rows) <= width
    joined = "".join(row.strip("│ ") for row in rows)
    assert "[bold]no" in joined
    assert ":smile:" in joined


def test_a_card_is_framed_in_ascii_where_nothing_else_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    one = screen(width=80, monkeypatch=monkeypatch)
    one.ascii_only = True
    one.card("The plan", [Line("text")])
    assert shown(one).isascii()


def test_escapes_in_outside_text_reach_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    one = screen(monkeypatch=monkeypatch)
    one.show([Line("\x1b[2Jgone\x07", label="\x1b]0;title\x07label")])
    one.card("\x1b[31mtitle", [Line("\u202eturned")])
    assert "\x1b[2J" not in shown(one)
    assert "\x1b]" not in shown(one)
    assert "\x07" not in shown(one)
    assert "\u202e" not in shown(one)


@pytest.mark.parametrize(
    ("terminal", "term", "encoding", "lively", "ascii_only"),
    [
        (True, "xterm-256color", "utf-8", True, False),
        (True, "dumb", "utf-8", False, False),
        (True, "", "utf-8", False, False),
        (True, "linux", "utf-8", True, True),
        (True, "xterm", "ascii", True, True),
        (False, "xterm", "utf-8", False, False),
    ],
)
def test_what_a_terminal_can_do(
    terminal: bool, term: str, encoding: str, lively: bool, ascii_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("LC_ALL", raising=False)
    one = open_screen(Stream(terminal, encoding))
    assert (one.terminal, one.lively, one.ascii_only) == (terminal, lively, ascii_only)


def test_nobody_is_asked_where_input_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Stream(False))
    assert not open_screen(Stream(True)).interactive
    monkeypatch.setattr("sys.stdin", Stream(True))
    assert open_screen(Stream(True)).interactive
    assert not open_screen(Stream(True), interactive=False).interactive
    assert not open_screen(Stream(False)).interactive
