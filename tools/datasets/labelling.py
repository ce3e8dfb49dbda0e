"""The target's values: rows without one, parts without any, canonical labels, and what makes them useless.

Which column is the target, and for which task, was decided before (`targets.py`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trainwright.graph.errors import DataError

from .labels import canonical_labels
from .messages import counted, finding, shown, shown_list

if TYPE_CHECKING:
    from .examining import Examined

__all__ = ["set_labels", "settle_parts"]


def settle_parts(found: Examined) -> None:
    """Leave out rows without a target, and decide what stands for the test part where that has no labels.

    Raises:
        DataError: nothing is labelled, or the test part is not.
    """
    missing = found.frame[found.target].isna().to_numpy()
    if missing.all():
        raise DataError(f"Column {shown(found.target)}, the target, is empty.", hint="Name another --target-column.")
    labelled = Counter(found.part[~missing].tolist())
    for part in list(dict.fromkeys(found.part.tolist())):
        if not labelled[part]:
            _without_labels(found, part, labelled)
    gone = int(missing.sum()) - sum(n for part, n in found.rows.items() if not labelled[part])
    if gone:
        text = f"Left out, without a value of the target {shown(found.target)}: {counted(gone, 'row')}."
        found.findings.append(finding("rows_without_target", "warning", text, [found.target], gone))
    found.frame = found.frame[~missing].reset_index(drop=True)
    found.part = found.part[~missing]
    if not labelled["test"] and labelled["validation"] and "all" not in labelled:
        found.part = found.part.copy()
        found.part[found.part == "validation"] = "test"
        text = "There is no test part with labels: the official validation part is withheld and used as the test part."
        found.findings.append(finding("validation_as_test", "warning", text))
    found.rows = {part: n for part in ("all", "train", "validation", "test") if (n := int((found.part == part).sum()))}


def _without_labels(found: Examined, part: str, labelled: Counter[str]) -> None:
    if part == "test" and labelled["validation"]:
        return
    if part == "validation":
        found.findings.append(
            finding("validation_without_target", "warning", "The validation part has no target; it was left out.")
        )
        return
    hint = "Give the training file alone: a test part is then divided from it."
    raise DataError(
        f"The {part} part has no value of the target {shown(found.target)}: nothing can be scored.", hint=hint
    )


def set_labels(found: Examined) -> None:
    """Canonical labels or floats, and what is wrong with them.

    Raises:
        DataError: one class, nearly as many classes as rows, a constant, or classes that training lacks.
    """
    series = found.frame[found.target]
    if found.task == "regression":
        found.labels = series.astype("float64")
        if found.labels.nunique() < 2:
            raise DataError(f"Column {shown(found.target)} holds the same number in every row: nothing to predict.")
        return
    found.labels = canonical_labels(series)
    blank = found.labels.isna().to_numpy()
    if blank.any():
        found.frame, found.part = found.frame[~blank].reset_index(drop=True), found.part[~blank]
        found.labels = found.labels[~blank].reset_index(drop=True)
    main = found.labels[found.part != "test"]
    found.counts = {str(k): int(v) for k, v in sorted(main.value_counts().items())}
    if len(found.counts) < 2:
        only = next(iter(found.counts), "")
        raise DataError(
            f"Column {shown(found.target)} holds a single class ({shown(only)}): there is nothing to tell apart.",
            hint="Give rows of at least two classes, or another --target-column.",
        )
    if len(found.counts) > 0.5 * len(main):
        raise DataError(
            f"Column {shown(found.target)} holds {len(found.counts)} classes in {len(main)} rows: hardly any occurs twice, "
            "so no class can be learnt.",
            hint="Name another column with --target-column.",
        )
    _refuse_new_classes(found)


def _refuse_new_classes(found: Examined) -> None:
    trained = set(found.labels[found.main])
    for part in ("validation", "test"):
        held = found.labels[found.part == part]
        new = sorted(set(held) - trained)
        if new:
            rows = int(held.isin(new).sum())
            raise DataError(
                f"The {part} part has {counted(len(new), 'class')} that the training part lacks ({shown_list(new)}), in "
                f"{counted(rows, 'row')}: no model could predict them.",
                hint="Remove or rename those rows; look for other spellings of the same class.",
            )
