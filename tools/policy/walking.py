"""Walks through a command as a shell would, on all ways at once, and notes what it would do.

Branches, loops, functions, subshells and pipelines are followed with the folder and the variables that each way has.
Programs are looked up in `programs.py`. What cannot be followed for sure raises `NotUnderstood`; nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .assigning import ASSIGNMENTS, assigned, assigned_value
from .branching import BRANCHES
from .expansion import Expander
from .places import Place, Places
from .recording import Recording
from .redirecting import continued, document, redirect
from .scope import Scope, Scopes, Ways, united
from .streams import ANYTHING, NOTHING, Stream
from .syntax import NotUnderstood, parsed, text_of
from .words import Word

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["Walker"]

MAX_STEPS = 6_000
MAX_DEPTH = 8


@dataclass
class Walker:
    """One walk through one command.

    Attributes:
        note: what was found.
        printed: what the last command prints.
    """

    places: Places
    note: Recording
    printed: Stream = ANYTHING
    steps: int = 0
    depth: int = 0

    # -- statements ------------------------------------------------------------------------------------------------

    def source(self, text: str, scopes: Scopes, stdin: Stream = NOTHING) -> Ways:
        """Walk through a text, such as what `eval` or `sh -c` gets.

        Raises:
            NotUnderstood: it cannot be followed for sure.
        """
        if self.depth >= MAX_DEPTH:
            raise NotUnderstood("it is nested too deeply")
        self.depth += 1
        try:
            return self.statements(parsed(text).children, scopes, stdin)
        finally:
            self.depth -= 1

    def statements(self, nodes: Iterable[Node], scopes: Scopes, stdin: Stream = NOTHING) -> Ways:
        """One after the other; what follows an `exit` is read as if it ran."""
        ways = Ways.same(scopes)
        listed = [node for node in nodes if node.type not in ("comment", "heredoc_body", "heredoc_end")]
        for node, behind in zip(listed, [*listed, None][1:], strict=True):
            if node.is_named:
                before = ways.all or scopes
                ways = self.run(node, before, stdin)
                if behind is not None and behind.type == "&":  # a shell of its own, whose folder and variables are lost
                    ways = Ways.same(before)
                if not ways.all:
                    ways = Ways(ways.done, ways.failed)
                    scopes = before
        return ways

    def run(self, node: Node, scopes: Scopes, stdin: Stream = NOTHING) -> Ways:
        """One statement."""
        self.spend(1)
        walk = {**BRANCHES, **ASSIGNMENTS}.get(node.type) or getattr(type(self), f"_{node.type}", None)
        if walk is None:
            raise NotUnderstood(f"a part of it is not known here: {node.type.replace('_', ' ')}")
        found: Ways = walk(self, node, scopes, stdin)
        return found

    def _list(self, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
        return self._listed(node, scopes, stdin, lambda right, now: self.run(right, now, stdin))

    def _listed(self, node: Node, scopes: Scopes, stdin: Stream, then: Callable[[Node, Scopes], Ways]) -> Ways:
        """The left side of `&&` or `||`, and `then` for the right one."""
        parts = [child for child in node.children if child.type != "comment"]
        if len(parts) != 3 or parts[1].type not in ("&&", "||"):
            raise NotUnderstood("a part of it is not known here")
        left, mark, right = parts
        first = self.run(left, scopes, stdin)
        if mark.type == "&&":
            second = then(right, first.done or scopes) if first.done or not first.all else Ways()
            return Ways(second.done, united(first.failed, second.failed))
        second = then(right, first.failed or scopes)
        return Ways(united(first.done, second.done), second.failed)

    def _negated_command(self, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
        ways = self.run(node.children[-1], scopes, stdin)
        return Ways(ways.failed, ways.done)

    def _pipeline(self, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
        return self._piped(node, scopes, stdin, lambda last, now, stream: self.run(last, now, stream))

    def _piped(self, node: Node, scopes: Scopes, stdin: Stream, then: Callable[[Node, Scopes, Stream], Ways]) -> Ways:
        """The parts of a pipeline, and `then` for the last one."""
        stream, network = stdin, False
        parts = [child for child in node.children if child.is_named and child.type != "comment"]
        for number, child in enumerate(parts, 1):
            self.printed = ANYTHING
            ways = then(child, scopes, stream) if number == len(parts) else self.run(child, scopes, stream)
            if _holds_list(child):  # the grammar lets `a && b > f | c` begin with `a`, which has no shell of its own
                scopes = united(scopes, ways.all)
            network = network or self.printed.network
            stream = replace(self.printed, network=network, none=False)
        self.printed = stream
        return Ways.same(scopes)

    def _subshell(self, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
        self.statements(node.children[1:-1], scopes, stdin)
        return Ways.same(scopes)

    def _compound_statement(self, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
        if node.children[0].type == "((":
            for scope in scopes:
                self.expander(scope).arithmetic(node)
            names = re.findall(r"[A-Za-z_]\w*", text_of(node))
            return Ways.same(frozenset(self._numbered(scope, names) for scope in scopes))
        return self.statements(node.children[1:-1], scopes, stdin)

    def _do_group(self, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
        return self.statements(node.children[1:-1], scopes, stdin)

    def _numbered(self, scope: Scope, names: Iterable[str]) -> Scope:
        for name in names:
            if scope.value(name) is not None:
                scope = scope.with_value(name, (Word.unknown("name"),))
        return scope

    def _function_definition(self, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
        words = [child for child in node.children if child.is_named]
        name, body = text_of(words[0]), words[1]
        if len(words) > 2:
            raise NotUnderstood("its function redirects its own streams")
        if re.search(rf"(?<![\w-]){re.escape(name)}\s*(\||&)", text_of(body)) and name in _called(body):
            self.note.act("fork_bomb", name, "starts itself again and again until the machine stops")
            raise NotUnderstood("its function starts itself without end")
        return Ways.same(frozenset(scope.with_function(name, text_of(body)) for scope in scopes))

    # -- redirections ----------------------------------------------------------------------------------------------

    def _redirected_statement(self, node: Node, scopes: Scopes, stdin: Stream) -> Ways:
        body = next((child for child in node.children if child.is_named and "redirect" not in child.type), None)
        redirects = [child for child in node.children if "redirect" in child.type]
        here = [child for child in redirects if child.type == "heredoc_redirect"]
        if len(here) > 1:
            raise NotUnderstood("it has several here-documents")
        ways = self._redirected(scopes, body, redirects, stdin)
        for mark, right in map(continued, here):
            if right is not None:
                after = {"&&": ways.done, "||": ways.failed}[mark] or scopes
                ways = Ways.same(united(ways.all, self.run(right, after).all))
        return ways

    def _redirected(self, scopes: Scopes, body: Node | None, redirects: list[Node], stdin: Stream) -> Ways:
        """A body with its redirections, which belong to the last command of a list or a pipeline alone."""
        if body is not None and body.type == "list":
            return self._listed(body, scopes, stdin, lambda right, now: self._redirected(now, right, redirects, stdin))
        if body is not None and body.type == "pipeline":
            return self._piped(
                body, scopes, stdin, lambda last, now, stream: self._redirected(now, last, redirects, stream)
            )
        ends = [self._attached(scope, body, redirects, stdin) for scope in scopes]
        return Ways(united(*(end.done for end in ends)), united(*(end.failed for end in ends)))

    def _attached(self, scope: Scope, body: Node | None, redirects: list[Node], stdin: Stream) -> Ways:
        extra: list[Node] = []
        pipes: list[Node] = []
        for child in redirects:
            if child.type == "heredoc_redirect":
                stdin, extra, pipes = document(self, child, scope, stdin)
            else:
                stdin = redirect(self, child, scope, stdin)
        scopes = frozenset([scope])
        if body is None:
            ways = Ways.same(scopes)
        elif extra:
            if body.type != "command":
                raise NotUnderstood("a part of it is not known here")
            ways = self._command(body, scopes, stdin, extra)
        else:
            ways = self.run(body, scopes, stdin)
        for pipe in pipes:
            ended = self.run(pipe, ways.all or scopes, replace(self.printed, none=False))
            scopes = united(scopes, ended.all) if _holds_list(pipe) else scopes
            ways = Ways.same(scopes)
        return ways

    # -- words and assignments ---------------------------------------------------------------------------------------

    def expander(self, scope: Scope) -> Expander:
        return Expander(scope, self.places.home, self)

    def substituted(self, node: Node, scope: Scope) -> Word:
        """What `$(…)` gives, unquoted."""
        inside = [child for child in node.children if child.is_named]
        if len(inside) == 1 and inside[0].type == "file_redirect":
            redirect(self, inside[0], scope, NOTHING)
            return Word.unknown(many=True)
        kept, self.printed = self.printed, ANYTHING
        self.statements(inside, frozenset([scope]))
        found, self.printed = self.printed, kept
        if len(inside) != 1:
            return Word.unknown(many=True)
        if found.text is not None:
            return Word(found.text.rstrip("\n"))
        kind = found.kind if found.kind in ("name", "inside") else "text"
        return replace(Word.unknown(kind, many=True), checked=found.checked)

    def stream(self, node: Node, scope: Scope) -> None:
        """What runs in `<(…)` or `>(…)`."""
        kept = self.printed
        self.statements(node.children[1:-1], frozenset([scope]), ANYTHING)
        self.printed = kept

    def spend(self, steps: int) -> None:
        """Count work, so that no command keeps the judge for long.

        Raises:
            NotUnderstood: it was too much.
        """
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise NotUnderstood("it is too long to be followed")

    def strange_names(self, cwd: str) -> bool:
        """Whether a file in the folder has a name that looks like an option."""
        from pathlib import Path

        if self.note.strange:
            return True
        try:
            names = [path.name for path in Path(self.places.on_disk(cwd)).iterdir()] if cwd else []
            return any(name.startswith("-") for name in names)
        except OSError:
            return False

    # -- commands ----------------------------------------------------------------------------------------------------

    def _command(self, node: Node, scopes: Scopes, stdin: Stream, extra: Sequence[Node] = ()) -> Ways:
        ends = [self._one(node, scope, stdin, extra) for scope in scopes]
        return Ways(united(*(end.done for end in ends)), united(*(end.failed for end in ends)))

    def _one(self, node: Node, scope: Scope, stdin: Stream, extra: Sequence[Node]) -> Ways:
        words, inner, name = list[Word](), scope, None
        expander = self.expander(scope)
        splits = text_of(name_node) in ("read", "mapfile") if (name_node := _name_of(node)) is not None else False
        for child in [*node.children, *extra]:
            if child.type == "variable_assignment" and splits and text_of(child.children[0]) == "IFS":
                assigned_value(self, child, inner)  # it holds for the line that is read, and for nothing else
            elif child.type == "variable_assignment":
                inner = assigned(self, inner, child)
            elif child.type == "command_name":
                name = child
                words += expander.words(child.children[0])
            elif child.type in ("file_redirect", "herestring_redirect"):
                stdin = redirect(self, child, scope, stdin)
            elif child.type == "subshell" and [word.text for word in words] == ["time"]:
                return self.run(child, frozenset([inner]), stdin)
            elif child.type not in ("comment", "==", "=~"):
                words += expander.words(child)
            else:
                raise NotUnderstood("a part of it is not known here")
        if name is None:
            return Ways.same(frozenset([inner]))
        return self.command(words, scope, stdin)

    def command(self, words: Sequence[Word], scope: Scope, stdin: Stream = NOTHING) -> Ways:
        """A simple command after expansion.

        Raises:
            NotUnderstood: which program that is, is known only when it runs.
        """
        from .builtins import BUILTINS
        from .calls import Call
        from .programs import judge

        self.spend(1)
        self.printed = ANYTHING
        if not words:
            return Ways.same(frozenset([scope]))
        if not words[0].known or words[0].many:
            raise NotUnderstood("which program it starts is known only when it runs")
        name = words[0].text
        call = Call(self, name, list(words[1:]), scope, stdin)
        for word in words[1:]:
            if word.secret:
                self.note.act("secret", name, f"{name} gets what a variable with a secret's name holds", path="")
        body = dict(scope.functions).get(name)
        if body is not None:
            return self._called_function(body, call)
        if name in BUILTINS:
            return BUILTINS[name](call)
        judge(call)
        return Ways.same(frozenset([scope]))

    def _called_function(self, body: str, call: object) -> Ways:
        from .calls import Call

        assert isinstance(call, Call)
        inner = replace(call.scope, positional=None if any(word.many for word in call.args) else tuple(call.args))
        ways = self.source(body, frozenset([inner]), call.stdin)
        given = call.scope.positional
        return Ways(
            frozenset(replace(one, positional=given) for one in ways.done),
            frozenset(replace(one, positional=given) for one in ways.failed),
        )

    def place(self, word: Word, scope: Scope) -> Place:
        """Where a word leads as a path."""
        return self.places.place(word, scope.cwd)


def _name_of(node: Node) -> Node | None:
    return next((child for child in node.children if child.type == "command_name"), None)


def _holds_list(node: Node) -> bool:
    """Whether a part of a pipeline begins with commands that are outside of it."""
    return node.type == "list" or (node.type == "redirected_statement" and any(map(_holds_list, node.children)))


def _called(node: Node) -> set[str]:
    """Names of the commands in a tree."""
    found = {text_of(node)} if node.type == "command_name" else set[str]()
    return found.union(*(_called(child) for child in node.children))
