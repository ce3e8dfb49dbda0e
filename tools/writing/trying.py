"""Running the code of an attempt while it is still being written: the test that follows, or one script for a look.

Always in the sandbox, on a copy of the code folder, with what training sees and nothing else. Nothing that runs here
counts: the workflow tests the committed code itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from trainwright.graph.errors import Refusal
from trainwright.graph.state import Dataset
from trainwright.tools import code
from trainwright.tools.contract import Scripts, masked_paths
from trainwright.tools.sandbox import SandboxResult
from trainwright.tools.smoke import SMOKE_LIMITS, smoke_test

__all__ = ["run_script", "try_code"]

_lock = threading.Lock()
"""Calls of one answer run in parallel; they share a folder and the machine, so one runs after the other."""


def try_code(
    folder: Path, about: Dataset, source: str, *, metric: str, seed: int, cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """The smoke test that follows the stage, on the code as it stands.

    Args:
        folder: of the run.
        about: the frozen data.
        source: where the data came from; hidden from the scripts.
        metric, seed: of the run.
        cancelled: whether to stop.

    Raises:
        Refusal: a script is missing, or it was stopped.
        ContractError: a script cannot be started.
        SandboxUnavailable: nothing here can isolate it.
    """
    with _lock:
        scripts, place = _copied(folder, source, cancelled)
        missing = [name for name in ("train.py", "predict.py") if not (scripts.code / name).is_file()]
        if missing:
            raise Refusal(f"The code folder has no {' and no '.join(missing)}.", hint="write_file makes it.")
        smoked = smoke_test(scripts, folder / about.folder, place, about, metric=metric, seed=seed)
    if smoked.cancelled:
        raise _stopped()
    found: dict[str, Any] = {
        "passed": smoked.passed,
        "checks": [f"{c.name}: {'ok' if c.passed else 'FAILED'}, {c.detail}" for c in smoked.checks],
    }
    for name, result in (("train.py", smoked.trained), ("predict.py", smoked.predicted)):
        if result is not None:
            found[name] = _printed(result)
    return found


def run_script(
    folder: Path, about: Dataset, source: str, name: str, arguments: Sequence[str], *, cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """One script of the code folder, with /data and /out in the sandbox; what it prints.

    Raises:
        Refusal: there is no such script, or it was stopped.
        ContractError: it cannot be started.
        SandboxUnavailable: nothing here can isolate it.
    """
    with _lock:
        scripts, place = _copied(folder, source, cancelled)
        if not name.endswith(".py") or not (scripts.code / name).is_file():
            names = ", ".join(path.name for path in sorted(scripts.code.iterdir()) if path.suffix == ".py")
            raise Refusal(
                f"There is no script {name[:80]!r} in the code folder.", hint=f"There are: {names or 'none'}."
            )
        result = scripts.run(name, folder / about.folder, place / "out", arguments, SMOKE_LIMITS)
    if result.ended == "cancelled":
        raise _stopped()
    return _printed(result)


def _copied(folder: Path, source: str, cancelled: Callable[[], bool]) -> tuple[Scripts, Path]:
    """A copy of the code, never trusted: whoever wrote it may have changed a recipe."""
    place = folder / "stages" / "try"
    present = folder / "code"
    code.copy_files(code.files_of(present) if present.is_dir() else {}, place / "code")
    return Scripts(place / "code", trusted=False, mask=masked_paths(source), cancelled=cancelled), place


def _stopped() -> Refusal:
    return Refusal("It was stopped, because the run is to stop; it says nothing.", hint="Call it again.")


def _printed(result: SandboxResult) -> dict[str, Any]:
    """What a script printed and how it ended."""
    ended = result.message or f"ended with exit code {result.exit_code}"
    shown = {"ended": ended, "seconds": round(result.seconds, 1), "peak_memory": result.peak_memory}
    return {**shown, **{name: text for name, text in (("stdout", result.stdout), ("stderr", result.stderr)) if text}}
