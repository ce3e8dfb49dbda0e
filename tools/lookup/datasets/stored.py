"""Files that lie elsewhere, read in parts: what is read of a file on the Hub is asked for by ranges and kept on the disk.

A file is addressed by its commit, so that a part of it never changes. What is in a file is read in `reading`.
"""

from __future__ import annotations

import contextvars
import hashlib
import io
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from trainwright.graph.errors import RemoteError
from trainwright.tools.http import fetch, kept
from trainwright.tools.lookup.hub import HUB

from .hub import file_address

__all__ = ["HubFile", "LocalFile", "StoredFile"]

BLOCK = 2**20
BLOCKS = 32
"""Blocks of one file that are held in memory."""

BUDGET = 256 * 2**20
"""Bytes that are fetched of one file at most."""


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name, with its suffix."""
        return self.path.name

    @property
    def size(self) -> int:
        """In bytes."""
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """The file, to be read."""
        return self.path.open("rb")


@dataclass(frozen=True)
class HubFile:
    """A file of a data set on the Hub, at a commit."""

    id: str
    commit: str
    path: str
    size: int

    @property
    def name(self) -> str:
        """The file's name, with its suffix."""
        return self.path.rpartition("/")[2]

    def open(self) -> BinaryIO:
        """The file, to be read; nothing is fetched before it is.

        Raises:
            RemoteError: the Hub does not say how large it is.
        """
        if self.size < 0 or not self.commit:
            raise RemoteError(f"The Hub does not say how large {self.path} is; it was not read.")
        return cast("BinaryIO", io.BufferedReader(_Ranges(self), BLOCK))


StoredFile = LocalFile | HubFile


class _Ranges(io.RawIOBase):
    """A file on the Hub as a file: block after block, each asked for when it is needed."""

    def __init__(self, file: HubFile) -> None:
        super().__init__()
        self.file = file
        self.place = 0
        self.fetched = 0
        # Arrow reads from threads of its own, which would not know whether the program is offline.
        self.situation = contextvars.copy_context()
        self.blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.file.size}[whence]
        self.place = max(0, base + offset)
        return self.place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self.place >= self.file.size:
            return 0
        number, inside = divmod(self.place, BLOCK)
        piece = self._block(number)[inside : inside + len(buffer)]
        buffer[: len(piece)] = piece
        self.place += len(piece)
        return len(piece)

    def _block(self, number: int) -> bytes:
        if number in self.blocks:
            self.blocks.move_to_end(number)
            return self.blocks[number]
        start, end = number * BLOCK, min((number + 1) * BLOCK, self.file.size) - 1
        self.fetched += end - start + 1
        if self.fetched > BUDGET:
            raise RemoteError(
                f"More than {BUDGET // 2**20} MiB of {self.file.path} would have to be fetched; it was given up."
            )
        address = file_address(self.file.id, self.file.commit, self.file.path)
        digest = hashlib.sha256(f"{address}\0{start}\0{end}".encode()).hexdigest()
        piece = self.situation.copy().run(kept, "dataset-range-1", digest, lambda: _fetched(address, start, end))
        self.blocks[number] = piece
        if len(self.blocks) > BLOCKS:
            self.blocks.popitem(last=False)
        return piece


def _fetched(address: str, start: int, end: int) -> bytes:
    """Bytes `start` to `end` of a file.

    Raises:
        RemoteError: they cannot be had, or other ones come.
    """
    wanted = end - start + 1
    answer = fetch(address, service=HUB, headers={"range": f"bytes={start}-{end}"}, age=-1, limit=end + 1, cut=True)
    body = answer.body if answer.status == 206 else answer.body[start : end + 1]
    if len(body) != wanted:
        raise RemoteError(
            f"The Hub sent {len(body)} bytes of a file where {wanted} were asked for.", hint="Try again later."
        )
    return body
