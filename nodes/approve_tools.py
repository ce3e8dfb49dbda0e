"""Gate `approve_tools`, inside a stage: the calls of one answer that the policy lets nobody but a person allow.

One interrupt lists all of them, and no call of the answer runs before each has its decision. Approve runs a call, edit
runs it with other arguments and the engineer is told which, reject gives the engineer the feedback, respond gives it the
person's words in place of the tool's. What was edited is judged by the policy again: a refusal holds, a question is
answered by the edit itself. An answer that does not fit sends the gate to itself with the reason. Nothing is run here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage
from langgraph.types import Command
from pydantic import ValidationError

from trainwright.engineers.protocol import Stage
from trainwright.graph.answers import Answers
from trainwright.graph.errors import Refusal, RequestError
from trainwright.graph.redaction import redact
from trainwright.graph.state import Approval, Decision, Settings, StageState, State
from trainwright.tools.policy.actions import Verdict
from trainwright.tools.toolbox import Workbench

from .boundary import emit
from .card_parts import PLACE, changed
from .card_parts import standing as what_remains
from .card_words import description
from .gate import approval
from .offered import offered
from .permission import permission, refused_words, words_of
from .putting_back import put_back
from .refusing import refuse_calls
from .think import ANSWER_LIMIT, load_bench, open_calls, send_calls
from .waiting import Card, Kind, Settled, Shown, ask, put, put_in_vain, review, settle, standing_of

__all__ = ["GATE", "approve_tools", "check_edit"]

GATE = "approve_tools"
ALLOWED: tuple[Kind, ...] = ("approve", "edit", "reject", "respond")
ON_NO = "the call is not run; the engineer reads your feedback, or your answer, and goes another way"

ESTIMATE = "none: nobody knows beforehand how long a call takes; it counts towards the limit of time"

Call = dict[str, Any]


def approve_tools(stage: Stage, state: StageState, limit: int = ANSWER_LIMIT) -> Command[Any]:
    """Ask about the calls of the last answer that need it, and send on what may run (blocking).

    Args:
        stage: whose calls they are.
        state: the stage's state; the calls are in its last message of the engineer.
        limit: characters of a tool's answer that the engineer takes.
    """
    bench = load_bench(state["run"], state["inputs"]).model_copy(update={"settings": state["settings"]})
    stage = offered(stage, bench)
    made = open_calls(next(m for m in reversed(state["transcript"]) if isinstance(m, AIMessage)))
    answered = {m.tool_call_id for m in state["transcript"] if isinstance(m, ToolMessage)}
    calls = [call for call in made if call["id"] not in answered]
    try:
        verdicts = {call["id"]: permission(stage, call, bench) for call in calls}
    except RequestError as error:
        return _without_policy(stage, state, error)
    forbidden = [call for call in calls if verdicts[call["id"]].decision == "refuse"]
    asking = _asking(stage, state, [call for call in calls if call not in forbidden], verdicts)
    free = [call for call in calls if call not in forbidden and call not in asking]
    decided: list[Approval] = []
    answers: list[ToolMessage] = []
    late = ""
    if asking:
        done = _ask(stage, state, bench, asking, verdicts)
        if isinstance(done, Command):
            return done
        decided, answers, run, late = done
        free += run
    messages, records = refuse_calls(state["run"], [(call, verdicts[call["id"]]) for call in forbidden])
    update: dict[str, Any] = {"decided": [*decided, *records], "transcript": [*answers, *messages]}
    if late:
        update["remarks"] = [late]
    return Command(goto=send_calls(stage, state, free, alone=len(made) == 1, limit=limit) or "think", update=update)


def _without_policy(stage: Stage, state: StageState, error: RequestError) -> Command[Any]:
    """The policy cannot be read: what was asked already is asked again, and no answer to it is taken meanwhile.

    Raises:
        RequestError: nothing was asked.
    """
    before = Answers().at_turn(state["run"], GATE, _turn(stage, state))
    if before is None:
        raise error
    reason = f"No answer can be taken now: {error}"
    texts = [_described(stage, one, {}, {}, reason) for one in before.card["calls"]]
    requests = [(one["name"], one["args"], text) for one, text in zip(before.card["calls"], texts, strict=True)]
    try:
        put_in_vain({**review(requests, ALLOWED), "shown": before.key})
    except ValidationError as wrong:
        reason = wrong.errors()[0]["msg"]
    return _again(state, before.key, reason, keep=True)


def _turn(stage: Stage, state: StageState) -> str:
    return f"{stage.name}/{state.get('attempt', 1)}/{state.get('repairs', 0)}/{state['steps']}"


def _asking(stage: Stage, state: StageState, calls: list[Call], verdicts: dict[str, Verdict]) -> list[Call]:
    """The calls that a person decides on: those of which the policy says so, and those that were asked about already."""
    before = Answers().at_turn(state["run"], GATE, _turn(stage, state))
    shown = [(c["name"], c["args"]) for c in before.card["calls"]] if before else []
    return [c for c in calls if verdicts[c["id"]].decision == "ask" or (c["name"], redact(c["args"])) in shown]


def _ask(
    stage: Stage, state: StageState, bench: Workbench, asking: list[Call], verdicts: dict[str, Verdict]
) -> Command[Any] | tuple[list[Approval], list[ToolMessage], list[Call], str]:
    """The records, the answers to calls that do not run, the calls that do, what came too late; or the gate again."""
    strictest = _strictest([verdicts[call["id"]] for call in asking])
    shown = _shown(stage, state, bench, asking)
    asked = ask(state["run"], _turn(stage, state), shown, strictest)
    texts = [
        _described(stage, one, shown.more, standing_of(shown, asked, verdicts[c["id"]]), asked.problem)
        for c, one in zip(asking, shown.card["calls"], strict=True)
    ]
    requests = [(one["name"], one["args"], text) for one, text in zip(shown.card["calls"], texts, strict=True)]
    try:
        reply = put(asked, {**review(requests, ALLOWED), "shown": asked.key})
    except ValidationError as error:
        return _again(state, asked.key, error.errors()[0]["msg"])

    def check(decisions: list[Decision]) -> None:
        for call, decision in zip(asking, decisions, strict=True):
            if decision.type == "edit":
                check_edit(stage, call, decision, bench)

    try:
        settled = settle(asked, reply, check)
    except Refusal as error:
        return _again(state, asked.key, str(error), keep=True)
    try:
        check(settled.decisions)
    except Refusal as error:
        return _again(state, asked.key, str(error))
    if settled.late:
        emit("note", state["run"], text=settled.late)
    return *_carried_out(state, shown.card, asking, verdicts, settled), settled.late


def _strictest(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that stands on the card: of those that ask, one with the earliest deadline."""
    asks = [verdict for verdict in verdicts if verdict.decision == "ask"] or list(verdicts)
    return min(asks, key=lambda one: float("inf") if one.deadline_hours is None else one.deadline_hours)


