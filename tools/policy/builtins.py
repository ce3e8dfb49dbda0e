"""What the shell does by itself: commands that change the folder, the variables, or what a text means."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from .calls import Call
from .environment import check_variable
from .programs import judge
from .scope import Scope, Ways
from .streams import Stream
from .syntax import NotUnderstood
from .words import Kind, Word, joined

__all__ = ["BUILTINS"]


def _same(call: Call) -> Ways:
    return Ways.same(frozenset([call.scope]))


def _quiet(call: Call) -> Ways:
    """Changes nothing that matters here."""
    call.walker.printed = Stream("name")
    return _same(call)


def _cd(call: Call) -> Ways:
    parsed = call.parse()
    target = parsed.operands[0] if parsed.operands else Word(call.walker.places.home)
    if len(parsed.operands) > 1:
        raise NotUnderstood("which folder it goes to is known only when it runs")
    place = call.walker.place(target, call.scope) if target.kind == "literal" else None
    path = place.path if place is not None else ""
    if place is None and target.kind in ("inside", "name", "glob"):
        place = call.walker.place(target, call.scope)
        path = (
            ""
            if place.outside is not False or place.protected or place.secret or target.text in ("*", "*/")
            else place.path
        )
    if target.known and target.text == "-":
        path = ""
    if place is not None and place.secret:
        call.act("secret", f"goes into {target.shown}, which holds secrets", place.facts())
    return Ways(frozenset([call.scope.at(path)]), frozenset([call.scope]))


def _popd(call: Call) -> Ways:
    return Ways.same(frozenset([call.scope.at("")]))


def _pwd(call: Call) -> Ways:
    call.walker.printed = Stream(text=call.scope.cwd or None)
    return _same(call)


def _echo(call: Call) -> Ways:
    plain = all(word.known and "\\" not in word.text and not word.text.startswith("-") for word in call.args)
    text = " ".join(word.text for word in call.args) + "\n" if plain else None
    call.walker.printed = Stream(text=text)
    call.harmless()
    return _same(call)


def _printf(call: Call) -> Ways:
    if call.args and call.args[0].text.startswith("-v"):
        name = joined([*call.args[0:1]]).text[2:] or (call.args[1].text if len(call.args) > 1 else "")
        return _set_variables(call, [name])
    call.harmless()
    return _same(call)


def _set_variables(call: Call, names: list[str]) -> Ways:
    scope = call.scope
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise NotUnderstood("it sets a variable whose name is no plain one")
        check_variable(call.walker.note, name, Word.unknown(), scope)
        kind: Kind = call.stdin.kind if call.stdin.kind in ("inside", "name") else "text"
        scope = scope.with_value(name, (replace(Word.unknown(kind), checked=call.stdin.checked),))
    return Ways.same(frozenset([scope]))


def _read(call: Call) -> Ways:
    parsed = call.parse(("-d", "-i", "-n", "-N", "-p", "-t", "-u", "-a"))
    names = [word.text for word in parsed.operands] + [word.text for word in parsed.values("-a")]
    if not all(word.known for word in [*parsed.operands, *parsed.values("-a")]):
        raise NotUnderstood("it sets a variable whose name is known only when it runs")
    return _set_variables(call, names or ["REPLY"])


def _mapfile(call: Call) -> Ways:
    parsed = call.parse(("-d", "-n", "-O", "-s", "-u", "-C", "-c"))
    if parsed.has("-C") or parsed.doubtful:
        raise NotUnderstood("it runs a text for each line")
    return _set_variables(call, [word.text for word in parsed.operands] or ["MAPFILE"])


def _let(call: Call) -> Ways:
    names = list[str]()
    for word in call.args:
        if not word.known or word.code or re.search(r"[^\w\s+*/%()<>=!&|^~?:,-]", word.text):
            raise NotUnderstood("its arithmetic cannot be read")
        names += re.findall(r"[A-Za-z_]\w*", word.text)
    return Ways.same(frozenset([call.scope.blurred(name for name in names if call.scope.value(name) is not None)]))


def _eval(call: Call) -> Ways:
    if not all(word.known and not word.many for word in call.args):
        raise NotUnderstood("the text that it runs is known only when it runs")
    if not call.args:
        return _same(call)
    return call.walker.source(" ".join(word.text for word in call.args), frozenset([call.scope]), call.stdin)


def _source(call: Call) -> Ways:
    if not call.args:
        raise NotUnderstood("it names no file")
    call.run(call.args[0])
    names = [name for name, _ in call.scope.variables]
    return Ways.same(frozenset([call.scope.blurred(names)]))


def _exec(call: Call) -> Ways:
    parsed = call.parse(("-a",), stop=True)
    if not call.args:
        return _same(call)
    call.again(parsed.operands)
    return _same(call)


def _command(call: Call) -> Ways:
    if call.args and call.args[0].text in ("-v", "-V"):
        call.harmless()
        return _same(call)
    words = call.args[1:] if call.args and call.args[0].text == "-p" else call.args
    if words and words[0].text.startswith("-"):
        raise NotUnderstood("an option of it is not known here")
    # Functions are passed over by `command` and `builtin`.
    return call.again(words, replace(call.scope, functions=()))


def _trap(call: Call) -> Ways:
    if not call.args or call.args[0].text in ("-l", "-p", "-", ""):
        return _same(call)
    words = call.args[1:] if call.args[0].text == "--" else call.args
    if not words or not words[0].known:
        raise NotUnderstood("the text that it runs is known only when it runs")
    call.walker.source(words[0].text, frozenset([call.scope]))
    return _same(call)


def _set(call: Call) -> Ways:
    if not call.args:
        call.act("secret", "set shows all variables, secrets among them", path="")
        return _same(call)
    scope: Scope = call.scope
    words = list(call.args)
    while words and re.fullmatch(r"[-+][A-Za-z]+", words[0].text) and words[0].known:
        letters = words.pop(0).text[1:]
        if not set(letters) <= set("aeufxvnmoCbhE"):
            raise NotUnderstood("an option of it is not known here")
        if (
            "o" in letters
            and words
            and words[0].text in ("pipefail", "errexit", "nounset", "xtrace", "noclobber", "posix")
        ):
            words.pop(0)
        elif "o" in letters:
            raise NotUnderstood("an option of it is not known here")
    if words and words[0].text == "--":
        words = words[1:]
    elif words and words[0].text.startswith(("-", "+")):
        raise NotUnderstood("an option of it is not known here")
    elif not words:
        return _same(call)
    known = not any(word.many for word in words)
    return Ways.same(frozenset([replace(scope, positional=tuple(words) if known else None)]))


def _shift(call: Call) -> Ways:
    count = int(call.args[0].text) if call.args and call.args[0].text.isdigit() else 1
    given = call.scope.positional
    if call.args and not call.args[0].text.isdigit():
        given = None
    return Ways.same(frozenset([replace(call.scope, positional=given[count:] if given is not None else None)]))


def _exit(call: Call) -> Ways:
    return Ways()


def _shopt(call: Call) -> Ways:
    words = [word.text for word in call.args]
    if not set(words) <= {"-s", "-u", "-q", "-p", "nullglob", "globstar", "failglob", "nocaseglob"}:
        raise NotUnderstood("an option of it is not known here")
    return _same(call)


def _alias(call: Call) -> Ways:
    if any("=" in word.text or not word.known for word in call.args):
        raise NotUnderstood("it gives a command another meaning")
    return _same(call)


def _test(call: Call) -> Ways:
    texts = [word.text for word in call.args]
    if any(word.code for word in call.args) or "-v" in texts or "-R" in texts:
        raise NotUnderstood("a test would run a command that may stand in a text")
    return _same(call)


def _history(call: Call) -> Ways:
    call.act("secret", "shows what was typed before", path="")
    return _same(call)


def _refused(call: Call) -> Ways:
    raise NotUnderstood(f"what {call.name} does is not followed here")


def _hash(call: Call) -> Ways:
    if call.args and [word.text for word in call.args] != ["-r"]:
        return _refused(call)
    return _quiet(call)


def _ordinary(call: Call) -> Ways:
    judge(call)
    return _same(call)


BUILTINS: dict[str, Callable[[Call], Ways]] = {
    "cd": _cd,
    "pushd": _cd,
    "popd": _popd,
    "pwd": _pwd,
    "echo": _echo,
    "printf": _printf,
    "read": _read,
    "mapfile": _mapfile,
    "readarray": _mapfile,
    "let": _let,
    "eval": _eval,
    "source": _source,
    ".": _source,
    "exec": _exec,
    "command": _command,
    "builtin": _command,
    "coproc": _command,
    "trap": _trap,
    "set": _set,
    "shift": _shift,
    "exit": _exit,
    "return": _same,
    "break": _same,
    "continue": _same,
    "shopt": _shopt,
    "alias": _alias,
    "unalias": _same,
    "test": _test,
    "[": _test,
    "hash": _hash,
    "history": _history,
    "fc": _history,
    **dict.fromkeys(
        ("true", "false", ":", "wait", "jobs", "type", "ulimit", "umask", "times", "dirs", "suspend"), _quiet
    ),
    **dict.fromkeys(
        ("enable", "complete", "compgen", "compopt", "bind", "getopts", "caller", "disown", "fg", "bg"),
        _refused,
    ),
    **dict.fromkeys(("export", "declare", "typeset", "readonly", "local", "unset", "logout", "select"), _refused),
}
"""By name; each returns where the command may be afterwards."""
