"""Running a process under limits: output drained, the whole tree measured, and killed when it passes a limit.

The watcher looks ten times a second. Resource limits set by the launcher hold what a look could miss. This module
does not isolate anything; `bubblewrap.py` does.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from trainwright.graph.ownership import started_by_me

from .folders import tree_size
from .limits import Ended, Limits, SandboxResult
from .measure import Usage, machine_out_of_memory, measure

if TYPE_CHECKING:
    import psutil

__all__ = ["run_watched"]

LOOK_SECONDS = 0.1
HEAD, TAIL = 32_768, 65_536
FILES_LIMIT = 20_000
END_SECONDS = 10.0
"""How long the kernel may take to end what was killed."""


@dataclass
class Drain:
    """Reads a stream to its end and keeps head and tail."""

    stream: IO[bytes]
    on_output: Callable[[bytes], None] | None
    total: int = 0
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    stopped: bool = False

    def run(self) -> None:
        """Until the stream ends."""
        while chunk := os.read(self.stream.fileno(), 65_536):
            self.total += len(chunk)
            if self.stopped:
                continue
            room = HEAD - len(self.head)
            self.head += chunk[: max(0, room)]
            self.tail += chunk[max(0, room) :]
            if len(self.tail) > 2 * TAIL:
                del self.tail[:-TAIL]
            if self.on_output is not None:
                try:
                    self.on_output(chunk)
                except OSError:  # a full disk, say: the process goes on, what it prints is kept here
                    self.on_output = None

    def text(self) -> str:
        """Head and tail, with a line between them that says how much is missing."""
        tail = bytes(self.tail[-TAIL:])
        missing = self.total - len(self.head) - len(tail)
        gap = f"\n… {missing} bytes left out …\n" if missing > 0 else ""
        return bytes(self.head).decode(errors="replace") + gap + tail.decode(errors="replace")


def run_watched(
    argv: Sequence[str],
    *,
    limits: Limits,
    env: Mapping[str, str],
    cwd: Path | None = None,
    writable: Sequence[Path] = (),
    cancelled: Callable[[], bool] | None = None,
    on_output: Callable[[bytes], None] | None = None,
    keep: Sequence[int] = (),
    told: int | None = None,
) -> SandboxResult:
    """Run `argv` until it ends or passes a limit; never raises for what the process does.

    Args:
        argv, env, cwd: of the process.
        limits: for the whole tree.
        writable: folders whose size counts.
        cancelled: asked ten times a second.
        on_output: gets each chunk of output, from two threads.
        keep: descriptors that the process inherits.
        told: descriptor on which bubblewrap tells the first process inside; read here, closed by the caller.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**env, **started_by_me()},
        cwd=cwd,
        start_new_session=True,
        pass_fds=tuple(keep),
    )
    for descriptor in keep:
        os.close(descriptor)
    watched = Watched(process, limits, tuple(writable), started)
    assert process.stdout is not None
    assert process.stderr is not None
    watched.drains = [Drain(process.stdout, on_output), Drain(process.stderr, on_output)]
    threads = [threading.Thread(target=drain.run, daemon=True) for drain in watched.drains]
    for thread in threads:
        thread.start()
    try:
        if told is not None:
            watched.enter(told)
        ended = watched.follow(cancelled)
    finally:
        watched.kill()
        # All who wrote have ended, so the threads read what is left, the last lines among it, and end themselves.
        for thread, drain in zip(threads, watched.drains, strict=True):
            thread.join(timeout=END_SECONDS)
            drain.stopped = True
            if not thread.is_alive():  # else somebody who left the tree holds the pipe, and the thread still reads
                drain.stream.close()
    return _result(watched, ended, time.monotonic() - started)


