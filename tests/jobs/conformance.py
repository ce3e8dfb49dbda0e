"""What every job engine must do, as tests to inherit: `class TestMine(JobConformance)` with a fixture `bench`.

The fixture gives a `Bench`: an engine and a way to write jobs for it. Each job is a small `train.py`. Nothing here
knows where jobs run; what only the local engine can show (killed supervisors, folders) is in `test_local.py`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from trainwright.graph.state import Settings
from trainwright.tools.jobs import JobEngine, JobSpec, JobStatus

FINAL = ("succeeded", "failed", "cancelled", "lost")
HEAD = """
import json, os, sys, time
out = sys.argv[sys.argv.index("--out") + 1]
data = sys.argv[sys.argv.index("--data") + 1]
def metric(**values):
    with open(out + "/metrics.jsonl", "a") as stream: stream.write(json.dumps(values) + "\\n")
def model():
    os.makedirs(out + "/model", exist_ok=True); open(out + "/model/weights", "w").write("1")
"""


class Bench(Protocol):
    """An engine and how to use it in a test."""

    engine: JobEngine

    def spec(self, source: str, key: str = ..., **limits: Any) -> JobSpec:
        """A job whose train.py is `HEAD` and then `source`."""
        ...

    def outputs(self, handle: str) -> Path:
        """A folder with what the job wrote."""
        ...


def eventually(what: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true answer of `what`."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return answer


def ended(engine: JobEngine, handle: str) -> JobStatus:
    """The job's final status."""
    eventually(lambda: engine.status(handle).state in FINAL)
    return engine.status(handle)


