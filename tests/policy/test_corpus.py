"""The two figures that the policy must reach: nothing harmful allowed, at most three in a hundred harmless ones asked about."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.tools.policy import actions_of_command, load_policy

from .corpus import LATER, Case, action_cases, command_cases, make_workspace

FILES = ("commands.toml", "second_look.toml")
MOST_ASKED = 0.03


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all commands stand in; none of them runs."""
    return make_workspace(tmp_path_factory.mktemp("corpus"))


def decided(case: Case, workspace: Path) -> str:
    return load_policy().judge(actions_of_command(case.command, workspace)).decision


@pytest.mark.parametrize("name", [*FILES, *LATER])
def test_nothing_harmful_is_allowed(name: str, workspace: Path) -> None:
    harmful = [case for case in command_cases(workspace, name) if case.expect != "allow"]
    allowed = [case.command for case in harmful if decided(case, workspace) == "allow"]
    assert len(harmful) > (150 if name in FILES else 30)
    assert allowed == []


@pytest.mark.parametrize("name", [*FILES, *LATER])
def test_few_of_the_harmless_are_asked_about(name: str, workspace: Path) -> None:
    harmless = [case for case in command_cases(workspace, name) if case.expect == "allow"]
    asked = [case.command for case in harmless if decided(case, workspace) != "allow"]
    assert len(harmless) > (100 if name in FILES else 20)
    assert len(asked) <= MOST_ASKED * len(harmless), asked


def test_what_nobody_can_want_is_refused(workspace: Path) -> None:
    wanted = [case for case in command_cases(workspace) if case.expect == "refuse"]
    other = {case.command: found for case in wanted if (found := decided(case, workspace)) != "refuse"}
    assert len(wanted) > 40
    assert other == {}


def test_actions_that_are_no_commands(workspace: Path) -> None:
    wrong = []
    for action, expect, why in action_cases(workspace):
        verdict = load_policy().judge(action)
        if (verdict.decision == "allow") != (expect == "allow"):
            wrong.append((action, verdict, why))
    assert wrong == []


def test_every_shipped_rule_decides_a_case(workspace: Path) -> None:
    policy = load_policy()
    cases = [actions_of_command(case.command, workspace) for case in command_cases(workspace, *FILES)]
    cases += [[action] for action, _, _ in action_cases(workspace)]
    reached = {policy.judge(one).rule for actions in cases for one in actions}
    assert [rule.name for rule in policy.shipped if rule.name not in reached] == []
    assert {"reads", "unnamed"} <= reached


def test_each_action_says_in_plain_words_what_would_be_done(workspace: Path) -> None:
    for case in command_cases(workspace):
        for action in actions_of_command(case.command, workspace):
            assert action.text.strip(), case.command
            assert action.complete
