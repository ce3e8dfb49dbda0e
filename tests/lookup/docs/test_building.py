"""The index: built, refreshed, gone on with after a kill, shared by processes, mended."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.standin import Canned, StandIn
from trainwright.graph.errors import NotCached, NotFound, RemoteUnavailable, StoreError
from trainwright.tools.http import lookups, situation
from trainwright.tools.lookup import docs
from trainwright.tools.lookup.docs import building, file, searching, store

from .written import Library, serve, tagged, written

UPDATE = "import sys; from trainwright.tools.lookup import docs; docs.update(sys.argv[1])"


def age(days: float, name: str = "demo") -> None:
    """Let the index be older."""
    with contextlib.closing(sqlite3.connect(file.folder() / "index.db")) as database, database:
        seconds = days * 86_400
        database.execute(
            "UPDATE libraries SET finished = finished - ?, begun = begun - ?, tried = tried - ? WHERE name = ?",
            (seconds, seconds, seconds, name),
        )
        database.execute("UPDATE pages SET checked = checked - ?", (seconds,))


def consistent() -> tuple[int, int]:
    """Pages and sections, after SQLite has compared the index with what it was told."""
    with contextlib.closing(sqlite3.connect(file.folder() / "index.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        pages, waiting = database.execute("SELECT count(*), sum(indexed = 0) FROM pages").fetchone()
        sections = database.execute("SELECT count(*) FROM sections").fetchone()[0]
        for table in ("search", "heads"):
            database.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
            assert database.execute(f"SELECT count(*) FROM {table}_docsize").fetchone()[0] == sections
        lost = "SELECT count(*) FROM sections WHERE page NOT IN (SELECT id FROM pages)"
        assert database.execute(lost).fetchone()[0] == 0
        assert (
            database.execute("SELECT count(*) FROM (SELECT DISTINCT page, start FROM sections)").fetchone()[0]
            == sections
        )
        assert not waiting
        return pages, sections


def test_one_file_is_enough(hub: StandIn) -> None:
    library = written("demo", 30)
    serve(hub, library, pages=False)
    done = docs.update("demo")
    assert (done.changed, done.same, done.gone) == (30, 0, 0)
    assert hub.paths == ["/docs/demo/llms-full.txt"]
    state = done.libraries[0]
    assert (state.name, state.version, state.pages, state.left, state.days) == ("demo", "v1.2.0", 30, 0, 0.0)
    assert consistent()[0] == 30


def test_no_token_is_sent(hub: StandIn) -> None:
    serve(hub, written("demo", 3), whole=False)
    docs.update("demo")
    docs.read("demo/guides/page_00001")
    docs.libraries()
    assert hub.requests
    assert not any("authorization" in asked.headers or "hf_" in str(asked.headers) for asked in hub.requests)


def test_page_by_page_where_there_is_no_single_file(hub: StandIn) -> None:
    serve(hub, written("demo", 30), whole=False)
    done = docs.update("demo")
    assert done.changed == 30
    assert any("one by one" in note for note in done.notes)
    assert sum(path.endswith(".md") for path in hub.paths) == 30
    assert consistent()[0] == 30


def test_both_ways_give_the_same_pages(hub: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library = written("demo", 5)
    serve(hub, library)
    docs.update("demo")
    first = docs.read("demo/guides/page_00003").text
    monkeypatch.setenv("TRAINWRIGHT_HOME", str(tmp_path))
    hub.fault("/docs/demo/llms-full.txt", "status:404", times=None)
    docs.update("demo")
    assert docs.read("demo/guides/page_00003").text == first


@pytest.mark.parametrize("fault", ["malformed", "redirect:https://10.0.0.1/x", "status:403", "truncated", "huge"])
def test_a_single_file_that_is_none_is_told_and_done_without(
    hub: StandIn, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("trainwright.tools.lookup.docs.origins.WHOLE", 2**20)
    serve(hub, written("demo", 5))
    hub.fault("/docs/demo/llms-full.txt", fault, times=None)
    done = docs.update("demo")
    assert done.changed == 5
    assert any("one by one" in note for note in done.notes)


def test_pages_that_the_single_file_lacks_are_fetched(hub: StandIn) -> None:
    library = written("demo", 5)
    serve(hub, library)
    cut = library.whole[: library.whole.index("### " + library.title("guides/page_00004"))]
    hub.route("GET", "/docs/demo/llms-full.txt", cut)
    done = docs.update("demo")
    assert done.changed == 5
    assert hub.paths == ["/docs/demo/llms-full.txt", "/docs/demo/guides/page_00004.md"]


def test_the_sources_on_github_stand_in_and_that_is_said(hub: StandIn) -> None:
    serve(hub, written("demo", 5), whole=False, pages=False, listing=False, github="huggingface/demo/main/docs/source")
    done = docs.update("demo")
    assert done.changed == 5
    assert any("GitHub" in note and "docstrings" in note for note in done.notes)
    again = docs.update("demo")
    assert (again.changed, again.same) == (0, 5)
    assert consistent()[0] == 5


def test_who_knows_nothing_of_it_is_named(hub: StandIn) -> None:
    with pytest.raises(NotFound, match=r"demo cannot be had.*Hugging Face documentation.*GitHub"):
        docs.update("demo")
    assert docs.libraries().indexed == []


def test_a_service_that_is_down_is_told(hub: StandIn) -> None:
    hub.fault("*", "down", times=None)
    with pytest.raises(RemoteUnavailable, match="cannot be reached"):
        docs.update("demo")


def test_a_fresh_index_is_not_asked_about(hub: StandIn) -> None:
    serve(hub, written("demo", 5))
    docs.search("model", "demo")
    asked = len(hub.requests)
    docs.search("model", "demo")
    assert len(hub.requests) == asked


def test_an_old_index_is_looked_at_again_in_one_request(hub: StandIn) -> None:
    serve(hub, written("demo", 5))
    docs.update("demo")
    age(8)
    asked = len(hub.requests)
    docs.search("model", "demo")
    assert hub.paths[asked:] == ["/docs/demo/llms-full.txt"]
    assert "if-none-match" in hub.requests[-1].headers
    assert docs.libraries().indexed[0].days == 0.0


@pytest.mark.parametrize("whole", [True, False])
def test_only_what_has_changed_is_indexed_again_and_what_is_gone_is_removed(
    hub: StandIn, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = written("demo", 20)
    before = library.pages["guides/page_00003"]
    library.pages["guides/page_00003"] = before + "\nThe word theremin goes.\n"
    serve(hub, library, whole=whole)
    docs.update("demo")
    assert docs.search("theremin", "demo").hits
    library.pages["guides/page_00003"] = before + "\nThe word xylophone is new.\n"
    del library.pages["guides/page_00007"]
    library.pages["new/page"] = "# New\n\nA zither.\n"
    monkeypatch.setattr("trainwright.tools.lookup.docs.origins.fetch", _without_cache())
    age(8)
    done = docs.update("demo")
    assert (done.changed, done.same, done.gone) == (2, 18, 1)
    assert [hit.page for hit in docs.search("xylophone", "demo").hits] == ["demo/guides/page_00003"]
    assert docs.search("theremin", "demo").hits == []
    assert [hit.page for hit in docs.search("zither", "demo").hits] == ["demo/new/page"]
    assert consistent()[0] == 20
    with pytest.raises(NotFound):
        docs.read("demo/guides/page_00007")


def _without_cache() -> Callable[..., object]:
    from trainwright.tools.http import fetch

    return lambda address, **options: fetch(address, **{**options, "age": -1.0})


def test_an_index_that_cannot_be_refreshed_is_used_and_that_is_said(hub: StandIn) -> None:
    serve(hub, written("demo", 5), github="huggingface/demo/main/docs/source")
    docs.update("demo")
    age(8)
    hub.fault("/docs/*", "down", times=None)
    found = docs.search("model", "demo")
    assert found.hits
    assert any("could not be looked at again" in note for note in found.notes)
    assert not any("/main/" in path for path in hub.paths), "bare sources must not take the place of rendered pages"


def test_a_service_in_trouble_is_not_tried_at_every_question(hub: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(hub, written("demo", 5))
    docs.update("demo")
    age(8)
    hub.fault("/docs/*", "down", times=None)
    docs.search("model", "demo")
    asked = len(hub.requests)
    found = docs.search("model", "demo")
    assert found.hits
    assert any("8 days old" in note and "not long ago" in note for note in found.notes)
    assert len(hub.requests) == asked
    hub.mend()
    monkeypatch.setattr("trainwright.tools.lookup.docs.searching.AGAIN", 0.0)
    assert docs.search("model", "demo").notes == []


def test_a_page_that_is_not_there_does_not_stop_the_others(hub: StandIn) -> None:
    serve(hub, written("demo", 5), whole=False)
    hub.fault("/docs/demo/guides/page_00002.md", "status:404", times=None)
    done = docs.update("demo")
    assert done.changed == 4
    assert any("page_00002 is listed, but not there" in note for note in done.notes)


def test_a_service_that_has_had_enough_is_not_asked_on_and_the_rest_comes_next_time(hub: StandIn) -> None:
    serve(hub, written("demo", 60), whole=False)
    served = 0
    full = threading.Event()

    def rationed(asked: object) -> Canned | None:
        nonlocal served
        served += 1
        if served > 20 and not full.is_set():
            return Canned(b"", status=429, headers={"ratelimit": '"pages";r=0;t=290'})
        return None

    hub.route("GET", "/docs/demo/guides/*", rationed)
    first = docs.update("demo")
    assert first.libraries[0].left >= 40 - 8
    assert any("290 s" in note and "goes on with them" in note for note in first.notes)
    full.set()
    served = 0
    second = docs.update("demo")
    assert served == 60 - first.changed, "what was there was not asked for again"
    assert second.libraries[0].left == 0
    assert consistent()[0] == 60


class Clock:
    """A clock that a test puts forward."""

    time, sleep = staticmethod(time.time), staticmethod(time.sleep)

    def __init__(self) -> None:
        self.forward = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.forward


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of rounds and lookups."""
    made = Clock()
    for module in (building, searching, situation):
        monkeypatch.setattr(module, "time", made)
    return made


