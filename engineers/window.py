"""What of a stage's transcript goes into one request, so that it always fits.

A request holds a bounded number of turns. What no longer fits is taken away in this order: old answers of tools and
long arguments of old calls are cleared, then old turns become lines of a digest, at last the newest answers are cut in
their middle. The window moves in blocks, not with each turn, so that a provider's cache of the beginning stays good.
What a person told the run is never dropped. The digest is made by rules: it costs no call, and it cannot fail.

Pure functions of the messages; a message given is never changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage

from trainwright.prompts import marked

from .outside import as_outside

__all__ = ["BLOCK", "KEPT", "STANDING", "TooLong", "Turn", "size_of", "turns_of", "within"]

KEPT = 10
"""Turns that a request holds at least, where they fit."""

BLOCK = 10
"""Turns by which the window moves: a request holds at most KEPT + BLOCK - 1."""

STANDING = "standing"
"""Key in an answer's `additional_kwargs` of the text that stood right before it: it goes back there word for word."""

CLEARED = 400
"""Characters of an old answer or argument above which it is cleared."""

DIGEST = 6_000
"""Characters of the digest, at most, besides what a person said."""

SAID = 100
"""Characters that are kept of each thing that a person said, at least."""

ROOM = 0.75
"""Share of the room to which clearing goes down, so that the next turns need no clearing."""

UNANSWERED = "Not run: it was interrupted."
FILE = re.compile(r"stages/[\w.-]+\.txt")


class TooLong(Exception):
    """Even the smallest request is longer than the room."""


class Turn(NamedTuple):
    """One turn: what was said before the answer, the answer, and the results of its calls, in their order.

    The last turn of a transcript has no answer while it is being asked for.
    """

    number: int
    before: tuple[HumanMessage, ...]
    answer: AIMessage | None
    results: tuple[ToolMessage, ...]


def turns_of(transcript: Sequence[AnyMessage]) -> list[Turn]:
    """The turns of a transcript without its first message, each call with exactly one result."""
    turns: list[Turn] = []
    before: list[HumanMessage] = []
    answer: AIMessage | None = None
    results: dict[str, ToolMessage] = {}

    def close() -> None:
        nonlocal answer
        if answer is not None:
            turns.append(_complete(len(turns) + 1, tuple(before), answer, results))
            before.clear()
            results.clear()
            answer = None

    for message in transcript:
        if isinstance(message, AIMessage):
            close()
            answer = message
        elif isinstance(message, ToolMessage):
            results.setdefault(message.tool_call_id, message)
        elif isinstance(message, HumanMessage):
            close()
            before.append(message)
    close()
    if before:
        turns.append(Turn(len(turns) + 1, tuple(before), None, ()))
    return turns


def _complete(
    number: int, before: tuple[HumanMessage, ...], answer: AIMessage, results: dict[str, ToolMessage]
) -> Turn:
    """The turn with its unreadable calls as calls without arguments, and a result for each call."""
    bad: list[ToolCall] = [
        {"name": c["name"] or "unknown", "args": {}, "id": c["id"], "type": "tool_call"}
        for c in answer.invalid_tool_calls
    ]
    calls = [*answer.tool_calls, *bad]
    whole = answer.model_copy(update={"tool_calls": calls, "invalid_tool_calls": []}) if bad else answer
    made = tuple(
        results.get(call["id"] or "")
        or ToolMessage(UNANSWERED, tool_call_id=call["id"] or "", name=call["name"], status="error")
        for call in calls
    )
    return Turn(number, before, whole, made)


def _shown(turn: Turn) -> Turn:
    calls = turn.answer.tool_calls if turn.answer else []
    return turn._replace(results=tuple(as_outside(one, calls) for one in turn.results))


