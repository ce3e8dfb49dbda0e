"""One writer a run: the lease, whoever asks for it, and whatever becomes of who held it."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from trainwright.graph import lease
from trainwright.graph.errors import RunBusy
from trainwright.graph.heartbeat import BEAT, birth_of
from trainwright.graph.lease import driving, held, holder, left_behind, visiting
from trainwright.graph.registration import register
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import run_path
from trainwright.graph.state import Request, Settings

HOLD = """
import sys
from trainwright.graph.lease import held
with held(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def run() -> str:
    name = register(Request(goal="a goal"), Settings(), "thread")
    open_runs().update(name, stage="find_data")
    return name


@contextmanager
def another_process(run: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lease until it is told otherwise."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, run], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def heartbeat(run: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((run_path(run) / BEAT).read_text())
    return values


def test_who_comes_second_is_told_who_is_there(run: str) -> None:
    with another_process(run) as other:
        with pytest.raises(RunBusy, match=rf"{run} is at work already, in process {other.pid}") as told, held(run):
            pass
        assert "since 20" in told.value.message
        assert "last sign of life" in told.value.message
        assert "at find data" in told.value.message
        there = holder(run)
        assert there is not None
        assert (there.pid, there.born, there.what) == (other.pid, birth_of(other.pid), "drive")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_kernel_frees_it_when_its_process_dies(run: str, how: signal.Signals) -> None:
    with another_process(run) as other:
        other.send_signal(how)
        other.wait()
        assert holder(run) is None
        left = left_behind(run)
        assert left is not None
        assert (left.pid, left.lives) == (other.pid, False)
        with held(run):
            there = holder(run)
            assert there is not None
            assert there.pid == os.getpid()
        assert left_behind(run) is None, "who lets it go leaves nothing behind"


def test_a_second_drive_in_the_same_process_is_refused_too(run: str) -> None:
    with held(run), pytest.raises(RunBusy, match=f"in process {os.getpid()}"), held(run):
        pass
    with held(run):
        pass


async def test_the_nodes_of_a_drive_work_under_its_lease_and_others_do_not(
    run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = object(), object()
    monkeypatch.setattr(lease, "_invocation", lambda: mine)
    async with driving(run, mine):
        async with visiting(run), visiting(run):
            there = holder(run)
            assert there is not None
            assert there.what == "drive"
        monkeypatch.setattr(lease, "_invocation", lambda: other)
        with pytest.raises(RunBusy):
            async with visiting(run):
                pass
        assert holder(run) is not None, "a visit does not end the drive's lease"
    assert holder(run) is None


async def test_parallel_visits_share_the_lease_and_the_last_one_ends_it(
    run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LINGER_SECONDS", 0.05)
    inside, both = [0], asyncio.Event()

    async def visit() -> None:
        async with visiting(run):
            inside[0] += 1
            if inside[0] == 8:
                both.set()
            await both.wait()

    await asyncio.gather(*(visit() for _ in range(8)))
    free = threading.Event()
    for _ in range(100):
        if not (run_path(run) / BEAT).exists():
            break
        free.wait(0.02)
    with another_process(run), pytest.raises(RunBusy):
        async with visiting(run):
            pass


async def test_between_two_nodes_nobody_slips_in_and_a_drive_of_this_process_takes_over(run: str) -> None:
    async with visiting(run):
        pass
    assert (run_path(run) / BEAT).exists(), "it lingers for the next node"
    assert holder(run) is None
    with held(run):
        there = holder(run)
        assert there is not None
        assert there.what == "drive"
        assert heartbeat(run)["what"] == "drive"


async def test_a_gate_that_waits_frees_it_at_once(run: str) -> None:
    class Interrupted(Exception):
        pass

    with pytest.raises(Interrupted):
        async with visiting(run):
            raise Interrupted
    assert not (run_path(run) / BEAT).exists()
    with another_process(run):
        pass


async def test_a_drive_waits_for_a_visitor_that_goes_away(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LINGER_SECONDS", 0.3)
    async with visiting(run):
        pass
    # Another process: it finds the lock held by a visitor, and gets the lease when that one is gone.
    with another_process(run) as other:
        there = holder(run)
        assert there is not None
        assert there.pid == other.pid


async def test_a_cancelled_wait_leaves_no_lease_behind(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    going, on = threading.Event(), threading.Event()
    whole = lease._take

    def slow(*given: Any) -> Any:
        going.set()
        on.wait(10)
        return whole(*given)

    monkeypatch.setattr(lease, "_take", slow)

    async def drive() -> None:
        async with driving(run, object()):
            pytest.fail("it was cancelled before")

    task = asyncio.create_task(drive())
    await asyncio.to_thread(going.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    on.set()
    monkeypatch.undo()
    for _ in range(200):
        await asyncio.sleep(0.01)
        if holder(run) is None and not (run_path(run) / BEAT).exists():
            break
    with held(run):
        pass


async def test_nobody_joins_a_lease_that_is_about_to_be_freed(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another visit comes at the very moment at which the last one has left and its lease is not free yet."""
    met: list[object] = []
    whole = lease._Lease.free

    def free(leaving: lease._Lease) -> None:
        met.append(lease._join(run, None, "visit", strict=False))
        whole(leaving)

    monkeypatch.setattr(lease._Lease, "free", free)
    drop = lease._drop
    monkeypatch.setattr(lease, "_drop", lambda leaving: (met.append(lease._leases.get(run)), drop(leaving)))
    with pytest.raises(ValueError, match="it ends"):
        async with visiting(run):
            raise ValueError("it ends")
    assert met
    assert set(met) == {None}


async def test_a_cancelled_visit_leaves_the_lease_to_the_others(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had joined a lease under which another node is at work."""
    joined, on = threading.Event(), threading.Event()
    whole = lease._take

    def slow(*given: Any) -> Any:
        taken = whole(*given)
        joined.set()
        on.wait(10)
        return taken

    async def visit() -> None:
        async with visiting(run):
            pytest.fail("it was cancelled before")

    async with visiting(run):
        monkeypatch.setattr(lease, "_take", slow)
        join = lease._join
        # The first look, without a thread, came too early to find the lease.
        monkeypatch.setattr(lease, "_join", lambda *a, strict=True: join(*a, strict=strict) if strict else None)
        task = asyncio.create_task(visit())
        await asyncio.to_thread(joined.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        on.set()
        for _ in range(200):
            if lease._leases[run].visits == 1:
                break
            await asyncio.sleep(0.01)
        there = holder(run)
        assert there is not None
        assert there.pid == os.getpid()
        with pytest.raises(RunBusy), held(run):
            pass


def foreign(run: str, **more: Any) -> dict[str, Any]:
    """A heartbeat of a machine that this one does not know, whose clock is hours off."""
    values = {
        "pid": 77,
        "born": 1,
        "host": "far-away",
        "boot": "another",
        "since": "2031-01-01T00:00:00+00:00",
        "at": "2031-01-01T00:00:00+00:00",
        "beats": 3,
        "what": "drive",
        **more,
    }
    (run_path(run) / BEAT).write_text(json.dumps(values))
    return values


def test_a_heartbeat_of_another_machine_is_respected_while_it_beats(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.05)
    values = foreign(run)
    stop = threading.Event()

    def beat() -> None:
        for number in range(10_000):
            part = run_path(run) / "part"
            part.write_text(json.dumps({**values, "beats": number}))
            part.replace(run_path(run) / BEAT)
            if stop.wait(0.02):
                return

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with pytest.raises(RunBusy, match="in process 77 on far-away"), held(run):
            pass
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("at", ["1999-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00", "no time"])
def test_one_that_stands_still_is_taken_over_with_a_note_whatever_its_clock_says(
    run: str, at: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.02)
    foreign(run, at=at)
    with held(run):
        assert heartbeat(run)["pid"] == os.getpid()
    assert "far-away, which gave no sign of life" in caplog.text


def test_a_clock_that_jumps_frees_nothing_and_keeps_nothing(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with another_process(run):
        for year in ("1999", "2099"):
            monkeypatch.setattr(lease, "now", lambda year=year: f"{year}-01-01T00:00:00+00:00")
            assert holder(run) is not None
            with pytest.raises(RunBusy), held(run):
                pass
    with held(run):
        pass


def test_it_beats_by_itself(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.02)
    pause = threading.Event()
    with held(run):
        for _ in range(500):
            if heartbeat(run)["beats"] >= 3:
                break
            pause.wait(0.02)
        assert heartbeat(run)["beats"] >= 3


def test_where_files_have_no_locks_the_heartbeat_alone_tells(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with another_process(run) as other:
        monkeypatch.setattr(lease.fcntl, "flock", no_locks)
        with pytest.raises(RunBusy, match=f"in process {other.pid}"), held(run):
            pass
    with held(run):
        pass


def test_a_heartbeat_that_is_damaged_keeps_nobody_away(run: str) -> None:
    (run_path(run) / BEAT).write_text("{")
    with held(run):
        assert heartbeat(run)["pid"] == os.getpid()


def test_a_folder_that_goes_away_does_not_end_who_works(run: str) -> None:
    import shutil

    with held(run):
        shutil.rmtree(run_path(run))
    assert holder(run) is None


def test_a_process_is_known_by_when_it_began() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        born = birth_of(process.pid)
        assert born is not None
        assert born == birth_of(process.pid)
        assert process.stdin is not None
        process.stdin.close()
    assert birth_of(process.pid) is None
    assert birth_of(os.getpid()) is not None
