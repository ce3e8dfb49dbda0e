"""What the conversations of a column look like: roles, keys, tool calls, and an example."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from .kinds import Kind
from .report import Conversation

__all__ = ["conversations_of", "messages_in"]

CONTENT = 100
MOST_MESSAGES = 8
MOST_COLUMNS = 4


def messages_in(value: Any) -> list[dict[str, Any]]:
    """The messages of a cell: a list of objects, or the same as a JSON string; empty where it is none of these."""
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if not isinstance(value, list):
        return []
    messages = [one for one in value if isinstance(one, dict)]
    known = [
        one
        for one in messages
        if {"role", "content"} <= set(one) or {"from", "value"} <= set(one) or "tool_calls" in one
    ]
    return messages if known and len(messages) == len(value) else []


def conversations_of(kinds: Mapping[str, Kind], rows: list[dict[str, Any]]) -> list[Conversation]:
    """A report for each column that holds conversations in these rows."""
    reports = []
    for name in kinds:
        held = [found for row in rows if (found := messages_in(row.get(name)))]
        if held:
            reports.append(_report(name, held, any(isinstance(row.get(name), str) for row in rows)))
    return reports[:MOST_COLUMNS]


def _report(column: str, held: list[list[dict[str, Any]]], encoded: bool) -> Conversation:
    every = [message for messages in held for message in messages]
    turns = (
        sum("from" in message and "value" in message and "role" not in message for message in every) > len(every) / 2
    )
    role = "from" if turns else "role"
    roles = Counter(str(message[role])[:40] for message in every if message.get(role) is not None)
    keys = Counter(str(key)[:40] for message in every for key, value in message.items() if value is not None)
    names = dict.fromkeys(str(key)[:40] for message in every for key in message)
    kinds = Counter(kind for message in every if (kind := _kind_of_calls(message.get("tool_calls"))))
    form = "from and value (ShareGPT)" if turns else "role and content"
    return Conversation(
        column=column[:200],
        format=f"{form}, as a JSON string" if encoded else form,
        roles=dict(sorted(roles.items())[:20]),
        keys={name: keys[name] for name in list(names)[:20]},
        messages=len(every),
        tool_calls=" and ".join(sorted(kinds)),
        example=_example(next((one for one in held if any(_kind_of_calls(m.get("tool_calls")) for m in one)), held[0])),
    )


def _kind_of_calls(calls: Any) -> str:
    """How tool calls are written; empty where there are none."""
    if isinstance(calls, list) and calls:
        return "list"
    if isinstance(calls, str) and calls.strip():
        try:
            return "JSON string" if json.loads(calls) else ""
        except (ValueError, RecursionError):
            return "text"
    return ""


def _example(messages: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The first messages; where the first tool call comes later, those around it."""
    place = next((i for i, one in enumerate(messages) if _kind_of_calls(one.get("tool_calls"))), 0)
    start = max(0, place - MOST_MESSAGES + 2) if place >= MOST_MESSAGES else 0
    shown = messages[start : start + MOST_MESSAGES]
    return [{str(k)[:40]: _cut(v) for k, v in list(one.items())[:10] if v is not None} for one in shown]


def _cut(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= CONTENT else text[:CONTENT] + "…"
