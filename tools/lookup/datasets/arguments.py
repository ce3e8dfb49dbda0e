"""What the lookups of data sets take. A flat function for engineers and the commands of the terminal are made from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from trainwright.graph.errors import RequestError
from trainwright.tools.lookup.names import Revision, is_hub_id

__all__ = [
    "CompareArgs", "CompareFilesArgs", "FileArgs", "HubPart", "InspectArgs", "OverlapArgs", "OverlapFilesArgs",
    "SearchArgs", "hub_part",
]  # fmt: skip

Sort = Literal["trending", "downloads", "likes", "created", "modified"]
Column = Annotated[str, StringConstraints(max_length=200)]
Word = Annotated[str, StringConstraints(max_length=100)]


@dataclass(frozen=True)
class HubPart:
    """A data set on the Hub, and which of it; empty strings stand for the default."""

    id: str
    config: str = ""
    split: str = ""


def hub_part(spec: str) -> HubPart:
    """The parts of `owner/name[:config[:split]]`.

    Raises:
        RequestError: it is no such thing.
    """
    name, _, rest = spec.partition(":")
    config, _, split = rest.partition(":")
    if (
        not is_hub_id(name)
        or not re.fullmatch(r"(?:[^:/\x00-\x1f][^:\x00-\x1f]{0,199})?", config)
        or not re.fullmatch(r"[\w.]{0,200}", split)
    ):
        raise RequestError(
            f"{spec[:200]!r} names no data set of the Hub.", hint="Write owner/name, or owner/name:config:split."
        )
    return HubPart(name, config, split)


def _spec(text: str) -> str:
    try:
        hub_part(text)
    except RequestError as error:
        raise ValueError(f"{error.message} {error.hint}".rstrip(".")) from None
    return text


HubSpec = Annotated[str, StringConstraints(max_length=600), AfterValidator(_spec)]
"""owner/name, with a configuration and a split behind colons; `owner/name::test` for the split alone."""


class _Args(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SearchArgs(_Args):
    """See `search`."""

    query: Word
    task: Word = ""
    language: Word = ""
    size: Word = Field("", description="10K<n<100K")
    licence: Word = ""
    author: Word = ""
    sort: Sort = "trending"
    limit: int = Field(10, ge=1, le=50)


class InspectArgs(_Args):
    """See `inspect`."""

    id: HubSpec = Field(description="owner/name[:config[:split]]")
    samples: int = Field(3, ge=0, le=10)
    revision: Revision = ""
    target: Column = ""


class CompareArgs(_Args):
    """See `compare`."""

    id: HubSpec = Field(description="owner/name[:config[:split]]")
    other: HubSpec


class CompareFilesArgs(_Args):
    """See `compare`; either may be a path."""

    id: str = Field(max_length=4000, description="a path, or owner/name[:config[:split]]")
    other: str = Field(max_length=4000)


class OverlapArgs(_Args):
    """See `overlap`."""

    train: HubSpec
    test: HubSpec
    columns: list[str] = Field(default_factory=list, max_length=50)


class OverlapFilesArgs(_Args):
    """See `overlap`; either may be a path."""

    train: str = Field(max_length=4000, description="a path, or owner/name[:config[:split]]")
    test: str = Field(max_length=4000)
    columns: list[str] = Field(default_factory=list, max_length=50)
    rows: int = Field(100_000, ge=1, le=1_000_000)


class FileArgs(_Args):
    """See `file`."""

    path: str = Field(max_length=4000)
    samples: int = Field(3, ge=0, le=10)
    target: Column = ""
