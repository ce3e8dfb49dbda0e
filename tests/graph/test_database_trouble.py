"""The database in trouble, with real processes: one line and an exit code, nothing lost, and the run goes on after.

Each trouble is met by a run in the middle of its work and by the commands that look at it.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.ordinary_user import namespaces_permitted, run_as_ordinary_user
from trainwright.graph.ledger import Ledger
from trainwright.graph.settings import database_path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

PROGRAM = [sys.executable, "-c", "import sys; from trainwright.cli.main import main; sys.exit(main())"]
RUN = ("run", "--goal", "Classify with logistic regression", "--data", "sklearn:iris", "--approvals", "auto")
RUN = (*RUN, "--dry-run", "--name", "troubled")


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, which waits for nobody for long."""
    env = {**os.environ, "TRAINWRIGHT_BUSY_SECONDS": "0.3", **environment}
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, env=env, timeout=120, check=False)


def check_told(done: subprocess.CompletedProcess[str], words: str) -> None:
    """The trouble was told in a line, with a second one that says what to do."""
    assert done.returncode == 1, (done.stdout[-500:], done.stderr)
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("Error: ")]
    assert len(told) == 1, done.stderr
    assert words in told[0]
    assert lines[-1] != told[0], "what to do"


def check_goes_on() -> None:
    """The run ends as if there had been no trouble, and every turn counts once."""
    done = command("resume", "troubled", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["status"] == "dry_run"
    assert result["steps"] == Ledger().total("troubled", "steps") >= 3


def started(until: Callable[[dict[str, Any]], bool], **more: Any) -> subprocess.Popen[str]:
    """A run in a process of its own that has come to an event."""
    env = {**os.environ, "TRAINWRIGHT_BUSY_SECONDS": "0.3"}
    process = subprocess.Popen(
        [*PROGRAM, *RUN, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **more
    )
    assert process.stdout is not None
    for line in process.stdout:
        if until(json.loads(line)):
            return process
    raise AssertionError(process.communicate()[1])


def finished(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """How it ended."""
    out, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess([], process.returncode, out, errors)


def at_planning(event: dict[str, Any]) -> bool:
    """The second stage begins."""
    return bool(event["event"] == "node" and event["node"] == "plan")


@contextmanager
def locked() -> Iterator[None]:
    """Another process has the database to itself."""
    code = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None); db.execute('BEGIN EXCLUSIVE')\n"
    )
    code += "print('locked', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(database_path())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        other.communicate("\n", timeout=20)


def test_locked_by_another_process_in_the_middle_of_a_run_and_before_each_command() -> None:
    process = started(at_planning)
    with locked():
        check_told(finished(process), "database is locked")
        for arguments in (("runs",), ("show", "troubled"), ("resume", "troubled"), ("fork", "troubled")):
            check_told(command(*arguments), "database is locked")
    assert "interrupted" in command("runs", "--json").stdout
    check_goes_on()


def test_a_short_lock_is_waited_for() -> None:
    process = started(at_planning)
    with locked():
        pass
    assert finished(process).returncode == 0


def limit_files() -> None:
    """No file of this process may become longer than 200 kB: what a full disk or a quota does to a log that grows."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


def test_no_room_on_the_disk_in_the_middle_of_a_run() -> None:
    process = started(lambda event: event["event"] == "run", preexec_fn=limit_files)
    check_told(finished(process), "cannot be used")
    assert command("show", "troubled").returncode == 0
    check_goes_on()


@pytest.fixture
def ended() -> Path:
    """The database of a run that was killed in the middle, without a log beside it; a copy of it lies beside."""
    process = started(at_planning)
    process.send_signal(signal.SIGKILL)
    finished(process)
    assert command("runs").returncode == 0  # the last to leave puts the log into the database
    path = database_path()
    assert not Path(f"{path}-wal").exists()
    shutil.copy2(path, path.with_name("copy.db"))
    return path


def garbage(seed: int, count: int) -> bytes:
    """Bytes that mean nothing."""
    return random.Random(seed).randbytes(count)


def overwrite(path: Path, at: int, content: bytes) -> None:
    """Put bytes into the middle of a file."""
    with path.open("r+b") as stream:
        stream.seek(at)
        stream.write(content)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "the beginning overwritten": lambda path: overwrite(path, 0, garbage(1, 4096)),
    "no database at all": lambda path: path.write_bytes(b"This is no database.\n" * 500),
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "all but the beginning overwritten": lambda path: overwrite(path, 8192, garbage(2, path.stat().st_size - 8192)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_named_and_a_copy_of_it_goes_on(ended: Path, damage: str) -> None:
    DAMAGES[damage](ended)
    told = [command(*arguments) for arguments in (("runs",), ("show", "troubled"), ("resume", "troubled"))]
    for done in told:
        assert "Traceback" not in done.stderr
        if done.returncode:
            check_told(done, "run database")
    assert any(done.returncode for done in told)
    shutil.copy2(ended.with_name("copy.db"), ended)
    for suffix in ("-wal", "-shm"):
        Path(f"{ended}{suffix}").unlink(missing_ok=True)
    check_goes_on()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.98])
def test_a_damaged_log_costs_its_last_entries_and_the_run_goes_on(share: float) -> None:
    process = started(at_planning)
    process.send_signal(signal.SIGKILL)
    finished(process)
    log = Path(f"{database_path()}-wal")
    overwrite(log, int(log.stat().st_size * share), garbage(3, 2_000))
    shown = command("runs")
    if share == 0.0 and "troubled" not in shown.stdout:  # nothing was in the database itself yet
        assert shown.returncode in (0, 1)
        assert "Traceback" not in shown.stderr
        return
    check_goes_on()


def ordinary(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line as somebody for whom modes count."""
    if os.geteuid() == 0:
        return run_as_ordinary_user([*PROGRAM, *arguments], place)
    return command(*arguments, TRAINWRIGHT_HOME=str(place / "home"))


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that an ordinary user can reach."""
    with tempfile.TemporaryDirectory(prefix="trainwright-place-") as name:
        os.chmod(name, 0o755)  # noqa: PTH101 - a name
        if os.geteuid() == 0 and (why := namespaces_permitted(Path(name))):
            pytest.skip(f"no ordinary user here: {why}")
        yield Path(name)


def test_a_database_that_may_only_be_read_is_named_and_goes_on_once_it_may_be_written(place: Path) -> None:
    goal = ("run", "--goal", "Classify with logistic regression", "--data", "sklearn:iris", "--name", "troubled")
    asked = ordinary(place, *goal)
    assert asked.returncode == 3, asked.stderr
    home = place / "home"
    for closed, bits in ((home / "runs.db", 0o400), (home, 0o500), (home, 0o000)):
        mode = closed.stat().st_mode
        closed.chmod(bits)
        for arguments in (("runs",), ("show", "troubled")):  # looking is possible where SQLite can read
            looked = ordinary(place, *arguments)
            if looked.returncode:
                check_told(looked, "run database")
        check_told(ordinary(place, "approve", "troubled"), "run database")
        closed.chmod(mode)
        for beside in home.glob("runs.db-*"):  # SQLite gives its log the mode that the database has
            beside.chmod(0o600)
        assert ordinary(place, "runs").returncode == 0  # the last to leave takes the log away
    assert ordinary(place, "show", "troubled").returncode == 0
    on = ordinary(place, "reject", "troubled", "--feedback", "use something else", "--json")
    assert json.loads(on.stdout.splitlines()[-1])["status"] == "waiting"
