"""Which version of each file of the code folder the engineer knows in this attempt.

It lies in the run's folder, so that it survives a kill. Of a file that is being written it names the version before
and the one after: whichever a kill leaves is one that the engineer knows.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from trainwright.tools.sandbox.outputs import read_plain

__all__ = ["Seen", "sha256", "write_whole"]

PLACE = Path("stages") / "write_code-seen.json"


def sha256(content: bytes) -> str:
    """The version of a file."""
    return hashlib.sha256(content).hexdigest()


def write_whole(path: Path, content: bytes, part: Path) -> None:
    """Write a file so that it has its old content or the new one, whenever this is killed.

    Args:
        part: where the new content is written first; on the same disk. What a kill left there is written over.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


@dataclass
class Seen:
    """The known versions by file name; one writer at a time, which holds the lock of `files.py`.

    Attributes:
        folder: of the run.
        versions: sha256 of each version that counts as known.
    """

    folder: Path
    versions: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Seen:
        """What is known; nothing if there is no record, or none that can be read."""
        try:
            read = json.loads(read_plain(folder / PLACE))
        except ValueError:
            return cls(folder)
        entries = read.items() if isinstance(read, dict) else ()
        return cls(folder, {name: [str(one) for one in known] for name, known in entries if isinstance(known, list)})

    def knows(self, name: str, content: bytes) -> bool:
        """Whether the engineer has read or written this very version."""
        return sha256(content) in self.versions.get(name, ())

    def mark(self, name: str, contents: Iterable[bytes]) -> None:
        """Let these be the known versions of a file, and keep that."""
        self.versions[name] = [sha256(content) for content in contents]
        self.save()

    def save(self) -> None:
        """Keep the record."""
        path = self.folder / PLACE
        content = json.dumps(self.versions, indent=1, sort_keys=True).encode()
        write_whole(path, content, path.with_name(path.name + ".part"))
