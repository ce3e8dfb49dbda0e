"""What is known of a paper: where it came from, what stands in it, and which facts were found.

All of it is plain data. `ParsedPaper` is what `parsed.json` holds; `READER_VERSION` is part of it, so that a file
read by an older version of the reader is read again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from trainwright.graph.state import Claim, Hyperparameter, Modality

__all__ = [
    "READER_VERSION",
    "PaperFacts",
    "PaperSource",
    "Paragraph",
    "ParsedPaper",
    "Section",
    "SourceKind",
    "Table",
]

READER_VERSION = 3
"""Counts the changes of the reader that change what it finds."""

SourceKind = Literal["pdf", "markdown", "text"]


class Record(BaseModel):
    """Base of the records: unknown fields are an error."""

    model_config = ConfigDict(extra="forbid")


class PaperSource(Record):
    """The file of a paper, as it was given or fetched."""

    path: Path = Field(description="The file in the run's folder.")
    kind: SourceKind
    origin: str = Field(description="What the person gave: a path, an id, an address, or `text`.")
    arxiv_id: str = Field("", description="With its version where that is known.")
    title: str = Field("", description="As the archive states it; empty when only the file is known.")


class Section(Record):
    """A section: its text without that of its subsections."""

    number: str = Field("", description="As printed, without a closing dot: 3.1, A, A.2; empty if unnumbered.")
    title: str
    level: int = Field(1, ge=1, le=6)
    page: int | None = Field(None, ge=1, description="Page of the heading; None where there are no pages.")
    text: str = Field("", description="Paragraphs with an empty line between them.")


class Paragraph(Record):
    """A piece of running text and where it stands."""

    text: str
    page: int | None = Field(None, ge=1)
    section: int = Field(-1, ge=-1, description="Index in `sections`; -1 before the first heading.")
    kind: Literal["body", "caption", "footnote"] = "body"
    breaks: list[tuple[int, int]] = Field(
        default_factory=list, description="(offset, page): from this character on the text stands on that page."
    )

    def page_at(self, offset: int) -> int | None:
        """The page of the character at `offset`."""
        page = self.page
        for start, number in self.breaks:
            if start <= offset:
                page = number
        return page


class Table(Record):
    """A table; every row has as many cells as the header."""

    page: int | None = Field(None, ge=1)
    caption: str = ""
    header: list[str] = Field(description="Header rows joined from top to bottom, one text a column.")
    rows: list[list[str]]
    strong: list[int] = Field(default_factory=list, description="Rows whose label is printed bold.")


class ParsedPaper(Record):
    """A paper as text: title, sections, tables, references, each with its page."""

    title: str = Field("", description="Empty when it cannot be read; never made up.")
    authors_line: str = ""
    abstract: str = ""
    sections: list[Section] = Field(default_factory=list)
    paragraphs: list[Paragraph] = Field(default_factory=list)
    tables: list[Table] = Field(default_factory=list)
    references: list[str] = Field(default_factory=list)
    pages: int = Field(0, ge=0, description="Pages of the file; 0 for Markdown and text.")
    doi: str = ""
    arxiv_id: str = ""
    sha256: str = Field("", description="Of the file that was read.")
    warnings: list[str] = Field(default_factory=list)
    markdown: str = Field("", description="The whole paper as paper.md holds it.")
    reader_version: int = READER_VERSION
    _bare: str | None = PrivateAttr(None)

    @property
    def reference_count(self) -> int:
        """How many references the paper lists."""
        return len(self.references)


class PaperFacts(Record):
    """What the paper states, each with its evidence."""

    claims: list[Claim] = Field(default_factory=list, description="The paper's own first, those it cites last.")
    hyperparameters: list[Hyperparameter] = Field(default_factory=list)
    datasets: list[str] = Field(default_factory=list, description="Most used first.")
    method: str = Field("", description="The method that the paper proposes or uses.")
    methods: list[str] = Field(default_factory=list, description="The paper's own first.")
    metrics: list[str] = Field(default_factory=list, description="Most used first.")
    modality: Modality = "unknown"
    warnings: list[str] = Field(default_factory=list)
