"""What each operation on code takes. Light: `trainwright --help` reads it, and nothing is asked here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = ["Examples", "Read", "Repos", "Search", "Sort", "Tree"]

Sort = Literal["", "stars", "forks", "updated", "created"]

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Repo = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Search(_Arguments):
    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=250)]
    language: Text = ""
    repo: Text = ""
    owner: Text = ""
    limit: int = Field(10, ge=1, le=50)


class Repos(_Arguments):
    query: Text = ""
    owner: Text = ""
    language: Text = ""
    sort: Sort = ""
    limit: int = Field(10, ge=1, le=50)


class Examples(_Arguments):
    repo: Repo
    keyword: Text = ""
    limit: int = Field(10, ge=1, le=50)


class Tree(_Arguments):
    repo: Repo
    path: Text = ""
    ref: Text = ""
    limit: int = Field(50, ge=1, le=200)


class Read(_Arguments):
    repo: Repo
    path: Text = ""
    ref: Text = ""
    first_line: int = Field(0, ge=0)
    lines: int = Field(0, ge=0, le=1_000)
