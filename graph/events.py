"""Events: what a run tells whoever watches it, on LangGraph's custom stream; docs/events.md lists the kinds.

The one place where an event leaves the program, so no secret leaves in one. This module draws nothing.
"""

from __future__ import annotations

from typing import Any

from langgraph.config import get_stream_writer

from .redaction import redact
from .runs import now

__all__ = ["emit"]


def emit(kind: str, run: str, **details: Any) -> None:
    """Send one event to whoever watches the run."""
    get_stream_writer()({"event": kind, "run": run, "at": now(), **redact(details)})
