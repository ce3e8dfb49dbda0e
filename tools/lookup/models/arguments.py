"""What the lookups of models take. A flat function for engineers and the commands of the terminal are made from it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from trainwright.tools.lookup.names import Revision, is_hub_id

from .memory import DTYPES, OPTIMIZERS, Method

__all__ = ["DetailsArgs", "FitArgs", "SearchArgs", "count_of"]

_COUNT = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([KMBT]?)", re.IGNORECASE | re.ASCII)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def count_of(text: str) -> int:
    """The number that a text such as 7B, 350M or 124439808 stands for.

    Raises:
        ValueError: it stands for none, or for none between 1 and 10^14.
    """
    match = _COUNT.fullmatch(text.strip().replace("_", "").replace(",", ""))
    found = round(float(match[1]) * _UNITS[match[2].upper()]) if match else 0
    if not 1 <= found <= 10**14:
        raise ValueError("write a number such as 7B, 350M or 124439808")
    return found


def _count(text: str) -> str:
    if text:
        count_of(text)
    return text


def _hub_id(text: str) -> str:
    if text and not is_hub_id(text):
        raise ValueError(f"{text!r} names no model of the Hub: write owner/name")
    return text


def _one_of(*names: str) -> Any:
    """Checked here and not by the type: a list of names in the schema costs room in each request of a stage."""

    def check(text: str) -> str:
        if text and text not in names:
            raise ValueError(f"write one of {', '.join(names)}")
        return text

    return AfterValidator(check)


Word = Annotated[str, StringConstraints(max_length=100)]
Count = Annotated[str, StringConstraints(max_length=30), AfterValidator(_count)]
Id = Annotated[str, StringConstraints(max_length=200), AfterValidator(_hub_id)]


class _Args(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SearchArgs(_Args):
    """See `search`."""

    query: Word
    task: Word = ""
    library: Word = ""
    author: Word = ""
    licence: Word = ""
    sort: Annotated[str, _one_of("trending", "downloads", "likes", "created", "modified")] = ""
    limit: int = Field(10, ge=1, le=50)
    parameters: Count = Field("", description="7B; search: at most")


class DetailsArgs(_Args):
    """See `details`."""

    id: Id = Field(min_length=1)
    revision: Revision = ""


class FitArgs(_Args):
    """See `fit`."""

    id: Id = ""
    parameters: Count = Field("", description="such as 7B")
    method: Literal[Method, ""] = ""
    batch: int = Field(1, ge=1, le=4096)
    sequence: int = Field(0, ge=0, le=10_000_000)
    dtype: Annotated[str, _one_of(*DTYPES)] = ""
    optimizer: Annotated[str, _one_of(*OPTIMIZERS)] = ""
    checkpointing: bool = False
    rank: int = Field(16, ge=1, le=4096)
    tokens: int = Field(0, ge=0, le=10**15)
    examples: int = Field(0, ge=0, le=10**12)
    epochs: float = Field(1.0, gt=0, le=10_000)
    flavour: Word = ""
