"""A run whose process is killed again and again: what lies behind `test_killed_everywhere.py`.

A process of its own loads everything once and then lives a `Chain`: it forks a process that runs one command of the
real command line, which kills itself (SIGKILL) at the first moment where none has died yet; then it goes on as a person
would (`resume`, or the answer to what waits), until a process reaches the end. This module judges nothing: it writes
down where each process died and how each one ended.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from .chains import Chain, Ended, Lived
from .moments import Reaper, watch

__all__ = ["main"]

PATIENCE_SECONDS = 90
"""After which a process that neither dies nor ends is taken to hang."""

REFUSALS = 3
"""How often in a row a command may be refused before nobody tries another one."""


def live(chain: Chain, folder: Path) -> Lived:
    """Live the chain to its end."""
    lived, known, refusals = Lived(), set(), 0
    command = chain.begin
    while True:
        ended = _race(chain, folder, known) if _racing(chain, lived) else _wait(_fork(command, chain, folder, known))
        ended.counts = counts(chain.name)
        lived.ends.append(ended)
        known.add(ended.died)
        (folder / "progress").write_text(f"{len(lived.ends)} {ended.died or ended.code}\n")
        following = _following(chain, ended)
        refusals = refusals + 1 if ended.code == 2 else 0
        if following is None or len(lived.ends) > 600 or refusals > REFUSALS:
            break
        command = following
    lived.visited = sorted(set((folder / "visited").read_text().split("\n")) - {""})
    return lived


def counts(name: str) -> dict[str, int]:
    """Jobs, publications, lines of the journal and steps that a run has so far."""
    from trainwright.graph.settings import hub_path, run_path
    from trainwright.tools.code import git

    models = [path.parent for path in hub_path().glob("*/.git") if not path.parent.name.startswith(".")]
    found = {
        "jobs": len(list(run_path(name).glob("attempts/*/job*"))),
        "models": len(models),
        "commits": sum(int(git(model, "rev-list", "--all", "--count")) for model in models),
    }
    for table, what in (("effects", "COUNT(*)"), ("ledger", "SUM(amount)")):
        where = "run=?" if table == "effects" else "run=? AND resource='steps'"
        found[table] = _single(f"SELECT {what} FROM {table} WHERE {where}", name)
    return found


def _single(query: str, name: str) -> int:
    from trainwright.graph.settings import database_path

    if not database_path().exists():
        return 0
    with closing(sqlite3.connect(database_path(), timeout=30)) as db:
        try:
            return int(db.execute(query, (name,)).fetchone()[0] or 0)
        except sqlite3.OperationalError:  # killed before the table was made
            return 0


def _racing(chain: Chain, lived: Lived) -> bool:
    return bool(chain.races and lived.ends and lived.ends[-1].died)


def _row(name: str) -> dict[str, Any] | None:
    from trainwright.graph.settings import database_path

    if not database_path().exists():
        return None
    with closing(sqlite3.connect(database_path(), timeout=30)) as db, suppress(sqlite3.OperationalError):
        db.row_factory = sqlite3.Row
        row = db.execute("SELECT status, waiting FROM runs WHERE name=?", (name,)).fetchone()
        return dict(row) if row is not None else None
    return None


def _following(chain: Chain, ended: Ended) -> list[str] | None:
    """What a person does next; None at the end."""
    row = _row(chain.name)
    if row is None:
        return chain.begin
    waits = ended.code == 3 or (ended.code == 2 and ended.command[0] == "resume" and row["status"] == "waiting")
    if waits:
        gate = json.loads(row["waiting"])["gate"]
        if gate == "ask_person":
            return ["answer", chain.name, *chain.answers, "--json"]
        return ["approve", chain.name, "--json"]
    again = ended.died or ended.code == 130 or (ended.code == 2 and ended.command[0] != "resume")
    return ["resume", chain.name, "--json"] if again else None


@dataclass
class Child:
    """A process that was started."""

    pid: int
    command: list[str]
    folder: Path
    began: float


def _fork(command: list[str], chain: Chain, folder: Path, known: set[str], barrier: Path | None = None) -> Child:
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _be(command, chain, folder, known, barrier)
    return Child(pid, command, folder, began)


def _be(command: list[str], chain: Chain, folder: Path, known: set[str], barrier: Path | None) -> NoReturn:
    """The life of one process."""
    code = 70
    try:
        os.setsid()
        for number, name in ((1, "out"), (2, "err")):
            handle = os.open(folder / f"{name}-{os.getpid()}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            os.dup2(handle, number)
        from trainwright.cli.main import main

        watch(Reaper(chain, folder, known, barrier is not None))
        if barrier is not None:
            barrier.with_name(f"ready-{os.getpid()}").touch()
            while not barrier.exists():
                time.sleep(0.002)
        code = main(command)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, the forked process must not go on in its parent's code
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _wait(child: Child) -> Ended:
    limit = child.began + PATIENCE_SECONDS
    while True:
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid:
            return _ended(child, status)
        if time.monotonic() > limit:
            os.kill(child.pid, signal.SIGABRT)
            os.waitpid(child.pid, 0)
            return Ended(child.command, code=-1, said=f"It hung. {_said(child)}")
        time.sleep(0.005)


def _ended(child: Child, status: int) -> Ended:
    seconds = round(time.monotonic() - child.began, 2)
    died = child.folder / f"died-{child.pid}"
    if os.WIFSIGNALED(status):
        moment = died.read_text() if died.exists() else f"signal {os.WTERMSIG(status)}"
        return Ended(child.command, died=moment, pid=child.pid, signal=os.WTERMSIG(status), seconds=seconds)
    return Ended(child.command, code=os.WEXITSTATUS(status), pid=child.pid, said=_said(child), seconds=seconds)


def _said(child: Child) -> str:
    """Standard error, and the last line of standard output."""
    errors = (child.folder / f"err-{child.pid}").read_text()
    lines = (child.folder / f"out-{child.pid}").read_text().splitlines()
    return f"{errors[-1500:]}\n{lines[-1] if lines else ''}".strip()


def _race(chain: Chain, folder: Path, known: set[str]) -> Ended:
    """Two processes resume at the same instant; the one that went on, with the other beside it."""
    barrier, told = folder / "go", folder / "told"
    barrier.unlink(missing_ok=True)
    told.unlink(missing_ok=True)
    for path in folder.glob("ready-*"):
        path.unlink()
    command = ["resume", chain.name, "--json"]
    children = [_fork(command, chain, folder, known, barrier) for _ in range(2)]
    while len(list(folder.glob("ready-*"))) < 2:
        time.sleep(0.005)
    barrier.touch()
    left, ends = list(children), []
    while left:
        for child in list(left):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                ends.append(_ended(child, status))
                left.remove(child)
                told.touch()
        if left and time.monotonic() > left[0].began + PATIENCE_SECONDS:
            os.kill(left[0].pid, signal.SIGABRT)
        time.sleep(0.005)
    winner = max(ends, key=lambda end: (bool(end.died), end.code == 0))
    other = next(end for end in ends if end is not winner)
    winner.beside = asdict(other)
    return winner


def load() -> None:
    """Import what a run imports, so that a forked process begins at once. No thread may run: forking is safe only so."""
    for name in (
        *("pandas", "pyarrow.parquet", "sklearn.datasets", "sklearn.metrics", "trainwright.graph.driver"),
        *(f"trainwright.cli.{name}" for name in ("main", "going_on", "request", "session")),
        *(f"trainwright.tools.{name}" for name in ("datasets", "evaluation", "hub", "report", "smoke")),
    ):
        importlib.import_module(name)
    names = [thread.name for thread in threading.enumerate()]
    assert len(names) == 1, names


def main(folder: Path) -> None:
    """Live the chain whose description lies in the folder that is named."""
    chain = Chain(**json.loads((folder / "chain.json").read_text()))
    load()
    if chain.quick:
        from .quick import engage

        engage(asking=chain.asking)
    (folder / "visited").touch()
    (folder / "lived.json").write_text(json.dumps(asdict(live(chain, folder))))
