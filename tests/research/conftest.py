"""What the tests of research share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from trainwright.graph.checkpoint import open_checkpointer

from .helping import Library


@pytest.fixture
async def saver() -> AsyncIterator[Any]:
    """Where checkpoints go."""
    async with open_checkpointer() as checkpointer:
        yield checkpointer


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """What helpers can look up here."""
    found = Library()
    monkeypatch.setattr("trainwright.nodes.research_helper.helper_stage", found.stage)
    return found
