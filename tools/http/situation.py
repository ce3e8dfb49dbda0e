"""Under which circumstances things are looked up: offline or not, for how long, and whether somebody wants it to stop.

Terminal and runs say so once, around everything; nothing else hands these on. They are context variables: a task and
`asyncio.to_thread` inherit them, a pool of threads does not unless each call runs in a copy of the context.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from trainwright.graph.errors import RemoteUnavailable

__all__ = ["LOOKUP_SECONDS", "check_stopped", "is_offline", "lookups", "seconds_left", "why_offline"]

LOOKUP_SECONDS = 110.0
"""Seconds for one lookup that asks several services one after the other, each of which may hang."""

_offline: ContextVar[bool] = ContextVar("offline", default=False)
_cancelled: ContextVar[Callable[[], bool] | None] = ContextVar("cancelled", default=None)
_end: ContextVar[float] = ContextVar("end", default=float("inf"))

VARIABLES = ("TRAINWRIGHT_OFFLINE", "HF_HUB_OFFLINE")
"""Each of them, set to 1, true, yes or on, means offline."""


@contextmanager
def lookups(
    offline: bool = False, cancelled: Callable[[], bool] | None = None, seconds: float = float("inf")
) -> Iterator[None]:
    """Look things up like this inside the block.

    Args:
        offline: answer from the disk alone. A block inside one that is offline is offline too.
        cancelled: is asked again and again while a request waits; once it says True, the request is given up.
        seconds: that all requests inside may take together, with all that they wait. What is on the disk is given
            afterwards too. A block inside one that ends sooner ends with it.
    """
    first = _offline.set(offline or _offline.get())
    second = _cancelled.set(cancelled or _cancelled.get())
    third = _end.set(min(_end.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _end.reset(third)
        _cancelled.reset(second)
        _offline.reset(first)


def seconds_left() -> float:
    """Seconds that requests may still take; infinite outside of a block that says how long."""
    return _end.get() - time.monotonic()


def is_offline() -> bool:
    """Whether the network must not be used: no connection is made, and no name is looked up."""
    return bool(why_offline())


def why_offline() -> str:
    """What asked for it, as a person knows it; empty where nothing did."""
    if _offline.get():
        return "--offline"
    on = ("1", "true", "yes", "on")
    return next((f"{name}={os.environ[name]}" for name in VARIABLES if os.environ.get(name, "").lower() in on), "")


def check_stopped() -> None:
    """Go on, unless somebody wants it to stop.

    Raises:
        RemoteUnavailable: somebody does.
    """
    cancelled = _cancelled.get()
    if cancelled is not None and cancelled():
        raise RemoteUnavailable("The lookup was stopped before it was done.")
