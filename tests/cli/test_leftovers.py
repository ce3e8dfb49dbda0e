"""What crashed runs left behind: found, told with its age and its cost, and ended only on request."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.graph.test_lease import another_process
from tests.jobs.conformance import HEAD, eventually
from trainwright.cli import leftovers
from trainwright.cli.leftovers import LeftOver, end_left_overs, left_overs
from trainwright.cli.main import main
from trainwright.graph import ownership
from trainwright.graph.effects import Journal, effect_key
from trainwright.graph.lease import held, holder, left_behind
from trainwright.graph.ledger import Ledger
from trainwright.graph.ownership import temporary_folder
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import hub_path, run_path
from trainwright.tools.hub import LocalHub
from trainwright.tools.jobs import JobSpec, LocalEngine
from trainwright.tools.sandbox import Limits

from .conftest import Trainwright

SLEEPS = "import subprocess\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])\ntime.sleep(100)"


def made(name: str, status: str, settings: dict[str, object] | None = None) -> Path:
    """A run with that status, and its folder."""
    open_runs().open(name, name, "", {}, settings or {})
    open_runs().update(name, status=status)
    folder = run_path(name)
    folder.mkdir(parents=True)
    return folder


def job_of(run: str, key: str = "key") -> LocalEngine:
    """A job that sleeps, with a child that sleeps too."""
    folder = run_path(run)
    code = folder / "attempts" / "1" / "code"
    code.mkdir(parents=True)
    (code / "train.py").write_text(HEAD + SLEEPS)
    engine = LocalEngine(folder / "attempts" / "1" / "job")
    spec = JobSpec(run, 1, key, str(code), str(folder), 0, "process", [], Limits(wall_seconds=100.0))
    engine.submit(spec, key)
    return engine


def tree_of(engine: LocalEngine) -> list[psutil.Process]:
    """The supervisor, the training, and what that one started."""
    pid = int((engine.root / "lock").read_text().split()[0])
    return eventually(
        lambda: len(tree := [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]) > 2 and tree
    )


def gone(tree: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in tree)


def kinds(found: list[LeftOver]) -> list[str]:
    return [one.kind for one in found]


@pytest.fixture(autouse=True)
def nothing_of_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Temporary folders of this test alone."""
    monkeypatch.setattr(leftovers.tempfile, "gettempdir", lambda: str(tmp_path))


@pytest.fixture
def ended() -> Iterator[LocalEngine]:
    """A job that goes on though its run has ended, with what is held for it."""
    made("ended", "failed", {"machine_usd_per_hour": 3_600.0})
    Ledger().reserve("ended", {"milliseconds": 60_000}, limits=(), key="key", node="watch_job")
    engine = job_of("ended")
    yield engine
    engine.cancel(str(engine.root))


def test_a_job_of_an_ended_run_is_ended_with_its_whole_tree_and_settled(
    ended: LocalEngine, trainwright: Trainwright
) -> None:
    tree = tree_of(ended)
    job, reservation = left_overs()
    assert (job.kind, job.run, job.needs_name) == ("job", "ended", False)
    assert f"job in process {tree[0].pid} of ended, which has ended (failed)" in job.about
    assert "$" in job.about
    assert reservation.kind == "reservation"
    assert "60000 milliseconds held by ended" in reservation.about
    assert not gone(tree), "nothing is ended by being looked at"

    done = trainwright("doctor", "--end", "--json")
    assert done.code == 0, done.err
    told = [json.loads(row) for row in done.out.splitlines()]
    assert [(row["kind"], row["gone"]) for row in told] == [("job", True), ("reservation", True)]
    assert gone(tree)
    status = ended.status(str(ended.root))
    assert status.state == "cancelled"
    assert Ledger().open("ended") == []
    assert Ledger().total("ended", "milliseconds") == int(round(status.seconds * 1_000, 3))
    assert left_overs() == []


def test_a_job_of_a_run_that_can_go_on_is_ended_only_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    made("going", "interrupted")
    engine = job_of("going")
    try:
        tree = tree_of(engine)
        (job,) = left_overs()
        assert job.needs_name
        assert "`trainwright resume going` goes on with it" in job.about
        assert "costs nothing but this machine" in job.about
        assert main(["doctor", "--end"]) == 0
        assert "needs its name" in capsys.readouterr().out
        assert not gone(tree)
        with held("going"):
            assert left_overs() == [], "at work, so nothing is left over"
        assert main(["doctor", "--end", "goi"]) == 0
        assert "was ended with all that it started" in capsys.readouterr().out
        assert gone(tree)
    finally:
        engine.cancel(str(engine.root))


