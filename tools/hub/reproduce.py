"""`python -m trainwright.tools.hub.reproduce FOLDER DATA`: what a published model's reproduce.sh runs.

Rebuilds the split from the data (the fingerprint must match), trains with the published code in the sandbox, predicts
the withheld rows, scores, and prints both scores.

Exit codes: 0 the new score lies within the published interval; 1 it does not; 2 the arguments are wrong, the data are
not the same, or the folder is not as it was published; 3 Trainwright is not installed (`reproduce.sh` says so); 4 a
script failed or cannot be run here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from trainwright.graph.errors import ContractError, PublicationError, SandboxUnavailable, TrainwrightError
from trainwright.graph.ownership import temporary_folder
from trainwright.tools.code import bundle_sha256
from trainwright.tools.contract import Scripts, masked_paths, predict_limits
from trainwright.tools.datasets import inputs_path, read_test_labels, rebuild
from trainwright.tools.evaluation import read_predictions, score_predictions
from trainwright.tools.sandbox import Limits, SandboxResult, classify_failure

__all__ = ["main", "reproduce"]


def reproduce(package: Path, data: str, say: object = print) -> bool:
    """Whether training again gives a score within the published interval.

    Raises:
        PublicationError: the folder is not as it was published.
        DataError: the data are not the same.
        ContractError: a script failed, or its predictions cannot be read.
        SandboxUnavailable: the scripts are no recipe's own, and nothing here can isolate them.
    """
    from trainwright.recipes.catalog import is_unmodified

    assert callable(say)
    record = _record(package)
    published, files = record.evaluation, _code(package, record.code)
    with temporary_folder("reproduce") as place:
        place.chmod(0o755)
        dataset = rebuild(data, record.split, place)
        say(f"data:      fingerprint {dataset.fingerprint[:16]} matches; {dataset.split.train} rows to train on")
        code = place / "code"
        code.mkdir()
        for file, content in files.items():
            (code / file).write_bytes(content)
        scripts = Scripts(code, is_unmodified(files), masked_paths(data))
        trained = scripts.train(
            place / "data",
            place / "out",
            seed=dataset.split.seed,
            smoke=False,
            limits=Limits(wall_seconds=86_400, cpu_seconds=400_000),
        )
        _check("train.py", trained)
        labels, limits = read_test_labels(place), predict_limits(dataset.split.test, len(dataset.classes))
        predicted = scripts.predict(place / "out" / "model", inputs_path(place), place / "predictions", limits)
        _check("predict.py", predicted)
        answers = read_predictions(
            place / "predictions" / "predictions.csv", list(labels), task=dataset.task, classes=dataset.classes
        )
        value = score_predictions(published.metric, labels, answers, dataset)
    inside = published.low <= value <= published.high
    place_of = "within the interval" if inside else "OUTSIDE the interval"
    same = abs(value - published.value) < 1e-9
    say(f"published: {published.metric} {published.value:.6f} [{published.low:.6f}, {published.high:.6f}]")
    say(f"again:     {published.metric} {value:.6f} ({'the same' if same else place_of})")
    return inside


def _check(script: str, result: SandboxResult) -> None:
    if result.exit_code != 0:
        kind, tail = classify_failure(result)
        raise ContractError(kind, f"{script} failed: {result.message}\n{tail[-2_000:]}")


class Score(BaseModel, allow_inf_nan=False):
    """What was published of the evaluation."""

    metric: str
    value: float
    low: float
    high: float


class Code(BaseModel):
    """The scripts: sha256 of each, and of all."""

    sha256: str
    files: dict[str, str]


class Record(BaseModel):
    """What is needed of `provenance.json`; `rebuild` reads the split."""

    evaluation: Score
    split: dict[str, Any]
    code: Code


def _record(package: Path) -> Record:
    """`provenance.json`.

    Raises:
        PublicationError: it is missing, or not what was published.
    """
    path, hint = package / "provenance.json", "Take the repository as published."
    try:
        return Record.model_validate_json(path.read_bytes())
    except OSError as error:
        raise PublicationError(f"{path} cannot be read: {error.strerror}.", hint=hint) from error
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg'][:100]}" for item in error.errors()[:5]]
        raise PublicationError(f"{path} is not the record of a model: {'; '.join(wrong)}.", hint=hint) from error


def _code(package: Path, code: Code) -> dict[str, bytes]:
    """The scripts as they were published.

    Raises:
        PublicationError: one is missing or was changed since.
    """
    names = sorted(code.files)
    missing = [name for name in names if Path(name).name != name or not (package / name).is_file()]
    if missing:
        raise PublicationError(f"{package} lacks {', '.join(missing)[:200]}.", hint="Take the repository as published.")
    files = {name: (package / name).read_bytes() for name in names}
    digests, total = bundle_sha256(files)
    if total != code.sha256:
        changed = ", ".join(name for name in names if digests[name] != code.files[name])
        raise PublicationError(f"{changed} is not as it was published.", hint="Take the repository as published.")
    return files


def main() -> int:
    """Entry of the module."""
    if len(sys.argv) != 3:
        sys.stderr.write("usage: python -m trainwright.tools.hub.reproduce FOLDER DATA\n")
        return 2
    try:
        return 0 if reproduce(Path(sys.argv[1]), sys.argv[2], lambda line: sys.stdout.write(f"{line}\n")) else 1
    except TrainwrightError as error:
        sys.stderr.write(f"{error}\n")
        return 4 if isinstance(error, ContractError | SandboxUnavailable) else 2


if __name__ == "__main__":
    raise SystemExit(main())
