"""What an engineer decides about the data before they are frozen.

The choice names columns and a kind of split; the split itself is made by `freezing.freeze`. Importing this module
loads no data library, since every stage of the graph imports it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from trainwright.graph.state import Modality, Task

__all__ = ["DataChoice", "SplitKind"]

SplitKind = Literal["auto", "official", "random", "stratified", "group", "time"]


class DataChoice(BaseModel):
    """What to predict, from which columns, and how the rows are divided."""

    model_config = ConfigDict(extra="forbid")

    target: str = Field(min_length=1, description="Column to predict, as the audit names it.")
    task: Task
    modality: Modality = Field(description="As the audit has it: table, text or images.")
    drop: list[str] = Field(default_factory=list, description="Columns that the model must not see.")
    split: SplitKind = Field("auto", description="auto: the kind that the audit found due.")
    split_column: str = Field("", description="For official, group and time: the column; empty: the audit's.")
    header: Literal["", "present", "absent"] = Field("", description="As the audit has it; empty: the loader decides.")
