"""The commands as a person types them, on runs that lie in a real table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.database import transaction
from trainwright.graph.lease import held
from trainwright.graph.runs import SCHEMA, open_runs
from trainwright.graph.settings import database_path, home

from .conftest import START, OpenTerminal, Trainwright

RESULT: dict[str, Any] = {
    "run": "alpha",
    "status": "published",
    "steps": 9,
    "evaluation": {
        "metric": "accuracy",
        "value": 0.9889,
        "low": 0.975,
        "high": 1.0,
        "n_test": 360,
        "baseline": {"name": "majority class", "value": 0.1028},
        "claim": {"value": 0.985, "metric": "accuracy", "verdict": "reproduced", "why": "within the interval"},
    },
    "model": "/hub/alpha",
    "report": "/runs/alpha/report.html",
    "spent": {"usd": 0.0, "tokens": 0, "gpu_hours": 0.0, "seconds": 12.3},
    "waiting": None,
    "reason": "",
}


@pytest.fixture
def some_runs(own_home: Path) -> None:
    """Three runs: published, waiting at a gate, and killed in the middle."""
    runs = open_runs()
    runs.open("t1", "alpha", "", {"data": "sklearn:digits", "paper": "1408.5882"})
    runs.update("alpha", status="published", stage="wrap_up", steps=9, result=RESULT)
    runs.open("t2", "alphabet", "", {"data": "a\x1b[31m.csv", "goal": "find \x1b[2Jit"})
    question = {"gate": "ask_person", "card": {"key": "t", "text": "Which column?", "options": ["a", "b"]}, "text": "?"}
    runs.update("alphabet", status="waiting", stage="ask_person", waiting=question)
    runs.open("t3", "beta", "", {"data": "owner/name"})
    runs.open("t4", "gate", "", {"data": "x.csv"})
    runs.update(
        "gate", status="waiting", stage="approve_plan", waiting={"gate": "approve_plan", "card": {}, "text": "?"}
    )
    with transaction(SCHEMA) as db:
        db.execute("UPDATE runs SET pid=? WHERE name='beta'", (2**22 + 1,))


def test_help_is_short_and_names_every_command(trainwright: Trainwright) -> None:
    shown = trainwright("--help")
    assert shown.code == 0
    commands = "run runs show resume tell approve edit reject answer fork prune policy config graph doctor demo"
    for command in commands.split():
        assert f"\n  {command} " in shown.out
    assert "..." not in shown.out.split("Commands:")[1]


def test_no_command_prints_the_help(trainwright: Trainwright) -> None:
    shown = trainwright()
    assert shown.code == 2
    assert "Commands:" in shown.out


def test_the_version(trainwright: Trainwright) -> None:
    from importlib.metadata import version

    assert trainwright("--version").out == f"trainwright {version('trainwright')}\n"


@pytest.mark.parametrize("arguments", [["nosuch"], ["show"], ["runs", "extra"], ["runs", "--bogus"], ["answer", "x"]])
def test_a_wrong_command_line_is_two_lines(trainwright: Trainwright, arguments: list[str]) -> None:
    shown = trainwright(*arguments)
    assert shown.code == 2
    assert shown.out == ""
    assert [text[:6] for text in shown.err.splitlines()] == ["Error:", "`train"]


@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["words", "json"])
def test_a_refusal_does_not_repeat_a_secret(trainwright: Trainwright, flags: tuple[str, ...]) -> None:
    refused = trainwright("run", "--goal", "g", "--data", "https://me:pw-of-mine@example.org/d.csv", *flags)
    assert refused.code == 2
    assert "pw-of-mine" not in refused.out + refused.err
    assert "example.org/d.csv" in refused.err


def test_no_runs_yet(trainwright: Trainwright) -> None:
    shown = trainwright("runs")
    assert shown.code == 0
    assert "no runs yet" in shown.out
    assert trainwright("runs", "--json").out == ""
    assert not database_path().exists()


@pytest.mark.usefixtures("some_runs")
def test_runs_are_listed_without_escapes(trainwright: Trainwright) -> None:
    shown = trainwright("runs")
    rows = {text.split()[0]: text for text in shown.out.splitlines()[1:]}
    assert set(rows) == {"alpha", "alphabet", "beta", "gate"}
    assert "accuracy 0.9889" in rows["alpha"]
    assert "waits: ask person" in rows["alphabet"]
    assert "interrupted" in rows["beta"], "its process is gone"
    assert "\x1b" not in shown.out


@pytest.mark.usefixtures("some_runs")
def test_runs_as_json(trainwright: Trainwright) -> None:
    rows = {row["name"]: row for row in map(json.loads, trainwright("runs", "--json").out.splitlines())}
    assert rows["alpha"]["result"]["evaluation"]["value"] == 0.9889
    assert rows["beta"]["status"] == "interrupted"
    assert rows["alphabet"]["waiting"]["gate"] == "ask_person"


@pytest.mark.usefixtures("some_runs")
@pytest.mark.parametrize("columns", [30, 40, 60, 84, 200])
def test_runs_fit_every_terminal(terminal: OpenTerminal, columns: int) -> None:
    shown = terminal("runs", columns=columns, NO_COLOR="1")
    assert shown.end() == 0
    rows = shown.text.replace("\x1b[0m", "").splitlines()
    assert any("alphabet" in row for row in rows)
    assert max(len(row) for row in rows) <= columns


@pytest.mark.usefixtures("some_runs")
def test_no_color_and_dumb_terminals(terminal: OpenTerminal) -> None:
    coloured = terminal("runs", columns=120)
    assert coloured.end() == 0
    assert "\x1b[" in coloured.text
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        shown = terminal("runs", columns=120, **environment)
        assert shown.end() == 0
        assert "\x1b[3" not in shown.text


@pytest.mark.usefixtures("some_runs")
@pytest.mark.parametrize(
    ("arguments", "words", "hint"),
    [
        (["show", "nosuch"], "no run named 'nosuch'", "trainwright runs"),
        (["show", "alph"], "2 runs begin with 'alph'", "more of the name"),
        (["resume", "alphabet"], "waits for an answer", "trainwright answer alphabet TEXT"),
        (["resume", "gate"], "waits for an answer", "trainwright approve gate"),
        (["approve", "alphabet"], "waits for an answer", "trainwright answer alphabet TEXT"),
        (["answer", "gate", "yes"], "waits for an approval", "trainwright approve gate"),
        (["approve", "beta"], "waits for nothing: its status is interrupted", "trainwright show beta"),
        (["answer", "alphabet", "  "], "TEXT is empty", "Say something"),
        (["reject", "gate", "--feedback", ""], "--feedback is empty", "Say something"),
        (["resume", "beta", "--step-cap", "0"], "--step-cap 0", "--help"),
        (["resume", "beta", "--max-hours", "nan"], "--max-hours", "--help"),
        (["resume", "beta", "--data", "nosuch.csv"], "no data at nosuch.csv", "sklearn:NAME"),
    ],
)
def test_what_cannot_be_done_to_a_run(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str, hint: str
) -> None:
    from trainwright.cli.main import main

    assert main(arguments) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert words in said[0]
    assert hint in said[1]


@pytest.mark.usefixtures("some_runs")
def test_a_run_at_work_is_not_resumed_beside_itself(capsys: pytest.CaptureFixture[str]) -> None:
    from trainwright.cli.main import main

    open_runs().update("beta", status="running", stage="plan")
    with held("beta"):
        assert main(["resume", "beta"]) == 2
    said = capsys.readouterr().err
    assert f"at work already, in process {os.getpid()} (since" in said
    assert "at plan" in said


@pytest.mark.usefixtures("some_runs")
def test_a_run_that_nobody_holds_was_interrupted_whoever_has_its_process_id() -> None:
    from trainwright.cli.going_on import effective_status

    open_runs().update("beta", status="running")  # the row now names this very process, which is at work on nothing
    assert effective_status(open_runs().get("beta")) == "interrupted"
    with held("beta"):
        assert effective_status(open_runs().get("beta")) == "running"


@pytest.mark.usefixtures("some_runs")
def test_an_answer_may_begin_with_a_hyphen(capsys: pytest.CaptureFixture[str]) -> None:
    from trainwright.cli.main import main

    assert main(["answer", "gate", "-1"]) == 2
    assert "waits for an approval" in capsys.readouterr().err


@pytest.mark.usefixtures("some_runs")
def test_data_that_are_given_as_an_answer_are_a_place_as_with_the_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainwright.cli.main import main

    answers: list[Any] = []
    monkeypatch.setattr("trainwright.graph.driver.answer", lambda run, decisions, **_: answers.append(decisions))
    monkeypatch.setattr("trainwright.cli.session.follow", lambda events, as_json: events() or 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    open_runs().update("alphabet", waiting={"gate": "ask_person", "card": {"key": "data", "text": "Which data?"}})
    assert main(["answer", "alphabet", "nosuch.csv"]) == 2
    assert "no data at nosuch.csv" in capsys.readouterr().err
    assert main(["answer", "alphabet", "table.csv"]) == 0
    assert [given.decisions[0].message for given in answers] == [str(tmp_path / "table.csv")]


def test_a_damaged_database_is_named(trainwright: Trainwright) -> None:
    database_path().write_bytes(b"no database at all" * 500)
    shown = trainwright("runs")
    assert shown.code == 1
    assert str(database_path()) in shown.err
    assert "damaged" in shown.err


def test_errors_as_json(trainwright: Trainwright) -> None:
    shown = trainwright("run", "--json", "--goal", "g", "--data", "nosuch.csv")
    assert shown.code == 2
    told = json.loads(shown.out)
    assert (told["event"], told["exit_code"]) == ("error", 2)
    assert "nosuch.csv" in told["message"]


@pytest.mark.usefixtures("some_runs")
def test_a_reader_that_goes_away_is_no_error(own_home: Path) -> None:
    command = f"{sys.executable} -c '{START}' runs | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode in (0, 141)


@pytest.mark.usefixtures("some_runs")
def test_closed_standard_output_is_no_error(own_home: Path) -> None:
    command = f"{sys.executable} -c '{START}' runs >&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("some_runs")
@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"LANG": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_a_locale_without_utf8(trainwright: Trainwright, environment: dict[str, str]) -> None:
    open_runs().open("t9", "umlaut", "", {"data": "/daten/größe/漢字.csv"})
    shown = trainwright("runs", **environment)
    assert shown.code == 0
    assert "umlaut" in shown.out


def test_an_error_that_nobody_foresaw_is_a_line_and_a_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainwright.cli import failures

    def broken() -> int:
        raise ZeroDivisionError("one \x1b[31mover nothing")

    assert failures.guarded(broken)() == 1
    said = capsys.readouterr().err
    assert said.splitlines()[0] == "Error: unexpected ZeroDivisionError: one over nothing"
    log = home() / "trainwright.log"
    assert str(log) in said
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("TRAINWRIGHT_DEBUG", "1")
    assert failures.guarded(broken)() == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_between_steps(capsys: pytest.CaptureFixture[str]) -> None:
    from trainwright.cli import failures

    def interrupted() -> int:
        raise KeyboardInterrupt

    assert failures.guarded(interrupted)() == 130
    assert capsys.readouterr().err == "Stopped.\n"


def test_nothing_heavy_is_imported_for_help_and_runs(own_home: Path) -> None:
    check = "import sys; from trainwright.cli.main import main; main(['{}']); print(sorted(sys.modules))"
    heavy_here = ("langgraph", "langchain_core", "pandas", "numpy", "httpx", "rich", "sklearn", "pymupdf", "asyncio")
    for command, also in (("--help", ("pydantic", "sqlite3")), ("runs", ())):  # typer itself loads pydantic to parse
        done = subprocess.run([sys.executable, "-c", check.format(command)], capture_output=True, text=True, check=True)
        loaded = done.stdout.splitlines()[-1]
        for heavy in (*heavy_here, *also):
            assert f"'{heavy}'" not in loaded, f"{command} imports {heavy}"
