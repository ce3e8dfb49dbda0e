"""Whose answer counts, answers one by one, deadlines and edits: from the driver and the terminal, on stored runs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.graph.scripted import FINISH, Desk, Scripted, call, one_stage, says
from trainwright.cli.logs import end_log
from trainwright.cli.main import main
from trainwright.graph.answering import offered
from trainwright.graph.answers import Answers, TooLate
from trainwright.graph.driver import answer, load_state, resume, start
from trainwright.graph.errors import RequestError, RunBusy
from trainwright.graph.lease import held
from trainwright.graph.runs import open_runs
from trainwright.graph.state import Request, Settings, Status

from .conftest import approve, driven, edit, reject
from .policies import rules

WINE = Request(goal="Tell the wines apart with an SVM with C=10", data="sklearn:wine", name="wine")
TWO = says(call("act", {"text": "one"}, "1"), call("note", {"text": "free"}, "n"), call("act", {"text": "two"}, "2"))


@pytest.fixture(autouse=True)
def no_log_stays_open() -> Iterator[None]:
    """A command that ran inside this process leaves no log behind."""
    yield
    end_log()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The driver's graph is one stage, whose engineer makes two calls that nobody but a person can allow."""
    desk = Desk()
    monkeypatch.setattr(
        "trainwright.graph.driver.build_graph",
        lambda checkpointer: one_stage(Scripted([TWO, FINISH]), desk, checkpointer),
    )
    return desk


async def begun() -> str:
    """A run that waits for its two calls."""
    seen = [event async for event in start(Request(goal="g", name="two"), Settings())]
    assert seen[-1]["status"] == "waiting"
    return "two"


async def test_one_of_several_is_answered_alone_and_nothing_runs_before_all_are(desk: Desk) -> None:
    run = await begun()
    first = [event async for event in answer(run, reject("not this"), only=[2], via="the test")]
    assert first[-1]["status"] == "waiting"
    assert list(first[-1]["waiting"]["answered"]) == ["2"]
    assert "rejected by a person (the test)" in first[-1]["waiting"]["answered"]["2"]
    assert desk.notes == []
    await driven(answer(run, approve()))
    assert sorted(desk.notes) == ["free", "one"], "the rest was answered together; what was rejected stayed so"
    records = [(a.decision, a.message) for a in (await load_state(run)).approvals]
    assert records == [("approve", ""), ("reject", "not this")]


async def test_an_action_that_is_not_there_and_one_that_is_decided_are_said(desk: Desk) -> None:
    run = await begun()
    with pytest.raises(RequestError, match="There is no action 3"):
        await driven(answer(run, approve(), only=[3]))
    [event async for event in answer(run, approve(), only=[1])]
    with pytest.raises(TooLate, match="1 approved by a person"):
        await driven(answer(run, reject(), only=[1]))
    assert desk.notes == []


async def test_who_answers_while_somebody_works_on_the_run_is_told_that_the_answer_counts(desk: Desk) -> None:
    run = await begun()
    with held(run):
        with pytest.raises(RunBusy, match="your answer is stored and counts") as told:
            await driven(answer(run, approve(), only=[1]))
        assert "nothing was done" not in str(told.value)
        assert told.value.hint == "`trainwright resume two` carries it out if that process does not."
        with pytest.raises(TooLate, match="1 approved by a person"):
            await driven(answer(run, reject(), only=[1]))
        with pytest.raises(RunBusy, match="your answer is stored and counts"):
            await driven(answer(run, reject("not this"), only=[2]))
        shown = str((open_runs().get(run).waiting or {})["shown"])
    assert desk.notes == []
    with pytest.raises(TooLate, match="2 rejected by a person") as late:
        await driven(answer(run, approve(), shown=shown))
    assert "`trainwright resume two` carries out what was decided" in late.value.hint
    await driven(resume(run))
    assert sorted(desk.notes) == ["free", "one"]


