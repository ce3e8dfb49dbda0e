"""Reading what a script left behind: plain files of bounded size, never a link, a pipe or a device.

A script can swap a file for a link between a look and a read, so a file is opened first and looked at then. This
module does not judge what the files say.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["json_rows", "open_plain", "read_plain"]

CHUNK = 1 << 20


def open_plain(path: Path) -> BinaryIO:
    """An open plain file; only its last part may have been chosen by a script.

    Raises:
        FileNotFoundError: there is nothing of that name.
        OSError: it is a link, a folder, a pipe, a socket or a device.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is no plain file")
    return os.fdopen(descriptor, "rb")


def read_plain(path: Path, since: int = 0, limit: int = CHUNK) -> bytes:
    """Up to `limit` bytes from byte `since` on; nothing if there is no plain file."""
    try:
        with open_plain(path) as stream:
            stream.seek(since)
            return stream.read(limit)
    except OSError:
        return b""


def json_rows(data: bytes) -> list[dict[str, Any]]:
    """The lines that are JSON objects; all others are passed over."""
    rows = []
    for line in data.split(b"\n"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows
