"""The columns of a split by what they can be, and the lines of Python that rename and join them.

What a column can be is told by its name, its type, and, where rows were counted, its values. No verdict is given here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trainwright.tools.datasets.pictures import IMAGE_SUFFIXES, SOUND_SUFFIXES
from trainwright.tools.datasets.roles import CAMEL_ID, ID_NAME, SPLIT_NAME, SPLIT_VALUES
from trainwright.tools.datasets.targets import LIKELY

from .kinds import Kind
from .report import ColumnReport, Fitness

__all__ = [
    "ANSWERS",
    "CHOSEN",
    "LABELS",
    "REJECTED",
    "RUNNING",
    "TEXTS",
    "Columns",
    "mapped",
    "mapping",
    "ready",
    "renamed",
]

PROMPTS = ("prompt", "instruction", "question", "query", "problem", "input", "user", "source", "request")
ANSWERS = ("completion", "response", "output", "answer", "solution", "target", "reply", "assistant", "generation",
           "summary", "canonical_solution")  # fmt: skip
CHOSEN = ("chosen", "preferred", "chosen_response", "response_chosen", "accepted", "answer_chosen", "winner")
REJECTED = ("rejected", "dispreferred", "rejected_response", "response_rejected", "refused", "answer_rejected", "loser")
TEXTS = ("text", "sentence", "content", "document", "review", "review_body", "article", "body", "comment", "tweet",
         "question")  # fmt: skip
LABELS = ("label", "labels", "target", "class", "category", "sentiment", "intent", "emotion", "topic", "coarse_label",
          "fine_label")  # fmt: skip

ORIGINS = ("source", "dataset", "subset", "config", "url")
"""Names of columns that say where a row comes from: no label is looked for there."""

FEWEST = 20
"""Rows from which few different values are more than chance."""

RUNNING = 20
"""Characters that texts have on average which are no names."""

REPLACE = "remove_columns=dataset.column_names"


class Columns:
    """The columns of a split by what they can be.

    Attributes:
        asked, declared: the column to predict, as a person and as the source names it; empty where they do not.
    """

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        rows: Sequence[Mapping[str, Any]],
        reports: Iterable[ColumnReport],
        asked: str = "",
        declared: str = "",
    ) -> None:
        self.kinds = dict(kinds)
        self.rows = rows
        self.reports = {report.name: report for report in reports}
        self.lower = {name.lower(): name for name in reversed(self.kinds)}
        self.asked, self.declared = asked, declared

    def named(self, names: Iterable[str], *tests: str) -> str:
        """The first column of these names whose type passes one of the tests; empty where there is none."""
        for name in names:
            own = self.lower.get(name, "")
            if own and any(getattr(self.kinds[own], test) for test in tests):
                return own
        return ""

    def all(self, test: str) -> list[str]:
        """Columns whose type passes a test."""
        return [name for name, kind in self.kinds.items() if getattr(kind, test)]

    def form(self, *names: str) -> str:
        """`texts` or `messages` where all of these columns are the same of the two."""
        kinds = [self.kinds[name] for name in names]
        return "texts" if all(k.is_text for k in kinds) else "messages" if all(k.is_messages for k in kinds) else ""

    def empty(self, *names: str) -> str:
        """How many of the rows that were looked at lack a value in one of these columns."""
        lacking = sum(any(row.get(n) in (None, "", []) for n in names) for row in self.rows)
        return f"{lacking} of the {len(self.rows)} rows looked at lack a value there" if lacking else ""

    def is_category(self, name: str) -> bool:
        """Whether a column of strings holds few different ones of few words each, as far as was counted."""
        report = None if name.lower() in TEXTS else self.reports.get(name)
        if report is None or not report.labels or report.rows < FEWEST or (report.distinct or 0) > report.rows // 3:
            return False
        return sum(len(value.split()) for value in report.labels) / len(report.labels) < 5

    def media(self, name: str) -> str:
        """`audio` or `image` where a column holds such, or the names of such files; else empty."""
        kind = self.kinds[name]
        if kind.name in ("image", "audio"):
            return kind.name
        values = [str(row[name]).lower() for row in self.rows if row.get(name)] if kind.is_text else []
        for what, suffixes in (("audio", SOUND_SUFFIXES), ("image", IMAGE_SUFFIXES)):
            if values and all(value.endswith(suffixes) for value in values):
                return what
        return ""

    def texts(self) -> list[str]:
        """Columns of texts: no categories, no names of files, nothing that numbers the rows."""
        return [n for n in self.all("is_text") if not (self.is_category(n) or self.media(n) or self.is_aside(n))]

    def is_aside(self, name: str) -> bool:
        """Whether a column numbers the rows, names their split, or says where they come from."""
        numbers = bool(ID_NAME.match(name) or CAMEL_ID.fullmatch(name)) and not LIKELY.match(name)
        return numbers or name.lower() in ORIGINS or self.is_split(name)

    def is_split(self, name: str) -> bool:
        """Whether a column names the split of each row."""
        report = self.reports.get(name)
        values = report.labels if report is not None and SPLIT_NAME.match(name) else {}
        return bool(values) and all(value.strip().lower() in SPLIT_VALUES for value in values)

    def prompt(self) -> str:
        """The column of what is asked; the name of a person or a source is none."""
        for name in PROMPTS:
            own = self.named((name,), "is_text")
            report = self.reports.get(own)
            short = report is not None and report.mean is not None and report.mean < RUNNING
            if own and not self.is_category(own) and not (short and name in ("user", "source")):
                return own
        return ""

    def answer(self) -> str:
        """The column of what is answered, as a text."""
        return self.named(ANSWERS, "is_text")

    def chosen(self) -> str:
        """The column of preferred answers; one that names the better of two is none."""
        own = self.named(CHOSEN, "is_text", "is_messages")
        return "" if own and self.is_category(own) else own

    def value(self, name: str) -> str:
        """The code for a text of a row, which may be missing."""
        report = self.reports.get(name)
        return f'(row[{name!r}] or "")' if report is not None and report.missing else f"row[{name!r}]"


def renamed(names: Mapping[str, str]) -> str:
    """These columns alone, under their new names."""
    changed = {old: new for old, new in names.items() if old != new}
    line = f"dataset = dataset.select_columns({list(names)!r})"
    return f"{line}.rename_columns({changed!r})" if changed else line


def mapped(code: str, *, only: str = "") -> str:
    """New columns made of each row by an expression; of the rows alone for which another one holds."""
    rows = f"dataset.filter(lambda row: {only})" if only else "dataset"
    return f"dataset = {rows}.map(lambda row: {code}, {REPLACE})"


def ready(method: str, form: str, *remarks: str) -> Fitness:
    """The verdict that nothing has to be done."""
    return Fitness(method=method, verdict="ready", format=form, why=_sentence(remarks))


def mapping(method: str, form: str, line: str, *remarks: str) -> Fitness:
    """The verdict that it fits once a line has run."""
    return Fitness(method=method, verdict="mapping", format=form, mapping=line, why=_sentence(remarks))


def _sentence(remarks: Iterable[str]) -> str:
    text = "; ".join(remark for remark in remarks if remark)
    return f"{text[0].upper()}{text[1:]}." if text else ""
