"""Small tables and how the tests write, choose and freeze them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from trainwright.graph.state import Dataset
from trainwright.tools.datasets import DataChoice, Inspection, freeze, inputs_path, inspect_data

PARTS = ("train", "validation", "test_inputs")


def numbers(rows: int = 200, features: int = 3, seed: int = 0) -> pd.DataFrame:
    """Independent normal columns f0, f1, …"""
    values = np.random.default_rng(seed).normal(size=(rows, features)).round(6)
    return pd.DataFrame(values, columns=[f"f{i}" for i in range(features)])


def classes(rows: int = 200, labels: Sequence[str] = ("no", "yes"), seed: int = 0) -> pd.DataFrame:
    """Normal columns and a column `label` that takes turns."""
    return numbers(rows, seed=seed).assign(label=[labels[i % len(labels)] for i in range(rows)])


def texts(rows: int = 200, seed: int = 0) -> list[str]:
    """Different sentences of eight words."""
    words = [f"{a}{b}" for a in ("lo", "mi", "ra", "ne", "su", "ti") for b in ("ba", "ken", "dor", "vil", "sam")]
    draw = np.random.default_rng(seed)
    return [f"{' '.join(draw.choice(words, 7))} {_spelt(i)}" for i in range(rows)]


def _spelt(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


def csv(folder: Path, frame: pd.DataFrame, name: str = "data.csv", **options: Any) -> str:
    """Write a table; returns its path as a spec."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / name, index=False, **options)
    return str(folder / name)


def chosen(found: Inspection, **changes: Any) -> DataChoice:
    """What the built-in engineer chooses after an audit."""
    drop = [column.name for column in found.columns if column.role in ("dropped", "id")]
    assert found.task is not None, found.question or found.refusal
    given = {
        "target": found.target,
        "task": found.task,
        "modality": found.modality,
        "drop": drop,
        "header": found.header,
    }
    return DataChoice.model_validate({**given, **changes})


def frozen(spec: str, run: Path, *, seed: int = 0, inspect: dict[str, Any] | None = None, **changes: Any) -> Dataset:
    """Audit, choose and freeze."""
    found = inspect_data(spec, **(inspect or {}))
    direction = "lower" if found.metric == "rmse" else "higher"
    return freeze(spec, chosen(found, **changes), run, seed=seed, metric=found.metric, direction=direction)


def part(run: Path, name: str) -> pd.DataFrame:
    """One part of what was frozen."""
    path = inputs_path(run) if name == "test_inputs" else run / "data" / f"{name}.parquet"
    return pq.read_table(path).to_pandas()


def codes(found: Inspection | Dataset) -> list[str]:
    """The codes of the findings."""
    return [finding.code for finding in found.findings]


def roles(found: Inspection | Dataset) -> dict[str, str]:
    """Column to role, of those that are neither feature nor target."""
    return {c.name: c.role for c in found.columns if c.role not in ("feature", "target")}
