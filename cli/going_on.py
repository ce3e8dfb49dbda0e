"""Going on with a run: `resume`, and the answers `approve`, `reject` and `answer`.

What cannot be is refused here with the command that would be right; the rest is the driver's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal

from trainwright.graph.errors import RequestError
from trainwright.graph.runs import RunRow, open_runs

__all__ = ["being_driven", "decide", "effective_status", "resume_run"]


def being_driven(row: RunRow) -> bool:
    """Whether the process that the run's row names still drives it.

    A process id may belong to another process by now: one that is younger than the row's last change is not it.
    """
    if row.status != "running" or not row.alive:
        return False
    import psutil

    try:
        begun = psutil.Process(row.pid).create_time()
    except psutil.Error:
        return False
    return begun <= datetime.fromisoformat(row.updated_at).timestamp() + 2


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
    if row.waiting is not None and row.status == "waiting":
        raise RequestError(f"{row.name} waits for an answer.", hint=_right_command(row))
    if being_driven(row):
        raise RequestError(
            f"{row.name} is at work, in process {row.pid}.",
            hint="Wait for it or end that process; what a server (`langgraph dev`) drives is gone on with in Studio.",
        )
    place = data_spec(data) if data else None
    from trainwright.graph import driver

    from .session import follow

    return follow(lambda: driver.resume(row.name, data=place, **changes), as_json=as_json)


def decide(run: str, kind: Literal["approve", "reject", "respond"], message: str | None, *, as_json: bool) -> int:
    """Answer what a run waits for, and go on.

    Args:
        run: name or unique prefix.
        kind: the type of the decision.
        message: feedback of a rejection, or the answer.
        as_json: JSON lines instead of words.

    Raises:
        RequestError: it waits for nothing, or for an answer of another kind; or the message is empty, or names data that are not
            there.
    """
    row = open_runs().resolve(run)
    if row.status != "waiting" or row.waiting is None:
        raise RequestError(
            f"{row.name} waits for nothing: its status is {effective_status(row).replace('_', ' ')}.",
            hint=f"`trainwright show {row.name}` says more.",
        )
    asks = row.waiting.get("gate") == "ask_person"
    if (kind == "respond") != asks and kind != "reject":
        what = "an answer" if asks else "an approval"
        raise RequestError(f"{row.name} waits for {what}.", hint=_right_command(row))
    if message is not None:
        message = message.strip()
        if not message and kind != "approve":
            flag = "--feedback" if kind == "reject" else "TEXT"
            raise RequestError(f"{flag} is empty.", hint="Say something.")
        if any("\ud800" <= character <= "\udfff" for character in message):
            raise RequestError("That is not UTF-8 text.", hint="Use a UTF-8 terminal.")
    if kind == "respond" and message:
        from .request import answer_spec

        message = answer_spec(row.waiting, message)
    from .session import follow

    return follow(lambda: _answered(row.name, kind, message or ""), as_json=as_json)


def _answered(run: str, kind: Literal["approve", "reject", "respond"], message: str) -> AsyncIterator[dict[str, Any]]:
    from trainwright.graph import driver
    from trainwright.graph.state import Decision, Decisions

    return driver.answer(run, Decisions(decisions=[Decision(type=kind, message=message)]))


def _right_command(row: RunRow) -> str:
    asks = (row.waiting or {}).get("gate") == "ask_person"
    command = f"trainwright answer {row.name} TEXT" if asks else f"trainwright approve {row.name}"
    return f"`trainwright show {row.name}` shows it, `{command}` answers it."
