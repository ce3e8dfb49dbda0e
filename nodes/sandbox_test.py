"""Node `sandbox_test`: a smoke run of `train.py` and `predict.py` in the sandbox, and the contract's checks.

No model decides whether a test passed. What the run took is the basis of the estimate of the full training.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainwright.graph.errors import ContractError
from trainwright.graph.state import Check, CodeBundle, Dataset, SandboxReport, State, Status
from trainwright.tools import code
from trainwright.tools.contract import Scripts, isolation_for, masked_paths
from trainwright.tools.sandbox import Limits, SandboxResult, classify_failure, json_rows, plain_folder, read_plain

from .boundary import Here, Update

__all__ = ["estimate", "finite_numbers", "last_metrics", "read_metrics", "sandbox_test"]

SMOKE_ROWS = 16
"""Rows that `predict.py` sees in the smoke run."""

MEMORY_FACTOR = 100.0
"""Memory is not taken to grow further than this from what a smoke run used above what an idle program needs."""

SMOKE_LIMITS = Limits(wall_seconds=300, cpu_seconds=600)


def sandbox_test(here: Here, state: State) -> Update:
    """Test the code in the sandbox."""
    bundle = state.code
    assert bundle is not None
    try:
        report = _test(here, state, bundle)
    except ContractError as error:
        # What keeps a script from being run at all (its header, its environment, a link for a model) is its failure.
        checks = [Check(name="start", passed=False, detail=f"{error.kind}: {error}")]
        report = _report(bundle, checks, None, None)
    return {} if report is None else _update(here, state, report)


def _test(here: Here, state: State, bundle: CodeBundle) -> SandboxReport | None:
    """The report; None if the run was asked to stop meanwhile.

    Raises:
        ContractError: a script cannot be started.
    """
    data, plan = state.dataset, state.plan
    assert data is not None
    assert plan is not None
    folder = here.folder / "attempts" / str(state.attempt) / "sandbox"
    code.checkout(here.folder / "code", bundle.commit, folder / "code")
    if code.bundle_sha256(code.files_of(folder / "code"))[1] != bundle.sha256:
        raise ContractError("code_changed", "The code that was checked out is not the code that was written.")
    scripts = Scripts(folder / "code", bundle.unmodified, masked_paths(state.request.data), here.stopping)
    here.emit("progress", node="sandbox_test", text="smoke run of train.py", fraction=0.1)
    trained = scripts.train(
        here.folder / data.folder, folder / "out", seed=here.settings.seed, smoke=True, limits=SMOKE_LIMITS
    )
    if trained.ended == "cancelled":
        return None
    checks, failed = _check_training(trained, folder / "out"), trained if trained.exit_code != 0 else None
    predicted = None
    if all(check.passed for check in checks):
        here.emit("progress", node="sandbox_test", text="smoke run of predict.py", fraction=0.7)
        predicted = _predict(scripts, here.folder / data.folder, folder)
        if predicted.ended == "cancelled":
            return None
        checks.append(_check_prediction(predicted, folder, data, plan.metric))
        failed = failed or (predicted if not checks[-1].passed else None)
    seconds, memory = estimate(trained, predicted, last_metrics(folder / "out").get("rows", 0.0), data.split.train)
    estimated = {"estimated_seconds": max(plan.seconds, seconds), "estimated_memory": memory}
    return _report(bundle, checks, trained, failed).model_copy(update=estimated)


def _check_training(result: SandboxResult, out: Path) -> list[Check]:
    ran = result.exit_code == 0
    model = out / "model"
    return [
        Check(name="train", passed=ran, detail=result.message or f"{result.seconds:.1f} s"),
        Check(name="model", passed=ran and plain_folder(model) and any(model.iterdir()), detail="OUT/model has files"),
        Check(name="metrics", passed=ran and bool(read_metrics(out)), detail="OUT/metrics.jsonl has lines"),
    ]


def _predict(scripts: Scripts, data: Path, folder: Path) -> SandboxResult:
    import pyarrow.parquet as pq

    inputs = folder / "inputs" / "inputs.parquet"
    inputs.parent.mkdir(exist_ok=True)
    pq.write_table(pq.read_table(data / "validation_inputs.parquet").slice(0, SMOKE_ROWS), inputs)
    return scripts.predict(folder / "out" / "model", inputs, folder / "predictions", SMOKE_LIMITS)


def _check_prediction(result: SandboxResult, folder: Path, data: Dataset, name: str) -> Check:
    import pyarrow.parquet as pq

    from trainwright.tools.evaluation import check_scores, read_predictions

    if result.exit_code != 0:
        return Check(name="predict", passed=False, detail=result.message or f"exit code {result.exit_code}")
    ids = pq.read_table(folder / "inputs" / "inputs.parquet", columns=["id"])["id"].to_pylist()
    try:
        path = folder / "predictions" / "predictions.csv"
        check_scores(name, read_predictions(path, ids, task=data.task, classes=data.classes))
    except ContractError as error:
        return Check(name="predict", passed=False, detail=f"{error.kind}: {error}")
    return Check(name="predict", passed=True, detail=f"{len(ids)} rows, {result.seconds:.1f} s")


def estimate(trained: SandboxResult, predicted: SandboxResult | None, seen: float, rows: int) -> tuple[float, int]:
    """Seconds and bytes of the full training, from the smoke runs.

    What starting Python and loading libraries takes is the same in both; it is taken from the prediction, which does
    little else. The rest grows with the rows. A method that grows faster is covered by the plan's own estimate.

    Args:
        trained, predicted: the smoke runs; `predicted` is None if it never came to that.
        seen: rows that the smoke run trained on, as the script says; 0 if it does not say.
        rows: of the training part.
    """
    factor = min(max(1.0, rows / seen), float(rows)) if seen >= 1 else 1.0
    base = min(predicted.seconds, trained.seconds) if predicted else 0.0
    still = min(predicted.peak_memory, trained.peak_memory) if predicted else 0
    memory = still + (trained.peak_memory - still) * min(factor, MEMORY_FACTOR)
    return base + (trained.seconds - base) * factor, int(memory)


def _report(
    bundle: CodeBundle, checks: list[Check], trained: SandboxResult | None, failed: SandboxResult | None
) -> SandboxReport:
    passed = all(check.passed for check in checks)
    error_class, tail = ("", "")
    if not passed:
        error_class, tail = (
            classify_failure(failed) if failed is not None and failed.exit_code != 0 else ("contract", "")
        )
        broken = "; ".join(f"{c.name}: {c.detail}" for c in checks if not c.passed)
        tail = f"{broken}\n{tail}"[-4_000:]
    return SandboxReport(
        passed=passed,
        code_sha256=bundle.sha256,
        isolation=isolation_for(bundle.unmodified),
        checks=checks,
        error_class=error_class,
        error_tail=tail,
        seconds=trained.seconds if trained else 0.0,
        peak_memory=trained.peak_memory if trained else 0,
    )


def _update(here: Here, state: State, report: SandboxReport) -> Update:
    if report.passed:
        return {"sandbox": report, "feedback": ""}
    here.emit("note", text=f"Sandbox test failed ({report.error_class}): {report.error_tail.strip()[:500]}")
    feedback = f"The sandbox test failed ({report.error_class}):\n{report.error_tail}"
    if state.repairs >= here.settings.repairs:
        reason = f"The code failed its test in the sandbox after {state.repairs} repairs ({report.error_class}): "
        return {
            "sandbox": report,
            "status": Status.FAILED,
            "reason": reason + report.error_tail.strip()[-1_000:],
            "stopped_at": "write_code",
        }
    return {"sandbox": report, "feedback": feedback, "repairs": state.repairs + 1}


def read_metrics(out: Path, limit: int = 4 * 2**20) -> list[dict[str, Any]]:
    """The lines of `OUT/metrics.jsonl` that are JSON objects; the script wrote them, so anything else is skipped."""
    return json_rows(read_plain(out / "metrics.jsonl", limit=limit))


def last_metrics(out: Path) -> dict[str, float]:
    """The last finite number of each metric."""
    last: dict[str, float] = {}
    for row in read_metrics(out):
        last |= finite_numbers(row)
    return dict(list(last.items())[:100])


def finite_numbers(row: dict[str, Any]) -> dict[str, float]:
    """The finite numbers of a line of the metrics, under names of a sane length."""
    return {
        name: float(value)
        for name, value in row.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 and len(name) <= 60
    }
