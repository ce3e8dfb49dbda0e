"""Looks things up in an installation: which modules, attributes and keyword arguments there are.

Runs by itself, in the sandbox, under the interpreter whose installation is meant, because importing a module runs its
code: `probe.py FILE ANSWERS`. It uses the standard library alone. FILE holds an object:

    wanted    a list of [module, attribute path, keywords]
    headers   for each script, the requirements that its header names

To ANSWERS it writes a JSON object a line, each at once, so that what is known stays known if a module ends the process:

    {"modules": {first part: distributions}, "covered": {script: distributions}}     first; None: standard library
    {"importing": module}
    {"at": index in `wanted`, "problem": …, "text": …, "near": […], "bad": […], "sure": …}

`problem` is empty or one of: `module` (there is none; `text` names what is missing), `broken` (importing it fails),
`lazy` (it is imported, but getting the attribute fails), `attribute` (`text` is the whole name of what is missing),
`keyword` (`bad` are those that are not taken; `sure` is false where that may be wrong).
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import json
import os
import pkgutil
import re
import sys
import types
from importlib import metadata
from typing import Any

SHOWN = 12
"""Names that are listed where none resembles what was asked for."""


class Missing(Exception):
    """What was asked for is not there; the answer is its argument."""


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as stream:  # noqa: PTH123 - as little as possible is imported here
        given = json.load(stream)
    answers = open(sys.argv[2], "a", encoding="utf-8", buffering=1)  # noqa: SIM115, PTH123 - open to the end

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")

    providers = metadata.packages_distributions()
    tops = {module.partition(".")[0] for module, _, _ in given["wanted"]}
    modules = {top: None if top in sys.stdlib_module_names else sorted(set(providers.get(top, ()))) for top in tops}
    say({"modules": modules, "covered": {script: sorted(covered(needs)) for script, needs in given["headers"].items()}})
    imported: dict[str, dict[str, Any] | None] = {}
    for at, (module, path, keywords) in enumerate(given["wanted"]):
        if module not in imported:
            say({"importing": module})
            imported[module] = import_problem(module, providers)
        answer = imported[module]
        if answer is None:
            try:
                found = walk(module, path)
                answer = {"problem": "", **(keyword_problem(found[0], keywords) if found and keywords else {})}
            except Missing as missing:
                answer = missing.args[0]
            except BaseException as error:  # noqa: BLE001 - a module's own code runs here
                answer = {"problem": "lazy", "text": f"{type(error).__name__}: {error}"[:400]}
        say({"at": at, **answer})
    answers.close()
    os._exit(0)  # threads that a module began are not waited for


def import_problem(module: str, providers: Any) -> dict[str, Any] | None:
    """Why a module cannot be imported; None if it can."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        if module == missing or module.startswith(missing + "."):
            return {"problem": "module", "text": missing, "near": near_modules(missing, providers)}
        return {"problem": "broken", "text": f"it needs the module {missing}, which is not there"}
    except BaseException as error:  # noqa: BLE001 - a module may do anything, `sys.exit` too
        return {"problem": "broken", "text": f"{type(error).__name__}: {error}"[:400]}
    return None


def near_modules(module: str, providers: Any) -> list[str]:
    """Modules whose names resemble one that is missing."""
    parent, _, last = module.rpartition(".")
    if not parent:
        return difflib.get_close_matches(module, [*providers, *sys.stdlib_module_names], 3, 0.8)
    place = getattr(sys.modules.get(parent), "__path__", None)
    names = [one.name for one in pkgutil.iter_modules(place)] if place is not None else []
    return [f"{parent}.{name}" for name in difflib.get_close_matches(last, names, 3)]


def walk(module: str, path: str) -> tuple[Any] | None:
    """The object at the end of a path of attributes; None where that cannot be told without running more.

    Raises:
        Missing: a module or a class on the way has no such attribute.
    """
    here: Any = importlib.import_module(module)
    done = module
    for name in path.split(".") if path else []:
        if not isinstance(here, types.ModuleType | type):
            return None
        try:
            here = getattr(here, name)
        except AttributeError:
            here = submodule(here, name) if isinstance(here, types.ModuleType) else absent(here, done, name)
        done = f"{done}.{name}"
    return (here,)


