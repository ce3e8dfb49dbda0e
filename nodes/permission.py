"""What may be done: the policy's answer to a tool call, or to anything else that acts.

`permission` can be called by any loop that runs tool calls, and `judge` by whoever does a thing that is no tool call.
Nothing is asked, run or recorded here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from trainwright.engineers.protocol import Stage
from trainwright.graph.errors import TrainwrightError
from trainwright.graph.state import Settings
from trainwright.tools.policy.actions import Action, Fact, Verdict
from trainwright.tools.toolbox import Tool, Workbench

__all__ = ["NOTHING_ACTS", "judge", "permission", "refused_words", "words_of"]

NOTHING_ACTS = Verdict("allow", "reads", "It only reads.")
"""What is said to a call that cannot act: a tool that only reads, a verb of the stage, a call that cannot be run."""

UNKNOWN_RULE = "not understood"


def judge(actions: Action | Sequence[Action], settings: Settings, **facts: Fact) -> Verdict:
    """The policy's answer to one or more actions, which are given the facts that all rules can match.

    Args:
        actions: what would be done.
        settings: those of the run; `approvals` is a fact.
        facts: further facts, such as `stage`; those that an action has itself stand.

    Raises:
        RequestError: the policy cannot be read.
    """
    from trainwright.tools.policy import load_policy

    known: Mapping[str, Fact] = {"approvals": settings.approvals, **facts}
    several = [actions] if isinstance(actions, Action) else list(actions)
    verdict: Verdict = load_policy().judge([replace(one, facts={**known, **one.facts}) for one in several])
    return verdict


def permission(stage: Stage, call: Mapping[str, Any], bench: Workbench) -> Verdict:
    """Whether a tool call may run, must be asked about, or is refused.

    A call that will not run whatever is said (no such tool, arguments that do not fit) is let through to where the
    engineer is told so. What a call would do and cannot be understood is asked about.

    Raises:
        RequestError: the policy cannot be read.
    """
    tool = stage.tool(str(call["name"]))
    arguments = _arguments(tool, call)
    if tool is None or tool.acts is None or arguments is None:
        return NOTHING_ACTS
    try:
        actions = tool.acts(bench, arguments)
    except TrainwrightError as error:
        return Verdict("ask", UNKNOWN_RULE, f"What this call would do is not understood: {error.message}")
    return judge(actions, bench.settings, stage=bench.stage)


def words_of(stage: Stage, call: Mapping[str, Any], bench: Workbench) -> list[str]:
    """What a call would do, in plain words: a line an action."""
    tool = stage.tool(str(call["name"]))
    arguments = _arguments(tool, call)
    if tool is None or tool.acts is None or arguments is None:
        return []
    try:
        return [action.text or action.tool for action in tool.acts(bench, arguments)]
    except TrainwrightError as error:
        return [f"not understood: {error.message}"]


def refused_words(verdict: Verdict) -> str:
    """A refusal in words, for whoever wanted to act."""
    return f"The policy refuses this (rule {verdict.rule}): {verdict.why}"


def _arguments(tool: Tool | None, call: Mapping[str, Any]) -> BaseModel | None:
    if tool is None or "malformed" in call:
        return None
    try:
        return tool.arguments.model_validate(call["args"])
    except ValidationError:
        return None
