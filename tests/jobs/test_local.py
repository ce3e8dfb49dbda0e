"""The local engine: what every engine must do, and what a crash at any line must not break."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from trainwright.graph.effects import Journal
from trainwright.graph.errors import JobError
from trainwright.graph.heartbeat import birth_of
from trainwright.tools.jobs import JobStatus, LocalEngine
from trainwright.tools.jobs.local import locked, write_whole
from trainwright.tools.sandbox import probe

from .bench import LocalBench
from .conformance import JobConformance, ended, eventually

needs_sandbox = pytest.mark.skipif(not probe().available, reason=f"no sandbox here: {probe().reason}")
FOREVER = "print('up', flush=True); time.sleep(120)"
SUBMIT = """
import json, sys
from pathlib import Path
from trainwright.tools.jobs import JobSpec, LocalEngine
root, spec = json.loads(sys.argv[1])
print(LocalEngine(Path(root)).submit(JobSpec.from_json(spec), spec["key"]), flush=True)
if len(sys.argv) > 2:
    import time
    time.sleep(120)
"""


@pytest.fixture(params=[pytest.param("bubblewrap", marks=needs_sandbox)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> LocalBench:
    return LocalBench(tmp_path, request.param)


@needs_sandbox
class TestIsolated(JobConformance):
    """A job of generated code."""


class TestTrusted(JobConformance):
    """A job of a recipe's own script, as a plain process."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> LocalBench:
        return LocalBench(tmp_path, "process")


def supervisor(bench: LocalBench) -> psutil.Process:
    """The process that holds the job's lock."""
    text = eventually(lambda: (bench.folder / "lock").exists() and (bench.folder / "lock").read_text())
    return psutil.Process(int(text.split()[0]))


def running(bench: LocalBench, source: str = FOREVER) -> str:
    """A job that is under way."""
    handle = bench.engine.submit(bench.spec(source), "key")
    eventually(lambda: bench.engine.logs(handle, 0)[0])
    return handle


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@pytest.mark.parametrize("isolation", [pytest.param("bubblewrap", marks=needs_sandbox), "process"])
def test_a_killed_supervisor_takes_the_training_with_it_and_the_job_is_lost(tmp_path: Path, isolation: str) -> None:
    bench = LocalBench(tmp_path, isolation)
    handle = running(bench)
    boss = supervisor(bench)
    tree = boss.children(recursive=True)
    assert tree
    boss.kill()
    eventually(lambda: bench.engine.status(handle).state == "lost")
    eventually(lambda: gone(tree))
    status = bench.engine.status(handle)
    assert status.error_class == "lost"
    assert "without leaving a result" in status.error_tail
    assert status.seconds < 60


def test_a_lost_job_is_started_again_under_its_key(bench: LocalBench) -> None:
    running(bench)
    supervisor(bench).kill()
    eventually(lambda: not locked(bench.folder))
    (bench.folder / "code-of-another-time").touch()
    spec = bench.spec("print('again'); model()")
    handle = bench.engine.submit(spec, "key")
    assert ended(bench.engine, handle).state == "succeeded"
    assert bench.engine.logs(handle, 0)[0].endswith("again\n")


def test_restarting_starts_what_was_lost_and_nothing_else(bench: LocalBench) -> None:
    handle = bench.engine.submit(
        bench.spec("print('up', flush=True)\nwhile not os.path.exists(out + '/go'): time.sleep(.01)\nmodel()"), "key"
    )
    eventually(lambda: "up" in bench.engine.logs(handle, 0)[0])
    first = supervisor(bench)
    bench.engine.restart(handle)
    assert supervisor(bench).pid == first.pid, "it still runs"
    first.kill()
    eventually(lambda: bench.engine.status(handle).state == "lost")
    bench.engine.restart(handle)
    assert supervisor(bench).pid != first.pid
    eventually(lambda: bench.engine.logs(handle, 0)[0].count("up") == 2)
    (bench.folder / "out" / "go").touch()
    assert ended(bench.engine, handle).state == "succeeded"
    eventually(lambda: not locked(bench.folder))  # a supervisor writes its result before it lets the lock go
    bench.engine.restart(handle)
    assert not locked(bench.folder), "what has ended stays ended"


