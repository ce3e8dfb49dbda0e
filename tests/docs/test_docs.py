"""The documents say what the code says, and their examples run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```(?P<kind>\w+)\n(?P<text>.*?)```", re.S)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")


def blocks(page: str, kind: str) -> list[str]:
    """The code blocks of a kind."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [found["text"] for found in BLOCK.finditer(text) if found["kind"] == kind]


def test_the_generated_parts_are_those_of_today() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_program_of_the_python_page_prints_what_the_page_says(own_home: Path) -> None:
    program, expected = blocks("docs/python.md", "python")[0], blocks("docs/python.md", "text")[0]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("prompts/*.md")]


@pytest.mark.parametrize("page", sorted(str(path.relative_to(ROOT)) for path in PAGES))
def test_links_between_documents_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in LINK.findall(text):
        assert ((ROOT / page).parent / target).exists(), target
    for target in re.findall(r"\bdocs/[\w./-]+\.md\b", text):
        assert (ROOT / target).exists(), target


def test_the_pair_of_scripts_of_the_contract_keeps_it(tmp_path: Path) -> None:
    """The page's own example, on its own kind of data, held to the checks that any code is held to."""
    import pandas as pd

    from trainwright.tools.evaluation import read_predictions
    from trainwright.tools.smoke import last_metrics

    data, out, answers = tmp_path / "data", tmp_path / "out", tmp_path / "answers.csv"
    for folder in (data, out):
        folder.mkdir()
    rows = pd.DataFrame({"id": [4, 7, 9], "size": [1.0, 2.0, 3.0], "kind": ["a", "b", "b"]})
    rows.to_parquet(data / "train.parquet")
    rows.drop(columns="kind").to_parquet(data / "validation_inputs.parquet")
    (data / "dataset.json").write_text(json.dumps({"task": "classification", "target": "kind"}))
    train = ["--data", str(data), "--out", str(out), "--seed", "0", "--smoke"]
    predict = [
        "--model",
        str(out / "model"),
        "--inputs",
        str(data / "validation_inputs.parquet"),
        "--out",
        str(answers),
    ]
    for program, arguments in zip(blocks("docs/script-contract.md", "python"), (train, predict), strict=True):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert last_metrics(out)["rows"] == 3
    found = read_predictions(answers, [4, 7, 9], task="classification", classes=["a", "b"])
    assert found.values == {4: "b", 7: "b", 9: "b"}


def test_the_contract_names_what_the_data_folder_holds(tmp_path: Path) -> None:
    """Fields of dataset.json, and files, as the workflow writes them."""
    from trainwright.tools.datasets import DataChoice, freeze

    choice = DataChoice(target="target", task="classification", modality="table")
    freeze("sklearn:iris", choice, tmp_path, seed=0, metric="accuracy", direction="higher")
    page = (ROOT / "docs" / "script-contract.md").read_text(encoding="utf-8")
    fields = json.loads((tmp_path / "data" / "dataset.json").read_text())
    named = {name for row in re.findall(r"(?m)^\| (`.*?) \|", page) for name in re.findall(r"`(\S+?)`", row)}
    assert set(fields) <= named
    assert {path.name for path in (tmp_path / "data").iterdir()} <= named


def test_the_readme_names_only_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`?trainwright ([a-z]+)", text))
    assert named, "the README shows how it is used"
    shown = subprocess.run(
        [sys.executable, "-c", "import sys; from trainwright.cli.main import main; sys.exit(main())", "--help"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for command in named:
        assert re.search(rf"^  {command} ", shown, re.M), command


def test_every_kind_of_event_is_documented() -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    sources = [*ROOT.glob("nodes/*.py"), *ROOT.glob("graph/*.py")]
    found = {kind for path in sources for kind in re.findall(r'emit\(\s*"(\w+)"', path.read_text(encoding="utf-8"))}
    assert found >= {"run", "node", "turn", "tool"}
    assert {kind for kind in found if f"| `{kind}` |" not in page} == set()
