"""Tool calls that the policy refuses: what the engineer reads, what the run records, what whoever watches is told.

Nothing is decided here, and nothing is run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import ToolMessage

from trainwright.graph.redaction import redact
from trainwright.graph.state import Approval
from trainwright.tools.policy.actions import Verdict

from .boundary import emit
from .gate import approval
from .permission import refused_words

__all__ = ["one_at_a_time", "refuse_calls"]

HINT = "Go another way. Nobody can approve this: the rule would have to be changed."


def one_at_a_time(calls: Iterable[Mapping[str, Any]]) -> list[ToolMessage]:
    """The answers to further calls of `research` in one answer."""
    text = "Not run: one call of research in an answer is run. Put the questions together in one."
    return [ToolMessage(text, tool_call_id=call["id"], name=call["name"], status="error") for call in calls]


def refuse_calls(
    run: str, calls: Iterable[tuple[Mapping[str, Any], Verdict]]
) -> tuple[list[ToolMessage], list[Approval]]:
    """The answers to refused calls, and their records."""
    messages, records = [], []
    for call, verdict in calls:
        words = refused_words(verdict)
        content = json.dumps(redact({"error": f"{words} It was not run.", "hint": HINT, "kind": "policy"}))
        messages.append(ToolMessage(content, tool_call_id=call["id"], name=call["name"], status="error"))
        card = {"calls": [{"name": call["name"], "args": call["args"]}]}
        records.append(approval("approve_tools", "reject", "rule", card, verdict.why, verdict.rule))
        emit("approval", run, gate="approve_tools", decision="reject", by="rule", rule=verdict.rule, why=verdict.why)
    return messages, records
