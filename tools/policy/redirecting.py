"""Redirections and here-documents: what they write and read, and what the command behind them then reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .scope import Scope
from .streams import ANYTHING, NOTHING, Stream
from .syntax import RUNS_INSIDE, NotUnderstood, text_of
from .words import Word

if TYPE_CHECKING:
    from tree_sitter import Node

    from .walking import Walker

__all__ = ["document", "redirect"]


def redirect(walker: Walker, node: Node, scope: Scope, stdin: Stream) -> Stream:
    """One `>`, `<` or `<<<`; what the command then reads."""
    marks = [child.type for child in node.children if not child.is_named]
    targets = [child for child in node.children if child.is_named and child.type != "file_descriptor"]
    if node.type == "herestring_redirect":
        word = walker.expander(scope).text(targets[0])
        return Stream(word.kind, word.text + "\n" if word.known else None)
    mark = marks[0]
    if mark in (">&-", "<&-"):
        return stdin
    words = [word for target in targets for word in walker.expander(scope).words(target)]
    if len(words) != 1 or words[0].many:
        raise NotUnderstood("where it redirects to is known only when it runs")
    word = words[0]
    if mark in (">&", "<&") and word.known and re.fullmatch(r"\d+|-|\d+-", word.text):
        return stdin
    if word.text.startswith(("/dev/tcp/", "/dev/udp/")):
        walker.note.act("send", "shell", f"opens a connection to {word.shown[9:]}", host="")
        return Stream(network=True)
    if mark in ("<", "<&"):
        place = walker.note.read("shell", word, scope)
        return NOTHING if place.path == "/dev/null" else ANYTHING
    if mark not in (">", ">>", ">|", "&>", "&>>", ">&"):
        raise NotUnderstood("a part of it is not known here")
    walker.note.write("shell", word, scope)
    return stdin


def continued(node: Node) -> tuple[str, Node | None]:
    """The `&&` or `||` on the first line of a here-document, and what stands behind it."""
    mark = ""
    for child in node.children:
        if mark and child.is_named:
            return mark, child
        if child.type in ("&&", "||"):
            mark = child.type
    return "", None


def document(walker: Walker, node: Node, scope: Scope, stdin: Stream) -> tuple[Stream, list[Node], list[Node]]:
    """A here-document: its text, further words of its command, and the commands that it is piped into."""
    extra: list[Node] = []
    pipes: list[Node] = []
    behind = continued(node)[1]
    text = Word("")
    dash, mark = False, ""
    for child in node.children:
        if child.type in ("<<", "<<-"):
            dash = child.type == "<<-"
        elif child.type == "heredoc_start":
            mark = text_of(child)
        elif child.type == "heredoc_body":
            text = _document_text(walker, child, mark, dash, scope)
        elif child.type == "pipeline" and child != behind:
            pipes = [part for part in child.children if part.is_named]
        elif child.type in ("&&", "||") or child == behind:
            continue  # follows when the command has ended
        elif child.type in ("file_redirect", "herestring_redirect"):
            redirect(walker, child, scope, stdin)
        elif child.type in (
            "word",
            "string",
            "raw_string",
            "number",
            "concatenation",
            "simple_expansion",
            "expansion",
        ):
            extra.append(child)
        elif child.type not in ("heredoc_end", "|", "|&"):
            raise NotUnderstood("a part of it is not known here")
    return Stream(text.kind, text.text if text.known else None), extra, pipes


def _document_text(walker: Walker, node: Node, mark: str, dash: bool, scope: Scope) -> Word:
    plain = re.sub(r"[\\'\"]", "", mark)
    lines = text_of(node).split("\n")
    if not plain or any((line.lstrip("\t") if dash else line) == plain for line in lines):
        raise NotUnderstood("its here-document ends where the grammar does not see it")
    if plain != mark:
        return Word(text_of(node))
    if not node.children and RUNS_INSIDE.search(text_of(node).replace("\\`", "").replace("\\$", "")):
        raise NotUnderstood("a command stands where the grammar sees only text")
    return walker.expander(scope).document(node)
