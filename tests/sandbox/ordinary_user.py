"""Running tests as an ordinary user when the test suite runs as root.

Another user may not be able to enter the folder of the interpreter (root's home, often) or of the checkout. So the
tests run in a mount namespace of their own in which every closed folder on the way is an empty open one that holds
the needed parts, read-only; nothing on the disk changes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from trainwright.tools.sandbox.bubblewrap import bwrap_path
from trainwright.tools.sandbox.interpreter import interpreter_roots

__all__ = ["USER", "namespaces_permitted", "run_tests"]

USER = 54_321
ROOT = Path(__file__).resolve().parents[2]
BECOME = (
    "import os, sys; os.setgroups([]); os.setresgid(*[int(sys.argv[1])] * 3); os.setresuid(*[int(sys.argv[1])] * 3)\n"
)
BECOME += "os.execv(sys.argv[2], sys.argv[2:])"
ENVIRONMENT = ("PATH", "LANG", "OMP_NUM_THREADS")


def _view() -> list[str]:
    """Arguments by which bubblewrap makes interpreter and checkout readable for everybody, and all else as it is."""
    needed = [*interpreter_roots(sys.executable), ROOT]
    closed = {
        next(parent for parent in reversed([path, *path.parents]) if parent.stat().st_mode & 0o5 != 0o5)
        for path in needed
        if any(parent.stat().st_mode & 0o5 != 0o5 for parent in (path, *path.parents))
    }
    view = ["--dev-bind", "/", "/"]
    for folder in sorted(closed):
        view += ["--perms", "0755", "--tmpfs", str(folder)]
    for path in needed:
        if any(path.is_relative_to(folder) for folder in closed):
            inner = [p for p in reversed(path.parents) if any(p.is_relative_to(c) and p != c for c in closed)]
            view += [part for folder in inner for part in ("--perms", "0755", "--dir", str(folder))]
            view += ["--ro-bind", str(path), str(path)]
    return view


def run_as_ordinary_user(argv: list[str], place: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command as `USER`, with `place` as its home, which becomes its own."""
    os.chown(place, USER, USER)
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    environment |= {"HOME": str(place), "TRAINWRIGHT_HOME": str(place / "home"), "PYTHONDONTWRITEBYTECODE": "1", **more}
    bwrap = bwrap_path()
    assert bwrap is not None
    become = [sys.executable, "-I", "-c", BECOME, str(USER)]
    return subprocess.run(
        [bwrap, *_view(), "--", *become, *argv],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def namespaces_permitted(place: Path) -> str:
    """Why an ordinary user cannot make namespaces here; empty if it can."""
    bwrap = bwrap_path()
    assert bwrap is not None
    argv = [bwrap, "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "/bin/true"]
    done = run_as_ordinary_user(argv, place)
    return "" if done.returncode == 0 else done.stderr.strip()[-300:] or f"exit code {done.returncode}"


def run_tests(paths: list[str], place: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest over `paths` (relative to the checkout) as an ordinary user; its results lie in `place`/results.xml."""
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-rs", f"--basetemp={place / 'tmp'}"]
    options += [f"--junitxml={place / 'results.xml'}", "-o", "junit_family=xunit2"]
    return run_as_ordinary_user([sys.executable, "-m", "pytest", *options, *paths], place)
