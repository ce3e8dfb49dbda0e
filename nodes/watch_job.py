"""Node `watch_job`: follows the job until it ends, and stops with the run when it is asked to.

The job itself does not depend on this process: the supervisor goes on when the terminal is closed, and the next
resume watches again. A job that failed goes back to `write_code` while repairs are left.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from trainwright.graph.errors import JobError, LimitReached
from trainwright.graph.state import JobRecord, State, Status
from trainwright.tools.jobs import JobEngine, JobStatus
from trainwright.tools.smoke import finite_numbers, last_metrics

from .boundary import Here, Update, failure
from .estimates import engine_for, hold_again, job_folder, settle

__all__ = ["watch_job"]

LOOK_SECONDS = 0.25
RESTARTS = 3
"""How often a job is started again whose supervisor was killed, or whose machine went down."""

GRACE_SECONDS = 30.0
"""How long past its limit a job may be before it is cancelled from here: it holds the limit itself."""

EVENTS = 40
"""Lines of the metrics stream that are shown of one look, the last ones."""


def watch_job(here: Here, state: State) -> Update:
    """Watch the training job."""
    job = state.job
    assert job is not None
    engine = engine_for(state.run, state.attempt)
    unit = engine.terms(here.settings).unit_seconds
    status = _follow(here, engine, job)
    if status is None:
        return {}
    ended: Update = {}
    unpaid = status.seconds
    if status.state == "lost" and job.restarts < RESTARTS:
        here.emit("note", text=f"The training job was lost, not failed: it is started again. {status.error_tail}")
        try:
            hold_again(here.run, here.settings, job.key, job.restarts + 1, status.seconds, unit)
            unpaid = 0.0  # that time is paid for under a key of its own
            engine.restart(job.handle)
            return {"job": job.model_copy(update={"state": "submitted", "restarts": job.restarts + 1})}
        except LimitReached as error:
            ended = {**failure(error, "submit_job"), "submissions": state.submissions + 1}
        except JobError as error:
            status = replace(status, error_tail=error.message)
    settle(job.key, unpaid, unit)
    out = job_folder(state.run, state.attempt) / "out"
    record = job.model_copy(
        update={
            "state": status.state,
            "exit_code": status.exit_code,
            "seconds": status.seconds,
            "peak_memory": status.peak_memory,
            "error_class": status.error_class,
            "error_tail": status.error_tail[-4_000:],
            "metrics": last_metrics(out),
        }
    )
    return {"job": record, **ended} if ended else _outcome(here, state, record)


def _follow(here: Here, engine: JobEngine, job: JobRecord) -> JobStatus | None:
    """The job's final status; None when the run is asked to stop while it still runs."""
    seen, allowance = 0, (here.ledger.held(job.key) or {}).get("milliseconds", 0) / 1000
    while True:
        status = engine.status(job.handle)
        rows, seen = engine.metrics(job.handle, seen)
        for row in rows[-EVENTS:]:
            if values := _numbers(row):
                here.emit("metrics", node="watch_job", step=_step(row), values=values)
        if status.state not in ("submitted", "running"):
            return status
        if here.stopping():
            return None
        if status.seconds > allowance + GRACE_SECONDS:
            engine.cancel(job.handle)
        time.sleep(LOOK_SECONDS)


def _numbers(row: dict[str, Any]) -> dict[str, float]:
    """The finite numbers of a line, at most 50: the script may write anything."""
    found = finite_numbers(row)
    return dict([item for item in found.items() if item[0] != "step"][:50])


def _step(row: dict[str, Any]) -> float | None:
    return row["step"] if "step" in finite_numbers(row) else None


def _outcome(here: Here, state: State, record: JobRecord) -> Update:
    if record.state == "succeeded":
        return {"job": record, "feedback": ""}
    if here.seconds_left() <= 1.0:
        hours = here.settings.max_hours
        reason = (
            f"The time limit of {hours:g} hours was reached during the training job, which was ended. "
            f"`trainwright resume {here.run} --max-hours {hours * 2:g}` trains anew."
        )
        more = {"submissions": state.submissions + 1, "stopped_at": "submit_job"}
        return {"job": record, "status": Status.DEADLINE, "reason": reason, **more}
    if record.state == "lost":
        reason = (
            f"The training job was lost and did not come back ({record.restarts} new starts); the code was not at fault. "
            f"{record.error_tail} `trainwright resume {here.run}` submits it anew."
        )
        more = {"submissions": state.submissions + 1, "stopped_at": "submit_job"}
        return {"job": record, "status": Status.FAILED, "reason": reason, **more}
    feedback = f"The training job {record.state} ({record.error_class}):\n{record.error_tail}"
    here.emit("note", text=feedback[:800])
    if state.repairs >= here.settings.repairs:
        reason = f"The training job of attempt {state.attempt} {record.state} ({record.error_class}), no repair left: "
        return {
            "job": record,
            "status": Status.FAILED,
            "reason": reason + record.error_tail.strip()[-1_000:],
            "stopped_at": "write_code",
        }
    return {"job": record, "feedback": feedback, "repairs": state.repairs + 1, "sandbox": None}
