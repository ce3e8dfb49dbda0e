"""Describes an object of an installation: signature, docstring, members, and which keywords it takes.

Runs by itself, in the sandbox, under the interpreter whose installation is meant, because importing a module runs its
code: `inspector.py PROBE WANTED ANSWERS`. It uses the standard library alone, and `probe.py` of `trainwright.tools.writing`
to find the object. WANTED holds {"name": dotted name, "keywords": names, "members": how many}. To ANSWERS it writes JSON
objects, a line each, at once, so that what is known stays known if a module ends the process:

    {"python": …, "distribution": …, "version": …}
    {"importing": module}
    {"problem": "", "kind": …, "signature": …, "documentation": …, "keywords": […], "members": […], "count": …}

`problem` is one of those of `probe.py`, with `text` and `near`, or `unknown` where only running more code would tell.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import platform
import re
import sys
import types
from importlib import metadata
from typing import Any

SIGNATURE = 20_000
DOCUMENTATION = 200_000
LINE = 120

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def main() -> None:
    probe = load(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as stream:  # noqa: PTH123 - as little as possible is imported here
        wanted = json.load(stream)
    answers = open(sys.argv[3], "a", encoding="utf-8", buffering=1)  # noqa: SIM115, PTH123 - open to the end

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")

    name = wanted["name"]
    top, _, rest = name.partition(".")
    providers = metadata.packages_distributions()
    say({"python": platform.python_version(), **distribution(top, providers)})
    say({"importing": top})
    answer = probe.import_problem(top, providers)
    if answer is None:
        try:
            found = probe.walk(top, rest)
            answer = described(found[0], wanted, probe) if found else {"problem": "unknown", "text": name}
        except probe.Missing as missing:
            answer = missing.args[0]
        except BaseException as error:  # noqa: BLE001 - a module's own code runs here
            answer = {"problem": "lazy", "text": f"{type(error).__name__}: {error}"[:400]}
    say(answer)
    answers.close()
    os._exit(0)  # threads that a module began are not waited for


def load(path: str) -> Any:
    """The module in a file."""
    spec = importlib.util.spec_from_file_location("trainwright_probe", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def distribution(top: str, providers: Any) -> dict[str, Any]:
    """Which distribution provides a module, and its version."""
    if top in sys.stdlib_module_names:
        return {"distribution": "the standard library", "version": platform.python_version()}
    for name in sorted(set(providers.get(top, ()))):
        try:
            return {"distribution": name, "version": metadata.version(name)}
        except metadata.PackageNotFoundError:
            continue
    return {"distribution": "", "version": ""}


def described(thing: Any, wanted: dict[str, Any], probe: Any) -> dict[str, Any]:
    """All that is told of an object."""
    shown = members(thing)
    return {
        "problem": "",
        "kind": kind_of(thing),
        "signature": signature(thing, wanted["name"].rpartition(".")[2]),
        "documentation": documentation(thing),
        "keywords": [keyword(thing, name, probe) for name in wanted["keywords"]],
        "members": shown[: wanted["members"]],
        "count": len(shown),
    }


def kind_of(thing: Any) -> str:
    """What an object is, in a word."""
    if isinstance(thing, types.ModuleType):
        return "module"
    if isinstance(thing, type):
        return "exception" if issubclass(thing, BaseException) else "class"
    if isinstance(thing, property):
        return "property"
    if callable(thing):
        return "function"
    return type(thing).__name__[:60]


def signature(thing: Any, name: str) -> str:
    """The signature with defaults; of a plain value, the value."""
    if isinstance(thing, types.ModuleType | property):
        return ""
    if not callable(thing):
        return f"{name} = {_ADDRESS.sub('', repr(thing))}"[:400]
    try:
        return f"{name}{_ADDRESS.sub('', str(inspect.signature(thing)))}"[:SIGNATURE]
    except (TypeError, ValueError):
        return ""


def documentation(thing: Any) -> str:
    """The docstring of the object itself, not that of the type of a plain value."""
    if not isinstance(thing, types.ModuleType | type | property) and not callable(thing):
        return ""
    text = inspect.getdoc(thing)
    return text[:DOCUMENTATION] if isinstance(text, str) else ""


def keyword(called: Any, name: str, probe: Any) -> dict[str, Any]:
    """Whether a keyword is taken; None where everything is, or where nobody can tell."""
    try:
        parameters = inspect.signature(called).parameters
    except (TypeError, ValueError):
        return {"name": name, "exists": None}
    own = parameters.get(name)
    if own is not None and own.kind in (own.POSITIONAL_OR_KEYWORD, own.KEYWORD_ONLY):
        default = "" if own.default is own.empty else _ADDRESS.sub("", repr(own.default))[:LINE]
        return {"name": name, "exists": True, "default": default}
    taken = [one.name for one in parameters.values() if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    close = probe.difflib.get_close_matches(name, taken, 3)
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return {"name": name, "exists": None, "close": close}
    problem = probe.keyword_problem(called, [name])
    return {"name": name, "exists": False if problem and problem["sure"] else None if problem else True, "close": close}


def members(thing: Any) -> list[dict[str, str]]:
    """What a module or a class has, public names alone; nothing is imported or run for it."""
    if isinstance(thing, types.ModuleType):
        listed = getattr(thing, "__all__", None)
        names = [n for n in listed if isinstance(n, str)] if isinstance(listed, list | tuple) else sorted(public(thing))
        return [member(name, vars(thing).get(name)) for name in names]
    if isinstance(thing, type):
        found = {one.name: one for one in inspect.classify_class_attrs(thing) if one.defining_class is not object}
        own = [name for name in vars(thing) if name in found]
        names = [name for name in dict.fromkeys([*own, *found]) if not name.startswith("_")]
        return [member(name, found[name].object) for name in names]
    return []


def public(module: types.ModuleType) -> list[str]:
    """Public names of a module without `__all__`: not the modules that it merely imports."""
    return [
        name
        for name in dir(module)
        if not name.startswith("_")
        and (
            not isinstance(vars(module).get(name), types.ModuleType)
            or vars(module)[name].__name__.startswith(module.__name__ + ".")
        )
    ]


def member(name: str, value: Any) -> dict[str, str]:
    """A member in a line."""
    if value is None:
        return {"name": name, "kind": "imported when it is asked for", "about": ""}
    inner = getattr(value, "__func__", value) if isinstance(value, staticmethod | classmethod) else value
    told = documentation(inner).strip().partition("\n")[0][:LINE] if inner is not None else ""
    return {"name": name, "kind": kind_of(inner), "about": told}


if __name__ == "__main__":
    main()
