"""The order of checkpoints, held also where the clock is set back.

LangGraph takes the checkpoint with the largest id for the last one, and an id begins with the time at which it was made.
Within one process its ids only grow; a second process whose clock is an hour behind would write checkpoints that count
as older than those it goes on from, and the run would fall back to them for ever. So whoever reads a thread makes sure
that the next id of this process is larger than all of the thread. This module stores nothing.
"""

from __future__ import annotations

from uuid import UUID

from langgraph.checkpoint.base import id as ids

__all__ = ["later_than"]


def later_than(checkpoint_id: str) -> None:
    """Let every id that this process makes from now on be larger than `checkpoint_id`; ids of other makers are left alone.

    `langgraph.checkpoint.base.id.uuid6` keeps the time of its last id in the module, in units of 100 ns since 1582, and
    never goes below it.
    """
    try:
        found = UUID(checkpoint_id)
    except ValueError:
        return
    if found.version != 6:
        return
    made = ((found.int >> 80) << 12) | ((found.int >> 64) & 0xFFF)
    if ids._last_v6_timestamp is None or ids._last_v6_timestamp < made:
        vars(ids)["_last_v6_timestamp"] = made  # typed as None, which it is before the first id
