"""What a stage decided, in words: the text and the reasons of a `decided` event, from the accepted artifact alone.

Pure functions; nothing is judged here, and an artifact that nobody knows says nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel

from trainwright.graph.state import CodeBundle, Dataset, PaperBrief, TrainingPlan

__all__ = ["Said", "said_of"]

FINDINGS = 8
"""Findings of the audit that an event carries; all of them are in the report."""


class Said(NamedTuple):
    """What was decided, and why or on what grounds."""

    text: str
    why: list[str]


def said_of(artifact: BaseModel) -> Said | None:
    """The words for an artifact that was accepted."""
    if isinstance(artifact, PaperBrief):
        return _brief(artifact)
    if isinstance(artifact, TrainingPlan):
        return Said(artifact.approach, artifact.reasons)
    if isinstance(artifact, Dataset):
        return _dataset(artifact)
    if isinstance(artifact, CodeBundle):
        return _code(artifact)
    return None


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _brief(brief: PaperBrief) -> Said:
    if not brief.title and not brief.source:
        return Said("There is no paper: the goal alone is known.", [])
    found = (
        f"{_counted(len(brief.claims), 'claim')} and {_counted(len(brief.hyperparameters), 'setting')} with evidence"
    )
    method = f"; its method: {brief.method}" if brief.method else ""
    return Said(f"“{brief.title or brief.source}”: {found}{method}", brief.warnings[:FINDINGS])


def _dataset(data: Dataset) -> Said:
    split = data.split
    parts = f"{split.train} to train, {split.validation} to validate, {split.test} withheld"
    text = f"{data.name}: predict {data.target} from {data.rows} rows; {parts} ({split.kind} split, seed {split.seed})"
    grave = [finding.message for finding in data.findings if finding.severity != "info"]
    more = [f"{len(grave) - FINDINGS} more findings are in the report."] if len(grave) > FINDINGS else []
    return Said(text, grave[:FINDINGS] + more)


def _code(code: CodeBundle) -> Said:
    origin = f"recipe {code.recipe}" if code.recipe else "written for this run"
    state = ", unmodified" if code.unmodified else ""
    text = f"{origin}{state}: {_counted(len(code.files), 'file')}, commit {code.commit[:12]}"
    return Said(text, [code.change] if code.change else [])