def _shown(stage: Stage, state: StageState, bench: Workbench, asking: list[Call]) -> Shown:
    calls = [redact({"name": c["name"], "args": c["args"], "does": words_of(stage, c, bench)}) for c in asking]
    names = ", ".join(dict.fromkeys(call["name"] for call in asking))
    card: Card = {"stage": stage.name, "on_no": ON_NO, "calls": calls}
    text = f"{stage.name} wants to call {names}."
    number = state["steps"]
    more = {"where": PLACE, "pays": _payer(state["settings"]), "estimate": ESTIMATE, "changed": _since(state, calls)}
    standing = what_remains(State(run=state["run"], settings=state["settings"]))
    return Shown(GATE, card, text, more, standing, actions=len(asking), number=number)


def _payer(settings: Settings) -> str:
    if settings.machine_usd_per_hour:
        return f"you, for {PLACE}, at ${settings.machine_usd_per_hour:g} an hour"
    return f"nobody: it runs on {PLACE}, which costs nothing"


def _since(state: StageState, calls: Sequence[Card]) -> list[str]:
    """What differs from the call of the same tool that was approved last, a line each."""
    before = Answers().agreed(state["run"], GATE) or {}
    rows = []
    for call in calls:
        args, last = call["args"], before.get(call["name"])
        names = list(dict.fromkeys([*(last or {}), *args]))
        rows += [f"{call['name']}, {row}" for row in changed(names, last, args)]
    return list(dict.fromkeys(rows))


def _described(stage: Stage, call: Card, more: Card, standing: Card, problem: str) -> str:
    rows = [row for row in more.get("changed", []) if row.startswith(f"{call['name']}, ")]
    card = {**more, "changed": rows, "action": "; ".join(call["does"]) or call["name"], "on_no": ON_NO}
    return description(f"{stage.name} wants to call {call['name']}.", card, standing, problem)