def test_a_job_whose_folder_is_gone_cannot_be_restarted(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"job.*is gone"):
        LocalEngine(tmp_path / "job").restart(str(tmp_path / "job"))
    assert not (tmp_path / "job").exists()


def test_it_survives_the_terminal(bench: LocalBench) -> None:
    """The whole process group of whoever submitted it is killed, as a closed terminal does."""
    spec = bench.spec("print('up', flush=True)\nwhile not os.path.exists(out + '/go'): time.sleep(.01)\nmodel()")
    argument = json.dumps([str(bench.folder), spec.to_json()])
    terminal = subprocess.Popen(
        [sys.executable, "-c", SUBMIT, argument, "stay"], stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    assert terminal.stdout is not None
    handle = terminal.stdout.readline().strip()
    os.killpg(terminal.pid, signal.SIGHUP)
    os.killpg(terminal.pid, signal.SIGKILL)
    terminal.wait()
    terminal.stdout.close()
    assert bench.engine.status(handle).state == "running"
    eventually(lambda: (bench.folder / "out").is_dir() and bench.engine.logs(handle, 0)[0])
    (bench.folder / "out" / "go").touch()
    assert ended(bench.engine, handle).state == "succeeded"


def test_found_again_after_a_crash_between_intent_and_receipt(bench: LocalBench, own_home: Path) -> None:
    """The journal knows the intent alone; the job's folder knows the rest."""
    own_home.mkdir(exist_ok=True)
    spec, journal = bench.spec("print('once'); model()"), Journal()

    def crash(key: str) -> str:
        bench.engine.submit(spec, key)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        journal.once("run", 1, "job", {"code": "x"}, do=crash, look_up=bench.engine.find)
    submit_again: list[str] = []
    handle = journal.once(
        "run",
        1,
        "job",
        {"code": "x"},
        do=lambda key: submit_again.append(key) or "",
        look_up=LocalEngine(bench.folder).find,
    )
    assert submit_again == []
    assert handle == str(bench.folder)
    assert ended(bench.engine, handle).state == "succeeded"
    assert bench.engine.logs(handle, 0)[0] == "once\n"


@pytest.mark.parametrize("line", ["job.json", "lock"])
def test_a_crash_before_the_supervisor_lives_starts_it_then(bench: LocalBench, line: str) -> None:
    """Killed after the specification was written, or while the supervisor was on its way."""
    spec = bench.spec("print('once'); model()")
    bench.folder.mkdir(parents=True)
    write_whole(bench.folder / "job.json", {**spec.to_json(), "key": "key"})
    if line == "lock":
        (bench.folder / "lock").touch()
    assert bench.engine.find("key") is None
    handle = bench.engine.submit(spec, "key")
    assert ended(bench.engine, handle).state == "succeeded"
    assert bench.engine.logs(handle, 0)[0] == "once\n"


def test_many_who_submit_at_once_start_one_job(bench: LocalBench) -> None:
    spec = bench.spec("print('once', flush=True); time.sleep(1); model()")
    argument = json.dumps([str(bench.folder), spec.to_json()])
    many = [
        subprocess.Popen([sys.executable, "-c", SUBMIT, argument], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    handles = {process.communicate(timeout=60)[0].strip() for process in many}
    assert handles == {str(bench.folder)}
    assert ended(bench.engine, str(bench.folder)).state == "succeeded"
    assert bench.engine.logs(str(bench.folder), 0)[0] == "once\n"


def test_asking_how_it_stands_never_keeps_it_from_starting(bench: LocalBench) -> None:
    """Who asks holds the lock for a moment, just when the supervisor wants it."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            locked(bench.folder)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        for number in range(3):
            handle = bench.engine.submit(bench.spec("model()", key=f"key{number}"), f"key{number}")
            assert ended(bench.engine, handle).state == "succeeded"
    finally:
        stop.set()
        for asker in askers:
            asker.join()


def test_the_job_before_a_repair_is_kept_beside(bench: LocalBench) -> None:
    first = bench.engine.submit(bench.spec("{}['x']", key="first"), "first")
    ended(bench.engine, first)
    second = bench.engine.submit(bench.spec("model()", key="second"), "second")
    assert ended(bench.engine, second).state == "succeeded"
    before = bench.folder.with_name("job-1")
    assert json.loads((before / "result.json").read_text())["error_class"] == "missing_key"
    assert bench.engine.find("first") is None


def test_another_job_is_refused_while_one_runs(bench: LocalBench) -> None:
    handle = running(bench)
    with pytest.raises(JobError, match="still runs"):
        bench.engine.submit(bench.spec("model()", key="other"), "other")
    bench.engine.cancel(handle)


def test_a_supervisor_that_does_not_answer_is_ended(bench: LocalBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.tools.jobs.local.CANCEL_SECONDS", 0.3)
    handle = running(bench)
    boss = supervisor(bench)
    boss.suspend()
    bench.engine.cancel(handle)
    assert bench.engine.status(handle).state == "cancelled"
    eventually(lambda: gone([boss]))


def test_a_number_that_belongs_to_a_stranger_is_not_killed(bench: LocalBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock names this very process, as it would after the number was used again, with another time of birth."""
    import fcntl

    monkeypatch.setattr("trainwright.tools.jobs.local.CANCEL_SECONDS", 0.2)
    bench.folder.mkdir(parents=True)
    write_whole(bench.folder / "job.json", {**bench.spec("model()").to_json(), "key": "key"})
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        born = (birth_of(stranger.pid) or 0) - 1
        (bench.folder / "lock").write_text(f"{stranger.pid} {born}")
        with (bench.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(JobError, match="did not end"):
                bench.engine.cancel(str(bench.folder))
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_nothing_in_the_outputs_is_followed(bench: LocalBench, tmp_path: Path) -> None:
    """The stream of metrics is read while the script runs, which may put a link in its place."""
    secret = tmp_path / "labels.jsonl"
    secret.write_text('{"step": 1, "secret": 5}\n')
    source = f"os.symlink({str(secret)!r}, out + '/metrics.jsonl'); model(); print('up')"
    handle = bench.engine.submit(bench.spec(source), "key")
    ended(bench.engine, handle)
    assert (bench.folder / "out" / "metrics.jsonl").is_symlink()
    assert bench.engine.metrics(handle, 0) == ([], 0)


@pytest.mark.timeout(60)
def test_a_pipe_for_metrics_blocks_nobody(bench: LocalBench) -> None:
    handle = bench.engine.submit(bench.spec("os.mkfifo(out + '/metrics.jsonl'); model()"), "key")
    ended(bench.engine, handle)
    assert bench.engine.metrics(handle, 0) == ([], 0)


@needs_sandbox
def test_it_cannot_read_the_withheld_labels_nor_its_own_supervision(tmp_path: Path) -> None:
    bench = LocalBench(tmp_path)
    withheld = tmp_path / "run" / "withheld" / "labels.txt"
    withheld.parent.mkdir(parents=True)
    withheld.write_text("secret")
    places = [str(withheld), str(bench.folder / "job.json"), "/out/../job.json", "/data/../withheld/labels.txt"]
    source = f"for p in {places!r}:\n    try: print(open(p).read())\n    except OSError as e: print(type(e).__name__)\nmodel()"
    handle = bench.engine.submit(bench.spec(source), "key")
    assert ended(bench.engine, handle).state == "succeeded"
    assert bench.engine.logs(handle, 0)[0].split() == ["FileNotFoundError"] * 4


def test_a_half_written_line_waits(bench: LocalBench) -> None:
    stream = bench.folder / "out" / "metrics.jsonl"
    stream.parent.mkdir(parents=True)
    stream.write_bytes(b'{"step": 1}\n{"st')
    rows, at = bench.engine.metrics(str(bench.folder), 0)
    assert rows == [{"step": 1}]
    assert bench.engine.metrics(str(bench.folder), at) == ([], at)
    with stream.open("ab") as more:
        more.write(b'ep": 2}\n')
    assert bench.engine.metrics(str(bench.folder), at)[0] == [{"step": 2}]


def test_a_line_without_end_does_not_stop_the_stream(bench: LocalBench) -> None:
    stream = bench.folder / "out" / "metrics.jsonl"
    stream.parent.mkdir(parents=True)
    stream.write_bytes(b"x" * 2_500_000 + b'\n{"step": 2}\n')
    rows, at = [], 0
    for _ in range(6):
        more, at = bench.engine.metrics(str(bench.folder), at)
        rows += more
    assert rows == [{"step": 2}]


def test_a_character_that_is_half_there_waits(bench: LocalBench) -> None:
    log = bench.folder / "log.txt"
    log.parent.mkdir(parents=True)
    owl = "🦉".encode()
    log.write_bytes(b"ab" + owl[:2])
    text, at = bench.engine.logs(str(bench.folder), 0)
    assert (text, at) == ("ab", 2)
    log.write_bytes(b"ab" + owl + b"\xff.")
    assert bench.engine.logs(str(bench.folder), at)[0] == "🦉\ufffd."


def test_a_log_is_cut_at_its_limit(tmp_path: Path) -> None:
    from trainwright.tools.jobs.supervisor import Log

    log = Log(tmp_path / "log", limit=1_000)
    for _ in range(100):
        log.write(b"x" * 100)
    log.close()
    assert (tmp_path / "log").stat().st_size == 1_000


def test_printing_without_end(bench: LocalBench) -> None:
    handle = bench.engine.submit(bench.spec("while True: print('x' * 1000)", output_bytes=2_000_000), "key")
    status = ended(bench.engine, handle)
    assert (status.state, status.error_class) == ("failed", "output")
    assert 2_000_000 <= (bench.folder / "log.txt").stat().st_size < 2_200_000, "what it may print is what the log takes"


def test_a_broken_header_is_a_failure_of_the_job(bench: LocalBench) -> None:
    spec = bench.spec("model()")
    (Path(spec.code) / "train.py").write_text("# /// script\n# dependencies = 3\n# ///\n")
    handle = bench.engine.submit(spec, "key")
    status = ended(bench.engine, handle)
    assert (status.state, status.error_class) == ("failed", "header")


def test_code_that_is_gone_is_a_failure_of_the_job(bench: LocalBench) -> None:
    spec = bench.spec("model()")
    (Path(spec.code) / "train.py").unlink()
    handle = bench.engine.submit(spec, "key")
    assert ended(bench.engine, handle).state == "failed"


def test_a_folder_that_is_gone_is_a_lost_job(tmp_path: Path) -> None:
    engine = LocalEngine(tmp_path / "job")
    assert engine.status(str(tmp_path / "job")).state == "lost"
    assert engine.find("key") is None
    engine.cancel(str(tmp_path / "job"))


def test_the_heartbeat_is_that_of_this_start(bench: LocalBench) -> None:
    """A job that was lost long ago has an old heartbeat, which is no sign of life of a new supervisor."""
    running(bench)
    supervisor(bench).kill()
    eventually(lambda: not locked(bench.folder))
    os.utime(bench.folder / "heartbeat", (1, 1))
    bench.engine.submit(bench.spec(FOREVER), "key")
    assert locked(bench.folder)
    assert time.time() - (bench.folder / "heartbeat").stat().st_mtime < 60
    bench.engine.cancel(str(bench.folder))


def test_a_result_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_whole(path, {"state": "succeeded"})
    assert json.loads(path.read_text()) == {"state": "succeeded"}
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]
    assert JobStatus(**json.loads(path.read_text())).state == "succeeded"
