"""`trainwright cache`: what is kept of lookups on the disk, and how to be rid of it.

Removing it costs nothing but the time to ask again; with `--offline`, what was removed is missing. The documentation that is
indexed is shown and cleared with the rest; it has no limits, so that nothing of it is pruned.
"""

from __future__ import annotations

import time
from typing import Any

from .screen import Line, open_screen

__all__ = ["clear_cache", "prune_cache", "show_cache"]


def show_cache(*, as_json: bool) -> int:
    """Say how much is kept, of what, where, and the limits."""
    from trainwright.tools.http import cache_of
    from trainwright.tools.lookup.docs import file as documentation

    usage = cache_of().usage()
    indexed = documentation.size()
    kept = {name: {"entries": count, "bytes": size} for name, (count, size) in usage.by_name.items()}
    days = None if usage.oldest is None else (time.time() - usage.oldest) / 86_400
    if as_json:
        _write(
            event="cache", folder=str(usage.folder), entries=usage.entries, bytes=usage.bytes,
            limit_bytes=usage.limit_bytes, limit_days=usage.limit_days, oldest_days=days, kept=kept,
            documentation={"folder": str(documentation.folder()), "bytes": indexed},
        )  # fmt: skip
        return 0
    lines = [
        Line(str(usage.folder), label="Folder"),
        Line(
            f"{_count(usage.entries, 'entry', 'entries')}, {_size(usage.bytes)} of at most {_size(usage.limit_bytes)}",
            label="Kept",
        ),
        Line(f"{usage.limit_days:g} days at most" + ("" if days is None else f"; the oldest {days:.1f}"), label="Age"),
        *(
            Line(f"{name}: {_count(one['entries'], 'entry', 'entries')}, {_size(one['bytes'])}", indent=2)
            for name, one in kept.items()
        ),
    ]
    if indexed:
        lines.append(Line(f"{_size(indexed)} without a limit, in {documentation.folder()}", label="Documentation"))
    open_screen().show(lines)
    return 0


def prune_cache(*, as_json: bool) -> int:
    """Drop what is beyond the limits."""
    from trainwright.tools.http import cache_of

    dropped = cache_of().prune()
    if as_json:
        _write(event="cache_dropped", entries=dropped)
    else:
        _say(_entries(dropped))
    return 0


def clear_cache(*, as_json: bool) -> int:
    """Drop everything, the documentation too."""
    from trainwright.tools.http import cache_of
    from trainwright.tools.lookup.docs import file as documentation

    forgotten = documentation.clear()  # first, because it may be in use: then nothing is dropped
    dropped = cache_of().clear()
    if as_json:
        _write(event="cache_dropped", entries=dropped, **forgotten._asdict())
    else:
        libraries = f"The documentation of {_count(forgotten.libraries, 'library', 'libraries')} was dropped."
        _say(
            _entries(dropped),
            libraries if forgotten.libraries else "",
            "An index of the documentation that was damaged was dropped." if forgotten.damaged else "",
        )
    return 0


def _entries(count: int) -> str:
    return f"{_count(count, 'entry was', 'entries were')} dropped." if count else ""


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _say(*told: str) -> None:
    open_screen().show([Line(text) for text in told if text] or [Line("There was nothing to drop.")])


def _write(**value: Any) -> None:
    from .jsonlines import json_lines

    json_lines().write(value)


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 2**10:.0f} KiB"
