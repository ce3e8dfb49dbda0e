"""Gate `ask_person`: a typed question whose answer is data.

The answer is stored under the question's key, and the node that asked runs again; an answer never chooses an edge.
Nothing answers for a person: with `--approvals auto` the run waits here too.
"""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt
from pydantic import ValidationError

from trainwright.graph.errors import Refusal
from trainwright.graph.runs import open_runs
from trainwright.graph.state import Decision, Decisions, Question, Settings, State, Status

from .gate import Kind, approval, one_decision, review

__all__ = ["ask_person"]

ALLOWED: tuple[Kind, ...] = ("respond", "reject")


async def ask_person(state: State, runtime: Runtime[Settings]) -> dict[str, Any]:
    """Gate: a question that only a person can answer."""
    question = state.question
    assert question is not None, "only a stage that asked leads here"
    card = question.model_dump(mode="json")
    text = f"{state.problem}\n{question.text}" if state.problem else question.text
    waiting = {"gate": "ask_person", "card": card, "text": question.text, "problem": state.problem}
    await asyncio.to_thread(open_runs().update, state.run, stage="ask_person", status="waiting", waiting=waiting)
    try:
        answer = interrupt(review([("ask_person", card, text)], ALLOWED), response_schema=Decisions)
    except ValidationError as error:
        return {"problem": f"That answer could not be used: {error.errors()[0]['msg']}."}
    try:
        return take_answer(question, one_decision(answer, ALLOWED), state)
    except Refusal as error:
        return {"problem": f"That answer could not be used: {error} Answer the question with a text."}


def take_answer(question: Question, decision: Decision, state: State) -> dict[str, Any]:
    """The update that one answer makes; a wrong one is asked again with the reason."""
    record = approval("ask_person", decision.type, "person", question.model_dump(mode="json"), decision.message)
    if decision.type == "reject":
        reason = f"A person did not answer: {question.text}"
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
