"""The local hub: a folder of git repositories, one a published model, laid out like repositories of the Hub.

A publication is a commit whose message carries its key, so it can be found and is never made twice. A new model is
built in a sibling folder and renamed into place whole; a later one under the same name is a commit on top. A kill at
any moment leaves either nothing or something that the next call completes.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainwright.graph.errors import PublicationError
from trainwright.tools.code import git, remove_locks

from .contents import check_names

__all__ = ["LocalHub", "Published", "check_model_name"]

NAME = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,94}/)?[A-Za-z0-9][\w.-]{0,94}")
TRAILER = "Trainwright-Key"


@dataclass(frozen=True)
class Published:
    """A published model.

    Attributes:
        name: owner/name or name.
        location: absolute path of the repository.
        revision: commit.
        files: sorted paths in the repository.
    """

    name: str
    location: str
    revision: str
    files: tuple[str, ...]


def check_model_name(name: str) -> None:
    """Refuse what cannot name a model.

    Raises:
        PublicationError: with the rule.
    """
    if not NAME.fullmatch(name) or ".." in name or name.endswith((".git", ".", "-")):
        raise PublicationError(
            f"{name[:100]!r} cannot name a model.",
            hint="Use name or owner/name: letters, digits, dots, hyphens, underscores; begin with a letter or digit.",
        )


class LocalHub:
    """The hub in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Every published model, sorted."""
        if not self.root.is_dir():
            return []
        found = [path.parent for pattern in ("*/.git", "*/*/.git") for path in self.root.glob(pattern)]
        return sorted(str(path.relative_to(self.root)) for path in found if not path.name.startswith("."))

    def find(self, key: str, name: str) -> Published | None:
        """The publication of that key under that name, or None if there is certainly none."""
        check_model_name(name)
        folder = self.root / name
        if not (folder / ".git").is_dir() or not git(folder, "rev-list", "--all", "--max-count=1").strip():
            return None
        revision = git(folder, "log", "--fixed-strings", f"--grep={TRAILER}: {key}", "--format=%H", "-1").strip()
        if not revision:
            return None
        files = tuple(filter(None, git(folder, "ls-tree", "-r", "--name-only", "-z", revision).split("\0")))
        return Published(name, str(folder), revision, files)

    def check_free(self, name: str) -> None:
        """Make sure that a model can go to that name: as a new one, or as a new version of the one that is there.

        Raises:
            PublicationError: it cannot name a model, or something else is there.
        """
        check_model_name(name)
        folder = self.root / name
        if "/" in name and (folder.parent / ".git").is_dir():
            raise PublicationError(
                f"{name} would lie inside the published model {folder.parent.name}.", hint="Choose another name."
            )
        if folder.exists() and not (folder / ".git").is_dir():
            raise PublicationError(f"{folder} is there and is no published model.", hint="Choose another name.")

    def version_before(self, key: str, name: str) -> str:
        """The commit that a publication of that key goes, or went, on top of; empty where it is the first."""
        folder, found = self.root / name, self.find(key, name)
        if found is not None:
            return git(folder, "rev-list", "--max-count=1", "--skip=1", found.revision).strip()
        return git(folder, "rev-list", "--all", "--max-count=1").strip() if (folder / ".git").is_dir() else ""

    def publish(self, key: str, package: Path, name: str, message: str) -> Published:
        """Publish the files of `package` under a key; a key that was published before is only found.

        Raises:
            PublicationError: the name cannot be used, the folder is occupied by something else, or the package holds
                a link or a name that no repository should have.
        """
        self.check_free(name)
        check_names(package)
        folder = self.root / name
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._alone(name):
            if (folder / ".git").is_dir():
                self._commit_on_top(folder, package, key, message)
            else:
                self._create(folder, package, key, message)
            found = self.find(key, name)
        assert found is not None, "it was committed a line above"
        return found

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """One writer a model."""
        with (self.root / f".{name.replace('/', '--')}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _create(self, folder: Path, package: Path, key: str, message: str) -> None:
        part = folder.with_name(f".{folder.name}.part")  # no model has such a name
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(package, part)
        git(part, "init", "--quiet")
        self._commit(part, key, message)
        _sync(part)
        part.rename(folder)
        _sync(folder.parent)

    def _commit_on_top(self, folder: Path, package: Path, key: str, message: str) -> None:
        remove_locks(folder)
        if git(folder, "log", "--fixed-strings", f"--grep={TRAILER}: {key}", "--format=%H", "-1").strip():
            git(folder, "reset", "--hard", "--quiet")
            return
        for path in folder.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        shutil.copytree(package, folder, dirs_exist_ok=True)
        self._commit(folder, key, message)

    def _commit(self, folder: Path, key: str, message: str) -> None:
        git(folder, "add", "--all", "--force")
        git(folder, "commit", "--quiet", "--allow-empty", "-m", f"{message}\n\n{TRAILER}: {key}")


def _sync(folder: Path) -> None:
    """Make what was written below a folder survive the machine's end: a commit points at files."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
