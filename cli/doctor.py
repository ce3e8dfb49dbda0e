"""`trainwright doctor`: what works on this machine, what does not, and the one command that mends it.

Each check is a function that returns one or more findings; a check that fails unexpectedly is a finding itself. What
a run cannot do without is `needed`; the rest only says what is weaker without it. Nothing is changed, but by `--end`.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from trainwright.graph.errors import RequestError
from trainwright.graph.settings import database_path, home

from .screen import Line, Screen, open_screen
from .words import size

__all__ = ["CHECKS", "Finding", "doctor_findings", "end_left_over", "run_doctor"]

DISK_NEEDED = 2**30
"""Bytes that a run should find free: its sandbox, its job and its model."""

SHOWN = 20
"""Things left over that are shown one by one."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        ok: whether it works.
        detail: what was found.
        needed: whether a run is impossible without it.
        mend: the one command, or the one thing to do, that mends it.
    """

    name: str
    ok: bool
    detail: str
    needed: bool = True
    mend: str = ""


def check_python() -> Iterator[Finding]:
    """The interpreter and the platform."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding(
        "python", sys.version_info >= (3, 11), f"{version}, {sys.executable}", mend="Install Python 3.11 or newer."
    )
    linux = sys.platform.startswith("linux")
    yield Finding(
        "platform",
        linux,
        sys.platform if linux else f"{sys.platform}: recipes run, generated code does not",
        needed=False,
        mend="" if linux else "Use Linux for generated code.",
    )


def check_packages() -> Iterator[Finding]:
    """Every package that the installation names: there, new enough, and importable."""
    from .packages import broken_imports, requirements_here

    here = requirements_here()
    wrong = [package for package in here if not package.ok]
    for package in wrong:
        yield Finding(package.name, False, package.detail, mend=install_command(package.requirement))
    failed = broken_imports([package.name for package in here if package.ok])
    for name, error in failed.items():
        again = install_command(name, again=True)
        yield Finding(name, False, f"is installed, but cannot be imported: {error}", mend=again)
    good = len(here) - len(wrong) - len(failed)
    yield Finding(
        "packages",
        not wrong and not failed,
        f"{good} of {len(here)} work",
        mend="" if good == len(here) else "see above",
    )


def install_command(requirement: str, *, again: bool = False) -> str:
    """The command that installs a package into this environment; `trainwright` itself from where it came."""
    from importlib.util import find_spec

    wanted = own_origin() if requirement == "trainwright" else f"'{requirement}'"
    if find_spec("pip") is not None:
        return f"{sys.executable} -m pip install {'--force-reinstall ' if again else ''}{wanted}"
    return f"uv pip install --python {sys.executable} {'--reinstall ' if again else ''}{wanted}"


def own_origin() -> str:
    """What to give to an installer to get this very program again: its folder or its address, else its version."""
    from importlib.metadata import distribution

    ours = distribution("trainwright")
    try:
        record = json.loads(ours.read_text("direct_url.json") or "{}")
    except ValueError:
        record = {}
    if address := record.get("url"):
        editable = "--editable " if (record.get("dir_info") or {}).get("editable") else ""
        return f"{editable}{shlex.quote(str(address).removeprefix('file://'))}"
    return f"trainwright=={ours.version}"


def check_isolation() -> Iterator[Finding]:
    """Whether generated code can be isolated, by doing it."""
    from trainwright.tools.sandbox import probe

    found = probe()
    detail = found.reason if found.reason else "bubblewrap works"
    if not found.available:
        detail = f"{detail}; recipes still run, as plain processes"
    yield Finding("isolation", found.available, detail, needed=False, mend="" if found.available else found.mend)


def check_programs() -> Iterator[Finding]:
    """git, uv and, where there is one, the graphics card."""
    git = _first_line(["git", "--version"])
    yield Finding("git", bool(git), git or "not found", mend="" if git else "sudo apt-get install -y git")
    uv = _uv_path()
    found = _first_line([uv, "--version"]) if uv else ""
    yield Finding(
        "uv",
        bool(found),
        found or "not found: scripts that need other packages than this environment has cannot run",
        needed=False,
        mend="" if found else install_command("uv"),
    )
    gpu = _first_line(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"])
    yield Finding("gpu", True, gpu or "none; the recipes do not need one", needed=False)


def _uv_path() -> str:
    found = shutil.which("uv")
    if found:
        return found
    try:
        from uv import find_uv_bin
    except ImportError:
        return ""
    try:
        return str(find_uv_bin())
    except FileNotFoundError:
        return ""


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True, errors="replace")
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().split("\n")[0][:200]


