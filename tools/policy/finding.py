"""`find` and `xargs`: programs that start another one for files which only the running shell would know."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from .calls import Call
from .places import Place, is_secret
from .scope import Scope
from .streams import NOTHING, Stream
from .syntax import NotUnderstood
from .words import Kind, Word, names_of

__all__ = ["find", "xargs"]


def xargs(call: Call) -> None:
    takes = (
        "-I",
        "-n",
        "-P",
        "-L",
        "-d",
        "-E",
        "-s",
        "-a",
        "--arg-file",
        "--max-args",
        "--max-procs",
        "--delimiter",
    )
    maybe = ("--replace", "--max-lines")
    parsed = call.parse(takes, maybe=maybe, stop=True)
    for given in parsed.options:
        if given.name not in (*takes, *maybe, "-0", "-r", "-t", "--null", "--no-run-if-empty", "--verbose"):
            raise NotUnderstood(f"what xargs does with {given.name} is not known here")
    files = parsed.values("-a", "--arg-file")
    for word in files:
        call.read(word)
    kind: Kind = "text" if files or call.stdin.kind not in ("inside", "name") else call.stdin.kind
    words = parsed.operands or [Word("echo")]
    checked = call.stdin.checked and not files
    marks = [given.value or Word("{}") for given in parsed.options if given.name in ("-I", "--replace")]
    if marks:
        mark = marks[-1].text
        filled = [
            Word(word.text.replace(mark, Word.HOLE), kind if kind != "name" else "text", checked=checked)
            if mark in word.text and word.known
            else word
            for word in words
        ]
        call.again(filled, stdin=NOTHING)
    else:
        call.again([*words, replace(Word.unknown(kind, many=True), checked=checked)], stdin=NOTHING)


FIND_TAKES = names_of(
    """
    -name -iname -path -ipath -wholename -regex -iregex -type -size -mtime -mmin -atime -ctime -amin -cmin
    -newer -maxdepth -mindepth -perm -user -group -printf -samefile -xtype -links -inum -regextype -newermt
    -fstype -uid -gid -used -anewer -cnewer -lname -D
    """
)
FIND_PLAIN = names_of(
    """
    -print -print0 -ls -empty -not -a -o -and -or ! ( ) , -prune -quit -true -false -depth -d -xdev -mount
    -readable -writable -executable -follow -L -P -H -daystart -ignore_readdir_race -noleaf -nouser -nogroup
    """
)


@dataclass
class _Search:
    """What a call of `find` looks for.

    Attributes:
        starts: the folders that it begins with.
        names: patterns that a name must match, as far as they are certain.
        open: whether a test is turned around or stands beside another, so that none of them is certain.
        narrowed: whether some test leaves files out at all.
        follows: whether it goes through links.
        without: a folder's name that it does not go into.
    """

    call: Call
    starts: list[Word]
    names: list[str] = field(default_factory=list)
    open: bool = False
    narrowed: bool = False
    follows: bool = False
    without: str = ""

    def worst(self) -> Place:
        """The worst of what it may find, by what lies on the disk."""
        places = [self.call.walker.place(start, self.call.scope) for start in self.starts]
        if self.follows or not all(place.path and place.outside is False for place in places):
            return Place(outside=True, protected=True, secret=True)
        names = () if self.open else tuple(self.names)
        found = [self.call.walker.places.below(place.path, names, without=self.without) for place in places]
        return Place(
            outside=any(place.outside for place in found),
            protected=any(place.protected for place in [*found, *places]),
            secret=any(place.secret for place in [*found, *places]),
        )


def find(call: Call) -> None:
    """Tests and actions of `find`, in order."""
    words, search = list(call.args), _Search(call, [])
    while words and words[0].text in ("-L", "-P", "-H", "-O0", "-O1", "-O2", "-O3"):
        search.follows = words.pop(0).text in ("-L", "-H") or search.follows
    while words and not words[0].text.startswith("-") and words[0].text not in ("!", "(", ")"):
        search.starts.append(words.pop(0))
    search.starts = search.starts or [Word(".")]
    search.follows = search.follows or any(word.text == "-follow" for word in words)
    search.open = any(word.text in ("-o", "-or", ",") for word in words)
    search.without = _left_out(words)
    places = [call.read(word, names=True) for word in search.starts]
    inside = all(place.outside is False for place in places)
    while words:
        words = _expression(search, words, inside=inside)
    worst = search.worst() if inside else Place()
    kind: Kind = "inside" if inside and not search.follows else "text"
    call.walker.printed = Stream(kind, checked=worst.outside is False and not worst.protected)


def _left_out(words: list[Word]) -> str:
    """The history, if it is left out by its plain name: `-name .git -prune`, `-not -path './.git/*'`."""
    texts = [word.text for word in words]
    for before, test, value, after in zip(["", *texts], texts, [*texts[1:], ""], [*texts[2:], "", ""], strict=False):
        pruned = test in ("-name", "-path") and re.fullmatch(r"(\./)?\.git", value) and after == "-prune"
        turned = before in ("!", "-not") and test == "-path" and re.fullmatch(r"(\./|\*/)\.git/\*", value)
        if pruned or turned:
            return ".git"
    return ""


def _expression(search: _Search, words: list[Word], *, inside: bool) -> list[Word]:
    """One test or action; what stands behind it."""
    call, word, rest = search.call, words[0], words[1:]
    text = word.text
    if not word.known and word.kind != "glob":
        raise NotUnderstood("a part of find's expression is known only when it runs")
    if text in FIND_TAKES:
        _test(search, text, rest[0] if rest else Word(""))
        return rest[1:]
    if text in ("!", "-not"):
        # The test behind it leaves little out, and which files that are is not looked into.
        return rest[2:] if rest and rest[0].text in FIND_TAKES else _turned(search, rest)
    if text in FIND_PLAIN or text in ("-o", "-or", ","):
        return rest
    if text == "-delete":
        _find_deletes(search)
        return rest
    if text in ("-exec", "-execdir", "-ok", "-okdir"):
        scope = call.scope.at("") if text.endswith("dir") else call.scope
        return _find_runs(search, rest, scope, inside=inside)
    if text in ("-fprint", "-fprint0", "-fls", "-fprintf"):
        call.write(rest[0] if rest else Word(""))
        return rest[2:] if text == "-fprintf" else rest[1:]
    raise NotUnderstood(f"what find does with {word.shown} is not known here")


def _turned(search: _Search, rest: list[Word]) -> list[Word]:
    search.open = True
    return rest


def _test(search: _Search, text: str, value: Word) -> None:
    if text in ("-name", "-iname", "-path", "-regex") and re.search(r"\w", value.text):
        search.narrowed = True
    if text == "-name" and value.known:
        search.names.append(value.text)
    if text in ("-name", "-iname", "-path") and _hunts(value.text):
        search.call.act("secret", f"looks for files that hold secrets: {value.shown}", path="")


def _hunts(pattern: str) -> bool:
    bare = pattern.replace("*", "")
    return bool(bare) and ".git" not in bare and (is_secret(bare) or is_secret("x" + bare))


def _find_deletes(search: _Search) -> None:
    """Some of what lies below a start, or all of it where no test narrows it."""
    worst = search.worst()
    for start in search.starts:
        place = search.call.walker.place(start, search.call.scope)
        if place.outside is False and (worst.protected or search.follows):
            search.call.act(
                "delete",
                f"deletes what it finds in {start.shown}, and that may be the history of the workspace, or lie outside it",
                path=place.path,
                outside="" if search.follows else False,
                protected=worst.protected,
                whole=False,
            )
        elif place.target == "workspace" and search.narrowed and not search.open:
            search.call.act(
                "delete",
                f"deletes what it finds in {start.shown}",
                path=place.path + "/*",
                outside=False,
                protected=False,
                whole=False,
            )
        else:
            search.call.delete(start)


def _find_runs(search: _Search, words: list[Word], scope: Scope, *, inside: bool) -> list[Word]:
    end = next(
        (
            number
            for number, word in enumerate(words)
            if word.text in (";", "+") and (word.text == ";" or (number and words[number - 1].text == "{}"))
        ),
        None,
    )
    if end is None:
        raise NotUnderstood("find's -exec has no end")
    command, rest = words[:end], words[end + 1 :]
    worst = search.worst() if inside else Place()
    kind: Kind = "inside" if inside and not search.follows and not worst.outside and not worst.secret else "text"
    filled = [
        Word(word.text.replace("{}", Word.HOLE), kind, checked=not worst.protected) if "{}" in word.text else word
        for word in command
    ]
    if command and command[0].known and command[0].text in ("rm", "rmdir", "unlink") and inside:
        if not all(word.text == "{}" or re.fullmatch(r"-[rfvRd]+|--", word.text) for word in command[1:]):
            raise NotUnderstood("what find's -exec removes cannot be read")
        _find_deletes(search)
        return rest
    if filled and not filled[0].known:
        raise NotUnderstood("find would run the files that it finds")
    search.call.again(filled, scope, stdin=NOTHING)
    return rest
