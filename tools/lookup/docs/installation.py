"""What a library that is really installed has, where scripts will run: signature, keywords, docstring, members.

No network is used. Importing a package runs its code, so everything is looked up in the sandbox, under the interpreter that
`interpreter_for` chooses for the run's script; outside a run that is the interpreter of this program.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

from trainwright.graph.errors import ContractError, RemoteUnavailable, RequestError
from trainwright.graph.ownership import temporary_folder
from trainwright.graph.settings import home
from trainwright.tools.http import is_offline
from trainwright.tools.http.situation import check_stopped
from trainwright.tools.lookup.found import Source, part_of, parts_of
from trainwright.tools.sandbox import (
    Limits,
    Mount,
    SandboxResult,
    header_of,
    interpreter_for,
    json_rows,
    read_plain,
    run_sandboxed,
)

from .records import Installed, Keyword, Member

__all__ = ["installed", "installed_under", "running_code"]

SECONDS = 120.0
"""Large libraries take a minute to import from a cold disk."""

DISK_BYTES = 16 * 2**20
SIGNATURE = 3_000
"""Characters of a signature; whether a keyword is there is told by `keywords`."""

PART = 6_000
"""Characters of a docstring in one answer."""

MEMBERS = 60


class _Run(NamedTuple):
    script: Path
    mask: Callable[[], Sequence[Path]]


_run: ContextVar[_Run | None] = ContextVar("code_of_the_run", default=None)


@contextmanager
def running_code(script: Path, mask: Callable[[], Sequence[Path]]) -> Iterator[None]:
    """Look things up where this script will run, inside the block.

    Args:
        script: its header says which packages it needs; it need not be there yet.
        mask: places of this machine that must not be seen.
    """
    before = _run.set(_Run(script, mask))
    try:
        yield
    finally:
        _run.reset(before)


def installed(name: str, keywords: Sequence[str] = (), part: int = 1) -> Installed:
    """An object of an installed library, where the code of this run, or this program, will run.

    Args:
        name: dotted, from the module on, such as `sklearn.ensemble.RandomForestClassifier`.
        keywords: names of arguments of which it is told whether they exist.
        part: long docstrings come in parts.

    Raises:
        RequestError: that can be no name.
        SandboxUnavailable: this machine cannot isolate code, so nothing was imported.
    """
    run, notes = _run.get(), []
    python = [sys.executable]
    if run and run.script.is_file():
        try:
            python = _python_of(run.script)
        except ContractError as error:
            notes.append(f"{error.message} What is installed with this program was looked at instead.")
    found = _look_up(name, keywords, part, python, run.mask() if run else (home(),))
    found.notes[:0] = notes
    return found


def installed_under(name: str, python: str, keywords: Sequence[str] = (), part: int = 1) -> Installed:
    """The same with an interpreter of this machine, or with the one that a script's header asks for.

    Args:
        name, keywords, part: as for `installed`.
        python: path of an interpreter, or of a script that ends with .py.

    Raises:
        RequestError: there is no such interpreter or script.
        ContractError: the script's header cannot be read, or its environment cannot be built here.
        SandboxUnavailable: this machine cannot isolate code, so nothing was imported.
    """
    place = Path(python).expanduser()
    if place.suffix == ".py":
        if not place.is_file():
            raise RequestError(f"There is no script {python}.")
        return _look_up(name, keywords, part, _python_of(place), (home(),))
    path = shutil.which(str(place))
    if path is None:
        raise RequestError(
            f"{python} is no interpreter of this machine.", hint="Give the path of a python or a script."
        )
    return _look_up(name, keywords, part, [os.path.abspath(path)], (home(),))  # noqa: PTH100  # a link must stay one


def _python_of(script: Path) -> list[str]:
    from trainwright.tools.sandbox.interpreter import satisfied

    if is_offline() and not satisfied(header_of(script)):
        raise ContractError("environment", f"The packages that {script.name} names cannot be installed offline.")
    return interpreter_for(script)


def _look_up(name: str, keywords: Sequence[str], part: int, python: Sequence[str], mask: Sequence[Path]) -> Installed:
    if not re.fullmatch(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*", name):
        raise RequestError(f"{name[:80]!r} is no dotted name.", hint="Such as sklearn.svm.SVC.")
    wanted = {"name": name, "keywords": list(dict.fromkeys(keywords))[:50], "members": MEMBERS}
    rows, result = _asked(wanted, python, mask)
    if result.ended == "cancelled":
        raise RemoteUnavailable("The lookup was stopped before it was done.")
    return _read(name, rows, result, part)


def _asked(wanted: Mapping[str, Any], python: Sequence[str], mask: Sequence[Path]) -> tuple[list[Any], SandboxResult]:
    from trainwright.tools.writing import probe

    with temporary_folder("inspect") as place:
        # Copies: what is shown in the sandbox is made readable for everybody.
        inside, out = place / "inspect", place / "out"
        inside.mkdir()
        out.mkdir()
        (inside / "probe.py").write_bytes(Path(probe.__file__).read_bytes())
        (inside / "inspector.py").write_bytes(Path(__file__).with_name("inspector.py").read_bytes())
        (inside / "wanted.json").write_text(json.dumps(wanted), encoding="utf-8")
        result = run_sandboxed(
            [
                *python, "-I", "/inspect/inspector.py", "/inspect/probe.py", "/inspect/wanted.json", "/out/answers.jsonl",
            ],
            mounts=[Mount(inside, "/inspect"), Mount(out, "/out", writable=True)],
            cwd="/out",
            limits=Limits(wall_seconds=SECONDS, cpu_seconds=2 * SECONDS, disk_bytes=DISK_BYTES),
            mask=mask,
            cancelled=_stopped,
        )  # fmt: skip
        return list(json_rows(read_plain(out / "answers.jsonl", limit=DISK_BYTES))), result


def _stopped() -> bool:
    try:
        check_stopped()
    except RemoteUnavailable:
        return True
    return False


def _read(name: str, rows: Sequence[Mapping[str, Any]], result: SandboxResult, part: int) -> Installed:
    where = next((row for row in rows if "python" in row), {})
    row = next((row for row in rows if "problem" in row), None)
    found = Installed(
        name=name, python=_text(where.get("python")), distribution=_text(where.get("distribution")),
        version=_text(where.get("version")), sources=[Source(name="the installation where scripts run")],
    )  # fmt: skip
    if row is None:
        last = result.stderr.strip().rsplit("\n", 1)[-1]
        how = result.message or last or f"exit code {result.exit_code}"
        module = next((_text(row["importing"]) for row in rows if "importing" in row), "")
        found.problem = "broken"
        found.notes.append(
            f"{name} could not be looked up{f', while {module} was imported' if module else ''}: {how[:300]}"
        )
        return found
    if row["problem"]:
        return _missing(found, row)
    return _filled(found, row, part)


def _missing(found: Installed, row: Mapping[str, Any]) -> Installed:
    text, found.problem = _text(row.get("text"), 400), _text(row["problem"])
    found.close = [_text(name) for name in row.get("near") or ()][:10]
    told = {
        "module": f"There is no module {text} where scripts run.",
        "attribute": f"There is no {text} in what is installed.",
        "broken": f"It cannot be imported: {text}",
        "lazy": f"Getting it fails: {text}",
        "unknown": f"What {text} is, only running more code would tell.",
    }
    found.notes.append(told.get(found.problem, text))
    return found


def _filled(found: Installed, row: Mapping[str, Any], part: int) -> Installed:
    found.kind, signature = _text(row.get("kind")), _text(row.get("signature"), 50_000)
    found.signature = signature[:SIGNATURE]
    if len(signature) > SIGNATURE:
        found.notes.append(
            f"The signature goes on for {len(signature) - SIGNATURE:,} characters; `keywords` tells whether a name is in it."
        )
    text = _text(row.get("documentation"), 250_000)
    parts = parts_of(text, PART)
    found.part, found.parts = part, len(parts)
    found.documentation = part_of(parts, part, f"the docstring of {found.name}")
    found.keywords = [
        Keyword(
            name=_text(one.get("name")), exists=one.get("exists"), default=_text(one.get("default")),
            close=[_text(name) for name in one.get("close") or ()],
        )
        for one in row.get("keywords") or ()
    ]  # fmt: skip
    if part == 1:
        found.members = [
            Member(**{key: _text(one.get(key)) for key in ("name", "kind", "about")}) for one in row["members"]
        ]
        if row["count"] > len(found.members):
            found.notes.append(f"The first {len(found.members)} of {row['count']:,} members are listed.")
    return found


def _text(value: Any, most: int = 200) -> str:
    return value[:most] if isinstance(value, str) else ""
