"""A whole run with secrets in its request, in the output of its code and in the environment: none is on disk after it."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command

from trainwright.cli.logs import LOG_NAME, end_log, start_log
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.driver import resume, start
from trainwright.graph.errors import RequestError
from trainwright.graph.registration import register
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import home, run_path
from trainwright.graph.state import Request, Settings, State, Status
from trainwright.graph.workflow import build_graph
from trainwright.tools.jobs.supervisor import Log
from trainwright.tools.sandbox import probe

from .conftest import driven
from .own_code import OwnCode, run, scripts

PRINTED = "hf_" + "PrintedByTheTraining" * 2
IN_GOAL = "ghp_" + "PastedIntoTheGoal1" * 2
IN_ANSWER = "ghp_" + "PastedIntoAnAnswer" * 2
IN_ENVIRONMENT = "of-no-known-shape-at-all"


def files_with(secret: str) -> list[str]:
    """Every file of the home folder, the database and its journal too, that holds `secret`."""
    files = [Path(folder) / name for folder, _, names in os.walk(home()) for name in names]
    assert any(path.name == "runs.db" for path in files)
    return [str(path.relative_to(home())) for path in files if path.is_file() and secret.encode() in path.read_bytes()]


@pytest.fixture
def wine(tmp_path: Path) -> str:
    """A small table in a file outside the run."""
    from sklearn.datasets import load_wine

    frame = load_wine(as_frame=True).frame
    path = tmp_path / "wine.csv"
    frame.to_csv(path, index=False)
    return str(path)


@pytest.mark.slow
@pytest.mark.skipif(not probe().available, reason="no sandbox on this machine, so generated code does not run here")
async def test_no_secret_of_a_run_with_code_of_its_own_is_on_disk(wine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_API_KEY", IN_ENVIRONMENT)
    # The code puts the token together as it runs, and prints the first part of it again in what it raises.
    shown = f"token = 'hf' + '_' + {PRINTED[3:]!r}; print(token, {IN_ENVIRONMENT[:8]!r} + {IN_ENVIRONMENT[8:]!r})"
    engineer = OwnCode(scripts(train=f"{shown}; raise KeyError(token)"), scripts(train=shown))
    request = Request(goal=f"Which wine is it? {IN_GOAL} {IN_ENVIRONMENT}", data=wine, target_column="target")
    state = await run(engineer, request)
    assert state.status == Status.PUBLISHED, state.reason
    assert PRINTED not in engineer.feedback[1]
    assert "KeyError" in engineer.feedback[1], "the engineer still learns what went wrong"
    assert {secret: files_with(secret) for secret in (IN_GOAL, IN_ENVIRONMENT, PRINTED)} == {
        IN_GOAL: [],
        IN_ENVIRONMENT: [],
        PRINTED: [],
    }


async def test_no_secret_of_a_request_reaches_the_database_the_events_or_a_file(
    wine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINE_API_KEY", IN_ENVIRONMENT)
    request = Request(goal=f"Which wine is it? {IN_GOAL} {IN_ENVIRONMENT}", data=wine, target_column="target")
    seen = await driven(start(request, Settings(dry_run=True, approvals="auto")))
    assert seen.state.status == Status.DRY_RUN, seen.state.reason
    assert seen.state.request.goal == "Which wine is it? [redacted GitHub token] [redacted WINE_API_KEY]"
    for secret in (IN_GOAL, IN_ENVIRONMENT):
        assert files_with(secret) == []
        assert secret not in repr(seen.events)


async def test_no_secret_that_comes_as_plain_json_is_on_disk(wine: str) -> None:
    """As a server hands it over: before any class has seen it."""
    config: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 1_000}
    async with open_checkpointer() as checkpointer:
        graph = build_graph(checkpointer)
        request: Any = {"request": {"goal": f"Which wine? {IN_GOAL}", "data": wine, "target_column": "target"}}
        await graph.ainvoke(request, config, context=Settings(), durability="sync")
        answer = {"decisions": [{"type": "reject", "message": f"use C=3 {IN_ANSWER}"}]}
        await graph.ainvoke(Command(resume=answer), config, durability="sync")
        state = State.model_validate((await graph.aget_state(config)).values)
    assert state.approvals[0].message == "use C=3 [redacted GitHub token]"
    assert files_with(IN_GOAL) == files_with(IN_ANSWER) == []


@pytest.mark.parametrize(
    "place", [{"data": "https://me:pw1234@host/d.csv"}, {"paper": f"https://host/p.pdf?t={IN_GOAL}"}]
)
def test_a_place_with_a_secret_is_refused_and_no_run_is_made(own_home: Path, place: dict[str, str]) -> None:
    with pytest.raises(RequestError, match="holds a secret") as refused:
        register(Request(goal="g", **place), Settings(), "thread")
    assert "pw1234" not in str(refused.value)
    assert IN_GOAL not in str(refused.value)
    assert open_runs().list() == []


async def test_other_data_at_a_place_with_a_secret_are_refused_and_leave_nothing(wine: str) -> None:
    failed = await driven(start(Request(goal="g", data=wine + "x", name="wine"), Settings(approvals="auto")))
    assert failed.state.status == Status.FAILED
    with pytest.raises(RequestError, match="holds a secret"):
        await driven(resume("wine", data=f"{wine}?token={IN_GOAL}"))
    assert files_with(IN_GOAL) == []


def test_the_row_of_a_run_holds_no_secret(own_home: Path) -> None:
    name = register(Request(goal=f"use {IN_GOAL}", data="d.csv"), Settings(engineer=f"x/{IN_GOAL}"), "thread")
    row = open_runs().get(name)
    assert row.goal == "use [redacted GitHub token]"
    assert row.settings is not None
    assert row.settings["engineer"] == "x/[redacted GitHub token]"
    assert files_with(IN_GOAL) == []
    assert run_path(name).is_dir()


def test_the_log_of_a_job_holds_no_secret_that_came_in_pieces(tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\nabcdef==\n-----END PRIVATE KEY-----\n"
    log = Log(tmp_path / "log", limit=1_000)
    for piece in ("epoch 1\n", PRINTED[:9], PRINTED[9:] + "\n", *key.splitlines(keepends=True), "last \udcff word"):
        log.write(piece.encode("utf-8", "surrogateescape"))
    assert (tmp_path / "log").read_text() == "epoch 1\n[redacted Hugging Face token]\n[redacted private key]\n"
    log.close()
    assert (tmp_path / "log").read_bytes().endswith(b"]\nlast \xff word"), "what is no UTF-8 stays as it is"


def test_the_log_and_standard_error_hold_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    class Other(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    other = Other()
    start_log(tmp_path, stderr=True)
    try:
        logging.getLogger().addHandler(other)
        try:
            raise ValueError(f"refused {PRINTED}")
        except ValueError:
            logging.getLogger("trainwright").exception("with %s and %d", IN_GOAL, 7)
    finally:
        logging.getLogger().removeHandler(other)
        end_log()
    text = (tmp_path / LOG_NAME).read_text()
    assert "with [redacted GitHub token] and 7" in text
    assert "ValueError: refused [redacted Hugging Face token]" in text
    for secret in (IN_GOAL, PRINTED):
        assert secret not in text + capsys.readouterr().err
    assert seen[0] == f"with {IN_GOAL} and 7", "a record belongs to the handlers of others too"
