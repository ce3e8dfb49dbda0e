"""`trainwright cache`: what is kept of lookups on the disk, and how to be rid of it.

Removing it costs nothing but the time to ask again; with `--offline`, what was removed is missing.
"""

from __future__ import annotations

import time
from typing import Any

from .screen import Line, open_screen

__all__ = ["clear_cache", "prune_cache", "show_cache"]


def show_cache(*, as_json: bool) -> int:
    """Say how much is kept, of what, where, and the limits."""
    from trainwright.tools.http import cache_of

    usage = cache_of().usage()
    kept = {name: {"entries": count, "bytes": size} for name, (count, size) in usage.by_name.items()}
    days = None if usage.oldest is None else (time.time() - usage.oldest) / 86_400
    if as_json:
        _write(
            event="cache", folder=str(usage.folder), entries=usage.entries, bytes=usage.bytes,
            limit_bytes=usage.limit_bytes, limit_days=usage.limit_days, oldest_days=days, kept=kept,
        )  # fmt: skip
        return 0
    lines = [
        Line(str(usage.folder), label="Folder"),
        Line(f"{usage.entries:,} entries, {_size(usage.bytes)} of at most {_size(usage.limit_bytes)}", label="Kept"),
        Line(f"{usage.limit_days:g} days at most" + ("" if days is None else f"; the oldest {days:.1f}"), label="Age"),
        *(Line(f"{name}: {one['entries']:,} entries, {_size(one['bytes'])}", indent=2) for name, one in kept.items()),
    ]
    open_screen().show(lines)
    return 0


def prune_cache(*, as_json: bool) -> int:
    """Drop what is beyond the limits."""
    from trainwright.tools.http import cache_of

    return _dropped(cache_of().prune(), as_json)


def clear_cache(*, as_json: bool) -> int:
    """Drop everything."""
    from trainwright.tools.http import cache_of

    return _dropped(cache_of().clear(), as_json)


def _dropped(count: int, as_json: bool) -> int:
    if as_json:
        _write(event="cache_dropped", entries=count)
    else:
        open_screen().show([Line(f"{count:,} entries were dropped." if count else "There was nothing to drop.")])
    return 0


def _write(**value: Any) -> None:
    from .jsonlines import json_lines

    json_lines().write(value)


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 2**10:.0f} KiB"
