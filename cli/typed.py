"""What a person types at a prompt, read so that no signal is missed.

`input` shows its prompt and then waits inside a C call. A signal that comes between the two is only looked at when that
call returns, so that Ctrl-C would do nothing until the next key. Here the waiting also ends with a signal.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["read_line"]


def read_line(prompt: str) -> str:
    """Show a prompt and read a line from the standard input, without its end. Main thread only.

    The standard input is a terminal, which hands out one line at a time. Of anything else, such as a pipe, several lines
    may be read ahead, which no waiting would see; there `input` reads.

    Raises:
        EOFError: the input is at its end.
        KeyboardInterrupt: Ctrl-C, or whatever else the handler of a signal raises.
    """
    if not sys.stdin.isatty():
        return input(prompt)
    with _signals() as awake:
        sys.stdout.write(prompt)
        sys.stdout.flush()
        while sys.stdin not in select.select([sys.stdin, awake], [], [])[0]:
            os.read(awake, 64)  # what the handlers do has been done: one that raises does not come here
    try:
        line = sys.stdin.readline()  # a terminal hands out whole lines, so this does not wait any more
    except OSError as error:  # it hung up
        raise EOFError from error
    if not line:
        raise EOFError
    return line.removesuffix("\n")


@contextmanager
def _signals() -> Iterator[int]:
    """A descriptor that can be read as soon as a signal came."""
    awake, told = os.pipe()
    try:
        os.set_blocking(told, False)
        before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        try:
            yield awake
        finally:
            signal.set_wakeup_fd(before)
    finally:
        os.close(awake)
        os.close(told)
