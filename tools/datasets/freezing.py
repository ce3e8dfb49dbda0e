"""`freeze`: the split, made once, with the test labels put aside; `rebuild`: the same split from a published record.

How the rows are divided is `dividing.py`, how the files are written `frozen.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import DataError
from trainwright.graph.state import Column, Dataset, Direction, Finding, SplitRecord

from .choice import DataChoice
from .dividing import Parts, divided
from .examining import ROW_ID, Examined, examine
from .frozen import fingerprint_of, hidden_order, read_record, verify_frozen, write_frozen
from .messages import finding, shown, shown_list
from .split_parts import SplitPlan
from .targets import existing_column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["freeze", "rebuild"]


def freeze(
    spec: str,
    choice: DataChoice,
    run_dir: Path,
    *,
    seed: int,
    metric: str,
    direction: Direction,
    cache: Path | None = None,
) -> Dataset:
    """Divide the rows once, put the test labels aside, and write both down.

    A second call with the same arguments returns what was frozen, after checking that it is unchanged.

    Args:
        spec: the data, as a person wrote them.
        choice: what is predicted, from which columns, and how rows are divided.
        run_dir: the run's folder; `data/`, `inputs/` and `withheld/` are written there.
        seed: of the division; the ids follow from it and from the rows with all labels.
        metric, direction: for the training script.
        cache: folder for what is fetched; default `$TRAINWRIGHT_HOME/cache`.

    Raises:
        DataError: the data cannot be used so, or a file that was frozen has changed.
    """
    asked = {
        "source": spec, "choice": choice.model_dump(mode="json"), "seed": seed, "metric": metric, "direction": direction,
    }  # fmt: skip
    record = read_record(run_dir)
    if record is not None and all(record.get(key) == value for key, value in asked.items()):
        kept = Dataset.model_validate(record["dataset"])
        verify_frozen(run_dir, kept)
        return kept
    found = _agreed(spec, choice, cache)
    plan = _plan(found, choice)
    features = _features(found, choice, plan)
    parts, notes = divided(found, plan, seed)
    groups = {plan.column} if plan.kind == "group" else set()
    groups |= {name for name, (role, _) in found.dropped.items() if role == "group"}
    tables = _tables(found, [*features, *sorted(groups - {ROW_ID})], parts, seed)
    dataset = _dataset(found, choice, plan, parts, notes, seed, fingerprint_of(tables))
    schema = {
        "name": dataset.name,
        "task": dataset.task,
        "modality": dataset.modality,
        "target": dataset.target,
        "classes": dataset.classes,
        "columns": [column.model_dump(include={"name", "kind", "role"}) for column in _kept_columns(dataset)],
        "shape": list(found.loaded.shape),
        "metric": metric,
        "direction": direction,
        "seed": seed,
        "split": {"kind": plan.kind, "column": plan.column},
    }
    kept_record = {**asked, "fingerprint": dataset.fingerprint, "dataset": dataset.model_dump(mode="json")}
    write_frozen(run_dir, tables, schema, kept_record)
    return dataset


def rebuild(spec: str, split: Mapping[str, Any], place: Path, *, cache: Path | None = None) -> Dataset:
    """The split that a published model was trained on, from the same data.

    Args:
        spec: where the data are now.
        split: from `provenance.json`: choice, seed, metric, direction, fingerprint.
        place: an empty folder; `data/`, `inputs/` and `withheld/` are written there.
        cache: folder for what is fetched; default `$TRAINWRIGHT_HOME/cache`.

    Raises:
        DataError: the record cannot be read, or these are other data.
    """
    try:
        choice = DataChoice.model_validate(split["choice"])
        stated, seed, metric = str(split["fingerprint"]), int(split["seed"]), str(split["metric"])
        direction: Direction = "lower" if split["direction"] == "lower" else "higher"
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"The record of the split cannot be read: {error}.", hint="Use the provenance.json as published."
        ) from error
    dataset = freeze(spec, choice, place, seed=seed, metric=metric, direction=direction, cache=cache)
    if dataset.fingerprint != stated:
        raise DataError(
            f"{shown(spec, 200)} is not the data that the model was trained on: the split made from it has the "
            f"fingerprint {dataset.fingerprint[:16]}…, the published one {stated[:16]}….",
            hint="Give the same file, in the same version.",
        )
    return dataset


def _agreed(spec: str, choice: DataChoice, cache: Path | None) -> Examined:
    """The audit of what was chosen.

    Raises:
        DataError: the data are refused, a question is open, or the choice says otherwise.
    """
    found = examine(spec, target_column=choice.target, task=choice.task, header=choice.header, cache=cache)
    if found.refusal:
        raise DataError(found.refusal)
    if found.question is not None:
        raise DataError(f"A question is open: {found.question.text}", hint="Answer it first.")
    if found.task != choice.task:
        raise DataError(f"{shown(found.target)} makes this a {found.task} task; {choice.task} was chosen.")
    if found.modality != choice.modality:
        raise DataError(f"These data are {found.modality}; {choice.modality} was chosen.")
    return found


def _features(found: Examined, choice: DataChoice, plan: SplitPlan) -> list[str]:
    """The features of the audit without those that the choice drops, and without a chosen group.

    Raises:
        DataError: a dropped column does not exist, or no feature is left.
    """
    gone = {existing_column(list(found.facts), name) for name in choice.drop}
    if plan.kind == "group":
        gone.add(plan.column)
    left = [name for name in found.features if name not in gone]
    if not left:
        raise DataError("No feature is left: every one is dropped.", hint="Drop fewer columns.")
    return left


def _plan(found: Examined, choice: DataChoice) -> SplitPlan:
    """The kind of split that was chosen, or that the audit found due.

    Raises:
        DataError: the data cannot be divided so.
    """
    official = found.split.kind == "official"
    if choice.split == "auto" or choice.split == found.split.kind:
        column = existing_column(list(found.facts), choice.split_column) if choice.split_column else found.split.column
        return replace(found.split, column=column)
    if official:
        raise DataError(
            f"The data have official parts; a {choice.split} split would not be comparable.",
            hint="Leave the split on auto, or give a file without parts.",
        )
    if choice.split == "official":
        raise DataError("The data have no official parts.", hint="Leave the split on auto.")
    if choice.split in ("group", "time"):
        column = choice.split_column or next((n for n, (role, _) in found.dropped.items() if role == choice.split), "")
        if not column:
            raise DataError(
                f"A {choice.split} split needs the column that it goes by.", hint="Name it as split_column."
            )
        return SplitPlan(choice.split, existing_column(list(found.facts), column), "It was chosen.")
    return SplitPlan(choice.split, "", "It was chosen.")


def _tables(found: Examined, kept: list[str], parts: Parts, seed: int) -> dict[str, pa.Table]:
    """The parts as Arrow tables, each sorted by its ids; neither tells where in the source a row stood."""
    import numpy as np
    import pyarrow as pa

    labels = _arrow(found.labels)
    rows = pa.table({name: _arrow(found.frame[name]) for name in kept})
    ids = hidden_order(rows.append_column(found.target, labels), seed)
    whole = rows.add_column(0, ROW_ID, pa.array(ids))

    def order(rows: NDArray[np.int64]) -> pa.Array:
        return pa.array(rows[np.argsort(ids[rows])])

    def labelled(rows: NDArray[np.int64]) -> pa.Table:
        return whole.take(order(rows)).append_column(found.target, labels.take(order(rows)))

    validation = labelled(parts.validation)
    test = order(parts.test)
    return {
        "train": labelled(parts.train),
        "validation": validation,
        "validation_inputs": validation.drop_columns([found.target]),
        "test_inputs": whole.take(test),
        "labels": pa.table({ROW_ID: whole[ROW_ID].take(test), "label": labels.take(test)}),
    }


def _arrow(series: pd.Series[Any]) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    if str(series.dtype) == "object":
        first = next((value for value in series if value is not None), b"")
        if isinstance(first, bytes):
            return pa.array(series.tolist(), pa.binary())
        flat = np.concatenate([np.asarray(value, dtype=np.float32).ravel() for value in series])
        return pa.FixedSizeListArray.from_arrays(pa.array(flat), len(first))
    if str(series.dtype) == "str":
        return pa.array(series.tolist(), pa.string(), from_pandas=True)
    array = pa.Array.from_pandas(series)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _dataset(
    found: Examined,
    choice: DataChoice,
    plan: SplitPlan,
    parts: Parts,
    notes: list[Finding],
    seed: int,
    fingerprint: str,
) -> Dataset:
    gone = [name for name in choice.drop if name in found.features]
    findings = [*found.findings, *notes]
    if gone:
        text = f"Columns that the model must not see by choice: {shown_list(gone)}."
        findings.append(finding("dropped_columns", "info", text, gone))
    columns = [_by_choice(column, gone, plan) for column in found.columns]
    return Dataset(
        name=found.loaded.name,
        source=found.loaded.source,
        revision=found.loaded.revision,
        licence=found.loaded.licence,
        task=choice.task,
        modality=choice.modality,
        target=found.target,
        classes=sorted(found.counts),
        columns=columns,
        rows=len(found.frame),
        split=SplitRecord.model_validate(
            {
                "kind": plan.kind,
                "seed": seed,
                "column": plan.column,
                "note": plan.why,
                "train": len(parts.train),
                "validation": len(parts.validation),
                "test": len(parts.test),
                "removed_from_training": parts.removed,
            }
        ),
        findings=findings,
        fingerprint=fingerprint,
    )


def _by_choice(column: Column, gone: list[str], plan: SplitPlan) -> Column:
    """The column with the role that the choice gives it."""
    if plan.kind == "group" and column.name == plan.column:
        return column.model_copy(update={"role": "group", "note": "the split goes by it"})
    if column.name in gone:
        return column.model_copy(update={"role": "dropped", "note": "by choice"})
    return column


def _kept_columns(dataset: Dataset) -> list[Column]:
    """The columns that the files hold."""
    return [column for column in dataset.columns if column.role in ("feature", "target", "group")]
