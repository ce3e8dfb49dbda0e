"""Reading a paper the way a run does: fetched into a folder of its own, then parsed there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trainwright.tools.papers import ParsedPaper, fetch_paper, parse_paper

Read = Callable[[str | Path], ParsedPaper]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """A function from what a person gives to the paper that was read."""
    count = 0

    def _read(spec: str | Path) -> ParsedPaper:
        nonlocal count
        count += 1
        folder = tmp_path / f"paper{count}"
        return parse_paper(fetch_paper(str(spec), folder), folder)

    return _read
