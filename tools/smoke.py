"""The smoke run of an attempt's scripts: `train.py --smoke`, then `predict.py` on a few rows, and the contract's checks.

The node `sandbox_test` decides by it, and an engineer can run it before it hands its code in: the same code, so that
what passes here passes there. The scripts run as `tools/contract.py` has it, isolated or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright.graph.errors import ContractError
from trainwright.graph.state import Check, Dataset

from .contract import Scripts
from .sandbox import Limits, SandboxResult, classify_failure, json_rows, plain_folder, read_plain

__all__ = ["SMOKE_LIMITS", "Smoked", "finite_numbers", "last_metrics", "read_metrics", "smoke_test"]

SMOKE_ROWS = 16
"""Rows that `predict.py` sees."""

SMOKE_LIMITS = Limits(wall_seconds=300, cpu_seconds=600)


@dataclass
class Smoked:
    """What a smoke run showed.

    Attributes:
        checks: what was checked, in order; it ends at the first script that fails.
        trained, predicted: the runs; None if it never came to that.
        cancelled: somebody asked to stop; the checks say nothing then.
    """

    checks: list[Check] = field(default_factory=list)
    trained: SandboxResult | None = None
    predicted: SandboxResult | None = None
    cancelled: bool = False

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def failure(self) -> tuple[str, str]:
        """Class of the failure and what is known of it, at most 4,000 characters; empty if it passed."""
        if self.passed:
            return "", ""
        failed = self.predicted or self.trained
        error_class, tail = (
            classify_failure(failed) if failed is not None and failed.exit_code != 0 else ("contract", "")
        )
        broken = "; ".join(f"{c.name}: {c.detail}" for c in self.checks if not c.passed)
        return error_class, f"{broken}\n{tail}"[-4_000:]


def smoke_test(
    scripts: Scripts,
    data: Path,
    folder: Path,
    about: Dataset,
    *,
    metric: str,
    seed: int,
    tell: Callable[[str, float], None] = lambda text, fraction: None,
) -> Smoked:
    """Run both scripts on little and check what they leave.

    Args:
        scripts: of the attempt.
        data: folder with what training sees.
        folder: where the runs work: `out`, `inputs` and `predictions` in it are made anew.
        about: the frozen data.
        metric: what the predictions must be fit for.
        seed: of the run.
        tell: is told what begins, and how much is done in [0, 1].

    Raises:
        ContractError: a script cannot be started: its header, its environment.
        SandboxUnavailable: generated code, and nothing here can isolate it.
    """
    smoked = Smoked()
    tell("smoke run of train.py", 0.1)
    smoked.trained = scripts.train(data, folder / "out", seed=seed, smoke=True, limits=SMOKE_LIMITS)
    if smoked.trained.ended == "cancelled":
        smoked.cancelled = True
        return smoked
    smoked.checks = _check_training(smoked.trained, folder / "out")
    if not smoked.passed:
        return smoked
    tell("smoke run of predict.py", 0.7)
    smoked.predicted = _predict(scripts, data, folder)
    smoked.cancelled = smoked.predicted.ended == "cancelled"
    if not smoked.cancelled:
        smoked.checks.append(_check_prediction(smoked.predicted, folder, about, metric))
    return smoked


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

    from .evaluation import check_scores, read_predictions

    if result.exit_code != 0:
        return Check(name="predict", passed=False, detail=result.message or f"exit code {result.exit_code}")
    ids = pq.read_table(folder / "inputs" / "inputs.parquet", columns=["id"])["id"].to_pylist()
    try:
        path = folder / "predictions" / "predictions.csv"
        check_scores(name, read_predictions(path, ids, task=data.task, classes=data.classes))
    except ContractError as error:
        return Check(name="predict", passed=False, detail=f"{error.kind}: {error}")
    return Check(name="predict", passed=True, detail=f"{len(ids)} rows, {result.seconds:.1f} s")


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
