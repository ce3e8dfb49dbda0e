"""Small data folders as `find_data` makes them: train.parquet, validation.parquet, inputs.parquet, dataset.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Folder", "pixels", "table", "texts", "write_folder"]

WORDS = {
    "a": ["good", "fine", "great", "lovely"],
    "b": ["bad", "poor", "awful", "sad"],
    "c": ["round", "square", "flat", "long"],
}
FILLERS = ["the", "film", "was", "it", "and", "a", "very", "day", "people", "say"]


@dataclass(frozen=True)
class Folder:
    """A data folder and what was withheld: the targets of inputs.parquet, in its order."""

    path: Path
    truth: list[Any]


def write_folder(
    path: Path,
    frame: pd.DataFrame,
    target: str,
    task: str,
    modality: str,
    kinds: Mapping[str, str],
    *,
    shape: tuple[int, ...] = (),
    shares: tuple[float, float] = (0.6, 0.2),
    extra: Mapping[str, Any] | None = None,
) -> Folder:
    """Divide the rows in their order into train, validation and inputs."""
    path.mkdir(parents=True, exist_ok=True)
    frame = frame.copy()
    if task == "classification":
        frame[target] = frame[target].astype(str)
    frame.insert(0, "id", range(len(frame)))
    first, second = round(shares[0] * len(frame)), round(sum(shares) * len(frame))
    frame.iloc[:first].to_parquet(path / "train.parquet")
    frame.iloc[first:second].to_parquet(path / "validation.parquet")
    frame.iloc[second:].drop(columns=[target]).to_parquet(path / "inputs.parquet")
    columns = [{"name": name, "kind": kind, "role": "feature"} for name, kind in kinds.items()]
    columns.append({"name": target, "kind": "category" if task == "classification" else "number", "role": "target"})
    record = {
        "task": task,
        "modality": modality,
        "target": target,
        "columns": columns,
        "classes": sorted(set(frame[target])) if task == "classification" else [],
        "shape": list(shape),
        "seed": 0,
        **(extra or {}),
    }
    (path / "dataset.json").write_text(json.dumps(record), encoding="utf-8")
    return Folder(path, frame[target].iloc[second:].tolist())


def _target(score: np.ndarray, task: str, classes: int) -> np.ndarray:
    if task == "regression":
        return np.round(np.exp(score), 3)
    edges = np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1])
    return np.array(list("abcdefghij"))[np.digitize(score, edges)]


def table(path: Path, task: str = "classification", rows: int = 120, classes: int = 2, seed: int = 0) -> Folder:
    """Numbers, a category, a boolean and a date, with missing values in each; the target follows from all."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 3))
    colour = rng.choice(["red", "green", "blue"], rows)
    on = rng.random(rows) < 0.5
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, rows), unit="D")
    score = 1.5 * numbers[:, 0] + (colour == "red") * 1.5 + on * 0.5 + rng.normal(scale=0.1, size=rows)
    frame = pd.DataFrame(numbers, columns=["x0", "x1", "x2"])
    frame["colour"], frame["on"], frame["day"] = colour, on, day
    frame["y"] = _target(score, task, classes)
    for place, name in enumerate(["x1", "colour", "day"]):
        frame.loc[frame.index[place::17], name] = None
    frame["on"] = frame["on"].astype("boolean").where(rng.random(rows) > 0.05)
    kinds = {"x0": "number", "x1": "number", "x2": "number", "colour": "category", "on": "boolean", "day": "date"}
    return write_folder(path, frame, "y", task, "table", kinds)


def texts(path: Path, task: str = "classification", rows: int = 120, classes: int = 2, seed: int = 0) -> Folder:
    """Sentences in which two words out of ten tell the class, or how much of one class there is."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(list("abc")[:classes], rows)
    amount = rng.integers(1, 4, rows)
    lines = [
        " ".join(rng.permutation([*rng.choice(WORDS[label], n), *rng.choice(FILLERS, 8)]))
        for label, n in zip(labels, amount, strict=True)
    ]
    lines[0] = ""
    values = labels if task == "classification" else np.where(labels == "a", 1.0, -1.0) * amount + 5.0
    return write_folder(path, pd.DataFrame({"text": lines, "y": values}), "y", task, "text", {"text": "text"})


def pixels(path: Path, task: str = "classification", rows: int = 120, classes: int = 2, seed: int = 0) -> Folder:
    """4 x 4 arrays, brighter in one corner for each class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    grid = rng.integers(0, 6, size=(rows, 16)).astype(float)
    for label in range(classes):
        grid[labels == label, label * 5] += 9
    grid = np.clip(grid, 0, 16)
    values = np.array(list("abc"))[labels] if task == "classification" else grid[:, 0] * 2.0 + grid[:, 5]
    frame = pd.DataFrame({"pixels": [row.tolist() for row in grid], "y": values})
    return write_folder(path, frame, "y", task, "images", {"pixels": "vector"}, shape=(4, 4))
