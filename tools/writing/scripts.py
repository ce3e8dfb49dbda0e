"""The Python files of a code folder as syntax trees, and what each of them binds, imports and offers.

Nothing is imported or run. A name that is bound in more than one way counts as unknown: better to miss a mistake than
to find one that is none.
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from .findings import Finding

__all__ = ["ENTRIES", "Script", "Target", "parse", "reached"]

ENTRIES = ("train.py", "predict.py")

_parsing = threading.Lock()  # catch_warnings changes a global

GUARDED_NAMES = frozenset({"__name__", "__doc__", "__file__", "__dict__", "__spec__", "__loader__", "__package__"})


class Target(NamedTuple):
    """What an expression stands for: an attribute path, may be empty, in a module."""

    module: str
    path: str


@dataclass(frozen=True)
class Script:
    """One parsed file."""

    name: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The name under which its siblings import it."""
        return self.name.removesuffix(".py")

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def calls(self) -> tuple[ast.Call, ...]:
        """Every call."""
        return tuple(node for node in self.nodes if isinstance(node, ast.Call))

    @cached_property
    def imports(self) -> Mapping[str, frozenset[Target]]:
        """What the imported names stand for."""
        found: dict[str, set[Target]] = {}
        for node in self.nodes:
            for name, target in _imported(node):
                found.setdefault(name, set()).add(target)
        return {name: frozenset(targets) for name, targets in found.items()}

    @cached_property
    def modules(self) -> frozenset[str]:
        """First parts of the names of all modules that are imported."""
        return frozenset(target.module.partition(".")[0] for targets in self.imports.values() for target in targets)

    @cached_property
    def bound(self) -> frozenset[str]:
        """Names that are bound by anything but an import, in whatever scope."""
        return frozenset(name for node in self.nodes for name in _bound(node))

    @cached_property
    def texts(self) -> tuple[ast.Constant, ...]:
        """String literals that are neither docstrings nor other bare expressions."""
        bare = {id(node.value) for node in self.nodes if isinstance(node, ast.Expr)}
        return tuple(
            node
            for node in self.nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare
        )

    @cached_property
    def offered(self) -> frozenset[str] | None:
        """Names that a sibling can import from it; None if that cannot be told."""
        dynamic = {"globals", "exec", "setattr", "__getattr__"}
        used = {node.id for node in self.nodes if isinstance(node, ast.Name)} | self.bound
        if used & dynamic or "*" in self.imports:
            return None
        shared = {name for node in self.nodes if isinstance(node, ast.Global) for name in node.names}
        return frozenset({*_top_names(self.tree.body), *shared, *GUARDED_NAMES})

    @cached_property
    def postponed(self) -> bool:
        """Whether annotations are not evaluated."""
        return Target("__future__", "annotations") in self.imports.get("annotations", ())

    @cached_property
    def annotations(self) -> frozenset[tuple[int, int]]:
        """Places, as line and column, that lie in an annotation."""
        roots: list[ast.expr | None] = []
        for node in self.nodes:
            if isinstance(node, ast.AnnAssign | ast.arg):
                roots.append(node.annotation)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                roots.append(node.returns)
        inner = (node for root in roots if root is not None for node in ast.walk(root))
        return frozenset((node.lineno, node.col_offset) for node in inner if isinstance(node, ast.expr))

    def resolve(self, node: ast.expr) -> Target | None:
        """What a name or a chain of attributes stands for, if it is rooted in an import and surely unshadowed."""
        path: list[str] = []
        while isinstance(node, ast.Attribute):
            path.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in self.bound:
            return None
        targets = self.imports.get(node.id, frozenset())
        if len(targets) != 1:
            return None
        (target,) = targets
        return Target(target.module, ".".join(filter(None, [target.path, *reversed(path)])))

    def dotted(self, node: ast.expr) -> str:
        """The whole name of what an expression stands for; empty if that is not known."""
        target = self.resolve(node)
        return ".".join(filter(None, target)) if target is not None else ""


def parse(name: str, content: bytes) -> Script | Finding:
    """The file as a tree, or why it cannot be compiled."""
    with _parsing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # `compile` finds more than `ast.parse` does: a return outside a function, for instance.
            compile(content, name, "exec", dont_inherit=True)
            return Script(name, ast.parse(content, name))
        except SyntaxError as error:
            shown = f": {error.text.strip()[:120]}" if error.text and error.text.strip() else ""
            return Finding(name, error.lineno or 1, "syntax", "error", f"Invalid syntax, {error.msg}{shown}")
        except (ValueError, RecursionError, MemoryError) as error:
            return Finding(name, 1, "syntax", "error", f"It cannot be compiled: {error or 'it is nested too deeply'}.")


def reached(entry: str, scripts: Mapping[str, Script]) -> list[Script]:
    """A script and the siblings that it imports, directly or through another one."""
    names, found = [entry], dict[str, Script]()
    while names:
        script = scripts.get(names.pop())
        if script is not None and script.name not in found:
            found[script.name] = script
            names += [f"{module}.py" for module in script.modules]
    return list(found.values())


def _imported(node: ast.AST) -> Iterator[tuple[str, Target]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.asname, Target(alias.name, "")
            else:
                top = alias.name.partition(".")[0]
                yield top, Target(top, "")
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        for alias in node.names:
            yield alias.asname or alias.name, Target(node.module, alias.name if alias.name != "*" else "")


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _top_names(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Names that the statements of a module bind, those in its functions and classes left out."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
            continue
        for node in ast.walk(statement):
            yield from (name for name, _ in _imported(node))
            yield from _bound(node)
