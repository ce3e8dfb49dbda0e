"""What the installation needs of other packages, and whether it is there: for `trainwright doctor`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version

__all__ = ["Package", "broken_imports", "requirements_here"]

IMPORT_SECONDS = 180.0

_PROBE = """
import importlib, json, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        error = ""
    except BaseException as problem:
        error = f"{type(problem).__name__}: {problem}"
    sys.__stdout__.write("\\n" + json.dumps([name, error]) + "\\n")
    sys.__stdout__.flush()
"""


@dataclass(frozen=True)
class Package:
    """One requirement of ours: name and the whole of it, and what is here."""

    name: str
    requirement: str
    ok: bool
    detail: str


def requirements_here() -> list[Package]:
    """Every package that our own metadata requires on this platform, without the development extras."""
    from packaging.requirements import Requirement

    found = []
    for text in requires("trainwright") or []:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        plain = f"{wanted.name}{wanted.specifier}"
        try:
            there = version(wanted.name)
        except PackageNotFoundError:
            found.append(Package(wanted.name, plain, False, "is not installed"))
            continue
        fits = wanted.specifier.contains(there, prereleases=True)
        detail = there if fits else f"is {there}, but {wanted.specifier} is needed"
        found.append(Package(wanted.name, plain, fits, detail))
    return found


def broken_imports(names: list[str]) -> dict[str, str]:
    """The packages that cannot be imported, each with its error; tried in a process of its own.

    A broken binary may end that process; the package at which it ended is named, and the rest is tried again.
    """
    modules = _modules(names)
    broken: dict[str, str] = {}
    todo = list(modules)
    while todo:
        done, ended = _try(todo)
        broken |= {modules[name]: error for name, error in done.items() if error}
        todo = [name for name in todo if name not in done]
        if todo:
            broken[modules[todo[0]]] = ended
            todo = todo[1:]
    return broken


def _modules(names: list[str]) -> dict[str, str]:
    """Top-level module to the package that brings it."""
    wanted = {_normal(name): name for name in names}
    chosen: dict[str, str] = {}
    for module, packages in packages_distributions().items():
        for package in packages:
            name = wanted.get(_normal(package))
            if name is not None and module.isidentifier() and not module.startswith("_"):
                chosen.setdefault(module, name)
    main = {
        name: next((m for m, p in chosen.items() if p == name and _normal(m) == _normal(name)), "") for name in names
    }
    return {module: name for module, name in chosen.items() if not main[name] or main[name] == module}


def _normal(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _try(names: list[str]) -> tuple[dict[str, str], str]:
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "HF_HUB_OFFLINE": "1", "MPLBACKEND": "Agg"}
    try:
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _PROBE, *names],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=IMPORT_SECONDS,
            env=environment,
            check=False,
        )
        output, ended = ran.stdout, f"the interpreter ended with code {ran.returncode}"
    except subprocess.TimeoutExpired as error:
        raw = error.stdout or b""
        output = raw.decode(errors="replace") if isinstance(raw, bytes) else raw
        ended = f"it took longer than {IMPORT_SECONDS:.0f} s"
    done = {}
    for row in output.splitlines():
        if row.startswith("["):
            name, problem = json.loads(row)
            done[str(name)] = str(problem)
    return done, ended
