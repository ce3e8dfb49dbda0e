"""Gate `ask_person`: a typed question whose answer is data.

The answer is stored under the question's key, and the node that asked runs again; an answer never chooses an edge.
Nothing answers for a person: with `--approvals auto` the run waits here too. A rule of the policy for the tool
`question` can set a deadline; past it the question counts as not answered.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime
from pydantic import ValidationError

from trainwright.graph.answers import Answers, Asked
from trainwright.graph.errors import Refusal, RequestError, RunBusy
from trainwright.graph.state import Decision, Decisions, Question, Settings, State, Status
from trainwright.tools.policy.actions import Action, Verdict

from .boundary import emit, failure
from .card_words import description
from .gate import Who, approval, one_decision
from .permission import judge
from .waiting import Kind, Reply, Shown, ask, put, review, settle, standing_of

__all__ = ["ask_person", "take_answer"]

ALLOWED: tuple[Kind, ...] = ("respond", "reject")
ON_NO = "nothing is answered for you: the run ends, and everything is kept"


async def ask_person(state: State, runtime: Runtime[Settings]) -> dict[str, Any]:
    """Gate: a question that only a person can answer."""
    question = state.question
    assert question is not None, "only a stage that asked leads here"
    try:
        return await _visit(state, question)
    except (GraphBubbleUp, RunBusy):
        raise
    except Exception as error:  # noqa: BLE001 - as in the boundary: a run that cannot ask ends with a report
        return {"problem": "", "question": None, **failure(error, question.back_to), "stopped_at": question.back_to}


async def _visit(state: State, question: Question) -> dict[str, Any]:
    shown = _shown(state, question)
    verdict = await asyncio.to_thread(_verdict, state, question)
    asked = await asyncio.to_thread(ask, state.run, str(len(state.approvals)), shown, verdict, state.problem)
    standing = standing_of(shown, asked, verdict)
    text = description(shown.text, shown.whole, standing, state.problem or asked.problem)
    payload = {**review([("ask_person", shown.whole, text)], ALLOWED), "shown": asked.key}
    try:
        reply = put(asked, payload)
    except ValidationError as error:
        return {"problem": f"That answer could not be used: {error.errors()[0]['msg']}."}
    try:
        return await asyncio.to_thread(_answered, question, state, asked, reply)
    except Refusal as error:
        return {"problem": f"That answer could not be used: {error} Answer the question with a text."}


def _shown(state: State, question: Question) -> Shown:
    card = question.model_dump(mode="json")
    return Shown("ask_person", card, question.text, {"on_no": ON_NO}, {}, number=len(state.approvals))


def _verdict(state: State, question: Question) -> Verdict:
    """The rule that sets a deadline, if one does. Why it asks is the question itself, whatever the policy says.

    An answer lets nothing happen, so that a policy that cannot be read keeps nobody from giving it: what it leads to is
    judged there.
    """
    facts = {"key": question.key, "stage": question.back_to}
    try:
        verdict = judge(Action("question", facts, text=question.text), state.settings or Settings())
    except RequestError as error:
        emit("note", state.run, text=f"This question has no deadline by a rule of now: {error}")
        return Verdict("ask", "", "")
    return replace(verdict, why="")


def _answered(question: Question, state: State, asked: Asked, reply: Reply) -> dict[str, Any]:
    def check(decisions: list[Decision]) -> None:
        decision = one_decision(Decisions(decisions=decisions), ALLOWED)
        if problem := take_answer(question, decision, state).get("problem"):
            raise Refusal(problem)

    settled = settle(asked, reply, check)
    try:
        check(settled.decisions)
    except Refusal as error:
        Answers().withdraw(asked.key, str(error))
        raise
    late = settled.late if settled.by == "rule" else ""
    update = take_answer(question, settled.decisions[0], state, rule=asked.rule, expired=late)
    if not settled.late:
        return update
    emit("note", state.run, text=settled.late)
    return {**update, "notes": [settled.late]}


def take_answer(
    question: Question, decision: Decision, state: State, *, rule: str = "", expired: str = ""
) -> dict[str, Any]:
    """The update that one answer makes; a wrong one is asked again with the reason.

    Args:
        question: what was asked.
        decision: the answer.
        state: the run's state.
        rule: the policy's rule that applied to the question.
        expired: where that rule's deadline passed and no person decided: so in words.
    """
    by: Who = "rule" if expired else "person"
    record = approval("ask_person", decision.type, by, question.model_dump(mode="json"), decision.message, rule)
    if decision.type == "reject":
        reason = expired or f"A person did not answer: {question.text}"
        return {
            "approvals": [record],
            "question": None,
            "problem": "",
            "status": Status.REJECTED,
            "reason": reason,
            "stopped_at": question.back_to,
        }
    given = decision.message.strip()
    if not given:
        return {"problem": "That is a question: answer it with a text."}
    if question.options and given not in question.options:
        close = [option for option in question.options if option.lower() == given.lower()]
        if len(close) != 1:
            return {"problem": f"{given!r} is none of the answers: {', '.join(question.options[:30])}."}
        given = close[0]
    update: dict[str, Any] = {"approvals": [record], "problem": "", "answers": {**state.answers, question.key: given}}
    if question.key == "data":
        update["request"] = state.request.model_copy(update={"data": given})
    return update