def test_a_job_whose_folder_is_gone() -> None:
    made("lost", "running")
    tree = tree_of(job_of("lost"))
    shutil.rmtree(run_path("lost"))
    found = [one for one in left_overs() if one.kind == "job"]
    assert ["lost, which is gone" in one.about for one in found] == [True]
    assert [ok for _, _, ok in end_left_overs([])] == [True]
    assert gone(tree)
    assert not run_path("lost").exists()


STARTS = """
import sys
from pathlib import Path
from trainwright.tools.sandbox import Limits, run_trusted

LEAVES = '''
import subprocess, sys, time
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], start_new_session=True)
print(left.pid, flush=True)
time.sleep(100)
'''

def tell(chunk):
    sys.stdout.write(chunk.decode())
    sys.stdout.flush()

limits = Limits(wall_seconds=100.0)
run_trusted([sys.executable, "-c", LEAVES], cwd=Path(sys.argv[1]), limits=limits, on_output=tell)
"""


@contextmanager
def at_work_in(out: Path) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A process that waits for a script of a run, and what that script left to itself."""
    starter = subprocess.Popen([sys.executable, "-c", STARTS, str(out)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    left = psutil.Process(int(starter.stdout.readline()))
    try:
        yield starter, left
    finally:
        starter.kill()
        starter.wait()
        starter.stdout.close()
        if left.is_running():
            left.kill()


def folder_of_attempt(run: str, status: str) -> Path:
    out = made(run, status) / "attempts" / "1" / "job" / "out"
    out.mkdir(parents=True)
    return out


@pytest.mark.parametrize("status", ["interrupted", "failed"])
def test_a_program_that_nobody_waits_for_any_more(status: str) -> None:
    out = folder_of_attempt("crashed", status)
    with at_work_in(out) as (starter, left):
        assert left_overs() == [], "its starter waits for it"
        starter.kill()
        starter.wait()
        found = eventually(lambda: [one for one in left_overs() if str(left.pid) in one.about])
        assert [(one.kind, one.run, one.needs_name) for one in found] == [
            ("process", "crashed", status == "interrupted")
        ]
        if status == "interrupted":
            assert list(end_left_overs([])) == [], "the run could go on: it needs its name"
            assert not gone([left])
        assert [ok for _, _, ok in end_left_overs(["crashed"])] == [True]
        assert gone([left])
        assert left_overs() == []


@pytest.mark.parametrize("status", ["interrupted", "failed"])
def test_what_trainwright_did_not_start_is_never_ended(status: str) -> None:
    """A person looks into a run's folder: from a terminal, without one, by its path, from inside it."""
    out = folder_of_attempt("looked-at", status)
    (out / "metrics.jsonl").touch()
    supervisor = ["trainwright.tools.jobs.supervisor", str(out.parent)]
    commands: list[tuple[list[str], Path | None]] = [
        (["tail", "-f", str(out / "metrics.jsonl")], None),
        (["sleep", "100"], out),
        ([sys.executable, "-c", "import time; time.sleep(100)", *supervisor], None),
    ]
    theirs = [subprocess.Popen(command, cwd=cwd, start_new_session=True) for command, cwd in commands]
    try:
        assert left_overs() == []
        assert list(end_left_overs(["looked-at"])) == []
        assert [one.poll() for one in theirs] == [None] * len(theirs)
    finally:
        for one in theirs:
            one.kill()
            one.wait()


def test_a_process_that_cannot_be_read_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    out = folder_of_attempt("crashed", "failed")
    with at_work_in(out) as (starter, left):
        starter.kill()
        starter.wait()
        eventually(lambda: [one for one in left_overs() if str(left.pid) in one.about])

        def denied(process: psutil.Process) -> dict[str, str]:
            raise psutil.AccessDenied(process.pid)

        monkeypatch.setattr(psutil.Process, "environ", denied)
        assert left_overs() == []


class Killed(BaseException):
    """Stands for a process that ends between two lines."""


def begun(run: str, kind: str, *, done: bool) -> str:
    """An effect without a receipt; its key."""
    package = run_path(run) / "package"
    package.mkdir(exist_ok=True)
    (package / "README.md").write_text("a model")

    def killed(key: str) -> str:
        if done:
            LocalHub(hub_path()).publish(key, package, f"model-{run}", "a model")
        raise Killed

    with pytest.raises(Killed):
        Journal().once(run, 1, kind, {}, do=killed, look_up=lambda key: None)
    return effect_key(run, 1, kind, {})


