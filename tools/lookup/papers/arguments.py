"""What each operation on papers takes. Light: `trainwright --help` reads it, and nothing is asked here."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = ["Citations", "Details", "File", "Linked", "Read", "Recommend", "Search", "Snippets", "Trending"]


def _day(text: str) -> str:
    match = re.fullmatch(r"((?:19|20)\d\d)(?:-(\d\d))?(?:-(\d\d))?", text)
    if text and not match:
        raise ValueError("a date is YYYY, YYYY-MM or YYYY-MM-DD")
    if match:
        date(int(match[1]), int(match[2] or 1), int(match[3] or 1))  # says which part is no date
    return text


Day = Annotated[str, AfterValidator(_day)]
Query = Annotated[str, Field(min_length=2, max_length=500)]
Id = Annotated[str, Field(min_length=1, max_length=2_000)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Search(_Arguments):
    query: Query
    source: Literal["", "hub", "arxiv", "scholar", "all"] = ""
    limit: int = Field(10, ge=1)
    date_from: Day = ""
    date_to: Day = ""
    field: str = Field("", max_length=60, description="such as cs.CL")
    min_citations: int = Field(0, ge=0)
    sort: Literal["", "date", "citations"] = ""


class Trending(_Arguments):
    limit: int = Field(10, ge=1)
    date: Day = ""


class Details(_Arguments):
    id: Id = Field(description="arXiv id, DOI")


class Read(_Arguments):
    id: Id
    section: str = Field("", max_length=300)
    part: int = Field(1, ge=1)


class File(_Arguments):
    path: str = Field(min_length=1, description="A PDF, Markdown or text file of this machine.")
    section: str = Field("", max_length=300, description="number or title")
    part: int = Field(1, ge=1)


class Citations(_Arguments):
    id: Id
    direction: Literal["both", "references", "citations"] = "both"
    limit: int = Field(10, ge=1)


class Snippets(_Arguments):
    query: Query
    limit: int = Field(10, ge=1)
    ids: list[str] = Field(default_factory=list, max_length=50)


class Recommend(_Arguments):
    ids: list[str] = Field(min_length=1, max_length=50)
    negative_ids: list[str] = Field(default_factory=list, max_length=50)
    limit: int = Field(10, ge=1)


class Linked(_Arguments):
    id: Id
    kind: Literal["all", "datasets", "models", "spaces", "collections"] = "all"
    limit: int = Field(10, ge=1)
