"""A call that blocks, in a thread of its own: runs that wait for their models do not slow each other.

A pool would end where its threads are all waiting, and Python waits at its end for the threads of a pool: these are
left to themselves then. This module knows nothing of models.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


def in_thread(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Begin `work` in a thread with the context of here; its result, for whoever of the event loop waits."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def finish(result: T | None, error: BaseException | None) -> None:
        if future.done():  # nobody waits any more
            return
        if error is None:
            future.set_result(result)  # type: ignore[arg-type]  # a result where there was no error
        else:
            future.set_exception(error)

    def run() -> None:
        result, failed = None, None
        try:
            result = context.run(work)
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to who waits
            failed = error
        with suppress(RuntimeError):  # the loop has ended before the work did
            loop.call_soon_threadsafe(finish, result, failed)

    threading.Thread(target=run, name=name, daemon=True).start()
    future.add_done_callback(lambda done: done.cancelled() or done.exception())  # heard of, also when nobody waits
    return future
