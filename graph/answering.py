"""Answers to what a run waits for: stored first, then handed to the waiting gate as the command that goes on.

An answer is stored before anybody drives the run, so that the first one counts whichever process gets to drive, and one
that was killed on the way is found by the next resume. One of several actions can be answered alone: nothing goes on
until all of them are. This module neither decides nor drives: a gate validates what it is given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from langgraph.types import Command, StateSnapshot

from .answers import Answers, Asked, too_late
from .errors import AGAIN, RequestError, RunBusy
from .lease import busy, holder
from .runs import RunRow, open_runs
from .state import Decision, Decisions, State
from .workflow import Compiled

__all__ = ["answered", "at_work", "offered", "trying_again"]

Given = Decisions | str


def offered(
    row: RunRow, given: Given, only: Sequence[int] = (), via: str = "a program", shown: str = ""
) -> Asked | None:
    """Store an answer, if it is the first; None where nothing is stored and the gate itself must judge it.

    Args:
        row: the run as it waits.
        given: one decision for each action that is open (or that `only` names), or one for all of them; a text answers
            a question.
        only: numbers of the actions that it is for, from 1; all that are open when empty.
        via: where it comes from, in a word, for who comes later.
        shown: `shown` of what was answered, where the person saw it; empty if that is not known.

    Raises:
        TooLate: somebody else answered differently before, or something else is shown by now.
        RequestError: `only` names what is not there.
    """
    there = Answers().last(row.name)
    if shown and (there is None or there.key != shown):
        known = Answers().of_key(shown)
        raise too_late(known) if known else RequestError("Something else is shown by now.", hint=_see(row))
    # Who names the card by `shown` is told what was decided on it, though the run has gone on meanwhile.
    if there is None or ((row.waiting or {}).get("shown") != there.key and (there.open or there.key != shown)):
        if only:
            raise RequestError(f"{row.name} does not wait for several answers.", hint=_see(row))
        return None
    if there.open and there.expired:
        return there
    numbers = _numbers(there, only, row)
    decisions = _decisions(given)
    if len(decisions) == 1:
        decisions = decisions * len(numbers)
    if len(decisions) != len(numbers):
        return None
    return Answers().give(there.key, _dumped(numbers, decisions), via)


def at_work(run: str, asked: Asked | None, error: RunBusy) -> RunBusy:
    """What an answer is told while somebody else works on the run (blocking).

    Args:
        run: its name.
        asked: what `offered` made of the answer.
        error: what says that the run is taken.
    """
    if asked is not None and not (asked.open and asked.expired):
        hint = f"`trainwright resume {run}` carries it out if that process does not."
        return busy(run, holder(run), "your answer is stored and counts", hint)
    last = Answers().last(run)
    return RunBusy(f"{error.message}{_said(last)}", hint=error.hint) if _said(last) else error


def _numbers(there: Asked, only: Sequence[int], row: RunRow) -> list[int]:
    """The actions that an answer is for; all of them where none is open, so that a second answer is told so."""
    wrong = [number for number in only if not 1 <= number <= there.actions]
    if wrong:
        raise RequestError(
            f"There is no action {', '.join(map(str, wrong))}: {row.name} waits for {there.actions}.", hint=_see(row)
        )
    return list(dict.fromkeys(only)) or there.open or list(range(1, there.actions + 1))


def _decisions(given: Given) -> list[Decision]:
    return [Decision(type="respond", message=given)] if isinstance(given, str) else list(given.decisions)


def _dumped(numbers: Sequence[int], decisions: Sequence[Decision]) -> dict[int, dict[str, Any]]:
    return {number: one.model_dump(mode="json") for number, one in zip(numbers, decisions, strict=True)}


def _see(row: RunRow) -> str:
    return f"`trainwright show {row.name}` shows what it waits for."


async def answered(graph: Compiled, row: RunRow, given: Given, asked: Asked | None = None) -> Command[Any] | None:
    """The command that hands the answer to the waiting gate; None while some of its actions are open.

    Args:
        graph: the graph.
        row: the run, whose lease this process holds.
        given: the answer.
        asked: what `offered` made of it.

    Raises:
        TooLate: meanwhile the run went on.
        RequestError: it waits for nothing.
    """
    snapshot = await graph.aget_state({"configurable": {"thread_id": row.thread_id}})
    last = await asyncio.to_thread(Answers().last, row.name)
    # A kill between the row that says "waiting" and the interrupt leaves a task that has yet to ask: it is answered so.
    about_to = bool(snapshot.tasks) and last is not None and (row.waiting or {}).get("shown") == last.key
    if asked is not None and (last is None or last.key != asked.key or not (snapshot.interrupts or about_to)):
        raise too_late(asked)
    if not snapshot.interrupts and asked is None:
        raise RequestError(f"{row.name} waits for nothing.{_said(last)}", hint=f"Its status is {row.status}.")
    if asked is not None and last is not None:
        if last.open and not last.expired:
            return None
        return _resume(last, _decisions(given))
    decisions = _decisions(given)
    count = len(snapshot.interrupts[0].value.get("action_requests", [None]))
    if len(decisions) == 1 and count > 1:
        decisions = decisions * count
    return Command(resume=Decisions(decisions=decisions).model_dump(mode="json"))


def _resume(asked: Asked, otherwise: Sequence[Decision]) -> Command[Any]:
    """The stored answers for the gate; for one whose deadline has passed, whatever was answered."""
    stored = [asked.answers[number].decision for number in sorted(asked.answers)]
    decisions = [one.model_dump(mode="json") for one in otherwise] if asked.open else stored
    return Command(resume={"decisions": decisions, "shown": asked.key})


def _said(last: Asked | None) -> str:
    return f" {last.said()}." if last is not None and last.answers else ""


def trying_again(snapshot: StateSnapshot, state: State | None) -> Command[Any] | None:
    """The command with which a run that waits goes on without a person (blocking); None if it needs one.

    It does if the answer is stored already, if the deadline of the question has passed, and if trying again is an
    answer to it.
    """
    asked = _asked_by(snapshot)
    if asked is not None and (not asked.open or asked.expired):
        return _resume(asked, [Decision(type="reject")])
    if state is None or state.question is None or AGAIN not in state.question.options:
        return None
    return Command(resume=Decisions(decisions=[Decision(type="respond", message=AGAIN)]).model_dump(mode="json"))


def _asked_by(snapshot: StateSnapshot) -> Asked | None:
    """What this run asks; a fork shows the request of the run that it came from until it has asked itself."""
    value = snapshot.interrupts[0].value if snapshot.interrupts else None
    row = open_runs().of_thread(str(snapshot.config.get("configurable", {}).get("thread_id", "")))
    if not isinstance(value, dict) or row is None:
        return None
    asked = Answers().of_key(str(value.get("shown", "")))
    return asked if asked is not None and asked.run == row.name else None
