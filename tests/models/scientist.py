"""A model that takes a paper and data to a published model with code of its own, from what the requests show it alone.

It is what a test's server answers with: pure functions of one request, in either protocol, so that a resumed run, or
another model in its place, goes on where the last one was. Tests change single turns of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.runs.own_code import scripts

from . import Asked, Call, Reply

__all__ = ["Done", "Scientist", "done", "stage_of"]


class Done(NamedTuple):
    """A call that was made in this stage, and its result."""

    name: str
    arguments: dict[str, Any]
    result: str

    @property
    def answer(self) -> Any:
        """The result, read as JSON."""
        return json.loads(self.result)


def stage_of(asked: Asked) -> str:
    """The stage that the request's rules are for."""
    found = re.search(r"^# Stage: (.+)$", asked.system, re.M)
    assert found, "every request says its stage"
    words = {"read the paper": "read_paper", "make the plan": "plan", "find and freeze the data": "find_data"}
    return words.get(found[1], "write_code")


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def done(asked: Asked) -> list[Done]:
    """The calls of the request's conversation with their results, in order."""
    results: dict[str, str] = {}
    made: list[tuple[str, str, dict[str, Any]]] = []
    for message in asked.messages:
        made += [
            (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls") or []
        ]
        if message["role"] == "tool":
            results[message["tool_call_id"]] = _text(message["content"])
        for block in _blocks(message):
            if block["type"] == "tool_use":
                made.append((block["id"], block["name"], block["input"]))
            elif block["type"] == "tool_result":
                results[block["tool_use_id"]] = _text(block["content"])
    return [Done(name, arguments, results.get(identity, "")) for identity, name, arguments in made]


def _text(content: Any) -> str:
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    fence = re.fullmatch(r'<data source="[^"]*">(.*)</data>', text, re.S)
    return fence[1] if fence else text


def known(asked: Asked) -> str:
    """What the request says is known: its first message of a person."""
    first = next(m for m in asked.messages if m["role"] == "user")
    return _text(first["content"])


Turn = Callable[[Asked, list[Done]], Reply]


@dataclass
class Scientist:
    """Answers every request of a run.

    Attributes:
        turns: what to answer instead, by stage; None of it goes on with its own answer.
        broken: what stands in the first version of train.py, and fails when it is run.
    """

    turns: dict[str, Callable[[Asked, list[Done]], Reply | None]] = field(default_factory=dict)
    broken: str = ""

    def __call__(self, asked: Asked) -> Reply:
        return self.answer(asked, done(asked))

    def answer(self, asked: Asked, calls: list[Done]) -> Reply:
        """What follows these calls."""
        stage = stage_of(asked)
        instead = self.turns.get(stage)
        reply = instead(asked, calls) if instead else None
        if reply is not None:
            return reply
        own: dict[str, Turn] = {
            "read_paper": self.read_paper,
            "plan": self.plan,
            "find_data": self.find_data,
            "write_code": self.write_code,
        }
        return own[stage](asked, calls)

    def read_paper(self, asked: Asked, calls: list[Done]) -> Reply:
        """Open the paper and look for facts at once, then hand in what has evidence."""
        if not calls:
            return Reply(text="I read the paper.", calls=(Call("open_paper", {}), Call("extract_facts", {})))
        paper, facts = calls[0].answer, calls[1].answer
        brief = {
            "title": paper["paper"],
            "summary": paper["abstract"],
            "method": "nearest class mean",
            "methods": facts["methods"],
            "claims": facts["claims"],
            "hyperparameters": facts["hyperparameters"],
            "datasets": facts["datasets"],
            "metrics": facts["metrics"],
            "modality": "table",
        }
        return Reply(calls=(Call("finish", brief),))

    def plan(self, asked: Asked, calls: list[Done]) -> Reply:
        """Look at the data, then plan a method that no recipe has, with the paper's words for it."""
        if not calls:
            return Reply(calls=(Call("inspect_data", {}),))
        found = re.search(r"brief of the paper: <data>(.*?)</data>", known(asked))
        assert found, "the plan begins with what was read"
        quote = json.loads(found[1])["claims"][0]
        plan = {
            "task": "classification",
            "modality": "table",
            "metric": "accuracy",
            "direction": "higher",
            "target_column": calls[-1].answer["target"],
            "approach": "Nearest class mean, written anew.",
            "reasons": ["It is the plainest method there is."],
            "method": "nearest class mean",
            "citations": [{"page": quote.get("page"), "quote": quote["quote"]}],
            "claim": quote,
            "seconds": 5.0,
        }
        return Reply(calls=(Call("finish", plan),))

    def find_data(self, asked: Asked, calls: list[Done]) -> Reply:
        """Look again, and take what the audit found."""
        if not calls:
            return Reply(calls=(Call("inspect_data", {}),))
        audit = calls[-1].answer
        return Reply(calls=(Call("finish", {k: audit[k] for k in ("target", "task", "modality")}),))

    def write_code(self, asked: Asked, calls: list[Done]) -> Reply:
        """Write both scripts, check them, try them where that is wanted; mend what the test found."""
        names = [call.name for call in calls]
        if "To heed in this round" in known(asked):
            return self._repair(names)
        if "write_file" not in names:
            wanted = scripts(train=self.broken)
            return Reply(calls=tuple(Call("write_file", {"name": n, "text": t}) for n, t in wanted.items()))
        if "check_script" not in names:
            return Reply(calls=(Call("check_script", {}),))
        return Reply(calls=(Call("finish", {"change": "nearest class mean"}),))

    def _repair(self, names: list[str]) -> Reply:
        if "read_file" not in names:
            return Reply(calls=(Call("read_file", {"name": "train.py"}),))
        if "edit_file" not in names:
            return Reply(calls=(Call("edit_file", {"name": "train.py", "old": self.broken, "new": "pass"}),))
        if "run_code" not in names:
            return Reply(calls=(Call("run_code", {}),))
        return Reply(calls=(Call("finish", {"change": "mended"}),))
