"""What a run does after its job was lost, its time ran out, its data were replaced, or its code dropped a setting."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import psutil
import pytest

from trainwright.graph.driver import resume, start
from trainwright.graph.ledger import Ledger
from trainwright.graph.settings import run_path
from trainwright.graph.state import (
    Attempt,
    CodeBundle,
    PlannedHyperparameter,
    Request,
    Settings,
    State,
    Status,
    TrainingPlan,
)
from trainwright.nodes.evaluate import best_attempt
from trainwright.nodes.submit_job import as_coded
from trainwright.tools.sandbox import probe

from .conftest import driven
from .own_code import OwnCode, run, scripts

AUTO = Settings(approvals="auto")
GOAL = "Tell the wines apart with an RBF support vector machine with C=10 and gamma=0.05"


def supervisors(folder: Path) -> list[psutil.Process]:
    """The supervisors of the jobs of a run.

    A child that a supervisor has just forked has its command line until it becomes what it was made for, so a process
    whose parent is one of them does not count.
    """
    found = []
    for process in psutil.process_iter():
        try:
            command, parent = process.cmdline(), process.ppid()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if "trainwright.tools.jobs.supervisor" in command and any(str(folder) in part for part in command):
            found.append((process, parent))
    ours = {process.pid for process, _ in found}
    return [process for process, parent in found if parent not in ours]


@pytest.mark.slow
async def test_a_lost_job_is_started_again_and_is_no_fault_of_the_code() -> None:
    request = Request(goal=GOAL, data="sklearn:wine", name="lost")
    undisturbed = await driven(start(request.model_copy(update={"name": "whole"}), AUTO))
    events: list[dict[str, Any]] = []
    killed = 0
    async for event in start(request, AUTO):
        events.append(event)
        if event["event"] == "node" and event["node"] == "watch_job" and event["phase"] == "start" and not killed:
            for process in supervisors(run_path("lost")):
                process.kill()
                killed += 1
    assert killed == 1
    assert any("lost, not failed" in e["text"] for e in events if e["event"] == "note")
    assert events[-1]["status"] == "published"
    assert events[-1]["evaluation"] == undisturbed.result["evaluation"]
    jobs = [path.name for path in (run_path("lost") / "attempts" / "1").glob("job*")]
    assert jobs == ["job"]


@pytest.mark.slow
async def test_a_job_that_is_gone_for_good_is_submitted_anew_by_the_next_resume() -> None:
    request = Request(goal=GOAL, data="sklearn:wine", name="gone")
    async for event in start(request, AUTO):
        last = event
        if event["event"] == "node" and event["node"] == "watch_job" and event["phase"] == "start":
            for process in supervisors(run_path("gone")):
                process.kill()
                process.wait()
            shutil.rmtree(run_path("gone") / "attempts" / "1" / "job")
    assert last["status"] == "failed"
    assert "the code was not at fault" in last["reason"]
    done = await driven(resume("gone"))
    assert done.nodes()[0] == "submit_job"
    assert done.result["status"] == "published", done.state.reason


@pytest.mark.slow
@pytest.mark.skipif(not probe().available, reason="no sandbox on this machine, so generated code does not run here")
async def test_more_time_trains_anew_after_the_time_ran_out_in_the_job(tmp_path: Path) -> None:
    from sklearn.datasets import load_wine

    frame = load_wine(as_frame=True).frame
    frame["target"] = frame["target"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
    frame.to_csv(tmp_path / "wine.csv", index=False)
    request = Request(goal="Which wine?", data=str(tmp_path / "wine.csv"), target_column="target")
    limit = 25.0
    sleeps = scripts(train="import time\nif not a.smoke:\n    time.sleep(30)")
    state = await run(OwnCode(sleeps), request, max_hours=limit / 3600)
    assert state.status == Status.DEADLINE, state.reason
    assert state.job is not None
    assert state.job.state == "failed"
    assert "--max-hours" in state.reason
    by_node = Ledger().by_node(state.run, "milliseconds")
    assert by_node["watch_job"] == int(state.job.seconds * 1000), "the reservation was settled by the job's own time"
    assert limit - 1 <= sum(by_node.values()) / 1000 < limit + 10
    assert sum(by_node.values()) == Ledger().total(state.run, "milliseconds")

    done = await driven(resume(state.run, max_hours=1.0))
    assert done.result["status"] == "published", done.state.reason
    jobs = sorted(path.name for path in (run_path(state.run) / "attempts" / "1").glob("job*"))
    assert jobs == ["job", "job-1"], "the job that ran out of time stays beside the new one"


@pytest.mark.slow
async def test_other_data_leave_nothing_of_the_earlier_ones() -> None:
    request = Request(goal=GOAL, data="sklearn:breast_cancer", target="accuracy>=1.0", name="moved")
    first = await driven(start(request, AUTO.model_copy(update={"attempts": 1})))
    if first.result["status"] == "published":
        pytest.fail("a perfect score was not expected on these data")
    assert first.state.evaluation is not None
    done = await driven(resume("moved", data="sklearn:wine"))
    assert done.state.dataset is not None
    assert done.state.dataset.name == "wine"
    assert [a.number for a in done.state.attempts] == [1]
    assert done.state.evaluation is not None
    assert done.state.evaluation.n_test != first.state.evaluation.n_test
    assert done.nodes()[:2] == ["plan", "find_data"]


PLAN = TrainingPlan(
    task="classification",
    modality="table",
    metric="accuracy",
    direction="higher",
    approach="a",
    hyperparameters=[
        PlannedHyperparameter(name="C", value=10, source="paper", quote="C = 10"),
        PlannedHyperparameter(name="gamma", value=0.1, source="paper", quote="gamma = 0.1"),
    ],
)


def bundle(settings: dict[str, Any] | None) -> CodeBundle:
    return CodeBundle(commit="c", files={}, sha256="s", hyperparameters=settings)


def test_a_setting_that_the_code_does_not_fix_is_not_claimed() -> None:
    plan, dropped = as_coded(PLAN, bundle({"C": 10.0, "degree": 2}))
    assert plan is not None
    assert [(h.name, h.value, h.source) for h in plan.hyperparameters] == [("C", 10, "paper"), ("degree", 2, "chosen")]
    assert dropped == ["gamma = 0.1"]
    more, nothing = as_coded(PLAN, bundle({"C": 10.0, "gamma": 0.1, "degree": 2}))
    assert more is not None
    assert ([h.name for h in more.hyperparameters], nothing) == (["C", "gamma", "degree"], [])
    assert as_coded(PLAN, bundle({"C": 10.0, "gamma": 0.1})) == (PLAN, [])
    assert as_coded(PLAN, bundle(None)) == (PLAN, [])


def attempt(number: int, validation: float | None, **more: Any) -> Attempt:
    return Attempt(number=number, method="m", metric="accuracy", validation=validation, **more)


def test_what_a_person_sent_back_is_no_candidate() -> None:
    attempts = [attempt(1, 0.9, sent_back=True), attempt(2, 0.8), attempt(3, None), attempt(4, 0.99, why="x")]
    attempts[3] = attempts[3].model_copy(update={"metric": "f1_macro"})
    assert best_attempt(attempts, PLAN) == 2
    with pytest.raises(ValueError, match="max"):
        best_attempt([attempts[0]], PLAN)


def test_every_name_that_other_data_reset_is_one_of_the_state() -> None:
    from trainwright.graph.reentry import _fresh

    fresh = _fresh()
    assert set(fresh) <= set(State.model_fields)
    assert json.loads(State(**fresh).model_dump_json()) == json.loads(State().model_dump_json())


@pytest.mark.slow
async def test_a_kill_between_the_end_of_a_node_and_its_checkpoint_is_gone_on_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then what the node wrote is stored beside the checkpoint before it, and no task is left that has not run."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    whole = AsyncSqliteSaver.aput
    died: list[bool] = []

    async def die_once(self: Any, config: Any, *more: Any) -> Any:
        if not died and (run_path("between") / "attempts" / "1" / "job" / "job.json").exists():
            died.append(True)
            raise RuntimeError("killed")
        return await whole(self, config, *more)

    monkeypatch.setattr(AsyncSqliteSaver, "aput", die_once)
    with pytest.raises(RuntimeError, match="killed"):
        await driven(start(Request(goal=GOAL, data="sklearn:wine", name="between"), AUTO))
    assert died
    run = await driven(resume("between"))
    assert run.state.status == Status.PUBLISHED
    assert [path.name for path in (run_path("between") / "attempts" / "1").glob("job*")] == ["job"]
