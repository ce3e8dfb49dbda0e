"""What is kept on the disk: fresh, compared, old, too much, damaged, secret."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.standin import Canned, StandIn
from trainwright.graph.errors import RemoteUnavailable
from trainwright.tools.http import Cache, Service, cache_folder, cache_of, fetch, index, kept


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds by which the time is ahead."""
    ahead = [0.0]
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0])
    return ahead


def test_fresh_then_asked_again(standin: StandIn, service: Service, clock: list[float]) -> None:
    standin.route("GET", "/x", "one")
    assert fetch("x", service=service, age=100).text == "one"
    standin.route("GET", "/x", "two")
    clock[0] = 99
    assert fetch("x", service=service, age=100).cached
    clock[0] = 101
    answer = fetch("x", service=service, age=100)
    assert (answer.text, answer.cached) == ("two", False)
    assert fetch("x", service=service, age=0).text == "two"
    assert len(standin.requests) == 3


@pytest.mark.parametrize(("header", "question"), [("etag", "if-none-match"), ("last-modified", "if-modified-since")])
def test_an_old_answer_is_compared(
    standin: StandIn, service: Service, clock: list[float], header: str, question: str
) -> None:
    value = '"abc"' if header == "etag" else "Wed, 01 Jan 2025 00:00:00 GMT"
    standin.route(
        "GET", "/x",
        lambda asked: Canned(status=304) if asked.headers.get(question) == value else Canned("one", headers={header: value}),
    )  # fmt: skip
    fetch("x", service=service, age=100)
    clock[0] = 200
    answer = fetch("x", service=service, age=100)
    assert (answer.text, answer.cached, answer.stale) == ("one", True, False)
    clock[0] = 290
    assert fetch("x", service=service, age=100).text == "one"
    assert len(standin.requests) == 2


@pytest.mark.parametrize("header", ["etag", "last-modified"])
def test_what_cannot_be_sent_back_is_not_compared(
    standin: StandIn, service: Service, clock: list[float], header: str
) -> None:
    standin.route("GET", "/x", Canned("one", headers={header: '"ü"'}))
    fetch("x", service=service, age=100)
    clock[0] = 200
    assert (fetch("x", service=service, age=100).cached, len(standin.requests)) == (False, 2)


@pytest.mark.parametrize("kind", ["down", "status:503"])
def test_an_old_answer_where_the_service_is_down(
    standin: StandIn, service: Service, clock: list[float], kind: str
) -> None:
    standin.route("GET", "/x", "one")
    fetch("x", service=service, age=100)
    clock[0] = 200
    standin.fault("/x", kind, times=None)
    answer = fetch("x", service=service, age=100)
    assert (answer.text, answer.cached, answer.stale) == ("one", True, True)
    assert answer.source().stale


def test_what_is_not_kept(standin: StandIn, service: Service) -> None:
    standin.route("*", "/x", "x")
    standin.route("GET", "/secret", Canned("x", headers={"cache-control": "private, No-Store"}))
    for _ in range(2):
        assert not fetch("x", service=service, method="POST", json={}).cached
        assert not fetch("x", service=service, age=-1).cached
        assert not fetch("secret", service=service).cached
    assert cache_of().usage().entries == 0


def test_a_post_is_kept_where_an_age_is_named(standin: StandIn, service: Service) -> None:
    standin.route("POST", "/x", lambda asked: asked.body)
    for body in ({"a": 1}, {"a": 2}, {"a": 1}):
        assert fetch("x", service=service, method="POST", json=body, age=60).json() == body
    assert len(standin.requests) == 2


def test_one_with_a_token_is_for_that_token_alone(standin: StandIn, own_home: Path) -> None:
    standin.route("GET", "/x", lambda asked: f"for {asked.headers.get('authorization', 'all')[-5:]}")
    tokens = ["first-token-11111", "other-token-22222", "", "first-token-11111"]
    services = [Service("Example", standin.url, token=lambda token=token: token) for token in tokens]  # type: ignore[misc]
    assert [fetch("x", service=one).text for one in services] == ["for 11111", "for 22222", "for all", "for 11111"]
    assert len(standin.requests) == 3
    everything = b"".join(path.read_bytes() for path in own_home.rglob("*") if path.is_file())
    assert b"first-token" not in everything


def test_no_secret_of_an_address_is_kept(standin: StandIn, service: Service, own_home: Path) -> None:
    standin.route("GET", "/x", "x")
    for _ in range(2):
        fetch(
            "x", service=service, params={"access_token": "very-secret-1", "X-Amz-Signature": "very-secret-2", "q": "a"}
        )
    fetch("x", service=service, params={"access_token": "very-secret-3", "q": "a"})
    assert len(standin.requests) == 2
    everything = b"".join(path.read_bytes() for path in own_home.rglob("*") if path.is_file())
    assert b"very-secret" not in everything
    assert b"access_token=[redacted]" in everything


