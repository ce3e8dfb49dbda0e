"""Imports, attributes and keyword arguments of the scripts, held against what there is where they will run.

Siblings in the code folder are judged by their syntax trees; everything else by the installation of the interpreter
that `interpreter_for` chooses for `train.py` or `predict.py`. Methods of objects are not checked: what type an object
has, only running tells.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trainwright.graph.errors import ContractError
from trainwright.tools.sandbox import header_of, interpreter_for, probe

from .findings import Finding
from .installation import Answers, Wanted, ask
from .scripts import Script, reached
from .uses import Site

__all__ = ["look_up", "sibling_findings"]


@dataclass
class _Run:
    """What runs under one interpreter: its sites, and for each of its entry scripts the header and the files."""

    python: tuple[str, ...]
    sites: dict[Site, None] = field(default_factory=dict)
    headers: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, set[str]] = field(default_factory=dict)


def sibling_findings(scripts: Mapping[str, Script], sites: Sequence[Site]) -> Iterator[Finding]:
    """What is taken from a sibling that does not have it."""
    for site in sites:
        script = scripts.get(f"{site.top}.py")
        if script is None:
            continue
        if "." in site.target.module:
            text = f"{script.name} is a file, so there is no module {site.target.module}: write it without the dot."
            yield Finding(site.file, site.line, "import", site.severity, text)
            continue
        name = site.target.path.partition(".")[0]
        if not name or script.offered is None or name in script.offered:
            continue
        near = difflib.get_close_matches(name, script.offered, 3)
        kind = "import" if site.kind == "import" else "attribute"
        text = f"{script.name} has no {name}: define it there, or {_correct(near)}."
        yield Finding(site.file, site.line, kind, site.severity, text)


def look_up(
    code: Path,
    scripts: Mapping[str, Script],
    sites: Sequence[Site],
    entries: Sequence[str],
    mask: Sequence[Path],
    cancelled: Callable[[], bool] | None,
) -> Iterator[Finding]:
    """What the scripts take from installed packages that do not have it, or that no header names.

    Args:
        code: the folder; its files are the keys of `scripts`, those left out that cannot be parsed.
        sites: what all scripts take from anything but siblings.
        entries: which of `train.py` and `predict.py` have a header that can be read, or none.
    """
    capability = probe()
    if sites and not capability.available:
        text = f"Imports and keyword arguments were not looked up, since nothing here isolates code. {capability.mend}"
        yield Finding(sites[0].file, 1, "lookup", "warning", text)
        return
    runs = dict[tuple[str, ...], _Run]()
    for entry in (name for name in entries if name in scripts):
        try:
            python, header = tuple(interpreter_for(code / entry)), header_of(code / entry)
        except ContractError as error:
            yield Finding(entry, 1, "header", "error", str(error))
            continue
        run = runs.setdefault(python, _Run(python))
        files = {script.name for script in reached(entry, scripts)}
        run.headers[entry], run.files[entry] = list(header.get("dependencies", [])), files
        run.sites |= dict.fromkeys(site for site in sites if site.file in files)
    for run in runs.values():
        if run.sites:
            yield from _of_run(run, mask, cancelled)


def _of_run(run: _Run, mask: Sequence[Path], cancelled: Callable[[], bool] | None) -> Iterator[Finding]:
    wanted = list(dict.fromkeys(_wanted(site) for site in run.sites))
    answers = ask(run.python, wanted, run.headers, mask, cancelled)
    for site in run.sites:
        yield from _of_site(site, answers.problems.get(_wanted(site), {}), next(iter(run.headers)))
    for entry in run.headers:
        yield from _not_named(run, entry, answers)
    if answers.trouble:
        text = f"Not all imports and keyword arguments could be looked up: {answers.trouble}."
        yield Finding(next(iter(run.headers)), 1, "lookup", "warning", text)


def _wanted(site: Site) -> Wanted:
    return site.target.module, site.target.path, site.keywords


def _of_site(site: Site, answer: Mapping[str, object], entry: str) -> Iterator[Finding]:
    """A finding for what the probe answered; an import that fails is one of the import, not of each use."""
    problem, text, near = answer.get("problem", ""), str(answer.get("text", "")), answer.get("near")
    names = [str(name) for name in near] if isinstance(near, list) else []
    whole = ".".join(filter(None, site.target))
    if problem == "module" and site.kind == "import":
        other = f", or {_correct(names)}" if names else ""
        inner = "." in text
        mend = "Use another name" if inner else f"Name its package in the header of {entry}, do without it"
        message = f"There is no module {text} where {entry} runs. {mend}{other}."
        yield Finding(site.file, site.line, "import", site.severity, message)
    elif problem == "lazy" or (problem == "broken" and site.kind == "import"):
        kind = "import" if site.kind == "import" else "attribute"
        verb = "imported" if site.kind == "import" else "had"
        message = f"{whole} cannot be {verb} where {entry} runs: {text.rstrip('.')}. Do without it."
        yield Finding(site.file, site.line, kind, site.severity, message)
    elif problem == "attribute":
        kind = "import" if site.kind == "import" else "attribute"
        yield Finding(site.file, site.line, kind, site.severity, f"There is no {text} as installed: {_correct(names)}.")
    elif problem == "keyword":
        bad = answer.get("bad")
        listed = ", ".join(str(name) for name in bad) if isinstance(bad, list) else ""
        mend = _correct(names) if names else f"it takes {text}" if text else "it takes no keywords"
        verb = "does not take" if answer.get("sure") else "does, by its signature, not take"
        message = f"{whole}, as installed, {verb} {listed}: {mend}."
        yield Finding(site.file, site.line, "keyword", site.severity if answer.get("sure") else "warning", message)


def _correct(near: Sequence[str]) -> str:
    return f"perhaps {' or '.join(dict.fromkeys(near))} is meant" if near else "read what there is, and use that"


def _not_named(run: _Run, entry: str, answers: Answers) -> Iterator[Finding]:
    """Modules that happen to be there, although nothing in the header asks for them."""
    covered, told = set(answers.covered.get(entry, ())), set[str]()
    for site in run.sites:
        providers = answers.modules.get(site.top)
        if site.kind != "import" or site.file not in run.files[entry] or site.top in told or not providers:
            continue
        if not covered & {_normal(name) for name in providers}:
            told.add(site.top)
            text = f"{site.top} is installed here, but {providers[0]} is not among the dependencies: name it in the header of {entry}."
            yield Finding(site.file, site.line, "dependency", "warning", text)


def _normal(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)
