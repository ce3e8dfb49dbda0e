"""What somebody wants to do, as facts that rules can match, and what the policy says to it.

Everything that acts is described by one or more actions before it happens: a tool call, a shell command (one action
for each thing that it would do), a training job, an upload, a notification. What only reads is described too, and is
marked so. This module judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Action", "Decision", "Fact", "Verdict"]

Fact = str | int | float | bool
Decision = Literal["allow", "ask", "refuse"]


@dataclass(frozen=True)
class Action:
    """One thing that would be done.

    Attributes:
        tool: what does it, as rules name it by glob: `write_file`, `shell`, `job`, `publication`, `plan`,
            `notification`, `fetch`, `mcp/SERVER/TOOL`, …
        facts: what rules can match besides: `host`, `path`, `flavor`, `usd`, `repository`, `private`, `command`,
            `program`, `approvals` (`ask` or `auto`), … A fact that is not known is left out, and then no rule that
            names it allows.
        reads: whether it changes nothing anywhere, sends nothing but a request for what is public, and costs nothing.
        text: what it does, in plain words, for the person who is asked.
        complete: whether a fact that is left out does not apply, instead of not being known. Then a fact that applies
            and is not known is the empty text.
    """

    tool: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    reads: bool = False
    text: str = ""
    complete: bool = False


@dataclass(frozen=True)
class Verdict:
    """What the policy says.

    Attributes:
        decision: `allow`, `ask` or `refuse`.
        rule: name of the rule that decided; `unnamed` where none did.
        why: the reason, one sentence for a person.
        deadline_hours: how long an answer may be waited for; None for ever.
        action: the action that decided, in plain words; empty if it has none.
    """

    decision: Decision
    rule: str
    why: str
    deadline_hours: float | None = None
    action: str = ""
