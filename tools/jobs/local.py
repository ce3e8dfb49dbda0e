"""Jobs on this machine: a detached supervisor process for each, in a folder of its own.

The folder is the job: `job.json` (spec and key, written first), `lock` (held by the supervisor as long as it lives),
`heartbeat`, `log.txt`, `out/`, `result.json` (written last, whole). The lock tells a living supervisor from a dead
one without guessing from process ids, so a job that was submitted and killed at any line is started exactly once.
A handle is the folder's path of the day it was submitted; the folder may have been moved since, so it is not followed.
How long a job runs is counted by its supervisor, by a clock that nobody sets.
`out/` is the one part that the script writes: what lies there is read as plain files, and no link in it is followed.
"""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from trainwright.graph.errors import JobError
from trainwright.graph.heartbeat import birth_of
from trainwright.graph.ownership import started_by_me
from trainwright.graph.state import Settings
from trainwright.tools.sandbox import json_rows, read_plain

from .engine import JobSpec, JobStatus
from .terms import Terms

__all__ = ["Beat", "LocalEngine", "locked", "read_beat", "write_beat", "write_whole"]

START_SECONDS = 30.0
"""How long a new supervisor may take to show its first sign of life."""

CANCEL_SECONDS = 15.0
"""How long a supervisor may take to end a job that was cancelled, before it is ended itself."""

CHUNK = 1 << 20
"""Bytes of a log or a metrics stream that one call reads at most."""


