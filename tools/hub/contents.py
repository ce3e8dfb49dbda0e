"""What may lie in a published repository: plain files with plain names, and nothing that runs code when it is loaded.

A pickle is known by what it is, not by its name alone: its first operations are read (never run), also inside zip
archives, compressed files and numpy files. What is not a pickle but harmful to some other loader is not found.
"""

from __future__ import annotations

import bz2
import io
import lzma
import pickletools
import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from trainwright.graph.errors import PublicationError

__all__ = ["check_names", "refuse_pickles"]

PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".dill", ".cloudpickle", ".mar")
RUNNING = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD", "EXT1", "EXT2", "EXT4"}
"""Operations by which a pickle names or calls something."""

OPERATIONS = 2_000
INSIDE_BYTES = 1 << 20
"""How much of a compressed file is looked at: a pickle shows itself in its first operations."""

COMPRESSED: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", lambda data: zlib.decompressobj(47).decompress(data, INSIDE_BYTES)),
    (b"\x78", lambda data: zlib.decompressobj().decompress(data, INSIDE_BYTES)),
    (b"BZh", lambda data: bz2.BZ2Decompressor().decompress(data, INSIDE_BYTES)),
    (b"\xfd7zXZ", lambda data: lzma.LZMADecompressor().decompress(data, INSIDE_BYTES)),
    (b"\x5d\x00\x00", lambda data: lzma.LZMADecompressor().decompress(data, INSIDE_BYTES)),
)
"""First bytes of a compressed file and how the beginning of its content is had."""

NUMPY_OBJECTS = re.compile(rb"'descr':[^}]*'\|?O")
FILES_LIMIT = 10_000


def check_names(folder: Path) -> None:
    """Make sure that a folder holds plain files and folders whose names a repository can carry.

    Raises:
        PublicationError: naming what does not belong there.
    """
    for count, path in enumerate(sorted(folder.rglob("*"))):
        shown, mode = repr(str(path.relative_to(folder)))[:120], path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise PublicationError(f"{shown} is a link or another thing that is no plain file; nothing was published.")
        name = path.name
        if not name.isprintable() or "\\" in name or not _encodes(name) or name != name.strip():
            raise PublicationError(f"{shown} has a name that not every system can write; nothing was published.")
        if name.lower().startswith(".git"):
            raise PublicationError(f"{shown} would change how git treats the repository; nothing was published.")
        if count >= FILES_LIMIT:
            raise PublicationError(f"There are more than {FILES_LIMIT} files; nothing was published.")


def _encodes(name: str) -> bool:
    try:
        return len(name.encode()) <= 200
    except UnicodeEncodeError:
        return False


def refuse_pickles(folder: Path) -> None:
    """Make sure that nothing in a folder is a pickle.

    Raises:
        PublicationError: naming the file.
    """
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        with path.open("rb") as stream:
            found = path.suffix.lower() in PICKLES or _holds_pickle(stream)
        if found:
            raise PublicationError(
                f"{path.relative_to(folder)} is a pickle or holds one, which runs code when it is loaded; nothing was "
                "published.",
                hint="Save the model with skops or safetensors.",
            )


def _holds_pickle(stream: IO[bytes], depth: int = 0) -> bool:
    """Whether a file is a pickle, or a container with one in it."""
    head = stream.read(512)
    stream.seek(0)
    if head.startswith(b"PK\x03\x04"):
        return depth < 3 and _in_archive(stream, depth)
    for magic, opened in COMPRESSED:
        if head.startswith(magic):
            return depth < 3 and _in_compressed(stream, opened, depth)
    if head.startswith(b"\x93NUMPY"):
        return NUMPY_OBJECTS.search(head) is not None
    return _is_pickle(stream)


def _in_archive(stream: IO[bytes], depth: int) -> bool:
    try:
        with zipfile.ZipFile(stream) as archive:
            for name in archive.namelist()[:FILES_LIMIT]:
                with archive.open(name) as member:
                    inner = io.BytesIO(member.read(INSIDE_BYTES))
                if Path(name).suffix.lower() in PICKLES or _holds_pickle(inner, depth + 1):
                    return True
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError):
        return False
    return False


def _in_compressed(stream: IO[bytes], opened: Callable[[bytes], bytes], depth: int) -> bool:
    try:
        return _holds_pickle(io.BytesIO(opened(stream.read(INSIDE_BYTES))), depth + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return False  # it only began like one


def _is_pickle(stream: IO[bytes]) -> bool:
    """Whether the first operations are those of a pickle that names or calls something, or any from protocol 2 on.

    Other files may begin with the same two bytes (the length of a safetensors header, say), but do not go on as one.
    """
    count, running, marked = 0, False, False
    try:
        for operation, _, position in pickletools.genops(stream):
            marked = marked or (position == 0 and operation.name == "PROTO")
            running = running or operation.name in RUNNING
            count += 1
            if operation.name == "STOP" or count >= OPERATIONS:
                return marked or running
    except Exception:  # noqa: BLE001 - pickletools raises whatever it meets in bytes that are no pickle
        # A pickle that was cut at INSIDE_BYTES breaks off in its middle: it counts once it went on for a while.
        return marked and running and count > 20
    return False
