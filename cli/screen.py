"""The terminal as it is here: colours or none, wide or narrow, UTF-8 or not, a person at the keyboard or a pipe.

Everything that is shown is a list of `Line`: words with a role. On a terminal Rich gives them colour and wraps them;
elsewhere they are printed as they are, one a line, never wrapped, so that `grep` finds them. Rich is imported only
when there is a terminal. This module does not know what a run is.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal

from .words import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

__all__ = ["Line", "Marks", "Screen", "open_screen"]

Role = Literal["", "title", "good", "bad", "warn", "faint"]
_STYLES: dict[str, str] = {"": "", "title": "bold", "good": "green", "bad": "red", "warn": "yellow", "faint": "dim"}


@dataclass(frozen=True)
class Line:
    """One line for a person.

    Attributes:
        text: what it says; cleaned when it is shown.
        role: what it is, which decides its colour.
        label: a word or two in front of it.
        indent: how far it stands in, in characters.
    """

    text: str
    role: Role = ""
    label: str = ""
    indent: int = 0

    def plain(self) -> str:
        """The line without any colour; further lines of its text stand in as far as the first."""
        text = f"{self.label}: {self.text}" if self.label else self.text
        return "\n".join((" " * self.indent + part).rstrip() for part in clean(text).split("\n"))


@dataclass(frozen=True)
class Marks:
    """The signs for what is done, under way, ahead, waiting and gone wrong."""

    done: str
    under_way: str
    ahead: str
    waiting: str
    wrong: str


UNICODE_MARKS = Marks("✓", "●", "·", "?", "✗")
ASCII_MARKS = Marks("+", "*", ".", "?", "x")


@dataclass
class Screen:
    """Where output goes.

    Attributes:
        out: the stream.
        terminal: whether it is a terminal.
        lively: whether parts of it can be drawn over.
        interactive: whether a person can answer here.
        ascii_only: whether signs outside ASCII are to be avoided.
    """

    out: IO[str]
    terminal: bool
    lively: bool
    interactive: bool
    ascii_only: bool
    _console: Console | None = None

    @property
    def marks(self) -> Marks:
        """The signs that this terminal can show."""
        return ASCII_MARKS if self.ascii_only else UNICODE_MARKS

    @property
    def width(self) -> int:
        """Columns of the terminal, or of a usual one."""
        return max(20, shutil.get_terminal_size((100, 24)).columns)

    @property
    def console(self) -> Console:
        """Rich's console on the stream: no markup, no guessing at numbers, no emoji names."""
        if self._console is None:
            from rich.console import Console

            self._console = Console(
                file=self.out,
                markup=False,
                highlight=False,
                emoji=False,
                force_terminal=self.terminal,
                safe_box=True,
                legacy_windows=False,
            )
        return self._console

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines and let them out at once.

        Raises:
            BrokenPipeError: nobody reads any more.
        """
        for item in lines:
            if self.terminal:
                self.console.print(renderable(item), soft_wrap=False)
            else:
                self.out.write(item.plain() + "\n")
        self.out.flush()

    def card(self, title: str, lines: list[Line]) -> None:
        """Print lines that belong together: in a frame on a terminal that is wide enough, otherwise under a title."""
        if not self.terminal or self.width < 60:
            self.show([Line(""), Line(title, "title"), *lines])
            return
        from rich import box
        from rich.console import Group
        from rich.panel import Panel

        frame = box.ASCII if self.ascii_only else box.ROUNDED
        inside = Group(*(renderable(item) for item in lines))
        self.console.print(Panel(inside, title=_styled(title, "bold"), title_align="left", box=frame, padding=(0, 1)))
        self.out.flush()


def renderable(item: Line) -> Padding | Text:
    """A line for Rich; no part of its text is read as markup."""
    from rich.padding import Padding
    from rich.text import Text

    text = Text(overflow="fold")
    if item.label:
        text.append(clean(item.label) + ": ", style="bold")
    text.append(clean(item.text).expandtabs(4), style=_STYLES[item.role])
    return Padding(text, (0, 0, 0, item.indent)) if item.indent else text


def _styled(text: str, style: str) -> Text:
    from rich.text import Text

    return Text(clean(text), style=style)


def open_screen(out: IO[str] | None = None, *, interactive: bool = True) -> Screen:
    """The screen of standard output, or of another stream.

    Args:
        out: the stream; standard output when None.
        interactive: False where nobody is to be asked, such as with `--json`.
    """
    stream = out or sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    terminal = stream.isatty()
    encoding = (getattr(stream, "encoding", "") or "ascii").lower().replace("-", "")
    plain_locale = os.environ.get("LC_ALL") in ("C", "POSIX") or os.environ.get("TERM") == "linux"
    return Screen(
        out=stream,
        terminal=terminal,
        lively=terminal and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", ""),
        interactive=interactive and terminal and sys.stdin is not None and sys.stdin.isatty(),
        ascii_only=encoding != "utf8" or plain_locale,
    )
