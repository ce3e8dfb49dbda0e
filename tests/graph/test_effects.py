"""The journal: an effect happens once, whatever is killed in between."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jobs.conformance import HEAD, eventually
from trainwright.graph.effects import HAPPENED, NOT_HAPPENED, Journal, effect_key
from trainwright.graph.errors import EffectAmbiguous
from trainwright.tools.code import git
from trainwright.tools.hub import LocalHub
from trainwright.tools.jobs import JobSpec, LocalEngine
from trainwright.tools.sandbox import Limits


class Target:
    """An outside system that remembers what was done under which key."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def do(self, key: str) -> str:
        self.done.append(key)
        return f"handle-{len(self.done)}"

    def look_up(self, key: str) -> str | None:
        return f"handle-{self.done.index(key) + 1}" if key in self.done else None


class Killed(BaseException):
    """Stands for a process that ends between two lines."""


def test_the_receipt_is_reused(tmp_path: Path) -> None:
    journal, target = Journal(tmp_path / "runs.db"), Target()
    first = journal.once("r", 1, "job", {"code": "a"}, do=target.do, look_up=target.look_up)
    again = journal.once("r", 1, "job", {"code": "a"}, do=target.do, look_up=target.look_up)
    assert (first, again, len(target.done)) == ("handle-1", "handle-1", 1)


def test_killed_before_the_call_it_is_done_by_the_next(tmp_path: Path) -> None:
    journal, target = Journal(tmp_path / "runs.db"), Target()

    def killed(key: str) -> str:
        raise Killed

    with pytest.raises(Killed):
        journal.once("r", 1, "job", {}, do=killed, look_up=target.look_up)
    assert journal.once("r", 1, "job", {}, do=target.do, look_up=target.look_up) == "handle-1"


def test_killed_after_the_call_it_is_found_and_not_done_again(tmp_path: Path) -> None:
    journal, target = Journal(tmp_path / "runs.db"), Target()

    def killed_after(key: str) -> str:
        target.do(key)
        raise Killed

    with pytest.raises(Killed):
        journal.once("r", 1, "job", {}, do=killed_after, look_up=target.look_up)
    assert journal.once("r", 1, "job", {}, do=target.do, look_up=target.look_up) == "handle-1"
    assert len(target.done) == 1


def test_what_the_target_cannot_tell_is_not_guessed(tmp_path: Path) -> None:
    journal, target = Journal(tmp_path / "runs.db"), Target()

    def cannot_tell(key: str) -> str | None:
        raise EffectAmbiguous("The hub did not answer.", key="effect")

    def killed(key: str) -> str:
        raise Killed

    with pytest.raises(Killed):
        journal.once("r", 1, "publication", {}, do=killed, look_up=target.look_up)
    with pytest.raises(EffectAmbiguous):
        journal.once("r", 1, "publication", {}, do=target.do, look_up=cannot_tell)
    assert target.done == []
    assert [effect.handle for effect in journal.of_run("r")] == [None]


class Unsure(Target):
    """A target that remembers, but does not tell."""

    def look_up(self, key: str) -> str | None:
        raise EffectAmbiguous("It keeps no list.", key="whatever")


def begun(tmp_path: Path, target: Target, *, done: bool) -> Journal:
    """A journal with an intent without a receipt."""
    journal = Journal(tmp_path / "runs.db")

    def killed(key: str) -> str:
        if done:
            target.do(key)
        raise Killed

    with pytest.raises(Killed):
        journal.once("r", 1, "publication", {"a": 1}, do=killed, look_up=target.look_up)
    return journal


def again(journal: Journal, target: Target, answers: dict[str, str]) -> str:
    return journal.once("r", 1, "publication", {"a": 1}, do=target.do, look_up=target.look_up, answers=answers)


def asked(journal: Journal, target: Target, answers: dict[str, str]) -> EffectAmbiguous:
    with pytest.raises(EffectAmbiguous) as error:
        again(journal, target, answers)
    return error.value


def test_a_person_says_that_it_did_not_happen(tmp_path: Path) -> None:
    target = Unsure()
    journal = begun(tmp_path, target, done=False)
    question = asked(journal, target, {})
    assert question.options == [HAPPENED, NOT_HAPPENED]
    assert "publication of attempt 1 was begun at 20" in question.message
    assert "It keeps no list." in question.message
    assert again(journal, target, {question.key: NOT_HAPPENED}) == "handle-1"
    assert again(journal, target, {}) == "handle-1", "the receipt is reused"
    (effect,) = journal.of_run("r")
    assert (effect.tries, len(target.done)) == (2, 1)
    assert effect.said is not None
    assert effect.said.endswith(NOT_HAPPENED)
    assert journal.open("r") == []


def test_a_person_says_that_it_happened_and_how_it_is_named(tmp_path: Path) -> None:
    target = Unsure()
    journal = begun(tmp_path, target, done=True)
    first = asked(journal, target, {})
    second = asked(journal, target, {first.key: HAPPENED})
    assert second.key != first.key
    assert second.options == []
    assert again(journal, target, {first.key: HAPPENED, second.key: "commit-7"}) == "commit-7"
    assert len(target.done) == 1
    (effect,) = journal.of_run("r")
    assert effect.said is not None
    assert "as commit-7" in effect.said


