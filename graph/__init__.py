"""The state machine, and the programmatic entry: `build_graph`, `Request`, `Settings`, `open_checkpointer`.

Names are loaded when they are first used, so that a command which only lists runs does not import LangGraph.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoint import open_checkpointer
    from .state import Decisions, Request, Settings, State
    from .workflow import build_graph

__all__ = ["Decisions", "Request", "Settings", "State", "build_graph", "open_checkpointer"]

_HOMES = {
    "Decisions": "state",
    "Request": "state",
    "Settings": "state",
    "State": "state",
    "build_graph": "workflow",
    "open_checkpointer": "checkpoint",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
