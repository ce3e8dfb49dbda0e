"""Asking the interpreter that will run a script what its installation has: `probe.py` in the sandbox, and its answers.

Importing a package runs its code, so nothing is looked up outside the sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright.graph.ownership import temporary_folder
from trainwright.tools.sandbox import Limits, Mount, SandboxResult, json_rows, read_plain, run_sandboxed

from .findings import cut

__all__ = ["Answers", "Wanted", "ask"]

Wanted = tuple[str, str, tuple[str, ...]]
"""Module, attribute path, keywords."""

DISK_BYTES = 64 * 2**20

SECONDS = 240.0
"""Large libraries take a minute to import from a cold disk."""


@dataclass
class Answers:
    """What an installation has.

    Attributes:
        modules: distributions that provide a module, by its first part; None for the standard library.
        covered: by script, the distributions that are there because its header names them, or what needs them.
        problems: by what was wanted; see `probe.py`. What is not in it was not looked up.
        trouble: why not everything was looked up; empty if it was.
    """

    modules: dict[str, list[str] | None] = field(default_factory=dict)
    covered: dict[str, list[str]] = field(default_factory=dict)
    problems: dict[Wanted, dict[str, Any]] = field(default_factory=dict)
    trouble: str = ""


def ask(
    python: Sequence[str],
    wanted: Sequence[Wanted],
    headers: Mapping[str, Sequence[str]],
    mask: Sequence[Path] = (),
    cancelled: Callable[[], bool] | None = None,
) -> Answers:
    """Look everything up in the installation of an interpreter.

    Args:
        python: the command that runs a script.
        headers: requirements by script.
        mask, cancelled: as for `run_sandboxed`.

    Raises:
        SandboxUnavailable: this machine cannot isolate it; nothing was run.
    """
    with temporary_folder("probe") as place:
        # A copy: what is shown in the sandbox is made readable for everybody.
        folder = place / "probe"
        out = place / "out"
        folder.mkdir()
        out.mkdir()
        (folder / "probe.py").write_bytes(Path(__file__).with_name("probe.py").read_bytes())
        (folder / "wanted.json").write_text(json.dumps({"wanted": wanted, "headers": headers}), encoding="utf-8")
        result = run_sandboxed(
            [*python, "-I", "/probe/probe.py", "/probe/wanted.json", "/out/answers.jsonl"],
            mounts=[Mount(folder, "/probe"), Mount(out, "/out", writable=True)],
            cwd="/out",
            limits=Limits(wall_seconds=SECONDS, cpu_seconds=2 * SECONDS, disk_bytes=DISK_BYTES),
            mask=mask,
            cancelled=cancelled,
        )
        rows = json_rows(read_plain(out / "answers.jsonl", limit=DISK_BYTES))
    return _read(rows, result, wanted)


def _read(rows: Sequence[dict[str, Any]], result: SandboxResult, wanted: Sequence[Wanted]) -> Answers:
    answers, importing = Answers(), ""
    for row in rows:
        if "at" in row:
            answers.problems[wanted[row["at"]]] = row
        elif "importing" in row:
            importing = row["importing"]
        elif "modules" in row:
            answers.modules, answers.covered = row["modules"], row["covered"]
    if len(answers.problems) < len(wanted):
        last = result.stderr.strip().rsplit("\n", 1)[-1]
        how = result.message or last or f"exit code {result.exit_code}"
        answers.trouble = cut(f"while {importing} was imported: {how}" if importing else how, 160)
    return answers
