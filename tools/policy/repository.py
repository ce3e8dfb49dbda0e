"""What `git` would do: which of its commands only read, which change the workspace, and which leave it.

Its commands and their options stand in `git.toml`; what is not listed there is asked about. Options are looked at one
by one, never as one text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from .calls import Call, Parsed
from .places import is_secret
from .streams import Stream
from .syntax import NotUnderstood
from .words import Kind, Word, names_of

__all__ = ["READERS", "git_commands"]

SAFE_CONFIG = re.compile(
    r"(color\.\w+(\.\w+)?|core\.quotepath|core\.autocrlf|user\.(name|email)|init\.defaultbranch|log\.\w+|diff\.(renames|algorithm|context|noprefix)|advice\.\w+|commit\.gpgsign|safe\.directory)",
    re.IGNORECASE,
)
PLAIN = ("--no-pager", "-P", "--no-optional-locks", "--literal-pathspecs", "--no-replace-objects")
"""Options before the command that change nothing."""

PUBLISHES = names_of("push send-email send-pack http-push request-pull svn p4 lfs")
SENDS = names_of("fetch pull ls-remote submodule fetch-pack archive")
PATHS = re.compile(r"[\w.*/-]+\.\w+")


@cache
def git_commands() -> Mapping[str, Mapping[str, Any]]:
    """The table: for each command its options by kind, with those that it shares."""
    table = tomllib.loads(resources.files(__package__).joinpath("git.toml").read_text(encoding="utf-8"))
    found = dict[str, Mapping[str, Any]]()
    for name, entry in table.items():
        if "does" not in entry:
            continue
        parts = [entry, *(table[shared] for shared in entry.get("like", ()))]
        options = {key: names_of(" ".join(part.get(key, "") for part in parts)) for key in ("flags", "maybe", "takes")}
        found[name] = {**entry, **options, "digits": any(part.get("digits") for part in parts)}
    return found


def _git(call: Call) -> None:
    words, scope = list(call.args), call.scope
    while words and words[0].text.startswith("-"):
        word = words.pop(0)
        if word.text == "-C" and words:
            place = call.read(words.pop(0), names=True)
            scope = scope.at(place.path)
        elif word.text == "-c" and words:
            setting = words.pop(0)
            if not setting.known or not SAFE_CONFIG.fullmatch(setting.text.partition("=")[0]):
                raise NotUnderstood("git gets a setting that may start a program")
        elif word.text in ("--version", "--help", "-v", "-h"):
            call.harmless()
            return
        elif word.text not in PLAIN:
            raise NotUnderstood(f"what git does with {word.shown} is not known here")
    if not words:
        call.harmless()
        return
    if not words[0].known:
        raise NotUnderstood("which command of git it is, is known only when it runs")
    call.scope = scope
    _subcommand(call, words[0].text, words[1:])


def _subcommand(call: Call, name: str, args: list[Word]) -> None:
    inner = Call(call.walker, "git", args, call.scope, call.stdin)
    if name in git_commands():
        _listed(inner, name, git_commands()[name])
    elif name == "clone":
        _clone(inner)
    elif name in PUBLISHES:
        call.act("publish", f"git {name}: sends commits to another machine", host="")
    elif name in SENDS:
        call.act("send", f"git {name} {_shown(args)}: talks to another machine, or may", host="")
    elif name.startswith("credential"):
        call.act("secret", f"git {name}: handles passwords", path="credentials")
    elif name == "help":
        call.harmless()
    else:
        call.unknown(f"what git {name} does is not known here")


def _remote(call: Call, name: str, parsed: Parsed, why: str) -> None:
    """`git remote` without a word, and `get-url`, only look."""
    if why or (parsed.operands and not _names(parsed.operands, 2)):
        call.act("send", f"git {name} {_shown(call.args)}: changes or asks another machine", host="")
    else:
        _look(call, name)


def _shown(args: list[Word]) -> str:
    return " ".join(word.shown for word in args)[:80]


def _listed(call: Call, name: str, entry: Mapping[str, Any]) -> None:
    """A command of the table."""
    parsed = call.parse(entry["takes"], maybe=entry["maybe"], plain=entry["flags"])
    why = _unknown(parsed, entry)
    _secrets(call, name, parsed)
    if why and entry["does"] != "sends":
        _ask(call, name, why)
    elif entry["does"] == "reads":
        _reads(call, name, parsed, entry)
    elif entry["does"] == "sends":
        _remote(call, name, parsed, why)
    elif name == "mv" and any(call.write(word).outside is not False for word in parsed.operands):
        return  # and what lies in the history is noted as such
    elif entry["does"] == "stages" and any(_leaves(call, word) for word in parsed.operands):
        _ask(call, name, "it names what lies outside the repository")
    elif entry["does"] == "stages" or MOVES[name](parsed, call):
        _inside(call, name, f"git {name} {_shown(call.args)}")


def _unknown(parsed: Parsed, entry: Mapping[str, Any]) -> str:
    """Why an option or operand is not known; empty if all are."""
    if any(word.many or word.text.startswith("-") for word in parsed.doubtful):
        return "an argument that is known only when it runs may be an option"
    valued = entry["takes"] | entry["maybe"]
    for given in parsed.options:
        if given.name not in valued | entry["flags"] and not (entry["digits"] and given.name[1:].isdigit()):
            return f"what it does with {given.name} is not known here"
        if given.value is not None and given.name not in valued:
            return f"what it does with a value for {given.name} is not known here"
    if "words" in entry and parsed.operands and parsed.operands[0].text not in entry["words"]:
        return f"what it does with {parsed.operands[0].shown} is not known here"
    if (entry.get("must_words") and not parsed.operands) or len(parsed.operands) > entry.get("most", 1000):
        return "what it does is not known here"
    return ""


def _secrets(call: Call, name: str, parsed: Parsed) -> None:
    """Secrets that it would show: as a path, behind a revision (`HEAD:.env`), or behind lines (`-L1,5:.env`)."""
    if name in ("rm", "check-ignore", "mv", "restore", "status"):
        return
    plain = MESSAGES if git_commands()[name]["does"] == "reads" else (*MESSAGES, "-m", "--message")
    values = [given.value for given in parsed.options if given.value is not None and given.name not in plain]
    for word in [*parsed.operands, *values]:
        parts = {word.text, word.text.rpartition(":")[2], re.sub(r"^(:\([^)]*\)|:[!^/]*)", "", word.text)}
        if any(is_secret(part) for part in parts):
            call.act("secret", f"git {name} shows or keeps {word.shown}, which holds secrets", path=word.text)


MESSAGES = ("--author", "--grep", "-S", "-G")


def _reads(call: Call, name: str, parsed: Parsed, entry: Mapping[str, Any]) -> None:
    outside = not call.scope.cwd or call.walker.places.at(call.scope.cwd).outside
    if outside and name in ("diff", "show", "cat-file", "grep", "log", "blame", "whatchanged", "annotate", "ls-files"):
        _ask(call, name, "it shows what lies in another repository")
        return
    if name == "diff" and any(_leaves(call, word) for word in parsed.operands):
        for word in parsed.operands:
            call.read(word)
    call.act("read", f"looks: git {name}", reads=True)
    kind: Kind = "text"
    if name == "ls-files" and not parsed.has("-s", "--stage", "-t", "-v", "-u", "--eol", "--format"):
        kind = "inside"
    elif name in ("rev-parse", "describe", "rev-list"):
        kind = "name"
    checked = kind == "inside" and not call.walker.places.below(call.scope.cwd, without=".git").outside
    call.walker.printed = Stream(kind, checked=checked)


def _leaves(call: Call, word: Word) -> bool:
    """Whether a word names a place outside, which makes `git diff` compare files of any kind."""
    return call.walker.place(word, call.scope).outside is not False and (
        "/" in word.text or ".." in word.text.split("/")
    )


# -- commands that can lose what was not committed, or change more than the workspace --------------------------------


def _look(call: Call, name: str) -> bool:
    call.act("read", f"looks: git {name} {_shown(call.args)}".rstrip(), reads=True)
    return False


def _ask(call: Call, name: str, why: str) -> bool:
    call.act("unknown", f"git {name} {_shown(call.args)}: {why}")
    return False


def _lost(call: Call, name: str) -> bool:
    return _ask(call, name, "it may lose what was not committed")


def _names(words: list[Word], most: int) -> bool:
    """Whether these are names of branches, tags or commits, and not too many."""
    return len(words) <= most and all(
        word.known and re.fullmatch(r"[\w@][\w./@{}~^+-]*", word.text) and ".." not in word.text for word in words
    )


def _exists(call: Call, word: Word) -> bool:
    """Whether a word may be a file, which git would overwrite, as well as a branch."""
    place = call.walker.place(word, call.scope)
    return not place.path or call.walker.places.there(place.path) or call.walker.note.touched(place)


def _checkout(parsed: Parsed, call: Call) -> bool:
    if parsed.has("-b"):
        return (_names(parsed.operands, 1) and _names(parsed.values("-b"), 1)) or _lost(call, "checkout")
    fine = len(parsed.operands) == 1 and _names(parsed.operands, 1) and "--" not in _texts(call)
    return (fine and not _exists(call, parsed.operands[0])) or _lost(call, "checkout")


def _texts(call: Call) -> list[str]:
    return [word.text for word in call.args]


def _switch(parsed: Parsed, call: Call) -> bool:
    created = parsed.values("-c", "--create")
    return (_names(parsed.operands, 1) and _names(created, 1) and bool(parsed.operands or created)) or _lost(
        call, "switch"
    )


BRANCH_LISTS = (
    "-a", "--all", "-r", "--remotes", "-v", "-vv", "--verbose", "-l", "--list", "--show-current", "--merged", "--no-merged",
    "--contains", "--no-contains", "--column", "--sort", "--format", "--points-at",
)  # fmt: skip


def _branch(parsed: Parsed, call: Call) -> bool:
    if not parsed.operands or parsed.has(*BRANCH_LISTS):
        return _look(call, "branch") if _patterns(parsed) else _lost(call, "branch")
    return _names(parsed.operands, 2) or _lost(call, "branch")


def _patterns(parsed: Parsed) -> bool:
    return all(not word.text.startswith("-") for word in parsed.operands)


def _tag(parsed: Parsed, call: Call) -> bool:
    listing = parsed.has("-l", "--list", "-n", "--merged", "--no-merged", "--contains", "--no-contains", "--points-at")
    if (not parsed.operands and not parsed.has("-a", "-m", "--message", "--annotate")) or listing:
        return _look(call, "tag") if _patterns(parsed) else _lost(call, "tag")
    return _names(parsed.operands, 2) or _lost(call, "tag")


def _reset(parsed: Parsed, call: Call) -> bool:
    """Only what is staged, or the branch with everything kept as staged."""
    plain = [word for word in parsed.operands if word.text != "HEAD"]
    if parsed.has("--soft"):
        return _names(plain, 1) or _lost(call, "reset")
    fine = all(word.known and PATHS.fullmatch(word.text) and ".." not in word.text.split("/") for word in plain)
    return fine or _lost(call, "reset")


def _restore(parsed: Parsed, call: Call) -> bool:
    fine = parsed.has("-S", "--staged") and bool(parsed.operands)
    return (fine and all(word.known or word.kind == "glob" for word in parsed.operands)) or _lost(call, "restore")


def _rm(parsed: Parsed, call: Call) -> bool:
    return parsed.has("--cached", "-n", "--dry-run") or _lost(call, "rm")


def _clean(parsed: Parsed, call: Call) -> bool:
    return _look(call, "clean") if parsed.has("-n", "--dry-run") else _lost(call, "clean")


def _stash(parsed: Parsed, call: Call) -> bool:
    first = parsed.operands[0].text if parsed.operands else ""
    if first in ("list", "show"):
        return _look(call, "stash")
    if first in ("", "push", "pop", "apply", "save"):
        return all(word.known for word in parsed.operands) or _lost(call, "stash")
    return _ask(call, "stash", "it may lose what was kept")


def _config(parsed: Parsed, call: Call) -> bool:
    words = [word.text for word in parsed.operands]
    if words[:1] == ["set"]:
        words = words[1:]
    listing = parsed.has("-l", "--list") or words[:1] == ["list"]
    if words[:1] == ["get"] or parsed.has("--get", "--get-all") or len(words) == 1 or (listing and len(words) < 2):
        return (
            _look(call, "config")
            if all(word.known for word in call.args)
            else _ask(call, "config", "what it looks for is known only when it runs")
        )
    if len(words) == 2 and re.fullmatch(r"user\.(name|email)", words[0]) and call.args[-1].known and not listing:
        return True
    return _ask(call, "config", "it changes a setting of git that may start a program")


def _init(parsed: Parsed, call: Call) -> bool:
    fine = all(word.text == "." for word in parsed.operands) and _names(parsed.values("-b", "--initial-branch"), 1)
    return fine or _ask(call, "init", "it makes a repository in another place")


def _notes(parsed: Parsed, call: Call) -> bool:
    first = parsed.operands[0].text if parsed.operands else "list"
    if first in ("list", "show"):
        return _look(call, "notes")
    return first in ("add", "append") or _ask(call, "notes", "it loses or changes notes")


MOVES: Mapping[str, Callable[[Parsed, Call], bool]] = {
    "branch": _branch,
    "checkout": _checkout,
    "clean": _clean,
    "config": _config,
    "init": _init,
    "notes": _notes,
    "reset": _reset,
    "restore": _restore,
    "rm": _rm,
    "stash": _stash,
    "switch": _switch,
    "tag": _tag,
}
"""Whether a command changes the workspace's history and loses nothing; if not, what it does is noted by them."""


