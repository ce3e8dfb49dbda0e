"""`trainwright policy`: what the approval policy says to a command or another action, and which rules are in force.

It starts nothing and asks nobody: it is for who writes a policy, or wants to know what a run would be let do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import RequestError

if TYPE_CHECKING:
    from trainwright.tools.policy import Action, Fact, Policy, Rule, Verdict

__all__ = ["EXIT", "check_policy", "show_policy"]

EXIT = {"allow": 0, "ask": 3, "refuse": 5}
"""Exit code of each decision; of several commands, that of the strictest."""


def check_policy(
    command: Sequence[str],
    *,
    tool: str | None,
    facts: Sequence[str],
    reads: bool,
    workspace: Path | None,
    file: Path | None,
    as_json: bool,
) -> int:
    """Judge one command, another action, or each line of a file.

    Raises:
        RequestError: nothing, or too much, is given to be judged; a fact cannot be read; the file cannot be read.
        PolicyError: the policy cannot be used.
    """
    from trainwright.tools.policy import load_policy

    policy = load_policy()
    place = (workspace or Path.cwd()).expanduser().absolute()
    asked = [bool(command), tool is not None, file is not None]
    if sum(asked) != 1:
        raise RequestError(
            "Give one thing to judge: a command, --tool, or --file.",
            hint="For instance: trainwright policy check -- rm -rf build",
        )
    if (facts or reads) and tool is None:
        raise RequestError("--fact and --reads belong to --tool.", hint="A command's facts are read from the command.")
    if file is not None:
        return max((_told(policy, line, _of_command(line, place), as_json) for line in _lines(file)), default=0)
    if tool is not None:
        return _told(policy, tool, _of_tool(tool, facts, reads, place), as_json)
    text = command[0] if len(command) == 1 else _joined(command)
    return _told(policy, text, _of_command(text, place), as_json)


def _joined(words: Sequence[str]) -> str:
    """Words as a shell would have to be given them; marks that a shell knows stay marks only in one quoted text."""
    import shlex

    return shlex.join(words)


def _lines(file: Path) -> Iterator[str]:
    """The commands of a file, one a line; empty lines are left out. A line that is a JSON text is that text."""
    try:
        content = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise RequestError(f"{file} cannot be read: {error.strerror}.") from error
    for line in content.split("\n"):
        if line.strip():
            yield _text_of(line)


def _text_of(line: str) -> str:
    if not (line.startswith('"') and line.endswith('"')):
        return line
    try:
        found = json.loads(line)
    except ValueError:
        return line
    return found if isinstance(found, str) else line


def _of_command(command: str, workspace: Path) -> list[Action]:
    from trainwright.tools.policy import actions_of_command

    return actions_of_command(command, workspace)


def _of_tool(tool: str, facts: Sequence[str], reads: bool, workspace: Path) -> list[Action]:
    from trainwright.tools.policy import Action

    found: dict[str, Fact] = {"workspace": str(workspace)}
    for given in facts:
        name, equals, value = given.partition("=")
        if not equals or not name:
            raise RequestError(f"--fact {given!r} is no NAME=VALUE.", hint="For instance: --fact host=arxiv.org")
        found[name] = _value(value)
    if tool == "shell" and isinstance(found.get("command"), str):
        return _of_command(str(found["command"]), workspace)
    return [Action(tool, found, reads, text=f"{tool} {' '.join(facts)}".strip())]


def _value(text: str) -> Fact:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _told(policy: Policy, asked: str, actions: Sequence[Action], as_json: bool) -> int:
    verdict = policy.judge(actions)
    if as_json:
        from .jsonlines import json_lines

        json_lines().write(_record(policy, asked, actions, verdict))
        return EXIT[verdict.decision]
    from .words import line

    shown = {"allow": "allowed", "ask": "a person must allow it", "refuse": "refused"}[verdict.decision]
    sys.stdout.write(f"{line(asked)}\n  {shown} (rule: {line(verdict.rule)})\n  {line(verdict.why, 400)}\n")
    for action in actions:
        own = policy.judge(action)
        sys.stdout.write(f"  - {own.decision:<6} {line(action.text or action.tool)}\n")
    return EXIT[verdict.decision]


def _record(policy: Policy, asked: str, actions: Sequence[Action], verdict: Verdict) -> Mapping[str, Any]:
    return {
        "asked": asked,
        "decision": verdict.decision,
        "rule": verdict.rule,
        "why": verdict.why,
        "deadline_hours": verdict.deadline_hours,
        "action": verdict.action,
        "actions": [
            {
                "tool": one.tool,
                "facts": dict(one.facts),
                "reads": one.reads,
                "text": one.text,
                "decision": policy.judge(one).decision,
            }
            for one in actions
        ],
        "policy": policy.fingerprint,
    }


def show_policy(*, as_json: bool) -> int:
    """The rules in force, in the order in which they are looked at, with the file of each.

    Raises:
        PolicyError: the policy cannot be used.
    """
    from trainwright.tools.policy import load_policy, policy_path

    policy = load_policy()
    if as_json:
        from .jsonlines import json_lines

        for rule in policy.rules:
            json_lines().write(_rule(rule))
        return 0
    from .words import line

    own = (
        f"{len(policy.own)} of your own"
        if policy.own
        else f"none of your own ({line(policy_path(), 300)} would hold them)"
    )
    sys.stdout.write(f"Rules: {own}, {len(policy.shipped)} shipped; the first that matches decides.\n")
    for number, rule in enumerate(policy.rules, 1):
        if number == len(policy.own) + 1:
            sys.stdout.write("     reads: what only reads is allowed, unless a rule above says otherwise\n")
        limit = f", waits {rule.deadline_hours:g} h" if rule.deadline_hours else ""
        sys.stdout.write(f"{number:>3}. {rule.decision:<6} {line(rule.name)} [{line(rule.file, 300)}{limit}]\n")
        sys.stdout.write(f"     {line(', '.join(rule.tools), 300)}{''.join(map(_condition, rule.when.items()))}\n")
    sys.stdout.write("     ask: what no rule names\n")
    return 0


def _condition(item: tuple[str, tuple[Any, ...]]) -> str:
    from .words import line

    fact, wanted = item
    return f"; {fact} is {line(' or '.join(json.dumps(value) for value in wanted), 300)}"


def _rule(rule: Rule) -> Mapping[str, Any]:
    return {
        "name": rule.name,
        "tool": list(rule.tools),
        "when": {fact: list(wanted) for fact, wanted in rule.when.items()},
        "decision": rule.decision,
        "why": rule.why,
        "deadline_hours": rule.deadline_hours,
        "file": rule.file,
    }
