"""A stage with helpers, in a process that kills itself at the first moment where none has died yet.

`python -m tests.research.dying FOLDER PARALLEL`: what happens is written to FOLDER/moments, a line a moment, before it is
decided whether to die there; FOLDER/died holds where earlier ones died.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage

from tests.graph.scripted import FINISH, says
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.ledger import Ledger
from trainwright.nodes import research_helper
from trainwright.tools.research.bench import HelperBench

from .helping import Library, Team, asks, looks, report, run, steps_of

QUESTIONS = ("first?", "second?", "third?")
_lock = threading.Lock()


def moment(folder: Path, name: str) -> None:
    """Note a moment, and die at it if nobody has."""
    with _lock:
        with (folder / "moments").open("a") as file:
            file.write(f"{name}\n")
        died = (folder / "died").read_text().splitlines() if (folder / "died").exists() else []
        if name not in died:
            (folder / "died").write_text("\n".join([*died, name]))
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Begin the run, or go on with it, and print how it ended."""
    folder, parallel = Path(sys.argv[1]), int(sys.argv[2])
    library = Library({question: f"What stands there of {question}" for question in QUESTIONS})
    look, settle = library.look, Ledger.settle

    def watched(bench: Any, wanted: Any) -> dict[str, Any]:
        moment(folder, f"{wanted.id} looks")
        return look(bench, wanted)

    def settled(ledger: Ledger, key: str, amounts: Any) -> None:
        settle(ledger, key, amounts)
        moment(folder, f"settled {key.split('/', 1)[1]}")

    def helper(bench: HelperBench, transcript: Sequence[AnyMessage], turn: int) -> AIMessage:
        moment(folder, f"{bench.question} turn {turn}")
        if turn == 0:
            return looks(bench.question)
        return report("It stands there.", bench.question, f"what stands there of {bench.question}")

    library.look = watched  # type: ignore[method-assign]
    Ledger.settle = settled  # type: ignore[method-assign]
    research_helper.helper_stage = library.stage
    team = Team([says(asks(*QUESTIONS)), FINISH], helper)

    async def go() -> None:
        async with open_checkpointer() as checkpointer:
            begun = (folder / "moments").exists()
            state, _ = await run(team, checkpointer, None if begun else "begin", research_parallel=parallel)
            (answer,) = team.answers()
            found = json.loads(str(answer.content))["findings"]
            ended = {
                "steps": state.steps,
                "ledger": steps_of(state.run),
                "held": len(Ledger().open(state.run)),
                "answered": [one["question"] for one in found if one["status"] == "answered"],
                "title": state.brief.title if state.brief else "",
            }
            (folder / "ended").write_text(json.dumps(ended))

    asyncio.run(go())


if __name__ == "__main__":
    main()
