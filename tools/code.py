"""The code of a run: a git repository in its folder, in which every edit is a commit.

The identity of a bundle is a hash over its files, not the commit, so that guards compare what would run. User and
system git configuration and hooks are not used. This module runs no code of the bundle.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trainwright.graph.errors import ContractError

__all__ = [
    "bundle_sha256",
    "check_file_names",
    "checkout",
    "commit",
    "copy_files",
    "dependencies",
    "diff",
    "files_of",
    "git",
    "parse_header",
    "remove_locks",
    "write_files",
]

LOCK_SECONDS = 3.0
"""How long a git that lost its parent may hold a repository before it is taken to be gone."""

GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "GIT_AUTHOR_NAME": "Trainwright",
    "GIT_AUTHOR_EMAIL": "trainwright@localhost",
    "GIT_COMMITTER_NAME": "Trainwright",
    "GIT_COMMITTER_EMAIL": "trainwright@localhost",
}
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
HEADER = re.compile(r"(?m)^# /// script$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder` without the user's configuration; its standard output.

    Raises:
        ContractError: git is missing or failed.
    """
    return _git(folder, *arguments).decode(errors="replace")


def _git(folder: Path, *arguments: str) -> bytes:
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("GIT_")}, **GIT_ENVIRONMENT}
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "init.defaultBranch=main", "-c", "safe.directory=*"]
    command += ["-c", "core.quotePath=false", "-c", "core.autocrlf=false", "-c", "gc.auto=0"]
    try:
        done = subprocess.run([*command, *arguments], cwd=folder, env=environment, capture_output=True, check=False)
        if done.returncode and b"lock" in done.stderr:
            _wait_for_locks(folder)
            done = subprocess.run([*command, *arguments], cwd=folder, env=environment, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise ContractError(
            "no_git", "git is not installed.", hint="Install git; `trainwright doctor` checks it."
        ) from error
    if done.returncode:
        tail = done.stderr.decode(errors="replace").strip()[-500:]
        raise ContractError("git", f"git {arguments[0]} failed in {folder.name}: {tail}")
    return done.stdout


def _wait_for_locks(folder: Path) -> None:
    """Give a git whose parent was killed the time to end, and remove the locks that nobody holds after it."""
    deadline = time.monotonic() + LOCK_SECONDS
    while _locks(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    remove_locks(folder)


def check_file_names(names: Iterable[str]) -> None:
    """Refuse what cannot name a file of the code folder.

    Raises:
        ContractError: a name is not a plain file name.
    """
    for name in names:
        if not NAME.fullmatch(name):
            raise ContractError(
                "file_name", f"{name[:80]!r} is not a plain file name.", hint="Use letters, digits, _ and -."
            )


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `files` the whole content of the code folder (the repository is kept).

    Raises:
        ContractError: a name is not a plain file name.
    """
    check_file_names(files)
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")  # completes a repository that a kill left half made; otherwise does nothing
    for path in folder.iterdir():
        if path.name not in files and path.name != ".git" and (path.is_file() or path.is_symlink()):
            path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def copy_files(files: Mapping[str, bytes], into: Path) -> None:
    """Make `files` the whole content of a folder that is no repository; it is made if it is not there."""
    import shutil

    if into.is_dir():
        shutil.rmtree(into)
    into.mkdir(parents=True)
    for name, content in files.items():
        (into / name).write_bytes(content)


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of the code folder by name, sorted; links and folders are left out."""
    plain = (path for path in sorted(folder.iterdir()) if path.is_file() and not path.is_symlink())
    return {path.name: path.read_bytes() for path in plain}


def bundle_sha256(files: Mapping[str, bytes]) -> tuple[dict[str, str], str]:
    """The sha256 of each file, and of the sorted `name sha256` lines."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    lines = "".join(f"{name} {digest}\n" for name, digest in digests.items())
    return digests, hashlib.sha256(lines.encode()).hexdigest()


def commit(folder: Path, message: str) -> str:
    """Commit what is in the folder; the commit's id. Nothing changed: the present one.

    The folder has one writer, so a lock file in it was left by a git that was killed.
    """
    remove_locks(folder)
    git(folder, "add", "--all")
    if git(folder, "status", "--porcelain").strip() or not _has_commit(folder):
        git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD").strip()


def remove_locks(folder: Path) -> None:
    """Remove lock files that a killed git left in a repository; the caller is its only writer."""
    for lock in _locks(folder):
        lock.unlink(missing_ok=True)


def _locks(folder: Path) -> list[Path]:
    places = [folder / ".git", folder / ".git" / "refs" / "heads"]
    return [path for place in places for path in place.glob("*.lock")]


def _has_commit(folder: Path) -> bool:
    return bool(git(folder, "rev-list", "--all", "--max-count=1").strip())


def checkout(folder: Path, commit_id: str, into: Path) -> None:
    """Make the files of a commit the whole content of `into`, which is made if it is not there.

    Raises:
        ContractError: there is no such commit.
    """
    names = git(folder, "ls-tree", "--name-only", "-z", commit_id).split("\0")
    into.mkdir(parents=True, exist_ok=True)
    for path in into.iterdir():
        if path.name not in names and (path.is_file() or path.is_symlink()):
            path.unlink()
    for name in filter(None, names):
        (into / name).write_bytes(_git(folder, "cat-file", "blob", f"{commit_id}:{name}"))


def before(folder: Path, commit_id: str) -> str:
    """The commit before this one; empty if it is the first."""
    return git(folder, "rev-list", "--max-count=1", "--skip=1", commit_id).strip()


def diff(folder: Path, old: str, new: str, limit: int = 8_000) -> str:
    """The difference between two commits, cut after `limit` characters; of the first one, a summary of its files.

    The text is part of what an approval binds to, so it depends on the commits alone: not on the width of a terminal,
    nor on a language.
    """
    summary = ("show", "--no-color", "--stat=100", "--format=", new)
    text = git(folder, "diff", "--no-color", old, new) if old else git(folder, *summary)
    return text if len(text) <= limit else text[:limit] + f"\n… {len(text) - limit} characters more"


def parse_header(content: bytes, name: str) -> dict[str, Any]:
    """The PEP 723 header of a script: `requires-python` (str) and `dependencies` (list of str); empty without one.

    Raises:
        ContractError: kind `header`; it is not valid TOML, or its values are of another type.
    """
    match = HEADER.search(content.decode(errors="replace").replace("\r\n", "\n"))
    if match is None:
        return {}
    lines = (line[2:] if line.startswith("# ") else line[1:] for line in match["content"].splitlines())
    try:
        header = tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        raise ContractError("header", f"The PEP 723 header of {name} is not valid TOML: {error}.") from error
    needs = header.get("dependencies", [])
    if not (isinstance(needs, list) and all(isinstance(need, str) for need in needs)):
        raise ContractError("header", f"The dependencies in the PEP 723 header of {name} are no list of texts.")
    if not isinstance(header.get("requires-python", ""), str):
        raise ContractError("header", f"requires-python in the PEP 723 header of {name} is no text.")
    return header


def dependencies(files: Mapping[str, bytes]) -> list[str]:
    """What the PEP 723 headers of the scripts name, sorted, each once.

    Raises:
        ContractError: a header cannot be read.
    """
    scripts = (parse_header(content, name) for name, content in files.items() if name.endswith(".py"))
    return sorted({need for header in scripts for need in header.get("dependencies", [])})
