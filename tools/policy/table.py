"""The table `programs.toml`: what it says of a program's options, and whether a call has others."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from .calls import Call, Parsed
from .places import is_secret
from .words import Word, names_of

__all__ = ["known_programs", "listed", "parsed_by", "skipped", "text_or_path", "unknown_option"]


@cache
def known_programs() -> Mapping[str, Mapping[str, Any]]:
    """The table by name."""
    text = resources.files(__package__).joinpath("programs.toml").read_text(encoding="utf-8")
    return {name: entry for entry in tomllib.loads(text)["program"] for name in entry["names"]}


VALUED = ("takes", "reads", "writes", "runs", "into", "plugins")
EVERYWHERE = frozenset({"--help", "--version"})


@cache
def _options(name: str, *keys: str) -> frozenset[str]:
    """The options that an entry names under these keys."""
    entry = known_programs()[name]
    return names_of(" ".join(entry.get(key, "") for key in keys))


def listed(entry: Mapping[str, Any], *keys: str) -> frozenset[str]:
    """The options that an entry names under these keys."""
    return _options(entry["names"][0], *keys)


def parsed_by(call: Call, entry: Mapping[str, Any]) -> Parsed:
    """Options and operands as an entry says."""
    return call.parse(listed(entry, *VALUED), maybe=listed(entry, "maybe"), plain=listed(entry, "flags") | EVERYWHERE)


def text_or_path(call: Call, word: Word) -> None:
    """What the table takes for a text, and what would be a secret if it is a path after all."""
    if len(word.text) > 1 and word.kind in ("literal", "glob", "name"):
        place = call.walker.place(word, call.scope)
        behind = word.text.rpartition("=")[2]
        if place.secret or is_secret(word.text) or is_secret(behind):
            # Without a slash it is more likely a text than a file, and a person may say so.
            facts = place.facts() if "/" in word.text else {"path": ""}
            call.act("secret", f"{call.shown}: {word.shown} names a place that holds secrets", facts)


def unknown_option(parsed: Parsed, entry: Mapping[str, Any]) -> str:
    """Why an option is not known; empty if all are."""
    if (
        entry["operands"] == "read"
        and entry.get("strict")
        and any(word.text.startswith("+") for word in parsed.operands)
    ):
        return "what it does with a word that begins with + is not looked into"
    if entry.get("strict") and any(word.text.startswith("-") or word.many for word in parsed.doubtful):
        return "an argument that is known only when it runs may be an option"
    known = listed(entry, "flags", "maybe", *VALUED) | EVERYWHERE
    with_value = listed(entry, "maybe", *VALUED)
    for given in parsed.options:
        if given.name not in known and not (entry.get("digits") and given.name[1:].isdigit()):
            return f"what it does with {given.name} is not known here"
        if given.value is not None and given.name not in with_value:
            return f"what it does with a value for {given.name} is not known here"
        if not given.name.startswith("--") and given.value is not None and re.match("=.", given.value.text):
            return "whether an option takes the mark = for a part of its value is not known here"
    if entry.get("must") and not parsed.has(*listed(entry, "must")):
        return "what it does is not known here"
    for word in parsed.values(*listed(entry, "plugins")):
        if not re.fullmatch(r"no:[\w.]+", word.text) or not word.known:
            return "it loads a plugin"
    return ""


def skipped(parsed: Parsed, entry: Mapping[str, Any]) -> int:
    """How many operands stand before those that are paths."""
    return 1 if entry.get("first") == "text" and not parsed.has(*listed(entry, "instead")) else 0
