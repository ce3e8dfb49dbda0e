"""Reading what `predict.py` wrote, as what it is: a file by somebody who may want a better score than is due.

Nothing is repaired and nothing is guessed: each row must carry an id that was asked for, once, and a class that
exists or a finite number. The size is bounded before anything is read.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright.graph.errors import ContractError
from trainwright.graph.state import Task
from trainwright.tools.sandbox import open_plain

from .metrics import metric

__all__ = ["Predictions", "check_scores", "read_predictions"]

ROW_BYTES = 4_096
SCORE_BYTES = 64
HINT = "predict.py writes a csv with the columns id and prediction, one row for each row of its inputs."


@dataclass(frozen=True)
class Predictions:
    """Checked predictions.

    Attributes:
        values: id to class (str) or number (float).
        scores: id to class scores in the order of the classes; empty if none were written, or not for every class.
        score_problem: why the scores cannot be used, if some were written.
        sha256: of the file.
    """

    values: dict[int, Any]
    scores: dict[int, list[float]] = field(default_factory=dict)
    score_problem: str = ""
    sha256: str = ""


def read_predictions(path: Path, ids: Sequence[int], *, task: Task, classes: Sequence[str]) -> Predictions:
    """The predictions for exactly `ids`.

    Args:
        path: the file that predict.py wrote.
        ids: the ids of its inputs, each once.
        task, classes: what may be predicted; classes are canonical labels.

    Raises:
        ContractError: kinds `no_file`, `not_a_file`, `too_large`, `not_text`, `columns`, `ids_missing`, `ids_extra`,
            `ids_repeated`, `id_format`, `row_format`, `unknown_class`, `not_finite`.
    """
    import hashlib

    data = _read(path, (len(ids) + 1) * (ROW_BYTES + SCORE_BYTES * len(classes)) + max(map(len, classes), default=0))
    lines = _lines(data)
    header = next(lines, None)
    if header is None:
        raise ContractError("columns", "The predictions file is empty.", hint=HINT)
    columns = {name.strip(): i for i, name in enumerate(header)}
    if "id" not in columns or "prediction" not in columns or len(columns) != len(header):
        raise ContractError("columns", f"The predictions have the columns {', '.join(header)[:200]}.", hint=HINT)
    wanted, values, known = set(ids), {}, _known(classes)
    scored = [columns.get(f"score_{label}") for label in classes] if task == "classification" else []
    use_scores = bool(scored) and all(index is not None for index in scored)
    problem = "" if use_scores or not any(i is not None for i in scored) else "scores for some classes are missing"
    scores: dict[int, list[float]] = {}
    for number, row in enumerate(lines, 2):
        if len(row) != len(header):
            raise ContractError("row_format", f"Line {number} of the predictions has {len(row)} fields.", hint=HINT)
        identity = _identity(row[columns["id"]], number)
        if identity not in wanted:
            raise ContractError(
                "ids_extra", f"The predictions have an id that was not asked for: {identity}.", hint=HINT
            )
        if identity in values:
            raise ContractError("ids_repeated", f"The predictions have the id {identity} more than once.", hint=HINT)
        text = row[columns["prediction"]]
        values[identity] = _label(text, known, number) if task == "classification" else _number(text.strip(), number)
        if use_scores:
            found = [_score(row[index]) for index in scored if index is not None]
            if any(value is None for value in found):
                use_scores, problem, scores = False, f"line {number} has a score that is no finite number", {}
            else:
                scores[identity] = [value for value in found if value is not None]
    missing = [identity for identity in ids if identity not in values]
    if missing:
        some = ", ".join(map(str, missing[:5]))
        raise ContractError("ids_missing", f"{len(missing)} of {len(ids)} ids have no prediction: {some} …", hint=HINT)
    return Predictions(values, scores if use_scores else {}, problem, hashlib.sha256(data).hexdigest())


def _read(path: Path, limit: int) -> bytes:
    """The bytes of a plain file of bounded size; links, pipes and devices are not opened."""
    try:
        with open_plain(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > limit:
                raise ContractError(
                    "too_large", f"The predictions file has {size} bytes; {limit} is plenty.", hint=HINT
                )
            return stream.read(limit + 1)
    except FileNotFoundError:
        raise ContractError("no_file", "predict.py wrote no predictions file.", hint=HINT) from None
    except OSError as error:
        raise ContractError("not_a_file", f"The predictions are no plain file: {error}.", hint=HINT) from None


def _lines(data: bytes) -> Iterator[list[str]]:
    """The rows of a csv, blank lines left out; one at a time, since there may be many more than were asked for."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ContractError("not_text", "The predictions file is not UTF-8 text.", hint=HINT) from None
    if "\x00" in text:
        raise ContractError("not_text", "The predictions file is binary.", hint=HINT)
    try:
        yield from (row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if any(map(str.strip, row)))
    except csv.Error as error:
        raise ContractError("row_format", f"The predictions are no valid csv: {error}.", hint=HINT) from None


def _identity(text: str, line: int) -> int:
    plain = text.strip()
    plain = plain[:-2] if plain.endswith(".0") else plain
    digits = plain[1:] if plain.startswith("-") else plain
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise ContractError("id_format", f"Line {line} of the predictions has no id but {text[:40]!r}.", hint=HINT)
    return int(plain)


def _known(classes: Sequence[str]) -> dict[str, str]:
    """How each class may be written: as it is, and, where all are numbers, as any form of the same number."""
    known = {label: label for label in classes}
    numbers = [_score(label) for label in classes]
    if classes and None not in numbers and len(set(numbers)) == len(classes):
        return known | {repr(number): label for number, label in zip(numbers, classes, strict=True)}
    if {label.lower() for label in classes} == {"true", "false"}:
        return known | {form: label for label in classes for form in (label.lower(), label.capitalize(), label.upper())}
    return known


def _label(text: str, known: dict[str, str], line: int) -> str:
    for form in (text, text.strip(), repr(_score(text))):
        if form in known:
            return known[form]
    some = ", ".join(sorted(set(known.values()))[:8])
    raise ContractError(
        "unknown_class", f"Line {line} predicts {text[:40]!r}, which is none of the classes: {some[:200]}.", hint=HINT
    )


def _number(text: str, line: int) -> float:
    value = _score(text)
    if value is None:
        raise ContractError("not_finite", f"Line {line} predicts {text[:40]!r}, which is no finite number.", hint=HINT)
    return value


def _score(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def check_scores(name: str, predictions: Predictions) -> None:
    """Make sure that predictions hold what a metric needs.

    Raises:
        ContractError: kind `no_scores`.
    """
    if metric(name).needs_scores and not predictions.scores:
        why = predictions.score_problem or "it wrote no column score_<class> for each class"
        raise ContractError(
            "no_scores", f"{name} needs class scores, and predict.py gave none that can be used: {why}.", hint=HINT
        )
