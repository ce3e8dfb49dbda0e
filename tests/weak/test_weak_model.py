"""A real model that is far too weak for the job breaks nothing: each run ends, within its cap, with a reason and a report."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.runs.conftest import Driven
from trainwright.graph import driver
from trainwright.graph.ledger import Ledger
from trainwright.graph.settings import hub_path, run_path
from trainwright.graph.state import Request, Status

from .conftest import PYTHON, Answers, Serve, WeakServer, driven, settings, transcripts

pytestmark = [
    pytest.mark.weak,
    pytest.mark.slow,
    pytest.mark.timeout(1_800),
    pytest.mark.skipif(not PYTHON, reason="TRAINWRIGHT_WEAK_MODEL_PYTHON is not set: `make test-weak-model`"),
]

ENDS = {Status.GAVE_UP, Status.STEP_LIMIT, Status.FAILED}


def request(paper: str, goal: str = "") -> Request:
    return Request(goal=goal, paper=paper, data="sklearn:iris", name="flowers")


def check_end(run: Driven, cap: int) -> None:
    """What holds of every run, whatever the model did."""
    name = run.state.run
    assert run.state.status in ENDS
    assert run.state.reason
    assert run.nodes()[-1] == "wrap_up"
    assert run.state.steps <= cap
    result = json.loads((run_path(name) / "result.json").read_text())
    assert (result["status"], result["reason"]) == (str(run.state.status), run.state.reason)
    assert result["steps"] == run.state.steps == Ledger().total(name, "steps")
    assert (run_path(name) / "report.html").is_file()
    assert Path(run.result["report"]) == run_path(name) / "report.html"
    assert run.state.publication is None
    assert not hub_path().exists() or not list(hub_path().iterdir())
    assert run.state.sandbox is None or run.state.sandbox.isolation == "bubblewrap"
    for file, transcript in transcripts(name).items():
        check_calls(file, transcript)


def check_calls(file: str, transcript: list[dict[str, Any]]) -> None:
    """Each call of an answer has exactly one result, and there is no result without a call."""
    answers = [message["data"] for message in transcript if message["type"] == "ai"]
    made = [call["id"] for data in answers for call in (*data["tool_calls"], *data["invalid_tool_calls"])]
    results = Counter(message["data"]["tool_call_id"] for message in transcript if message["type"] == "tool")
    assert len(set(made)) == len(made), file
    assert results == Counter(made), file


def check_continued(stage: str, carried: list[dict[str, Any]]) -> None:
    """A resumed stage went on behind the transcript with which it was stopped."""
    found = [transcript for file, transcript in transcripts("flowers").items() if file.startswith(f"{stage}-")]
    assert max(map(len, found)) > len(carried)
    assert any(transcript[: len(carried)] == carried for transcript in found if len(transcript) > len(carried))


def tokens(run: Driven) -> int:
    return Ledger().total(run.state.run, "input_tokens") + Ledger().total(run.state.run, "output_tokens")


@pytest.mark.parametrize("answers", ["words", "calls"])
async def test_a_whole_run_ends_within_its_cap(serve: Serve, paper: str, answers: Answers) -> None:
    run = await driven(driver.start(request(paper), settings(serve(answers))))
    check_end(run, cap=12)
    assert run.state.steps > 0
    assert tokens(run) > 0
    assert run.result["spent"]["tokens"] == tokens(run)
    assert run.result["spent"]["usd"] is None, "nobody knows the price"
    called = sum(len(event["tools"]) for event in run.events if event["event"] == "turn")
    assert (called > 0) == (answers == "calls")
    assert sum(event["event"] == "tool" for event in run.events) <= called
    assert transcripts(run.state.run)


@pytest.mark.parametrize(("answers", "window"), [("calls", 2048), ("words", 1280)])
async def test_a_window_that_is_given_too_large_is_no_endless_loop(
    serve: Serve, paper: str, answers: Answers, window: int
) -> None:
    """Where the model talks, the first request mostly fits and the second does not."""
    server, goal = serve(answers, window), "Tell the flowers apart. " * 40
    run = await driven(driver.start(request(paper, goal), settings(server, context_tokens=32_000)))
    assert f"exceed context window of {window}" in server.said(), "the request was longer than the server reads"
    check_end(run, cap=12)
    assert run.state.status == Status.FAILED
    assert "openai/smollm2 cannot go on" in run.state.reason
    assert "resume" in run.state.reason
    asked = [event for event in run.events if event["event"] == "call" and event["phase"] == "start"]
    assert len(asked) <= 12


async def test_a_window_that_holds_no_stage_is_said_before_anything_is_sent(serve: Serve, paper: str) -> None:
    run = await driven(driver.start(request(paper), settings(serve("words"), context_tokens=2048)))
    check_end(run, cap=12)
    assert run.state.status == Status.FAILED
    assert "reads 2,048 tokens" in run.state.reason
    assert "--context-tokens" in run.state.reason
    assert (run.state.steps, tokens(run)) == (0, 0)


async def test_after_its_step_limit_a_run_goes_on_and_ends_again(serve: Serve, paper: str) -> None:
    """With the model that talks: it always takes three turns."""
    first = await driven(driver.start(request(paper), settings(serve("words"), step_cap=2)))
    check_end(first, cap=2)
    assert (first.state.status, first.state.steps) == (Status.STEP_LIMIT, 2)
    carried = transcripts("flowers")[f"{first.state.stopped_at}-carry.json"]
    run = await driven(driver.resume("flowers", step_cap=6))
    check_end(run, cap=6)
    assert run.state.steps > 2
    assert tokens(run) > first.result["spent"]["tokens"]
    check_continued(first.state.stopped_at, carried)


@pytest.mark.parametrize("moment", ["call", "token"])
async def test_a_server_that_is_killed_is_reported_and_the_run_goes_on_once_it_is_back(
    paper: str, tmp_path: Path, moment: str
) -> None:
    """Killed when it is asked for the second time, or in the middle of the answer."""
    server = WeakServer(tmp_path / "server.txt")
    asked = 0

    def kill(event: dict[str, Any]) -> None:
        nonlocal asked
        asked += event["event"] == "call" and event["phase"] == "start"
        if asked == 2 and event["event"] == moment:
            server.kill()

    with server:
        first = await driven(driver.start(request(paper), settings(server)), kill)
    check_end(first, cap=12)
    assert first.state.status == Status.FAILED
    assert first.state.steps in ((1,) if moment == "call" else (1, 2)), (
        "an answer of one line is shown when it is whole"
    )
    assert "openai/smollm2 cannot go on: it cannot be reached, after 3 tries" in first.state.reason
    assert "Look whether the server is up at http://127.0.0.1" in first.state.reason
    assert [event["event"] for event in first.events].count("retry") == 2
    carried = transcripts("flowers")["read_paper-carry.json"]
    with server:
        run = await driven(driver.resume("flowers"))
    check_end(run, cap=12)
    assert run.state.steps > first.state.steps
    assert "cannot go on" not in run.state.reason
    check_continued("read_paper", carried)
