"""Limits in whole runs: what costs waits for a budget, more goes on where it stopped, and all sums are one."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from trainwright.graph.driver import answer, resume, start
from trainwright.graph.errors import JobError, RequestError
from trainwright.graph.ledger import Ledger
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import run_path
from trainwright.graph.state import Request, Settings, StageLimits, Status
from trainwright.nodes import estimates, submit_job, watch_job
from trainwright.nodes.wrap_up import spent_by
from trainwright.tools.jobs import JobSpec, LocalEngine, Terms

from .conftest import Driven, approve, driven

GOAL = "Tell the wines apart with an RBF support vector machine with C=10 and gamma=0.05"


def request(name: str) -> Request:
    return Request(goal=GOAL, data="sklearn:wine", name=name)


def settings(**limits: Any) -> Settings:
    return Settings.model_validate({"approvals": "auto", **limits})


def exact_sums(run: str) -> dict[str, int]:
    """The entries of a run, added up one by one."""
    found: dict[str, int] = {}
    for entry in Ledger().entries(run):
        found[entry.resource] = found.get(entry.resource, 0) + entry.amount
    return found


def holds_together(done: Driven) -> None:
    """The entries, the result, its file, the row, the state's times and the report say the same."""
    run, entries = done.state.run, exact_sums(done.state.run)
    spent = done.result["spent"]
    assert spent == spent_by(run)
    assert spent == json.loads((run_path(run) / "result.json").read_text())["spent"]
    assert spent == (open_runs().get(run).result or {})["spent"]
    assert spent["seconds"] == round(entries["milliseconds"] / 1_000, 1)
    assert spent["usd"] == entries.get("usd_micros", 0) / 1e6
    assert spent["gpu_hours"] == entries.get("gpu_milliseconds", 0) / 3_600_000
    assert done.result["steps"] == entries["steps"]
    report = (run_path(run) / "report.html").read_text()
    assert f"{done.state.steps} engineer turns · {spent['seconds']} s at work · {spent['usd']:.2f} USD" in report
    assert Ledger().open(run) == []


@pytest.mark.slow
async def test_a_machine_that_costs_waits_for_a_budget_and_is_paid_by_the_second() -> None:
    stopped = await past_the_gate(start(request("paid"), settings(machine_usd_per_hour=36)))
    assert stopped.result["status"] == "budget_limit"
    assert stopped.state.stopped_at == "submit_job"
    assert "max_usd of $0.00" in stopped.result["reason"]
    assert "`trainwright resume paid --max-usd 9`" in stopped.result["reason"]
    assert stopped.result["spent"]["usd"] == 0
    holds_together(stopped)

    done = await driven(resume("paid", max_usd=9.0))
    assert done.nodes()[:2] == ["submit_job", "watch_job"]
    assert done.result["status"] == "published", done.state.reason
    assert done.state.job is not None
    cents = Terms("m", Decimal(36)).usd_micros(int(done.state.job.seconds * 1_000) / 1_000)
    assert exact_sums("paid")["usd_micros"] == cents
    assert done.result["spent"]["usd_jobs"] == done.result["spent"]["usd"] > 0
    holds_together(done)


@pytest.mark.slow
async def test_a_free_run_says_what_its_entries_say() -> None:
    done = await driven(start(request("free"), settings()))
    assert done.result["status"] == "published"
    assert done.result["spent"]["usd"] == 0
    first = next(event for event in done.events if event["event"] == "run")
    assert first["limits"] == "300 steps, 24 hours, models $5.00, jobs $0 (nothing paid)"
    holds_together(done)


async def past_the_gate(events: Any) -> Driven:
    """Drive a run; a plan and a job that cost are approved by a person, whatever `approvals` says."""
    done = await driven(events)
    for gate in ("approve_plan", "approve_job"):
        if done.result["status"] == "waiting" and done.result["waiting"]["gate"] == gate:
            done = await driven(answer(done.state.run, approve()))
    return done


class Rented(LocalEngine):
    """Jobs run here, but on a machine whose price nobody knows."""

    def terms(self, settings: Settings) -> Terms:
        return Terms("a100-large", None, 2, 60)


@pytest.mark.slow
async def test_a_price_that_nobody_knows_is_asked_and_the_answer_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (estimates, submit_job, watch_job):
        monkeypatch.setattr(module, "engine_for", lambda run, attempt: Rented(estimates.job_folder(run, attempt)))
    asked = await past_the_gate(start(request("asked"), settings(max_usd=1)))
    assert asked.result["status"] == "waiting"
    assert asked.result["waiting"]["card"]["key"] == "price:a100-large"
    assert Ledger().open("asked") == []
    again = await driven(answer("asked", "cheap"))
    assert again.result["status"] == "waiting"
    assert "'cheap' is no price" in str(again.result["waiting"])
    dear = await driven(answer("asked", "60"))
    assert dear.result["status"] == "budget_limit"
    done = await driven(resume("asked", max_usd=20.0))
    assert done.result["status"] == "published", done.state.reason
    sums = exact_sums("asked")
    assert sums["usd_micros"] == 1_000_000, "one billed minute at $60 an hour"
    assert done.state.job is not None
    assert sums["gpu_milliseconds"] == 2 * int(round(done.state.job.seconds * 1_000, 3))
    holds_together(done)