def _again(state: StageState, key: str, reason: str, *, keep: bool = False) -> Command[Any]:
    """The gate once more, with the reason on its card; `keep` what was stored of other answers."""
    problem = f"That answer could not be used: {reason}"
    if keep:
        Answers().explain(key, problem)
    else:
        Answers().withdraw(key, problem)
    emit("note", state["run"], text=problem)
    return Command(goto=GATE)


def check_edit(stage: Stage, call: Call, decision: Decision, bench: Workbench | None) -> dict[str, Any]:
    """The arguments of an edited call, if it can run with them.

    Args:
        stage: whose call it is.
        call: as it was made; the edit is one of its arguments as a card shows them.
        decision: the edit.
        bench: what the call acts on; None where only the form of the arguments is to be checked.

    Returns:
        The arguments, with the secrets that a card does not show where they were.

    Raises:
        Refusal: it names another tool, changes nothing, does not fit the tool, the policy refuses it, or it cannot be
            told which secret is meant.
    """
    action = decision.edited_action or {}
    name, arguments = action.get("name", call["name"]), action.get("args")
    tool = stage.tool(call["name"])
    if name != call["name"] or tool is None:
        raise Refusal(f"The edit is one of {str(name)[:60]!r}, not of {call['name']}.")
    if not isinstance(arguments, dict):
        raise Refusal(f"The edit of {name} has no `args`, a dictionary from name to new value.")
    shown = redact({"args": call["args"]})["args"]
    if arguments in (shown, call["args"]) or (arguments := put_back(shown, call["args"], arguments)) == call["args"]:
        raise Refusal(f"The edit of {name} changes nothing.", hint="To agree to the call as it is, approve it.")
    try:
        tool.arguments.model_validate(arguments)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "arguments"
        raise Refusal(f"The edited arguments of {name} do not fit: {where}: {first['msg']}.") from error
    if bench is not None and (verdict := permission(stage, {**call, "args": arguments}, bench)).decision == "refuse":
        raise Refusal(f"The edit of {name} cannot run. {refused_words(verdict)}")
    return arguments


def _carried_out(
    state: StageState, card: Card, asking: list[Call], verdicts: dict[str, Verdict], settled: Settled
) -> tuple[list[Approval], list[ToolMessage], list[Call]]:
    records, answers, run = [], [], []
    agreed = Answers().agreed(state["run"], GATE) or {}
    for call, decision in zip(asking, settled.decisions, strict=True):
        rule = verdicts[call["id"]].rule
        message = decision.message or (settled.late if settled.by == "rule" else "")
        records.append(approval(GATE, decision.type, settled.by, card, message, rule))
        emit("approval", state["run"], gate=GATE, decision=decision.type, by=settled.by, rule=rule, why=message)
        if decision.type in ("reject", "respond"):
            answers.append(_instead(call, decision, settled))
        elif decision.type == "edit":
            given = (decision.edited_action or {})["args"]
            arguments = put_back(redact({"args": call["args"]})["args"], call["args"], given)
            run.append({**call, "args": arguments, "changed": _changed(call["args"], arguments)})
        else:
            run.append(call)
    Answers().agree(state["run"], GATE, {**agreed, **{one["name"]: redact(one["args"]) for one in run}})
    return records, answers, run


def _instead(call: Call, decision: Decision, settled: Settled) -> ToolMessage:
    """What the engineer reads in place of the tool's answer."""
    if decision.type == "respond":
        content, status = f"A person answers, and the call was not run: {decision.message}", "success"
    else:
        who = "The deadline for an approval passed" if settled.by == "rule" else "A person rejected this call"
        said = decision.message or "no reason was given"
        content = json.dumps(redact({"error": f"{who}, and it was not run: {said}", "hint": "", "kind": "rejected"}))
        status = "error"
    return ToolMessage(content, tool_call_id=call["id"], name=call["name"], status=status)


def _changed(before: Card, after: Card) -> str:
    """What a person changed of a call's arguments, for the engineer."""
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    rows = [f"{name}: {_short(before.get(name))} → {_short(after.get(name))}" for name in names]
    return f"A person changed the arguments of this call before it ran. {'; '.join(rows)}"


def _short(value: Any) -> str:
    text = json.dumps(redact(value), ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:297]}..."
