"""The common part of the gates of the process: policy, card, answer.

The policy decides first: what it refuses ends the run with the rule, what it allows is approved by that rule if the
gate's own guard holds, and of all else a person is asked. The payload is LangChain's human-in-the-loop request, which
LangGraph Studio and Agent Chat UI render. Before the interrupt a gate only notes that the run waits, which repeating
does not change. A wrong answer sends the gate back to itself with the reason: also an edit that changes nothing, or
something that is not there to be edited, since neither is a clear yes. This module holds no gate of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime
from pydantic import ValidationError

from trainwright.graph.answers import Answers, Asked
from trainwright.graph.errors import Refusal, RequestError, RunBusy, TrainwrightError
from trainwright.graph.runs import now
from trainwright.graph.state import Approval, Decision, Decisions, Settings, State, Status
from trainwright.tools.policy.actions import Action, Verdict

from .boundary import changes_said, emit, failure, with_limits
from .card_words import description
from .permission import judge, refused_words
from .waiting import Card, Kind, Reply, Shown, ask, card_sha256, put, put_in_vain, review, settle, standing_of

__all__ = [
    "ALLOWED",
    "Gate",
    "Kind",
    "Who",
    "approval",
    "card_sha256",
    "edited",
    "gate_node",
    "one_decision",
    "review",
]

Update = dict[str, Any]
Who = Literal["person", "rule"]


def approval(gate: str, decision: Kind, by: Who, card: Card, message: str = "", rule: str = "") -> Approval:
    """The record of one decision."""
    return Approval(
        gate=gate, decision=decision, by=by, rule=rule, shown_sha256=card_sha256(card), message=message, at=now()
    )


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
        card: what is shown and bound; a pure function of the state (blocking).
        headline: one sentence that says what is asked.
        action: what an approval would let happen, for the policy.
        rule: the guard of an approval by rule: whether it holds, and why.
        check: raises TrainwrightError if edited arguments, only those that differ from the card, cannot be used.
        on_edit: the update that they make; checked before.
        on_reject: the update that a rejection with feedback makes besides its record and the feedback.
        editable: names of the arguments that can be edited.
        more: what is shown besides the card, given what was last agreed to here, if anything: what changed since.
        standing: what is shown besides and changes by itself.
        edit_agrees: whether an edit is an approval of what it makes, and is not shown again.
        refused: final status when the policy, or the guard, says no.
    """

    name: str
    card: Callable[[State], Card]
    headline: Callable[[State], str]
    action: Callable[[State, Card], Action]
    rule: Callable[[State, Card], tuple[bool, str]]
    check: Callable[[State, Card], object]
    on_edit: Callable[[State, Card], Update]
    on_reject: Callable[[State], Update]
    editable: tuple[str, ...]
    more: Callable[[State, Card, Card | None], Card]
    standing: Callable[[State], Card]
    edit_agrees: bool = False
    refused: Status = Status.GAVE_UP


ALLOWED: tuple[Kind, ...] = ("approve", "edit", "reject")


@dataclass(frozen=True)
class _Wait:
    """A person is asked: the state and the card, the verdict that led here, and what is stored.

    `broken` says why no answer can be taken now: the policy cannot be read.
    """

    state: State
    shown: Shown
    verdict: Verdict
    asked: Asked
    broken: str = ""


def gate_node(gate: Gate) -> Any:
    """The graph's node of a gate: `async (State, Runtime[Settings]) -> update` (typed as in `boundary.node`)."""

    async def run(state: State, runtime: Runtime[Settings]) -> Update:
        assert state.settings is not None, "the first node sets the settings"
        before = state.settings
        settings = with_limits(before, runtime.context)
        state = state.model_copy(update={"settings": settings})
        update = await _visit(gate, state)
        if settings == before:
            return update
        return {**update, "settings": settings, "notes": [*update.get("notes", []), changes_said(before, settings)]}

    run.__name__ = gate.name
    run.__doc__ = f"Gate: {gate.name.replace('_', ' ')}; a person or a rule answers."
    return run


async def _visit(gate: Gate, state: State) -> Update:
    try:
        begun = await asyncio.to_thread(_begin, gate, state)
    except RunBusy:
        raise
    except Exception as error:  # noqa: BLE001 - as in the boundary: a run that cannot show its card ends with a report
        return {"problem": "", **failure(error, gate.name)}
    if not isinstance(begun, _Wait):
        return begun
    shown = begun.shown
    standing = standing_of(shown, begun.asked, begun.verdict)
    text = description(shown.text, shown.whole, standing, state.problem or begun.asked.problem)
    payload = {**review([(gate.name, shown.whole, text)], ALLOWED), "shown": begun.asked.key}
    try:
        if begun.broken:
            put_in_vain(payload)
            return {"problem": begun.broken}
        reply = put(begun.asked, payload)
    except ValidationError as error:
        first = error.errors()[0]
        return {"problem": f"That answer could not be used: {'.'.join(map(str, first['loc']))}: {first['msg']}."}
    try:
        return await asyncio.to_thread(_answered, gate, begun, reply)
    except TrainwrightError as error:
        return {"problem": f"That answer could not be used: {error}"}
    except GraphBubbleUp:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        return {"problem": "", **failure(error, gate.name)}


