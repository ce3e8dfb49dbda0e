"""The documentation index at 10,000 pages: built from one file and page by page, and asked, the first question included."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import Figure
from tests.lookup.docs.written import PLAIN, Library, page_text, serve, written
from tests.standin import StandIn

PAGES = 10_000
LIBRARIES = ("alpha", "beta", "gamma", "delta")
QUESTIONS = 200
SECTIONS = 18
"""Sections of a page: some 15 KiB, as the Hub's pages have."""

LARGE = 1_400
"""Sections of one page that is a whole reference: some 1.2 MiB."""

FREQUENT = [word for word in PLAIN if len(word) > 4]
"""Words that one section in four has."""

BUILD = """
import json, sys, time
from trainwright.tools.lookup import docs
began, used = time.perf_counter(), time.process_time()
for name in sys.argv[1:]:
    docs.update(name)
print(json.dumps([time.perf_counter() - began, time.process_time() - used]))
"""
ASK = """
import json, sys, time
from trainwright.tools.http import lookups
from trainwright.tools.lookup import docs
import trainwright.tools.lookup.docs.searching
times = []
with lookups(offline=True):
    for query, library in json.load(sys.stdin):
        began, used = time.perf_counter(), time.process_time()
        found = docs.search(query, library)
        times.append((time.perf_counter() - began, time.process_time() - used))
        assert found.hits or query.startswith("qx"), query
print(json.dumps(times))
"""


def libraries() -> list[Library]:
    """The pages; one of them is very large."""
    made = [written(name, PAGES // len(LIBRARIES), SECTIONS) for name in LIBRARIES]
    made[0].pages["reference"] = page_text("alpha", 1_000_000, LARGE)
    return made


def questions(made: list[Library]) -> list[tuple[str, str]]:
    """What people and models ask, in all libraries and in one: from rare names to words that are everywhere."""
    asked: list[tuple[str, str]] = []
    for n in range(QUESTIONS):
        library = made[n % len(made)]
        kinds = _kinds(list(library.pages.values())[(n * 37) % len(library.pages)], library.name, random.Random(n))
        asked.append((kinds[n % len(kinds)], library.name if n // len(kinds) % 2 else ""))
    large = [word for word in made[0].pages["reference"].split() if "_" in word]
    asked += [(f"{word} {other}", "alpha") for word, other in zip(large[::40], FREQUENT * 10, strict=False)]
    return asked


def _kinds(text: str, library: str, chance: random.Random) -> tuple[str, ...]:
    """One question of each kind: frequent words, rare ones, names, beginnings, phrases, and words that nobody has."""
    words = [word.strip(".,`()[]#*:") for word in text.split()]
    plain = [word for word in words if word.isalpha() and len(word) > 3]
    unknown = ["qx" + "".join(chance.choices("bcdfghjkmn", k=7)) for _ in range(8)]
    some, few, many = (chance.sample(FREQUENT, count) for count in (2, 4, 8))
    return (
        " ".join(some), " ".join(few), " ".join(many), " ".join(chance.sample(FREQUENT, 12)), "the gradient",
        "tra*", f"{few[0][:3]}* {few[1][:4]}*", f"{few[2][:5]}* {chance.choice(plain)}", f"{chance.choice(plain)[:4]}*",
        " ".join(unknown), " ".join([unknown[0], *few]), f"{few[0]}x {few[1]}y {few[2]}",
        " ".join(chance.sample(plain, 2)), " ".join(chance.sample(plain, 6)), f'"{words[8]} {words[9]}"',
        next(word for word in words if word.startswith(f"{library}.")).partition("[")[0],
        next(word for word in words if "_" in word).partition("=")[0].rpartition("(")[2],
    )  # fmt: skip


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
            one_file = json.loads(_run(BUILD, first, server.url, *LIBRARIES))
        with StandIn() as server:
            for library in made:
                serve(server, library, whole=False)
            by_page = json.loads(_run(BUILD, second, server.url, *LIBRARIES))
        asked = json.dumps(questions(made))
        times = json.loads(_run(ASK, first, "http://127.0.0.1:9", given=asked))
        began = time.perf_counter()
        _run(ASK, first, "http://127.0.0.1:9", given=json.dumps(questions(made)[:1]))
        cold = time.perf_counter() - began
        disk = (Path(first) / "cache" / "docs" / "index.db").stat().st_size
    waited, used = zip(*times, strict=True)
    words, where = max(zip(waited, json.loads(asked), strict=True))[1]
    return [
        Figure(f"documentation index of {PAGES:,} pages ({size / 2**20:.0f} MiB), one file a library", "60 s",
               f"{_built(one_file)}, {disk / 2**20:.0f} MiB on the disk", command),
        Figure(f"the same, {PAGES:,} pages fetched one by one from a stand-in", "60 s", _built(by_page), command),
        Figure(f"documentation query on {PAGES:,} pages, slowest of {len(times)} (p95; median)", "50 ms",
               _spread(waited), command),
        Figure("the same, of the processor's time", "50 ms", _spread(used), command),
        Figure("the slowest question", "none", f"{words[:60]}{f' in {where}' if where else ''}", command),
        Figure("the first query of a process, once it is imported", "50 ms", f"{waited[0] * 1000:.0f} ms", command),
        Figure("the same with a new process and its imports", "none", f"{cold:.2f} s", command),
    ]  # fmt: skip


def _built(seconds: list[float]) -> str:
    return f"{seconds[0]:.1f} s ({seconds[1]:.1f} s of the processor)"


def _spread(seconds: Sequence[float]) -> str:
    slowest, p95, median = max(seconds), statistics.quantiles(seconds, n=20)[-1], statistics.median(seconds)
    return f"{slowest * 1000:.0f} ms ({p95 * 1000:.0f} ms; {median * 1000:.0f} ms)"
