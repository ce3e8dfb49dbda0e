"""`trainwright prune`: drop the checkpoints that no resume needs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from trainwright.graph.errors import RequestError

if TYPE_CHECKING:
    from trainwright.graph.pruning import Pruned, Pruning

__all__ = ["prune_runs"]


def prune_runs(runs: Sequence[str], *, older_than: float, dry_run: bool, as_json: bool) -> int:
    """Prune, and say what came of it.

    Raises:
        RequestError: the number of days is negative.
        RunNotFound: a name fits no run, or several.
    """
    if not 0 <= older_than < 100_000:
        raise RequestError(f"{older_than:g} is no number of days.", hint="Give 0 or more, up to 99,999.")
    from trainwright.graph.pruning import prune

    done = asyncio.run(prune(runs, older_than=older_than, dry_run=dry_run))
    if as_json:
        from .jsonlines import json_lines

        json_lines().write({"event": "pruned", "dry_run": dry_run, **asdict(done)})
        return 0
    sys.stdout.write("\n".join(_lines(done, dry_run)) + "\n")
    return 0


def _lines(done: Pruning, dry_run: bool) -> list[str]:
    touched = [one for one in done.runs if one.checkpoints or one.skipped]
    lines = [_line(one, dry_run) for one in touched]
    if not any(one.checkpoints for one in touched):
        return [*lines, "There is nothing to drop."]
    total = sum(one.bytes for one in done.runs)
    if dry_run:
        return [*lines, f"{_size(total)} would be dropped; nothing was."]
    shorter = done.kept_long or f"the file is {_size(done.freed)} shorter"
    return [*lines, f"{_size(total)} were dropped; {shorter}."]


def _line(one: Pruned, dry_run: bool) -> str:
    if one.skipped:
        return f"{one.run}: left alone, {one.skipped}"
    would = "would go" if dry_run else "gone"
    return f"{one.run}: {one.checkpoints} checkpoints {would}, {one.visits} finished stages among them"


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 2**10:.0f} KiB"
