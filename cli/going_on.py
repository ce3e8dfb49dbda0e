"""Going on with a run: `resume`, and the answers `approve`, `reject`, `answer` and `edit`.

What cannot be is refused here with the command that would be right; the rest is the driver's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

from trainwright.graph.answers import Answers, Asked
from trainwright.graph.errors import AGAIN, RequestError
from trainwright.graph.lease import busy, holder
from trainwright.graph.runs import RunRow, open_runs

__all__ = [
    "Kind",
    "answering",
    "asked_of",
    "being_driven",
    "decide",
    "effective_status",
    "hand_in",
    "resume_run",
    "waiting_row",
]


def being_driven(row: RunRow) -> bool:
    """Whether somebody is at work on the run: a terminal, a program or a server."""
    return row.status == "running" and holder(row.name) is not None


def effective_status(row: RunRow) -> str:
    """The status as it is: a run that says it is running, but whose process is gone, was interrupted."""
    return "interrupted" if row.status == "running" and not being_driven(row) else row.status


def resume_run(run: str, *, data: str | None, as_json: bool, **flags: Any) -> int:
    """Go on with a run; the flags change its limits and its model.

    Raises:
        RequestError: the flags cannot be used, the run waits for an answer, or is at work.
    """
    from .request import changes_from_flags, data_spec

    changes = changes_from_flags(**flags)
    row = open_runs().resolve(run)
    if being_driven(row):
        raise busy(row.name, holder(row.name))
    waits = row.waiting is not None and row.status == "waiting"
    # With other limits it asks again: what remains is on the card.
    if waits and not changes and not _goes_on_alone(row):
        raise RequestError(f"{row.name} waits for an answer.", hint=_right_command(row))
    place = data_spec(data) if data else None
    from trainwright.graph import driver

    from .session import follow

    return follow(lambda: driver.resume(row.name, data=place, **changes), as_json=as_json)


Kind = Literal["approve", "edit", "reject", "respond"]


def decide(
    run: str,
    kind: Literal["approve", "reject", "respond"],
    message: str | None,
    *,
    as_json: bool,
    only: Sequence[int] = (),
) -> int:
    """Answer what a run waits for, and go on.

    Args:
        run: name or unique prefix.
        kind: the type of the decision.
        message: feedback of a rejection, or the answer.
        as_json: JSON lines instead of words.
        only: numbers of the actions that it is for; all that are open when empty.

    Raises:
        RequestError: it waits for nothing, or for an answer of another kind; or the message is empty, or names data
            that are not there.
    """
    row = waiting_row(run)
    _check_kind(row, kind)
    message = _checked(row, kind, message)
    return hand_in(row, kind, message, only=only, as_json=as_json)


def waiting_row(run: str) -> RunRow:
    """The run, if it waits.

    Raises:
        RequestError: it waits for nothing; what was decided last is said.
    """
    row = open_runs().resolve(run)
    if row.status == "waiting" and row.waiting is not None:
        return row
    last = Answers().last(row.name)
    said = f" {last.said()}." if last is not None and last.answers else ""
    raise RequestError(
        f"{row.name} waits for nothing: its status is {effective_status(row).replace('_', ' ')}.{said}",
        hint=f"`trainwright show {row.name}` says more.",
    )


def asked_of(row: RunRow) -> Asked | None:
    """What a run that waits asks, as it is stored with the answers so far."""
    last = Answers().last(row.name)
    return last if last is not None and (row.waiting or {}).get("shown") == last.key else None


def _goes_on_alone(row: RunRow) -> bool:
    """Whether `resume` is enough: the answer is stored, the deadline has passed, it may just try again, or a kill came before it asked."""
    asked = asked_of(row)
    card = (row.waiting or {}).get("card") or {}
    if AGAIN in card.get("options", []) or (asked is not None and (not asked.open or asked.expired)):
        return True
    import asyncio

    from trainwright.graph import driver

    return asyncio.run(driver.about_to_ask(row.name))


def _check_kind(row: RunRow, kind: Kind) -> None:
    gate = (row.waiting or {}).get("gate")
    fits = {"approve": gate != "ask_person", "respond": gate in ("ask_person", "approve_tools"), "reject": True}
    if not fits[kind]:
        what = "an answer" if gate == "ask_person" else "an approval"
        raise RequestError(f"{row.name} waits for {what}.", hint=_right_command(row))


def _checked(row: RunRow, kind: Kind, message: str | None) -> str:
    if message is None:
        return ""
    message = message.strip()
    if not message and kind != "approve":
        flag = "--feedback" if kind == "reject" else "TEXT"
        raise RequestError(f"{flag} is empty.", hint="Say something.")
    if any("\ud800" <= character <= "\udfff" for character in message):
        raise RequestError("That is not UTF-8 text.", hint="Use a UTF-8 terminal.")
    if kind == "respond" and message:
        from .request import answer_spec

        return answer_spec(row.waiting or {}, message)
    return message


def hand_in(
    row: RunRow,
    kind: Kind,
    message: str = "",
    *,
    edited: dict[str, Any] | None = None,
    only: Sequence[int] = (),
    as_json: bool,
) -> int:
    """Hand a decision in and follow the run; the exit code.

    Args:
        row: the run as it waits: the decision is for what it shows.
        kind, message: the decision.
        edited: name and arguments of the action, for an edit.
        only: as in `decide`.
        as_json: JSON lines instead of words.
    """
    from .session import follow

    shown = str((row.waiting or {}).get("shown", ""))
    return follow(lambda: answering(row.name, kind, message, edited, only, shown), as_json=as_json)


def answering(
    run: str, kind: Kind, message: str, edited: dict[str, Any] | None, only: Sequence[int], shown: str
) -> AsyncIterator[dict[str, Any]]:
    """The events of a run that is answered from here."""
    from trainwright.graph import driver
    from trainwright.graph.state import Decision, Decisions

    decision = Decision(type=kind, message=message, edited_action=edited)
    return driver.answer(run, Decisions(decisions=[decision]), only=only, shown=shown, via="the terminal")


def _right_command(row: RunRow) -> str:
    asks = (row.waiting or {}).get("gate") == "ask_person"
    command = f"trainwright answer {row.name} TEXT" if asks else f"trainwright approve {row.name}"
    return f"`trainwright show {row.name}` shows it, `{command}` answers it."