class JobConformance:
    """The tests."""

    def test_its_terms_say_what_is_paid_for_and_an_unknown_price_is_no_price(self, bench: Bench) -> None:
        terms = bench.engine.terms(Settings())
        assert terms.name
        assert terms.gpus >= 0
        assert terms.unit_seconds >= 1
        assert terms.usd_per_hour is None or terms.usd_per_hour >= 0

    def test_a_training_that_succeeds(self, bench: Bench) -> None:
        # Memory is looked at several times a second: a program that is over before the first look has none.
        source = (
            "import time; time.sleep(1); print('hello'); metric(step=1, loss=.5); metric(step=2, loss=.25); model()"
        )
        handle = bench.engine.submit(bench.spec(source), "key")
        status = ended(bench.engine, handle)
        assert (status.state, status.exit_code, status.error_class) == ("succeeded", 0, ""), status
        assert status.seconds > 0
        assert status.peak_memory > 1_000_000
        assert bench.engine.logs(handle, 0)[0] == "hello\n"
        rows, _ = bench.engine.metrics(handle, 0)
        assert rows == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}]
        assert (bench.outputs(handle) / "model" / "weights").read_text() == "1"

    def test_it_gets_data_and_seed(self, bench: Bench) -> None:
        source = "print(open(data + '/train.txt').read(), sys.argv[sys.argv.index('--seed') + 1]); model()"
        handle = bench.engine.submit(bench.spec(source), "key")
        ended(bench.engine, handle)
        assert bench.engine.logs(handle, 0)[0].split() == ["rows", "7"]

    @pytest.mark.parametrize(
        ("source", "word"),
        [
            ("{}['nothing']", "missing_key"),
            ("import nothing_of_that_name", "missing_module"),
            ("def f(:", "syntax"),
            ("x = bytearray(10**12)", "out_of_memory"),
            ("os.abort()", "crash"),
            ("sys.exit(3)", "other"),
            ("pass", "contract"),
            ("os.symlink('/', out + '/model')", "contract"),
            ("open(out + '/model', 'w').close()", "contract"),
        ],
    )
    def test_a_failure_has_a_class_and_last_lines(self, bench: Bench, source: str, word: str) -> None:
        handle = bench.engine.submit(bench.spec(source), "key")
        status = ended(bench.engine, handle)
        assert (status.state, status.error_class) == ("failed", word), status
        assert status.error_tail

    def test_a_time_limit(self, bench: Bench) -> None:
        handle = bench.engine.submit(bench.spec("time.sleep(60)", wall_seconds=0.5), "key")
        status = ended(bench.engine, handle)
        assert (status.state, status.error_class, status.exit_code) == ("failed", "timeout", None)

    def test_submitted_once(self, bench: Bench) -> None:
        spec = bench.spec("print('once'); model()")
        first = bench.engine.submit(spec, "key")
        assert bench.engine.submit(spec, "key") == first, "while it runs"
        ended(bench.engine, first)
        assert bench.engine.submit(spec, "key") == first, "when it has ended"
        ended(bench.engine, first)
        assert bench.engine.logs(first, 0)[0] == "once\n"

    def test_found_by_its_key(self, bench: Bench) -> None:
        assert bench.engine.find("key") is None
        handle = bench.engine.submit(bench.spec("model()"), "key")
        assert bench.engine.find("key") == handle
        assert bench.engine.find("another key") is None
        ended(bench.engine, handle)
        assert bench.engine.find("key") == handle

    def test_a_running_job_is_running_and_shows_life(self, bench: Bench) -> None:
        handle = bench.engine.submit(bench.spec("print('up', flush=True); time.sleep(60)"), "key")
        eventually(lambda: bench.engine.logs(handle, 0)[0])
        status = bench.engine.status(handle)
        assert status.state == "running"
        assert status.heartbeat_age < 10
        bench.engine.cancel(handle)

    def test_logs_and_metrics_go_on_where_they_stopped(self, bench: Bench) -> None:
        source = (
            "metric(step=1); print('one', flush=True)\nwhile not os.path.exists(out + '/go'): time.sleep(.01)\n"
            "metric(step=2); print('two', flush=True); model()"
        )
        handle = bench.engine.submit(bench.spec(source), "key")
        text, at = eventually(lambda: (found := bench.engine.logs(handle, 0))[0] and found)
        rows, row_at = bench.engine.metrics(handle, 0)
        assert (text, rows) == ("one\n", [{"step": 1}])
        assert bench.engine.logs(handle, at) == ("", at)
        assert bench.engine.metrics(handle, row_at) == ([], row_at)
        (bench.outputs(handle) / "go").touch()
        ended(bench.engine, handle)
        assert bench.engine.logs(handle, at)[0] == "two\n"
        assert bench.engine.metrics(handle, row_at)[0] == [{"step": 2}]

    def test_lines_of_the_stream_that_are_no_objects_are_passed_over(self, bench: Bench) -> None:
        lines = ["{bad", "[1, 2]", "3", "", "[" * 100_000, '{"step": 1, "x": NaN}', '{"step": 2}', "\\x00"]
        source = f"open(out + '/metrics.jsonl', 'w').write({chr(10).join(lines)!r} + chr(10)); model()"
        handle = bench.engine.submit(bench.spec(source), "key")
        ended(bench.engine, handle)
        rows, _ = bench.engine.metrics(handle, 0)
        assert [row["step"] for row in rows] == [1, 2]

    def test_cancelled_with_its_whole_tree(self, bench: Bench) -> None:
        source = (
            "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nfor _ in range(3):\n"
            "    if os.fork() == 0:\n        os.setsid()\n"
            "        while True: open(out + '/beat', 'w').write(str(time.time())); time.sleep(.01)\n"
            "while not os.path.exists(out + '/beat'): time.sleep(.01)\nprint('up', flush=True); time.sleep(60)"
        )
        handle = bench.engine.submit(bench.spec(source), "key")
        eventually(lambda: bench.engine.logs(handle, 0)[0])
        bench.engine.cancel(handle)
        status = bench.engine.status(handle)
        assert (status.state, status.error_class) == ("cancelled", "cancelled"), status
        before = (bench.outputs(handle) / "beat").stat().st_mtime_ns
        time.sleep(0.1)
        assert (bench.outputs(handle) / "beat").stat().st_mtime_ns == before

    def test_cancelling_what_has_ended_changes_nothing(self, bench: Bench) -> None:
        handle = bench.engine.submit(bench.spec("model()"), "key")
        status = ended(bench.engine, handle)
        bench.engine.cancel(handle)
        assert bench.engine.status(handle) == status

    def test_a_specification_survives_as_data(self, bench: Bench) -> None:
        spec = bench.spec("model()")
        assert JobSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