def test_only_the_person_can_read_it(standin: StandIn, service: Service) -> None:
    standin.route("GET", "/x", "x")
    old = os.umask(0)
    try:
        fetch("x", service=service)
    finally:
        os.umask(old)
    for path in [cache_folder(), *cache_folder().rglob("*")]:
        allowed = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == allowed, path


def damage_index(folder: Path) -> None:
    cache_of().close()
    (folder / "index.sqlite").write_bytes(b"no database at all" * 1000)
    for name in ("index.sqlite-wal", "index.sqlite-shm"):
        (folder / name).unlink(missing_ok=True)


def damage_open_index(folder: Path) -> None:
    with (folder / "index.sqlite").open("r+b") as file:
        file.write(b"garbage" * 2000)


def lose_table(folder: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as index:
        index.execute("DROP TABLE entries")


def other_version(folder: Path) -> None:
    cache_of().close()
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as index:
        index.execute("DROP TABLE entries")
        index.execute("CREATE TABLE entries (key TEXT)")
        index.execute("PRAGMA user_version = 99")


def lose_bodies(folder: Path) -> None:
    for path in (folder / "bodies").glob("*/*"):
        path.unlink()


def change_bodies(folder: Path) -> None:
    for path in (folder / "bodies").glob("*/*"):
        path.write_bytes(b"something else")


def garbage_row(folder: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as index, index:
        index.execute("UPDATE entries SET headers = '{', digest = '../../../etc/passwd'")


def lose_folder(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "damage",
    [damage_index, damage_open_index, lose_table, other_version, lose_bodies, change_bodies, garbage_row, lose_folder],
)
def test_damage_is_mended_by_asking_anew(standin: StandIn, service: Service, damage: object) -> None:
    standin.route("GET", "/*", lambda asked: asked.path)
    fetch("x", service=service)
    damage(cache_folder())  # type: ignore[operator]
    for _ in range(3):
        assert fetch("x", service=service).text == "/x"
        assert fetch("y", service=service).text == "/y"
    assert fetch("x", service=service).cached
    assert len(standin.requests) <= 4


@pytest.mark.skipif(os.geteuid() == 0 and sys.platform != "linux", reason="needs a folder that cannot be written")
def test_nothing_is_kept_where_nothing_can_be_written(
    standin: StandIn, service: Service, own_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (own_home / "cache").write_text("a file where the folder would be")
    standin.route("GET", "/x", "x")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert not fetch("x", service=service).cached
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "Nothing can be kept in the cache" in warnings[0]


def test_a_full_disk(
    standin: StandIn, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    standin.route("GET", "/*", "x")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as inside:
        inside.setattr(Cache, "_store", full)
        assert fetch("x", service=service).text == "x"
    assert "No space left" in caplog.text
    assert not fetch("x", service=service).cached
    assert fetch("x", service=service).cached


def test_an_index_that_can_only_be_read(standin: StandIn, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.route("GET", "/*", "x")
    fetch("x", service=service)
    cache_of().close()
    real = os.open

    def refuse(path: object, flags: int, *rest: int) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(30, "Read-only file system")
        return real(path, flags, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(index.os, "open", refuse)  # type: ignore[attr-defined]
    assert fetch("x", service=service).cached
    assert not fetch("y", service=service).cached


def test_the_least_used_goes_first(tmp_path: Path, clock: list[float]) -> None:
    store = Cache(tmp_path / "cache", max_bytes=1000, max_days=30)
    for number in range(10):
        clock[0] += 100
        store.put(str(number), "Example", f"http://example.org/{number}", {}, bytes([number]) * 100)
    clock[0] += 100
    assert store.get("0") is not None
    clock[0] += 100
    store.put("new", "Example", "http://example.org/new", {}, b"n" * 100)
    left = [key for key in [*map(str, range(10)), "new"] if store.get(key)]
    assert left == ["0", "3", "4", "5", "6", "7", "8", "9", "new"]
    assert store.usage().bytes == 900
    assert sum(path.stat().st_size for path in (tmp_path / "cache" / "bodies").glob("*/*")) == 900
    store.close()


def test_what_is_too_large_is_not_kept(tmp_path: Path) -> None:
    store = Cache(tmp_path / "cache", max_bytes=1000, max_days=30)
    store.put("a", "Example", "", {}, b"x" * 251)
    assert store.get("a") is None
    store.close()


def test_a_body_that_two_share_stays_until_both_are_gone(tmp_path: Path) -> None:
    store = Cache(tmp_path / "cache", max_bytes=10_000, max_days=30)
    store.put("a", "Example", "http://example.org/a", {}, b"same")
    store.put("b", "Example", "http://example.org/b", {}, b"same")
    store.forget_address("http://example.org/a")
    entry = store.get("b")
    assert store.get("a") is None
    assert entry is not None
    assert entry.body == b"same"
    store.forget_address("http://example.org/b")
    assert list((tmp_path / "cache" / "bodies").glob("*/*")) == []
    store.close()


def test_old_entries_are_removed(tmp_path: Path, clock: list[float]) -> None:
    store = Cache(tmp_path / "cache", max_bytes=10_000, max_days=10)
    store.put("a", "Example", "", {}, b"a")
    clock[0] = 9 * 86_400
    store.put("b", "Example", "", {}, b"b")
    assert (store.get("a") is None, store.prune()) == (False, 0)
    clock[0] = 11 * 86_400
    store.put("c", "Example", "", {}, b"c")
    assert [store.get(key) is None for key in "abc"] == [True, False, False]
    clock[0] = 60 * 86_400
    assert store.prune() == 2
    assert store.usage().entries == 0
    store.close()


def test_an_answer_that_changes_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Cache(tmp_path / "cache", max_bytes=10_000, max_days=10)
    store.put("a", "Example", "", {}, b"old")
    store.put("a", "Example", "", {}, b"new")
    entry = store.get("a")
    assert entry is not None
    assert entry.body == b"new"
    assert [path.read_bytes() for path in (tmp_path / "cache" / "bodies").glob("*/*")] == [b"new"]
    store.close()


def test_what_a_crash_left_is_swept(tmp_path: Path, clock: list[float]) -> None:
    store = Cache(tmp_path / "cache", max_bytes=10_000, max_days=10)
    store.put("a", "Example", "", {}, b"a")
    orphan = next((tmp_path / "cache" / "bodies").glob("*")) / ".new-abc"
    orphan.write_bytes(b"half")
    store.prune()
    assert orphan.exists()
    clock[0] = 7200
    store.prune()
    assert not orphan.exists()
    assert store.get("a") is not None
    assert store.clear() == 1
    assert list((tmp_path / "cache" / "bodies").glob("*/*")) == []
    store.close()


def test_the_limits_of_the_configuration(own_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert cache_of().limits == (1024 * 2**20, 30.0)
    path = own_home / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text("[cache]\nmax_mib = 7\nmax_days = 1.5\n")
    assert cache_of().limits == (7 * 2**20, 1.5)
    path.write_text("[cache]\nmax_mib = 0 # nothing\n")
    os.utime(path, (1, 1))
    assert cache_of().limits == (1024 * 2**20, 30.0)
    assert "cache.max_mib is not usable" in caplog.text


def test_usage(standin: StandIn, service: Service) -> None:
    standin.route("GET", "/*", "12345")
    assert cache_of().usage().entries == 0
    fetch("x", service=service)
    fetch("y", service=service)
    kept("text-1", "abc", lambda: b"1234567")
    usage = cache_of().usage()
    assert (usage.entries, usage.bytes) == (3, 17)
    assert dict(usage.by_name) == {"Example": (2, 10), "text-1": (1, 7)}
    assert usage.oldest is not None
    assert usage.folder == cache_folder()


def test_derived_values_are_made_once() -> None:
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"text"

    assert [kept("text-1", "abc", make) for _ in range(3)] == [b"text"] * 3
    assert kept("text-2", "abc", make) == b"text"
    assert kept("text-1", "abd", make) == b"text"
    assert len(made) == 3


def test_derived_values_are_made_once_by_many_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"text"

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(lambda _: kept("text-1", "abc", make), range(12))) == {b"text"}
    assert len(made) == 1


def test_a_value_that_cannot_be_made_is_not_kept() -> None:
    def fail() -> bytes:
        raise RemoteUnavailable("no")

    with pytest.raises(RemoteUnavailable):
        kept("text-1", "abc", fail)
    assert kept("text-1", "abc", lambda: b"now") == b"now"


PROCESS = """
import sys
from trainwright.tools.http import cache_of
for n in range(60):
    key = f"{(n * 7 + int(sys.argv[1]) * 3) % 20}"
    entry = cache_of().get(key)
    assert entry is None or entry.body == key.encode() * 50, key
    cache_of().put(key, "Example", f"http://example.org/{key}", {}, key.encode() * 50)
    if n % 20 == 7: cache_of().prune()
    if n == 30 and sys.argv[1] == "0": cache_of().clear()
print("done")
"""


def test_several_processes_share_it() -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROCESS, str(n)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(3)
    ]
    told = [process.communicate(timeout=120) for process in running]
    assert told == [("done\n", "")] * 3
    assert cache_of().usage().entries == 20


def test_a_child_of_a_fork_uses_it_too(standin: StandIn, service: Service) -> None:
    standin.route("GET", "/*", lambda asked: asked.path)
    fetch("x", service=service)
    child = os.fork()
    if child == 0:
        fine = fetch("x", service=service).cached and fetch("y", service=service).text == "/y"
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert fetch("y", service=service).cached
    assert fetch("z", service=service).text == "/z"
