"""Whether an engineer goes round in circles: the same calls with the same results at the tail of the transcript.

Pure functions. A call is known by its tool and its arguments in canonical JSON (order of keys and white space do not
count), a repetition by its result too: asking again and again for something that changes is honest polling. Only the
tail counts, so that an engineer that took another way is left alone. What follows is decided in `nodes/guard.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

__all__ = ["HINTS", "Repeat", "call_signature", "repetition"]

IDENTICAL = 3
"""So many identical calls in a row are a repetition."""

LONGEST_PATTERN = 5
"""A pattern of two to so many calls that stands twice at the tail is one too."""

HINTS = (
    "You have called {calls} again with the same arguments and the same result. It will not change: go another way, or "
    "say with {end} what is in the way.",
    "You still repeat {calls} without any new result. These very calls are not run any more in this stage. Change your "
    "approach: other arguments, another tool, or a simpler method.",
)
"""What the engineer is told the first and the second time; the stage ends at the third."""


class Repeat(NamedTuple):
    """What is repeated: the names of the tools in their order, and the signatures of the calls."""

    calls: tuple[str, ...]
    signatures: frozenset[str]


class _Made(NamedTuple):
    name: str
    call: str
    whole: str


def call_signature(name: str, arguments: Mapping[str, Any]) -> str:
    """The identity of a call: the same for the same tool and the same arguments in whatever order."""
    canonical = json.dumps(arguments, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(f"{name}\0{canonical}".encode(errors="surrogatepass")).hexdigest()[:24]


def repetition(transcript: Sequence[AnyMessage]) -> Repeat | None:
    """What the tail of the transcript repeats, or None."""
    calls = _tail(transcript)
    if len(calls) >= IDENTICAL and len({call.whole for call in calls[-IDENTICAL:]}) == 1:
        return _repeat(calls[-1:])
    for length in range(2, LONGEST_PATTERN + 1):
        if len(calls) < 2 * length:
            break
        last, before = calls[-length:], calls[-2 * length : -length]
        if [call.whole for call in last] == [call.whole for call in before] and len({c.whole for c in last}) > 1:
            return _repeat(last)
    return None


def _repeat(calls: Sequence[_Made]) -> Repeat:
    return Repeat(tuple(call.name for call in calls), frozenset(call.call for call in calls))


def _tail(transcript: Sequence[AnyMessage]) -> list[_Made]:
    """The last calls in their order, each with its result; read from the end, as far as is needed."""
    results: dict[str, str] = {}
    found: list[_Made] = []
    for message in reversed(transcript):
        if isinstance(message, ToolMessage):
            results[message.tool_call_id] = str(message.content)
        elif isinstance(message, AIMessage):
            found.extend(_made(call, results) for call in reversed(message.tool_calls))
            if len(found) >= 2 * LONGEST_PATTERN:
                break
    return found[::-1]


def _made(call: Any, results: Mapping[str, str]) -> _Made:
    signature = call_signature(call["name"], call["args"])
    result = results.get(call["id"] or "", "")
    digest = hashlib.sha256(result.encode(errors="surrogatepass")).hexdigest()[:24]
    return _Made(call["name"], signature, signature + digest)
