"""The tool `read_output`, which every stage has: reading on in an answer that was cut because it was too long."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from trainwright.tools.toolbox import Tool, Workbench

__all__ = ["READ_OUTPUT", "Lines"]


class Lines(BaseModel):
    """Lines of a file."""

    model_config = ConfigDict(extra="forbid")

    name: str
    first_line: int = Field(1, ge=1, description="From 1.")
    lines: int = Field(2_000, ge=1, le=2_000)


def read_output(bench: Workbench, wanted: Lines) -> BaseModel:
    """The text of an answer that was cut."""
    from trainwright.tools.writing import files

    return files.read_kept(bench.folder, wanted.name, wanted.first_line, wanted.lines)


READ_OUTPUT = Tool(
    "read_output", "Lines of an answer that was cut, by the file name that stands at the cut.", Lines, read_output
)
