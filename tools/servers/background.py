"""One event loop in a thread of its own, on which all connections live, for the whole process.

It is started with the first connection. At the end of the process the connections are closed within a bounded time; a
process that is killed leaves none behind that reads its input, since that ends. After a fork the child has no loop and
no connections, and makes its own.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["at_end", "on_loop"]

Result = TypeVar("Result")

CLOSING_SECONDS = 8.0
"""How long the end of the process waits for the connections to close."""

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_closers: list[Callable[[], Coroutine[Any, Any, None]]] = []


def at_end(close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Have `close` run on the loop before it ends."""
    _closers.append(close)


def on_loop(work: Coroutine[Any, Any, Result], seconds: float) -> Result:
    """Run `work` on the loop and wait for it (blocking); not from the loop itself.

    Raises:
        TimeoutError: it took more than `seconds`; it was cancelled.
    """
    future: Future[Result] = asyncio.run_coroutine_threadsafe(work, _running())
    try:
        return future.result(seconds)
    except LateError as error:
        if future.done():
            raise  # the work's own
        raise TimeoutError(f"more than {seconds:g} seconds") from error
    finally:
        future.cancel()  # where the wait ended otherwise, by Ctrl-C for one


def _running() -> asyncio.AbstractEventLoop:
    global _loop, _thread
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=_loop.run_forever, name="trainwright-servers", daemon=True)
            _thread.start()
        return _loop


@atexit.register
def _end() -> None:
    global _loop
    with _lock:
        loop, _loop = _loop, None
    if loop is None or not loop.is_running():
        return
    for close in _closers:
        with suppress(Exception):  # the process ends, and nobody is left to be told
            asyncio.run_coroutine_threadsafe(close(), loop).result(CLOSING_SECONDS)
    loop.call_soon_threadsafe(loop.stop)
    if _thread is not None:
        _thread.join(1)
        if not _thread.is_alive():
            loop.close()


def _forked() -> None:
    """In the child of a fork the thread is gone, and the lock may have been held."""
    global _lock, _loop
    _lock, _loop = threading.Lock(), None


os.register_at_fork(after_in_child=_forked)
