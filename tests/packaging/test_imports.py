"""Imports run one way, and no module of ours is loaded under a bare name."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGES = ("graph", "nodes", "engineers", "tools", "recipes", "prompts", "cli", "examples")

LEVELS: tuple[tuple[str, ...], ...] = (
    ("graph.errors", "graph.settings", "graph.redaction", "graph.migrations", "graph.state"),
    (
        "graph.database",
        "graph.amounts",
        "graph.ledger",
        "graph.limits",
        "graph.thresholds",
        "graph.effects",
        "graph.answers",
        "graph.ancestry",
        "graph.checkpoint",
        "graph.order",
        "graph.servers",
        "graph.configuration",
        "graph.runs",
        "graph.events",
        "graph.tellings",
        "graph.stopping",
        "graph.heartbeat",
        "graph.ownership",
        "graph.lease",
    ),
    ("tools", "recipes", "prompts"),
    ("engineers",),
    ("nodes",),
    (
        "graph.registration",
        "graph.routing",
        "graph.research",
        "graph.stage",
        "graph.workflow",
        "graph.answering",
        "graph.integrity",
        "graph.reentry",
        "graph.driver",
        "graph.pruning",
        "graph.fork_points",
        "graph.forked_folder",
        "graph.forking",
        "graph.picture",
    ),
    ("cli",),
)
"""Each level may import itself and what stands before it. The package `graph` itself only forwards names."""


def folder_of(package: str) -> Path:
    """Where a package of ours lies, in the checkout or in site-packages."""
    spec = find_spec(f"trainwright.{package}")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def modules() -> dict[str, Path]:
    """Every module, by its name without `trainwright.`; training scripts are no modules but files of a model."""
    found = {}
    for package in PACKAGES:
        folder = folder_of(package)
        for path in sorted(folder.rglob("*.py")):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imported(name: str, path: Path) -> Iterator[tuple[int, str]]:
    """The modules of ours that a module imports anywhere in it, but for those of the type checker alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("trainwright."):
                    yield node.lineno, alias.name.removeprefix("trainwright.")
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            if base is not None:
                for alias in node.names:
                    yield node.lineno, f"{base}.{alias.name}" if base else alias.name


def _base(node: ast.ImportFrom, package: str) -> str | None:
    if node.level:
        parts = package.split(".")[: len(package.split(".")) - node.level + 1]
        return ".".join([*parts, node.module] if node.module else parts)
    if node.module == "trainwright":
        return ""
    return node.module.removeprefix("trainwright.") if (node.module or "").startswith("trainwright.") else None


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that is not under `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from _executed(child)


def level(module: str) -> int | None:
    """The level of a module, or of a name in it; None for `graph` itself, which forwards names when they are used."""
    for number, members in enumerate(LEVELS):
        if any(module == member or module.startswith(f"{member}.") for member in members):
            return number
    return None


def test_every_module_has_a_level() -> None:
    unknown = [
        name for name in modules() if level(name) is None and name != "graph" and not name.startswith("examples")
    ]
    assert unknown == [], "put it into LEVELS, at the place where it belongs"


def test_imports_run_one_way() -> None:
    wrong = []
    for name, path in modules().items():
        mine = level(name)
        for row, other in imported(name, path):
            theirs = level(other)
            if mine is not None and theirs is not None and theirs > mine:
                wrong.append(f"{path}:{row}: {name} imports {other}")
            if name.startswith("examples") and theirs is not None:
                wrong.append(f"{path}:{row}: an example imports {other}")
    assert wrong == []


def test_the_check_would_see_a_wrong_import(tmp_path: Path) -> None:
    module = tmp_path / "bad.py"
    module.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from trainwright.cli import words\n"
        "def f():\n    from ..cli import screen\n    import trainwright.nodes.plan\n    from trainwright import cli\n"
    )
    assert list(imported("tools.bad", module)) == [(5, "cli.screen"), (6, "nodes.plan"), (7, "cli")]


def test_nothing_of_ours_is_imported_under_a_bare_name() -> None:
    wrong = []
    for path in modules().values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            wrong += [f"{path}: {name}" for name in names if name.split(".")[0] in PACKAGES]
    assert wrong == []


LOAD_ALL = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module("trainwright." + name)
print(json.dumps([n for n, m in sys.modules.items() if (getattr(m, "__file__", None) or "") in json.loads(sys.argv[2])]))
"""


def test_whatever_is_loaded_has_its_full_name() -> None:
    """In a process of its own, in the root of the checkout, where the bare names could be found."""
    scripts = ("recipes.classical.", "examples.")  # they run by themselves, with their siblings beside them
    ours = {name: path for name, path in modules().items() if not name.startswith(scripts)}
    root = folder_of("graph").parent
    arguments = [json.dumps(list(ours)), json.dumps([str(path) for path in ours.values()])]
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALL, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert len(loaded) >= len(ours)
    assert [name for name in loaded if not name.startswith("trainwright.")] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_listed_for_the_wheel(package: str) -> None:
    """Each folder with modules in it is named in pyproject.toml; a missing one would be missing in the wheel."""
    import tomllib

    root = folder_of("graph").parent
    settings = root / "pyproject.toml"
    if not settings.is_file():
        pytest.skip("not in a checkout")
    listed = tomllib.loads(settings.read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folder = folder_of(package)
    there = {
        ".".join(["trainwright", package, *path.parent.relative_to(folder).parts]) for path in folder.rglob("*.py")
    }
    assert there <= set(listed)
