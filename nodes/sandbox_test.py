"""Node `sandbox_test`: a smoke run of `train.py` and `predict.py` in the sandbox, and the contract's checks.

No model decides whether a test passed. What the run took is the basis of the estimate of the full training.
"""

from __future__ import annotations

from trainwright.graph.errors import ContractError
from trainwright.graph.state import Check, CodeBundle, SandboxReport, State, Status
from trainwright.tools import code
from trainwright.tools.contract import Scripts, isolation_for, masked_paths
from trainwright.tools.sandbox import SandboxResult
from trainwright.tools.smoke import Smoked, last_metrics, smoke_test

from .boundary import Here, Update

__all__ = ["estimate", "sandbox_test"]

MEMORY_FACTOR = 100.0
"""Memory is not taken to grow further than this from what a smoke run used above what an idle program needs."""


def sandbox_test(here: Here, state: State) -> Update:
    """Test the code in the sandbox."""
    bundle = state.code
    assert bundle is not None
    try:
        report = _test(here, state, bundle)
    except ContractError as error:
        # What keeps a script from being run at all (its header, its environment, a link for a model) is its failure.
        report = _report(bundle, Smoked([Check(name="start", passed=False, detail=f"{error.kind}: {error}")]))
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
    smoked = smoke_test(
        scripts,
        here.folder / data.folder,
        folder,
        data,
        metric=plan.metric,
        seed=here.settings.seed,
        tell=lambda text, fraction: here.emit("progress", node="sandbox_test", text=text, fraction=fraction),
    )
    if smoked.cancelled:
        return None
    assert smoked.trained is not None
    seen = last_metrics(folder / "out").get("rows", 0.0)
    seconds, memory = estimate(smoked.trained, smoked.predicted, seen, data.split.train)
    estimated = {"estimated_seconds": max(plan.seconds, seconds), "estimated_memory": memory}
    return _report(bundle, smoked).model_copy(update=estimated)


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


def _report(bundle: CodeBundle, smoked: Smoked) -> SandboxReport:
    error_class, tail = smoked.failure
    return SandboxReport(
        passed=smoked.passed,
        code_sha256=bundle.sha256,
        isolation=isolation_for(bundle.unmodified),
        checks=smoked.checks,
        error_class=error_class,
        error_tail=tail,
        seconds=smoked.trained.seconds if smoked.trained else 0.0,
        peak_memory=smoked.trained.peak_memory if smoked.trained else 0,
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
