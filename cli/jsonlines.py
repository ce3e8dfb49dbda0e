"""Standard output as JSON lines, and nothing else.

The descriptor of standard output is set aside for the lines and replaced by standard error, so that no library and
no child process can put a word between them.
"""

from __future__ import annotations

import functools
import json
import math
import os
import sys
from collections.abc import Mapping
from typing import IO, Any

__all__ = ["JsonLines", "json_lines"]


class JsonLines:
    """Objects, one a line, ASCII only; numbers that JSON does not have become null."""

    def __init__(self, out: IO[str]) -> None:
        self.out = out

    def write(self, value: Mapping[str, Any]) -> None:
        """Write one object and let it out at once."""
        self.out.write(json.dumps(_finite(value), default=str, allow_nan=False) + "\n")
        self.out.flush()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


@functools.cache
def json_lines() -> JsonLines:
    """The one stream of JSON lines of this process."""
    sys.stdout.flush()
    descriptor = sys.stdout.fileno()
    kept = os.dup(descriptor)
    os.dup2(sys.stderr.fileno(), descriptor)
    return JsonLines(os.fdopen(kept, "w", encoding="ascii"))
