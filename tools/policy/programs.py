"""What a program does with its arguments: by the table `programs.toml`, or by a reader of its own.

A program that neither knows is not known, and then nobody but a person allows it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from .calls import Call
from .operands import judge_operands, note_printed
from .recording import Effect
from .table import known_programs, listed, parsed_by, text_or_path, unknown_option
from .words import Word

__all__ = ["judge"]

SYSTEM = (
    "/bin",
    "/usr/bin",
    "/usr/local/bin",
    "/sbin",
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/bin",
    "/snap/bin",
)
PYTHON = re.compile(r"(python|pypy)(\d+(\.\d+)?)?")


@cache
def _readers() -> Mapping[str, Callable[[Call], None]]:
    """Programs that no table can describe."""
    from . import network, packages, repository, scripts, starting

    return {**starting.READERS, **scripts.READERS, **repository.READERS, **network.READERS, **packages.READERS}


def judge(call: Call) -> None:
    """Note what a program does."""
    if "/" in call.name and not _named_by_path(call):
        return
    name = "python" if PYTHON.fullmatch(call.name) else call.name
    version = bool(call.args) and all(word.text in ("--version", "-V") for word in call.args)
    name = "mkfs" if name.startswith("mkfs.") else name
    reader, entry = _readers().get(name), known_programs().get(name)
    if reader is None and entry is None:
        call.unknown("this program is not known here")
    elif version and "effect" not in (entry or {}):
        call.harmless()
    elif reader is not None:
        reader(call)
    else:
        assert entry is not None
        first = call.args[0].text if call.args and call.args[0].known else ""
        inner = known_programs().get(f"{name} {first}")
        if inner is not None:
            call.args = call.args[1:]
        by_table(call, inner or entry)


def _named_by_path(call: Call) -> bool:
    """Whether a path names a known program; if not, what it runs is noted."""
    path = os.path.normpath(os.path.join(call.scope.cwd or "/nowhere", call.name))  # noqa: PTH118
    folder, _, base = path.rpartition("/")
    place = call.walker.place(Word(call.name), call.scope)
    inside = path.startswith(call.walker.places.workspace + "/")
    if (
        folder in SYSTEM
        or folder == str(Path(sys.executable).parent)
        or (inside and folder.endswith("/bin") and _is_known(base))
    ):
        if inside and call.walker.note.touched(call.walker.places.at(path)):
            call.run(Word(call.name))
            return False
        call.name = base
        return True
    if place.path and place.outside is False and _is_known(base) and base != "run":
        call.unknown("a file of the workspace has the name of a known program")
        return False
    call.run(Word(call.name), call.args)
    return False


def _is_known(name: str) -> bool:
    return bool(PYTHON.fullmatch(name)) or name in known_programs() or name in _readers()


def by_table(call: Call, entry: Mapping[str, Any]) -> None:
    """Note what a program does by its entry."""
    parsed = parsed_by(call, entry)
    why = unknown_option(parsed, entry)
    if why and entry.get("effect", "run") == "run":
        call.unknown(why)
    for word in parsed.values(*listed(entry, "reads")):
        call.read(word)
    for word in parsed.values(*listed(entry, "writes")):
        call.write(word)
    for word in parsed.values(*listed(entry, "runs")):
        call.run(word)
    for given in parsed.options:
        if given.value is not None and given.name not in listed(entry, "reads", "writes", "runs", "into"):
            text_or_path(call, given.value)
    if "effect" in entry:
        _by_effect(call, entry)
    judge_operands(call, parsed, entry)
    note_printed(call, parsed, entry)


def _by_effect(call: Call, entry: Mapping[str, Any]) -> None:
    effect = cast("Effect", entry["effect"])
    if effect == "run":
        source = "changed" if call.walker.note.changes_code() else "file"
        call.act(
            "run",
            f"runs {call.shown} on the workspace",
            source=source,
            path=call.walker.places.workspace,
            outside=not call.scope.cwd or bool(call.walker.places.at(call.scope.cwd).outside),
            protected=False,
            secret=False,
        )
    else:
        call.act(effect, f"{call.shown}: {entry['why']}", {"host": ""} if effect == "send" else {})
