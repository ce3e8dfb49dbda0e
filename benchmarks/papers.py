"""What reading a paper costs: text, sections and tables of a PDF, for the first time and again, in a new process too.

The papers are those that `TRAINWRIGHT_CASES` names (9 to 30 pages); without them, the paper of the examples.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import Figure

COMMAND = "python -m benchmarks papers"
PAGES = 16
MAIN = "import sys; from trainwright.tools.lookup import papers; papers.read_file(sys.argv[1])"


def files() -> list[Path]:
    """The papers."""
    folder = os.environ.get("TRAINWRIGHT_CASES", "")
    if not folder:
        return [Path("examples/digits_svm.pdf")]
    return sorted(path for part in ("papers", "odd-papers") for path in Path(folder, part).glob("*.pdf"))


def read(paths: list[Path]) -> dict[Path, tuple[int, float]]:
    """Pages and seconds of each paper of 9 to 30 pages (of all, where there is only one), in this process."""
    from trainwright.graph.errors import PaperError
    from trainwright.tools.lookup import papers

    taken: dict[Path, tuple[int, float]] = {}
    for path in paths:
        started = time.perf_counter()
        try:
            pages = papers.read_file(path).pages or 0
        except PaperError:
            continue
        if len(paths) == 1 or 9 <= pages <= 30:
            taken[path] = (pages, time.perf_counter() - started)
    return taken


def new_process(path: Path, home: str) -> float:
    """Seconds of a Python process that reads a paper, its start included."""
    started = time.perf_counter()
    environment = {**os.environ, "TRAINWRIGHT_HOME": home}
    subprocess.run([sys.executable, "-c", MAIN, str(path)], env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def measure() -> list[Figure]:
    """The figures."""
    paths = files()
    before = os.environ.get("TRAINWRIGHT_HOME")
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        os.environ["TRAINWRIGHT_HOME"] = one
        read(paths[:1])  # loads the library
        os.environ["TRAINWRIGHT_HOME"] = other
        first, again = read(paths), read(paths)
    if before is None:
        del os.environ["TRAINWRIGHT_HOME"]
    else:
        os.environ["TRAINWRIGHT_HOME"] = before
    scaled = [seconds * PAGES / pages for pages, seconds in first.values()]
    slowest = max(first, key=lambda path: first[path][1] * PAGES / first[path][0])
    with tempfile.TemporaryDirectory() as home:
        cold, warm = new_process(slowest, home), new_process(slowest, home)
    count = f"{len(first)} paper{'s' if len(first) > 1 else ''}"
    told = f"{statistics.median(scaled):.2f} s; slowest {max(scaled):.2f} s"
    pages = first[slowest][0]
    return [
        Figure(
            f"paper: text, sections and tables of {PAGES} pages, median of {count}",
            "1 s; 6 s with tables",
            told,
            COMMAND,
        ),
        Figure(
            "paper: the same file again",
            "not read again",
            f"{max(s for _, s in again.values()) * 1000:.0f} ms at most",
            COMMAND,
        ),
        Figure(
            f"paper: the slowest ({pages} pages) in a new process, its start included; again in another",
            "-",
            f"{cold:.2f} s; {warm:.2f} s",
            COMMAND,
        ),
    ]
