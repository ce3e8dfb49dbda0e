"""Who may do what: rules over tools and effects, and what a shell command would do."""

from __future__ import annotations

from .actions import Action, Decision, Fact, Verdict
from .rules import Policy, PolicyError, Rule, load_policy, policy_path
from .shell import actions_of_command

__all__ = [
    "Action",
    "Decision",
    "Fact",
    "Policy",
    "PolicyError",
    "Rule",
    "Verdict",
    "actions_of_command",
    "load_policy",
    "policy_path",
]
