"""The approval policy: ordered rules over actions, from the person's file and then from the shipped one.

The first rule that matches decides; what no rule names is `ask`. What is not known is never taken for harmless: a
condition on a fact that is missing lets no rule allow, and where a rule that asks or refuses might match, the action is
asked about. Several actions are judged one by one, and the strictest verdict counts. See docs/policy.md.
"""

from __future__ import annotations

import difflib
import fnmatch
import hashlib
import math
import operator
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast

from trainwright.graph.errors import RequestError
from trainwright.graph.settings import config_folder

from .actions import Action, Decision, Fact, Verdict
from .facts import KNOWN_FACTS, derived

__all__ = ["Policy", "PolicyError", "Rule", "load_policy", "policy_path", "rules_of"]

FILE = "policy.toml"
SHIPPED = "default.toml"
READS = "reads"
UNNAMED = "unnamed"
KEYS = ("name", "tool", "when", "decision", "why", "deadline_hours")
DECISIONS: tuple[Decision, ...] = ("allow", "ask", "refuse")
"""From the mildest to the strictest."""

COMPARISON = re.compile(r"(<=|>=|==|!=|<|>)\s*(-?\d+(?:\.\d+)?)")
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}

Scalar = str | int | float | bool
Match = Literal["yes", "no", "maybe"]


class PolicyError(RequestError):
    """A policy file cannot be used; nothing was judged by it."""


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: as verdicts name it.
        tools: globs, any of which names the tool.
        when: conditions on facts, all of which must hold; each is any of its values.
        decision: what the rule says.
        why: one sentence for a person.
        deadline_hours: how long an answer is waited for; None for ever.
        file: where it stands.
    """

    name: str
    tools: tuple[str, ...]
    when: Mapping[str, tuple[Scalar, ...]]
    decision: Decision
    why: str = ""
    deadline_hours: float | None = None
    file: str = ""

    def match(self, action: Action) -> tuple[Match, str]:
        """Whether the rule is meant for an action; for `maybe`, the fact that is not known."""
        if not any(fnmatch.fnmatchcase(action.tool, tool) for tool in self.tools):
            return "no", ""
        doubt = ""
        for fact, wanted in self.when.items():
            found = _holds(action, fact, wanted)
            if found == "no":
                return "no", ""
            doubt = doubt or (fact if found == "maybe" else "")
        return ("maybe", doubt) if doubt else ("yes", "")


def _holds(action: Action, fact: str, wanted: Sequence[Scalar]) -> Match:
    value = action.facts.get(fact)
    if value is None:
        return "no" if action.complete or action.reads else "maybe"
    if value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return "no" if action.reads else "maybe"
    found = [_fits(value, one, host=fact == "host") for one in wanted]
    return "yes" if "yes" in found else "maybe" if "maybe" in found else "no"


def _fits(value: Fact, wanted: Scalar, *, host: bool) -> Match:
    """Whether a fact's value is as wanted; `maybe` where a number is wanted and the value is none."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return "yes" if value is wanted else "no"
    comparison = COMPARISON.fullmatch(wanted.strip()) if isinstance(wanted, str) else None
    if comparison is not None:
        if isinstance(value, str):
            return "maybe"
        return "yes" if OPERATORS[comparison[1]](float(value), float(comparison[2])) else "no"
    if isinstance(wanted, str):
        text, pattern = str(value), wanted
        if host:
            text, pattern = text.lower(), pattern.lower()
        return "yes" if fnmatch.fnmatchcase(text, pattern) else "no"
    return "yes" if value == wanted else "no"


