"""`tell`: a message to the engineer of a run, which reads it at its next turn."""

from __future__ import annotations

import sys

__all__ = ["tell_run"]


def tell_run(run: str, text: str, *, as_json: bool) -> int:
    """Keep the message, and say when it is read.

    Raises:
        RequestError: the run has ended, its engineer reads no messages, or the text cannot be kept.
    """
    from trainwright.graph.driver import tell
    from trainwright.graph.runs import open_runs

    from .going_on import being_driven

    name = tell(run, text)
    row = open_runs().get(name)
    now = being_driven(row)
    if as_json:
        from .jsonlines import json_lines

        json_lines().write({"event": "told", "run": name, "text": text.strip(), "at_work": now})
        return 0
    when = "at its next turn" if now else f"once the run goes on: `trainwright resume {name}`"
    sys.stdout.write(f"Kept; the engineer of {name} reads it {when}.\n")
    return 0
