"""Going back into a graph that was killed, has stopped or has ended: where, with which settings, and whether at all.

A run that was killed in the middle of a step goes on with nothing; one that has ended is put in front of the node at
which it stopped. This module does not drive the graph.
"""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot
from typing_extensions import TypedDict

from trainwright.engineers import check_engineer
from trainwright.nodes.boundary import CHANGEABLE, changes_said

from . import ledger, routing
from .answering import trying_again
from .database import transaction
from .errors import RequestError
from .integrity import check_files, state_of
from .limits import check_lowered, merged
from .registration import check_places
from .runs import RunRow
from .state import Request, Settings, StageLimits, State, Status
from .workflow import Compiled

__all__ = ["ENDED_FOR_GOOD", "Changes", "check_change", "config_of", "context_of", "looked_at", "taken_up"]

RECURSION_LIMIT = 100_000
"""LangGraph's own backstop; the real cap is `Settings.step_cap`, which survives a resume."""

ENDED_FOR_GOOD = ("published", "rejected")


class Changes(TypedDict, total=False):
    """What a resume may change of the settings; None leaves a setting as it is."""

    step_cap: int | None
    max_hours: float | None
    max_usd: float | None
    max_model_usd: float | None
    max_gpu_hours: float | None
    max_tokens: int | None
    stages: dict[str, StageLimits] | None
    model_price: str | None
    machine_usd_per_hour: float | None
    engineer: str | None
    fallback: str | None
    base_url: str | None
    effort: str | None
    context_tokens: int | None
    offline: bool | None
    research_parallel: int | None
    research_turns: int | None
    research_max_usd: float | None
    research_max_tokens: int | None
    research_minutes: float | None


def config_of(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}, "recursion_limit": RECURSION_LIMIT}


def context_of(row: RunRow, changed: dict[str, Any]) -> Settings:
    """What an invocation says of the settings: what the row has of those that may change, and what changes now.

    A stage that was stopped before its next turn still has the settings from before the last change.
    """
    kept = {name: value for name, value in (row.settings or {}).items() if name in CHANGEABLE}
    return Settings.model_validate({**kept, **changed})


def check_change(row: RunRow, changed: dict[str, Any]) -> None:
    """Refuse an engineer that cannot be there before anything is changed; leaving one model takes its address along."""
    if "stages" in changed:
        changed["stages"] = merged(Settings.model_validate(row.settings or {}).stages, changed["stages"])
    names = ("engineer", "fallback", "base_url", "effort", "context_tokens", "model_price")
    if not any(name in changed for name in names):
        return
    kept = Settings.model_validate(row.settings or {})
    if changed.get("engineer", kept.engineer) != kept.engineer:
        for name in names[1:]:  # they belonged to the other model
            if getattr(kept, name):
                changed.setdefault(name, type(getattr(kept, name))())
    check_engineer(kept.model_copy(update=changed))


async def looked_at(graph: Compiled, row: RunRow, *, with_files: bool = True) -> tuple[StateSnapshot, State | None]:
    """Where a run stands, once it is sure that this release can read it and that its files are as it left them.

    Raises:
        RequestError: they are not; or another release made it, and this one cannot go on with it.
    """
    snapshot = await graph.aget_state(config_of(row.thread_id), subgraphs=True)
    state = state_of(snapshot, row)
    if with_files and state is not None and state.run and str(state.status) not in ENDED_FOR_GOOD:
        await asyncio.to_thread(check_files, snapshot, state)
    return snapshot, state