@dataclass(frozen=True)
class Policy:
    """The rules in force.

    Attributes:
        own: of the person's file, in order.
        shipped: of the file that comes with the program, which are looked at after them.
        fingerprint: sha256 over both files.
    """

    own: tuple[Rule, ...] = ()
    shipped: tuple[Rule, ...] = ()
    fingerprint: str = field(default="", compare=False)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules in the order in which they are looked at."""
        return (*self.own, *self.shipped)

    def judge(self, actions: Action | Sequence[Action]) -> Verdict:
        """What may be done: the verdict on an action, or the strictest on several."""
        several = [actions] if isinstance(actions, Action) else list(actions)
        if not several:
            return Verdict("ask", UNNAMED, "Nobody has said what would be done.")
        verdicts = [self._verdict(action) for action in several]
        return max(verdicts, key=lambda verdict: DECISIONS.index(verdict.decision))  # of equals, the first

    def _verdict(self, action: Action) -> Verdict:
        action = derived(action)
        decided, doubt = self._first(action)
        if decided is None and action.reads:
            return Verdict("allow", READS, "It only reads.", action=action.text)
        if doubt is not None and (decided is None or decided.decision == "allow"):
            rule, fact = doubt
            why = f"The rule {rule.name!r} may hold, and that cannot be told: {fact} is not known. {rule.why}".strip()
            return Verdict("ask", rule.name, why, rule.deadline_hours, action.text)
        if decided is None:
            return Verdict(
                "ask", UNNAMED, "No rule names this, and what no rule names is asked about.", action=action.text
            )
        return Verdict(
            decided.decision, decided.name, decided.why or _why(decided), decided.deadline_hours, action.text
        )

    def _first(self, action: Action) -> tuple[Rule | None, tuple[Rule, str] | None]:
        """The first rule that matches, and the first before it that may."""
        doubt: tuple[Rule, str] | None = None
        for rule in self.own if action.reads else self.rules:
            found, fact = rule.match(action)
            if found == "yes":
                return rule, doubt
            if found == "maybe" and rule.decision != "allow" and doubt is None:
                doubt = rule, fact
        return None, doubt


def _why(rule: Rule) -> str:
    return f"The rule {rule.name!r} of {rule.file} says {rule.decision}."


# -- reading the files -----------------------------------------------------------------------------------------------


def policy_path() -> Path:
    """The person's own file, which need not be there."""
    return config_folder() / FILE


def load_policy() -> Policy:
    """The policy in force: the person's file and the shipped one; read again when a file has changed.

    Raises:
        PolicyError: the person's file cannot be read; nothing is judged by the shipped one alone then.
    """
    path = policy_path()
    try:
        seen = path.stat() if os.path.lexists(path) else None
    except OSError as error:
        raise _broken(path, f"it cannot be read ({error.strerror})") from error
    return _loaded(path, (seen.st_mtime_ns, seen.st_size, seen.st_ino) if seen else None)


@lru_cache(maxsize=4)
def _loaded(path: Path, stamp: tuple[int, ...] | None) -> Policy:
    shipped = resources.files(__package__).joinpath(SHIPPED).read_bytes()
    own = b""
    if stamp is not None:
        try:
            own = path.read_bytes()
        except OSError as error:
            raise _broken(path, f"it cannot be read ({error.strerror})") from error
    digest = hashlib.sha256(hashlib.sha256(own).digest() + hashlib.sha256(shipped).digest()).hexdigest()
    return Policy(rules_of(own, str(path)), rules_of(shipped, SHIPPED), digest)


