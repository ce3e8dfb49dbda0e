"""What each operation on the web takes. Light: `trainwright --help` reads it, and nothing is asked here."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = ["Fetch", "Search"]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Search(_Arguments):
    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=400)]
    limit: int = Field(8, ge=1, le=20)
    allowed_domains: list[str] = Field(default_factory=list, max_length=20)
    blocked_domains: list[str] = Field(default_factory=list, max_length=20)


class Fetch(_Arguments):
    url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
    part: int = Field(1, ge=1)
