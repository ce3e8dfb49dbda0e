"""Rules: which one decides, what an unknown fact means, and what a broken file says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.graph.errors import RequestError
from trainwright.tools.policy import Action, Policy, PolicyError, Verdict, load_policy, policy_path
from trainwright.tools.policy.rules import rules_of


def written(text: str) -> Path:
    path = policy_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def policy(text: str) -> Policy:
    return Policy(own=rules_of(text.encode(), "policy.toml"))


def rule(when: str, decision: str = "allow", tool: str = "'job'", name: str = "r") -> str:
    return f"[[rule]]\nname = '{name}'\ntool = {tool}\nwhen = {{ {when} }}\ndecision = '{decision}'\n"


def decided(text: str, action: Action) -> str:
    return policy(text).judge(action).decision


def test_without_a_file_the_shipped_rules_hold() -> None:
    found = load_policy()
    assert found.own == ()
    assert found.judge(Action("job", {"place": "local", "usd": 0.0, "approvals": "auto"})).decision == "allow"
    assert found.judge(Action("frobnicate")) == Verdict(
        "ask", "unnamed", "No rule names this, and what no rule names is asked about."
    )


def test_the_first_rule_that_matches_decides() -> None:
    text = rule("usd = '<=5'", "allow", name="a") + rule("usd = '<=5'", "refuse", name="b")
    assert policy(text).judge(Action("job", {"usd": 1})).rule == "a"


def test_the_own_file_comes_before_the_shipped_one() -> None:
    free = Action("job", {"place": "local", "usd": 0.0, "approvals": "auto"})
    written(rule("place = 'local'", "refuse"))
    assert load_policy().judge(free).decision == "refuse"
    paid = Action("job", {"place": "hf", "usd": 3.0, "flavor": "a10g-small"})
    written(rule("usd = '<=5', flavor = 'a10g-*'", "allow"))
    assert load_policy().judge(paid).decision == "allow"
    assert load_policy().judge(free).decision == "allow"


def test_a_changed_file_is_read_again_and_has_another_fingerprint() -> None:
    first = load_policy()
    path = written(rule("usd = 1"))
    second = load_policy()
    path.unlink()
    assert first.fingerprint == load_policy().fingerprint != second.fingerprint


@pytest.mark.parametrize(
    ("when", "facts", "decision"),
    [
        ("usd = '<=5'", {"usd": 5}, "allow"),
        ("usd = '<=5'", {"usd": 5.01}, "ask"),
        ("usd = '>0'", {"usd": 0}, "ask"),
        ("usd = '!=0'", {"usd": 1}, "allow"),
        ("usd = 0", {"usd": 0.0}, "allow"),
        ("usd = '<=5'", {"usd": "cheap"}, "ask"),
        ("usd = '<=5'", {"usd": float("nan")}, "ask"),
        ("usd = '<=5'", {}, "ask"),
        ("usd = '<=1'", {"usd": True}, "ask"),
        ("private = true", {"private": True}, "allow"),
        ("private = true", {"private": False}, "ask"),
        ("private = true", {"private": "true"}, "ask"),
        ("private = true", {"private": 1}, "ask"),
        ("repository = 'me/*'", {"repository": "me/x"}, "allow"),
        ("repository = 'me/*'", {"repository": "you/me/x"}, "ask"),
        ("repository = ['a', 'b/*']", {"repository": "b/c"}, "allow"),
        ("repository = '*'", {"repository": ""}, "ask"),
        ("host = '*.Example.org'", {"host": "A.example.ORG."}, "allow"),
        ("host = 'example.org', usd = 0", {"host": "example.org", "usd": 0}, "allow"),
        ("host = 'example.org', usd = 0", {"host": "example.org", "usd": 1}, "ask"),
    ],
)
def test_conditions(when: str, facts: dict[str, str | int | float | bool], decision: str) -> None:
    assert decided(rule(when), Action("job", facts)) == decision


def test_tools_are_matched_by_glob_and_list() -> None:
    text = rule("", tool="['mcp/papers/*', 'fetch']")
    assert decided(text, Action("mcp/papers/search")) == "allow"
    assert decided(text, Action("fetch")) == "allow"
    assert decided(text, Action("mcp/other/search")) == "ask"


@pytest.mark.parametrize("strict", ["ask", "refuse"])
def test_where_a_strict_rule_may_hold_nothing_is_allowed(strict: str) -> None:
    text = rule("usd = '>5'", strict, name="dear") + rule("flavor = 'cpu-*'", "allow", name="small")
    assert decided(text, Action("job", {"usd": 1, "flavor": "cpu-basic"})) == "allow"
    verdict = policy(text).judge(Action("job", {"flavor": "cpu-basic"}))
    assert (verdict.decision, verdict.rule) == ("ask", "dear")
    assert "usd is not known" in verdict.why


def test_in_an_action_with_all_its_facts_one_that_is_left_out_does_not_apply() -> None:
    text = rule("host = 'evil.example'", "refuse", "'*'", "evil") + rule("", "allow", "'*'", "rest")
    assert decided(text, Action("shell", {"effect": "write"}, complete=True)) == "allow"
    assert decided(text, Action("shell", {"effect": "send", "host": ""}, complete=True)) == "ask"
    assert decided(text, Action("mcp/x/y")) == "ask"


def test_what_only_reads_is_never_asked_about_unless_the_person_says_so() -> None:
    reading = Action("mcp/files/read", {"path": "/srv/x"}, reads=True)
    assert load_policy().judge(reading).decision == "allow"
    assert decided(rule("host = 'x'", "refuse", "'mcp/*'"), reading) == "allow"
    assert decided(rule("path = '/srv/*'", "refuse", "'mcp/*'"), reading) == "refuse"


def test_of_several_actions_the_strictest_decides_and_is_named() -> None:
    text = rule("usd = 0", "allow", name="a") + rule("usd = 1", "refuse", name="b")
    free, dear, other = (Action("job", {"usd": usd}, text=f"costs {usd}") for usd in (0, 1, 2))
    assert policy(text).judge([free, free]).decision == "allow"
    assert policy(text).judge([free, other]).action == "costs 2"
    assert policy(text).judge([other, free, dear, other]) == policy(text).judge(dear)
    assert policy(text).judge([]).decision == "ask"


@given(st.permutations([0, 1, 2, 0]), st.integers(1, 4))
def test_the_order_of_actions_does_not_matter(costs: list[int], count: int) -> None:
    text = rule("usd = 0", "allow", name="a") + rule("usd = 1", "refuse", name="b")
    strictest = max((["allow", "refuse", "ask"][usd] for usd in costs[:count]), key=["allow", "ask", "refuse"].index)
    assert policy(text).judge([Action("job", {"usd": usd}) for usd in costs[:count]]).decision == strictest


def test_only_a_rule_that_asks_sets_a_deadline() -> None:
    text = "[[rule]]\nname = 'r'\ntool = 'job'\ndecision = 'ask'\ndeadline_hours = 2\n"
    assert policy(text).judge(Action("job")).deadline_hours == 2.0
    assert load_policy().judge(Action("frobnicate")).deadline_hours is None


def test_where_a_path_leads_is_found_out_not_believed(tmp_path: Path) -> None:
    facts = {"workspace": str(tmp_path), "path": f"{tmp_path}/../x", "outside": False, "protected": False}
    assert load_policy().judge(Action("write_file", facts)).decision == "ask"
    (tmp_path / "link").symlink_to("/etc")
    assert load_policy().judge(Action("write_file", {**facts, "path": f"{tmp_path}/link/x"})).decision == "ask"
    assert load_policy().judge(Action("write_file", {**facts, "path": f"{tmp_path}/x"})).decision == "allow"


def test_a_host_is_that_of_the_address() -> None:
    facts = {"host": "arxiv.org", "url": "http://169.254.169.254/x"}
    assert load_policy().judge(Action("fetch", facts)).decision == "refuse"
    assert load_policy().judge(Action("fetch", {"url": "https://arxiv.org/abs/1"})).decision == "allow"


GOOD = "[[rule]]\nname = 'r'\ntool = 'job'\ndecision = 'ask'\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rule", "no TOML"),
        ("x = 1\n", "'x'"),
        ("rule = 3\n", "no list"),
        (GOOD + "hwen = {}\n", "'hwen'; did you mean 'when'"),
        (GOOD + "host = 'x'\n", "conditions go into `when`"),
        ("[[rule]]\ntool = 'job'\ndecision = 'ask'\n", "rule 1: `name`"),
        (GOOD.replace("'r'", "'reads'"), "must be another one"),
        (GOOD.replace("'r'", "''"), "`name`"),
        (
            GOOD.replace("'ask'", "'maybe'"),
            r"rule 1 ('r'): `decision` must be one of allow, ask, refuse, and is 'maybe'",
        ),
        (GOOD.replace("tool = 'job'\n", ""), "`tool`"),
        (GOOD.replace("'job'", "[]"), "`tool`"),
        (GOOD.replace("'job'", "['a', 3]"), "`tool`"),
        (GOOD + "why = 3\n", "`why`"),
        (GOOD + "when = 3\n", "`when` must be a table"),
        (GOOD + "when = { usd = [] }\n", "`when.usd`"),
        (GOOD + "when = { usd = { a = 1 } }\n", "`when.usd`"),
        (GOOD + "when = { usd = '<=five' }\n", "no comparison"),
        (GOOD + "when = { usd = nan }\n", "finite"),
        (GOOD + "when = { host = '' }\n", "empty"),
        (GOOD + "when = { flavour = 'x' }\n", "did you mean 'flavor'"),
        (GOOD + "deadline_hours = 0\n", "above 0"),
        (GOOD + "deadline_hours = true\n", "above 0"),
        (GOOD.replace("'ask'", "'allow'") + "deadline_hours = 2\n", "rules that ask"),
        (GOOD + GOOD, "two rules have the name 'r'"),
    ],
)
def test_a_broken_file_says_what_is_wrong_with_which_rule(text: str, words: str) -> None:
    path = written(text)
    with pytest.raises(PolicyError, match=re.escape(words)) as found:
        load_policy()
    assert str(path) in found.value.message
    assert found.value.hint
    assert isinstance(found.value, RequestError)


def test_a_file_that_cannot_be_read_is_no_missing_file() -> None:
    path = policy_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/nowhere/at/all")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy()
    path.unlink()
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="UTF-8"):
        load_policy()
    path.unlink()
    path.mkdir()
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_no_missing_file() -> None:
    written(GOOD).chmod(0)
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy()
