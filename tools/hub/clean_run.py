"""The clean run: a copy of the package predicts the withheld rows, and must score what the evaluation says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from trainwright.graph.errors import ContractError, PublicationError
from trainwright.graph.ownership import temporary_folder
from trainwright.graph.state import State
from trainwright.tools.datasets import inputs_path, read_test_labels
from trainwright.tools.evaluation import read_predictions, score_predictions
from trainwright.tools.sandbox import SandboxResult

__all__ = ["Predict", "clean_score"]

Predict = Callable[[Path, Path, Path], SandboxResult]
"""Runs predict.py of a folder on an inputs file; its predictions.csv lies in the last folder afterwards."""

TOLERANCE = 1e-9


def clean_score(package: Path, run_dir: Path, state: State, predict: Predict) -> float:
    """The score of a copy of the package in a clean place.

    Raises:
        PublicationError: it does not run there, or scores anything else than the evaluation.
    """
    data, result = state.dataset, state.evaluation
    assert data is not None
    assert result is not None
    with temporary_folder("clean") as place:
        place.chmod(0o755)
        shutil.copytree(package, place / "package")
        (place / "inputs").mkdir()
        inputs = place / "inputs" / "inputs.parquet"
        shutil.copyfile(inputs_path(run_dir), inputs)
        try:
            ended = predict(place / "package", inputs, place / "out")
        except ContractError as error:
            raise PublicationError(f"The published copy cannot be run in a clean place: {error}") from error
        if ended.exit_code != 0:
            raise PublicationError(
                f"The published copy does not run in a clean place: {ended.message} {ended.stderr[-500:].strip()}"
            )
        labels = read_test_labels(run_dir)
        try:
            predictions = read_predictions(
                place / "out" / "predictions.csv", list(labels), task=data.task, classes=data.classes
            )
            value = score_predictions(result.metric, labels, predictions, data)
        except ContractError as error:
            raise PublicationError(f"The published copy breaks the contract in a clean place: {error}") from error
    if abs(value - result.value) > TOLERANCE:
        raise PublicationError(
            f"The published copy scores {value:.6f} in a clean place, the evaluation says {result.value:.6f}.",
            hint="predict.py does not give the same answer twice, or depends on something outside the package.",
        )
    return value
