"""A thread of its own for each call: none waits for another, and none keeps the program."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading

import pytest

from trainwright.engineers.threads import in_thread

PLACE: contextvars.ContextVar[str] = contextvars.ContextVar("PLACE", default="outside")


async def test_calls_that_wait_for_each_other_all_begin() -> None:
    together = threading.Barrier(60)  # more than any pool of this machine has threads
    found = await asyncio.wait_for(asyncio.gather(*(in_thread(together.wait, "w") for _ in range(60))), 60)
    assert sorted(found) == list(range(60))


async def test_the_context_goes_along_and_errors_come_back() -> None:
    PLACE.set("inside")
    assert await in_thread(PLACE.get, "w") == "inside"
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0, "w")


ENDING = """
import asyncio, threading
from trainwright.engineers.threads import in_thread
async def main():
    in_thread(threading.Event().wait, "forever")
asyncio.run(main())
print("ended")
"""


def test_a_call_that_never_ends_does_not_keep_the_program() -> None:
    done = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
