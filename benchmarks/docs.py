"""The documentation index at 10,000 pages: built from one file and page by page, and asked, the first question included."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import Figure
from tests.lookup.docs.written import Library, serve, written
from tests.standin import StandIn

PAGES = 10_000
LIBRARIES = ("alpha", "beta", "gamma", "delta")
QUESTIONS = 200
SECTIONS = 18
"""Sections of a page: some 15 KiB, as the Hub's pages have."""

BUILD = """
import sys, time
from trainwright.tools.lookup import docs
began = time.perf_counter()
for name in sys.argv[1:]:
    docs.update(name)
print(time.perf_counter() - began)
"""
ASK = """
import json, sys, time
from trainwright.tools.http import lookups
from trainwright.tools.lookup import docs
import trainwright.tools.lookup.docs.searching
times = []
with lookups(offline=True):
    for query, library in json.load(sys.stdin):
        began = time.perf_counter()
        found = docs.search(query, library)
        times.append(time.perf_counter() - began)
        assert found.hits, query
print(json.dumps(times))
"""


def libraries() -> list[Library]:
    """The pages."""
    return [written(name, PAGES // len(LIBRARIES), SECTIONS) for name in LIBRARIES]


def questions(made: list[Library]) -> list[tuple[str, str]]:
    """Words that are everywhere, rare words, names, beginnings and phrases, in all libraries and in one."""
    asked: list[tuple[str, str]] = []
    for n in range(QUESTIONS):
        library = made[n % len(made)]
        text = list(library.pages.values())[(n * 37) % len(library.pages)]
        words = [word.strip(".,`()[]#*:") for word in text.split()]
        plain = [word for word in words if word.isalpha() and len(word) > 3]
        name = next(word for word in words if word.startswith(f"{library.name}."))
        kinds = (
            "model", "training data", f"{plain[n % 50]} {plain[n % 70 + 5]}", name.partition("[")[0],
            next(word for word in words if "_" in word), f"{plain[n % 60][:4]}*", f'"{words[8]} {words[9]}"', "the gradient",
        )  # fmt: skip
        asked.append((kinds[n % len(kinds)], library.name if n % 2 else ""))
    return asked


def _run(program: str, home: str, url: str, *arguments: str, given: str = "") -> str:
    environment = {**os.environ, "TRAINWRIGHT_HOME": home, "HF_ENDPOINT": url, "TRAINWRIGHT_PAUSE_SCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def measure() -> list[Figure]:
    """The figures."""
    made = libraries()
    command = "python -m benchmarks docs"
    size = sum(len(text) for library in made for text in library.pages.values())
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        with StandIn() as server:
            for library in made:
                serve(server, library)
            one_file = float(_run(BUILD, first, server.url, *LIBRARIES))
        with StandIn() as server:
            for library in made:
                serve(server, library, whole=False)
            by_page = float(_run(BUILD, second, server.url, *LIBRARIES))
        asked = json.dumps(questions(made))
        times = json.loads(_run(ASK, first, "http://127.0.0.1:9", given=asked))
        began = time.perf_counter()
        _run(ASK, first, "http://127.0.0.1:9", given=json.dumps(questions(made)[:1]))
        cold = time.perf_counter() - began
        disk = (Path(first) / "cache" / "docs" / "index.db").stat().st_size
    p95 = statistics.quantiles(times, n=20)[-1]
    return [
        Figure(f"documentation index of {PAGES:,} pages ({size / 2**20:.0f} MiB), one file a library", "60 s",
               f"{one_file:.1f} s, {disk / 2**20:.0f} MiB on the disk", command),
        Figure(f"the same, {PAGES:,} pages fetched one by one from a stand-in", "60 s", f"{by_page:.1f} s", command),
        Figure(f"documentation query on {PAGES:,} pages, p95 of {len(times)} (median; slowest)", "0.050 s",
               f"{p95:.3f} s ({statistics.median(times):.3f} s; {max(times):.3f} s)", command),
        Figure("the first query of a process, once it is imported", "0.050 s", f"{times[0]:.3f} s", command),
        Figure("the same with a new process and its imports", "none", f"{cold:.2f} s", command),
    ]  # fmt: skip
