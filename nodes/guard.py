"""What stands between the engineer's answers and the tools: unique calls, and an end to going round in circles.

Before a turn the tail of the transcript is looked at: the same calls with the same results, or a pattern of them, get
a hint the first time; the second time those calls are barred for the rest of the stage; the third time the stage gives
up. A tool whose arguments came unreadable twice running gets a hint of its own. What counts as a repetition is decided
in `nodes/repetition.py`; this module decides what follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from trainwright.graph.redaction import redact

from .repetition import HINTS, call_signature, repetition

__all__ = ["Heed", "heed", "refusals", "tidy"]


WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What providers take as the id of a call; the name of a tool is held to the same letters."""


class Heed(NamedTuple):
    """What the last turns lead to.

    Attributes:
        hints: messages that stand before the next turn.
        repeats: how often the stage went round in circles so far.
        barred: signatures of the calls that are no longer run.
        gives_up: the reason for which the stage ends; empty otherwise.
    """

    hints: list[HumanMessage]
    repeats: int
    barred: list[str]
    gives_up: str


def heed(transcript: Sequence[AnyMessage], repeats: int, barred: Sequence[str], end: str = "give_up") -> Heed:
    """Look at the tail of the transcript; `end` is the call by which the stage can be ended."""
    hints = _unreadable(transcript)
    found = None if _told_already(transcript) else repetition(transcript)
    if found is None:
        return Heed(hints, repeats, list(barred), "")
    repeats += 1
    names = ", ".join(dict.fromkeys(found.calls))
    if repeats > len(HINTS):
        reason = f"The engineer went round in circles {repeats} times, with {names} last, in spite of two hints."
        return Heed(hints, repeats, list(barred), reason)
    hint = HumanMessage(HINTS[repeats - 1].format(calls=names, end=end), additional_kwargs={"hint": repeats})
    now_barred = sorted({*barred, *found.signatures}) if repeats == len(HINTS) else list(barred)
    return Heed([*hints, hint], repeats, now_barred, "")


def _told_already(transcript: Sequence[AnyMessage]) -> bool:
    """Whether no call was made since the last hint: a turn of words alone is no further repetition."""
    for message in reversed(transcript):
        if isinstance(message, AIMessage) and (message.tool_calls or message.invalid_tool_calls):
            return False
        if isinstance(message, HumanMessage) and message.additional_kwargs.get("hint", 0) >= 1:
            return True
    return False


def _unreadable(transcript: Sequence[AnyMessage]) -> list[HumanMessage]:
    """A hint if the two last answers with calls both had an unreadable call of the same tool, and no good one."""
    answers = list(islice(_answers(transcript), 2))
    if len(answers) < 2 or any(answer.tool_calls for _, answer in answers):
        return []
    (place, last), (_, earlier) = answers
    both = {c["name"] for c in last.invalid_tool_calls} & {c["name"] for c in earlier.invalid_tool_calls}
    if not both or any(isinstance(m, HumanMessage) for m in transcript[place:]):
        return []
    text = (
        f"The arguments of {', '.join(sorted(str(name) for name in both))} could not be read twice running. Send less "
        "in one call: a smaller file, or an edit of the part that changes."
    )
    return [HumanMessage(text, additional_kwargs={"hint": 0})]


def _answers(transcript: Sequence[AnyMessage]) -> Iterator[tuple[int, AIMessage]]:
    """The answers with calls and their places, the last one first."""
    for place in range(len(transcript) - 1, -1, -1):
        message = transcript[place]
        if isinstance(message, AIMessage) and (message.tool_calls or message.invalid_tool_calls):
            yield place, message


def tidy(answer: AIMessage, transcript: Sequence[AnyMessage]) -> AIMessage:
    """The answer as it is kept: without secrets, in Unicode that can be written, each call with an id of its own."""
    taken = {c["id"] for m in transcript if isinstance(m, AIMessage) for c in (*m.tool_calls, *m.invalid_tool_calls)}
    turn = sum(isinstance(m, AIMessage) for m in transcript) + 1

    def renamed(call: Any, number: int) -> Any:
        identity = call["id"]
        if not identity or identity in taken or not WORD.fullmatch(identity):
            identity = f"call-{turn}-{number}"
            while identity in taken:
                identity += "x"
        taken.add(identity)
        name = re.sub(r"[^A-Za-z0-9_-]", "_", str(call["name"] or "unknown"))[:64]
        return {**redact(_writable(dict(call))), "id": identity, "name": name}

    good = [renamed(call, number) for number, call in enumerate(answer.tool_calls, 1)]
    bad = [renamed(call, number) for number, call in enumerate(answer.invalid_tool_calls, len(good) + 1)]
    update = {"tool_calls": good, "invalid_tool_calls": bad, "content": redact(_writable(answer.content))}
    return answer.model_copy(update=update)


def _writable(value: Any) -> Any:
    """The value without what JSON can hold and a checkpoint cannot.

    Half of a surrogate pair becomes a question mark, and a whole number beyond 64 bits its digits as a text, which a
    tool that takes such a number takes as well.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_writable(key): _writable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return f"{value:d}" if abs(value) < 10**1_000 else "a number of more than 1,000 digits"
    return value


def refusals(calls: Sequence[dict[str, Any]], barred: Sequence[str], most: int) -> list[ToolMessage]:
    """The answers to those calls that are barred, and to those behind the first `most`."""
    many = f"Not run: {most} calls of one answer are run. Send it again, if it is still wanted."
    beyond = [ToolMessage(many, tool_call_id=c["id"], name=c["name"], status="error") for c in calls[most:]]
    text = "Not run: this very call was repeated without any new result and is barred in this stage. Go another way."
    return beyond + [
        ToolMessage(text, tool_call_id=call["id"], name=call["name"], status="error")
        for call in calls[:most]
        if "malformed" not in call and call_signature(call["name"], call["args"]) in barred
    ]
