"""`trainwright cache show`, `prune` and `clear`: what they say and what they remove, whatever state the cache is in."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing

import pytest

from tests.cli.conftest import Trainwright
from tests.lookup.docs.written import serve, written
from tests.standin import StandIn
from trainwright.graph.configuration import config_path
from trainwright.tools.http import Cache, cache_folder
from trainwright.tools.lookup import docs
from trainwright.tools.lookup.docs import file as documentation


@pytest.fixture
def kept() -> Cache:
    """The person's cache with two answers of arXiv, one of them too old, and a text that was derived."""
    cache = Cache(cache_folder())
    cache.put("old", "arXiv", "https://arxiv.org/a", {}, b"a" * 1000)
    cache.put("new", "arXiv", "https://arxiv.org/b", {}, b"b" * 2000)
    cache.put("text", "paper-text-1", "", {}, b"c" * 3000, kind="kept")
    with closing(sqlite3.connect(cache.folder / "index.sqlite")) as index, index:
        index.execute("UPDATE entries SET fetched = ? WHERE key = 'old'", (time.time() - 40 * 86_400,))
    cache.close()
    return cache


def bodies() -> int:
    return len([*(cache_folder() / "bodies").glob("*/*")])


def test_show(kept: Cache, trainwright: Trainwright) -> None:
    shown = trainwright("cache", "show")
    assert shown.code == 0
    assert shown.out.splitlines() == [
        f"Folder: {kept.folder}",
        "Kept: 3 entries, 6 KiB of at most 1024.0 MiB",
        "Age: 30 days at most; the oldest 40.0",
        "  paper-text-1: 1 entry, 3 KiB",
        "  arXiv: 2 entries, 3 KiB",
    ]
    told = json.loads(trainwright("cache", "show", "--json").out)
    assert told.pop("oldest_days") == pytest.approx(40, abs=0.1)
    assert told == {
        "event": "cache", "folder": str(kept.folder), "entries": 3, "bytes": 6000,
        "limit_bytes": 2**30, "limit_days": 30.0,
        "kept": {"paper-text-1": {"entries": 1, "bytes": 3000}, "arXiv": {"entries": 2, "bytes": 3000}},
        "documentation": {"folder": str(documentation.folder()), "bytes": 0},
    }  # fmt: skip


def test_prune_removes_what_is_too_old(kept: Cache, trainwright: Trainwright) -> None:
    assert json.loads(trainwright("cache", "prune", "--json").out) == {"event": "cache_dropped", "entries": 1}
    assert (kept.get("old"), kept.get("new") is None, bodies()) == (None, False, 2)
    assert trainwright("cache", "prune").out == "There was nothing to drop.\n"


def test_prune_keeps_to_the_configured_size(kept: Cache, trainwright: Trainwright) -> None:
    config_path().parent.mkdir()
    config_path().write_text("[cache]\nmax_days = 3650\n")
    assert trainwright("cache", "prune").out == "There was nothing to drop.\n"
    kept.put("large", "arXiv", "", {}, b"d" * 2**20)
    config_path().write_text("[cache]\nmax_mib = 1\n")
    assert trainwright("cache", "prune").out == "4 entries were dropped.\n"


def test_clear_leaves_nothing(kept: Cache, trainwright: Trainwright) -> None:
    assert trainwright("cache", "clear").out == "3 entries were dropped.\n"
    assert (kept.get("new"), bodies()) == (None, 0)
    assert json.loads(trainwright("cache", "clear", "--json").out) == {
        "event": "cache_dropped", "entries": 0, "libraries": 0, "damaged": False,
    }  # fmt: skip


def test_the_documentation_is_shown_and_cleared(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, trainwright: Trainwright
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    serve(standin, written("demo", 20))
    docs.update("demo")
    size = documentation.size()
    assert (
        f"Documentation: {size // 1024} KiB without a limit, in {documentation.folder()}"
        in trainwright("cache", "show").out
    )
    assert json.loads(trainwright("cache", "show", "--json").out)["documentation"]["bytes"] == size
    assert trainwright("cache", "prune").out == "There was nothing to drop.\n"
    assert trainwright("cache", "clear").out == "The documentation of 1 library was dropped.\n"
    assert trainwright("cache", "clear").out == "There was nothing to drop.\n"
    assert documentation.size() < size / 4
    assert docs.libraries().indexed == []


def test_nothing_is_dropped_while_a_library_is_being_built(
    kept: Cache, standin: StandIn, monkeypatch: pytest.MonkeyPatch, trainwright: Trainwright
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    serve(standin, written("demo", 5))
    told: list[str] = []

    def clear(*_: object) -> None:
        if not told:
            told.append(trainwright("cache", "clear").err)

    docs.update("demo", progress=clear)
    assert "is being built; it was not removed" in told[0]
    assert kept.get("new") is not None


def test_clear_of_a_damaged_cache_removes_the_bodies(kept: Cache, trainwright: Trainwright) -> None:
    (kept.folder / "index.sqlite").write_bytes(b"rubbish" * 500)
    assert trainwright("cache", "clear").code == 0
    assert bodies() == 0


@pytest.mark.parametrize("what", ["clear", "prune"])
def test_a_cache_that_cannot_be_changed_is_no_empty_one(
    what: str, kept: Cache, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainwright.cli.main import main
    from trainwright.tools.http import index

    monkeypatch.setattr(index, "BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(kept.folder / "index.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert main(["cache", what]) == 1
        other.execute("ROLLBACK")
    told = capsys.readouterr()
    assert "cannot be changed; nothing was removed" in told.err
    assert told.out == ""
    assert bodies() == 3


def test_there_is_no_cache_yet(trainwright: Trainwright) -> None:
    assert "Kept: 0 entries" in trainwright("cache", "show").out
    assert trainwright("cache", "clear").out == "There was nothing to drop.\n"
    assert not cache_folder().exists()
    assert not documentation.folder().exists()
    assert trainwright("cache", "burn").code == 2
