"""Which checkpoints of a namespace are still needed to read others: the ancestors from which delta channels are rebuilt.

A delta channel (the transcript of a stage) stores its whole value only now and then; between, a checkpoint has
nothing of it, and its value is rebuilt from the writes of its ancestors back to one that holds a value. Take such an
ancestor away, and the channel reads back empty without any error. This module only computes; it deletes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.serde.types import _DeltaSnapshot

__all__ = ["Link", "link_of", "needed"]

COUNTERS = "counters_since_delta_snapshot"
"""Key of a checkpoint's metadata that names its delta channels; LangGraph marks it as beta."""


@dataclass(frozen=True)
class Link:
    """A checkpoint as a link of its chain.

    Attributes:
        parent: id of the checkpoint before it; empty for the first.
        stored: channels of which it holds a value.
        missing: channels that were written once, of which it holds none.
        delta: channels of which it shows that they are delta channels.
    """

    parent: str
    stored: frozenset[str]
    missing: frozenset[str]
    delta: frozenset[str]


def link_of(parent: str | None, checkpoint: Mapping[str, Any], metadata: Mapping[str, Any]) -> Link:
    """The link of a checkpoint as its saver stores it."""
    values = checkpoint.get("channel_values") or {}
    snapshots = {name for name, value in values.items() if isinstance(value, _DeltaSnapshot)}
    return Link(
        parent=parent or "",
        stored=frozenset(values),
        missing=frozenset(checkpoint.get("channel_versions") or {}) - frozenset(values),
        delta=frozenset(metadata.get(COUNTERS) or {}) | snapshots,
    )


def needed(links: Mapping[str, Link], kept: Iterable[str]) -> set[str]:
    """`kept`, and every ancestor without which a delta channel of one of them could not be rebuilt.

    Args:
        links: all checkpoints of one namespace, by id.
        kept: ids that must stay readable.
    """
    delta = frozenset().union(*(link.delta for link in links.values()))
    found: set[str] = set()
    for start in kept:
        found.add(start)
        found |= _back_to_values(links, start, links[start].missing & delta)
    return found


def _back_to_values(links: Mapping[str, Link], start: str, open_channels: frozenset[str]) -> set[str]:
    """The ancestors of `start`, as far as a channel is still without a stored value."""
    walked: set[str] = set()
    at = links[start].parent
    while open_channels and at in links and at not in walked:
        walked.add(at)
        open_channels -= links[at].stored
        at = links[at].parent
    return walked
