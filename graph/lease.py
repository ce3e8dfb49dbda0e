"""One writer a run: a lock on the run's folder, and a heartbeat that says who holds it.

A drive (terminal, program) holds the lease for as long as it drives; a visit of a node takes it when the process does
not hold it, so that a server never works on a run at which a terminal is at work, nor the other way. Whoever comes
second is told who is there. The kernel frees the lock when its process ends, however it ends. A process that visited
keeps the lease a moment longer, for the next node.

Across machines the lock holds where the file system has locks. The heartbeat of another machine is respected besides:
only when it has not changed for `RESPECTED` beats, counted here, the lease is taken over. No decision here looks at a
wall clock, so that a clock that jumps neither frees a lease nor keeps it. This module does not run anything.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import json
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .errors import RunBusy
from .heartbeat import BEAT, Holder, What, age_of, myself, read_heartbeat
from .runs import now, open_runs
from .settings import run_path

if TYPE_CHECKING:
    from .state import State

__all__ = ["LOCK", "busy", "driving", "held", "holder", "leased", "left_behind", "visiting"]

LOCK = "driver.lock"
"""File in the run's folder that is locked."""

BEAT_SECONDS = 2.0
RESPECTED = 5
"""Beats for which the heartbeat of another machine is watched before its lease is taken over."""

LINGER_SECONDS = 1.0
"""How long a process that visited a node keeps the lease for the next one."""

TRY_SECONDS = 0.4
"""How long to try before somebody is said to hold the lease."""

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)

log = logging.getLogger("trainwright")
Update = dict[str, Any]


class _Lease:
    """A lease that this process holds."""

    def __init__(self, run: str, lock: IO[str], owner: object, me: Holder) -> None:
        self.run, self.owner, self.me = run, owner, me
        self.visits = 0
        self._lock, self._path = lock, Path(lock.name).with_name(BEAT)
        self._idle: float | None = None
        self._released, self._writing = False, threading.Lock()
        self._wake = threading.Event()
        self._write()
        threading.Thread(target=self._live, name=f"lease of {run}", daemon=True).start()

    def enter(self) -> None:
        """One more node is at work under it."""
        self.visits, self._idle = self.visits + 1, None

    def leave(self) -> None:
        """One fewer; after the last one the lease lingers."""
        self.visits -= 1
        if not self.visits and self.me.what == "visit":
            self._idle = time.monotonic()
            self._wake.set()

    def hand_to(self, owner: object, what: What) -> None:
        """Another invocation of this process goes on with it, in which nothing is at work."""
        self.owner, self._idle = owner, None
        if what != self.me.what:
            self.me = replace(self.me, what=what)
            self._write()

    def free(self) -> None:
        """Let it go."""
        with self._writing:
            if self._released:
                return
            self._released = True
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            self._lock.close()
        self._wake.set()

    def _live(self) -> None:
        beat = time.monotonic() + BEAT_SECONDS
        while not self._released:
            idle = self._idle
            end = beat if idle is None else min(beat, idle + LINGER_SECONDS)
            self._wake.wait(max(0.0, end - time.monotonic()))
            self._wake.clear()
            if _end_idle(self):
                return
            if time.monotonic() >= beat:
                self.me = replace(self.me, beats=self.me.beats + 1, at=now())
                self._write()
                beat = time.monotonic() + BEAT_SECONDS

    def idle_for(self) -> float:
        """Seconds since the last visit; 0 while one is at work."""
        return 0.0 if self._idle is None else time.monotonic() - self._idle

    def _write(self) -> None:
        """The sign of life, whole or not at all; a full disk or a folder that is gone does not end the run."""
        part = self._path.with_name(f"{BEAT}.part")
        with self._writing, suppress(OSError):
            if not self._released:
                part.write_text(json.dumps(asdict(self.me)), encoding="utf-8")
                part.replace(self._path)


