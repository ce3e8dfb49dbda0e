"""What each operation on documentation takes. Light: `trainwright --help` reads it, and nothing is asked here."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Installed", "InstalledUnder", "Libraries", "Pages", "Read", "Search", "Update"]

Name = Annotated[str, Field(max_length=200)]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Search(_Arguments):
    query: str = Field(min_length=2, max_length=500)
    library: Name = ""
    limit: int = Field(10, ge=1)


class Pages(_Arguments):
    library: Name
    part: int = Field(1, ge=1)


class Read(_Arguments):
    page: str = Field(min_length=1, max_length=500, description="trl/sft_trainer")
    section: str = Field("", max_length=300)
    part: int = Field(1, ge=1)


class Libraries(_Arguments):
    pass


class Update(_Arguments):
    library: Name = ""


class Installed(_Arguments):
    name: str = Field(min_length=1, max_length=300, description="dotted, of an installed package")
    keywords: list[str] = Field(default_factory=list, max_length=50)
    part: int = Field(1, ge=1)


class InstalledUnder(Installed):
    python: str = Field(
        min_length=1, description="An interpreter, or a script whose header says which packages it needs."
    )
