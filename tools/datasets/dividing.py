"""The parts of a data set without copies across them: official ones, or drawn by the kind of split that is due.

Copies of test rows leave the training part, and copies of validation rows too, so that a score is about new rows.
Where that would cost much of the training part, copies are kept together when the rows are divided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainwright.graph.errors import DataError
from trainwright.graph.state import Finding

from .examining import Examined
from .messages import counted, finding
from .split_parts import HELD_OUT, SplitPlan, held_out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Parts", "divided"]

MOST_REMOVED = 0.2
"""Share of the training part that may be removed as copies before copies are kept together instead."""
COPIES = "\0copies"


@dataclass(frozen=True)
class Parts:
    """Row numbers of each part, and how many rows were removed as copies of test rows and of validation rows."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    removed: int = 0
    of_validation: int = 0


def divided(found: Examined, plan: SplitPlan, seed: int) -> tuple[Parts, list[Finding]]:
    """The parts without copies across them."""
    parts = _raw_parts(found, plan, seed)
    if found.grid:
        return parts, _grid_note(found, parts)
    clean = _without_copies(found, parts)
    own = found.part[0] == "all" and plan.kind in ("stratified", "random")
    lost = clean.removed + clean.of_validation
    if own and (lost > MOST_REMOVED * len(parts.train) or _lost_class(found, clean)):
        together = _raw_parts(found, plan, seed, together=True)
        clean = _without_copies(found, together)
        text = "Many rows are copies of others: copies were kept together when the rows were divided."
        return clean, [finding("copies_kept_together", "warning", text)]
    if _lost_class(found, clean):
        raise DataError(
            "Without the copies of test rows, training lacks a class that the test part has.",
            hint="The test part holds all there is of that class: give other rows of it, or leave it out.",
        )
    notes = []
    if clean.removed:
        text = f"Removed from training and validation, as copies of test rows: {counted(clean.removed, 'row')}."
        notes.append(finding("copies_removed", "warning", text, rows=clean.removed))
    if clean.of_validation:
        text = f"Removed from training, as copies of validation rows: {counted(clean.of_validation, 'row')}."
        notes.append(finding("validation_copies_removed", "info", text, rows=clean.of_validation))
    return clean, notes


def _grid_note(found: Examined, parts: Parts) -> list[Finding]:
    import numpy as np

    shared = int(np.isin(found.exact[parts.test], found.exact[parts.train]).sum())
    if not shared:
        return []
    text = (
        f"{shared} test rows have the same features as a training row. The features have so few different values that "
    )
    text += "this must be so; no row was removed."
    return [finding("equal_rows_kept", "info", text, rows=shared)]


def _lost_class(found: Examined, parts: Parts) -> bool:
    if found.task != "classification":
        return False
    return not set(found.labels.iloc[parts.test]) <= set(found.labels.iloc[parts.train])


def _raw_parts(found: Examined, plan: SplitPlan, seed: int, *, together: bool = False) -> Parts:
    """The official parts, or those drawn; a validation part is drawn from training where the source has none."""
    import numpy as np

    generator = np.random.default_rng(seed)
    frame, labels = found.frame, found.labels
    inner = plan
    if together:
        keys = found.exact if found.near is None else found.near
        frame = frame.assign(**{COPIES: keys})
        inner = SplitPlan("group", COPIES)
    numbers = np.arange(len(frame))
    if plan.kind == "official":
        rest, test = numbers[found.part == "train"], numbers[found.part == "test"]
        validation = numbers[found.part == "validation"]
        if len(validation):
            return Parts(rest, validation, test)
        group = next((name for name, (role, _) in found.dropped.items() if role == "group"), "")
        fits = group and frame[group].iloc[rest].nunique() >= 5
        inner = SplitPlan("group", group) if fits else SplitPlan("stratified" if found.counts else "random")
    else:
        mask = held_out(numbers, HELD_OUT, inner, labels, frame, generator)
        rest, test = numbers[~mask], numbers[mask]
    mask = held_out(rest, HELD_OUT, inner, labels, frame, generator)
    return Parts(rest[~mask], rest[mask], test)


def _without_copies(found: Examined, parts: Parts) -> Parts:
    """Training rows that are copies of test rows leave, and of validation rows too; so do validation copies of test.

    Validation rows of a class that training loses with its copies go to training instead.
    """
    import numpy as np

    validation, rest = _apart(found, parts.validation, parts.test), _apart(found, parts.train, parts.test)
    removed = len(parts.train) - len(rest) + len(parts.validation) - len(validation)
    train = _apart(found, rest, validation)
    if found.task == "classification":
        known = found.labels.iloc[validation].isin(set(found.labels.iloc[train])).to_numpy()
        train = np.concatenate([train, validation[~known]])
        validation = _apart(found, validation[known], validation[~known])
    if not len(validation) or not len(train):
        raise DataError(
            "Nearly every row is a copy of another one: nothing is left to train or to choose on.",
            hint="Give data with more different rows.",
        )
    kept = len(train) + len(validation)
    return Parts(train, validation, parts.test, removed, len(parts.train) + len(parts.validation) - removed - kept)


def _apart(found: Examined, rows: NDArray[np.int64], held: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows that are no copies of held ones, exactly or but for case, blanks and punctuation."""
    import numpy as np

    same = np.isin(found.exact[rows], found.exact[held])
    if found.near is not None:
        same |= np.isin(found.near[rows], found.near[held])
    return rows[~same]