async def taken_up(graph: Compiled, row: RunRow, limits: dict[str, Any], data: str | None) -> Any:
    """What the graph is invoked with to go on: nothing, or the request where no checkpoint was written yet."""
    config = config_of(row.thread_id)
    snapshot, state = await looked_at(graph, row, with_files=data is None)
    if snapshot.interrupts:
        if again := await asyncio.to_thread(trying_again, snapshot, state):
            return again
        if limits and data is None:
            _check_cap(row, limits)
            return None  # it shows again what it asks, with what the new limits leave
        raise RequestError(
            f"{row.name} waits for an answer.", hint=f"`trainwright show {row.name}` shows the question."
        )
    if snapshot.tasks:  # not `next`, which leaves out a task that has run when a kill came before its checkpoint
        _check_cap(row, limits)
        if data is not None:
            raise RequestError(
                f"{row.name} is in the middle of a step; its data can change only where it has stopped.",
                hint=f"`trainwright resume {row.name}` without --data goes on.",
            )
        return None
    if state is None or not state.run:
        if row.request is None:
            raise RequestError(f"{row.name} was killed before its first checkpoint.", hint="Start it again.")
        request = Request.model_validate(row.request)
        return {"request": request if data is None else _with_data(request, data)}
    _check_cap(row, limits)
    await _reenter(graph, config, state, _changes(state, limits, data), row)
    return None


def _check_cap(row: RunRow, limits: dict[str, Any]) -> None:
    """Refuse a limit at or below what is used already."""
    before = Settings.model_validate(row.settings or {})
    after = Settings.model_validate({**(row.settings or {}), **limits})
    with transaction(ledger.SCHEMA) as db:
        check_lowered(row.name, ledger.Ledger.sums(db, row.name), before, after, limits)


def _changes(state: State, raised: dict[str, Any], data: str | None) -> dict[str, Any]:
    settings = state.settings or Settings()
    changes: dict[str, Any] = {}
    if raised:
        changes["settings"] = Settings.model_validate({**settings.model_dump(), **raised})
        changes["notes"] = [changes_said(settings, changes["settings"])]
    if data is not None:
        changes["request"] = _with_data(state.request, data)
        changes["notes"] = [*changes.get("notes", []), f"Resumed with other data: {changes['request'].data[:200]}."]
    return changes


def _with_data(request: Request, data: str) -> Request:
    fresh = Request.model_validate({**request.model_dump(), "data": data})
    check_places(fresh)
    return fresh


def _fresh() -> dict[str, Any]:
    """What other data make of the state: nothing that was learnt from the earlier ones stays."""
    left = State()
    names = (
        "plan", "dataset", "code", "sandbox", "job", "evaluation", "attempt", "accepted", "attempts", "repairs",
        "submissions", "contradicted", "feedback", "answers", "carry",
    )  # fmt: skip
    return {name: getattr(left, name) for name in names}


async def _reenter(graph: Compiled, config: RunnableConfig, state: State, changes: dict[str, Any], row: RunRow) -> None:
    """Put a run that has ended back in front of the node at which it stopped."""
    if str(state.status) in ENDED_FOR_GOOD:
        raise RequestError(f"{row.name} has ended: {state.status}.", hint="Start a new run.")
    at = state.stopped_at
    if state.status == Status.DRY_RUN:
        at = "approve_plan"
        settings = changes.get("settings") or state.settings or Settings()
        changes["settings"] = settings.model_copy(update={"dry_run": False})
    if "request" in changes:
        at = at if at in ("read_paper", "plan") else "plan"
        changes |= _fresh()
    if at not in routing.BEFORE:
        raise RequestError(f"{row.name} has ended: {state.status}. {state.reason}", hint="Start a new run.")
    changes |= {"status": Status.RUNNING, "reason": "", "problem": "", "question": None}
    if at == "write_code" and state.status in (Status.FAILED, Status.GAVE_UP) and not state.carry:
        changes["repairs"] = 0
    if at == "read_paper":
        # What is written as the start counts as the graph's input, which is the request alone: so in two steps.
        await graph.aupdate_state(config, changes, as_node="wrap_up")
        changes = {"request": changes.get("request", state.request)}
    await graph.aupdate_state(config, changes, as_node=routing.BEFORE[at])
