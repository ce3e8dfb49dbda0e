"""A command as a tree, or the reason why it cannot be read.

The grammar is tree-sitter's for bash, which is made for editors and forgives: what it would skip or read otherwise than
a shell does is refused here. Nothing is expanded, and nothing is judged.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

__all__ = ["MAX_CHARACTERS", "NotUnderstood", "parsed", "text_of"]

MAX_CHARACTERS = 20_000
"""Of a command; a longer one is not read."""

MAX_DEPTH = 60

RUNS_INSIDE = re.compile(r"`|\$\(|[<>]\(")
"""What would be run if a shell expanded the text."""

OPAQUE = frozenset({"word", "regex", "extglob_pattern", "number", "test_operator", "special_character"})
"""Leaves whose text the grammar may have left undivided."""


class NotUnderstood(Exception):
    """The command cannot be read for sure; the message says why, for a person."""


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def text_of(node: Node) -> str:
    """The source of a node."""
    return (node.text or b"").decode()


def parsed(command: str) -> Node:
    """The tree of a command.

    Raises:
        NotUnderstood: it is no command, or one that a shell might read otherwise.
    """
    if len(command) > MAX_CHARACTERS:
        raise NotUnderstood(f"it has {len(command)} characters, and {MAX_CHARACTERS} are the most that is read")
    _check_characters(command)
    try:
        source = command.encode()
    except UnicodeEncodeError as error:
        raise NotUnderstood("it holds bytes that are no text") from error
    root = _parser().parse(source).root_node
    if root.has_error:
        raise NotUnderstood("it is not a whole command of bash")
    _check(root, source, 0)
    return root


def _check_characters(command: str) -> None:
    """Characters that a person does not see, or that a shell and the grammar take differently."""
    for character in command:
        if character in "\n\t " or "!" <= character <= "~":
            continue
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp") or character == "\ufffc":
            raise NotUnderstood(f"it holds the character {character!r}, which a person does not see")


def _check(node: Node, source: bytes, depth: int) -> None:
    """Every byte is accounted for, comments are comments, and no leaf hides a command."""
    if depth > MAX_DEPTH:
        raise NotUnderstood("it is nested too deeply")
    if node.is_missing or node.type == "ERROR":
        raise NotUnderstood("it is not a whole command of bash")
    if node.type == "comment":
        _check_comment(node.start_byte, source)
    if not node.children:
        if node.type in OPAQUE and RUNS_INSIDE.search(_unescaped(text_of(node))):
            raise NotUnderstood("a command stands where the grammar sees only text")
        return
    place = node.start_byte
    for child in node.children:
        _check_gap(node, source[place : child.start_byte])
        _check(child, source, depth + 1)
        place = child.end_byte
    _check_gap(node, source[place : node.end_byte])


def _check_gap(node: Node, gap: bytes) -> None:
    if node.type in ("string", "heredoc_body", "translated_string"):
        if RUNS_INSIDE.search(_unescaped(gap.decode(errors="replace"))) or b"$" in gap:
            raise NotUnderstood("a command stands where the grammar sees only text")
    elif node.type == "redirected_statement" and gap.strip(b" ") == b"-":
        return  # the grammar loses a lone dash in front of a here-document, where it means what comes in
    elif gap.replace(b"\\\n", b"").strip(b" \t\n"):
        raise NotUnderstood("the grammar leaves out a part of it")


def _check_comment(start: int, source: bytes) -> None:
    before = source[:start]
    if before.endswith(b"\\\n") or (before and before[-1:] not in b" \t\n;&|()"):
        raise NotUnderstood("what looks like a comment is none")


def _unescaped(text: str) -> str:
    return re.sub(r"\\.", "", text, flags=re.DOTALL)
