"""The corpora as the tests use them, and the workspace in which their commands stand."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from trainwright.tools.policy import Action, Fact

__all__ = ["LATER", "Case", "action_cases", "command_cases", "make_workspace"]

HERE = Path(__file__).parent

LATER = tuple(sorted(path.name for path in HERE.glob("third_look_*.toml")))
"""Smaller corpora: what was found later, with variations."""


class Case(NamedTuple):
    """One command with what must be said to it."""

    command: str
    expect: str
    why: str


def command_cases(workspace: Path, *names: str) -> list[Case]:
    """The commands of the corpora."""
    found = list[Case]()
    for name in names or ("commands.toml",):
        for group in tomllib.loads((HERE / name).read_text(encoding="utf-8"))["group"]:
            found += [
                Case(text.replace("{ws}", str(workspace)), group["expect"], group["why"]) for text in group["commands"]
            ]
    return found


def action_cases(workspace: Path) -> Iterator[tuple[Action, str, str]]:
    """The actions of the corpus."""
    for entry in tomllib.loads((HERE / "actions.toml").read_text(encoding="utf-8"))["action"]:
        facts: dict[str, Fact] = {name: _placed(value, workspace) for name, value in entry.get("facts", {}).items()}
        yield Action(entry["tool"], facts, entry.get("reads", False)), entry["expect"], entry["why"]


def _placed(value: Any, workspace: Path) -> Any:
    return value.replace("{ws}", str(workspace)) if isinstance(value, str) else value


FILES = ("train.py", "predict.py", "run.sh", "a.txt", "b.txt", "train.log", "numbers.txt", "metrics.json", "model.bin", "a.tar.gz", "a.zip", "fix.patch", "Makefile", "config.yaml",
         "data/train.csv", "data/a.gz", "tests/test_a.py", ".venv/bin/activate", "src/trainer/__init__.py", "out/x.tmp", "tokenizer.json",
         ".git/HEAD", ".git/config")  # fmt: skip


def make_workspace(folder: Path) -> Path:
    """A workspace with a few files, a repository, and labels that are withheld beside it."""
    workspace = folder / "run" / "code"
    for name in FILES:
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text("x\n")
    (workspace / ".git" / "hooks").mkdir()
    (folder / "run" / "withheld").mkdir()
    (folder / "run" / "withheld" / "labels.parquet").write_text("x")
    return workspace
