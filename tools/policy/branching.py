"""Branches and loops: all ways through them are followed, and what a round of a loop leaves behind for the next one.

A loop is gone through until nothing new comes; what its rounds change is not known afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from .environment import check_variable
from .scope import Scope, Scopes, Ways, united
from .streams import Stream
from .syntax import NotUnderstood, text_of
from .words import Word

if TYPE_CHECKING:
    from tree_sitter import Node

    from .walking import Walker

__all__ = ["BRANCHES"]

ROUNDS = 4


def _if_statement(walker: Walker, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
    ended, reached = frozenset[Scope](), scopes
    clauses = [node, *(child for child in node.children if child.type == "elif_clause")]
    for clause in clauses:
        inside = [child for child in clause.children if child.type not in ("elif_clause", "else_clause")]
        split = next(number for number, child in enumerate(inside) if child.type == "then")
        tested = walker.statements(inside[1:split], reached, stdin)
        body = walker.statements(inside[split + 1 :], tested.done or reached, stdin)
        ended, reached = united(ended, body.all), tested.failed or reached
    other = next((child for child in node.children if child.type == "else_clause"), None)
    rest = walker.statements(other.children[1:], reached, stdin).all if other else reached
    return Ways.same(united(ended, rest))


def _case_statement(walker: Walker, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
    found = scopes
    for child in node.children:
        if child.type == "case_item":
            end = next(number for number, part in enumerate(child.children) if part.type == ")")
            _nested(walker, child.children[:end], scopes)
            found = united(found, walker.statements(child.children[end + 1 :], found, stdin).all)
        else:
            _nested(walker, [child], scopes)
    return Ways.same(found)


def _nested(walker: Walker, nodes: Iterable[Node], scopes: Scopes) -> None:
    """Judge the commands inside words that are only compared."""
    for node in nodes:
        if node.is_named:
            for scope in scopes:
                walker.expander(scope).text(node)


def _loop(walker: Walker, scopes: Scopes, body: Callable[[Scopes], Scopes]) -> Scopes:
    """All ways after any number of rounds."""
    for _ in range(ROUNDS):
        after = united(scopes, body(scopes))
        if after == scopes:
            return scopes
        scopes = after
    changed = {
        name
        for scope in scopes
        for name, value in scope.variables
        if any(other.value(name) != value for other in scopes)
    }
    scopes = frozenset(scope.blurred(changed) for scope in scopes)
    if united(scopes, body(scopes)) != scopes:
        raise NotUnderstood("its loop changes the folder, or goes on in a way that cannot be followed")
    return scopes


def _while_statement(walker: Walker, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
    group = next(child for child in node.children if child.type == "do_group")
    tests = node.children[1 : node.children.index(group)]
    flow = replace(stdin, text=None)
    return Ways.same(
        _loop(walker, scopes, lambda now: walker.run(group, walker.statements(tests, now, flow).all or now, flow).all)
    )


def _for_statement(walker: Walker, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
    if node.children[0].type != "for":
        raise NotUnderstood("`select` waits for somebody who chooses")
    name = text_of(node.children[1])
    group = node.children[-1]
    given = [child for child in node.children[2:-1] if child.is_named]
    if group.type != "do_group":
        raise NotUnderstood("a part of it is not known here")
    ends = [
        _for(walker, scope, name, given, group, stdin, any(child.type == "in" for child in node.children))
        for scope in scopes
    ]
    return Ways.same(united(*ends))


def _for(
    walker: Walker, scope: Scope, name: str, given: list[Node], group: Node, stdin: Stream, listed: bool
) -> Scopes:
    check_variable(walker.note, name, Word.unknown(), scope)
    words = [word for node in given for word in walker.expander(scope).words(node)]
    if not listed:
        words = list(scope.positional) if scope.positional is not None else [Word.unknown(many=True)]
    scopes = frozenset([scope])
    for word in words if len(words) <= 20 and not any(word.many for word in words) else ():
        begun = frozenset(one.with_value(name, (word,)) for one in scopes)
        scopes = united(scopes, walker.run(group, begun, stdin).all)
    if scopes == frozenset([scope]) and words:
        for word in dict.fromkeys(_lone(word) for word in words):
            scopes = _loop(
                walker,
                scopes,
                lambda now, word=word: (
                    walker.run(  # type: ignore[misc]
                        group, frozenset(one.with_value(name, (word,)) for one in now), stdin
                    ).all
                ),
            )
    return scopes


def _lone(word: Word) -> Word:
    """One of the words that a word may become."""
    return replace(word, many=False) if word.kind in ("inside", "name") else replace(word, many=word.kind == "text")


def _c_style_for_statement(walker: Walker, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
    group = node.children[-1]
    for scope in scopes:
        walker.expander(scope).arithmetic(node)
    names = [text_of(child.children[0]) for child in node.children if child.type == "variable_assignment"]
    begun = frozenset(_begun(walker, scope, names) for scope in scopes)
    return Ways.same(_loop(walker, begun, lambda now: walker.run(group, now, stdin).all))


def _begun(walker: Walker, scope: Scope, names: Iterable[str]) -> Scope:
    for name in names:
        check_variable(walker.note, name, Word.unknown("name"), scope)
        scope = scope.with_value(name, (Word.unknown("name"),))
    return scope


BRANCHES: Mapping[str, Callable[[Walker, Node, Scopes, Stream], Ways]] = {
    "if_statement": _if_statement,
    "case_statement": _case_statement,
    "while_statement": _while_statement,
    "for_statement": _for_statement,
    "c_style_for_statement": _c_style_for_statement,
}
"""By the grammar's name of the statement."""