async def test_who_answers_differently_once_the_run_goes_on_is_told_what_was_decided(desk: Desk) -> None:
    run = await begun()
    row = open_runs().get(run)
    shown = str((row.waiting or {})["shown"])
    offered(row, approve(), via="the first")
    open_runs().update(run, status="running", waiting=None)
    with held(run):
        with pytest.raises(TooLate, match=r"approved by a person \(the first\)"):
            await driven(answer(run, reject(), shown=shown))
        with pytest.raises(RunBusy, match=r"nothing was done.*approved by a person \(the first\)"):
            await driven(answer(run, reject()))


def test_show_points_to_resume_where_all_is_answered(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(begun())
    offered(open_runs().get("two"), reject("not this"), via="a terminal")
    assert main(["show", "two"]) == 0
    shown = capsys.readouterr().out
    assert "1. act (rejected by a person (a terminal)" in shown
    assert "trainwright resume two" in shown
    assert "trainwright approve two" not in shown
    assert "open:" not in shown
    main(["resume", "two"])
    assert desk.notes == ["free"]


def test_show_in_full_leaves_nothing_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "\n".join(f"row {i}" for i in range(100))
    turns = [says(call("act", {"text": text}, "1")), FINISH]
    monkeypatch.setattr(
        "trainwright.graph.driver.build_graph", lambda checkpointer: one_stage(Scripted(turns), desk, checkpointer)
    )
    asyncio.run(begun())
    capsys.readouterr()
    assert main(["show", "two"]) == 0
    assert "`trainwright show two --full` shows all of it" in capsys.readouterr().out
    assert main(["show", "two", "--full"]) == 0
    assert "row 99" in capsys.readouterr().out


def test_show_and_the_list_say_what_is_open(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(begun())
    assert main(["approve", "two", "--only", "1"]) == 3
    assert desk.notes == []
    shown = capsys.readouterr().out
    assert "1. act (approved by a person (the terminal)" in shown
    assert "2. act (open)" in shown
    assert main(["show", "two"]) == 0
    assert "2. act (open)" in capsys.readouterr().out
    assert main(["runs", "--waiting"]) == 0
    assert "two" in capsys.readouterr().out
    assert main(["answer", "two", "do it yourself", "--only", "2"]) == 1
    assert sorted(desk.notes) == ["free", "one"]
    assert main(["runs", "--waiting"]) == 0


def editor(folder: Path, body: str) -> str:
    """A command that stands for a person at an editor: a program over the files that it is given."""
    script = folder / "editor.py"
    script.write_text("import sys, json, pathlib\nfiles = [pathlib.Path(name) for name in sys.argv[1:]]\n" + body)
    return f"{sys.executable} {script}"


CHANGE = "args = json.loads(files[0].read_text())\nargs['text'] = 'other'\nfiles[0].write_text(json.dumps(args))\n"


@pytest.mark.parametrize(
    ("command", "says_why"),
    [
        ("", "No editor is named"),
        ("/no/such/editor", "could not be started"),
        ("false", "ended with code 1"),
        ("true", "changes nothing"),
        ("unreadable", "is no JSON"),
        ("emptied", "is empty"),
    ],
)
async def test_an_edit_of_which_nothing_came_answers_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, says_why: str
) -> None:
    bodies = {"unreadable": "files[0].write_text('{')", "emptied": "files[0].write_text('')"}
    run = await begun()
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor(tmp_path, bodies[command]) if command in bodies else command)
    from trainwright.cli.editing import edited_action

    with pytest.raises(RequestError, match=says_why):
        edited_action(open_runs().get(run), [1])
    asked = Answers().last(run)
    assert asked is not None
    assert asked.open == [1, 2]


