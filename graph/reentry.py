"""Going back into a graph that was killed, has stopped or has ended: where, with which settings, and whether at all.

A run that was killed in the middle of a step goes on with nothing; one that has ended is put in front of the node at
which it stopped. This module does not drive the graph.
"""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from trainwright.engineers import check_engineer
from trainwright.nodes.boundary import CHANGEABLE, changes_said

from . import routing
from .answering import trying_again
from .errors import RequestError
from .registration import check_places
from .runs import RunRow
from .state import SCHEMA_VERSION, Request, Settings, StageLimits, State, Status
from .workflow import Compiled

__all__ = ["ENDED_FOR_GOOD", "Changes", "check_change", "config_of", "context_of", "taken_up"]

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
    names = ("engineer", "fallback", "base_url", "effort", "context_tokens")
    if not any(name in changed for name in names):
        return
    kept = Settings.model_validate(row.settings or {})
    if changed.get("engineer", kept.engineer) != kept.engineer:
        for name in names[1:]:  # they belonged to the other model
            if getattr(kept, name):
                changed.setdefault(name, type(getattr(kept, name))())
    check_engineer(kept.model_copy(update=changed))


async def taken_up(graph: Compiled, row: RunRow, limits: dict[str, Any], data: str | None) -> Any:
    """What the graph is invoked with to go on: nothing, or the request where no checkpoint was written yet."""
    config = config_of(row.thread_id)
    snapshot = await graph.aget_state(config)
    state = State.model_validate(snapshot.values) if snapshot.values else None
    if state is not None and state.schema_version > SCHEMA_VERSION:
        raise RequestError(
            f"{row.name} was made by a newer Trainwright (state {state.schema_version}, this one knows {SCHEMA_VERSION}).",
            hint="Update Trainwright, and resume the run.",
        )
    if snapshot.interrupts:
        if again := trying_again(snapshot, state):
            return again
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
    cap = limits.get("step_cap")
    if cap is not None and cap <= row.steps:
        raise RequestError(
            f"{row.name} has taken {row.steps} steps already; a cap of {cap} would stop it at once.",
            hint=f"Give a higher one: --step-cap {row.steps * 2}.",
        )


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
        "submissions", "feedback", "answers", "carry",
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