@pytest.mark.slow
async def test_what_was_held_for_a_job_comes_back_unless_it_may_have_been_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Breaks(LocalEngine):
        """Fails once before a job is started, and once when it runs already."""

        def submit(self, spec: JobSpec, key: str) -> str:
            failures.append(key)
            if len(failures) == 1:
                raise JobError("There is no room for a job.")
            handle = super().submit(spec, key)
            if len(failures) == 2:
                raise JobError("The answer got lost.")
            return handle

    failures: list[str] = []
    engine = lambda run, attempt: Breaks(estimates.job_folder(run, attempt))  # noqa: E731 - as it is called
    monkeypatch.setattr(submit_job, "engine_for", engine)
    first = await driven(start(request("breaks"), settings()))
    assert (first.result["status"], first.state.stopped_at) == ("failed", "submit_job")
    assert Ledger().open("breaks") == []
    second = await driven(resume("breaks"))
    assert second.result["status"] == "failed"
    assert [held.key for held in Ledger().open("breaks")] == [failures[1]]
    done = await driven(resume("breaks"))
    assert done.result["status"] == "published", done.state.reason
    assert len(failures) == 2, "the job that ran already was found, not started again"
    holds_together(done)


@pytest.mark.slow
async def test_gpu_hours_stop_a_job_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    class Free(LocalEngine):
        def terms(self, settings: Settings) -> Terms:
            return Terms("rack", Decimal(0), 4)

    for module in (estimates, submit_job, watch_job):
        monkeypatch.setattr(module, "engine_for", lambda run, attempt: Free(estimates.job_folder(run, attempt)))
    stopped = await past_the_gate(start(request("rack"), settings(max_gpu_hours=0.5)))
    assert stopped.result["status"] == "budget_limit"
    assert "--max-gpu-hours 1`" in stopped.result["reason"]
    done = await driven(resume("rack", max_gpu_hours=1.0))
    assert done.result["status"] == "published"
    assert done.result["spent"]["gpu_hours"] > 0


@pytest.mark.slow
async def test_a_stage_stops_at_its_own_limit_and_a_higher_one_goes_on_in_it() -> None:
    tight = settings(stages={"write_code": {"step_cap": 1}})
    stopped = await driven(start(request("staged"), tight))
    assert stopped.result["status"] == "step_limit"
    assert stopped.state.stopped_at == "write_code"
    flag = re.search(r"--stage-limit (\S+)`", stopped.result["reason"])
    assert flag is not None
    still = await driven(resume("staged", stages={"write_code": StageLimits(step_cap=1)}))
    assert (still.result["status"], still.state.steps) == ("step_limit", stopped.state.steps)
    done = await driven(resume("staged", stages={"write_code": StageLimits(step_cap=20)}))
    assert done.result["status"] == "published", done.state.reason
    assert done.nodes()[0] == "write_code"
    assert done.state.settings is not None
    assert done.state.settings.stages["write_code"].step_cap == 20
    holds_together(done)


@pytest.mark.slow
async def test_a_limit_below_what_is_used_is_refused_and_the_run_is_as_it_was() -> None:
    stopped = await driven(start(request("lowered"), settings(step_cap=4)))
    assert stopped.state.status == Status.STEP_LIMIT
    with pytest.raises(RequestError, match=r"taken 4 steps already.*--step-cap 8"):
        await driven(resume("lowered", step_cap=3))
    with pytest.raises(RequestError, match=r"used .* already"):
        await driven(resume("lowered", max_hours=1e-7))
    assert open_runs().get("lowered").status == "step_limit"
    assert (await driven(resume("lowered", step_cap=100))).result["status"] == "published"


async def test_a_limit_of_a_stage_that_is_none_begins_no_run() -> None:
    with pytest.raises(RequestError, match="no stage 'planing'"):
        await driven(start(request("typo"), settings(stages={"planing": {"step_cap": 1}})))
    assert open_runs().list() == []


async def test_a_plan_on_a_machine_that_costs_says_what_it_costs_and_a_raise_shows_it_again() -> None:
    dear = Settings(machine_usd_per_hour=3.0)
    first = await driven(
        start(Request(goal="Tell the wines apart with an SVM", data="sklearn:wine", name="dear"), dear)
    )
    card = first.result["waiting"]["card"]
    assert "up to $0.75" in card["estimate"]
    assert "$0.00 (max_usd)" in first.result["waiting"]["standing"]["remains"]
    again = await driven(resume("dear", max_usd=5.0))
    assert again.result["status"] == "waiting"
    assert again.result["waiting"]["card"] == card
    assert "$5.00 (max_usd)" in again.result["waiting"]["standing"]["remains"]
    with pytest.raises(RequestError, match="already"):
        await driven(resume("dear", step_cap=1))
