"""Node `evaluate`: the workflow computes every score itself.

Attempts compete on the validation part, whose labels training sees; that score steers the loop and is never
published. The withheld test labels are used once, for the attempt that is accepted. `predict.py` runs without
network, on rows without labels; what it wrote is checked before it is scored.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trainwright.graph.errors import ContractError
from trainwright.graph.state import (
    Artifact,
    Attempt,
    CodeBundle,
    Dataset,
    Evaluation,
    JobRecord,
    SandboxReport,
    Scalar,
    State,
    Status,
    TrainingPlan,
)
from trainwright.tools.contract import Scripts, masked_paths, predict_limits
from trainwright.tools.sandbox import Limits, classify_failure, plain_folder

from .boundary import Here, Update
from .estimates import job_folder
from .think import write_json

__all__ = ["Stopped", "best_attempt", "evaluate", "reaches", "wants_improvement"]


def evaluate(here: Here, state: State) -> Update:
    """Score the attempt on validation; accept one attempt and score it on the withheld labels."""
    plan, data = state.plan, state.dataset
    assert plan is not None
    assert data is not None
    if state.accepted is not None and state.evaluation is not None:
        return {}  # scored before: the withheld labels are used once
    if state.job is None:
        return _best_so_far(here, state, plan, data)
    try:
        validation = _validation_score(here, state, plan, data)
        attempts = [*(a for a in state.attempts if a.number != state.attempt), _record(state, plan, validation)]
        _keep(here, state)
        text = f"validation {plan.metric} {validation:.4f}"
        here.emit("decided", stage="evaluate", text=text, why=[f"attempt {state.attempt}"])
        if wants_improvement(here, state, plan, attempts):
            return _improve(attempts, plan)
        best = best_attempt(attempts, plan)
        try:
            return _accept(here, state, plan, data, attempts)
        except ContractError as error:
            if best == state.attempt:
                raise
            return _unscored(best, error)
    except Stopped:
        return {}
    except ContractError as error:
        return _broken(here, state, error)


def _best_so_far(here: Here, state: State, plan: TrainingPlan, data: Dataset) -> Update:
    """The engineer has nothing left to try: the best attempt so far is what the run has to show."""
    going = {"status": Status.RUNNING, "reason": ""}
    try:
        return {**going, **_accept(here, state, plan, data, state.attempts)}
    except Stopped:
        return going
    except ContractError as error:
        return _unscored(best_attempt(state.attempts, plan), error)


def _unscored(best: int, error: ContractError) -> Update:
    """The best attempt is an earlier one, so there is no code at hand to repair."""
    reason = f"predict.py of attempt {best}, the best one, breaks the contract ({error.kind}): {error.message}"
    return {"status": Status.FAILED, "reason": reason[:2_000], "stopped_at": "plan"}


def _accept(here: Here, state: State, plan: TrainingPlan, data: Dataset, attempts: list[Attempt]) -> Update:
    """The update that accepts the best attempt: its score on the withheld labels, its plan, code, test and job."""
    best = best_attempt(attempts, plan)
    kept = _kept(here, best)
    result = _withheld_score(here, state.model_copy(update=kept), kept["plan"], data, best)
    text = f"{plan.metric} {result.value:.4f} on withheld labels"
    here.emit("decided", stage="evaluate", text=text, why=[f"attempt {best}"])
    closed = [a.model_copy(update={"verdict": "accepted" if a.number == best else a.verdict}) for a in attempts]
    return {**kept, "attempts": closed, "accepted": best, "evaluation": result, "feedback": ""}


KEPT: dict[str, type[Artifact]] = {
    "plan": TrainingPlan,
    "code": CodeBundle,
    "sandbox": SandboxReport,
    "job": JobRecord,
}


def _keep(here: Here, state: State) -> None:
    """Write down what belongs to this attempt, since a later one takes its place in the state."""
    kept = {name: getattr(state, name).model_dump(mode="json") for name in KEPT}
    write_json(here.folder / "attempts" / str(state.attempt) / "attempt.json", kept)


def _kept(here: Here, attempt: int) -> dict[str, Any]:
    text = (here.folder / "attempts" / str(attempt) / "attempt.json").read_text(encoding="utf-8")
    return {name: KEPT[name].model_validate(value) for name, value in json.loads(text).items()}


class Stopped(Exception):
    """The run was asked to stop while a prediction ran."""


def _scripts(here: Here, state: State, attempt: int) -> Scripts:
    assert state.code is not None, "the code of the attempt that is scored"
    code = job_folder(state.run, attempt) / "code"
    return Scripts(code, state.code.unmodified, masked_paths(state.request.data), here.stopping)


def _predict(here: Here, state: State, attempt: int, model: Path, inputs: Path, name: str, limits: Limits) -> Path:
    """The predictions file of an attempt's model for `inputs`.

    Raises:
        ContractError: `predict.py` failed.
        Stopped: the run is to stop.
    """
    out = here.folder / "attempts" / str(attempt) / "evaluation" / name
    staged = here.folder / "attempts" / str(attempt) / "evaluation" / f"{name}-inputs"
    staged.mkdir(parents=True, exist_ok=True)
    target = staged / "inputs.parquet"
    target.write_bytes(inputs.read_bytes())
    result = _scripts(here, state, attempt).predict(model, target, out, limits)
    if result.ended == "cancelled":
        raise Stopped
    if result.exit_code != 0:
        kind, tail = classify_failure(result)
        raise ContractError(kind, f"predict.py failed on the {name} rows: {result.message}\n{tail[-2_000:]}")
    return out / "predictions.csv"


def _validation_score(here: Here, state: State, plan: TrainingPlan, data: Dataset) -> float:
    import pyarrow.parquet as pq

    from trainwright.tools.datasets import check_frozen
    from trainwright.tools.evaluation import read_predictions, score_predictions

    check_frozen(here.folder, data)
    out = job_folder(state.run, state.attempt) / "out"
    model = out / "model_validation" if plain_folder(out / "model_validation") else out / "model"
    folder = here.folder / data.folder
    here.emit("progress", node="evaluate", text="predicting the validation rows", fraction=0.1)
    inputs, limits = folder / "validation_inputs.parquet", predict_limits(data.split.validation, len(data.classes))
    path = _predict(here, state, state.attempt, model, inputs, "validation", limits)
    table = pq.read_table(folder / "validation.parquet", columns=["id", data.target]).to_pydict()
    labels = dict(zip(table["id"], table[data.target], strict=True))
    predictions = read_predictions(path, list(labels), task=data.task, classes=data.classes)
    return score_predictions(plan.metric, labels, predictions, data)


def _withheld_score(here: Here, state: State, plan: TrainingPlan, data: Dataset, best: int) -> Evaluation:
    from trainwright.tools.datasets import inputs_path, read_test_labels, verify_frozen
    from trainwright.tools.evaluation import evaluate_predictions, read_predictions

    verify_frozen(here.folder, data)
    labels = read_test_labels(here.folder)
    here.emit("progress", node="evaluate", text="predicting the withheld rows", fraction=0.6)
    inputs = inputs_path(here.folder)
    model = job_folder(state.run, best) / "out" / "model"
    limits = predict_limits(data.split.test, len(data.classes))
    path = _predict(here, state, best, model, inputs, "test", limits)
    predictions = read_predictions(path, list(labels), task=data.task, classes=data.classes)
    return evaluate_predictions(
        predictions,
        labels,
        dataset=data,
        plan=plan,
        brief=state.brief,
        run_dir=here.folder,
        attempt=best,
        seed=here.settings.seed,
    )


def _record(state: State, plan: TrainingPlan, validation: float) -> Attempt:
    assert state.code is not None
    assert state.job is not None
    before = [a.validation for a in state.attempts if a.validation is not None]
    best = (max(before) if plan.direction == "higher" else min(before)) if before else None
    better = best is None or (validation > best if plan.direction == "higher" else validation < best)
    return Attempt(
        number=state.attempt,
        parent=plan.parent,
        method=plan.method,
        recipe=plan.recipe,
        change=plan.change,
        why="; ".join(plan.reasons[:3]),
        commit=state.code.commit,
        hyperparameters=fixed_settings(plan, state.code),
        metric=plan.metric,
        validation=validation,
        seconds=state.job.seconds,
        verdict="first" if best is None else "improved" if better else "no better",
    )


def fixed_settings(plan: TrainingPlan, bundle: CodeBundle) -> dict[str, Scalar]:
    """The settings that the code fixes; those of the plan where only the code itself could say."""
    if bundle.hyperparameters is not None:
        return bundle.hyperparameters
    return {item.name: item.value for item in plan.hyperparameters}


def best_attempt(attempts: list[Attempt], plan: TrainingPlan) -> int:
    """Number of the attempt with the best validation score; the earlier one of equals.

    What a person sent back, and what was scored by another metric, is no candidate.

    Raises:
        ValueError: no attempt has a score.
    """
    scored = [a for a in attempts if a.validation is not None and not a.sent_back and a.metric == plan.metric]
    sign = 1 if plan.direction == "higher" else -1
    return max(scored, key=lambda a: (sign * (a.validation or 0.0), -a.number)).number


def reaches(plan: TrainingPlan, value: float) -> bool:
    """Whether `value` is what the person wants; True when no score was asked for."""
    return plan.target is None or plan.target.reached_by(value)


def wants_improvement(here: Here, state: State, plan: TrainingPlan, attempts: list[Attempt]) -> bool:
    """Whether another attempt is made: the wanted score is not reached, and attempts and time are left."""
    if any(a.validation is not None and not a.sent_back and reaches(plan, a.validation) for a in attempts):
        return False
    return state.attempt < here.settings.attempts and here.seconds_left() > 1.5 * (attempts[-1].seconds + 10)


def _improve(attempts: list[Attempt], plan: TrainingPlan) -> Update:
    last = attempts[-1]
    assert plan.target is not None
    feedback = (
        f"Attempt {last.number} reached {plan.metric} {last.validation:.4f} on validation; "
        f"{plan.target.op} {plan.target.value:g} is wanted. Change one thing."
    )
    return {
        "attempts": attempts,
        "attempt": last.number + 1,
        "repairs": 0,
        "feedback": feedback,
        "code": None,
        "sandbox": None,
        "job": None,
    }


def _broken(here: Here, state: State, error: ContractError) -> Update:
    """predict.py breaks the contract: a repair, while repairs are left."""
    here.emit("note", text=f"predict.py breaks the contract ({error.kind}): {error.message[:500]}")
    if state.repairs >= here.settings.repairs:
        reason = f"predict.py breaks the contract ({error.kind}) after {state.repairs} repairs: {error.message}"
        return {"status": Status.FAILED, "reason": reason[:2_000], "stopped_at": "write_code"}
    feedback = f"predict.py broke the contract ({error.kind}): {error.message}"
    return {"feedback": feedback, "repairs": state.repairs + 1, "sandbox": None, "job": None}
