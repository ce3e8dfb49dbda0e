"""Python, and what installs software: which calls run the workspace's own code, and which bring in somebody else's."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from .calls import Call, Parsed
from .python_text import python_uses
from .syntax import NotUnderstood
from .words import Word, names_of

__all__ = ["READERS"]

READING_MODULES = names_of(
    """
    json.tool site platform sysconfig this tokenize ast dis py_compile compileall tabnanny calendar
    torch.utils.collect_env sklearn numpy.show_config
    """
)
"""Modules that only look at what they are given, or write beside it."""

AS_PROGRAM = {
    "pip": "pip",
    "pip3": "pip",
    "uv": "uv",
    "pytest": "pytest",
    "ruff": "ruff",
    "black": "black",
    "isort": "isort",
    "mypy": "mypy",
    "flake8": "flake8",
    "pylint": "pylint",
    "pyflakes": "pyflakes",
    "torch.distributed.run": "torchrun",
    "torch.distributed.launch": "torchrun",
    "accelerate": "accelerate",
    "accelerate.commands.launch": "torchrun",
    "coverage": "coverage",
    "twine": "twine",
    "conda": "conda",
    "huggingface_hub.commands.huggingface_cli": "hf",
    "wandb": "wandb",
    "jupyter": "jupyter",
    "ipykernel": "jupyter",
}

PYTHON_FLAGS = frozenset("uBOsSIEvqbP")


def _python(call: Call) -> None:
    words = list(call.args)
    while words and words[0].text.startswith("-") and len(words[0].text) > 1:
        word = words.pop(0)
        text = word.text
        if text in ("-V", "--version", "-VV", "-h", "--help"):
            call.harmless()
            return
        if text in ("-W", "-X"):
            value = words.pop(0) if words else Word("")
            _option_value(call, value)
        elif re.match(r"-[WX].", text):
            _option_value(call, Word(text[2:], word.kind))
        elif match := re.fullmatch(r"-([uBOsSIEvqbP]*)c", text):
            _code(call, words[0] if words else Word.unknown())
            return
        elif match := re.fullmatch(r"-([uBOsSIEvqbP]*)m(.*)", text):
            if match[2]:
                words.insert(0, Word(match[2]))
            _module(call, words)
            return
        elif match := re.fullmatch(r"-[uBOsSIEvqbP]*c(.+)", text, re.DOTALL):
            _code(call, Word(match[1], word.kind))
            return
        elif not word.known or not set(text[1:]) <= PYTHON_FLAGS:
            raise NotUnderstood(f"what python does with {word.shown} is not known here")
    if not words or words[0].text == "-":
        _standard_input(call)
    else:
        _script(call, words)


def _option_value(call: Call, word: Word) -> None:
    if not word.known or not re.fullmatch(
        r"(ignore|error|default|always|once|module)(::\w+Warning)?|dev|utf8(=1)?|faulthandler|importtime|no_debug_ranges|frozen_modules=\w+",
        word.text,
    ):
        raise NotUnderstood("an option of python is not known here")


def _code(call: Call, word: Word) -> None:
    uses = python_uses(word.text) if word.known else None
    if uses is None:
        call.act("run", f"{call.name} runs a text that may do anything: {word.shown[:120]}", source="text", path="")
        return
    if uses.imports:  # the folder comes first where modules are looked for
        _imports(call)
    for path in uses.reads:
        call.read(Word(path, "glob" if re.search(r"[*?\[]", path) else "literal"))
    for path in uses.writes:
        call.write(Word(path))
    call.harmless()


def _imports(call: Call) -> None:
    """What the workspace has under a module's name is its own code; a folder outside may hold anybody's."""
    place = call.walker.places.at(call.scope.cwd) if call.scope.cwd else None
    if place is None or place.outside is not False:
        call.act(
            "run", f"{call.name} imports from a folder outside the workspace", source="file", path="", outside=True
        )
    elif call.walker.note.changes_code():
        call.act("run", f"{call.name} may import what this command makes or changes", source="changed", path=place.path)


def _standard_input(call: Call) -> None:
    if call.stdin.text is not None:
        _code(call, Word(call.stdin.text))
    elif call.stdin.none and not call.args:
        call.unknown("it would wait for commands")
    else:
        source = "network" if call.stdin.network else "stream"
        call.act("run", f"{call.name} runs what another command prints or a file holds", source=source, path="")


def _script(call: Call, words: list[Word]) -> None:
    script = words[0]
    if (
        script.known
        and script.text.rpartition("/")[2] == "setup.py"
        and [word for word in words[1:] if word.text not in ("--version", "--name", "--help", "build_ext", "--inplace")]
    ):
        call.act("install", f"{call.shown}: installs or publishes the package")
        return
    if "://" in script.text:
        call.unknown("it runs what is no file")
    place = call.run(script, words[1:])
    if place.path and place.outside is False and script.text in (".", "./"):
        call.unknown("it runs a folder")


def _module(call: Call, words: list[Word]) -> None:
    if not words or not words[0].known:
        raise NotUnderstood("which module it runs is known only when it runs")
    name, rest = words[0].text, words[1:]
    if name in AS_PROGRAM:
        call.again([Word(AS_PROGRAM[name]), *rest])
    elif name in READING_MODULES:
        _reading_module(Call(call.walker, call.name, rest, call.scope, call.stdin), name)
    elif name in MODULES:
        MODULES[name](Call(call.walker, call.name, rest, call.scope, call.stdin))
    else:
        _own_module(call, name)


READING_TAKES = ("--indent", "-j", "-m", "-t", "-L")
READING_PLAIN = names_of(
    """
    --sort-keys --no-ensure-ascii --json-lines --compact --tab --no-indent --user-site --user-base -q -qq -f -v -e -l -a
    -h --help
    """
)


def _options(call: Call, takes: tuple[str, ...], plain: Collection[str], *, stop: bool = False) -> Parsed:
    """Options and operands, if all options are known.

    Raises:
        NotUnderstood: one is not.
    """
    parsed = call.parse(takes, plain=plain, stop=stop)
    for given in parsed.options:
        if given.name not in takes and given.name not in plain:
            raise NotUnderstood(f"what it does with {given.name} is not known here")
    if parsed.doubtful:
        raise NotUnderstood("an argument that is known only when it runs may be an option")
    return parsed


def _reading_module(call: Call, name: str) -> None:
    parsed = _options(call, READING_TAKES, READING_PLAIN)
    for number, word in enumerate(parsed.operands):
        if name == "json.tool" and number:
            call.write(word)  # what it reads goes there
        elif call.read(word).outside is not False and name in ("py_compile", "compileall"):
            call.write(word)
    call.harmless()


def _venv(call: Call) -> None:
    for word in _options(call, ("--prompt",), ("--system-site-packages", "--copies", "--symlinks")).operands:
        call.write(word)


def _profile(call: Call) -> None:
    """A script or module under the profiler."""
    parsed = _options(call, ("-o", "--outfile", "-s", "--sort"), ("-m",), stop=True)
    for word in parsed.values("-o", "--outfile"):
        call.write(word)
    if not parsed.operands:
        raise NotUnderstood("it names no script")
    call.again([Word("python"), *([Word("-m")] if parsed.has("-m") else []), *parsed.operands])


def _pdb(call: Call) -> None:
    """The debugger, as long as all that it is told is to go on."""
    parsed = _options(call, ("-c",), ("-m",), stop=True)
    told = [word.text for word in parsed.values("-c")]
    if not parsed.operands or not call.stdin.none or not told or not set(told) <= {"c", "cont", "continue"}:
        raise NotUnderstood("what the debugger is told may be anything")
    call.again([Word("python"), *([Word("-m")] if parsed.has("-m") else []), *parsed.operands])


def _archive(call: Call) -> None:
    """`zipfile` and `tarfile`: an archive is looked at, made, or taken apart."""
    first, words = (call.args[0].text if call.args else ""), call.args[1:]
    if first not in ("-l", "--list", "-t", "--test", "-e", "--extract", "-c", "--create") or not words:
        raise NotUnderstood("what it does with the archive is not known here")
    if any(word.text.startswith("-") for word in words):
        raise NotUnderstood("what it does with the archive is not known here")
    if first in ("-c", "--create"):
        call.write(words[0])
    else:
        call.read(words[0])
    for word in words[1:] if first in ("-c", "--create") else []:
        call.read(word)
    if first in ("-e", "--extract"):
        call.write(words[1] if len(words) > 1 else Word("."))
    call.harmless()


UNITTEST_PLAIN = names_of("-v -q -f -b --verbose --quiet --failfast --buffer --locals")
UNITTEST_FOLDERS = ("-s", "-t", "--start-directory", "--top-level-directory")


def _unittest(call: Call) -> None:
    parsed = _options(call, (*UNITTEST_FOLDERS, "-p", "-k", "--pattern"), UNITTEST_PLAIN)
    for word in parsed.values(*UNITTEST_FOLDERS):
        call.run(word)
    _own(call, parsed.operands)


def _jupyter(call: Call) -> None:
    """`jupyter nbconvert`: a notebook is turned into another form. One that it would run is not looked into."""
    if not call.args or call.args[0].text != "nbconvert":
        call.unknown("it starts a server or changes the installation")
        return
    inner = Call(call.walker, call.name, call.args[1:], call.scope, call.stdin)
    parsed = _options(inner, ("--to", "--output", "--output-dir"), ("--inplace", "--stdout"))
    if any(
        word.text not in ("notebook", "html", "script", "markdown", "python", "rst") for word in parsed.values("--to")
    ):
        raise NotUnderstood("the form that it makes is not known here")
    for word in parsed.values("--output", "--output-dir"):
        call.write(word)
    for word in parsed.operands:
        call.read(word)
        folder = word.text.rpartition("/")[0] or "."
        call.write(Word(folder, word.kind))


MODULES: Mapping[str, Callable[[Call], None]] = {
    "unittest": _unittest,
    "venv": _venv,
    "cProfile": _profile,
    "profile": _profile,
    "pdb": _pdb,
    "zipfile": _archive,
    "tarfile": _archive,
}
"""Modules of Python with arguments of their own."""


def _own(call: Call, rest: list[Word]) -> None:
    inside = bool(call.scope.cwd) and call.walker.places.at(call.scope.cwd).outside is False
    call.act(
        "run",
        f"runs {call.shown}",
        source="file",
        path=call.scope.cwd,
        outside=not inside,
        protected=False,
        secret=False,
    )
    for word in rest:
        if "/" in word.text:
            call.run(word)


def _own_module(call: Call, name: str) -> None:
    """A module of the workspace, if there is one of that name."""
    base = name.replace(".", "/")
    for candidate in (
        f"{base}.py",
        f"{base}/__main__.py",
        f"{base}/__init__.py",
        f"src/{base}.py",
        f"src/{base}/__main__.py",
    ):
        place = call.walker.place(Word(candidate), call.scope)
        if place.path and place.outside is False and _is_file(call.walker.places.on_disk(place.path)):
            call.run(Word(candidate))
            return
    call.unknown(f"the module {name} is not one of the workspace, nor known here")


def _is_file(path: str) -> bool:
    from pathlib import Path

    return Path(path).is_file()


# -- installers ------------------------------------------------------------------------------------------------------


def _reads(
    pattern: str, what: str, options: str = "", more: Callable[[Call], bool] | None = None
) -> Callable[[Call], None]:
    """An installer of which some commands only look, with the options that they may have."""
    looks, known = re.compile(pattern), names_of(options)

    def judge(call: Call) -> None:
        words = [word for word in call.args if not word.text.startswith("-")]
        spoken = " ".join(word.shown for word in words[:2])
        if any(not word.known for word in words[:2]):
            call.act("install", f"{call.shown}: {what}")
        elif more is not None and more(call):
            return
        elif len(call.args) == 1 and call.args[0].text in ("--version", "-V", "--help", "-h"):
            call.act("read", f"looks: {call.shown}", reads=True)
        elif any(word.text.startswith("-") and word.text.partition("=")[0] not in known for word in call.args):
            call.act("install", f"{call.shown}: {what}, or may with such an option")
        elif looks.fullmatch(spoken):
            call.act("read", f"looks: {call.shown}", reads=True)
        else:
            call.act("install", f"{call.shown}: {what}")

    return judge


def _uv(call: Call) -> bool:
    """`uv run` with nothing to install is the program behind it."""
    words = list(call.args)
    if not words or words[0].text != "run":
        return False
    words.pop(0)
    quiet = False
    while words and words[0].text in ("--offline", "--no-sync", "--frozen", "-q", "--quiet"):
        quiet = quiet or words[0].text in ("--offline", "--no-sync")
        words.pop(0)
    if not quiet or not words or words[0].text.startswith("-"):
        return False
    if words[0].text.endswith(".py"):
        call.again([Word("python"), *words])
    else:
        call.again(words)
    return True


INSTALLS = "installs or changes software"
READERS: Mapping[str, Callable[[Call], None]] = {
    "python": _python,
    "jupyter": _jupyter,
    **dict.fromkeys(
        ("pip", "pip3"),
        _reads(
            r"(list|show|freeze|check|inspect|debug)( .*)?|index versions|cache (dir|info|list)|help( .*)?",
            INSTALLS,
            "--format --outdated -o --uptodate -u --editable -e --local -l --user --all --exclude --exclude-editable --not-required"
            " -f --files -v --verbose -q --quiet --pre --disable-pip-version-check --no-input --no-color --no-cache-dir",
        ),
    ),
    "uv": _reads(
        r"pip (list|show|freeze|check|tree)|version|cache dir|python (list|find|dir)|tool (list|dir)|help( .*)?|self version",
        INSTALLS,
        "--format --outdated --strict --offline -q --quiet -v --verbose --no-config --exclude-editable -e --editable --depth"
        " --only-installed --exclude --no-color --short -f --files",
        more=_uv,
    ),
    **dict.fromkeys(
        ("conda", "mamba", "micromamba"),
        _reads(r"(list|info)( .*)?|env list", INSTALLS, "-n --name -e --export --explicit --json --envs -a --all -f"),
    ),
    "npm": _reads(r"(ls|list|outdated|root|prefix|bin)( .*)?", INSTALLS, "-g --global --depth --json"),
    "brew": _reads(r"(list|info|config)( .*)?", INSTALLS, "--versions --cask --formula --json"),
    "cargo": _reads(r"tree|metadata", INSTALLS),
    "go": _reads(r"version", INSTALLS),
    "snap": _reads(r"list", INSTALLS),
    **dict.fromkeys(
        ("apt", "apt-get"),
        _reads(r"(list|show|policy|search|depends|rdepends)( .*)?", INSTALLS, "--installed --upgradable -a -qq -q"),
    ),
    **dict.fromkeys(
        ("yarn", "pnpm", "poetry", "pdm", "hatch", "pipenv", "pipx", "tox", "nox", "pre-commit"),
        _reads(r"(?!)", INSTALLS),
    ),
}
"""By name."""
