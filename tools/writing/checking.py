"""The checks that the code of an attempt gets before anything of it runs, as one list of findings.

What is found here is found in seconds and all at once, where a run stops at the first mistake. It replaces no run: that
shapes fit, columns exist and methods take what they are given, only the smoke run tells.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainwright.graph.errors import ContractError
from trainwright.tools import code as code_folder

from .command_line import command_line
from .findings import Finding, sorted_findings
from .habits import habits
from .lookups import look_up, sibling_findings
from .names import undefined_names
from .scripts import ENTRIES, Script, parse, reached
from .uses import Site, uses_of

__all__ = ["RESERVED", "check_script"]

RESERVED = frozenset({"README.md", "provenance.json", "reproduce.sh", "requirements.txt", "model", ".eval_results"})
"""Names that the published package uses itself; see docs/script-contract.md."""

IGNORED = frozenset({".git", "__pycache__"})


def check_script(
    code: Path, *, mask: Sequence[Path] = (), cancelled: Callable[[], bool] | None = None
) -> list[Finding]:
    """Everything that can be found in a code folder without running it, sorted by file and line.

    Imports, attributes and keyword arguments are looked up in the sandbox, under the interpreter that will run the
    scripts; where a header asks for packages that the present one lacks, its environment is built first (see
    `interpreter_for`), which may take minutes. Without a sandbox they are left out, and a finding says so.

    Args:
        code: the folder with `train.py`, `predict.py` and their siblings.
        mask, cancelled: as for `run_sandboxed`.
    """
    files = code_folder.files_of(code) if code.is_dir() else {}
    findings = [*_entries(code, files)]
    headers = dict[str, list[str]]()
    other_python = False
    for name in (name for name in ENTRIES if name in files):
        header, found = _header(name, files[name])
        findings += found
        if header is None:
            continue
        headers[name] = list(header.get("dependencies", ()))
        other_python |= not _reads_like_ours(str(header.get("requires-python", "")))
    scripts = dict[str, Script]()
    for name, content in files.items():
        if name.endswith(".py"):
            parsed = parse(name, content)
            if isinstance(parsed, Script):
                scripts[name] = parsed
            else:
                findings.append(_softened(parsed) if other_python else parsed)
    findings += _static(scripts, headers)
    sites = list[Site]()
    for script in scripts.values():
        uses = uses_of(script)
        findings += uses.findings
        sites += uses.sites
    findings += sibling_findings(scripts, sites)
    foreign = [site for site in sites if f"{site.top}.py" not in files]
    findings += look_up(code, scripts, foreign, list(headers), mask, cancelled)
    return sorted_findings(findings)


def _static(scripts: Mapping[str, Script], headers: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """What each script's own tree tells."""
    users: dict[str, list[str]] = {name: [] for name in scripts}
    for entry in (name for name in ENTRIES if name in scripts):
        yield from command_line(entry, scripts)
        files = reached(entry, scripts)
        for script in files:
            users[script.name] += headers.get(entry, ())
        if entry == "train.py" and not any("metrics.jsonl" in str(text.value) for s in files for text in s.texts):
            message = "train.py must append at least one JSON object to OUT/metrics.jsonl while it works, and never names that file."
            yield Finding(entry, 1, "metrics", "warning", message)
    for name, script in scripts.items():
        yield from undefined_names(script)
        yield from habits(script, users[name])


def _entries(code: Path, files: Mapping[str, bytes]) -> Iterator[Finding]:
    """What the names in the folder tell."""
    for name in ENTRIES:
        if name not in files:
            text = f"There is no {name} in the code folder, and both train.py and predict.py are needed: write it."
            yield Finding(name, 1, "missing", "error", text)
    for path in sorted(code.iterdir()) if code.is_dir() else ():
        if path.name in RESERVED:
            text = f"{path.name} is a name that the published package uses itself: give the file another one."
            yield Finding(path.name, 1, "file_name", "error", text)
        elif path.name not in IGNORED and not stat.S_ISREG(path.lstat().st_mode):
            text = f"{path.name} is a folder or a link, and only plain files count as code: put it into a file."
            yield Finding(path.name, 1, "file_name", "warning", text)
        elif path.name not in IGNORED and not code_folder.NAME.fullmatch(path.name):
            text = f"{path.name[:80]!r} is not a plain file name: use letters, digits, _ and -."
            yield Finding(path.name, 1, "file_name", "error", text)
        elif path.suffix == ".py" and path.stem in sys.stdlib_module_names:
            text = f"{path.name} hides Python's own module {path.stem} from every package: give it another name."
            yield Finding(path.name, 1, "file_name", "warning", text)


def _header(name: str, content: bytes) -> tuple[dict[str, Any] | None, list[Finding]]:
    example = 'with requires-python = ">=3.11" and dependencies = [...], each line after "# ", between "# /// script" and "# ///"'
    try:
        header = code_folder.parse_header(content, name)
    except ContractError as error:
        return None, [Finding(name, 1, "header", "error", f"{error.message} Write it {example}.")]
    if header:
        return header, []
    return {}, [
        Finding(name, 1, "header", "error", f"{name} has no PEP 723 header that can be read. Begin it {example}.")
    ]


def _reads_like_ours(wanted: str) -> bool:
    """Whether the Python that will run the script may be the running one, and so has its syntax."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(wanted).contains(".".join(map(str, sys.version_info[:3])), prereleases=True)
    except InvalidSpecifier:
        return True


def _softened(finding: Finding) -> Finding:
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Finding(
        finding.file,
        finding.line,
        finding.kind,
        "warning",
        f"As Python {ours} reads it, which is not asked for: {finding.message}",
    )