def rules_of(content: bytes, file: str) -> tuple[Rule, ...]:
    """The rules of a file's content.

    Raises:
        PolicyError: it is no TOML, or a rule is not right; names the rule and the field.
    """
    try:
        read = tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise _broken(file, "it is no UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise _broken(file, f"it is no TOML: {error}") from error
    unknown = [key for key in read if key != "rule"]
    if unknown:
        raise _broken(file, f"it has {unknown[0]!r}, and only [[rule]] entries are known")
    entries = read.get("rule", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _broken(file, "its rules are no list: write each as [[rule]]")
    rules = tuple(_rule(entry, number, file) for number, entry in enumerate(entries, 1))
    names = [rule.name for rule in rules]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _broken(file, f"two rules have the name {twice!r}")
    return rules


def _rule(entry: Mapping[str, Any], number: int, file: str) -> Rule:
    name = entry.get("name")
    where = f"rule {number}" + (f" ({name!r})" if isinstance(name, str) else "")
    for key in entry:
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, 1)
            known = (
                f"did you mean {close[0]!r}?" if close else f"known are {', '.join(KEYS)}; conditions go into `when`"
            )
            raise _broken(file, f"{where}: there is no field {key!r}; {known}")
    if not isinstance(name, str) or not name.strip() or len(name) > 100:
        raise _broken(file, f"{where}: `name` must be a text of at most 100 characters")
    if name in (READS, UNNAMED):
        raise _broken(file, f"{where}: `name` must be another one, since verdicts without a rule are called so")
    decision = entry.get("decision")
    if decision not in DECISIONS:
        raise _broken(file, f"{where}: `decision` must be one of {', '.join(DECISIONS)}, and is {decision!r}")
    why = entry.get("why", "")
    if not isinstance(why, str):
        raise _broken(file, f"{where}: `why` must be a text")
    return Rule(
        name=name,
        tools=_tools(entry.get("tool"), where, file),
        when=_conditions(entry.get("when", {}), where, file),
        decision=cast("Decision", decision),
        why=why,
        deadline_hours=_deadline(entry, where, file),
        file=file,
    )


def _tools(given: object, where: str, file: str) -> tuple[str, ...]:
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, list) or not found or not all(isinstance(one, str) and one for one in found):
        raise _broken(file, f"{where}: `tool` must be a glob or a list of globs, such as 'shell' or ['mcp/*', 'fetch']")
    return tuple(found)


def _conditions(given: object, where: str, file: str) -> dict[str, tuple[Scalar, ...]]:
    if not isinstance(given, dict):
        raise _broken(file, f"{where}: `when` must be a table, such as when = {{ host = '*.example', usd = '<=5' }}")
    found = dict[str, tuple[Scalar, ...]]()
    for fact, wanted in given.items():
        close = difflib.get_close_matches(fact, KNOWN_FACTS, 1, 0.8)
        if fact not in KNOWN_FACTS and close:
            raise _broken(file, f"{where}: `when` names the fact {fact!r}; did you mean {close[0]!r}?")
        values = wanted if isinstance(wanted, list) else [wanted]
        if not values or not all(isinstance(value, str | int | float | bool) for value in values):
            raise _broken(file, f"{where}: `when.{fact}` must be a text, a number, true, false, or a list of these")
        for value in values:
            _check_value(fact, value, where, file)
        found[fact] = tuple(values)
    return found


def _check_value(fact: str, value: Scalar, where: str, file: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise _broken(file, f"{where}: `when.{fact}` must be a finite number")
    if value == "":
        raise _broken(file, f"{where}: `when.{fact}` is empty; '*' is any value that is known")
    if isinstance(value, str) and re.match(r"\s*[<>=!]", value) and not COMPARISON.fullmatch(value.strip()):
        raise _broken(file, f"{where}: `when.{fact}` is no comparison: {value!r}; write it as '<=5' or '>0.5'")


def _deadline(entry: Mapping[str, Any], where: str, file: str) -> float | None:
    hours = entry.get("deadline_hours")
    if hours is None:
        return None
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= 100_000:
        raise _broken(file, f"{where}: `deadline_hours` must be a number above 0")
    if entry.get("decision") != "ask":
        raise _broken(file, f"{where}: `deadline_hours` is for rules that ask")
    return float(hours)


def _broken(file: object, what: str) -> PolicyError:
    return PolicyError(
        f"The policy {file} cannot be used: {what}. Nothing was started or judged by it.",
        hint="Mend the file or move it away; `trainwright policy show` checks it, docs/policy.md says what may stand in it.",
    )
