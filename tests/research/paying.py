"""A stage with a helper, both a model that is paid, in a process of its own: `python -m tests.research.paying SETTINGS`.

SETTINGS are those of the run, as JSON; the file `ended` in `TRAINWRIGHT_HOME` tells how it ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from trainwright.engineers import choose_engineer
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.settings import home
from trainwright.graph.state import Settings
from trainwright.nodes import research_helper

from .helping import Library, run


async def main() -> None:
    """Begin the run, or go on with it."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    research_helper.helper_stage = Library({"doc-a": "The answer is known there."}).stage
    begun = home() / "begun"
    start = None if begun.exists() else "begin"
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.touch()
    engineer: Any = choose_engineer(Settings.model_validate(given))
    async with open_checkpointer() as checkpointer:
        state, _ = await run(engineer, checkpointer, start, **given)
    (home() / "ended").write_text(json.dumps({"run": state.run, "steps": state.steps, "notes": state.notes}))


if __name__ == "__main__":
    asyncio.run(main())
