"""What the lookups of data sets answer with, and how a person reads it. Nothing is looked up here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trainwright.tools.lookup.found import Found, paragraphs, table

__all__ = [
    "ColumnReport",
    "ComparedColumn",
    "Comparison",
    "Conversation",
    "Example",
    "Fitness",
    "Inspection",
    "Listed",
    "Listing",
    "Overlap",
    "SplitReport",
]  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Listed(_Part):
    """A data set that was found."""

    id: str
    downloads: int = 0
    likes: int = 0
    licence: str = ""
    gated: str = Field("", description="How access is granted: automatically or by hand; empty: free for all.")
    modified: str = ""
    tags: list[str] = Field(default_factory=list)


class Listing(Found):
    """The data sets that were found."""

    datasets: list[Listed] = Field(default_factory=list)

    def body(self) -> str:
        rows = [
            (d.id, d.downloads, d.likes, d.licence, d.gated, d.modified, ", ".join(d.tags[:6])) for d in self.datasets
        ]
        shown = table(("data set", "downloads", "likes", "licence", "gated", "modified", "tags"), rows)
        return shown or "Nothing was found."


class SplitReport(_Part):
    """One split of one configuration."""

    config: str = ""
    split: str
    rows: int | None = None
    bytes: int | None = Field(None, description="In memory where the viewer knows it, else of the files.")


class ColumnReport(_Part):
    """One column.

    Attributes:
        missing: rows without a value; None where nobody counted.
        rows: rows with a value that were counted; for verdicts alone, nobody is shown it.
        distinct: different values; None where nobody counted.
        of: what minimum, maximum and mean are of: the values when empty, else `characters`, `items` or `seconds`.
        labels: value to rows, the commonest first; at most twenty.
        more_labels: how many there are besides.
    """

    name: str
    type: str
    missing: int | None = None
    rows: int = Field(0, exclude=True)
    distinct: int | None = None
    min: int | float | str | None = None
    max: int | float | str | None = None
    mean: float | None = None
    of: str = ""
    labels: dict[str, int] = Field(default_factory=dict)
    more_labels: int = 0

    def figures(self) -> str:
        """Its figures in one cell of a table."""
        if self.labels:
            more = f", {self.more_labels} more" if self.more_labels else ""
            return ", ".join(f"{name}: {count:,}" for name, count in list(self.labels.items())[:8]) + more
        if self.min is None:
            return ""
        mean = "" if self.mean is None else f", mean {self.mean:.4g}"
        return f"{_number(self.min)} to {_number(self.max)}{mean}{' ' + self.of if self.of else ''}"


class Conversation(_Part):
    """What the conversations of a column look like.

    Attributes:
        roles: sorted, with the number of messages that have each.
        keys: key to the number of messages in which it has a value.
        messages: how many messages were looked at.
        tool_calls: `list`, `JSON string`, or empty where there are none.
        example: a conversation, one with tool calls where there is one; contents cut after 100 characters.
    """

    column: str
    format: str = "role and content"
    roles: dict[str, int] = Field(default_factory=dict)
    keys: dict[str, int] = Field(default_factory=dict)
    messages: int = 0
    tool_calls: str = ""
    example: list[dict[str, str]] = Field(default_factory=list)


class Fitness(_Part):
    """Whether the columns fit a way of training.

    Attributes:
        method: SFT, DPO, GRPO, reward or classification.
        verdict: `ready`, `mapping` (fits once `mapping` has run), or `no`.
        format: what the columns then are, in the words of TRL.
        mapping: a line of Python that makes `dataset` fit.
        why: what speaks against it, or has to be known besides.
    """

    method: str
    verdict: str
    format: str = ""
    mapping: str = ""
    why: str = ""


class Inspection(Found):
    """What is known of a data set.

    Attributes:
        id: of the Hub, or the path.
        revision: the commit that was looked at.
        splits: at most ten.
        split_count: "10 of 12" where there are more.
        rows: of all splits together; None where nobody knows.
        bytes: of all files.
        access: empty, or what has to be done before the data can be read.
        figures_of: which rows the figures of the columns are of; empty: of the whole split.
        samples: rows, each value cut after 150 characters.
    """

    id: str
    revision: str = ""
    licence: str = ""
    gated: str = ""
    access: str = ""
    rows: int | None = None
    bytes: int | None = None
    downloads: int = 0
    likes: int = 0
    modified: str = ""
    tags: list[str] = Field(default_factory=list)
    card: str = ""
    splits: list[SplitReport] = Field(default_factory=list)
    split_count: str = ""
    config: str = ""
    split: str = ""
    figures_of: str = ""
    columns: list[ColumnReport] = Field(default_factory=list)
    samples: list[dict[str, Any]] = Field(default_factory=list)
    conversations: list[Conversation] = Field(default_factory=list)
    fitness: list[Fitness] = Field(default_factory=list)

    def body(self) -> str:
        return paragraphs(*self._parts())

    def _parts(self) -> Iterable[str]:
        facts = (
            ("revision", self.revision), ("licence", self.licence), ("gated", self.gated), ("access", self.access),
            ("rows", self.rows), ("bytes", self.bytes), ("downloads", self.downloads), ("likes", self.likes),
            ("modified", self.modified), ("tags", ", ".join(self.tags)),
        )  # fmt: skip
        yield f"# {self.id}"
        yield "\n".join(f"- {name}: {_number(value)}" for name, value in facts if value)
        yield self.card
        more = f" ({self.split_count})" if self.split_count else ""
        splits = table(
            ("config", "split", "rows", "bytes"), [(s.config, s.split, s.rows, s.bytes) for s in self.splits]
        )
        yield f"## Splits{more}\n\n{splits}" if splits else ""
        where = " ".join(part for part in (self.config, self.split) if part)
        of = f"\n\nFigures of {self.figures_of}." if self.figures_of else ""
        columns = [(c.name, c.type, c.missing, c.distinct, c.figures()) for c in self.columns]
        shown = table(("column", "type", "missing", "distinct", "figures"), columns)
        yield f"## Columns of {where or 'the data'}{of}\n\n{shown}" if shown else ""
        yield from map(_conversation, self.conversations)
        for place, row in enumerate(self.samples, 1):
            yield f"## Sample {place}\n\n" + "\n".join(f"- {name}: {_line(value)}" for name, value in row.items())
        rows = [(f.method, f.verdict, f.format, f.why) for f in self.fitness]
        yield f"## Fitness\n\n{table(('method', 'verdict', 'format', 'remarks'), rows)}" if rows else ""
        mappings = [f"{f.method}:\n\n    {f.mapping}" for f in self.fitness if f.mapping]
        yield "\n\n".join(mappings)


def _conversation(found: Conversation) -> str:
    keys = [(name, f"{'✓' if count == found.messages else '✗'} {count:,} of {found.messages:,}")
            for name, count in found.keys.items()]  # fmt: skip
    roles = ", ".join(f"{name} ({count:,})" for name, count in found.roles.items())
    calls = found.tool_calls or "none"
    example = "\n".join("- " + "; ".join(f"{k}: {_line(v)}" for k, v in one.items()) for one in found.example)
    head = f"## Conversations in {found.column} ({found.format})\n\nRoles: {roles}. Tool calls: {calls}."
    return paragraphs(head, table(("key", "in messages"), keys), example)


class ComparedColumn(_Part):
    """A column that both have."""

    name: str
    type: str
    other_type: str = Field("", description="Empty where it is the same.")
    labels_only_here: list[str] = Field(default_factory=list)
    labels_only_there: list[str] = Field(default_factory=list)
    same_labels: bool = False


class Side(_Part):
    """One of the two."""

    id: str
    config: str = ""
    split: str = ""
    rows: int | None = None
    bytes: int | None = None
    licence: str = ""
    gated: str = ""
    splits: list[str] = Field(default_factory=list)
    fits: dict[str, str] = Field(default_factory=dict, description="Method to verdict and format.")


class Comparison(Found):
    """Two data sets side by side."""

    sides: list[Side] = Field(default_factory=list)
    common: list[ComparedColumn] = Field(default_factory=list)
    only_first: dict[str, str] = Field(default_factory=dict)
    only_second: dict[str, str] = Field(default_factory=dict)

    def body(self) -> str:
        first, second = self.sides
        methods = list(dict.fromkeys([*first.fits, *second.fits]))
        rows: list[tuple[Any, ...]] = [
            (name, getattr(first, name), getattr(second, name))
            for name in ("config", "split", "rows", "bytes", "licence", "gated")
        ]
        rows.append(("splits", ", ".join(first.splits), ", ".join(second.splits)))
        rows += [(method, first.fits.get(method), second.fits.get(method)) for method in methods]
        sides = table(("", first.id, second.id), rows)
        common = [(c.name, c.type, c.other_type or "the same", _labels(c)) for c in self.common]
        both = table(("column", "type", "type there", "labels"), common)
        only = [f"Only in {side.id}: " + ", ".join(f"{name} ({kind})" for name, kind in columns.items()) + "."
                for side, columns in zip(self.sides, (self.only_first, self.only_second), strict=True) if columns]  # fmt: skip
        return paragraphs(sides, both, *only)


def _labels(column: ComparedColumn) -> str:
    if column.same_labels:
        return "the same"
    here, there = ", ".join(column.labels_only_here), ", ".join(column.labels_only_there)
    return "; ".join(
        part for part in (f"only here: {here}" if here else "", f"only there: {there}" if there else "") if part
    )


class Example(_Part):
    """A row of the test data and one of the training data that is like it; rows are counted from 0.

    Attributes:
        likeness: 1 for equal rows, else the estimated share of character sequences that the two have in common.
    """

    test_row: int
    train_row: int
    likeness: float = 1.0
    test: str = ""
    train: str = ""


class Overlap(Found):
    """Rows of the test data that the training data hold too.

    Attributes:
        columns: what was compared; nothing else counts.
        train_rows, test_rows: how many were read.
        exact: rows of the test data that a training row equals but for case, spacing and Unicode form.
        near: further rows of the test data to which a training row is alike, by the threshold in the notes.
        exact_share, near_share: of the rows of the test data that were read.
        within_test: rows of the test data that equal an earlier row of it.
    """

    train: str
    test: str
    columns: list[str] = Field(default_factory=list)
    train_rows: int = 0
    test_rows: int = 0
    exact: int = 0
    exact_share: float = 0.0
    near: int = 0
    near_share: float = 0.0
    within_test: int = 0
    examples: list[Example] = Field(default_factory=list)

    def body(self) -> str:
        text = [
            f"# Rows of {self.test} that stand in {self.train} too",
            f"Compared: {', '.join(self.columns)}. Read: {self.train_rows:,} training and {self.test_rows:,} test rows.",
            f"- equal: {self.exact:,} ({self.exact_share:.2%} of the test rows)\n"
            f"- nearly equal: {self.near:,} ({self.near_share:.2%})\n"
            f"- equal to an earlier test row: {self.within_test:,}",
        ]
        rows = [(e.test_row, e.train_row, f"{e.likeness:.2f}", e.test, e.train) for e in self.examples]
        text.append(table(("test row", "training row", "likeness", "test", "training"), rows))
        return paragraphs(*text)


def _number(value: Any) -> str:
    return f"{value:,}" if type(value) is int else f"{value:.6g}" if isinstance(value, float) else str(value)


def _line(value: Any) -> str:
    return " ".join(str(value).split())
