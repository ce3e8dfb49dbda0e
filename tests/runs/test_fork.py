"""Forks: begun at a step inside a stage, at a gate, at the end; the original stays as it was, nothing counts twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.database import transaction
from trainwright.graph.driver import answer, load_state, resume, start
from trainwright.graph.effects import Journal
from trainwright.graph.errors import RequestError
from trainwright.graph.forking import fork, origin_of
from trainwright.graph.lease import held
from trainwright.graph.ledger import Ledger
from trainwright.graph.pruning import prune
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import hub_path, run_path
from trainwright.graph.state import Request, Settings
from trainwright.tools.code import git

from .conftest import Driven, approve, driven

pytestmark = pytest.mark.slow
AUTO = Settings(approvals="auto")
IRIS = "sklearn:iris"


def request(name: str, **more: Any) -> Request:
    """A request that the built-in engineer can serve quickly."""
    return Request(goal="Classify with logistic regression", data=IRIS, name=name, **more)


def all_of(run: str) -> dict[str, Any]:
    """Everything that is stored of a run: rows of each table, and the bytes of each file."""
    thread = open_runs().get(run).thread_id
    found: dict[str, Any] = {}
    with transaction("") as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
            columns = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
            for column, value in (("run", run), ("thread_id", thread), ("name", run)):
                if column in columns:
                    sql = f"SELECT * FROM {table} WHERE {column}=?"
                    if rows := [tuple(row) for row in db.execute(sql, (value,)).fetchall()]:
                        found[f"{table}.{column}"] = rows
    folder = run_path(run)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("driver."))
    return found | {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def steps_of(done: Driven, stage: str) -> list[int]:
    """The numbers of the turns of a stage."""
    return [e["step"] for e in done.events if e["event"] == "turn" and e["stage"] == stage]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Driven]:
    """A home with one run that ended published, and what it said."""
    home = tmp_path_factory.mktemp("made") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAINWRIGHT_HOME", str(home))
        patch.setenv("TRAINWRIGHT_CONFIG", str(home / "config"))
        done = asyncio.run(driven(start(request("whole"), AUTO)))
    assert done.result["status"] == "published", done.result
    shutil.copytree(home, home.with_name("kept"), symlinks=True)
    return home, done


@pytest.fixture
def whole(made_once: tuple[Path, Driven], monkeypatch: pytest.MonkeyPatch) -> Driven:
    """A run that ended published: the same for each test, as it was."""
    home, done = made_once
    shutil.rmtree(home)
    shutil.copytree(home.with_name("kept"), home, symlinks=True)
    monkeypatch.setenv("TRAINWRIGHT_HOME", str(home))
    monkeypatch.setenv("TRAINWRIGHT_CONFIG", str(home / "config"))
    return done


async def nodes_begun(run: str, count: int = 1) -> list[str]:
    """Go on with a run until so many nodes have begun; their names."""
    found: list[str] = []
    async with aclosing(resume(run)) as events:  # type: ignore[type-var]  # an async generator, typed as an iterator
        async for event in events:
            if event["event"] == "node" and event["phase"] == "start":
                found.append(event["node"])
                if len(found) == count:
                    break
    return found


@pytest.mark.parametrize("stage", ["read_paper", "plan", "write_code"])
async def test_a_fork_inside_a_stage_goes_on_from_that_step_and_is_published_under_its_own_name(
    whole: Driven, stage: str
) -> None:
    steps = steps_of(whole, stage)
    assert len(steps) > 1, "or there is no inside"
    before = all_of("whole")
    made = await fork("whole", steps[-2], "other")
    assert made == "other"
    assert all_of("whole") == before
    done = await driven(resume("other"))
    assert done.result["status"] == "published"
    assert all_of("whole") == before, "nor does the fork touch it while it works"

    assert steps_of(done, stage)[0] == whole.state.steps + 1, "steps count on"
    assert len(steps_of(done, stage)) == 1, "the stage was at its last turn, and began there"
    assert done.nodes()[0] == stage
    assert done.state.evaluation is not None
    assert whole.state.evaluation is not None
    assert done.state.evaluation.value == whole.state.evaluation.value
    assert Path(done.result["model"]) == hub_path() / "other"
    _check_accounts("other", "whole", whole.state.steps)


def _check_accounts(name: str, parent: str, steps: int) -> None:
    """The fork counts all that its parent had used, and its effects are its own."""
    used = {resource: Ledger().total(parent, resource) for resource in ("steps", "milliseconds")}
    assert all(Ledger().total(name, resource) > amount for resource, amount in used.items())
    assert open_runs().get(name).steps == Ledger().total(name, "steps")
    assert used["steps"] == steps
    mine, its = ({effect.key for effect in Journal().of_run(run)} for run in (name, parent))
    assert sorted(effect.kind for effect in Journal().of_run(name)) == ["job", "publication"]
    assert not mine & its


async def test_a_fork_inside_write_code_has_the_files_as_they_were_then(whole: Driven) -> None:
    steps = steps_of(whole, "write_code")
    first = await fork("whole", steps[0], "first")
    transcript = json.loads((run_path(first) / "stages" / "write_code-carry.json").read_text())
    answered = [message["data"]["name"] for message in transcript if message["type"] == "tool"]
    wrote = "copy_recipe" in answered
    assert (run_path(first) / "code" / "train.py").is_file() == wrote
    assert await nodes_begun(first, 2) == ["write_code", "sandbox_test"]


async def test_a_fork_between_two_stages_begins_with_the_second(whole: Driven) -> None:
    last = steps_of(whole, "find_data")[-1]
    await fork("whole", last, "other")
    assert not (run_path("other") / "code").exists()
    assert not (run_path("other") / "attempts" / "1").exists()
    assert not (run_path("other") / "report.html").exists()
    assert await nodes_begun("other", 2) == ["write_code", "sandbox_test"]


async def test_a_fork_of_a_published_run_is_published_only_after_an_approval_of_its_own() -> None:
    asked = Settings()
    run = await driven(start(request("careful"), asked))
    for gate in ("approve_plan", "approve_job", "approve_publish"):
        assert run.result["waiting"]["gate"] == gate
        run = await driven(answer("careful", approve()))
    assert run.result["status"] == "published"
    published = git(hub_path() / "careful", "rev-parse", "HEAD")

    await fork("careful", name="again")
    waiting = await driven(resume("again"))
    assert waiting.result["waiting"]["gate"] == "approve_publish"
    assert waiting.result["waiting"]["card"]["name"] == "again"
    assert not (hub_path() / "again").exists()
    assert [a.gate for a in waiting.state.approvals] == ["approve_plan"]
    done = await driven(answer("again", approve()))
    assert done.result["status"] == "published"
    assert done.nodes() == ["publish", "wrap_up"], "nothing was trained or scored again"
    assert done.result["evaluation"] == run.result["evaluation"]
    assert git(hub_path() / "careful", "rev-parse", "HEAD") == published
    assert done.state.job is not None
    assert Path(done.state.job.handle).is_relative_to(run_path("again"))


async def test_a_fork_of_a_run_that_trains_stands_in_front_of_the_gate_and_trains_for_itself() -> None:
    stream = start(request("trains"), AUTO)
    async with aclosing(stream) as events:  # type: ignore[type-var]  # an async generator, typed as an iterator
        async for event in events:
            if event["event"] == "node" and event["node"] == "watch_job":
                break
    assert (run_path("trains") / "attempts" / "1" / "job").is_dir()
    await fork("trains", name="other")
    assert origin_of("other").node == "approve_job"  # type: ignore[union-attr]
    assert not (run_path("other") / "attempts" / "1" / "job").exists()
    done = await driven(resume("other"))
    assert done.nodes()[:2] == ["submit_job", "watch_job"]
    assert done.result["status"] == "published"
    first = await driven(resume("trains"))
    assert first.result["status"] == "published"
    jobs = [effect.handle for run in ("trains", "other") for effect in Journal().of_run(run) if effect.kind == "job"]
    assert len(set(jobs)) == 2


async def test_a_fork_at_the_step_cap_goes_on_with_a_higher_one_and_stops_without() -> None:
    capped = AUTO.model_copy(update={"step_cap": 4})
    stopped = await driven(start(request("capped"), capped))
    assert stopped.result["status"] == "step_limit"
    await fork("capped", name="same")
    again = await driven(resume("same"))
    assert (again.result["status"], again.result["steps"]) == ("step_limit", 4)
    await fork("capped", name="higher")
    done = await driven(resume("higher", step_cap=100))
    assert done.result["status"] == "published"
    await fork("capped", 3, "earlier")
    early = await driven(resume("earlier"))
    assert early.result["status"] == "step_limit", (
        "a fork at an earlier step has no more steps than its parent had left"
    )
    assert open_runs().get("capped").steps == 4


async def test_a_run_that_waits_for_an_answer_is_forked_with_its_question(two_targets: str) -> None:
    waiting = await driven(start(Request(goal="Classify", data=two_targets, name="asks"), AUTO))
    assert waiting.result["waiting"]["gate"] == "ask_person"
    await fork("asks", name="other")
    again = await driven(resume("other"))
    assert again.result["waiting"]["gate"] == "ask_person"
    done = await driven(answer("other", "label_size"))
    assert done.state.plan is not None
    assert done.state.plan.target_column == "label_size"
    assert open_runs().get("asks").status == "waiting"


async def test_a_fork_of_a_fork_counts_from_the_first(whole: Driven) -> None:
    steps = steps_of(whole, "plan")
    await fork("whole", steps[0], "child")
    await nodes_begun("child", 4)
    own = list(range(whole.state.steps + 1, open_runs().get("child").steps + 1))
    with pytest.raises(RequestError, match=f"has no step 1: its steps are {own[0]} to {own[-1]}") as caught:
        await fork("child", 1)
    assert f"Steps 1 to {own[0] - 1} are those of whole" in caught.value.hint
    name = await fork("child", own[0])
    assert name == "child-fork"
    assert await nodes_begun(name) == ["plan"]
    assert open_runs().get(name).steps == own[-1] > whole.state.steps


async def test_what_cannot_be_forked_is_refused_and_leaves_nothing(whole: Driven) -> None:
    total, before = whole.state.steps, sorted(run_path("whole").parent.iterdir())
    for step in (0, -1, total + 1):
        with pytest.raises(RequestError, match=f"has no step {step}: its steps are 1 to {total}"):
            await fork("whole", step)
    with pytest.raises(RequestError, match="named whole already"):
        await fork("whole", 2, "whole")
    with pytest.raises(RequestError, match="cannot be the name"):
        await fork("whole", 2, "../evil")
    with held("whole"), pytest.raises(RequestError, match="at work already"):
        await fork("whole", 2)
    assert sorted(run_path("whole").parent.iterdir()) == before
    assert len(open_runs().list()) == 1


async def test_after_pruning_a_fork_stands_where_the_run_stands_and_says_what_is_gone(whole: Driven) -> None:
    step = steps_of(whole, "plan")[0]
    await prune(["whole"])
    with pytest.raises(RequestError, match=rf"The checkpoints of step {step} of whole are gone: `trainwright prune`"):
        await fork("whole", step)
    await fork("whole", name="now")
    assert await nodes_begun("now") == ["publish"]


async def test_a_pruned_run_that_is_inside_a_stage_is_forked_there() -> None:
    seen = []
    async with aclosing(start(request("inside"), AUTO)) as events:  # type: ignore[type-var]  # as above
        async for event in events:
            if event["event"] == "tool" and event["stage"] == "plan":
                seen.append(event)
                if len(seen) == 2:
                    break
    await prune(["inside"])
    await fork("inside", name="other")
    transcript = json.loads((run_path("other") / "stages" / "plan-carry.json").read_text())
    assert transcript[0]["type"] == "human"
    answered = [message["data"]["name"] for message in transcript if message["type"] == "tool"]
    assert answered == [event["name"] for event in seen][: len(answered)]
    assert answered
    assert await nodes_begun("other", 2) == ["plan", "find_data"]


async def test_a_run_that_was_stopped_in_its_first_stage_is_forked_there() -> None:
    async with aclosing(start(request("first"), AUTO)) as events:  # type: ignore[type-var]  # as above
        async for event in events:
            if event["event"] == "turn" and event["step"] == 2:
                break
    with pytest.raises(RequestError, match="is not done with step 2: its calls are not answered yet"):
        await fork("first", 2)
    await fork("first", name="other")
    assert origin_of("other").node == "read_paper"  # type: ignore[union-attr]
    assert await nodes_begun("other", 2) == ["read_paper", "plan"]


async def test_the_state_of_a_fork_says_where_it_comes_from_and_that_the_score_was_known(whole: Driven) -> None:
    await fork("whole", steps_of(whole, "plan")[0], "other")
    state = await load_state("other")
    assert any(note.startswith("Forked from whole at step") for note in state.notes)
    assert any("was known" in note for note in state.notes)
    assert open_runs().get("other").reason == f"forked from whole at step {steps_of(whole, 'plan')[0]}"
    assert str(run_path("whole")) + "/" not in (run_path("other") / "stages" / "plan-carry.json").read_text()


async def test_the_command_makes_a_fork_and_says_how_to_go_on(whole: Driven) -> None:
    step = steps_of(whole, "plan")[0]
    told = _command("fork", "whole", "--at", str(step), "--name", "other")
    assert "other is forked from whole at step" in told.stdout
    assert "`trainwright resume other` goes on" in told.stdout
    made = json.loads(_command("fork", "whole", "--json").stdout)
    assert (made["event"], made["run"], made["parent"]) == ("forked", "whole-fork", "whole")
    wrong = _command("fork", "whole", "--at", "1000")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Error: whole has no step 1000")
    assert "Traceback" not in wrong.stderr


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    start_it = "import sys; from trainwright.cli.main import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", start_it, *arguments], capture_output=True, text=True, check=False)
