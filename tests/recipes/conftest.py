"""The scripts of the recipes, loaded as they load each other when they run: under bare names, from one flat folder.

Their names (`features`, `search`, …) are taken out of the interpreter again afterwards, so that nothing else finds them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

import trainwright.recipes.catalog as catalog

from .folders import Folder

SCRIPTS = Path(catalog.__file__).parent / "classical"


@pytest.fixture(scope="package")
def scripts() -> Iterator[Callable[[str], ModuleType]]:
    """Loads a module of `recipes/classical` by its bare name."""
    names = {path.stem for path in SCRIPTS.glob("*.py")}
    sys.path.insert(0, str(SCRIPTS))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(SCRIPTS))
        for name in names & set(sys.modules):
            del sys.modules[name]


@dataclass(frozen=True)
class Trained:
    """What a training left behind, and what its model says about the inputs."""

    out: Path
    predictions: pd.DataFrame
    truth: list[Any]
    load: Callable[[Path], Any]

    @property
    def model(self) -> Any:
        """The model that was refitted on all rows, read back."""
        return self.load(self.out / "model")

    @property
    def estimator(self) -> Any:
        """Its estimator."""
        return self.model.fitted.estimator


Train = Callable[..., Trained]


@pytest.fixture
def train(scripts: Callable[[str], ModuleType], tmp_path: Path) -> Train:
    """Runs train.py and predict.py in this process."""

    def run(data: Folder, method: str = "", *flags: str, name: str = "out", expect: int = 0) -> Trained:
        out = tmp_path / name
        chosen = ["--method", method] if method else []
        code = scripts("train").main(["--data", str(data.path), "--out", str(out), *chosen, *flags])
        assert code == expect
        if code:
            return Trained(out, pd.DataFrame(), data.truth, scripts("saving").load)
        answers = out / "predictions.csv"
        inputs = data.path / "inputs.parquet"
        given = ["--model", str(out / "model"), "--inputs", str(inputs), "--out", str(answers)]
        assert scripts("predict").main(given) == 0
        predictions = pd.read_csv(answers, dtype={"prediction": str}, keep_default_na=False)
        return Trained(out, predictions, data.truth, scripts("saving").load)

    return run
