"""Node `submit_job`: submits what was tested and approved, once.

Three guards stand in front: the bytes are those that passed the sandbox, the approval is of exactly this card, and
the preflight list has no open item. The submission itself goes through the journal.
"""

from __future__ import annotations

import os
from contextlib import suppress

from trainwright.graph.effects import effect_key
from trainwright.graph.errors import JobError, NeedsPerson, TrainwrightError
from trainwright.graph.state import CodeBundle, Dataset, JobRecord, PlannedHyperparameter, State, Status, TrainingPlan
from trainwright.tools import code
from trainwright.tools.contract import isolation_for, masked_paths
from trainwright.tools.jobs import JobEngine, JobSpec
from trainwright.tools.sandbox import Limits

from .approve import GATES, preflight
from .boundary import Here, Update
from .estimates import engine_for, hold
from .gate import card_sha256

__all__ = ["as_coded", "submit_job"]


LOG_BYTES = 64 * 2**20
"""What a training may print in all: a progress bar over days stays below it."""


def submit_job(here: Here, state: State) -> Update:
    """Submit the training job."""
    problem = _unapproved(state)
    if problem:
        return {"status": Status.FAILED, "reason": problem, "stopped_at": "approve_job"}
    _guard(state)
    bundle, data = state.code, state.dataset
    assert bundle is not None
    assert data is not None
    payload = {
        "code": bundle.sha256,
        "data": data.fingerprint,
        "seed": here.settings.seed,
        "repairs": state.repairs,
        "submission": state.submissions,
    }
    key = effect_key(state.run, state.attempt, "job", payload)
    allowance = hold(state, here.settings, key)
    engine = engine_for(state.run, state.attempt)
    try:
        spec = _spec(here, state, bundle, data, key, allowance)
        handle = here.journal.once(
            state.run,
            state.attempt,
            "job",
            payload,
            do=lambda key: engine.submit(spec, key),
            look_up=engine.find,
            answers=state.answers,
        )
    except NeedsPerson:
        raise  # it may have been started: what is held stays held until somebody knows
    except Exception:
        _give_back(here, engine, key)
        raise
    text = f"Job of attempt {state.attempt} submitted"
    here.emit("decided", stage="submit_job", text=text, why=[f"limit {allowance:.0f} s"])
    record = JobRecord(key=key, engine="local", handle=handle, attempt=state.attempt, code_sha256=bundle.sha256)
    return {"job": record, **_plan_as_coded(here, state, bundle)}


def _spec(here: Here, state: State, bundle: CodeBundle, data: Dataset, key: str, allowance: float) -> JobSpec:
    """What the engine is given; the code is checked out for it and held to the hash of what was tested.

    Raises:
        JobError: the code is not what was tested.
        DataError: the data are not those that were frozen.
    """
    from trainwright.tools.datasets import check_frozen

    check_frozen(here.folder, data)
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


def _give_back(here: Here, engine: JobEngine, key: str) -> None:
    """Release what is held for a job that was not started; if it may have been, it stays held."""
    with suppress(TrainwrightError):
        if engine.find(key) is None:
            here.ledger.release(key)


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
