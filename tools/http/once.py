"""Threads of one process that want the same thing get it one after the other: the second finds it done by the first."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .situation import check_stopped

__all__ = ["one_at_a_time"]

_guard = threading.Lock()
_running: dict[str, tuple[threading.Lock, int]] = {}


def _begin_anew() -> None:
    global _guard
    _guard = threading.Lock()
    _running.clear()


os.register_at_fork(after_in_child=_begin_anew)  # threads of the parent that held them are not there


@contextmanager
def one_at_a_time(key: str) -> Iterator[None]:
    """Be the only thread inside the block with this key. Other processes are not kept out.

    Raises:
        RemoteUnavailable: somebody wants the wait to stop.
    """
    with _guard:
        lock, users = _running.get(key, (threading.Lock(), 0))
        _running[key] = (lock, users + 1)
    try:
        while not lock.acquire(timeout=0.25):
            check_stopped()
        try:
            yield
        finally:
            lock.release()
    finally:
        with _guard:
            lock, users = _running[key]
            if users == 1:
                del _running[key]
            else:
                _running[key] = (lock, users - 1)
