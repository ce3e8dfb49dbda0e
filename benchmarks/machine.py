"""The machine that a figure came from, in one line, and a table of figures in Markdown."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Figure", "machine", "table"]


class Figure(NamedTuple):
    """One measured figure."""

    what: str
    limit: str
    measured: str
    command: str


def machine() -> str:
    """Processor, cores, memory, Python."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = (line for line in info.read_text().splitlines() if line.startswith("model name"))
        model = next(lines, ": " + model).split(":", 1)[1].strip()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{model}, {cores} cores, {memory:.0f} GiB, {platform.system()}, Python {version}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = [f"| {f.what} | {f.limit} | {f.measured} | `{f.command}` |" for f in figures]
    return "\n".join(["| what | at most | measured | command |", "|---|---|---|---|", *rows])
