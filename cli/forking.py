"""`trainwright fork`: a new run that begins where another stands, or just after one of its steps."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict

__all__ = ["fork_run"]


def fork_run(run: str, at: int | None, name: str, *, as_json: bool) -> int:
    """Make the fork, and say what goes on with it.

    Raises:
        RequestError: there is no such run or step, the name is taken, or somebody is at work on the run.
    """
    from trainwright.graph.forking import fork, origin_of

    from .words import node_title

    made = asyncio.run(fork(run, at, name))
    origin = origin_of(made)
    assert origin is not None, "fork enters it"
    if as_json:
        from .jsonlines import json_lines

        json_lines().write({"event": "forked", "run": made, **asdict(origin)})
        return 0
    sys.stdout.write(
        f"{made} is forked from {origin.parent} at step {origin.step}, and begins with: {node_title(origin.node)}.\n"
        f"It has not begun to work: `trainwright resume {made}` goes on.\n"
    )
    return 0
