"""Runs that another release made: an earlier one is gone on with, a newer one is refused, one that is neither is said."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph import migrations, registration
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.driver import answer, load_state, resume
from trainwright.graph.errors import RequestError
from trainwright.graph.migrations import CHANGES, FIRST, STAMP, migrated, version_of
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import database_path, run_path
from trainwright.graph.state import SCHEMA_VERSION, Attempt, Decision, Decisions

ARCHIVES = sorted((Path(__file__).parent / "old").glob("state-*.tar.xz"))


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.split(".")[0])
def old(request: pytest.FixtureRequest, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of runs that an earlier release made."""
    with tarfile.open(request.param) as archive:
        archive.extractall(own_home, filter="data")
    monkeypatch.chdir(own_home)
    return own_home


async def last(events: Any) -> dict[str, Any]:
    """The result."""
    result: dict[str, Any] = {}
    async for event in events:
        result = event
    return result


async def stamps(thread: str) -> set[int]:
    """The versions that wrote the checkpoints of a thread."""
    async with open_checkpointer() as saver:
        config: Any = {"configurable": {"thread_id": thread}}
        return {version_of(dict(found.metadata)) async for found in saver.alist(config)}


def test_there_is_an_archive_of_every_earlier_state() -> None:
    assert [path.name for path in ARCHIVES] == [f"state-{number}.tar.xz" for number in range(FIRST, SCHEMA_VERSION)]
    assert sorted(CHANGES) == list(range(FIRST + 1, SCHEMA_VERSION + 1)), "each version says what it changed"


async def test_one_that_waits_at_a_gate_is_approved(old: Path) -> None:
    thread = open_runs().get("old-gate").thread_id
    assert await stamps(thread) == {FIRST}
    state = await load_state("old-gate")
    assert state.plan is not None
    assert state.settings is not None
    assert (state.settings.max_usd, state.settings.stages) == (None, {}), "what is new has its default"
    result = await last(answer("old-gate", Decisions(decisions=[Decision(type="approve")])))
    assert (result["status"], result["waiting"]["gate"]) == ("waiting", "approve_job")
    assert await stamps(thread) == {FIRST, SCHEMA_VERSION}


async def test_one_that_asks_is_answered(old: Path) -> None:
    result = await last(answer("old-question", "label_size"))
    assert (result["status"], result["waiting"]["gate"]) == ("waiting", "approve_plan")
    state = await load_state("old-question")
    assert state.answers["target_column"] == "label_size"


@pytest.mark.slow
async def test_one_that_was_killed_in_the_middle_of_a_stage_is_published(old: Path) -> None:
    result = await last(resume("old-stage"))
    assert result["status"] == "published", result["reason"]


async def newer(thread: str) -> None:
    """Stamp the checkpoints as a release of the future would."""
    with closing(sqlite3.connect(database_path())) as db, db:
        rows = db.execute("SELECT checkpoint_id, metadata FROM checkpoints WHERE thread_id=?", (thread,)).fetchall()
        for key, about in rows:
            text = json.dumps({**json.loads(about), STAMP: SCHEMA_VERSION + 1})
            db.execute("UPDATE checkpoints SET metadata=? WHERE checkpoint_id=?", (text.encode(), key))


def stored_rows() -> list[list[tuple[Any, ...]]]:
    """Everything that the database has of the runs."""
    with closing(sqlite3.connect(database_path())) as db:
        return [db.execute(f"SELECT * FROM {table}").fetchall() for table in ("checkpoints", "writes", "runs")]


async def test_a_newer_one_is_refused_and_stays_as_it_is(old: Path) -> None:
    await newer(open_runs().get("old-gate").thread_id)
    before = stored_rows()
    words = rf"newer Trainwright \(its state is of version {SCHEMA_VERSION + 1}, this one knows {SCHEMA_VERSION}\)"
    for events in (
        answer("old-gate", Decisions(decisions=[Decision(type="approve")])),
        resume("old-gate"),
    ):
        with pytest.raises(RequestError, match=words) as error:
            await last(events)
        assert "Update Trainwright" in error.value.hint
    with pytest.raises(RequestError, match=words):
        await load_state("old-gate")
    assert stored_rows() == before


def test_a_change_is_made_wherever_values_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field of the next version: the name of an attempt's method was `algorithm` before."""

    def renamed(values: dict[str, Any]) -> dict[str, Any]:
        if "algorithm" in values:
            values["method"] = values.pop("algorithm")
        return values

    monkeypatch.setitem(CHANGES, SCHEMA_VERSION + 1, {"Attempt": renamed})
    assert Attempt.model_validate({"number": 1, "algorithm": "svm"}).method == "svm"
    assert Attempt(number=1, method="svm").method == "svm", "today's shape is left alone"
    assert Attempt.model_validate_json('{"number": 1, "algorithm": "svm"}').method == "svm"
    assert migrated("Attempt", "no mapping") == "no mapping"
    assert migrated("Claim", {"a": 1}) == {"a": 1}


async def test_changes_follow_one_another_inside_a_checkpoint(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def first(values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "approach": f"{values['approach']} (1)"}

    def second(values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "approach": f"{values['approach']} (2)"}

    monkeypatch.setitem(CHANGES, SCHEMA_VERSION + 2, {"TrainingPlan": second})
    monkeypatch.setitem(CHANGES, SCHEMA_VERSION + 1, {"TrainingPlan": first})
    state = await load_state("old-gate")
    assert state.plan is not None
    assert state.plan.approach.endswith("(1) (2)")


async def test_one_of_which_nothing_can_be_made_is_refused_with_what_to_do(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impossible(values: dict[str, Any]) -> dict[str, Any]:
        raise ValueError("the seed of the split was not kept")

    monkeypatch.setitem(CHANGES, 2, {"TrainingPlan": impossible})
    with pytest.raises(RequestError, match=r"earlier Trainwright.*plan.*seed of the split was not kept") as error:
        await last(answer("old-gate", Decisions(decisions=[Decision(type="approve")])))
    assert "Go on with the release that made it" in error.value.hint
    assert str(run_path("old-gate")) in error.value.hint
    assert open_runs().get("old-gate").status == "waiting"


def set_settings(values: dict[str, Any]) -> None:
    with closing(sqlite3.connect(database_path())) as db, db:
        db.execute("UPDATE runs SET settings=? WHERE name='old-stage'", (json.dumps(values),))


def test_settings_of_a_row_from_another_release(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    set_settings({"step_cap": 40, "colour": "blue"})
    row = registration.stored("old-stage")
    assert row.settings == {"step_cap": 40}, "what was left out stays left out"
    assert "unknown here and left out: ['colour']" in caplog.text
    set_settings({"step_cap": "many"})
    with pytest.raises(RequestError, match=r"settings of old-stage.*cannot read step_cap"):
        registration.stored("old-stage")


def test_a_row_with_columns_of_a_newer_release(old: Path) -> None:
    with closing(sqlite3.connect(database_path())) as db, db:
        db.execute("ALTER TABLE runs ADD COLUMN mood TEXT DEFAULT 'good'")
    assert {row.name for row in open_runs().list()} == {"old-gate", "old-question", "old-stage"}


def test_a_stamp_that_is_no_number_is_that_of_the_first() -> None:
    assert version_of(None) == version_of({STAMP: "x"}) == migrations.FIRST
