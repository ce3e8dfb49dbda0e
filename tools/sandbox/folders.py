"""Folders that a sandboxed program may write: measured, handed over, made harmless, removed.

Whatever a hostile program leaves there (links, folders a thousand deep, folders without permissions, set-user-id bits)
is taken as data: links are never followed, nothing recurses, and a path that is too long is not an error.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["clear_folder", "give", "open_to_all", "plain_folder", "take_back", "tree_size"]

DEPTH_LIMIT = 40
"""Folders inside one another, in a place that a script writes; far below where paths become too long to look at."""

HIDDEN = 1 << 40
"""Number of entries that stands for a tree of which a part cannot be looked at."""


def tree_size(folder: Path) -> tuple[int, int]:
    """Bytes on disk and number of entries below `folder`; links are not followed.

    A tree that is deeper than `DEPTH_LIMIT`, or has a folder that may not be entered, counts as 2**40 entries:
    what lies there cannot be seen.
    """
    size = files = 0
    stack = [(str(folder), 0)]
    while stack:
        place, depth = stack.pop()
        if depth > DEPTH_LIMIT:
            return size, HIDDEN
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    files += 1
                    if entry.is_dir(follow_symlinks=False):
                        stack.append((entry.path, depth + 1))
                    else:
                        status = entry.stat(follow_symlinks=False)
                        size += max(status.st_size if status.st_blocks else 0, status.st_blocks * 512)
        except (FileNotFoundError, NotADirectoryError):
            continue  # it was removed or replaced since it was listed
        except OSError:
            return size, HIDDEN
    return size, files


def plain_folder(path: Path) -> bool:
    """Whether there is a real folder at `path`, which a link to a folder is not."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _open_folder(name: str | Path, parent: int | None = None) -> int:
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def _entries(descriptor: int) -> Iterator[tuple[str, os.stat_result]]:
    """Names and own status of what a folder holds."""
    for name in os.listdir(descriptor):
        try:
            yield name, os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except FileNotFoundError:
            continue


def give(folder: Path, uid: int) -> None:
    """Hand a folder with all that is in it to a user and its group of the same number."""
    os.chown(folder, uid, uid, follow_symlinks=False)
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                os.chown(Path(place) / name, uid, uid, follow_symlinks=False)
            except FileNotFoundError:
                continue


def take_back(folder: Path, uid: int | None) -> None:
    """Make a folder ours again after a program wrote in it: owner, readable, no set-user-id bits, not too deep.

    Args:
        folder: nothing may run in it any more.
        uid: user and group to hand it to; None where it was ours all along.
    """
    stack = [(folder, 0)]
    while stack:
        place, depth = stack.pop()
        try:
            inner = _take_folder(place, uid)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            depth = DEPTH_LIMIT + 1
        if depth > DEPTH_LIMIT:
            clear_folder(folder)
            return
        stack += [(path, depth + 1) for path in inner]


def _take_folder(place: Path, uid: int | None) -> list[Path]:
    """Make one folder ours with the files in it; the folders in it."""
    if uid is not None:
        os.chown(place, uid, uid, follow_symlinks=False)
    place.chmod(0o755)
    inner = []
    with os.scandir(place) as entries:
        for entry in entries:
            mode = entry.stat(follow_symlinks=False).st_mode
            if uid is not None:
                os.chown(entry.path, uid, uid, follow_symlinks=False)
            if stat.S_ISDIR(mode):
                inner.append(Path(entry.path))
            elif stat.S_ISREG(mode):
                # 0644 keeps what a reader needs and drops every bit by which a left-behind file could be run as us.
                Path(entry.path).chmod(0o644)
    return inner


def open_to_all(path: Path) -> None:
    """Let every user read `path`, a file or folder of ours: the sandbox's user is none that can be named before."""
    if path.is_file():
        path.chmod(path.stat().st_mode | 0o444)
        return
    for place, _, files in os.walk(path):
        folder = Path(place)
        if folder.stat().st_mode & 0o555 != 0o555:
            folder.chmod(folder.stat().st_mode | 0o555)
        for name in files:
            status = (folder / name).lstat()
            if stat.S_ISREG(status.st_mode) and status.st_mode & 0o444 != 0o444:
                (folder / name).chmod(status.st_mode | 0o444)


def clear_folder(folder: Path) -> None:
    """Remove everything in `folder`, which stays; nothing happens if it is not there.

    Folders in folders are first moved up beside each other, so that depth and length of paths do not matter.

    Raises:
        OSError: something in it belongs to another user, or the disk fails.
    """
    if not plain_folder(folder):
        return
    folder.chmod(0o700)
    top = _open_folder(folder)
    try:
        number = 0
        while names := list(_entries(top)):
            for name, status in names:
                if not stat.S_ISDIR(status.st_mode):
                    os.unlink(name, dir_fd=top)
                    continue
                number = _flatten(top, name, number)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    folder.chmod(0o755)


def _flatten(top: int, name: str, number: int) -> int:
    """Move the folders in `top`/`name` up into `top`, remove its files; the next free number."""
    os.chmod(name, 0o700, dir_fd=top)
    place = _open_folder(name, top)
    try:
        for inner, status in _entries(place):
            if not stat.S_ISDIR(status.st_mode):
                os.unlink(inner, dir_fd=place)
                continue
            os.chmod(inner, 0o700, dir_fd=place)
            number += 1
            while os.access(f"cleared-{number}", os.F_OK, dir_fd=top, follow_symlinks=False):
                number += 1
            os.rename(inner, f"cleared-{number}", src_dir_fd=place, dst_dir_fd=top)
    finally:
        os.close(place)
    return number
