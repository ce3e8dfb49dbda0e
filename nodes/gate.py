"""The common part of all gates: showing a card, binding the answer to it, validating the answer.

The payload is LangChain's human-in-the-loop request, which LangGraph Studio and Agent Chat UI render. Before the
interrupt a gate only notes in the table of runs that the run waits, which repeating does not change. A wrong answer
sends the gate back to itself with the reason: also an edit that changes nothing, or something that is not there to be
edited, since neither is a clear yes. This module holds no gate of its own and decides nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime
from langgraph.types import interrupt
from pydantic import ValidationError

from trainwright.graph.errors import Refusal, TrainwrightError
from trainwright.graph.runs import now, open_runs
from trainwright.graph.state import Approval, Decision, Decisions, Settings, State, Status

from .boundary import emit, failure

__all__ = ["Gate", "approval", "card_sha256", "gate_node", "one_decision", "review"]

Card = dict[str, Any]
Kind = Literal["approve", "edit", "reject", "respond"]


def card_sha256(card: Card) -> str:
    """The identity of what was shown."""
    return hashlib.sha256(json.dumps(card, sort_keys=True, default=str).encode()).hexdigest()


def approval(gate: str, decision: Kind, by: Literal["person", "rule"], card: Card, message: str = "") -> Approval:
    """The record of one decision."""
    return Approval(gate=gate, decision=decision, by=by, shown_sha256=card_sha256(card), message=message, at=now())


def review(actions: Sequence[tuple[str, dict[str, Any], str]], allowed: Sequence[Kind]) -> dict[str, Any]:
    """LangChain's human-in-the-loop request for (name, arguments, description) of each action."""
    return {
        "action_requests": [{"name": name, "args": args, "description": text} for name, args, text in actions],
        "review_configs": [{"action_name": name, "allowed_decisions": list(allowed)} for name, _, _ in actions],
    }


def one_decision(answer: Decisions, allowed: Sequence[Kind]) -> Decision:
    """The decision of an answer where one action was shown.

    Raises:
        Refusal: there are more, or it is of a type that this gate does not take.
    """
    if len(answer.decisions) != 1:
        raise Refusal(f"One decision is needed, {len(answer.decisions)} were given; none was taken.")
    decision = answer.decisions[0]
    if decision.type not in allowed:
        raise Refusal(f"{decision.type!r} is no answer here; the answers are {', '.join(allowed)}.")
    return decision


@dataclass(frozen=True)
class Gate:
    """One gate.

    Attributes:
        name: the node's name.
        card: what is shown; a pure function of the state (blocking).
        headline: one sentence that says what is asked.
        rule: the answer of `--approvals auto`: whether to approve, and why.
        on_approve: the update that an approval makes besides its record.
        on_reject: the update that a rejection with feedback makes besides its record and the feedback.
        on_edit: the update that edited arguments make, given only what differs from the card; TrainwrightError if they
            cannot be used. Nothing is written before they are known to be usable.
        editable: names of the arguments that can be edited.
        refused: final status when the rule says no.
    """

    name: str
    card: Callable[[State], Card]
    headline: Callable[[State], str]
    rule: Callable[[State, Card], tuple[bool, str]]
    on_edit: Callable[[State, dict[str, Any]], dict[str, Any]]
    on_reject: Callable[[State], dict[str, Any]]
    editable: tuple[str, ...]
    refused: Status = Status.GAVE_UP


ALLOWED: tuple[Kind, ...] = ("approve", "edit", "reject")


def gate_node(gate: Gate) -> Any:
    """The graph's node of a gate: `async (State, Runtime[Settings]) -> update` (typed as in `boundary.node`)."""

    async def run(state: State, runtime: Runtime[Settings]) -> dict[str, Any]:
        try:
            card = await asyncio.to_thread(gate.card, state)
        except Exception as error:  # noqa: BLE001 - as in the boundary: a run that cannot show its card ends with a report
            return {"problem": "", **failure(error, gate.name)}
        assert state.settings is not None, "the first node sets the settings"
        if state.settings.approvals == "auto":
            return _by_rule(gate, state, card)
        headline = gate.headline(state)
        waiting = {"gate": gate.name, "card": card, "text": headline, "problem": state.problem}
        await asyncio.to_thread(open_runs().update, state.run, stage=gate.name, status="waiting", waiting=waiting)
        shown = f"{state.problem}\n{headline}" if state.problem else headline
        try:
            answer = interrupt(review([(gate.name, card, shown)], ALLOWED), response_schema=Decisions)
        except ValidationError as error:
            first = error.errors()[0]
            return {"problem": f"That answer could not be used: {'.'.join(map(str, first['loc']))}: {first['msg']}."}
        try:
            return await asyncio.to_thread(_decide, gate, state, card, one_decision(answer, ALLOWED))
        except TrainwrightError as error:
            return {"problem": f"That answer could not be used: {error}"}
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return {"problem": "", **failure(error, gate.name)}

    run.__name__ = gate.name
    run.__doc__ = f"Gate: {gate.name.replace('_', ' ')}; a person or a rule answers."
    return run


def _by_rule(gate: Gate, state: State, card: Card) -> dict[str, Any]:
    yes, why = gate.rule(state, card)
    record = approval(gate.name, "approve" if yes else "reject", "rule", card, why)
    emit("approval", state.run, gate=gate.name, decision=record.decision, by="rule", why=why)
    update: dict[str, Any] = {"approvals": [record], "problem": ""}
    return update if yes else {**update, "status": gate.refused, "reason": why, "stopped_at": gate.name}


def _decide(gate: Gate, state: State, card: Card, decision: Decision) -> dict[str, Any]:
    record = approval(gate.name, decision.type, "person", card, decision.message)
    base: dict[str, Any] = {"approvals": [record], "problem": ""}
    if decision.type == "approve":
        update = base
    elif decision.type == "edit":
        update = {**base, **gate.on_edit(state, _edited(gate, card, decision))}
    elif decision.message.strip():
        update = {**base, "feedback": decision.message.strip(), **gate.on_reject(state)}
    else:
        reason = f"A person rejected at {gate.name} without feedback; nothing further was done."
        update = {**base, "status": Status.REJECTED, "reason": reason, "stopped_at": gate.name}
    emit("approval", state.run, gate=gate.name, decision=decision.type, by="person", why=decision.message)
    return update


def _edited(gate: Gate, card: Card, decision: Decision) -> Card:
    """The arguments that an edit really changes; a client may send the whole card back with its changes.

    Raises:
        Refusal: there are none, or one of them is not there to be edited.
    """
    action = decision.edited_action or {}
    arguments, name = action.get("args"), action.get("name", gate.name)
    editable = f"What can be edited here: {', '.join(gate.editable)}."
    if name != gate.name:
        raise Refusal(f"The edit is one of {str(name)[:60]!r}, not of {gate.name}.", hint=editable)
    if not isinstance(arguments, dict):
        raise Refusal("The edit has no `args`, a dictionary from name to new value.", hint=editable)
    shown = json.loads(json.dumps(card, default=str))
    changed = {str(key): value for key, value in arguments.items() if key not in shown or shown[key] != value}
    if not changed:
        raise Refusal("The edit changes nothing.", hint=f"{editable} To agree to what is shown, approve it.")
    if strange := sorted(set(changed) - set(gate.editable)):
        raise Refusal(f"{', '.join(strange)[:200]} cannot be edited.", hint=editable)
    return changed
