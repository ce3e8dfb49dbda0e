"""What the words of a command become: quotes, variables, braces, tildes, patterns, substitutions.

It follows bash's order of expansions. A piece that only the running shell would know stays a hole in the word. Commands
inside a word are handed to the walker, which judges them like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .pieces import MAX_WORDS, Unit, ansi, between_quotes, choices, part_of, plain, quoted_unit
from .places import secret_name
from .scope import NAMES, Scope
from .syntax import RUNS_INSIDE, NotUnderstood, text_of
from .words import ORDER, Kind, Word

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["Expander", "Substitutes"]

PATTERN = re.compile(r"[*?\[]")


class Substitutes(Protocol):
    """Who judges the commands inside a word."""

    def substituted(self, node: Node, scope: Scope) -> Word:
        """What `$(…)` gives, unquoted."""
        ...

    def stream(self, node: Node, scope: Scope) -> None:
        """What runs in `<(…)`."""
        ...

    def spend(self, steps: int) -> None:
        """Count work; what takes too much of it is not followed."""
        ...

    def strange_names(self, cwd: str) -> bool:
        """Whether a pattern in the folder may hit a file whose name looks like an option."""
        ...


@dataclass
class Expander:
    """Expands the words of one scope."""

    scope: Scope
    home: str
    outer: Substitutes

    def words(self, node: Node) -> list[Word]:
        """The arguments that a node becomes."""
        if node.type == "array":
            return [word for child in node.children if child.is_named for word in self.words(child)]
        listed = self._listed(node)
        if listed is not None:
            return listed
        found = list[Word]()
        for number, units in enumerate(self._braces(self._units(node, False)), 1):
            found += self._fields(units)
            self.outer.spend(1)
            if max(number, len(found)) > MAX_WORDS:
                raise NotUnderstood("it has too many words")
        return found

    def _listed(self, node: Node) -> list[Word] | None:
        """What `"$@"` or `"${name[@]}"` stands for, where it is known; None if the node is anything else."""
        inner = [child for child in node.children if child.is_named]
        if node.type != "string" or len(inner) != 1:
            return None
        match = re.fullmatch(r'"\$(?:@|\{(\w+)\[@\]\})"', text_of(node))
        if match is None:
            return None
        value = self.scope.value(match[1]) if match[1] else self.scope.positional
        return None if value is None else list(value)

    def value(self, node: Node) -> tuple[Word, ...]:
        """What an assignment stores: no splitting, no patterns, no braces."""
        if node.type == "array":
            return tuple(self.words(node))
        return (self._one(self._tilde(self._units(node, False), assigned=True)),)

    def text(self, node: Node) -> Word:
        """A node as one word, as between quotes."""
        return self._one(self._units(node, True))

    # -- pieces ----------------------------------------------------------------------------------------------------

    def _units(self, node: Node, quoted: bool) -> list[Unit]:
        kind = node.type
        if kind in (
            "word",
            "number",
            "extglob_pattern",
            "regex",
            "test_operator",
            "variable_name",
            "special_character",
        ):
            return plain(text_of(node), quoted)
        if kind == "concatenation":
            return [unit for child in node.children for unit in self._units(child, quoted)]
        if kind in ("string", "translated_string"):
            return self._string(node if kind == "string" else node.children[-1])
        if kind == "raw_string":
            return [quoted_unit(text_of(node)[1:-1])]
        if kind == "ansi_c_string":
            return [quoted_unit(ansi(text_of(node)[2:-1]))]
        if kind == "brace_expression":
            return [Unit("raw", Word(text_of(node), bare=True))]
        if kind in ("simple_expansion", "expansion", "command_substitution", "arithmetic_expansion"):
            return [self._expansion(node, quoted)]
        if kind == "process_substitution":
            self.outer.stream(node, self.scope)
            return [quoted_unit("/dev/fd/63")]
        if kind == "$" or (not node.is_named and kind in ("{", "}", "[", "]", ",", "..")):
            return plain(text_of(node), quoted)
        raise NotUnderstood(f"a part of it is not known here: {kind.replace('_', ' ')}")

    def _string(self, node: Node) -> list[Unit]:
        """The pieces between double quotes; the grammar leaves out white space between them."""
        source = text_of(node).encode()
        units, place = [quoted_unit("")], 1
        for child in node.children[1:-1]:
            begin, end = child.start_byte - node.start_byte, child.end_byte - node.start_byte
            units.append(quoted_unit(between_quotes(source[place:begin].decode())))
            if child.type in ("string_content", "$", "heredoc_content"):
                units.append(quoted_unit(between_quotes(text_of(child))))
            else:
                units += [Unit("quoted", unit.word) for unit in self._units(child, True)]
            place = end
        return [*units, quoted_unit(between_quotes(source[place : len(source) - 1].decode()))]

    def document(self, node: Node) -> Word:
        """The text of a here-document whose delimiter is not quoted."""
        source = (node.text or b"").decode().encode()
        if not node.children:
            return Word(between_quotes(source.decode()))
        units, place = list[Unit](), 0
        for child in node.children:
            begin, end = child.start_byte - node.start_byte, child.end_byte - node.start_byte
            units.append(quoted_unit(between_quotes(source[place:begin].decode())))
            if child.type == "heredoc_content":
                units.append(quoted_unit(between_quotes(text_of(child))))
            else:
                units += self._units(child, True)
            place = end
        return self._one([*units, quoted_unit(between_quotes(source[place:].decode()))])

    # -- variables -------------------------------------------------------------------------------------------------

    def _expansion(self, node: Node, quoted: bool) -> Unit:
        if node.type == "command_substitution":
            word = self.outer.substituted(node, self.scope)
        elif node.type == "arithmetic_expansion":
            self.arithmetic(node)
            word = Word.unknown("name")
        elif node.type == "simple_expansion":
            word = self._variable(text_of(node)[1:], quoted)
        else:
            word = self._braced(node, quoted)
        return Unit("quoted" if quoted else "expanded", word)

    def arithmetic(self, node: Node) -> None:
        """Judge the commands inside; refuse a variable whose text arithmetic would run.

        Raises:
            NotUnderstood: there is such a variable.
        """
        for child in node.children:
            if child.type in (
                "command_substitution",
                "expansion",
                "simple_expansion",
                "process_substitution",
                "string",
            ):
                if self.text(child).code:
                    raise NotUnderstood("arithmetic would run a command that stands in a text")
            elif child.type in ("variable_name", "word", "subscript"):
                for name in re.findall(r"[A-Za-z_]\w*", text_of(child)):
                    if any(word.code or word.kind == "text" for word in self.scope.value(name) or ()):
                        raise NotUnderstood("arithmetic would run a command that may stand in a text")
                self.arithmetic(child)
            else:
                self.arithmetic(child)

    def _variable(self, name: str, quoted: bool) -> Word:
        if name in ("@", "*"):
            return self._all(self.scope.positional)
        if name.isdigit():
            return self._positional(int(name))
        value = self.scope.value(name)
        if value is not None:
            return value[0] if value else Word("")
        if name == "HOME":
            return Word(self.home)
        if name == "PYTHONPATH":  # what the person had set; it is added to, and said elsewhere what with
            return Word("")
        if name == "PWD":
            return Word(self.scope.cwd) if self.scope.cwd else Word.unknown()
        if name in NAMES:
            return Word.unknown("name")
        return Word.unknown(many=not quoted, secret=secret_name(name))

    def _positional(self, number: int) -> Word:
        given = self.scope.positional
        if given is None or number == 0:
            return Word.unknown(many=True)
        return given[number - 1] if number <= len(given) else Word("")

    def _all(self, values: Sequence[Word] | None) -> Word:
        if values is None:
            return Word.unknown(many=True)
        if len(values) == 1:
            return values[0]
        if not values:
            return Word("")
        kind: Kind = max((word.kind for word in values), key=ORDER.index)
        kind = "text" if kind == "literal" or len({word.kind for word in values}) > 1 else kind
        return Word.unknown(kind, many=True, secret=any(word.secret for word in values))

    def _braced(self, node: Node, quoted: bool) -> Word:
        """`${…}`."""
        named = [
            child for child in node.children if child.type in ("variable_name", "special_variable_name", "subscript")
        ]
        marks = [child.type for child in node.children if not child.is_named and child.type not in ("${", "}")]
        rest = [child for child in node.children if child.is_named and child not in named[:1]]
        for child in rest:
            if RUNS_INSIDE.search(text_of(child)):
                self.text(child)
        if not named or marks[:1] == ["!"] or "@" in marks:
            raise NotUnderstood("it takes a variable whose name stands in another, or expands a text twice")
        first = named[0]
        value = self._element(first) if first.type == "subscript" else self._variable(text_of(first), quoted)
        if not marks:
            return value
        if marks[0] == "#" and node.children[1].type == "#":
            return Word.unknown("name")
        return self._changed(value, marks[0], rest)

    def _element(self, node: Node) -> Word:
        name, index = text_of(node.children[0]), text_of(node.children[2])
        if RUNS_INSIDE.search(index):
            raise NotUnderstood("an index holds a command")
        value = self.scope.value(name)
        if index in ("@", "*") or value is None:
            return self._all(value)
        if index.isdigit() and int(index) < len(value):
            return value[int(index)]
        return Word.unknown(many=True)

    def _changed(self, value: Word, mark: str, rest: Sequence[Node]) -> Word:
        """After `:-`, `%`, `##` and the like."""
        pattern = "".join(text_of(child) for child in rest)
        if mark in (":-", "-", ":=", "=", ":?", "?"):
            return value if value.known and value.text else Word.unknown(many=True, secret=value.secret)
        if mark in (":+", "+"):
            return Word.unknown(many=True)
        if mark in ("%", "%%") and re.fullmatch(r"\.[\w.*-]+", pattern):
            if value.known and "*" not in pattern:
                return Word(value.text.removesuffix(pattern))
            if value.kind in ("inside", "glob") and not value.text.startswith("/"):
                return Word.unknown("inside", secret=value.secret)
        if mark == "##" and pattern == "*/" and value.kind in ("inside", "glob", "name"):
            return Word.unknown("name", secret=value.secret)
        return Word.unknown(many=True, secret=value.secret)

    # -- words -----------------------------------------------------------------------------------------------------

    def _braces(self, units: list[Unit]) -> Iterator[list[Unit]]:
        """`{a,b}` and `{1..3}` in what was written without quotes."""
        marked = "".join(unit.word.text if unit.origin == "raw" else "\x01" * len(unit.word.text) for unit in units)
        found = re.finditer(r"(?<!\$)\{([^{}]*)\}", marked)
        match = next((one for one in found if "," in one[1] or ".." in one[1]), None)
        if match is None:
            if re.search(r"\{[^{}]*[,{][^{}]*", marked) and "}" in marked:
                raise NotUnderstood("its braces are nested")
            yield self._tilde(units)
            return
        begin, end = match.span()
        before, middle, after = (
            part_of(units, 0, begin),
            part_of(units, begin + 1, end - 1),
            part_of(units, end, len(marked)),
        )
        for choice in choices(middle, match[1]):
            yield from self._braces([*before, *choice, *after])

    def _tilde(self, units: list[Unit], assigned: bool = False) -> list[Unit]:
        if not units or units[0].origin != "raw" or not units[0].word.text.startswith("~"):
            if assigned and any(unit.origin == "raw" and re.search(r"[:=]~", unit.word.text) for unit in units):
                return [Unit("quoted", Word.unknown())]
            return units
        text = units[0].word.text
        user, slash, rest = text[1:].partition("/")
        if not slash and len(units) > 1:
            return [Unit("quoted", Word.unknown())]
        folder = {"": self.home, "+": self.scope.cwd, "root": "/root"}.get(
            user, f"/home/{user}" if user.isalnum() else ""
        )
        if not folder:
            return [Unit("quoted", Word.unknown())]
        return [quoted_unit(folder + slash), *([Unit("raw", Word(rest))] if rest else []), *units[1:]]

    def _fields(self, units: list[Unit]) -> list[Word]:
        """Splitting at white space in what expansions gave, then patterns."""
        fields: list[list[Unit]] = [[]]
        for unit in units:
            parts = [unit.word.text]
            if unit.origin == "expanded" and unit.word.kind in ("literal", "glob"):
                parts = re.split(r"[ \t\n]+", unit.word.text)
            for number, part in enumerate(parts):
                if number:
                    fields.append([])
                word = unit.word if len(parts) == 1 else Word(part, unit.word.kind, code=unit.word.code)
                fields[-1].append(Unit(unit.origin, word))
        quoted = any(unit.origin == "quoted" for unit in units)
        return [self._globbed(field) for field in fields if field and (quoted or any(unit.word.text for unit in field))]

    def _globbed(self, units: list[Unit]) -> Word:
        word = self._one(units)
        free = [unit.word.text for unit in units if unit.origin != "quoted"]
        if word.kind in ("literal", "glob") and any(PATTERN.search(text) for text in free):
            text = "".join(
                re.sub(r"([*?\[])", r"[\1]", unit.word.text)
                if unit.origin == "quoted" and unit.word.known
                else unit.word.text
                for unit in units
            )
            if PATTERN.match(text) and self.outer.strange_names(self.scope.cwd):
                raise NotUnderstood("a pattern may hit a file whose name looks like an option")
            return Word(text, "glob")
        if word.kind not in ("literal", "glob") and any(PATTERN.search(text) for text in free):
            return Word(Word.HOLE, "text", many=True, secret=word.secret)
        return word

    def _one(self, units: Sequence[Unit]) -> Word:
        words = [unit.word for unit in units]
        kind: Kind = max((word.kind for word in words), key=ORDER.index, default="literal")
        return Word(
            "".join(word.text for word in words),
            kind,
            many=any(unit.word.many and (unit.origin == "expanded" or unit.word.kind != "name") for unit in units),
            secret=any(word.secret for word in words),
            code=any(word.code for word in words),
            bare=len(units) == 1 and units[0].origin == "raw",
        )