def submodule(module: types.ModuleType, name: str) -> Any:
    """A module inside another one that was not imported yet.

    Raises:
        Missing: there is none.
    """
    whole = f"{module.__name__}.{name}"
    if not hasattr(module, "__path__"):
        absent(module, module.__name__, name)
    try:
        return importlib.import_module(whole)
    except ModuleNotFoundError as error:
        if error.name != whole:
            raise
        return absent(module, module.__name__, name)


def absent(owner: Any, done: str, name: str) -> Any:
    """Say that there is no such attribute.

    Raises:
        Missing: always.
    """
    near = difflib.get_close_matches(name, dir(owner), 3)
    raise Missing({"problem": "attribute", "text": f"{done}.{name}", "near": near})


def keyword_problem(called: Any, keywords: list[str]) -> dict[str, Any]:
    """Which keywords a function or class does not take; nothing if it takes all, or any, or nobody can tell."""
    try:
        parameters = inspect.signature(called).parameters.values()
    except (TypeError, ValueError):
        return {}
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return {}
    taken = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    bad = [name for name in keywords if name not in taken and not any(takes(part, name) for part in parts(called))]
    if not bad:
        return {}
    near = [name for one in bad for name in difflib.get_close_matches(one, taken, 2)]
    return {
        "problem": "keyword",
        "bad": bad,
        "near": near,
        "text": "" if near else ", ".join(taken[:SHOWN]),
        "sure": sure(called),
    }


def sure(called: Any) -> bool:
    """Whether a signature is that of Python code: what C code says of itself is not always all that it takes."""
    if isinstance(called, type):
        made = (type(called).__call__, called.__new__, called.__init__)  # type: ignore[misc]
        return any(isinstance(part, types.FunctionType) for part in made)
    return isinstance(inspect.unwrap(getattr(called, "func", called)), types.FunctionType | types.MethodType)


def parts(called: Any) -> list[Any]:
    """The functions that a call goes through."""
    return [called, getattr(called, "__init__", None), getattr(called, "__new__", None)]


def takes(function: Any, keyword: str) -> bool:
    """Whether a function that takes any keyword, whatever its signature says, knows this one by name.

    Decorators do so: for the old name of a parameter, for instance.
    """
    for _ in range(10):
        code = getattr(function, "__code__", None)
        if code is not None and code.co_flags & inspect.CO_VARKEYWORDS:
            own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            held = [*code.co_consts, *own]
            for cell in getattr(function, "__closure__", None) or ():
                try:
                    held.append(cell.cell_contents)
                except ValueError:
                    continue
            if any(mentions(value, keyword) for value in held):
                return True
        function = getattr(function, "__wrapped__", None)
    return False


def mentions(value: Any, keyword: str) -> bool:
    """Whether a text, or one in a plain collection, is the keyword."""
    if isinstance(value, str):
        return value == keyword
    return isinstance(value, tuple | list | set | frozenset | dict) and any(one == keyword for one in value)


def covered(needs: list[str]) -> set[str]:
    """Distributions that are there because of these requirements, by their normal names."""
    found: set[str] = set()
    waiting = [(name_of(need), extras_of(need)) for need in needs]
    while waiting:
        name, extras = waiting.pop()
        if name in found and not extras:
            continue
        found.add(name)
        try:
            inner = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for need in inner:
            extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", need)
            if (extra is None or normal(extra[1]) in extras) and (name_of(need) not in found):
                waiting.append((name_of(need), extras_of(need)))
    return found


def normal(name: str) -> str:
    """A name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(need: str) -> str:
    """The distribution that a requirement names."""
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", need)
    return normal(match[1]) if match else ""


def extras_of(need: str) -> frozenset[str]:
    """The extras that a requirement names."""
    match = re.match(r"\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*\[([^\]]*)\]", need)
    return frozenset(normal(one.strip()) for one in match[1].split(",")) if match else frozenset()


if __name__ == "__main__":
    main()