_leases: dict[str, _Lease] = {}
_guard = threading.Lock()


def _end_idle(lease: _Lease) -> bool:
    """Free a lease for which no next node came; whether it is free."""
    with _guard:
        if _leases.get(lease.run) is lease and not lease.visits and lease.idle_for() >= LINGER_SECONDS:
            del _leases[lease.run]
            lease.free()
        return _leases.get(lease.run) is not lease


@contextmanager
def held(run: str, owner: object = None) -> Iterator[None]:
    """Hold the lease of a run, for a drive or for whoever changes its files; blocking.

    Args:
        run: its name.
        owner: what the visits of this drive show (LangGraph's control of the invocation); None for no visits.

    Raises:
        RunBusy: somebody else holds it; who, is said.
    """
    lease = _take(run, owner, "drive")
    try:
        yield
    finally:
        _drop(lease)


@asynccontextmanager
async def driving(run: str, owner: object) -> AsyncIterator[None]:
    """`held`, for an event loop."""
    import asyncio

    lease = await _in_thread(run, owner, "drive")
    try:
        yield
    finally:
        await asyncio.shield(asyncio.to_thread(_drop, lease))


@asynccontextmanager
async def visiting(run: str) -> AsyncIterator[None]:
    """Hold the lease for the visit of a node, unless the drive of this very invocation holds it.

    Raises:
        RunBusy: another process, or another invocation in this one, is at work on the run.
    """
    import asyncio

    # Without a thread where it is held already: nothing is read or written then.
    lease = _join(run, owner := _invocation(), "visit", strict=False) or await _in_thread(run, owner, "visit")
    try:
        yield
    except BaseException:  # a gate that waits, among others: nothing follows here
        await asyncio.shield(asyncio.to_thread(_leave, lease, at_once=True))
        raise
    _leave(lease, at_once=False)


def leased(node: Callable[..., Awaitable[Update]]) -> Callable[..., Awaitable[Update]]:
    """A node of the run's graph that works under the lease; its first argument is the state."""

    @functools.wraps(node)
    async def run(state: State, *more: Any, **named: Any) -> Update:
        async with visiting(state.run):
            return await node(state, *more, **named)

    return run


def _invocation() -> object:
    """What identifies the invocation of the graph that this code works in."""
    from langgraph.runtime import get_runtime

    try:
        return get_runtime().control
    except (RuntimeError, KeyError):
        return None


async def _in_thread(run: str, owner: object, what: What) -> _Lease:
    """`_take` in a thread; a cancellation meanwhile leaves no lease behind."""
    import asyncio

    taking = asyncio.ensure_future(asyncio.to_thread(_take, run, owner, what))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        taking.add_done_callback(
            lambda done: None if done.cancelled() or done.exception() else _give_up(done.result(), what)
        )
        raise


def _join(run: str, owner: object, what: What, *, strict: bool = True) -> _Lease | None:
    """The lease that this process holds already, entered; None if it holds none.

    Raises:
        RunBusy: another invocation in this process is at work; None instead where not `strict`.
    """
    with _guard:
        lease = _leases.get(run)
        if lease is None:
            return None
        if not lease.visits and lease.me.what == "visit":
            lease.hand_to(owner, what)
        elif what == "drive" or lease.owner is not owner:
            if strict:
                raise busy(run, lease.me)
            return None
        if what == "visit":
            lease.enter()
        return lease


def _take(run: str, owner: object, what: What) -> _Lease:
    """The lease, taken, or joined where this process holds it.

    Raises:
        RunBusy: somebody else holds it.
    """
    folder = run_path(run)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (folder / LOCK).open("a+", encoding="ascii")
    started = time.monotonic()
    try:
        while (locked := _try(lock)) is False:
            if (mine := _join(run, owner, what)) is not None:
                lock.close()
                return mine
            there = read_heartbeat(folder)
            # Who only asks holds the lock for a moment, and who visited goes away soon.
            patience = TRY_SECONDS + (2 * LINGER_SECONDS if there is not None and there.what == "visit" else 0.0)
            if time.monotonic() - started > patience:
                raise busy(run, there)
            time.sleep(0.02)
        _respect(run, folder, locked=locked is True)
        with _guard:
            lease = _leases[run] = _Lease(run, lock, owner, myself(what))
            if what == "visit":
                lease.enter()
            return lease
    except BaseException:
        lock.close()
        raise