def within(transcript: Sequence[AnyMessage], room: int) -> list[AnyMessage]:
    """The messages of a request behind its first one.

    Args:
        transcript: of the stage, without its first message.
        room: bytes that they may have, as `size_of` counts them.

    Raises:
        TooLong: they cannot be made so small.
    """
    turns = turns_of(transcript)
    first = _first_kept(len(turns))
    kept = [_shown(turn) for turn in turns[first:]]
    limit = min(DIGEST, max(0, room) // 4)
    begin = _beginning(turns[:first], limit)
    if size_of(begin) + _size(kept) > room:
        kept = _cleared(kept, room - size_of(begin))
    last = 2 if len(kept) > 1 and kept[-1].answer is None else 1  # results that nobody has read yet stay
    while len(kept) > last and size_of(begin) + _size(kept) > room:
        first, kept = first + 1, kept[1:]
        begin = _beginning(turns[:first], limit)
    if size_of(begin) + _size(kept) > room:
        kept = _cut(kept, room - size_of(begin))
    return [*begin, *_messages(kept)]


def _beginning(dropped: Sequence[Turn], limit: int) -> list[AnyMessage]:
    return [HumanMessage(_digest(dropped, limit))] if dropped else []


def _first_kept(count: int) -> int:
    """Place of the first turn that a request holds; it moves by whole blocks."""
    return max(0, (count - KEPT) // BLOCK * BLOCK)


def _messages(kept: Sequence[Turn]) -> list[AnyMessage]:
    messages: list[AnyMessage] = []
    for turn in kept:
        messages += turn.before
        if turn.answer is not None:
            if standing := turn.answer.additional_kwargs.get(STANDING):
                messages.append(HumanMessage(standing))
            messages.append(turn.answer)
        messages += turn.results
    return messages


def size_of(messages: Sequence[AnyMessage]) -> int:
    """Bytes that messages take in a request, about: their text, the arguments of their calls, and what surrounds them."""
    return sum(_bytes(message) for message in messages)


def _bytes(message: AnyMessage) -> int:
    content = message.content if isinstance(message.content, str) else json.dumps(message.content, ensure_ascii=False)
    size = len(content.encode(errors="replace")) + 40
    if isinstance(message, AIMessage):
        for call in message.tool_calls:
            size += len(json.dumps(call["args"], ensure_ascii=False).encode(errors="replace")) + len(call["name"]) + 80
        for key in ("reasoning_content", "thinking_blocks"):
            if kept := message.additional_kwargs.get(key):
                size += len(json.dumps(kept, ensure_ascii=False, default=str).encode(errors="replace"))
    return size


def _size(kept: Sequence[Turn]) -> int:
    return size_of(_messages(kept))


def _cleared(kept: Sequence[Turn], room: int) -> list[Turn]:
    """The turns with old answers and arguments cleared, the oldest first, until there is some room again."""
    turns = list(kept)
    size = _size(turns)
    for place, turn in enumerate(turns[:-2]):
        if size <= room * ROOM:
            break
        turns[place] = _clear(turn)
        size += _size([turns[place]]) - _size([turn])
    return turns


def _clear(turn: Turn) -> Turn:
    results = tuple(
        result.model_copy(update={"content": _placeholder(str(result.content))})
        if len(str(result.content)) > CLEARED
        else result
        for result in turn.results
    )
    return turn._replace(results=results, answer=turn.answer and _short(turn.answer))


def _placeholder(content: str) -> str:
    kept = FILE.search(content)
    where = f"; read_output reads {kept[0].removeprefix('stages/')}" if kept else ""
    return f"[{len(content)} characters that were shown here are taken away to make room{where}]"


def _short(answer: AIMessage) -> AIMessage:
    """An answer with the long texts of its arguments taken away, and without its thinking, which belongs to them."""
    calls = [{**call, "args": {k: _argument(v) for k, v in call["args"].items()}} for call in answer.tool_calls]
    extra = {k: v for k, v in answer.additional_kwargs.items() if k not in ("thinking_blocks", "reasoning_content")}
    return answer.model_copy(update={"tool_calls": calls, "additional_kwargs": extra})


def _argument(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"[{len(text)} characters, taken away to make room]" if len(text) > CLEARED else value


def _cut(kept: Sequence[Turn], room: int) -> list[Turn]:
    """The last turns with everything long in them cut in its middle, ever shorter.

    Raises:
        TooLong: that is not enough.
    """
    turns = [turn._replace(answer=turn.answer and _short(turn.answer)) for turn in kept]
    for length in (8_000, 4_000, 2_000, 1_000, 500):
        shorter = [
            turn._replace(
                before=tuple(
                    m.model_copy(update={"content": _middle_cut(str(m.content), length)}) for m in turn.before
                ),
                answer=turn.answer
                and turn.answer.model_copy(update={"content": _middle_cut(turn.answer.text, length)}),
                results=tuple(
                    r.model_copy(update={"content": _middle_cut(str(r.content), length)}) for r in turn.results
                ),
            )
            for turn in turns
        ]
        if _size(shorter) <= room:
            return shorter
    raise TooLong


def _middle_cut(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    half = length // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters are taken away here …]\n{text[-half:]}"


def _digest(turns: Sequence[Turn], limit: int) -> str:
    """Lines about turns that are no longer shown: one a call, the newest; and all that a person said."""
    lines: list[str] = []
    used = 0
    for turn in reversed(turns):  # the newest first, and no further than they are shown: a stage has hundreds of turns
        fresh = list(_lines(turn))
        used += sum(len(line) + 1 for line in fresh)
        if used > limit:
            lines.append("- …")
            break
        lines += reversed(fresh)
    head = f"Turns 1 to {turns[-1].number} of this stage are no longer shown. What was called in them, and what came of it:"
    parts = [head, marked("\n".join(reversed(lines)), "earlier calls and their results")]
    told = [m.text for turn in turns for m in turn.before if "told" in m.additional_kwargs]
    if told:
        each = max(SAID, limit // len(told))
        parts += ["What the person said in them, which still holds:", *(f"- {_middle_cut(t, each)}" for t in told)]
    return "\n".join(parts)


def _lines(turn: Turn) -> Iterator[str]:
    if turn.answer is None:
        return
    for call, result in zip(turn.answer.tool_calls, turn.results, strict=True):
        given = ", ".join(f"{k}={_brief(v, 40)}" for k, v in call["args"].items())
        outcome = "failed: " if result.status == "error" else ""
        yield f"- {turn.number}. {call['name']}({given}): {outcome}{_brief(str(result.content), 160)}"
    if not turn.answer.tool_calls and turn.answer.text:
        yield f"- {turn.number}. said: {_brief(turn.answer.text, 160)}"


def _brief(value: Any, length: int) -> str:
    whole = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(whole[: 4 * length].split())
    return text if len(text) <= length and len(whole) <= 4 * length else text[: length - 1] + "…"
