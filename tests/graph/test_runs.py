"""The table of runs and the database under it."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from trainwright.graph import database
from trainwright.graph.errors import RequestError, RunNotFound, StoreError
from trainwright.graph.runs import Runs, slug


def test_a_thread_has_one_name_for_ever(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "runs.db")
    name = runs.open("t1", "", "Digits SVM", {"data": "sklearn:digits"})
    assert name.startswith("digits-svm-")
    assert runs.open("t1", "", "other", {}) == name
    assert [row.data for row in runs.list()] == ["sklearn:digits"]


def test_a_prefix_is_enough_if_it_is_unique(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "runs.db")
    for thread, name in (("1", "alpha"), ("2", "alphabet"), ("3", "beta")):
        runs.open(thread, name, "", {})
    assert runs.resolve("b").name == "beta"
    assert runs.resolve("alpha").name == "alpha"
    with pytest.raises(RunNotFound, match=r"alpha, alphabet|alphabet, alpha"):
        runs.resolve("alp")
    with pytest.raises(RunNotFound, match="no run named"):
        runs.resolve("gamma")
    with pytest.raises(RunNotFound):
        runs.resolve("")


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "-a", "a b", "x" * 80, "a..b", "ü"])
def test_names_that_are_no_folder_names_are_refused(tmp_path: Path, name: str) -> None:
    runs = Runs(tmp_path / "runs.db")
    if name:
        with pytest.raises(RequestError):
            runs.open("t", name, "", {})
    assert runs.list() == []


def test_a_taken_name_is_refused(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "runs.db")
    runs.open("1", "mine", "", {})
    with pytest.raises(RequestError, match="mine"):
        runs.open("2", "mine", "", {})


def test_what_waits_and_the_result_come_back_as_they_were(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "runs.db")
    runs.open("1", "mine", "", {})
    runs.update("mine", status="waiting", waiting={"gate": "approve_plan", "card": {"a": [1]}}, steps=4)
    row = runs.get("mine")
    assert (row.status, row.steps, row.waiting) == ("waiting", 4, {"gate": "approve_plan", "card": {"a": [1]}})
    assert row.alive


def test_the_database_is_private(tmp_path: Path) -> None:
    Runs(tmp_path / "sub" / "runs.db").open("1", "mine", "", {})
    assert stat.S_IMODE((tmp_path / "sub" / "runs.db").stat().st_mode) == 0o600


def test_listing_makes_no_database(tmp_path: Path) -> None:
    assert Runs(tmp_path / "runs.db").list() == []
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.write_bytes(b"this is no database, not at all" * 200)
    with pytest.raises(StoreError, match=r"runs.db.*damaged"):
        Runs(path).list()


def test_a_locked_database_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs.db"
    runs = Runs(path)
    runs.open("1", "mine", "", {})
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreError, match="locked"):
            runs.update("mine", steps=2)
    finally:
        holder.close()
    runs.update("mine", steps=3)
    assert runs.get("mine").steps == 3


def test_slugs_are_names() -> None:
    assert slug("Ünïcode & Co: a/b") == "n-code-co-a-b"
    assert slug("!!!") == ""
