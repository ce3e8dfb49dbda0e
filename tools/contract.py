"""Running the two scripts of the contract: `train.py --smoke` and `predict.py`, isolated.

Generated code runs in the sandbox or not at all. A recipe's own unmodified scripts are trusted code: where this
machine has no sandbox they run as a plain process, under the same limits. The full training is a job
(`tools/jobs`); scoring what `predict.py` wrote is `tools/evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainwright.graph.errors import DataError, SandboxUnavailable
from trainwright.graph.settings import home
from trainwright.tools.sandbox import (
    Limits,
    Mount,
    SandboxResult,
    clear_folder,
    interpreter_for,
    probe,
    run_sandboxed,
    run_trusted,
)

__all__ = ["Scripts", "isolation_for", "masked_paths", "predict_limits"]


def isolation_for(trusted: bool) -> str:
    """`bubblewrap`, or `process` for trusted code where there is no sandbox.

    Raises:
        SandboxUnavailable: generated code, and nothing here can isolate it.
    """
    capability = probe()
    if capability.available:
        return "bubblewrap"
    if trusted:
        return "process"
    raise SandboxUnavailable(f"Generated code cannot be isolated here: {capability.reason}", hint=capability.mend)


def masked_paths(source: str) -> tuple[Path, ...]:
    """Every place on this machine where labels could lie: all runs, the source data with their siblings, and caches."""
    from trainwright.tools.datasets import withheld_paths

    if not source:
        return (home(),)
    try:
        own = withheld_paths(source)
    except DataError:  # the source is gone, or its folder holds something else by now: hide what is there
        local = Path(source).expanduser().absolute()
        own = (local,) if local.exists() else ()
    return (home(), *own)


def predict_limits(rows: int, classes: int = 0) -> Limits:
    """Limits of a prediction over `rows` rows: generous in time, strict in what may be written.

    Args:
        rows: of the inputs.
        classes: each of which gets a score in a row; 0 for regression.
    """
    row = 4_096 + 64 * classes
    return Limits(
        wall_seconds=600 + rows / 100,
        cpu_seconds=1_200 + rows / 50,
        file_bytes=max(64 * 2**20, rows * row),
        disk_bytes=max(128 * 2**20, rows * row * 2),
    )


@dataclass(frozen=True)
class Scripts:
    """The scripts of one attempt and how they may run.

    Attributes:
        code: folder with train.py, predict.py and their siblings.
        trusted: every script is a recipe's own, byte for byte.
        mask: places that must not be seen.
        cancelled: whether to stop; looked at several times a second.
    """

    code: Path
    trusted: bool
    mask: Sequence[Path] = ()
    cancelled: Callable[[], bool] | None = None

    def train(self, data: Path, out: Path, *, seed: int, smoke: bool, limits: Limits) -> SandboxResult:
        """Run `train.py`, which sees `data` whole; the model and the metrics lie in `out` afterwards."""
        flags = ["--smoke"] if smoke else []
        return self._run(
            "train.py", {"data": data}, out, limits, ["--seed", str(seed), *flags], {"data": "--data"}, "--out"
        )

    def predict(self, model: Path, inputs: Path, out: Path, limits: Limits) -> SandboxResult:
        """Run `predict.py`; it writes `out`/predictions.csv."""
        given = {"model": model, "inputs": inputs.parent}
        return self._run("predict.py", given, out, limits, ["--inputs", inputs.name], {"model": "--model"}, "--out")

    def run(self, script: str, data: Path, out: Path, arguments: Sequence[str], limits: Limits) -> SandboxResult:
        """Run any script beside them, isolated or not at all, with `data` at /data and `out` at /out.

        Raises:
            SandboxUnavailable: nothing here can isolate it.
            ContractError: it cannot be started.
        """
        isolation_for(trusted=False)
        out.mkdir(parents=True, exist_ok=True)
        clear_folder(out)
        argv = [*interpreter_for(self.code / script), f"/code/{script}", *arguments]
        mounts = [Mount(self.code, "/code"), Mount(data, "/data"), Mount(out, "/out", writable=True)]
        return run_sandboxed(argv, mounts=mounts, cwd="/out", limits=limits, mask=self.mask, cancelled=self.cancelled)

    def _run(
        self,
        script: str,
        given: dict[str, Path],
        out: Path,
        limits: Limits,
        extra: list[str],
        flags: dict[str, str],
        out_flag: str,
    ) -> SandboxResult:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.is_symlink() or out.is_file():
            out.unlink()
        out.mkdir(exist_ok=True)
        clear_folder(out)
        isolated = isolation_for(self.trusted) == "bubblewrap"
        places = {name: Path("/") / name if isolated else path for name, path in given.items()}
        target = Path("/out") if isolated else out
        code = Path("/code") if isolated else self.code
        arguments = [value for name, flag in flags.items() for value in (flag, str(places[name]))]
        if script == "predict.py":
            extra = ["--inputs", str(places["inputs"] / extra[1])]
            target = target / "predictions.csv"
        argv = [*interpreter_for(self.code / script), str(code / script), *arguments, *extra, out_flag, str(target)]
        if not isolated:
            return run_trusted(argv, cwd=out, limits=limits, cancelled=self.cancelled)
        mounts = [Mount(self.code, "/code"), Mount(out, "/out", writable=True)]
        mounts += [Mount(path, f"/{name}") for name, path in given.items()]
        return run_sandboxed(argv, mounts=mounts, cwd="/out", limits=limits, mask=self.mask, cancelled=self.cancelled)