def locked(folder: Path) -> bool:
    """Whether a supervisor holds the job's lock."""
    try:
        handle = (folder / "lock").open("r")
    except FileNotFoundError:
        return False
    with handle:
        try:
            # Shared: two who ask at once do not take each other for a supervisor.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def write_whole(path: Path, value: Any) -> None:
    """Write JSON durably: whole, or not at all."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(value, stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


class LocalEngine:
    """The local engine; `root` is the folder of one job, whose parent exists or is made."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def terms(self, settings: Settings) -> Terms:
        """What the person says that an hour of this machine costs; no GPU is given to a job here."""
        return Terms("this machine", Decimal(str(settings.machine_usd_per_hour)))

    def submit(self, spec: JobSpec, key: str) -> str:
        """Start the job.

        Raises:
            JobError: another job's key lives in this folder and still runs, or the supervisor did not start.
        """
        with self._alone():
            known = self._key()
            if known is not None and known != key:
                # A supervisor that has written its result lets go of the lock a moment later.
                if not _released(self.root, 10.0 if _result(self.root) is not None else 0.0):
                    raise JobError(f"Another job still runs in {self.root.name}.", hint="Wait for it, or cancel it.")
                self._set_aside()
            self.root.mkdir(exist_ok=True)
            if known != key:
                write_whole(self.root / "job.json", {**spec.to_json(), "key": key})
            self._start_unless_running()
        return str(self.root)

    def restart(self, handle: str) -> None:
        """Start a lost job again, under its key and in its folder; nothing happens if it runs or has ended.

        Raises:
            JobError: its folder is gone, or the supervisor did not start.
        """
        with self._alone():
            again = "Resume the run to submit it anew."
            if self._key() is None:
                raise JobError(f"The folder of the job {self.root.name} is gone.", hint=again)
            if not self._submitted_here():
                raise JobError("The folder of the run was moved since the job was submitted.", hint=again)
            self._start_unless_running()

    def _submitted_here(self) -> bool:
        """Whether the job's code lies in this run's folder: another place may hold something else by now."""
        spec = json.loads((self.root / "job.json").read_text(encoding="utf-8"))
        return Path(spec["code"]).is_relative_to(self.root.parents[2]) and Path(spec["code"]).is_dir()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Whoever starts the job of this folder does so alone."""
        self.root.parent.mkdir(parents=True, exist_ok=True)
        with self.root.with_name(f".{self.root.name}.submit").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start_unless_running(self) -> None:
        if not (self.root / "result.json").exists() and not locked(self.root):
            self._start()

    def _key(self) -> str | None:
        path = self.root / "job.json"
        return str(json.loads(path.read_text(encoding="utf-8"))["key"]) if path.is_file() else None

    def _set_aside(self) -> None:
        """An earlier job of the attempt (its code was repaired since) stays beside the new one."""
        number = 1
        while (aside := self.root.with_name(f"{self.root.name}-{number}")).exists():
            number += 1
        self.root.rename(aside)

    def _start(self) -> None:
        (self.root / "heartbeat").unlink(missing_ok=True)
        with (self.root / "supervisor.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "trainwright.tools.jobs.supervisor", str(self.root)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env={**os.environ, **started_by_me(), "PYTHONDONTWRITEBYTECODE": "1"},
            )
        # The supervisor outlives this process; while this one lives, it must not stay behind as a zombie.
        threading.Thread(target=process.wait, name=f"job {self.root.name}", daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if (self.root / "heartbeat").exists() or (self.root / "result.json").exists():
                return
            if process.poll() not in (None, 0):
                tail = (self.root / "supervisor.log").read_text(errors="replace").strip()[-500:]
                raise JobError(f"The supervisor of the job did not start: {tail}")
            time.sleep(0.02)
        raise JobError("The supervisor of the job showed no sign of life.", hint="Resume the run to try again.")

    def find(self, key: str) -> str | None:
        """The handle if this folder is the job of that key and it was started."""
        if self._key() != key:
            return None
        started = (self.root / "result.json").exists() or (self.root / "heartbeat").exists() or locked(self.root)
        return str(self.root) if started else None

    def status(self, handle: str) -> JobStatus:
        """How it stands."""
        folder = self.root
        # In this order: a supervisor writes its result before it lets the lock go.
        held = locked(folder)
        result = _result(folder)
        if result is not None:
            return result
        beat = read_beat(folder)
        if beat is None:
            if held:
                return JobStatus("submitted")
            return JobStatus("lost", error_class="lost", error_tail="The job never started.")
        if held:
            return JobStatus("running", seconds=beat.seconds + beat.age, heartbeat_age=beat.age)
        tail = "The supervisor of the job ended without leaving a result (killed, or the machine went down)."
        return JobStatus("lost", seconds=beat.seconds, heartbeat_age=beat.age, error_class="lost", error_tail=tail)

    def logs(self, handle: str, since: int) -> tuple[str, int]:
        """What it printed; a character that is only half there yet comes with the next call."""
        data = read_plain(self.root / "log.txt", since, CHUNK)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data)
        waiting = len(decoder.getstate()[0])
        return text, since + len(data) - waiting

    def metrics(self, handle: str, since: int) -> tuple[list[dict[str, Any]], int]:
        """The metrics stream; lines that are no JSON objects are passed over, a half-written last one waits."""
        data = read_plain(self.root / "out" / "metrics.jsonl", since, CHUNK)
        whole = data[: data.rfind(b"\n") + 1]
        if not whole and len(data) == CHUNK:
            return [], since + CHUNK  # no line is that long; what follows its end is read again
        return json_rows(whole), since + len(whole)

    def cancel(self, handle: str) -> None:
        """End it: the supervisor is told by a file and ends the whole tree; one that does not answer is ended too."""
        folder = self.root
        if _result(folder) is not None or not folder.is_dir():
            return
        (folder / "cancel").touch()
        if not _released(folder, CANCEL_SECONDS):
            _end_supervisor(folder)
            if not _released(folder, CANCEL_SECONDS):
                raise JobError(f"The job in {folder.name} did not end.", hint="Look at its supervisor.log.")
        if _result(folder) is None:
            seconds = self.status(handle).seconds
            cancelled = JobStatus("cancelled", seconds=seconds, error_class="cancelled", error_tail="It was cancelled.")
            write_whole(folder / "result.json", asdict(cancelled))


class Beat(NamedTuple):
    """A supervisor's last sign of life: how long its job had run by then, and how long ago that was, in seconds."""

    seconds: float
    age: float


def write_beat(folder: Path, seconds: float) -> None:
    """Show that the supervisor lives, with the seconds that its job runs."""
    part = folder / "heartbeat.part"
    part.write_text(f"{seconds:.3f} {time.monotonic():.3f}", encoding="ascii")
    part.replace(folder / "heartbeat")


def read_beat(folder: Path) -> Beat | None:
    """The last sign of life; None where there was none yet.

    The age counts only within one start of the machine; what was written before it has none.
    """
    try:
        seconds, at = map(float, (folder / "heartbeat").read_text(encoding="ascii").split())
    except FileNotFoundError:
        return None
    except ValueError:
        return Beat(0.0, 0.0)
    return Beat(seconds, max(0.0, time.monotonic() - at))


def _result(folder: Path) -> JobStatus | None:
    path = folder / "result.json"
    return JobStatus(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def _released(folder: Path, seconds: float) -> bool:
    """Whether the supervisor is gone, waiting for it that long."""
    deadline = time.monotonic() + seconds
    while locked(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _end_supervisor(folder: Path) -> None:
    """Kill the supervisor that holds the lock, and the training with it."""
    try:
        pid, born = map(int, (folder / "lock").read_text(encoding="utf-8").split())
        if birth_of(pid) == born:  # else the number belongs to a stranger by now
            os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return