def check_home() -> Iterator[Finding]:
    """The folder of all runs: can it be written, is there room."""
    folder = home()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    writable = existing.is_dir() and _can_write(existing)
    mend = "" if writable else "export TRAINWRIGHT_HOME=~/trainwright"
    detail = str(folder) if folder.exists() else f"{folder} (made by the first run)"
    yield Finding("home", writable, detail if writable else f"{existing} cannot be written", mend=mend)
    free = shutil.disk_usage(existing).free
    enough = free >= DISK_NEEDED
    detail = f"{size(free)} free at {existing}"
    yield Finding(
        "disk", enough, detail, needed=free < DISK_NEEDED // 10, mend="" if enough else f"du -xh {existing} | sort -h"
    )


def _can_write(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"trainwright")
    except OSError:
        return False
    return True


def check_database() -> Iterator[Finding]:
    """The run database: whole, private, not held by another process for long."""
    path = database_path()
    if not path.exists():
        yield Finding("database", True, "none yet; made by the first run")
        return
    aside = f"mv {path} {path}.damaged"
    try:
        with closing(sqlite3.connect(path, timeout=3)) as connection:
            verdict = str(connection.execute("PRAGMA quick_check").fetchone()[0])
            count = _count(connection)
    except sqlite3.Error as error:
        locked = "locked" in str(error)
        yield Finding("database", False, f"{path}: {error}", mend=f"fuser -v {path}" if locked else aside)
        return
    if verdict != "ok":
        yield Finding("database", False, f"{path}: {verdict[:200]}", mend=aside)
        return
    yield Finding("database", True, f"{path}, {size(path.stat().st_size)}, {count} runs")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            "privacy", False, f"{path} can be read by others ({mode:04o})", needed=False, mend=f"chmod 600 {path}"
        )


def _count(connection: sqlite3.Connection) -> int:
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name='runs'").fetchone()
    return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0]) if there else 0


def check_recipes() -> Iterator[Finding]:
    """The recipes and the example that come with the installation."""
    from importlib.resources import files

    from trainwright.recipes.catalog import load_catalog

    count = len(load_catalog())
    yield Finding(
        "recipes", count > 0, f"{count} recipes", mend=install_command("trainwright", again=True) if not count else ""
    )
    example = (files("trainwright.examples") / "digits_svm.pdf").is_file()
    yield Finding(
        "example",
        example,
        "`trainwright demo` can run" if example else "the example paper is missing; `trainwright demo` cannot run",
        needed=False,
        mend="" if example else install_command("trainwright", again=True),
    )


def check_left_overs() -> Iterator[Finding]:
    """What crashed runs left behind; ended by `doctor --end` alone."""
    from .leftovers import left_overs

    found = left_overs()
    if not found:
        yield Finding("left over", True, "nothing", needed=False)
    for one in found[:SHOWN]:
        command = f"trainwright doctor --end {one.run}" if one.run and one.needs_name else "trainwright doctor --end"
        yield Finding("left over", False, one.about, needed=False, mend=command if one.end is not None else "")
    if len(found) > SHOWN:
        yield Finding("left over", False, f"{len(found) - SHOWN} more", needed=False, mend="trainwright doctor --end")


def check_network() -> Iterator[Finding]:
    """Whether arXiv and the Hub can be reached; nothing else needs a network."""
    import socket
    from urllib.request import getproxies

    if getproxies().get("https"):
        yield Finding("network", True, "through a proxy; only arXiv papers and Hub data need it", needed=False)
        return
    try:
        with socket.create_connection(("arxiv.org", 443), timeout=2):
            detail = "arxiv.org answers"
    except OSError:
        detail = "offline, which is fine; only arXiv papers and Hub data need a network"
    yield Finding("network", True, detail, needed=False)


