"""The signals that stop a run, as they were before one was followed. No import of asyncio: every command loads this."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["given_back"]


@contextmanager
def given_back() -> Iterator[None]:
    """Give the handlers of the signals that stop a run back to whoever follows one and goes on."""
    before = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    try:
        yield
    finally:
        for number, handler in before:
            if signal.getsignal(number) is not handler:  # else nothing, as outside the main thread
                signal.signal(number, handler)
