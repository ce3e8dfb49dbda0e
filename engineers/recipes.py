"""The built-in engineer: rules, no model, no network.

It reads the same tool results as a model would and decides from them, emits the same tool calls and the same
`finish`. Each stage has its rule in a module of its own; a rule is a pure function of the workbench and of the answers
so far, so the same run always takes the same turns. Where nothing it has covers the task it gives up and says what
would help; it never dresses a wrong answer up.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from trainwright.tools.research.bench import HelperBench
from trainwright.tools.toolbox import Workbench

from .protocol import Stage, StageName

__all__ = ["Answers", "Call", "RecipesEngineer", "Rule"]


@dataclass(frozen=True)
class Call:
    """What a rule wants next: a tool or a verb with its arguments, and why."""

    name: str
    arguments: Mapping[str, Any]
    why: str = ""


@dataclass(frozen=True)
class Answers:
    """The answers of a stage so far, the last one of each tool.

    Attributes:
        good: name of the tool to its parsed answer.
        bad: name of the tool to the problem it reported: error, hint, kind.
        turns: how many turns were taken.
    """

    good: Mapping[str, Any]
    bad: Mapping[str, Mapping[str, str]]
    turns: int


Rule = Callable[[Workbench, Answers], Call]


class RecipesEngineer:
    """Rules for each of the four stages."""

    async def think(self, stage: Stage, bench: Workbench, transcript: Sequence[AnyMessage]) -> AIMessage:
        """The next turn: exactly one call, but in a research helper."""
        if stage.name == "research":
            from .researcher_rules import research

            assert isinstance(bench, HelperBench), "a helper has a question"
            return await asyncio.to_thread(research, bench, transcript)
        return await asyncio.to_thread(self._think, stage.name, bench, read_answers(transcript))

    def _think(self, stage: StageName, bench: Workbench, answers: Answers) -> AIMessage:
        call = _rule(stage)(bench, answers)
        identity = f"{stage}-{bench.attempt}-{bench.repairs}-{answers.turns + 1}"
        return AIMessage(call.why, tool_calls=[{"name": call.name, "args": dict(call.arguments), "id": identity}])


def _rule(stage: StageName) -> Rule:
    if stage == "read_paper":
        from .rules_paper import read_paper

        return read_paper
    if stage == "plan":
        from .rules_plan import plan

        return plan
    from .rules_data_code import find_data, write_code

    return find_data if stage == "find_data" else write_code


def read_answers(transcript: Sequence[AnyMessage]) -> Answers:
    """The answers in a transcript."""
    good: dict[str, Any] = {}
    bad: dict[str, Mapping[str, str]] = {}
    turns = sum(isinstance(message, AIMessage) for message in transcript)
    for message in transcript:
        if not isinstance(message, ToolMessage):
            continue
        name, parsed = str(message.name), _parse(str(message.content))
        if message.status == "error":
            bad[name] = parsed if isinstance(parsed, dict) else {"error": str(parsed), "hint": "", "kind": "refused"}
            good.pop(name, None)
        else:
            good[name] = parsed
            bad.pop(name, None)
    return Answers(good, bad, turns)


def _parse(content: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content
