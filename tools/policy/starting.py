"""Programs that start another program or run a text: they are looked through, or it is said why they cannot be."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace

from .calls import Call, Given, Parsed
from .environment import check_variable
from .finding import find, xargs
from .syntax import NotUnderstood
from .words import Word

__all__ = ["READERS"]

PREFIXES: Mapping[str, tuple[str, ...]] = {
    "nohup": (),
    "nice": ("-n", "--adjustment"),
    "stdbuf": ("-i", "-o", "-e", "--input", "--output", "--error"),
    "setsid": (),
    "ionice": ("-c", "-n", "--class", "--classdata"),
    "chrt": ("-T", "-P", "-D"),
    "unbuffer": (),
    "caffeinate": ("-t",),
    "time": ("-f", "--format"),
    "timeout": ("-s", "-k", "--signal", "--kill-after"),
    "taskset": (),
    "numactl": ("-N", "-m", "-C", "--cpunodebind", "--membind", "--physcpubind"),
}
"""Programs that start their operands, with the options that take a value."""

KNOWN_OPTIONS: Mapping[str, str] = {
    "nohup": "",
    "nice": "n",
    "stdbuf": "ioe",
    "setsid": "fw",
    "ionice": "cn",
    "chrt": "bfiomr",
    "unbuffer": "",
    "caffeinate": "dimsut",
    "time": "pvf",
    "timeout": "skv",
    "taskset": "ca",
    "numactl": "NmC",
}

SKIPPED = {"timeout": 1, "taskset": 1, "chrt": 1}
"""Operands before the program."""

SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "ash", "rbash")


def _prefix(call: Call) -> None:
    parsed = call.parse(PREFIXES[call.name], stop=True)
    letters = KNOWN_OPTIONS[call.name]
    for given in parsed.options:
        known = given.name in PREFIXES[call.name] or given.name in (
            "--foreground",
            "--preserve-status",
            "--verbose",
            "--portability",
        )
        if not known and (
            given.name.startswith("--") or (given.name[1] not in letters and not given.name[1].isdigit())
        ):
            raise NotUnderstood(f"what {call.name} does with {given.name} is not known here")
    words = parsed.operands[SKIPPED.get(call.name, 0) :]
    if words:
        call.again(words)
    else:
        call.harmless()


def _env(call: Call) -> None:
    words, scope = list(call.args), call.scope
    while words and words[0].text.startswith("-"):
        word = words.pop(0)
        if word.text in ("-i", "-", "--ignore-environment", "-0", "-v", "--null"):
            continue
        if word.text in ("-u", "--unset") and words:
            check_variable(call.walker.note, words.pop(0).text, Word.unknown(), scope)
        elif re.fullmatch(r"(-u|--unset=)\w+", word.text):
            check_variable(call.walker.note, re.sub(r"^(-u|--unset=)", "", word.text), Word.unknown(), scope)
        elif word.text in ("-C", "--chdir") and words:
            scope = scope.at(call.walker.place(words.pop(0), scope).path)
        elif word.text in ("-S", "--split-string") and words and words[0].known:
            words = [*_divided(words.pop(0).text), *words]
        elif word.text.startswith("-S") and word.known and len(word.text) > 2:
            words = [*_divided(word.text[2:]), *words]
        elif word.text == "--":
            break
        else:
            raise NotUnderstood(f"what env does with {word.shown} is not known here")
    while words and (match := re.match(r"([A-Za-z_]\w*)=", words[0].text)):
        value = words.pop(0)
        check_variable(call.walker.note, match[1], replace(value, text=value.text[match.end() :]), scope)
    if words:
        call.again(words, scope)
    else:
        call.act("secret", "env shows all variables, secrets among them", path="")


def _divided(text: str) -> list[Word]:
    if re.search(r"[\\$`'\"]", text):
        raise NotUnderstood("the text that env divides cannot be read")
    return [Word(part) for part in text.split()]


def _privilege(call: Call) -> None:
    """`sudo` and its like: an action by itself, and the command behind it is judged too."""
    call.act("privilege", f"{call.shown}: acts with another user's rights")
    if call.name in ("sudo", "doas"):
        parsed = call.parse(
            (
                "-u",
                "-g",
                "-h",
                "-p",
                "-C",
                "-r",
                "-t",
                "-T",
                "-U",
                "-D",
                "-R",
                "--user",
                "--group",
                "--host",
                "--prompt",
                "--chdir",
                "--chroot",
            ),
            stop=True,
        )
        words = parsed.operands
        while words and re.match(r"[A-Za-z_]\w*=", words[0].text):
            words = words[1:]
        if words:
            call.again(words)
    elif call.name == "su":
        for word in call.parse(("-c", "--command", "-s", "--shell", "-g", "-G", "-w"), stop=False).values(
            "-c", "--command"
        ):
            if word.known:
                call.walker.source(word.text, frozenset([call.scope]))


def _shell(call: Call) -> None:
    """`sh`, `bash` and their like: a text, a script, or what comes in."""
    takes = ("-o", "+o", "--rcfile", "--init-file")
    parsed = _shell_options(call, takes)
    if parsed.has("--rcfile", "--init-file", "-i", "--login", "-l") and not parsed.has("-c"):
        raise NotUnderstood(f"{call.name} would read start-up files")
    scope = replace(call.scope, functions=())
    if parsed.has("-c"):
        if not parsed.operands or not parsed.operands[0].known:
            raise NotUnderstood("the text that it runs is known only when it runs")
        given = parsed.operands[2:]
        scope = replace(scope, positional=None if any(word.many for word in given) else tuple(given))
        call.walker.source(parsed.operands[0].text, frozenset([scope]), call.stdin)
    elif parsed.operands and not parsed.has("-s"):
        call.run(parsed.operands[0], parsed.operands[1:])
    elif call.stdin.text is not None:
        call.walker.source(call.stdin.text, frozenset([scope]))
    elif call.stdin.none and parsed.options:
        call.unknown("it would wait for commands")
    else:
        source = "network" if call.stdin.network else "stream"
        call.act("run", f"{call.name} runs what another command prints or a file holds", source=source, path="")


def _shell_options(call: Call, takes: tuple[str, ...]) -> Parsed:
    found, words = Parsed(), list(call.args)
    while words and re.match(r"[-+].", words[0].text) and words[0].known:
        text = words.pop(0).text
        if text == "--":
            break
        if text in takes:
            value = words.pop(0) if words else Word("")
            if text in ("-o", "+o") and value.text not in ("pipefail", "errexit", "nounset", "xtrace"):
                raise NotUnderstood(f"what {call.name} does with {value.shown} is not known here")
            found.options += _flags("--rcfile" if text.startswith("--") else text)
            continue
        if text.startswith("--"):
            if text not in ("--norc", "--noprofile", "--posix", "--login"):
                raise NotUnderstood(f"what {call.name} does with {text} is not known here")
            found.options += _flags(text)
            continue
        letters = text[1:]
        if not set(letters) <= set("ceilsuvxnfo"):
            raise NotUnderstood(f"what {call.name} does with {text} is not known here")
        if "o" in letters and words:
            words.pop(0)
        found.options += _flags(*(f"-{letter}" for letter in letters))
    found.operands = words
    return found


def _flags(*names: str) -> list[Given]:
    """Options without a value."""
    return [Given(name) for name in names]


def _busybox(call: Call) -> None:
    if not call.args or call.args[0].text.startswith("-"):
        call.harmless()
    else:
        call.again(call.args)


def _watch(call: Call) -> None:
    parsed = call.parse(("-n", "--interval"), stop=True)
    if not {given.name for given in parsed.options} <= {
        "-n",
        "-d",
        "-t",
        "-b",
        "-e",
        "-g",
        "-c",
        "-x",
        "--interval",
    }:
        raise NotUnderstood("an option of it is not known here")
    if not all(word.known for word in parsed.operands) or not parsed.operands:
        raise NotUnderstood("the text that it runs is known only when it runs")
    text = (
        shlex.join(word.text for word in parsed.operands)
        if parsed.has("-x")
        else " ".join(word.text for word in parsed.operands)
    )
    call.walker.source(text, frozenset([call.scope]))


def _unseen(call: Call) -> None:
    call.unknown("it can start other programs, and how is not looked into")


READERS: Mapping[str, Callable[[Call], None]] = {
    **dict.fromkeys(PREFIXES, _prefix),
    **dict.fromkeys(SHELLS, _shell),
    **dict.fromkeys(
        ("sudo", "su", "doas", "pkexec", "runuser", "chroot", "nsenter", "unshare", "setpriv", "capsh", "gosu"),
        _privilege,
    ),
    **dict.fromkeys(("busybox", "toybox"), _busybox),
    **dict.fromkeys(
        (
            "parallel",
            "script",
            "strace",
            "ltrace",
            "gdb",
            "lldb",
            "flock",
            "entr",
            "expect",
            "screen",
            "tmux",
            "dtach",
            "perf",
            "valgrind",
            "rlwrap",
            "ld.so",
            "firejail",
            "bwrap",
            "systemd-run",
            "daemonize",
            "start-stop-daemon",
            "dbus-run-session",
            "xvfb-run",
            "fakeroot",
            "proot",
            "ssh-agent",
            "run-parts",
            "ed",
            "ex",
            "vi",
            "vim",
            "nvim",
            "nano",
            "emacs",
            "view",
            "ipython",
            "dc",
            "m4",
        ),
        _unseen,
    ),
    "env": _env,
    "xargs": xargs,
    "find": find,
    "watch": _watch,
}
"""By name."""
