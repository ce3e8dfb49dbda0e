"""Running the command as a person does: in a process of its own, through a pipe or on a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from trainwright.cli.logs import end_log

START = "import sys; from trainwright.cli.main import main; sys.exit(main())"


@dataclass
class Ran:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Trainwright = Callable[..., Ran]


@pytest.fixture(autouse=True)
def no_log_stays_open() -> Iterator[None]:
    """A command that ran inside this process leaves no log behind."""
    yield
    end_log()


@pytest.fixture
def trainwright(own_home: Path, tmp_path: Path) -> Trainwright:
    """The command through pipes: `trainwright("runs", stdin=b"", NAME="value")`."""

    def run(*arguments: str | bytes, stdin: bytes = b"", cwd: Path | None = None, **environment: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-c", START, *arguments],
            input=stdin,
            capture_output=True,
            cwd=cwd or tmp_path,
            env={**os.environ, **environment},
            timeout=240,
            check=False,
        )
        out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        assert "Traceback" not in out + err, err
        return Ran(done.returncode, out, err)

    return run


class Terminal:
    """The command on a pseudo-terminal of a given size; the test types and reads."""

    def __init__(self, arguments: list[str], columns: int, rows: int, environment: dict[str, str], cwd: Path) -> None:
        self.text = ""
        self.pid, self.handle = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child becomes the command
            os.chdir(cwd)
            size = {"COLUMNS": str(columns), "LINES": str(rows)}
            os.execve(sys.executable, [sys.executable, "-c", START, *arguments], {**os.environ, **size, **environment})

    def read(self, seconds: float) -> bool:
        """Take in what comes within `seconds`; False once the command has closed the terminal."""
        if not select.select([self.handle], [], [], seconds)[0]:
            return True
        try:
            chunk = os.read(self.handle, 65_536)
        except OSError:
            return False
        self.text += chunk.decode("utf-8", "replace")
        return bool(chunk)

    def until(self, words: str, seconds: float = 120.0) -> str:
        """Wait until the words have been shown; returns all that was shown."""
        deadline = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < deadline, f"{words!r} did not come; there is:\n{self.text[-3000:]}"
            if not self.read(0.5):
                assert words in self.text, f"ended without {words!r}:\n{self.text[-3000:]}"
        return self.text

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.handle, text.encode())

    def end(self, seconds: float = 120.0) -> int:
        """Wait for the end; returns the exit code."""
        deadline = time.monotonic() + seconds
        while self.read(0.5):
            assert time.monotonic() < deadline, self.text[-3000:]
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """Kill the command if it still runs."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.handle)


OpenTerminal = Callable[..., Terminal]


@pytest.fixture
def terminal(own_home: Path, tmp_path: Path) -> Iterator[OpenTerminal]:
    """The command on a terminal: `terminal("runs", columns=40, rows=24, TERM="dumb")`."""
    opened: list[Terminal] = []

    def start(*arguments: str, columns: int = 100, rows: int = 40, **environment: str) -> Terminal:
        settings = {"TERM": "xterm-256color", **environment}
        opened.append(Terminal(list(arguments), columns, rows, settings, tmp_path))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