def test_effects_that_happened_without_a_receipt() -> None:
    for run in ("done", "not-done", "paid"):
        made(run, "interrupted" if run == "done" else "failed")
    begun("done", "publication", done=True)
    begun("not-done", "publication", done=False)
    begun("not-done", "job", done=False)
    begun("not-done", "notification", done=False)
    begun("paid", "sandbox", done=False)
    found = {one.run: one for one in left_overs()}
    assert set(found) == {"done", "paid"}, "what certainly did not happen is not left over"
    assert f"the model is in {hub_path() / 'model-done'}" in found["done"].about
    assert "`trainwright resume done` looks it up" in found["done"].about
    assert "may or may not have happened" in found["paid"].about
    assert list(end_left_overs([])) == [], "only a person can tell"


def test_held_reservations_are_settled_in_full_where_nobody_knows_what_was_used() -> None:
    for run, status in (("over", "budget_limit"), ("open", "interrupted")):
        made(run, status)
        Ledger().reserve(run, {"output_tokens": 500, "usd_micros": 7}, limits=(), key=f"{run}/call/1", node="plan")
    (held_one,) = left_overs()
    assert held_one.run == "over"
    assert [what for _, what, _ in end_left_overs([])] == ["settled in full: nobody knows what was used"]
    assert Ledger().total("over", "usd_micros") == 7
    assert Ledger().open("over") == []
    assert len(Ledger().open("open")) == 1, "it is settled when the run goes on"


def test_the_lease_of_a_killed_process() -> None:
    made("killed", "running")
    with another_process("killed") as other:
        assert left_overs() == []
    (one,) = left_overs()
    assert one.kind == "lease"
    assert f"the lease of process {other.pid}, which was killed, on killed" in one.about
    assert [ok for _, _, ok in end_left_overs([])] == [True]
    assert left_behind("killed") is None
    assert holder("killed") is None


def test_files_that_were_half_written(tmp_path: Path) -> None:
    for run, status in (("over", "failed"), ("open", "interrupted")):
        folder = made(run, status)
        (folder / "stages").mkdir()
        (folder / "stages" / "plan.json.part").write_text("{")
    half = hub_path() / ".model.part"
    half.mkdir(parents=True)
    long_ago = time.time() - 10_000
    tried = temporary(tmp_path, f"clean-{os.getpid()}-1-abc", long_ago)  # that number is somebody else's by now
    os.utime(half, (long_ago, long_ago))
    assert kinds(left_overs()) == ["file", "file", "file"]
    assert all(ok for _, _, ok in end_left_overs([]))
    assert left_overs() == []
    assert not tried.exists()
    assert (run_path("open") / "stages" / "plan.json.part").exists()


def temporary(place: Path, name: str, at: float) -> Path:
    """A temporary folder of that time, with something in it."""
    folder = place / f"trainwright-{name}"
    folder.mkdir()
    (folder / "file").write_text("x")
    os.utime(folder, (at, at))
    return folder


@pytest.mark.parametrize("purpose", ["clean", "reproduce", "code", "probe"])
def test_a_temporary_folder_is_removed_when_its_maker_is_gone(
    purpose: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership.tempfile, "tempdir", str(tmp_path))
    long_ago, days_ago = time.time() - 10_000, time.time() - 100_000
    with temporary_folder(purpose) as mine:
        os.utime(mine, (days_ago, days_ago))
        gone_maker = mine.name.replace(f"-{os.getpid()}-", f"-{os.getpid()}-9", 1)
        removed = [
            temporary(tmp_path, gone_maker.removeprefix("trainwright-"), long_ago),
            temporary(tmp_path, f"{purpose}-unknown", days_ago),
        ]
        kept = [
            mine,
            temporary(tmp_path, f"{purpose}-{os.getpid()}-9-new", time.time()),
            temporary(tmp_path, f"{purpose}-younger", long_ago),
        ]
        assert all(ok for _, _, ok in end_left_overs([]))
        assert [folder.exists() for folder in removed] == [False, False]
        assert [folder.exists() for folder in kept] == [True, True, True]
    assert not mine.exists()


def test_what_cannot_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--end", "nosuch"]) == 2
    assert "no run named" in capsys.readouterr().err
    assert main(["doctor", "nosuch"]) == 2
    assert "--end" in capsys.readouterr().err
    made("at-work", "running")
    with another_process("at-work"):
        assert main(["doctor", "--end", "at-work"]) == 0
    assert "Nothing is left over" in capsys.readouterr().out
