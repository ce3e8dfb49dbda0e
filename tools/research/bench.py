"""What is known when a research helper begins: the question, besides what its stage knows."""

from __future__ import annotations

from pydantic import Field

from trainwright.tools.toolbox import Workbench

__all__ = ["HelperBench"]


class HelperBench(Workbench):
    """The workbench of a stage, with what one of its helpers is to find out."""

    question: str
    context: str = ""
    counted_at: str = Field(description="Its node in the ledger.")

    @property
    def node(self) -> str:
        """What a helper uses is counted apart."""
        return self.counted_at
