"""The run database: old files get new columns, and what SQLite says becomes something that a person can act on."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from trainwright.graph.database import add_columns, busy_seconds, create_private, store_error, transaction
from trainwright.graph.errors import StoreError

SCHEMA = "CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY)"
LATER = {"colour": "TEXT NOT NULL DEFAULT 'red'", "weight": "INTEGER"}


def test_an_old_table_gets_the_columns_that_came_later_and_keeps_its_rows() -> None:
    with transaction(SCHEMA) as db:
        db.execute("INSERT INTO things VALUES ('old')")
    for _ in range(2):
        with transaction(SCHEMA) as db:
            add_columns(db, "things", LATER)
            db.execute("INSERT OR IGNORE INTO things (name, weight) VALUES ('new', 3)")
    with transaction(SCHEMA) as db:
        rows = [tuple(row) for row in db.execute("SELECT name, colour, weight FROM things ORDER BY name")]
    assert rows == [("new", "red", 3), ("old", "red", None)]


def test_columns_are_added_with_the_work_that_needs_them_or_not_at_all() -> None:
    def broken() -> None:
        with transaction(SCHEMA) as db:
            add_columns(db, "things", LATER)
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError, match="in between"):
        broken()
    with transaction(SCHEMA) as db:
        assert [row["name"] for row in db.execute("PRAGMA table_info(things)")] == ["name"]


def test_an_error_in_the_middle_leaves_nothing_of_the_work() -> None:
    def twice() -> None:
        with transaction(SCHEMA) as db:
            db.execute("INSERT INTO things VALUES ('a')")
            db.execute("INSERT INTO things VALUES ('a')")

    with pytest.raises(StoreError, match="UNIQUE"):
        twice()
    with transaction(SCHEMA) as db:
        assert db.execute("SELECT COUNT(*) FROM things").fetchone()[0] == 0


def test_a_full_database_says_so_and_keeps_what_was_committed() -> None:
    with transaction(SCHEMA) as db:
        db.execute("INSERT INTO things VALUES ('kept')")

    def overfill() -> None:
        with transaction(SCHEMA) as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count={pages}")
            db.execute("INSERT INTO things VALUES (?)", ("x" * 100_000,))

    with pytest.raises(StoreError, match="is full") as caught:
        overfill()
    assert "free some space and resume" in caught.value.hint
    with transaction(SCHEMA) as db:
        assert [row["name"] for row in db.execute("SELECT name FROM things")] == ["kept"]


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (sqlite3.SQLITE_BUSY, "Another process holds it"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "Another process holds it"),
        (sqlite3.SQLITE_LOCKED, "Another process holds it"),
        (sqlite3.SQLITE_FULL, "free some space"),
        (sqlite3.SQLITE_READONLY, "writable"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "writable"),
        (sqlite3.SQLITE_CANTOPEN, "writable"),
        (sqlite3.SQLITE_CORRUPT, "restore a copy"),
        (sqlite3.SQLITE_NOTADB, "restore a copy"),
        (sqlite3.SQLITE_IOERR_WRITE, "full, over a quota, or failing"),
        (sqlite3.SQLITE_ERROR, "trainwright doctor"),
    ],
)
def test_each_trouble_comes_with_what_to_do(error: int, hint: str) -> None:
    raised = sqlite3.OperationalError("words of SQLite")
    raised.sqlite_errorcode = error
    told = store_error(raised, Path("/some/where/runs.db"))
    assert "/some/where/runs.db cannot be used: words of SQLite" in told.message
    assert hint in told.hint


def test_an_error_without_a_code_has_a_hint_too() -> None:
    assert store_error(sqlite3.ProgrammingError("Cannot operate on a closed database.")).hint


@pytest.mark.parametrize(("given", "seconds"), [("0.25", 0.25), ("0", 0.0), ("-3", 0.0), ("soon", 30.0), (None, 30.0)])
def test_how_long_to_wait_can_be_said(monkeypatch: pytest.MonkeyPatch, given: str | None, seconds: float) -> None:
    if given is None:
        monkeypatch.delenv("TRAINWRIGHT_BUSY_SECONDS", raising=False)
    else:
        monkeypatch.setenv("TRAINWRIGHT_BUSY_SECONDS", given)
    assert busy_seconds() == seconds


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    create_private(tmp_path / "new" / "runs.db")
    assert stat.S_IMODE((tmp_path / "new" / "runs.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_place_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened: ") as caught:
        create_private(tmp_path / "file" / "runs.db")
    assert "TRAINWRIGHT_HOME" in caught.value.hint
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 - names are what is compared
