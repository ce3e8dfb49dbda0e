"""What a script takes from modules: imports, attributes and calls with keyword arguments, with where and how surely.

What a script does only after it made sure that it can (in a `try`, behind `hasattr` or a version) is left out, and what
it does under some other condition is not an error. Nothing is looked up here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from .findings import Finding, Severity
from .scripts import Script, Target

__all__ = ["Site", "Uses", "uses_of"]

ANY = frozenset({"Exception", "BaseException"})
NO_IMPORT = frozenset({"ImportError", "ModuleNotFoundError"})
NO_ATTRIBUTE = frozenset({"AttributeError", "TypeError"})
ASKING = frozenset(
    {
        "hasattr",
        "getattr",
        "find_spec",
        "signature",
        "version_info",
        "platform",
        "__version__",
        "version",
    }
)
"""Names in a condition by which a script finds out what it has."""

Doubt = Literal[0, 1, 2]
"""0: it is surely done; 1: under a condition; 2: the script is prepared for it to fail."""


@dataclass(frozen=True)
class Site:
    """One thing that a script takes from a module.

    Attributes:
        kind: `import`, or `use` of something that was imported.
        keywords: of a call.
    """

    file: str
    line: int
    kind: Literal["import", "use"]
    target: Target
    keywords: tuple[str, ...]
    severity: Severity

    @property
    def top(self) -> str:
        """First part of the module's name."""
        return self.target.module.partition(".")[0]


@dataclass
class Uses:
    """What one script takes, and what is wrong with it at once."""

    sites: list[Site] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def uses_of(script: Script) -> Uses:
    """Everything that a script takes from modules, where it may be an error."""
    visitor = _Visitor(script)
    visitor.visit(script.tree)
    return visitor.found


class _Visitor(ast.NodeVisitor):
    def __init__(self, script: Script) -> None:
        self.script = script
        self.found = Uses()
        self.imports: Doubt = 0
        self.uses: Doubt = 0

    @contextmanager
    def _doubt(self, imports: Doubt, uses: Doubt) -> Iterator[None]:
        before = self.imports, self.uses
        self.imports, self.uses = max(self.imports, imports), max(self.uses, uses)
        yield
        self.imports, self.uses = before

    def _all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _add(self, node: ast.stmt | ast.expr, target: Target, keywords: tuple[str, ...] = ()) -> None:
        kind: Literal["import", "use"] = "import" if isinstance(node, ast.stmt) else "use"
        doubt = self.imports if kind == "import" else self.uses
        if doubt < 2 and target.module != "__future__":
            severity: Severity = "warning" if doubt else "error"
            self.found.sites.append(Site(self.script.name, node.lineno, kind, target, keywords, severity))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(node, Target(alias.name, ""))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level:
            text = (
                "The scripts are no package, so an import that begins with a dot fails: import the sibling by its name."
            )
            self.found.findings.append(Finding(self.script.name, node.lineno, "import", "error", text))
            return
        for alias in node.names:
            self._add(node, Target(node.module or "", alias.name if alias.name != "*" else ""))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        target = self.script.resolve(node) if isinstance(node.ctx, ast.Load) else None
        if target is None:
            self.visit(node.value)
        else:
            self._add(node, target)

    def visit_Call(self, node: ast.Call) -> None:
        target = self.script.resolve(node.func)
        if target is None:
            self.visit(node.func)
        else:
            self._add(node, target, tuple(keyword.arg for keyword in node.keywords if keyword.arg))
        self._all([*node.args, *node.keywords])

    def visit_arg(self, node: ast.arg) -> None:
        self._annotation(node.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        self._all(part for part in (node.target, node.value) if part is not None)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._all([*node.decorator_list, node.args])
        self._annotation(node.returns)
        self._all(node.body)

    def _annotation(self, node: ast.expr | None) -> None:
        if node is not None and not self.script.postponed:
            self.visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        self._try(node, node.handlers)

    def visit_TryStar(self, node: ast.TryStar) -> None:
        self._try(node, node.handlers)

    def _try(self, node: ast.Try | ast.TryStar, handlers: list[ast.ExceptHandler]) -> None:
        caught = frozenset(name for handler in handlers for name in _names(handler.type))
        with self._doubt(*_caught(caught)):
            self._all(node.body)
        # What stands in for a module that is missing may be missing itself where the module is there.
        with self._doubt(2 if caught & (NO_IMPORT | ANY) else 0, 2 if caught & NO_IMPORT else 0):
            self._all(node.handlers)
        self._all([*node.orelse, *node.finalbody])

    def visit_With(self, node: ast.With) -> None:
        self._all(node.items)
        suppressed = [
            name
            for item in node.items
            if isinstance(call := item.context_expr, ast.Call) and "suppress" in _names(call.func)
            for argument in call.args
            for name in _names(argument)
        ]
        with self._doubt(*_caught(frozenset(suppressed))):
            self._all(node.body)

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        names = _mentioned(node.test)
        if "TYPE_CHECKING" in names:
            with self._doubt(2, 2):
                self._all(node.body)
            self._all(node.orelse)
            return
        with self._doubt(*_condition(names)):
            self._all([*node.body, *node.orelse])

    def visit_IfExp(self, node: ast.IfExp) -> None:
        with self._doubt(*_condition(_mentioned(node.test))):
            self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        with self._doubt(*_condition(_mentioned(node))):
            self.generic_visit(node)


def _caught(names: frozenset[str]) -> tuple[Doubt, Doubt]:
    imports: Doubt = 2 if names & (NO_IMPORT | ANY) else 0
    uses: Doubt = 2 if names & NO_ATTRIBUTE else 1 if names & ANY else 0
    return imports, uses


def _condition(names: frozenset[str]) -> tuple[Doubt, Doubt]:
    if names & ASKING:
        return 2, 2
    return (0, 0) if "__name__" in names else (1, 0)


def _names(node: ast.expr | None) -> list[str]:
    """Last parts of the names of exceptions; a bare `except` catches everything."""
    if node is None:
        return ["BaseException"]
    if isinstance(node, ast.Tuple):
        return [name for element in node.elts for name in _names(element)]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    return [node.id] if isinstance(node, ast.Name) else []


def _mentioned(test: ast.expr) -> frozenset[str]:
    names = (node.id if isinstance(node, ast.Name) else getattr(node, "attr", "") for node in ast.walk(test))
    return frozenset(names)
