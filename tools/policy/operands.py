"""What happens to the operands of a program of the table, and what kind of lines it prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .calls import Call, Parsed
from .places import secret_name
from .streams import Stream
from .table import listed, skipped, text_or_path
from .words import Kind, Word

__all__ = ["judge_operands", "note_printed"]


def judge_operands(call: Call, parsed: Parsed, entry: Mapping[str, Any]) -> None:
    """Note what happens to them."""
    operands = list(parsed.operands)
    how = str(entry["operands"])
    if operands and skipped(parsed, entry):
        first = operands.pop(0)
        if "/" in first.text:
            text_or_path(call, first)
        if not _first_known(call, first, entry):
            return
    OPERANDS[how](call, operands, parsed, entry)


FILTER_LOOKS = re.compile(
    r"\benv\b|\$ENV|\binput_filename\b|\bimport\b|\binclude\b|\$__prog|\bload|\bstrenv\b|\benvsubst\b|\bsystem\b|\bdebug\b|\bfilename\b"
)
"""What in a filter of jq or yq shows the environment, or reads what no operand names."""


def _first_known(call: Call, first: Word, entry: Mapping[str, Any]) -> bool:
    if entry.get("words") and (not first.known or first.text not in entry["words"]):
        call.unknown(f"what it does with {first.shown} is not known here")
    elif entry.get("modes") and not re.fullmatch(r"[0-7]{3,4}|([ugoa]*[-+=][rwxX]*,?)+", first.text):
        call.unknown("the mode is not known here")
    elif entry.get("modes") and re.fullmatch(r"[4-7][0-7]{3}|[2367][0-7]{3}", first.text):
        call.unknown("it lets others run the file with this user's rights")
    elif call.name in ("jq", "gojq", "yq") and (not first.known or FILTER_LOOKS.search(first.text)):
        call.unknown("its filter may show the environment, or is known only when it runs")
    else:
        return True
    return False


def _read(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    for word in operands:
        call.read(word)
    recursive = call.name in ("rg", "ag") or parsed.has("-r", "-R", "--recursive", "--dereference-recursive")
    if not operands and recursive and call.stdin.none:
        call.read(Word("."))
    call.harmless()


def _run(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    """Tests: what they name is run, and a part of a file may be named behind `::`."""
    for word in operands:
        call.run(Word(word.text.partition("::")[0], word.kind))


def _names(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    for word in operands:
        call.read(word, names=True)
    if not operands:
        call.read(Word("."), names=True)


def _text(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    if call.name == "ps" and any(
        "e" in word.text and not word.text.isdigit() and "," not in word.text for word in operands
    ):
        call.act("secret", "ps shows the environment of processes", path="")
    elif call.name == "date" and any(not word.text.startswith("+") for word in operands):
        call.act("system", f"{call.shown}: sets the clock")
    elif "words" in entry and "first" not in entry and not all(word.text in entry["words"] for word in operands):
        call.unknown("what it does is not known here")
    elif "effect" not in entry:
        for word in operands:
            text_or_path(call, word)
        call.harmless()


def _ask(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    if operands or (entry.get("version") and not parsed.options):
        call.unknown("what it does is not known here")
    else:
        call.harmless()


def _variables(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    for word in operands:
        text_or_path(call, word)
    if not operands or any(not word.known or secret_name(word.text) for word in operands):
        call.act("secret", f"{call.shown} shows variables that hold secrets", path="")
    else:
        call.harmless()


def _write(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    for word in operands:
        place = call.write(word)
        if entry.get("beside") and place.path:  # the file that it makes has another name
            call.walker.note.written.add(place.path.rpartition("/")[0] or "/")
    if entry.get("cwd") == "write":
        call.write(Word("."))
    call.harmless()


def _rest_write(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    _write(call, operands or [Word(".")], parsed, {})


def _delete(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    for word in operands:
        call.delete(word)
    if not operands and not call.args:
        call.harmless()


def _copy(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    into = parsed.values(*listed(entry, "into"))
    sources, targets = (operands, into) if into else (operands[:-1], operands[-1:])
    if any(re.search(r"s|^0*[2-7]\d{3}$", word.text) or not word.known for word in parsed.values("-m", "--mode")):
        call.unknown("it may let others run the file with this user's rights")
    if call.name == "install" and parsed.has("-d", "--directory"):
        sources, targets = [], operands
    for word in sources:
        if entry["operands"] == "move":
            call.read(word)
            call.delete(word)
        else:
            call.read(word)
    for word in targets:
        place = call.write(word)
        whole = parsed.has("-T", "--no-target-directory")
        for name in [name for source in sources for name in _copied_names(call, source, whole=whole)]:
            if place.path:
                call.walker.note.written.add(place.path + "/" + name)
                inner = call.walker.places.at(place.path + "/" + name)
                if inner.outside or inner.protected or inner.secret:
                    call.write(Word(place.path + "/" + name))
    if not targets:
        call.unknown("it names no target")


def _copied_names(call: Call, source: Word, *, whole: bool) -> list[str]:
    """The names that a copy gets in its folder: of the file, of what a pattern hits, or of all that lies in a folder."""
    name = source.text.rstrip("/").rpartition("/")[2]
    place = call.walker.place(source, call.scope)
    if source.kind == "glob":
        return call.walker.places.names(source, call.scope.cwd)
    if not source.known:
        return []
    return call.walker.places.names(Word(place.path + "/"), "") if whole or name in ("", ".", "..") else [name]


def _mode(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    """Rights change, and the content does not: what was written by the same command stays noted, and nothing more is."""
    written = set(call.walker.note.written)
    for word in operands:
        call.write(word)
    call.walker.note.written.clear()
    call.walker.note.written.update(written)


def _csplit(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    for word in operands[1:]:
        text_or_path(call, word)
    _read_write(call, operands[:1], parsed, {} if parsed.has("-f", "--prefix") else {"default": "xx00"})


def _read_write(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    for word in operands[:1]:
        call.read(word)
    for word in operands[1:] or ([Word(entry["default"])] if "default" in entry else []):
        place = call.write(word)
        if "default" in entry and place.path:
            call.walker.note.written.add(place.path.rpartition("/")[0] or "/")
    call.harmless()


def _first_read(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    """An archive that is taken apart."""
    if not operands:
        call.unknown("it names no archive")
        return
    call.read(operands[0])
    for word in operands[1:]:
        text_or_path(call, word)
    if not parsed.has(*listed(entry, "lists")):
        for word in parsed.values(*listed(entry, "into")) or [Word(".")]:
            call.write(word)


def _first_write(call: Call, operands: list[Word], parsed: Parsed, entry: Mapping[str, Any]) -> None:
    for word in operands[:1]:
        call.write(word)
    for word in operands[1:]:
        call.read(word)


OPERANDS: dict[str, Callable[[Call, list[Word], Parsed, Mapping[str, Any]], None]] = {
    "read": _read,
    "run": _run,
    "names": _names,
    "text": _text,
    "ask": _ask,
    "variables": _variables,
    "write": _write,
    "rest-write": _rest_write,
    "delete": _delete,
    "copy": _copy,
    "move": _copy,
    "read-write": _read_write,
    "csplit": _csplit,
    "mode": _mode,
    "first-read": _first_read,
    "first-write": _first_write,
}

PASSING = frozenset({"sort", "head", "tail", "grep", "egrep", "tac", "cat", "uniq", "shuf"})


def note_printed(call: Call, parsed: Parsed, entry: Mapping[str, Any]) -> None:
    """What kind of lines it prints, where that matters to who reads them."""
    kind: Kind = "text"
    network = call.stdin.network
    if (
        (call.name == "wc" and not parsed.operands)
        or entry.get("prints") == "name"
        or (
            entry.get("prints") == "date"
            and all(word.known and "/" not in word.text and "%D" not in word.text for word in call.args)
        )
    ):
        kind = "name"
    elif call.name in PASSING and not parsed.operands[skipped(parsed, entry) :] and not call.stdin.none:
        kind = call.stdin.kind
    elif (call.name == "ls" and not parsed.options and _all_inside(call, parsed.operands or [Word(".")])) or (
        entry.get("prints") == "inside-l"
        and parsed.has("-l", "--files-with-matches", "--files")
        and _all_inside(call, parsed.operands[1:])
    ):
        kind = "inside"
    passed = call.name in PASSING and kind == call.stdin.kind and not parsed.has("-l", "--files-with-matches")
    checked = kind == "inside" and (call.stdin.checked if passed else _listing_checked(call, parsed))
    call.walker.printed = Stream(kind, network=network, checked=checked)


def _listing_checked(call: Call, parsed: Parsed) -> bool:
    """Whether no file that it may have listed is a link that leads out, or lies in the history."""
    names = parsed.operands if call.name == "ls" else parsed.operands[1:]
    deep, hidden = call.name != "ls", call.name not in ("ls", "rg", "ag")
    for word in names or [Word(".")]:
        place = call.walker.place(word, call.scope)
        folder = place.path if word.known else place.path.rpartition("/")[0]
        found = call.walker.places.below(folder, deep=deep, hidden=hidden)
        if not folder or place.protected or found.outside or found.protected:
            return False
    return True


def _all_inside(call: Call, words: list[Word]) -> bool:
    return all(call.walker.place(word, call.scope).outside is False for word in words)
