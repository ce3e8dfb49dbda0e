"""Whether the two scripts take what the workflow gives them, as far as their `add_argument` calls tell."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from .findings import Finding, Severity
from .scripts import Script, reached

__all__ = ["GIVEN", "command_line"]

GIVEN = {
    "train.py": ("--data", "--out", "--seed", "--smoke"),
    "predict.py": ("--model", "--inputs", "--out"),
}
"""What the workflow gives each script; see docs/script-contract.md."""

PARSERS = frozenset(
    {"absl", "click", "docopt", "fire", "hydra", "jsonargparse", "simple_parsing", "tap", "typer", "tyro"}
)
"""Modules that read a command line in ways that are not looked into."""

SWITCHES = frozenset({"store_true", "store_false", "store_const", "count", "BooleanOptionalAction"})


def command_line(entry: str, scripts: Mapping[str, Script]) -> Iterator[Finding]:
    """What is wrong with the command line of `train.py` or `predict.py`, which may be read by a sibling."""
    files = reached(entry, scripts)
    calls = [call for script in files for call in script.calls if _adds(call)]
    options = {flag: call for call in calls for flag in _flags(call)}
    missing = [flag for flag in GIVEN[entry] if flag not in options]
    line = next((call.lineno for call in scripts[entry].calls if _adds(call)), 1)
    yield from _missing(entry, line, missing, options, sure=_sure(files, calls))
    for call in scripts[entry].calls:
        if _adds(call):
            yield from _strange(entry, call)


def _adds(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"


def _flags(call: ast.Call) -> list[str]:
    return [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]


def _sure(files: Sequence[Script], calls: Sequence[ast.Call]) -> bool:
    """Whether what was found is all that there is."""
    if any(len(_flags(call)) < len(call.args) for call in calls):
        return False
    if any(script.modules & PARSERS or "HfArgumentParser" in script.imports for script in files):
        return False
    # No parser at all is as sure as a parser that was read whole; one read by hand from sys.argv is neither.
    return bool(calls) or not any(_reads_argv(script) for script in files)


def _reads_argv(script: Script) -> bool:
    names = {node.attr for node in script.nodes if isinstance(node, ast.Attribute)} | set(script.imports)
    return bool(names & {"argv", "ArgumentParser", "getopt"})


def _missing(
    entry: str, line: int, missing: Sequence[str], options: Mapping[str, ast.Call], *, sure: bool
) -> Iterator[Finding]:
    longer = {flag: [name for name in options if name.startswith(flag)] for flag in missing}
    for flag in [flag for flag in missing if len(longer[flag]) == 1]:
        text = f"{entry} takes {flag} only as an abbreviation of {longer[flag][0]}: add {flag} itself."
        yield Finding(entry, options[longer[flag][0]].lineno, "command_line", "warning", text)
    absent = [flag for flag in missing if len(longer[flag]) != 1]
    if absent:
        severity: Severity = "error" if sure else "warning"
        verb = "does not take" if sure else "may not take (its parser cannot be read here)"
        text = f"{entry} {verb} {', '.join(absent)}. The workflow gives it {' '.join(GIVEN[entry])}: add what is missing with add_argument."
        yield Finding(entry, line, "command_line", severity, text)


def _strange(entry: str, call: ast.Call) -> Iterator[Finding]:
    """An argument that the workflow does not give, or gives otherwise."""
    flags, given = _flags(call), {word.arg: word.value for word in call.keywords if word.arg}
    if not flags or len(flags) < len(call.args):
        return
    if not set(flags) & set(GIVEN[entry]):
        optional = flags[0].startswith("-") and not _is(given.get("required"), True)
        free = not flags[0].startswith("-") and (_is(given.get("nargs"), "?") or _is(given.get("nargs"), "*"))
        if not optional and not free and "**" not in _unpacked(call):
            text = (
                f"{entry} requires {flags[0]}, which the workflow does not give it: make it optional, with a default."
            )
            yield Finding(entry, call.lineno, "command_line", "error", text)
    elif "--smoke" in flags and not _unpacked(call):
        action = given.get("action")
        named = (
            action.attr if isinstance(action, ast.Attribute) else getattr(action, "value", getattr(action, "id", ""))
        )
        if named not in SWITCHES and not (_is(given.get("nargs"), "?") or _is(given.get("nargs"), "*")):
            text = "--smoke is given without a value: add action='store_true' to it."
            yield Finding(entry, call.lineno, "command_line", "error", text)


def _unpacked(call: ast.Call) -> str:
    return "**" if any(word.arg is None for word in call.keywords) else ""


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value and type(node.value) is type(value)
