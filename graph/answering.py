"""Answers to what a run waits for, as the command that hands them to the waiting gate.

This module neither decides nor drives: a gate validates what it is given.
"""

from __future__ import annotations

from typing import Any

from langgraph.types import Command, StateSnapshot

from .errors import AGAIN, RequestError
from .runs import RunRow
from .state import Decision, Decisions, State
from .workflow import Compiled

__all__ = ["answered", "trying_again"]


def trying_again(snapshot: StateSnapshot, state: State | None) -> Command[Any] | None:
    """The command that answers a question of that kind by trying again; None when the run waits for anything else."""
    if state is None or state.question is None or AGAIN not in state.question.options:
        return None
    return Command(resume=Decisions(decisions=[Decision(type="respond", message=AGAIN)]).model_dump(mode="json"))


async def answered(graph: Compiled, row: RunRow, decisions: Decisions | str) -> Command[Any]:
    """The command that hands the answer to the waiting gate; one decision counts for every action shown."""
    snapshot = await graph.aget_state({"configurable": {"thread_id": row.thread_id}})
    if not snapshot.interrupts:
        raise RequestError(f"{row.name} waits for nothing.", hint=f"Its status is {row.status}.")
    given = (
        Decisions(decisions=[Decision(type="respond", message=decisions)]) if isinstance(decisions, str) else decisions
    )
    count = len(snapshot.interrupts[0].value.get("action_requests", [None]))
    if len(given.decisions) == 1 and count > 1:
        given = Decisions(decisions=given.decisions * count)
    return Command(resume=given.model_dump(mode="json"))