def check_models() -> Iterator[Finding]:
    """Which providers of models have a key here; the built-in engineer needs none. No key is shown or tried."""
    from trainwright.engineers.providers import KEYS, OWN_KEY, key_missing

    there = [provider for provider in KEYS if not key_missing(f"{provider}/model")]
    own = f"; {OWN_KEY} is set, for --base-url" if os.environ.get(OWN_KEY) else ""
    detail = (
        f"a key is there for {', '.join(there)}" if there else "no key for any provider; the built-in one needs none"
    )
    yield Finding("models", True, f"{detail}{own}", needed=False)


def check_configuration() -> Iterator[Finding]:
    """The configuration file, and whether notices can go where it says; nothing is sent."""
    from trainwright.graph.configuration import load_configuration
    from trainwright.graph.errors import RequestError

    from .configuring import unusable_addresses

    try:
        configured = load_configuration()
    except RequestError as error:
        yield Finding("configuration", False, error.message, mend=error.hint)
        return
    there = configured.path.exists()
    detail = str(configured.path) if there else f"{configured.path} (none: all is built in)"
    yield Finding("configuration", True, detail)
    wrong = unusable_addresses(configured)
    count = len(configured.notify.urls)
    detail = wrong[0] if wrong else f"to {count} addresses" if count else "none is configured"
    yield Finding("notices", wrong is None, detail, needed=False, mend=wrong[1] if wrong else "")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_python,
    check_packages,
    check_programs,
    check_isolation,
    check_home,
    check_configuration,
    check_database,
    check_recipes,
    check_left_overs,
    check_models,
    check_network,
)


def doctor_findings() -> Iterator[Finding]:
    """Every finding, one check after the other."""
    for check in CHECKS:
        try:
            yield from check()
        except Exception as error:  # noqa: BLE001 - a check that breaks is what a doctor is for
            name = check.__name__.removeprefix("check_")
            problem = f"could not be checked: {type(error).__name__}: {str(error)[:300]}"
            lacks = isinstance(error, ImportError)
            yield Finding(name, False, problem, mend=install_command("trainwright", again=True) if lacks else "")


def run_doctor(names: Sequence[str] = (), *, as_json: bool) -> int:
    """Print every finding; 0 when runs are possible, 1 when not.

    Raises:
        RequestError: runs are named, which only `--end` takes.
    """
    if names:
        raise RequestError(
            "Names of runs go with --end; nothing was ended.", hint=f"`trainwright doctor --end {' '.join(names)}`"
        )
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    possible = True
    screen = None if as_json else open_screen(interactive=False)
    for finding in doctor_findings():
        possible = possible and (finding.ok or not finding.needed)
        if screen is None:
            from .jsonlines import json_lines

            json_lines().write(asdict(finding))
        else:
            screen.show(finding_lines(finding, screen))
    if screen is not None:
        verdict = "Runs are possible here." if possible else "Runs are NOT possible here; mend what is marked problem."
        screen.show([Line(""), Line(verdict, "good" if possible else "bad")])
    return 0 if possible else 1


def end_left_over(names: Sequence[str], *, as_json: bool) -> int:
    """End what crashed runs left behind: of the named runs, or of all that have ended. 0 when all of it is gone.

    Raises:
        RunNotFound: there is no such run, and nothing of it.
    """
    from .leftovers import end_left_overs

    screen = None if as_json else open_screen(interactive=False)
    done = []
    for one, what, gone in end_left_overs(names):
        done.append(gone)
        if screen is None:
            from .jsonlines import json_lines

            about = {"kind": one.kind, "run": one.run, "about": one.about, "gone": gone, "done": what}
            json_lines().write({"event": "ended", **about})
        else:
            screen.show([Line(one.about, "" if gone else "bad"), Line(what, label="done" if gone else "not", indent=2)])
    if screen is not None and not done:
        screen.show([Line("Nothing is left over that could be ended; what belongs to a run needs its name.")])
    return 0 if all(done) else 1


def finding_lines(finding: Finding, screen: Screen) -> list[Line]:
    """A finding as lines: mark, name, detail, and how to mend it."""
    word = "ok     " if finding.ok else "problem" if finding.needed else "note   "
    role = "" if finding.ok else "bad" if finding.needed else "warn"
    lines = [Line(f"{word} {finding.name:<15} {finding.detail}", role)]  # type: ignore[arg-type]
    if not finding.ok and finding.mend:
        lines.append(Line(finding.mend, label="mend", indent=8))
    return lines
