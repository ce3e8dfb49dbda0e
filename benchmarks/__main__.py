"""`python -m benchmarks [NAME …]`: measure, and print the table of docs/benchmarks.md with this machine's name."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.machine import machine, table

NAMES = ("startup", "engine", "model", "resume", "whole_runs", "papers", "docs")


def main(wanted: list[str]) -> int:
    """Measure what is named, or everything."""
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        sys.stderr.write(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(NAMES)}.\n")
        return 2
    figures = [figure for name in wanted or NAMES for figure in import_module(f"benchmarks.{name}").measure()]
    sys.stdout.write(f"{machine()}\n\n{table(figures)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
