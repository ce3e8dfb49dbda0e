"""Lines that a person types, with signals that come just when the prompt does."""

from __future__ import annotations

import io
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from trainwright.cli import typed

DESCRIPTORS = pathlib.Path("/dev/fd")

PROMPT = """
import signal, sys
from trainwright.cli.typed import read_line
def stop(number, frame):
    raise KeyboardInterrupt
signal.signal(signal.SIGTERM, stop)
try:
    print("read", repr(read_line("decision> ")))
except KeyboardInterrupt:
    sys.exit(130)
except EOFError:
    sys.exit(3)
"""


class Prompt:
    """A process that asks one question on a terminal, on the same core as the test."""

    def __init__(self) -> None:
        self.text = b""
        core = {min(os.sched_getaffinity(0))}
        self.pid, self.handle = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child becomes the prompt
            os.sched_setaffinity(0, core)
            os.execv(sys.executable, [sys.executable, "-c", PROMPT])
        while b"decision>" not in self.text:
            assert select.select([self.handle], [], [], 60)[0], self.text
            self.text += os.read(self.handle, 4096)

    def end(self) -> int | None:
        """The exit code; None if it does not end."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if select.select([self.handle], [], [], 0.5)[0]:
                try:
                    self.text += os.read(self.handle, 4096)
                except OSError:
                    break
        else:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            return None
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def one_core() -> Iterator[None]:
    """The test and its prompt take turns on one core, so that a signal often comes before the waiting begins."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


def test_a_signal_right_after_the_prompt_ends_it(one_core: None) -> None:
    for _ in range(25):
        prompt = Prompt()
        os.kill(prompt.pid, signal.SIGTERM)
        assert prompt.end() == 130, prompt.text
        os.close(prompt.handle)


@pytest.mark.parametrize(
    ("keys", "code", "shown"),
    [(b"yes\n", 0, b"read 'yes'"), (b"\n", 0, b"read ''"), (b"\x04", 3, b""), (b"\x03", 130, b"")],
)
def test_lines_the_end_and_ctrl_c(keys: bytes, code: int, shown: bytes) -> None:
    prompt = Prompt()
    os.write(prompt.handle, keys)
    assert prompt.end() == code
    assert shown in prompt.text
    os.close(prompt.handle)


def test_a_signal_that_raises_nothing_lets_the_prompt_wait_on(monkeypatch: pytest.MonkeyPatch) -> None:
    handle, terminal = pty.openpty()
    seen: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    wait = select.select

    def signalled(*given: list[object]) -> tuple[list[object], list[object], list[object]]:
        if not seen:
            os.kill(os.getpid(), signal.SIGUSR1)
        else:
            os.write(handle, b"on\n")
        return wait(*given)  # type: ignore[arg-type, return-value]

    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(typed.select, "select", signalled)
        try:
            assert typed.read_line("? ") == "on"
        finally:
            signal.signal(signal.SIGUSR1, before)
    assert seen == [signal.SIGUSR1]
    assert signal.set_wakeup_fd(-1) == -1
    os.close(handle)


TWICE = "from trainwright.cli.typed import read_line; print([read_line('? ') for _ in range(2)])"


def test_two_lines_at_once_from_a_pipe_are_two_answers() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", TWICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=0
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("one\ntwo\n")
    process.stdin.flush()  # and stays open, so that no end of the input wakes anybody
    try:
        assert select.select([process.stdout], [], [], 60)[0], "it waits for what it has read already"
        assert process.stdout.read().endswith("['one', 'two']\n")
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_the_end_of_what_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\n"))
    assert typed.read_line("? ") == "one"
    with pytest.raises(EOFError):
        typed.read_line("? ")


def test_outside_the_main_thread_nothing_stays_open() -> None:
    raised: list[BaseException] = []
    before = len(list(DESCRIPTORS.iterdir()))

    def waits() -> None:
        try:
            with typed._signals():
                pass
        except ValueError as error:
            raised.append(error)

    thread = threading.Thread(target=waits)
    thread.start()
    thread.join()
    assert raised
    assert len(list(DESCRIPTORS.iterdir())) == before
