"""Whole runs with a model as the engineer: from a paper and data to a published model with code that it wrote."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.runs.conftest import PAPER, driven
from trainwright.engineers import turn
from trainwright.graph import driver
from trainwright.graph.errors import AGAIN, RequestError
from trainwright.graph.ledger import Ledger
from trainwright.graph.settings import EXIT_CODES, home, run_path
from trainwright.graph.state import Request, Settings, Status

from . import Asked, Call, Reply, Usage, no_credit
from .scientist import Done, Scientist, done, stage_of
from .server import ModelServer

pytestmark = pytest.mark.slow

BROKEN = 'raise KeyError("no such column")'


@pytest.fixture
def paper(tmp_path: Path) -> str:
    path = tmp_path / "flowers.md"
    path.write_text(PAPER)
    return str(path)


def settings(server: ModelServer, protocol: str = "openai", **more: Any) -> Settings:
    name, base = ("openai/test", server.openai) if protocol == "openai" else ("anthropic/claude-test", server.url)
    return Settings.model_validate({"engineer": name, "base_url": base, "approvals": "auto", **more})


def request(paper: str) -> Request:
    return Request(paper=paper, data="sklearn:iris", name="flowers")


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
async def test_code_of_its_own_fails_in_the_sandbox_is_repaired_and_published(paper: str, protocol: str) -> None:
    with ModelServer(Scientist(broken=BROKEN)) as server:
        run = await driven(driver.start(request(paper), settings(server, protocol)))
    assert run.state.status == Status.PUBLISHED, run.state.reason
    assert run.nodes().count("sandbox_test") == 2
    assert run.state.repairs == 1
    assert run.state.code is not None
    assert (run.state.code.recipe, run.state.code.unmodified) == ("", False)
    assert run.state.sandbox is not None
    assert run.state.sandbox.isolation == "bubblewrap"
    assert run.state.evaluation is not None
    assert run.state.evaluation.value > run.state.evaluation.baseline.value + 0.3
    repair = next(
        a for a in server.asked if "To heed in this round" in json.dumps(a.body) and stage_of(a) == "write_code"
    )
    assert "no such column" in json.dumps(repair.body)
    spent = run.result["spent"]
    assert spent["tokens"] == 120 * len(server.asked)
    assert set(spent["by_stage"]) == {"read_paper", "plan", "find_data", "write_code"}
    assert sum(stage["steps"] for stage in spent["by_stage"].values()) == run.state.steps == len(server.asked)
    assert spent["usd"] is None, "nobody knows the price"
    report = Path(run.result["report"]).read_text()
    assert "<h2>Model</h2>" in report
    assert "unknown" in report


async def test_each_stage_begins_with_artifacts_alone(paper: str) -> None:
    with ModelServer(Scientist()) as server:
        await driven(driver.start(request(paper), settings(server)))
    seen: set[str] = set()
    for asked in server.asked:
        stage = stage_of(asked)
        if stage not in seen:
            assert [m["role"] for m in asked.messages] == ["system", "user"], stage
            seen.add(stage)
    assert len(seen) == 4
    assert max(asked.size for asked in server.asked) < 20_000
    assert "withheld" not in json.dumps([a.body["messages"][1:] for a in server.asked if stage_of(a) == "write_code"])


async def test_a_plan_that_the_data_contradict_is_made_anew(paper: str) -> None:
    def find_data(asked: Asked, calls: list[Done]) -> Reply | None:
        first = sum(stage_of(a) == "plan" for a in server.asked) <= 2
        if calls and first:
            return Reply(calls=(Call("contradict", {"reason": "There are only three species."}),))
        return None

    with ModelServer(Scientist({"find_data": find_data})) as server:
        run = await driven(driver.start(request(paper), settings(server, attempts=3)))
    assert run.state.status == Status.PUBLISHED, run.state.reason
    assert run.nodes().count("plan") == 2
    again = [a for a in server.asked if stage_of(a) == "plan"][2]
    assert "To heed in this round: <data>There are only three species." in json.dumps(again.body)


async def test_the_step_cap_in_the_middle_of_a_stage_and_on_with_a_higher_one(paper: str) -> None:
    with ModelServer(Scientist()) as server:
        first = await driven(driver.start(request(paper), settings(server, step_cap=7)))
        assert (first.state.status, first.state.steps) == (Status.STEP_LIMIT, 7)
        assert first.state.stopped_at == "write_code"
        asked = len(server.asked)
        last = server.asked[-1]
        run = await driven(driver.resume("flowers", step_cap=40))
    assert run.state.status == Status.PUBLISHED, run.state.reason
    resumed = server.asked[asked]
    assert [call.name for call in done(resumed)] == ["write_file", "write_file"], "it goes on at that very step"
    assert done(resumed)[: len(done(last))] == done(last)
    assert run.nodes()[0] == "write_code"
    assert "Went on with step_cap=40." in run.state.notes


async def test_used_up_credit_is_a_question_and_never_a_change_of_model(paper: str) -> None:
    answers = iter([False, False, True])

    def plan(asked: Asked, calls: list[Done]) -> Reply | None:
        return None if calls or next(answers) else no_credit()

    with ModelServer(Scientist({"plan": plan})) as server:
        first = await driven(driver.start(request(paper), settings(server)))
        assert first.result["status"] == Status.WAITING
        assert EXIT_CODES[first.result["status"]] == 3
        assert first.state.question is not None
        assert "has no credit or quota left for openai/test (status 402)" in first.state.question.text
        assert "No other model was asked." in first.state.question.text
        again = await driven(driver.resume("flowers"))
        assert again.result["status"] == Status.WAITING, "there is still none: it is asked again"
        wrong = await driven(driver.answer("flowers", "I have paid"))
        assert wrong.result["status"] == Status.WAITING
        run = await driven(driver.answer("flowers", AGAIN))
    assert run.state.status == Status.PUBLISHED, run.state.reason
    assert {asked.model for asked in server.asked} == {"test"}
    assert "try again" not in json.dumps([asked.body for asked in server.asked])
    assert Ledger().open("flowers") == []


async def test_where_credit_is_used_up_the_person_may_change_the_model(
    paper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan(asked: Asked, calls: list[Done]) -> Reply | None:
        return no_credit() if asked.model == "test" else None

    with ModelServer(Scientist({"plan": plan})) as server:
        first = await driven(driver.start(request(paper), settings(server)))
        assert first.result["status"] == Status.WAITING
        monkeypatch.setenv("HOSTED_VLLM_API_BASE", server.openai)
        run = await driven(driver.resume("flowers", engineer="hosted_vllm/other"))
    assert run.state.status == Status.PUBLISHED, run.state.reason
    assert "plan" in run.nodes()[:2]
    assert run.state.settings is not None
    assert (run.state.settings.engineer, run.state.settings.base_url) == ("hosted_vllm/other", "")
    assert any("engineer=hosted_vllm/other" in note for note in run.state.notes)


async def test_a_change_of_model_holds_also_where_the_new_one_never_answered(
    paper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[str] = []

    def plan(asked: Asked, calls: list[Done]) -> Reply | None:
        models.append(asked.model)
        return no_credit() if len(models) < 3 else None

    with ModelServer(Scientist({"plan": plan})) as server:
        await driven(driver.start(request(paper), settings(server)))
        monkeypatch.setenv("HOSTED_VLLM_API_BASE", server.openai)
        await driven(driver.resume("flowers", engineer="hosted_vllm/other"))
        run = await driven(driver.resume("flowers"))
    assert models[:3] == ["test", "other", "other"]
    assert run.state.status == Status.PUBLISHED, run.state.reason


async def test_a_model_gives_its_run_over_to_the_built_in_engineer(paper: str) -> None:
    def plan(asked: Asked, calls: list[Done]) -> Reply | None:
        return no_credit()

    with ModelServer(Scientist({"plan": plan})) as server:
        await driven(driver.start(request(paper), settings(server)))
        run = await driven(driver.resume("flowers", engineer="recipes"))
    assert run.state.status == Status.PUBLISHED, run.state.reason


async def test_a_price_that_nobody_knows_is_asked_for_and_then_counted(
    paper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(Scientist()) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai)
        unheard = settings(server, engineer="openai/unheard-of", base_url="")
        first = await driven(driver.start(request(paper), unheard))
        assert first.result["status"] == Status.WAITING
        assert first.state.question is not None
        assert first.state.question.key == "price:openai/unheard-of"
        wrong = await driven(driver.answer("flowers", "three dollars"))
        assert wrong.result["status"] == Status.WAITING
        assert wrong.state.question is not None
        assert "'three dollars' is no price" in wrong.state.question.text
        assert server.asked == []
        run = await driven(driver.answer("flowers", "3/15"))
    assert run.state.status == Status.PUBLISHED, run.state.reason
    assert "3/15" not in json.dumps([asked.body for asked in server.asked]), "that is none of the model's business"
    calls = [event for event in run.events if event["event"] == "call" and event["phase"] == "end"]
    assert len(calls) == len(server.asked)
    assert sum(round(call["usd"] * 1e6) for call in calls) == len(calls) * (100 * 3 + 20 * 15)
    assert run.result["spent"]["usd"] == pytest.approx(len(calls) * 600 / 1e6)


async def test_a_budget_that_is_used_up_in_the_middle_of_a_stage_and_on_with_a_higher_one(paper: str) -> None:
    def plan(asked: Asked, calls: list[Done]) -> Reply | None:
        return None if calls else Reply(calls=(Call("inspect_data", {}),), usage=Usage(2_000, 5_000))

    with ModelServer(Scientist({"plan": plan})) as server:
        priced = settings(server, model_price="10/100", max_model_usd=0.7)
        first = await driven(driver.start(request(paper), priced))
        assert first.state.status == Status.BUDGET_LIMIT, first.state.reason
        assert EXIT_CODES[first.state.status] == 4
        assert first.state.stopped_at == "plan"
        assert "--max-model-usd" in first.state.reason
        spent = Ledger().total("flowers", "usd_micros")
        assert 520_000 < spent <= 700_000
        asked = len(server.asked)
        run = await driven(driver.resume("flowers", max_model_usd=20.0))
    assert run.state.status == Status.PUBLISHED, run.state.reason
    assert [call.name for call in done(server.asked[asked])] == ["inspect_data"], "it goes on at that very step"
    assert stage_of(server.asked[asked]) == "plan"
    assert Ledger().open("flowers") == []
    expected = (len(server.asked) - 1) * 3_000 + 520_000
    assert Ledger().total("flowers", "usd_micros") == expected


def test_a_run_with_a_model_in_a_terminal_is_told_killed_and_goes_on(paper: str) -> None:
    reached, go = threading.Event(), threading.Event()

    def plan(asked: Asked, calls: list[Done]) -> Reply | None:
        if calls and not reached.is_set():
            reached.set()
            return Reply(text="Thinking about it.", calls=(Call("inspect_data", {}),), before=go)
        return None

    with ModelServer(Scientist({"plan": plan})) as server:
        flags = ["--engineer", "openai/test", "--base-url", server.openai, "--approvals", "auto", "--name", "flowers"]
        command = [str(Path(sys.executable).with_name("trainwright"))]
        work = subprocess.Popen(
            [*command, "run", paper, "--data", "sklearn:iris", *flags, "--json"], stdout=subprocess.PIPE
        )
        assert reached.wait(120)
        told = subprocess.run([*command, "tell", "flowers", "Use the plainest method."], capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        assert "reads it at its next turn" in told.stdout
        os.kill(work.pid, signal.SIGKILL)
        work.communicate()
        go.set()
        (left,) = Ledger().open("flowers")
        assert left.node == "plan"
        assert left.amounts["output_tokens"] == server.asked[-1].body["max_tokens"]
        before = len(server.asked)
        again = subprocess.run([*command, "resume", "flowers"], capture_output=True, text=True, timeout=300)
        assert again.returncode == 0, again.stdout + again.stderr
        assert Ledger().held(left.key) == left.amounts, "nobody knows what it took: all of it counts"
        assert Ledger().open("flowers") == []
        assert again.stdout.count("was under way when the run was killed") == 1
        first = server.asked[before]
        assert stage_of(first) == "plan"
        assert [call.name for call in done(first)] == ["inspect_data"], "the call that was finished is kept"
        assert "The person says: Use the plainest method." in first.last
        assert "Published: flowers" in again.stdout
        assert "tokens, price not known" in again.stdout
        shown = subprocess.run([*command, "show", "flowers"], capture_output=True, text=True)
    assert "openai/test" in shown.stdout
    assert "Use the plainest method." in shown.stdout
    assert "write code: " in shown.stdout


async def test_a_model_that_says_nothing_useful_ends_the_run_within_the_cap(paper: str) -> None:
    with ModelServer(lambda asked: Reply(text="I would love to help!")) as server:
        run = await driven(driver.start(request(paper), settings(server)))
    assert (run.state.status, run.state.steps) == (Status.GAVE_UP, 3)
    assert "without doing anything" in run.state.reason
    assert Path(run.result["report"]).is_file()


async def test_a_tell_is_refused_where_nobody_reads_it(paper: str) -> None:
    await driven(driver.start(Request(goal="g", data="sklearn:iris", name="plain"), Settings(dry_run=True)))
    with pytest.raises(RequestError, match="follows fixed rules"):
        driver.tell("plain", "hello")


async def test_a_key_in_the_environment_reaches_nothing_that_is_kept(
    paper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "sk-own-" + "q9" * 20
    monkeypatch.setenv("TRAINWRIGHT_API_KEY", secret)

    def write_code(asked: Asked, calls: list[Done]) -> Reply | None:
        if not calls:
            text = f"# the key is {secret}\nimport os\nprint(sorted(os.environ))\n"
            return Reply(calls=(Call("write_file", {"name": "look.py", "text": text}),))
        if len(calls) == 1:
            return Reply(calls=(Call("run_code", {"script": "look.py"}),))
        return None

    with ModelServer(Scientist({"write_code": write_code})) as server:
        run = await driven(driver.start(request(paper), settings(server)))
    assert server.asked[0].headers["authorization"] == f"Bearer {secret}"
    assert secret not in json.dumps(run.events)
    kept = [path for path in home().rglob("*") if path.is_file()]
    assert len(kept) > 10
    for path in kept:
        assert secret.encode() not in path.read_bytes(), path
    assert secret not in json.dumps([asked.body for asked in server.asked])
    looked = next(c for a in server.asked for c in done(a) if c.name == "run_code")
    assert "API_KEY" not in looked.result
    assert run_path("flowers").is_dir()


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "wait_before", lambda trouble, failed: 0.0)