def _begin(gate: Gate, state: State) -> _Wait | Update:
    """What the policy decides by itself, or what a person is to decide."""
    assert state.settings is not None
    card, turn = gate.card(state), str(len(state.approvals))
    asked_already = Answers().at_turn(state.run, gate.name, turn)  # then the answer is waited for
    broken = ""
    try:
        verdict = judge(gate.action(state, card), state.settings, stage=gate.name)
    except RequestError as error:
        if asked_already is None:
            raise
        verdict, broken = Verdict("ask", asked_already.rule, ""), f"No answer can be taken now: {error}"
    if verdict.decision == "refuse":
        return _forbidden(gate, state, card, verdict)
    if verdict.decision == "allow" and asked_already is None and _guarded(gate, state, card):
        return _by_rule(gate, state, card, verdict.rule)
    more = gate.more(state, card, Answers().agreed(state.run, gate.name))
    shown = Shown(gate.name, card, gate.headline(state), more, gate.standing(state), number=len(state.approvals))
    asked = ask(state.run, turn, shown, verdict, broken or state.problem)
    return _Wait(state, shown, verdict, asked, broken)


def _guarded(gate: Gate, state: State, card: Card) -> bool:
    """Whether a rule can decide: its guard holds, or nobody is to be asked and the run ends with the reason."""
    return (state.settings or Settings()).approvals == "auto" or gate.rule(state, card)[0]


def _forbidden(gate: Gate, state: State, card: Card, verdict: Verdict) -> Update:
    why = refused_words(verdict)
    record = approval(gate.name, "reject", "rule", card, why, verdict.rule)
    emit("approval", state.run, gate=gate.name, decision="reject", by="rule", rule=verdict.rule, why=why)
    return {"approvals": [record], "problem": "", "status": gate.refused, "reason": why, "stopped_at": gate.name}


def _by_rule(gate: Gate, state: State, card: Card, rule: str = "") -> Update:
    """A rule allows it; the gate's own guard has the last word."""
    yes, why = gate.rule(state, card)
    record = approval(gate.name, "approve" if yes else "reject", "rule", card, why, rule)
    emit("approval", state.run, gate=gate.name, decision=record.decision, by="rule", rule=rule, why=why)
    update: Update = {"approvals": [record], "problem": ""}
    if not yes:
        return {**update, "status": gate.refused, "reason": why, "stopped_at": gate.name}
    Answers().agree(state.run, gate.name, card)
    return update


def _answered(gate: Gate, wait: _Wait, reply: Reply) -> Update:
    """The update that the answer which counts makes.

    Raises:
        TrainwrightError: it cannot be used, and is no longer kept.
    """
    state, shown = wait.state, wait.shown

    def check(decisions: list[Decision]) -> None:
        decision = one_decision(Decisions(decisions=decisions), ALLOWED)
        if decision.type == "edit":
            gate.check(state, edited(gate, shown.whole, decision))

    settled = settle(wait.asked, reply, check)
    try:
        check(settled.decisions)
        update = _decide(gate, state, shown.card, settled.decisions[0], settled.by, wait.verdict.rule, shown.more)
    except TrainwrightError as error:
        Answers().withdraw(wait.asked.key, str(error))
        raise
    if not settled.late:
        return update
    emit("note", state.run, text=settled.late)
    reason = {"reason": settled.late} if settled.by == "rule" else {}
    return {**update, **reason, "notes": [*update.get("notes", []), settled.late]}


def _decide(
    gate: Gate,
    state: State,
    card: Card,
    decision: Decision,
    by: Who = "person",
    rule: str = "",
    more: Card | None = None,
) -> Update:
    record = approval(gate.name, decision.type, by, card, decision.message, rule)
    base: Update = {"approvals": [record], "problem": ""}
    if decision.type == "approve":
        update = base
        Answers().agree(state.run, gate.name, card)
    elif decision.type == "edit":
        update = {**base, **gate.on_edit(state, edited(gate, {**card, **(more or {})}, decision))}
        if gate.edit_agrees:
            Answers().agree(state.run, gate.name, gate.card(state.model_copy(update=update)))
    elif decision.message.strip():
        update = {**base, "feedback": decision.message.strip(), **gate.on_reject(state)}
    else:
        reason = f"A person rejected at {gate.name} without feedback; nothing further was done."
        update = {**base, "status": Status.REJECTED, "reason": reason, "stopped_at": gate.name}
    emit("approval", state.run, gate=gate.name, decision=decision.type, by=by, rule=rule, why=decision.message)
    return update


def edited(gate: Gate, card: Card, decision: Decision) -> Card:
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