def test_an_answer_counts_for_one_try(tmp_path: Path) -> None:
    """Killed again after a person said that it had not happened: by now it may have."""
    target = Unsure()
    journal = begun(tmp_path, target, done=False)
    first = asked(journal, target, {})

    def killed_after(key: str) -> str:
        target.do(key)
        raise Killed

    answers = {first.key: NOT_HAPPENED}
    with pytest.raises(Killed):
        journal.once("r", 1, "publication", {"a": 1}, do=killed_after, look_up=target.look_up, answers=answers)
    second = asked(journal, target, answers)
    assert second.key != first.key
    assert len(target.done) == 1, "it was not done a second time on an old answer"
    assert [effect.question for effect in journal.open("r")] == [second.key]


def test_the_target_is_asked_before_an_answer_counts(tmp_path: Path) -> None:
    target = Unsure()
    journal = begun(tmp_path, target, done=True)
    question = asked(journal, target, {})
    target.look_up = lambda key: "handle-1"  # type: ignore[method-assign]  # it is back, and can tell
    assert again(journal, target, {question.key: NOT_HAPPENED}) == "handle-1"
    assert len(target.done) == 1


def test_a_journal_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "CREATE TABLE effects (key TEXT PRIMARY KEY, run TEXT NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT "
            "NULL, payload_sha256 TEXT NOT NULL, handle TEXT, intended_at TEXT NOT NULL, received_at TEXT);"
            "INSERT INTO effects VALUES ('k', 'r', 1, 'job', 's', NULL, '2026-01-01T00:00:00+00:00', NULL);"
        )
    (effect,) = Journal(path).open("r")
    assert (effect.key, effect.tries, effect.said) == ("k", 1, None)


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=4))
def test_the_key_does_not_depend_on_the_order_of_the_payload(payload: dict[str, int]) -> None:
    backwards = dict(reversed(payload.items()))
    assert effect_key("r", 1, "job", payload) == effect_key("r", 1, "job", backwards)
    assert effect_key("r", 2, "job", payload) != effect_key("r", 1, "job", payload)


WINDOW = """
import json, os, signal, sys
from pathlib import Path
from tests.graph.test_effects import kill_in, real_target
window, kind, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
kill_in(window, kind, folder)
"""


def real_target(kind: str, folder: Path) -> tuple[Callable[[str], str], Callable[[str], str | None]]:
    """How a job of this machine, or a publication in a folder, is done and looked up."""
    if kind == "job":
        engine = LocalEngine(folder / "attempts" / "1" / "job")
        code = folder / "code"
        code.mkdir(exist_ok=True)
        (code / "train.py").write_text(HEAD + "model()")
        spec = JobSpec("r", 1, "", str(code), str(folder), 0, "process", [], Limits(wall_seconds=60.0))
        return lambda key: engine.submit(replace(spec, key=key), key), engine.find
    package = folder / "package"
    package.mkdir(exist_ok=True)
    (package / "README.md").write_text("a model")
    hub = LocalHub(folder / "hub")

    def found(key: str) -> str | None:
        there = hub.find(key, "model")
        return there.revision if there else None

    return lambda key: hub.publish(key, package, "model", "a model").revision, found


def kill_in(window: str, kind: str, folder: Path) -> None:
    """Do it, and be killed in that window."""

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    do, look_up = real_target(kind, folder)

    def killed(key: str) -> str:
        if window == "after the intent":
            kill()
        handle = do(key)
        if window == "after it was done":
            kill()
        return handle

    Journal().once("r", 1, kind, {"code": "a"}, do=killed, look_up=look_up)
    kill()  # after the receipt, before any checkpoint


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["job", "publication"])
@pytest.mark.parametrize("window", ["after the intent", "after it was done", "after the receipt"])
def test_killed_in_each_window_it_happens_once(window: str, kind: str, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.run([sys.executable, "-c", WINDOW, window, kind, str(tmp_path)], cwd=root, check=False)
    assert killed.returncode == -signal.SIGKILL
    (known,) = Journal().of_run("r")
    assert (known.handle is None) == (window != "after the receipt")
    do, look_up = real_target(kind, tmp_path)
    done: list[str] = []

    def counted(key: str) -> str:
        done.append(key)
        return do(key)

    handle = Journal().once("r", 1, kind, {"code": "a"}, do=counted, look_up=look_up)
    assert done == ([known.key] if window == "after the intent" else [])
    assert handle == look_up(known.key)
    if kind == "job":
        engine = LocalEngine(Path(handle))
        eventually(lambda: engine.status(handle).state not in ("submitted", "running"))
        assert engine.status(handle).state == "succeeded"
        assert [path.name for path in Path(handle).parent.glob("job*")] == ["job"]
    else:
        folder = tmp_path / "hub" / "model"
        assert git(folder, "log", "--format=%H").split() == [handle]
