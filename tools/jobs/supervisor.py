"""The supervisor of one local job: `python -m trainwright.tools.jobs.supervisor FOLDER`.

It outlives the terminal, holds the job's lock, runs `train.py` in the sandbox, streams its output into the log,
shows that it lives, and leaves `result.json`. Killed itself, it takes the training with it: nothing is orphaned.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO

from trainwright.graph.errors import TrainwrightError
from trainwright.graph.heartbeat import birth_of
from trainwright.graph.redaction import redact
from trainwright.tools.sandbox import (
    Mount,
    SandboxResult,
    classify_failure,
    clear_folder,
    interpreter_for,
    plain_folder,
    run_sandboxed,
    run_trusted,
)

from .engine import JobSpec, JobState, JobStatus
from .local import write_beat, write_whole

__all__ = ["main", "supervise"]

BEAT_SECONDS = 1.0
HELD_BYTES = 64 * 1024
"""Bytes of a line, or of a private key, that are held back at most until its end has come."""
LOCK_SECONDS = 5.0
"""How long to try for the lock: somebody who only asks whether it is held holds it for a moment."""


class Log:
    """The job's log file, up to a limit in bytes. Whole lines are written, without the secrets in them."""

    def __init__(self, path: Path, limit: int) -> None:
        self.stream = path.open("ab", buffering=0)
        self.limit = limit
        self.size = 0
        self.rest = b""
        self.lock = threading.Lock()

    def write(self, chunk: bytes) -> None:
        """Append; beyond the limit nothing is written any more."""
        with self.lock:
            self.rest += chunk
            end = max(self.rest.rfind(b"\n"), self.rest.rfind(b"\r")) + 1  # a progress bar ends its lines with \r
            key = self.rest.rfind(b"-----BEGIN")
            if len(self.rest) >= HELD_BYTES:
                end = end or len(self.rest)
            elif key >= 0 and b"-----END" not in self.rest[key:]:
                end = min(end, key)  # a private key is known as one only when it is there as a whole
            self._append(self.rest[:end])
            self.rest = self.rest[end:]

    def close(self) -> None:
        """Write what is held back, and close the file."""
        with self.lock:
            self._append(self.rest)
            self.rest = b""
            self.stream.close()

    def _append(self, data: bytes) -> None:
        if data and self.size < self.limit:
            clean: str = redact(data.decode("utf-8", "surrogateescape"))
            self.size += self.stream.write(clean.encode("utf-8", "surrogateescape")[: self.limit - self.size]) or 0


def supervise(folder: Path) -> None:
    """Run the job of `folder` to its end; does nothing if it has one or if another supervisor runs it."""
    with (folder / "lock").open("a+") as lock:
        if not _take(lock) or (folder / "result.json").exists():
            return
        started = time.monotonic()
        with _beating(folder, started):
            try:
                spec = JobSpec.from_json(json.loads((folder / "job.json").read_text(encoding="utf-8")))
                status = _status(_run(folder, spec), time.monotonic() - started, folder)
            except Exception as error:  # noqa: BLE001 - whatever it was, the run must learn of it
                status = JobStatus("failed", error_class=_word(error), error_tail=redact(str(error))[-4_000:])
            write_whole(folder / "result.json", asdict(status))


def _word(error: Exception) -> str:
    return str(getattr(error, "kind", "")) or type(error).__name__ if isinstance(error, TrainwrightError) else "other"


def _take(lock: IO[str]) -> bool:
    """Take the job's lock and write into it who holds it, with the time of birth: numbers are used again."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()} {birth_of(os.getpid())}")
    lock.flush()
    return True


@contextmanager
def _beating(folder: Path, started: float) -> Iterator[None]:
    """Show life each second from a thread, so that preparing an environment is a sign of life too."""
    write_beat(folder, 0.0)
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT_SECONDS):
            with suppress(OSError):  # a full disk ends no job
                write_beat(folder, time.monotonic() - started)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _run(folder: Path, spec: JobSpec) -> SandboxResult:
    code, out = folder / "code", folder / "out"
    shutil.rmtree(code, ignore_errors=True)
    shutil.copytree(spec.code, code, symlinks=True)
    out.mkdir(exist_ok=True)
    clear_folder(out)
    with closing(Log(folder / "log.txt", spec.limits.output_bytes)) as log:
        return _trained(folder, spec, log)


def _trained(folder: Path, spec: JobSpec, log: Log) -> SandboxResult:
    code, out = folder / "code", folder / "out"
    stop = (folder / "cancel").exists
    python = interpreter_for(code / "train.py")
    flags = ["--seed", str(spec.seed)]
    if spec.isolation == "process":
        argv = [*python, str(code / "train.py"), "--data", spec.data, "--out", str(out), *flags]
        return run_trusted(argv, cwd=out, limits=spec.limits, cancelled=stop, on_output=log.write)
    argv = [*python, "/code/train.py", "--data", "/data", "--out", "/out", *flags]
    mounts = [Mount(code, "/code"), Mount(Path(spec.data), "/data"), Mount(out, "/out", writable=True)]
    mask = [Path(path) for path in spec.mask]
    return run_sandboxed(
        argv, mounts=mounts, cwd="/out", limits=spec.limits, mask=mask, cancelled=stop, on_output=log.write
    )


def _status(result: SandboxResult, seconds: float, folder: Path) -> JobStatus:
    state: JobState = "succeeded" if result.exit_code == 0 else "failed"
    error_class, tail = ("", "") if result.exit_code == 0 else classify_failure(result)
    if result.ended == "cancelled":
        state = "cancelled"
    if state == "succeeded" and not plain_folder(folder / "out" / "model"):
        state, error_class, tail = "failed", "contract", "train.py ended well but left no folder OUT/model."
    return JobStatus(
        state,
        exit_code=result.exit_code,
        seconds=seconds,
        peak_memory=result.peak_memory,
        error_class=error_class,
        error_tail=tail,
    )


def main() -> None:
    """Entry of the module."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    supervise(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