def _inside(call: Call, name: str, text: str) -> None:
    """A change of the workspace's own history, through git itself."""
    place = call.walker.places.at(call.scope.cwd) if call.scope.cwd else None
    if place is None or place.outside is not False or place.protected:
        _ask(call, name, "it changes a repository outside the workspace")
        return
    call.act("write", text.rstrip(), path=place.path, outside=False, protected=False, secret=False)
    if name in ("checkout", "switch", "merge", "stash", "cherry-pick", "revert", "apply", "am"):
        call.walker.note.written.add(place.path)


CLONE_TAKES = ("--depth", "-b", "--branch", "--filter", "-j", "--jobs")
CLONE_PLAIN = names_of("-q --quiet --single-branch --no-tags -v --progress --shallow-submodules")


def _clone(call: Call) -> None:
    from .network import fetched

    parsed = call.parse(CLONE_TAKES)
    if any(given.name not in (*CLONE_TAKES, *CLONE_PLAIN) for given in parsed.options) or parsed.doubtful:
        raise NotUnderstood("what git clone does with its options is not known here")
    if not parsed.operands or not parsed.operands[0].known or not parsed.operands[0].text.startswith("https://"):
        call.act("send", f"{call.shown}: talks to another machine in a way that is not looked into", host="")
        return
    url = parsed.operands[0]
    name = re.sub(r"\.git$", "", url.text.rstrip("/").rpartition("/")[2])
    target = call.write(parsed.operands[1] if len(parsed.operands) > 1 else Word(name))
    if target.path:
        call.walker.note.written.add(target.path)
    fetched(call, url, saves=True)


READERS: Mapping[str, Callable[[Call], None]] = {"git": _git}
"""By name."""
