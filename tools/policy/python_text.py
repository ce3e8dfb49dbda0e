"""A Python text inside a command: which files it reads and writes, if that is all it does.

A list of what is known decides, and everything else is not understood: modules, names, attributes, arguments by name.
A file is named by a literal text in the call itself, so that it can be judged. What is not understood may be harmless.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field

from .python_names import (
    ALLOWED,
    ATTRIBUTES,
    ESTIMATORS,
    FORBIDDEN,
    FROM,
    FUNCTIONS,
    LOADERS,
    MODULES,
    NAMED,
    OF_SYSTEM,
    READS,
    STRANGE_WORDS,
    TRUSTED,
    UNUSED,
    WRITES,
)

__all__ = ["Uses", "python_uses"]

MAX_CHARACTERS = 10_000

DATA = r"(^|/)[^./][^/]*\.(csv|tsv|json|jsonl|txt|md|log|parquet|feather|png|jpe?g|svg|pdf|html|npy|npz)$"
"""Files that no program runs or obeys."""

CALLED = READS | WRITES | LOADERS
"""What must stand where it is called, so that its arguments are seen."""


@dataclass
class Uses:
    """What a text uses.

    Attributes:
        reads: paths that are read.
        writes: paths that are written.
        imports: whether it imports modules, which the folder may have, too.
    """

    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    imports: bool = False


def python_uses(source: str) -> Uses | None:
    """What a Python text reads and writes; None if it may do anything else, as far as can be seen."""
    if len(source) > MAX_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a text with a strange escape is not our text
            tree = ast.parse(source)
        reader = _Reader(tree)
        return reader.uses if all(reader.harmless(node) for node in ast.walk(tree)) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Reader:
    """Looks at each node of a tree once.

    Attributes:
        uses: what was found.
        called: nodes that stand where a function is called.
        shown: nodes that are only printed, or gone through.
        held: nodes that stand in front of a dot.
        loaded: names that are used.
        modules: what the names of modules stand for.
        own: functions that are imported or defined here, and always are what they are.
        clear: whether no name is given two meanings.
        has_paths: whether objects of paths are in play, whose methods have names that texts have too.
    """

    def __init__(self, tree: ast.AST) -> None:
        nodes = list(ast.walk(tree))
        self.uses = Uses()
        self.called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        self.held = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        self.shown = set(map(id, _shown(nodes)))
        self.loaded = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        self.modules = dict[str, str]()
        imported = set[str]()
        for node in nodes:
            if isinstance(node, ast.Import):
                self.modules |= dict(map(_bound, node.names))
            elif isinstance(node, ast.ImportFrom):
                imported |= {alias.asname or alias.name for alias in node.names}
                self.modules |= {
                    alias.asname or alias.name: f"{node.module}.{alias.name}"
                    for alias in node.names
                    if f"{node.module}.{alias.name}" in MODULES
                }
        self.uses.imports = bool(self.modules or imported)
        stored = _stored(nodes)
        defined = [node.name for node in nodes if isinstance(node, ast.FunctionDef)]
        self.own = imported | {*defined}
        self.clear = not stored & (self.own | set(self.modules) | TRUSTED) and not {*defined} & TRUSTED
        self.clear = self.clear and not {*defined} & (imported | set(self.modules))
        self.has_paths = bool((imported | set(self.modules.values())) & {"Path", "pathlib"})

    def harmless(self, node: ast.AST) -> bool:
        """Whether a node does nothing but look, by itself."""
        if not isinstance(node, ALLOWED) or not self.clear:
            return False
        if isinstance(node, ast.Import):
            return all(self._import(alias) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            return not node.level and all(self._imported(node.module or "", alias) for alias in node.names)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.BinOp):
            return self._sum(node)
        if isinstance(node, ast.AugAssign):
            return not (self.has_paths and isinstance(node.op, ast.Div))
        if isinstance(node, ast.FunctionDef):
            return not node.decorator_list
        return self._call(node) if isinstance(node, ast.Call) else True

    def _import(self, alias: ast.alias) -> bool:
        name = _bound(alias)[0]
        if alias.name in UNUSED:
            return name not in self.loaded
        return alias.name in MODULES and name not in FORBIDDEN and (alias.name != "os" or name == "os")

    def _imported(self, module: str, alias: ast.alias) -> bool:
        name = alias.asname or alias.name
        if name in FORBIDDEN or ({name, alias.name} & TRUSTED and name != alias.name) or name.startswith("_"):
            return False
        if re.fullmatch(ESTIMATORS, module):
            return re.fullmatch(r"[A-Z]\w*|\w+_(score|error|report|matrix|curve|loss)|auc", alias.name) is not None
        return alias.name in FROM.get(module, frozenset())

    def _attribute(self, node: ast.Attribute) -> bool:
        if not isinstance(node.ctx, ast.Load) or (node.attr in CALLED and id(node) not in self.called):
            return False
        owner = self._module(node.value)
        if owner == "os":
            return node.attr in OF_SYSTEM
        if node.attr == "open":
            return owner == "PIL.Image"
        if node.attr == "format":
            return isinstance(node.value, ast.Constant) and not re.search(r"\{[^{}:!]*[.\[]", str(node.value.value))
        if node.attr in ("replace", "rename", "copy") and self.has_paths:
            return False
        if owner == "sys" and node.attr == "path":
            return id(node) in self.shown  # what is put into it decides what later imports load
        if node.attr in ("append", "insert", "extend", "pop") and isinstance(node.value, ast.Attribute):
            return False  # who knows what is added to
        return node.attr in ATTRIBUTES | CALLED

    def _module(self, node: ast.expr) -> str:
        """The module that a node names; empty if it is none."""
        if isinstance(node, ast.Name):
            return self.modules.get(node.id, "")
        if isinstance(node, ast.Attribute) and (outer := self._module(node.value)):
            return f"{outer}.{node.attr}"
        return ""

    def _name(self, node: ast.Name) -> bool:
        if node.id.startswith("__") or node.id in FORBIDDEN:
            return False
        if isinstance(node.ctx, ast.Store):
            return True
        if node.id in self.modules:
            return id(node) in self.held
        return (node.id not in CALLED and node.id != "type") or id(node) in self.called

    def _sum(self, node: ast.BinOp) -> bool:
        """A slash joins paths, and what it joins must be known."""
        if not (self.has_paths and isinstance(node.op, ast.Div)):
            return True
        path = self._literal(node)
        if path:
            self.uses.reads.append(path)
        return bool(path)

    def _literal(self, node: ast.expr) -> str:
        """A path that is written out; empty if it is not known."""
        if isinstance(node, ast.Constant):
            plain = isinstance(node.value, str) and not re.match(r"\w+:|~", node.value)
            return str(node.value) if plain else ""
        if isinstance(node, ast.Call) and _called(node) == "Path" and len(node.args) == 1 and not node.keywords:
            return self._literal(node.args[0])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant):
            left, right = self._literal(node.left), self._literal(node.right)
            return f"{left}/{right}" if left and right and not right.startswith("/") else ""
        return ""

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> bool:
        name = _called(node)
        words = {word.arg or "" for word in node.keywords}
        if not name or "" in words or words & STRANGE_WORDS:
            return False
        owner = self._module(node.func.value) if isinstance(node.func, ast.Attribute) else None
        if name in LOADERS:
            return self._loads(node, name, owner)
        if name in READS:
            return self._reads(node, name, words)
        if name in WRITES:
            return self._writes(node, name, words)
        if isinstance(node.func, ast.Name):
            if name == "type":  # which could make another path of a path
                return len(node.args) == 1 and bool({id(node)} & (self.shown | self.held))
            return name in FUNCTIONS or name in self.own
        return True

    def _loads(self, node: ast.Call, name: str, owner: str | None) -> bool:
        """Those of torch and joblib run what a pickle says."""
        if owner == "numpy" and name == "load":
            return self._reads(node, name, {word.arg or "" for word in node.keywords})
        known = {"load": ("json", "tomllib"), "loads": ("json", "tomllib"), "dump": ("json",), "compile": ("re",)}
        return owner in known[name]

    def _reads(self, node: ast.Call, name: str, words: set[str]) -> bool:
        if name in ("read_text", "read_bytes", "iterdir", "exists", "is_file", "is_dir", "stat") and not node.args:
            return words <= {"encoding", "errors"}  # of a path, which was judged where it was made
        if name == "listdir" and not node.args and not words:
            self.uses.reads.append(".")
            return True
        if name == "open" and not _reading(node):
            return self._opens(node, words)
        path = self._first(node)
        if not path or not words <= NAMED or (name in ("glob", "rglob") and re.search(r"^/|\.\.|^~", path)):
            return False
        self.uses.reads.append(path)
        return len(node.args) == 1 or name == "open"

    def _opens(self, node: ast.Call, words: set[str]) -> bool:
        mode = node.args[1] if len(node.args) == 2 else _named(node, "mode")
        path = self._first(node)
        if not (isinstance(mode, ast.Constant) and mode.value in ("w", "wb", "wt", "a", "ab", "at", "x", "xb")):
            return False
        return self._data(path) and words <= {"mode", "encoding", "errors", "newline"}

    def _data(self, path: str) -> bool:
        """Note a file of data that is written; code is none, nor what programs obey."""
        self.uses.writes.append(path)
        return re.search(DATA, path) is not None

    def _writes(self, node: ast.Call, name: str, words: set[str]) -> bool:
        if not node.args and name.startswith("to_"):
            return words <= NAMED  # gives a text
        path = self._first(node)
        if name in ("write_text", "write_bytes", "mkdir", "touch"):
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            path = path if self._module(owner or node) == "os" else self._literal(owner or node)
        if not words <= NAMED or len(node.args) > 1:
            return False
        if name in ("makedirs", "mkdir"):
            self.uses.writes.append(path)
            return bool(path)
        return self._data(path)

    def _first(self, node: ast.Call) -> str:
        return self._literal(node.args[0]) if node.args else ""


def _bound(alias: ast.alias) -> tuple[str, str]:
    """The name that an import binds, and the module behind it."""
    top = alias.name.partition(".")[0]
    return (alias.asname, alias.name) if alias.asname else (top, top)


def _stored(nodes: list[ast.AST]) -> set[str]:
    """Names that are given a value."""
    found = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    found |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return found | {node.name or "" for node in nodes if isinstance(node, ast.ExceptHandler)}


def _shown(nodes: list[ast.AST]) -> list[ast.expr]:
    found = list[ast.expr]()
    for node in nodes:
        if isinstance(node, ast.For | ast.comprehension):
            found.append(node.iter)
        elif isinstance(node, ast.FormattedValue):
            found.append(node.value)
        elif isinstance(node, ast.Call) and _called(node) in ("print", "pprint", "len", "join"):
            found += [word.value if isinstance(word, ast.Starred) else word for word in node.args]
    return found


def _called(node: ast.Call) -> str:
    """The name of what is called."""
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _named(node: ast.Call, name: str) -> ast.expr | None:
    return next((word.value for word in node.keywords if word.arg == name), None)


def _reading(node: ast.Call) -> bool:
    """Whether a call of `open` opens for reading."""
    mode = node.args[1] if len(node.args) > 1 else _named(node, "mode")
    plain = {word.arg for word in node.keywords} <= {"mode", "encoding", "errors", "newline"}
    reads = mode is None or (isinstance(mode, ast.Constant) and mode.value in ("r", "rb", "rt"))
    return len(node.args) <= 2 and plain and reads