def test_a_call_is_edited_in_the_editor_and_runs_so(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(begun())
    monkeypatch.setenv("VISUAL", editor(tmp_path, CHANGE))
    assert main(["edit", "two"]) == 2, "one is edited at a time"
    assert "--only N; open: 1, 2" in capsys.readouterr().err
    assert main(["edit", "two", "--only", "1"]) == 3
    assert 'changed: text: "one" → "other"' in capsys.readouterr().out
    main(["approve", "two"])
    assert sorted(desk.notes) == ["free", "other", "two"]


async def test_an_answer_that_was_stored_before_a_kill_is_carried_out_by_the_next_resume() -> None:
    await driven(start(WINE, Settings(dry_run=False, attempts=1)))
    row = open_runs().get("wine")
    asked = offered(row, reject(), via="a terminal that was killed")
    assert asked is not None
    assert asked.open == []
    done = await driven(resume("wine"))
    assert done.state.status == Status.REJECTED
    with pytest.raises(RequestError, match=r"waits for nothing|came too late"):
        await driven(answer("wine", approve()))


async def test_resume_goes_on_with_a_rejection_once_the_deadline_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    rules('name = "soon"\ntool = "plan"\ndecision = "ask"\ndeadline_hours = 1')
    await driven(start(WINE, Settings()))
    with pytest.raises(RequestError, match="waits for an answer"):
        await driven(resume("wine"))
    later = datetime.now(UTC) + timedelta(hours=2)
    monkeypatch.setattr("trainwright.graph.answers.moment", lambda: later)
    done = await driven(resume("wine"))
    assert done.state.status == Status.REJECTED
    assert "deadline" in done.state.reason
    assert done.state.approvals[-1].rule == "soon"


async def test_what_was_shown_is_what_is_answered() -> None:
    first = await driven(start(WINE, Settings()))
    with pytest.raises(RequestError, match="Something else is shown by now"):
        await driven(answer("wine", approve(), shown="0" * 64))
    assert first.state.approvals == []


RACER = """
import sys
from trainwright.cli.main import main
from trainwright.graph import driver, answering  # all that takes time is loaded before the start
print("ready", flush=True)
sys.stdin.readline()
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
async def test_of_two_answers_at_the_same_time_the_first_counts_and_the_other_is_told() -> None:
    for round_ in range(3):
        name = f"race-{round_}"
        await driven(start(WINE.model_copy(update={"name": name}), Settings(attempts=1)))
        commands = (["approve", name, "--json"], ["reject", name, "--json"])
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", RACER, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for command in commands
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        ended = [racer.communicate(timeout=120) for racer in racers]
        codes = [racer.returncode for racer in racers]
        assert codes in ([3, 2], [2, 5]), (codes, ended)
        loser, winner = codes.index(2), 1 - codes.index(2)
        told = json.loads(ended[loser][0].splitlines()[-1]) if ended[loser][0].strip() else {}
        words = f"{ended[loser][1]}{told.get('error', '')}{told}"
        did = ("approved", "rejected")[winner]
        assert f"approve_plan: {did} by a person (the terminal)" in words
        decided = [a.decision for a in (await load_state(name)).approvals if a.gate == "approve_plan"]
        assert decided == [("approve", "reject")[winner]]


@pytest.mark.slow
async def test_the_difference_of_a_job_is_to_the_code_of_the_last_approved_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await driven(start(WINE, Settings(attempts=1)))
    first = await driven(answer("wine", approve()))
    card = first.result["waiting"]["card"]
    assert card["since"] == "nothing: all of it is new"
    from trainwright.cli.editing import edited_action

    body = (
        "train = next(f for f in files if f.name == 'train.py')\ntrain.write_text(train.read_text() + '# by hand\\n')\n"
    )
    monkeypatch.setenv("VISUAL", editor(tmp_path, body))
    found = await asyncio.to_thread(edited_action, open_runs().get("wine"))
    assert list(found.action["args"]["files"]) == ["train.py"]
    assert found.changes == ["train.py: 1 lines added, 0 removed"]
    again = await driven(answer("wine", edit("approve_job", found.action["args"])))
    shown = again.result["waiting"]["card"]
    assert "+# by hand" in shown["diff"]
    assert "nothing" not in shown["since"]
    assert shown["code"]["sha256"] != card["code"]["sha256"]
