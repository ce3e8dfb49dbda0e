"""Code folders for the checks: the smallest pair that keeps the contract, and changes to it."""

from __future__ import annotations

import textwrap
from pathlib import Path

from trainwright.tools.writing import Finding, check_script

HEADER = """\
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas", "pyarrow", "scikit-learn"]
# ///
"""
TRAIN = """
import argparse
import json
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--smoke", action="store_true")
given = parser.parse_args()
(given.out / "model").mkdir(parents=True)
with (given.out / "metrics.jsonl").open("a") as metrics:
    metrics.write(json.dumps({"step": 1}) + "\\n")
"""
PREDICT = """
import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--model", type=Path, required=True)
parser.add_argument("--inputs", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
given = parser.parse_args()
"""


class Folder:
    """A code folder that is sound but for what a test adds to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.put("train.py", HEADER + TRAIN)
        self.put("predict.py", HEADER + PREDICT)

    def put(self, name: str, text: str | bytes) -> None:
        """Write a file."""
        (self.path / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    def add(self, source: str, name: str = "train.py") -> int:
        """Append to a script; the line on which it begins."""
        before = (self.path / name).read_text()
        self.put(name, before + textwrap.dedent(source).lstrip("\n"))
        return before.count("\n") + 1

    def findings(self, kind: str = "") -> list[Finding]:
        """What is found, of one kind or of all."""
        return [one for one in check_script(self.path) if not kind or one.kind == kind]
