"""Data sets of the Hub, through the real `datasets`, from a stand-in on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from .hub_server import COMMIT, REPO, serve
from .tables import classes

pytestmark = pytest.mark.slow

PROGRAM = """
import json, sys
from trainwright.graph.errors import DataError
from trainwright.tools.datasets import inspect_data, withheld_paths
for spec in sys.argv[1:]:
    try:
        found = inspect_data(spec).model_dump(mode="json")
        print(json.dumps({"spec": spec, **found, "masked": [str(path) for path in withheld_paths(spec)]}))
    except DataError as error:
        print(json.dumps({"spec": spec, "error": error.message, "hint": error.hint}))
"""
SPECS = [REPO, f"{REPO}@main", f"{REPO}@nope", f"{REPO}:other", "someone/nothing", "someone/gated"]


def run(folder: Path, *specs: str, **env: str) -> tuple[dict[str, dict[str, Any]], str]:
    """What a process of its own says of each spec (the Hub's address is read at import), and its error output."""
    own = {"HF_HOME": str(folder / "hf"), "TRAINWRIGHT_HOME": str(folder / "home"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, *specs],
        env={**os.environ, **own, "HF_HUB_DISABLE_XET": "1", **env},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return {answer["spec"]: answer for answer in map(json.loads, done.stdout.splitlines())}, done.stderr


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What is found behind each spec."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "repo").mkdir()
    for part, rows in (("train", 60), ("test", 30)):
        table: pd.DataFrame = classes(rows, seed=rows)
        table.to_csv(folder / "repo" / f"{part}.csv", index=False)
    (folder / "repo" / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n# Flowers\n")
    with serve(folder / "repo") as address:
        found, said = run(folder, *SPECS, HF_ENDPOINT=address)
    found["said"] = {"stderr": said}
    found["folder"] = {"home": str(folder / "home"), "hf": str(folder / "hf")}
    return found


@pytest.mark.parametrize("spec", [REPO, f"{REPO}@main"])
def test_a_data_set_with_official_parts(answers: dict[str, dict[str, Any]], spec: str) -> None:
    found = answers[spec]
    assert (found["name"], found["target"], found["task"]) == ("flowers", "label", "classification")
    assert found["rows"] == {"train": 60, "test": 30}
    assert (found["revision"], found["licence"], found["split"]["kind"]) == (COMMIT, "cc-by-4.0", "official")


def test_what_was_fetched_lies_where_the_sandbox_masks_it(answers: dict[str, dict[str, Any]]) -> None:
    folder = answers["folder"]
    masked = [Path(path) for path in answers[REPO]["masked"]]
    fetched = [
        path for place in folder.values() for path in Path(place).rglob("*") if path.suffix in (".csv", ".arrow")
    ]
    assert fetched
    assert all(any(path.is_relative_to(place) for place in masked) for path in fetched)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (f"{REPO}@nope", "no data set 'someone/flowers' at revision 'nope'"),
        (f"{REPO}:other", "could not be loaded"),
        ("someone/nothing", "The Hub has no data set 'someone/nothing'"),
        ("someone/gated", "private, gated, or does not exist"),
    ],
)
def test_what_is_not_given_out(answers: dict[str, dict[str, Any]], spec: str, message: str) -> None:
    assert message in answers[spec]["error"]
    assert answers[spec]["hint"]


def test_nothing_is_printed_by_the_libraries(answers: dict[str, dict[str, Any]]) -> None:
    assert "examples" not in answers["said"]["stderr"]


def test_without_a_network(tmp_path: Path) -> None:
    found, _ = run(tmp_path, REPO, HF_ENDPOINT="http://127.0.0.1:9")
    assert "could not be reached" in found[REPO]["error"]
    assert "local file" in found[REPO]["hint"]
