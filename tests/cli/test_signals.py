"""Ctrl-C, SIGTERM and a closed terminal, with real signals: the first one stops after the step, the second at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from tests.runs.test_going_on import supervisors
from trainwright.graph.lease import holder, left_behind
from trainwright.graph.ledger import Ledger
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import run_path
from trainwright.tools.jobs.local import locked

from .conftest import START, OpenTerminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

GOAL = "Tell the wines apart with an RBF support vector machine with C=10 and gamma=0.05"
ASKED = ("run", "--goal", GOAL, "--data", "sklearn:wine")

Event = dict[str, Any]


def stopped(
    arguments: tuple[str, ...], at: Callable[[Event], bool], *signals: signal.Signals, announced: bool = True
) -> list[Event]:
    """Run a command, send it the signals once that event came; what it told."""
    command = [sys.executable, "-c", START, *arguments, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        events: list[Event] = []
        for line in process.stdout:
            events.append(json.loads(line))
            if at(events[-1]):
                break
        else:
            pytest.fail(f"it never came there: {events[-3:]} {process.stderr.read()}")
        process.send_signal(signals[0])
        said = process.stderr.readline() if announced else ""
        for number in signals[1:]:
            process.send_signal(number)
        events += [json.loads(line) for line in process.stdout]
        said += process.stderr.read()
        assert process.wait(60) == 130, (said, events[-3:])
    assert "Traceback" not in said
    if announced:
        assert "Stopping after this step" in said
    return events


def progress(node: str, words: str) -> Callable[[Event], bool]:
    return lambda event: event.get("node") == node and words in str(event.get("text", ""))


@contextmanager
def held_up(run: str) -> Iterator[list[psutil.Process]]:
    """The job of a run stands still meanwhile: a training of hours."""
    tree = [process for one in supervisors(run_path(run)) for process in (one, *one.children(recursive=True))]
    assert tree, "there is a job"
    for process in tree:
        process.suspend()
    try:
        yield tree
    finally:
        for process in tree:
            process.resume()


def check_stopped(run: str, last: Event) -> None:
    assert (last["event"], last["status"]) == ("result", "interrupted")
    assert f"trainwright resume {run}" in last["reason"]
    assert open_runs().get(run).status == "interrupted"
    assert holder(run) is None
    assert left_behind(run) is None


def test_one_run_is_stopped_everywhere_and_published_once() -> None:
    stage = stopped(
        (*ASKED, "--name", "often", "--approvals", "auto"), lambda e: e.get("stage") == "plan", signal.SIGINT
    )
    check_stopped("often", stage[-1])
    assert not (run_path("often") / "data").exists(), "it stopped before the next stage"

    test = stopped(("resume", "often"), progress("sandbox_test", "smoke run of train.py"), signal.SIGTERM)
    check_stopped("often", test[-1])
    assert not (run_path("often") / "attempts" / "1" / "job").exists()

    with_job: list[psutil.Process] = []

    def submitted(event: Event) -> bool:
        return event.get("event") == "decided" and event.get("stage") == "submit_job"

    # The job may end before it is held up, on a fast machine; then the run goes on, and is stopped in its evaluation.
    watch = stopped(("resume", "often"), submitted, signal.SIGHUP)
    check_stopped("often", watch[-1])
    if found := supervisors(run_path("often")):
        with_job += found
        with held_up("often"):
            on = lambda e: e.get("node") == "watch_job" and e.get("phase") == "start"  # noqa: E731
            check_stopped("often", stopped(("resume", "often"), on, signal.SIGINT)[-1])
            twice = stopped(("resume", "often"), on, signal.SIGTERM, signal.SIGTERM)
            assert twice[-1]["event"] != "result" or twice[-1]["status"] == "interrupted"
            assert holder("often") is None
            assert locked(run_path("often") / "attempts" / "1" / "job"), "the job outlives its terminal"

    score = stopped(("resume", "often"), progress("evaluate", "validation"), signal.SIGTERM)
    check_stopped("often", score[-1])

    done = subprocess.run(
        [sys.executable, "-c", START, "resume", "often", "--json"], capture_output=True, text=True, check=False
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, result["status"]) == (0, "published"), done.stderr
    assert [path.name for path in (run_path("often") / "attempts" / "1").glob("job*")] == ["job"]
    assert Ledger().total("often", "steps") == result["steps"]


def test_a_signal_before_the_run_is_driven_stops_it_too() -> None:
    """The first event comes from the first node; here nothing has come yet."""
    script = (
        "import os, signal, sys\n"
        "from trainwright.graph import driver\n"
        "whole = driver.register\n"
        "def register(*given):\n"
        "    name = whole(*given)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return name\n"
        "driver.register = register\n"
        "from trainwright.cli.main import main\n"
        "sys.exit(main())\n"
    )
    command = [sys.executable, "-c", script, *ASKED, "--name", "early", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 130, done.stderr
    assert (last["status"], last["run"], last["steps"]) == ("interrupted", "early", 0)
    on = subprocess.run(
        [sys.executable, "-c", START, "resume", "early", "--json"], capture_output=True, text=True, check=False
    )
    assert json.loads(on.stdout.splitlines()[-1])["status"] == "waiting", on.stderr


LATE = """
import atexit, os, signal, sys
from trainwright.cli import going_on, session
from trainwright.cli.main import main

def late(*given):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), number)

class Late(session.Json):
    def close(self):
        late()  # the last event has come

async def events():
    yield {{"event": "result", "run": "r-1", "status": {status!r}, "steps": 3, "spent": {{}}}}

session.Json = Late
shown = session.result_lines
session.result_lines = lambda result: late() or shown(result)
going_on.resume_run = lambda *given, as_json, **more: session.follow(events, as_json=as_json)
code = main()
late()
atexit.register(late)
sys.exit(code)
"""


@pytest.mark.parametrize("words", [("--json",), ()])
@pytest.mark.parametrize(("status", "code"), [("published", 0), ("budget_limit", 4), ("interrupted", 130)])
def test_signals_after_the_end_change_nothing(status: str, code: int, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", LATE.format(status=status), "resume", "r-1", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    assert "r-1" in done.stdout


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "closed"])
def test_a_prompt_is_left_and_the_run_waits_on(how: str, terminal: OpenTerminal) -> None:
    asking = terminal(*ASKED, "--name", "asked")
    asking.until("decision>")
    if how == "closed":
        os.close(asking.handle)
        _, status = os.waitpid(asking.pid, 0)
        asking.pid, asking.handle = 0, os.open(os.devnull, os.O_RDONLY)
        code = os.waitstatus_to_exitcode(status)
    else:
        os.kill(asking.pid, signal.Signals[how])
        code = asking.end()
        assert "Traceback" not in asking.text
    assert code == 130
    row = open_runs().get("asked")
    assert (row.status, row.stage) == ("waiting", "approve_plan")
    assert holder("asked") is None


def test_a_terminal_that_is_closed_stops_the_run_after_its_step(terminal: OpenTerminal) -> None:
    closed = terminal(*ASKED, "--name", "closed", "--approvals", "auto")
    closed.until("smoke run of train.py")
    os.close(closed.handle)
    _, status = os.waitpid(closed.pid, 0)
    closed.pid, closed.handle = 0, os.open(os.devnull, os.O_RDONLY)
    assert os.waitstatus_to_exitcode(status) == 130
    assert open_runs().get("closed").status == "interrupted"
    log = run_path("closed") / "trainwright.log"
    assert not log.exists() or "Traceback" not in log.read_text()
