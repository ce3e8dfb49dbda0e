"""A threshold that defines the classes is a leak also with few rows; one repeated word in numbers is a missing value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from trainwright.tools.datasets import inspect_data


def test_a_column_whose_threshold_defines_the_class_is_left_out_with_few_rows(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    weight = random.normal(2900, 700, size=180).round()
    frame = pd.DataFrame({"age": random.integers(15, 45, 180), "smoke": random.integers(0, 2, 180), "bwt": weight})
    frame["low"] = np.where(weight < 2500, "yes", "no")
    frame.to_csv(tmp_path / "births.csv", index=False)
    found = inspect_data(str(tmp_path / "births.csv"), target_column="low")
    leaks = [f for f in found.findings if f.code == "leaking_column"]
    assert [f.columns for f in leaks] == [["bwt"]]


def test_a_repeated_word_in_a_column_of_decimal_commas_is_a_missing_value(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    rooms = [f"{n},5" if i % 12 else "k.A." for i, n in enumerate(random.integers(1, 9, 240))]
    rent = random.integers(400, 2000, 240)
    rows = "\n".join(f"{a};{b},{b % 10}" for a, b in zip(rooms, rent, strict=True))
    (tmp_path / "flats.csv").write_text(f"Zimmer;Miete\n{rows}\n", encoding="latin-1")
    found = inspect_data(str(tmp_path / "flats.csv"), target_column="Miete")
    rooms_column = next(c for c in found.columns if c.name == "Zimmer")
    assert (rooms_column.kind, rooms_column.missing) == ("number", 20)
    assert any("k.A." in f.message for f in found.findings)
