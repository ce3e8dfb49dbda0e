"""Whether somebody asked the run to stop, for code inside a node that waits: an engineer between two tries of a call.

Outside a run nobody has. This module stops nothing: `graph/driver.py` asks, and the graph stops before its next step.
"""

from __future__ import annotations

from langgraph.runtime import get_runtime

__all__ = ["stop_requested"]


def stop_requested() -> bool:
    """Whether the run that this code works in is to stop; False where there is none."""
    try:
        runtime = get_runtime()
    except (RuntimeError, KeyError):
        return False
    return bool(getattr(runtime, "drain_requested", False))  # a graph run without a control has none