def _try(lock: IO[str]) -> bool | None:
    """Whether the lock could be taken; None where files have no locks, so that the heartbeat alone tells."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return None if error.errno in NO_LOCKS else False
    return True


def _respect(run: str, folder: Path, *, locked: bool) -> None:
    """Watch the heartbeat of another machine; one that stands still is taken over.

    Raises:
        RunBusy: it beats.
    """
    there = read_heartbeat(folder)
    if there is not None and there.here and not locked and there.lives:
        raise busy(run, there)
    if there is None or there.here:
        return
    deadline = time.monotonic() + RESPECTED * BEAT_SECONDS
    while time.monotonic() < deadline:
        time.sleep(BEAT_SECONDS / 4)
        later = read_heartbeat(folder)
        if later is None:
            return
        if later != there:
            raise busy(run, later)
    log.warning(
        "The lease of %s was held by process %s on %s, which gave no sign of life for %g s; it was taken over.",
        *(run, there.pid, there.host, RESPECTED * BEAT_SECONDS),
    )


def _leave(lease: _Lease, *, at_once: bool) -> None:
    with _guard:
        lease.leave()
        if not at_once or lease.visits or lease.me.what != "visit":
            return
        _forget(lease)  # under the same guard: nobody joins a lease that is about to be free
    lease.free()


def _drop(lease: _Lease) -> None:
    with _guard:
        _forget(lease)
    lease.free()


def _forget(lease: _Lease) -> None:
    if _leases.get(lease.run) is lease:
        del _leases[lease.run]


def _give_up(lease: _Lease, what: What) -> None:
    """Let go of what nobody waited for any more; a visit may have joined a lease under which others work."""
    if what == "visit":
        _leave(lease, at_once=True)
    else:
        _drop(lease)


def holder(run: str) -> Holder | None:
    """Who works on a run at this moment; None if nobody does. Nothing is taken."""
    with _guard:
        mine = _leases.get(run)
        if mine is not None:
            return None if mine.me.what == "visit" and not mine.visits else mine.me
    folder = run_path(run)
    there = read_heartbeat(folder)
    if _locked(folder / LOCK):
        return there or Holder(0, 0, "", "", "", "", 0, "drive")
    return there if there is not None and not there.here and age_of(there.at) < RESPECTED * BEAT_SECONDS else None


def left_behind(run: str) -> Holder | None:
    """Who held the lease of a run when its process was killed; None if it was let go, or is held."""
    there = read_heartbeat(run_path(run))
    return there if there is not None and holder(run) is None else None


def _locked(path: Path) -> bool:
    try:
        with path.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError as error:
        return error.errno not in NO_LOCKS
    return False


def busy(run: str, there: Holder | None, done: str = "nothing was done", hint: str = "") -> RunBusy:
    """The error that says who holds the lease, and what was done nevertheless."""
    stage = next((row.stage for row in open_runs().list() if row.name == run), "")
    where = f", at {stage.replace('_', ' ')}" if stage else ""
    if there is None or not there.pid:
        who = "in another process"
    else:
        host = "" if there.host == socket.gethostname() else f" on {there.host}"
        who = f"in process {there.pid}{host} (since {there.since}, last sign of life {age_of(there.at):.0f} s ago)"
    return RunBusy(
        f"{run} is at work already, {who}{where}; {done}.",
        hint=hint or f"Wait for it, or stop that process; `trainwright show {run}` says where it is.",
    )
