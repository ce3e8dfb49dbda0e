"""A clock that jumps by hours neither ends a job nor counts for it; and a run's folder that was moved keeps its jobs."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainwright.graph.errors import JobError
from trainwright.tools.jobs import LocalEngine
from trainwright.tools.jobs.local import read_beat, write_beat

from .bench import LocalBench
from .conformance import ended, eventually

HOURS = 6 * 3_600.0


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LocalBench]:
    made = LocalBench(tmp_path, isolation="process")
    yield made
    made.engine.cancel(str(made.folder))


@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_a_running_job_has_run_as_long_as_it_has(
    bench: LocalBench, jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = bench.engine.submit(bench.spec("print('up', flush=True); time.sleep(60)"), "key")
    eventually(lambda: bench.engine.logs(handle, 0)[0])
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    for name in ("job.json", "heartbeat"):
        os.utime(bench.folder / name, (real() - jump, real() - jump))
    status = bench.engine.status(handle)
    assert status.state == "running"
    assert 0 <= status.seconds < 60
    assert 0 <= status.heartbeat_age < 60


@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_a_lost_job_ran_as_long_as_it_had(bench: LocalBench, jump: float) -> None:
    from trainwright.tools.jobs.local import write_whole

    bench.folder.mkdir(parents=True)
    write_whole(bench.folder / "job.json", {**bench.spec("model()").to_json(), "key": "key"})
    write_beat(bench.folder, 12.5)
    os.utime(bench.folder / "heartbeat", (time.time() + jump, time.time() + jump))
    status = bench.engine.status(str(bench.folder))
    assert (status.state, status.seconds) == ("lost", 12.5)


def test_a_heartbeat_of_an_earlier_start_of_the_machine_has_no_age(tmp_path: Path) -> None:
    assert read_beat(tmp_path) is None
    (tmp_path / "heartbeat").write_text(f"7.000 {time.monotonic() + 1e6:.3f}")
    assert read_beat(tmp_path) == (7.0, 0.0)
    (tmp_path / "heartbeat").write_text("")
    assert read_beat(tmp_path) == (0.0, 0.0), "an earlier release wrote nothing into it"


def test_the_folder_of_a_finished_job_may_be_moved(bench: LocalBench, tmp_path: Path) -> None:
    handle = bench.engine.submit(bench.spec("print('told'); metric(step=1); model()"), "key")
    before = ended(bench.engine, handle)
    shutil.move(tmp_path / "run", tmp_path / "elsewhere")
    moved = LocalEngine(tmp_path / "elsewhere" / "attempts" / "1" / "job")
    assert moved.status(handle) == before
    assert moved.logs(handle, 0)[0] == "told\n"
    assert moved.metrics(handle, 0)[0] == [{"step": 1}]
    assert moved.find("key") is not None


def test_a_lost_job_is_not_started_again_with_the_files_of_another_place(bench: LocalBench, tmp_path: Path) -> None:
    from trainwright.tools.jobs.local import write_whole

    bench.folder.mkdir(parents=True)
    write_whole(bench.folder / "job.json", {**bench.spec("model()").to_json(), "key": "key"})
    shutil.copytree(tmp_path / "run", tmp_path / "elsewhere")  # the old place is still there
    moved = LocalEngine(tmp_path / "elsewhere" / "attempts" / "1" / "job")
    with pytest.raises(JobError, match=r"was moved since the job was submitted.*submit it anew"):
        moved.restart(str(bench.folder))
