"""What a check of the code found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Finding", "Severity", "cut", "sorted_findings"]

Severity = Literal["error", "warning"]

LENGTH = 300


class Finding(BaseModel):
    """One thing to mend, or to look at.

    Attributes:
        file, line: where; the line is from 1.
        kind: a short stable word: syntax, name, import, attribute, keyword, dependency, header, missing, command_line,
            metrics, pickle, file_name, path, network, fine_tuning, lookup.
        severity: an error would fail when it is run, or would not be accepted; a warning may.
        message: what is wrong and what to do, at most 300 characters.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    line: int
    kind: str
    severity: Severity
    message: str

    def __init__(self, file: str, line: int, kind: str, severity: Severity, message: str) -> None:
        super().__init__(file=file, line=line, kind=kind, severity=severity, message=cut(message))


def cut(text: str, length: int = LENGTH) -> str:
    """The text on one line, of at most `length` characters."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def sorted_findings(findings: Iterable[Finding]) -> list[Finding]:
    """By file, line and severity, each once; of the same place and message, the error."""
    by_place: dict[tuple[str, int, str, str], Finding] = {}
    for one in findings:
        place = (one.file, one.line, one.kind, one.message)
        if place not in by_place or one.severity == "error":
            by_place[place] = one
    return sorted(by_place.values(), key=lambda one: (one.file, one.line, one.severity, one.kind, one.message))