def test_the_time_of_a_question_is_limited(hub: StandIn, clock: Clock) -> None:
    serve(hub, written("demo", 60), whole=False)

    def count(asked: object) -> None:
        if sum(path.endswith(".md") for path in hub.paths) > 20:
            clock.forward = building_seconds()

    hub.route("GET", "/docs/demo/guides/*", count)
    found = docs.search("model", "demo")
    assert any("The time for it was used up" in note for note in found.notes)
    assert 0 < docs.libraries().indexed[0].pages < 60


def building_seconds() -> float:
    return searching.BUILD_SECONDS + 1


def test_a_single_file_that_takes_too_long_leaves_time_for_pages(hub: StandIn, clock: Clock) -> None:
    serve(hub, written("demo", 5), whole=False)

    def slow(asked: object) -> Canned:
        clock.forward += building_seconds() / 2
        return Canned(b"", status=503)

    hub.route("GET", "/docs/demo/llms-full.txt", slow)
    found = docs.search("model", "demo")
    assert found.hits
    assert docs.libraries().indexed[0].pages == 5
    assert hub.paths.count("/docs/demo/llms-full.txt") == 1


def test_a_large_single_file_is_taken_in_several_questions(
    hub: StandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(hub, written("demo", 120))

    def late(*_: object) -> None:
        clock.forward = building_seconds()

    found = docs.search("model", "demo", progress=late)
    assert any("70 of 120 pages" in note and "used up" in note for note in found.notes)
    state = docs.libraries().indexed[0]
    assert (state.pages, state.left, state.days) == (50, 70, None)
    clock.forward = 0.0
    monkeypatch.setattr("trainwright.tools.lookup.docs.searching.AGAIN", 0.0)
    assert docs.search("model", "demo").notes == []
    assert consistent()[0] == 120


@pytest.mark.parametrize(("build", "lookup"), [(0.0, float("inf")), (120.0, 0.0)])
def test_indexing_is_limited_too_and_goes_on_with_the_next_question(
    hub: StandIn, monkeypatch: pytest.MonkeyPatch, build: float, lookup: float
) -> None:
    serve(hub, written("demo", 7))
    with monkeypatch.context() as patch:
        patch.setattr(store.Index, "index_waiting", lambda *_: 0)
        docs.update("demo")
    with monkeypatch.context() as patch:
        patch.setattr(store, "BATCH", 2)
        patch.setattr(searching, "BUILD_SECONDS", build)
        with lookups(seconds=lookup):
            found = docs.search("model", "demo")
    assert found.hits
    assert any("5 pages are there, but not indexed yet" in note for note in found.notes)
    assert docs.search("model", "demo").notes == []
    assert consistent()[0] == 7


def test_indexing_can_be_stopped(hub: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(hub, written("demo", 7))
    monkeypatch.setattr(store, "BATCH", 2)
    stop = False

    def late(*_: object) -> None:
        nonlocal stop
        stop = True

    with lookups(cancelled=lambda: stop), pytest.raises(RemoteUnavailable, match="stopped"):
        docs.update("demo", progress=late)
    assert _stored("WHERE indexed = 0") == 5
    assert docs.search("model", "demo").hits
    assert consistent()[0] == 7


@pytest.mark.parametrize("whole", [True, False])
def test_a_page_that_cannot_be_read_is_told_for_as_long_as_it_is_missing(hub: StandIn, whole: bool) -> None:
    library = written("demo", 5)
    serve(hub, library, whole=False)
    if whole:
        cut = library.whole[: library.whole.index("### " + library.title("guides/page_00004"))]
        hub.route("GET", "/docs/demo/llms-full.txt", tagged(lambda: cut, "text/plain"))
    hub.fault("/docs/demo/guides/page_00004.md", "status:403", times=None)
    done = docs.update("demo")
    assert (done.changed, done.libraries[0].left) == (4, 1)
    assert any("page_00004 could not be read" in note for note in done.notes)
    found = docs.search("model", "demo")
    assert found.hits
    assert any("Pages of demo that could not be read and are missing or older: 1;" in note for note in found.notes)
    hub.mend()
    age(2)
    assert not any("could not be read" in note for note in docs.search("model", "demo").notes)
    assert docs.libraries().indexed[0].left == 0
    assert docs.search("model", "demo").notes == []
    assert consistent()[0] == 5


def test_a_lookup_that_is_stopped_keeps_what_it_has(hub: StandIn) -> None:
    serve(hub, written("demo", 60), whole=False)
    with (
        lookups(cancelled=lambda: sum(path.endswith(".md") for path in hub.paths) > 20),
        pytest.raises(RemoteUnavailable),
    ):
        docs.update("demo")
    kept = docs.libraries().indexed[0].pages
    assert kept > 0
    assert docs.update("demo").changed == 60 - kept


def test_progress_is_told(hub: StandIn) -> None:
    serve(hub, written("demo", 20), whole=False)
    told: list[tuple[str, int, int]] = []
    docs.update("demo", progress=lambda *step: told.append(step))
    assert told[-1] == ("demo", 20, 20)


def test_offline_nothing_is_asked_and_what_is_there_answers(hub: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(hub, written("demo", 5))
    docs.update("demo")
    age(30)
    asked = len(hub.requests)
    with lookups(offline=True):
        found = docs.search("model", "demo")
        assert found.hits
        assert any("30 days old" in note for note in found.notes)
        assert docs.read("demo/guides/page_00001").sources[0].stale
        assert docs.pages("demo").total == 5
        assert docs.libraries().indexed[0].name == "demo"
        with pytest.raises(NotCached, match="other is not indexed"):
            docs.search("model", "other")
        with pytest.raises(NotCached):
            docs.update("demo")
    assert len(hub.requests) == asked


def test_a_kill_loses_nothing_that_was_done(hub: StandIn) -> None:
    serve(hub, written("demo", 200), whole=False)
    gate = threading.Event()

    def slow(asked: object) -> None:
        if sum(path.endswith(".md") for path in hub.paths) > 80:
            gate.wait(20)

    hub.route("GET", "/docs/demo/guides/*", slow)
    process = subprocess.Popen([sys.executable, "-c", UPDATE, "demo"], env=dict(os.environ))
    try:
        wait_until(lambda: _stored() >= 70)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    gate.set()
    before = _stored()
    assert before >= 70
    asked = len(hub.requests)
    done = docs.update("demo")
    pages = [path for path in hub.paths[asked:] if path.endswith(".md")]
    assert len(pages) == len(set(pages)) == 200 - before
    assert done.changed == 200 - before
    assert consistent()[0] == 200


def _stored(where: str = "") -> int:
    path = file.folder() / "index.db"
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as database:
        try:
            return int(database.execute(f"SELECT count(*) FROM pages {where}").fetchone()[0])
        except sqlite3.OperationalError:  # the tables are not made yet
            return 0


def wait_until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it never came so far"
        time.sleep(0.01)


@pytest.mark.parametrize("kill_after", [0.35, 0.6, 0.9, 1.2])
def test_a_kill_at_any_moment_leaves_a_sound_index(hub: StandIn, kill_after: float) -> None:
    serve(hub, written("demo", 400))
    process = subprocess.Popen([sys.executable, "-c", UPDATE, "demo"], env=dict(os.environ))
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(kill_after)
    process.kill()
    process.wait(10)
    docs.update("demo")
    assert consistent()[0] == 400
    assert docs.search("model", "demo").hits


def test_pages_that_a_kill_left_unindexed_are_found_by_the_next_question(
    hub: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(hub, written("demo", 5))
    with monkeypatch.context() as patch:
        patch.setattr(store.Index, "index_waiting", lambda *_: 0)
        docs.update("demo")
    with lookups(offline=True):
        assert docs.search("model", "demo").hits
    assert consistent()[0] == 5


def test_two_processes_do_the_work_once(hub: StandIn) -> None:
    serve(hub, written("demo", 150), whole=False)
    processes = [subprocess.Popen([sys.executable, "-c", UPDATE, "demo"], env=dict(os.environ)) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    pages = [path for path in hub.paths if path.endswith(".md")]
    assert len(pages) == 150
    assert consistent()[0] == 150


def test_processes_may_build_different_libraries_at_once(hub: StandIn) -> None:
    names = [f"demo{n}" for n in range(3)]
    for name in names:
        serve(hub, written(name, 60))
    processes = [subprocess.Popen([sys.executable, "-c", UPDATE, name], env=dict(os.environ)) for name in names]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert consistent()[0] == 180


def test_a_question_does_not_wait_for_ever_for_another_process(hub: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(hub, written("demo", 5))
    docs.update("demo")
    age(8)
    monkeypatch.setattr("trainwright.tools.lookup.docs.searching.BUILD_SECONDS", 0.1)
    with held("demo"):
        found = docs.search("model", "demo")
    assert found.hits
    assert any("Another process is building" in note for note in found.notes)


@contextlib.contextmanager
def held(name: str) -> Iterator[None]:
    """Another process builds this library."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(str(file.folder() / f"{name}.lock"), ready, done))
    process.start()
    try:
        assert ready.wait(30)
        yield
    finally:
        done.set()
        process.join(10)


def _hold(path: str, ready: threading.Event, done: threading.Event) -> None:
    import fcntl

    with Path(path).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready.set()
        done.wait(30)


@pytest.mark.parametrize("damage", ["garbage", "middle", "empty", "tables"])
def test_a_damaged_index_is_moved_aside_and_built_anew(hub: StandIn, damage: str) -> None:
    serve(hub, written("demo", 40))
    docs.update("demo")
    path = file.folder() / "index.db"
    _damage(path, damage)
    found = docs.search("model", "demo")
    assert found.hits
    if damage != "empty":  # a file without a byte is a new one
        assert any("damaged" in note for note in found.notes)
        assert path.with_name("index.damaged.db").exists()
    assert consistent()[0] == 40


def _damage(path: Path, how: str) -> None:
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    if how == "garbage":
        path.write_bytes(b"no database" * 1000)
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "middle":
        raw = bytearray(path.read_bytes())
        raw[4096:] = os.urandom(len(raw) - 4096)
        path.write_bytes(bytes(raw))
    else:
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("DROP TABLE pages")


FIRST_LAYOUT = """
DROP TABLE heads;
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (library, title, heading, body, parts, content = '', tokenize = 'unicode61');
ALTER TABLE libraries DROP COLUMN unread;
PRAGMA user_version = 10101;
"""


def test_the_pages_of_an_older_program_are_kept_and_indexed_anew(hub: StandIn) -> None:
    serve(hub, written("demo", 5))
    docs.update("demo")
    with contextlib.closing(sqlite3.connect(file.folder() / "index.db")) as database:
        database.executescript(FIRST_LAYOUT)
    with lookups(offline=True):
        found = docs.search("model", "demo")
        assert len({hit.page for hit in found.hits}) == 5
        assert ["another version of this program: its 5 pages were kept" in note for note in found.notes] == [True]
        assert docs.search("model", "demo").notes == []
    assert consistent()[0] == 5
    asked = len(hub.requests)
    assert docs.update("demo").same == 5
    assert hub.paths[asked:] == ["/docs/demo/llms-full.txt"]
    assert "if-none-match" in hub.requests[-1].headers


def test_pages_that_were_read_in_another_way_are_fetched_again_when_that_is_due(hub: StandIn) -> None:
    serve(hub, written("demo", 5), whole=False)
    docs.update("demo")
    with contextlib.closing(sqlite3.connect(file.folder() / "index.db")) as database:
        database.execute("PRAGMA user_version = 7")
    assert docs.search("model", "demo").hits
    assert docs.update("demo").changed == 5
    assert consistent()[0] == 5


def test_an_index_of_a_layout_that_is_not_known_is_moved_aside(hub: StandIn) -> None:
    serve(hub, written("demo", 5))
    docs.update("demo")
    path = file.folder() / "index.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript("DROP TABLE pages; CREATE TABLE pages (other TEXT); PRAGMA user_version = 999999")
    found = docs.search("model", "demo")
    assert found.hits
    assert any("moved to" in note for note in found.notes)
    assert path.with_name("index.damaged.db").exists()


def test_a_place_that_cannot_be_written_is_told(hub: StandIn, own_home: Path) -> None:
    (own_home / "cache").write_text("a file where the folder should be")
    for ask in (docs.search, docs.update):
        with pytest.raises(StoreError, match="cannot be used"):
            ask("demo")


def test_the_index_is_for_this_person_alone(hub: StandIn) -> None:
    serve(hub, written("demo", 2))
    docs.update("demo")
    assert (file.folder() / "index.db").stat().st_mode & 0o077 == 0
    assert file.folder().stat().st_mode & 0o077 == 0


def test_updating_without_a_name_looks_at_all_that_is_indexed(hub: StandIn) -> None:
    assert "No library is indexed yet" in docs.update().notes[0]
    for name in ("one", "two"):
        serve(hub, written(name, 3))
        docs.update(name)
    hub.fault("/docs/one/*", "down", times=None)
    done = docs.update()
    assert done.same == 3
    assert any("one" in note and "could not be looked at again" in note for note in done.notes)


def test_a_round_of_another_version_is_begun_anew(hub: StandIn) -> None:
    library = Library("demo", dict(written("demo", 20).pages), "v1.0.0")
    serve(hub, library, whole=False)
    hub.fault("/docs/demo/guides/page_0001*", "down", times=None)
    docs.update("demo")
    assert docs.libraries().indexed[0].left > 0
    hub.mend()
    library.version = "v2.0.0"
    library.pages["guides/page_00001"] = "# Other\n\nxylophone\n"
    with contextlib.suppress(FileNotFoundError):
        import shutil

        shutil.rmtree(file.folder().parent / "http")
    docs.update("demo")
    assert docs.search("xylophone", "demo").hits[0].page == "demo/guides/page_00001"
    assert building.is_fresh(file.with_index(lambda index: index.library("demo"), []))


def test_clearing_forgets_all_documentation(hub: StandIn) -> None:
    assert (file.size(), file.clear()) == (0, file.Cleared())
    for name in ("one", "two"):
        serve(hub, written(name, 30))
        docs.update(name)
    before = file.size()
    assert file.clear() == file.Cleared(2)
    assert file.size() < before / 5
    assert file.clear() == file.Cleared()
    assert docs.libraries().indexed == []
    assert docs.search("model", "one").hits
    assert consistent()[0] == 30


def test_a_process_that_has_the_index_open_sees_it_empty_and_sound(hub: StandIn) -> None:
    serve(hub, written("demo", 5))
    docs.update("demo")

    def use(index: store.Index) -> int:
        assert index.libraries()
        assert file.clear() == file.Cleared(1)
        return len(index.libraries())

    notes: list[str] = []
    assert file.with_index(use, notes) == 0
    assert notes == []


def test_what_is_being_built_is_not_cleared(hub: StandIn) -> None:
    serve(hub, written("demo", 5))
    told: list[str] = []

    def clear(*_: object) -> None:
        with pytest.raises(StoreError, match="is being built"):
            assert file.clear() == file.Cleared(0, damaged=True)
        told.append("refused")

    docs.update("demo", progress=clear)
    assert told
    assert consistent()[0] == 5


def test_clearing_a_damaged_index_removes_it(hub: StandIn) -> None:
    serve(hub, written("demo", 5))
    docs.update("demo")
    _damage(file.folder() / "index.db", "garbage")
    assert file.clear() == file.Cleared(0, damaged=True)
    assert [path.name for path in file.folder().glob("*damaged*")] == []
    assert docs.search("model", "demo").hits


@pytest.mark.parametrize("name", ["index", "use"])
def test_a_library_may_be_called_anything(hub: StandIn, name: str) -> None:
    serve(hub, written(name, 3))
    docs.update(name)
    assert docs.search("model", name).hits