@dataclass
class Watched:
    """A process tree under watch.

    Attributes:
        inside: the first process in the sandbox, whose end is everybody's end there; None without a sandbox.
        handle: descriptor of that process, which stays its own even when its number is used again.
    """

    process: subprocess.Popen[bytes]
    limits: Limits
    writable: tuple[Path, ...]
    started: float
    drains: list[Drain] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    tree: list[psutil.Process] = field(default_factory=list)
    inside: int | None = None
    handle: int | None = None

    def enter(self, told: int) -> None:
        """Learn from bubblewrap which process is the first one inside."""
        text = b""
        while (found := CHILD.search(text)) is None:
            if not select.select([told], [], [], END_SECONDS)[0]:
                return
            chunk = os.read(told, 4_096)
            if not chunk:
                return  # bubblewrap failed before it started anything
            text += chunk
        self.inside = int(found[1])
        try:
            self.handle = os.pidfd_open(self.inside)
        except OSError:  # it has ended already
            self.inside = None

    def follow(self, cancelled: Callable[[], bool] | None) -> Ended | None:
        """The limit that was passed; None when the process ended by itself."""
        limits, usage, look = self.limits, self.usage, 0
        while True:
            try:
                self.process.wait(timeout=0.01 if look == 0 else LOOK_SECONDS)
                if self.printed() > limits.output_bytes:
                    return "output"
                return "disk" if any(_too_big(folder, limits) for folder in self.writable) else None
            except subprocess.TimeoutExpired:
                look += 1
            self.tree = measure(self.process.pid, self.inside, usage)
            if cancelled is not None and cancelled():
                return "cancelled"
            if time.monotonic() - self.started > limits.wall_seconds:
                return "timeout"
            if self.printed() > limits.output_bytes:
                return "output"
            if usage.peak_memory > limits.memory_bytes or machine_out_of_memory():
                return "memory"
            if usage.cpu_seconds > limits.cpu_seconds:
                return "cpu"
            if usage.processes > limits.processes:
                return "processes"
            if usage.scratch_files > FILES_LIMIT:
                return "disk"
            if look % 2 == 0 and any(_too_big(folder, limits) for folder in self.writable):
                return "disk"

    def printed(self) -> int:
        """Bytes printed so far."""
        return sum(drain.total for drain in self.drains)

    def kill(self) -> None:
        """End the whole tree: its session, whatever left the session, and everybody in the sandbox."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.handle is not None:
            self._end_inside(self.handle)
        self._end_rest()
        self.process.wait()

    def _end_inside(self, handle: int) -> None:
        """End the first process inside and wait for it: the kernel ends everybody else there before."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [], END_SECONDS)
        os.close(handle)
        self.handle = None

    def _end_rest(self) -> None:
        """End those of the last look that still run: a plain process may have left its session."""
        import psutil

        for child in self.tree:
            try:
                child.kill()  # psutil compares start times: never a stranger with the same number
            except psutil.Error:
                continue
        deadline = time.monotonic() + END_SECONDS
        while any(_lives(child) for child in self.tree[1:]) and time.monotonic() < deadline:
            time.sleep(0.01)


CHILD = re.compile(rb'"child-pid":\s*(\d+)')


def _too_big(folder: Path, limits: Limits) -> bool:
    size, files = tree_size(folder)
    return size > limits.disk_bytes or files > FILES_LIMIT


def _lives(process: psutil.Process) -> bool:
    """Whether it still runs; one that waits to be reaped does not."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


MESSAGES: dict[Ended, str] = {
    "timeout": "It ran longer than {limits.wall_seconds:.0f} s and was stopped.",
    "cpu": "It used more than {limits.cpu_seconds:.0f} s of processor time and was stopped.",
    "memory": "It used more memory than allowed ({limits.memory_bytes} bytes) and was stopped.",
    "disk": "It wrote more than allowed ({limits.disk_bytes} bytes, {files} files, folders that can be looked at) "
    "and was stopped.",
    "processes": "It started more than {limits.processes} processes and threads and was stopped.",
    "output": "It printed more than {limits.output_bytes} bytes and was stopped.",
    "cancelled": "It was stopped because the run was asked to stop.",
}


def _result(watched: Watched, ended: Ended | None, seconds: float) -> SandboxResult:
    code: int | None = watched.process.returncode
    message = ""
    if ended is not None:
        message, code = MESSAGES[ended].format(limits=watched.limits, files=FILES_LIMIT), None
    elif code is not None and (code < 0 or 128 < code <= 192):
        number = -code if code < 0 else code - 128
        ended, code = "signal", -number
        message = f"It was ended by signal {number}{_meaning(number)}."
    elif code:
        message = f"It ended with exit code {code}."
    return SandboxResult(
        ended=ended or "exit",
        exit_code=code,
        stdout=watched.drains[0].text(),
        stderr=watched.drains[1].text(),
        seconds=seconds,
        cpu_seconds=watched.usage.cpu_seconds,
        peak_memory=watched.usage.peak_memory,
        message=message,
    )


def _meaning(number: int) -> str:
    known = {
        signal.SIGXCPU: ": its processor time was used up",
        signal.SIGXFSZ: ": it wrote a file larger than allowed",
        signal.SIGKILL: ": killed, often for want of memory",
        signal.SIGSEGV: ": a crash in compiled code",
    }
    return known.get(number, "")  # type: ignore[call-overload,no-any-return]
