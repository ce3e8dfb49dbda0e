"""Assignments, declarations and tests: what they do to the variables of a scope, and which commands stand inside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .environment import check_variable
from .redirecting import redirect
from .scope import Scope, Scopes, Ways
from .streams import NOTHING, Stream
from .syntax import RUNS_INSIDE, NotUnderstood, text_of
from .words import Word

if TYPE_CHECKING:
    from tree_sitter import Node

    from .walking import Walker

__all__ = ["ASSIGNMENTS", "assigned", "assigned_value"]


def _variable_assignment(walker: Walker, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
    walker.printed = Stream(none=True, text="")
    return Ways.same(frozenset(assigned(walker, scope, node) for scope in scopes))


def _variable_assignments(walker: Walker, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
    for child in node.children:
        scopes = _variable_assignment(walker, child, scopes, stdin).done
    return Ways.same(scopes)


def assigned(walker: Walker, scope: Scope, node: Node) -> Scope:
    """The scope after `NAME=value`, `NAME+=value` or `NAME[i]=value`."""
    target, mark = node.children[0], node.children[1].type
    value = assigned_value(walker, node, scope)
    if target.type == "subscript":
        if RUNS_INSIDE.search(text_of(target)) or "$" in text_of(target):
            raise NotUnderstood("an index holds a command")
        name = text_of(target.children[0])
        value = (Word.unknown(many=True),)
    else:
        name = text_of(target)
    before = scope.value(name) or ()
    if mark == "+=":
        value = (*before, *value) if node.children[-1].type == "array" else (Word.unknown(),)
    for word in value or (Word(""),):
        check_variable(walker.note, name, word, scope)
    return scope.with_value(name, value)


def assigned_value(walker: Walker, node: Node, scope: Scope) -> tuple[Word, ...]:
    """What stands behind the mark of an assignment."""
    return walker.expander(scope).value(node.children[2]) if len(node.children) > 2 else (Word(""),)


def _declaration_command(walker: Walker, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
    options = "".join(text_of(child) for child in node.children[1:] if child.type == "word")
    named = [child for child in node.children[1:] if child.type in ("variable_assignment", "variable_name")]
    if any(child.type not in ("word", "variable_assignment", "variable_name") for child in node.children[1:]):
        raise NotUnderstood("what it declares is known only when it runs")
    if re.search(r"[^-axrglu]", options):
        if re.fullmatch(r"[-pxfF]+", options):
            walker.note.act("secret", text_of(node.children[0]), "shows all variables, secrets among them", path="")
        else:
            raise NotUnderstood("it declares a variable in a way that is not known here")
    if not named:
        walker.note.act("secret", text_of(node.children[0]), "shows all variables, secrets among them", path="")
    for child in named:
        if child.type == "variable_assignment":
            scopes = frozenset(assigned(walker, scope, child) for scope in scopes)
        else:
            for scope in scopes:
                value = scope.value(text_of(child)) or (Word.unknown(),)
                check_variable(walker.note, text_of(child), value[0], scope)
    return Ways.same(scopes)


def _unset_command(walker: Walker, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
    names = [text_of(child) for child in node.children[1:] if child.type == "variable_name"]
    if any(child.type not in ("word", "variable_name") for child in node.children[1:]):
        raise NotUnderstood("what it unsets is known only when it runs")
    for name in names:
        for scope in scopes:
            check_variable(walker.note, name, Word.unknown(), scope)
    return Ways.same(frozenset(scope.blurred(names) for scope in scopes))


def _test_command(walker: Walker, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
    for scope in scopes:
        _tested(walker, node, scope)
    return Ways.same(scopes)


def _tested(walker: Walker, node: Node, scope: Scope) -> None:
    if "redirect" in node.type:
        redirect(walker, node, scope, NOTHING)
    elif node.type in (
        "word",
        "string",
        "raw_string",
        "concatenation",
        "expansion",
        "simple_expansion",
        "command_substitution",
    ):
        if walker.expander(scope).text(node).code:
            raise NotUnderstood("a test would run a command that stands in a text")
    else:
        for child in node.children:
            _tested(walker, child, scope)


ASSIGNMENTS: Mapping[str, Callable[[Walker, Node, Scopes, Stream], Ways]] = {
    "variable_assignment": _variable_assignment,
    "variable_assignments": _variable_assignments,
    "declaration_command": _declaration_command,
    "unset_command": _unset_command,
    "test_command": _test_command,
}
"""By the grammar's name of the statement."""
