"""Node `submit_job`: submits what was tested and approved, once.

Three guards stand in front: the bytes are those that passed the sandbox, the approval is of exactly this card, and
the preflight list has no open item. The submission itself goes through the journal.
"""

from __future__ import annotations

import os
from pathlib import Path

from trainwright.graph.effects import effect_key
from trainwright.graph.errors import JobError, LimitReached, TrainwrightError
from trainwright.graph.settings import run_path
from trainwright.graph.state import CodeBundle, Dataset, JobRecord, PlannedHyperparameter, State, Status, TrainingPlan
from trainwright.tools import code
from trainwright.tools.contract import isolation_for, masked_paths
from trainwright.tools.jobs import JobSpec, LocalEngine
from trainwright.tools.sandbox import Limits

from .approve import GATES, preflight
from .boundary import Here, Update
from .gate import card_sha256

__all__ = ["as_coded", "engine_for", "job_folder", "submit_job"]


LOG_BYTES = 64 * 2**20
"""What a training may print in all: a progress bar over days stays below it."""


def job_folder(run: str, attempt: int) -> Path:
    """The folder of an attempt's job."""
    return run_path(run) / "attempts" / str(attempt) / "job"


def engine_for(run: str, attempt: int) -> LocalEngine:
    """The engine that runs the job of an attempt."""
    return LocalEngine(job_folder(run, attempt))


def submit_job(here: Here, state: State) -> Update:
    """Submit the training job."""
    problem = _unapproved(state)
    if problem:
        return {"status": Status.FAILED, "reason": problem, "stopped_at": "approve_job"}
    _guard(state)
    bundle, data, report = state.code, state.dataset, state.sandbox
    assert bundle is not None
    assert data is not None
    assert report is not None
    payload = {
        "code": bundle.sha256,
        "data": data.fingerprint,
        "seed": here.settings.seed,
        "repairs": state.repairs,
        "submission": state.submissions,
    }
    key = effect_key(state.run, state.attempt, "job", payload)
    allowance = _reserve(here, key, max(900.0, 10 * report.estimated_seconds))
    spec = _spec(here, state, bundle, data, key, allowance)
    engine = engine_for(state.run, state.attempt)
    try:
        handle = here.journal.once(
            state.run, state.attempt, "job", payload, do=lambda key: engine.submit(spec, key), look_up=engine.find
        )
    except TrainwrightError:
        here.ledger.release(key)
        raise
    text = f"Job of attempt {state.attempt} submitted"
    here.emit("decided", stage="submit_job", text=text, why=[f"limit {allowance:.0f} s"])
    record = JobRecord(key=key, engine="local", handle=handle, attempt=state.attempt, code_sha256=bundle.sha256)
    return {"job": record, **_plan_as_coded(here, state, bundle)}


def _spec(here: Here, state: State, bundle: CodeBundle, data: Dataset, key: str, allowance: float) -> JobSpec:
    """What the engine is given; the code is checked out for it and held to the hash of what was tested.

    Raises:
        JobError: the code is not what was tested.
    """
    source = here.folder / "attempts" / str(state.attempt) / "code" / bundle.sha256[:16]
    code.checkout(here.folder / "code", bundle.commit, source)
    if code.bundle_sha256(code.files_of(source))[1] != bundle.sha256:
        raise JobError("The job was not submitted: the code that was checked out is not the code that was tested.")
    return JobSpec(
        run=state.run,
        attempt=state.attempt,
        key=key,
        code=str(source),
        data=str(here.folder / data.folder),
        seed=here.settings.seed,
        isolation=isolation_for(bundle.unmodified),
        mask=[str(path) for path in masked_paths(state.request.data)],
        limits=Limits(
            wall_seconds=allowance,
            cpu_seconds=allowance * (os.cpu_count() or 1),
            disk_bytes=8 * 2**30,
            file_bytes=4 * 2**30,
            output_bytes=LOG_BYTES,
        ),
    )


def _plan_as_coded(here: Here, state: State, bundle: CodeBundle) -> Update:
    """The update that makes the plan say what the code does; nothing where it says so already."""
    plan, dropped = as_coded(state.plan, bundle)
    if plan == state.plan:
        return {}
    if not dropped:
        return {"plan": plan}
    text = f"Settings of the plan that the code of attempt {state.attempt} does not fix: {', '.join(dropped)}."
    here.emit("note", text=text)
    return {"plan": plan, "notes": [text]}


def as_coded(plan: TrainingPlan | None, bundle: CodeBundle) -> tuple[TrainingPlan | None, list[str]]:
    """The plan with the settings that the code really fixes, and what of the plan was dropped (`name = value`).

    A repair or an edit can leave a setting of the paper out; what is published then must not claim it.
    """
    if plan is None or bundle.hyperparameters is None:
        return plan, []
    fixed = bundle.hyperparameters
    kept = [item for item in plan.hyperparameters if fixed.get(item.name) == item.value]
    dropped = [f"{item.name} = {item.value}" for item in plan.hyperparameters if item not in kept]
    named = {item.name for item in kept}
    added = [
        PlannedHyperparameter(name=name, value=value, source="chosen", why="stands in the code")
        for name, value in fixed.items()
        if name not in named
    ]
    return plan.model_copy(update={"hyperparameters": [*kept, *added]}), dropped


def _reserve(here: Here, key: str, wanted: float) -> float:
    """Hold seconds for the job in the ledger; how many. A step that is run again finds what it held before.

    Raises:
        LimitReached: no time is left.
    """
    held = here.ledger.held(key)
    if held is None:
        held = int(min(here.seconds_left(), wanted) * 1000)
        if held <= 0:
            text = f"No time is left for a training job: the limit is {here.settings.max_hours:g} hours."
            raise LimitReached("milliseconds", text, hint="Resume with a higher --max-hours.")
        limit = int(here.settings.max_hours * 3_600_000)
        here.ledger.reserve(here.run, "milliseconds", held, limit=limit, key=key, node="watch_job")
    return held / 1000


def _guard(state: State) -> None:
    assert state.code is not None
    if state.sandbox is None or not state.sandbox.passed or state.sandbox.code_sha256 != state.code.sha256:
        raise JobError("This code did not pass the sandbox as it stands, so it was not submitted.")
    open_items = [check.name for check in preflight(state) if not check.passed]
    if open_items:
        raise JobError(f"The job was not submitted: {', '.join(open_items)} not passed.")


def _unapproved(state: State) -> str:
    """Why the last approval is not one of exactly this job; empty if it is."""
    gate = next(gate for gate in GATES if gate.name == "approve_job")
    given = next((a for a in reversed(state.approvals) if a.gate == "approve_job"), None)
    if given is not None and given.decision == "approve" and given.shown_sha256 == card_sha256(gate.card(state)):
        return ""
    return (
        "The job was not submitted: what was approved is not what would run. "
        f"`trainwright resume {state.run}` shows it again."
    )
