"""`prune`: what it drops, what it keeps, and that a pruned run goes on as if it never had been."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.runs.conftest import approve, driven
from trainwright.graph.database import transaction
from trainwright.graph.driver import answer, load_state, resume, start
from trainwright.graph.errors import RunNotFound
from trainwright.graph.lease import held
from trainwright.graph.ledger import Ledger
from trainwright.graph.pruning import prune
from trainwright.graph.runs import SCHEMA, open_runs
from trainwright.graph.settings import run_path
from trainwright.graph.state import Request, Settings, Status

GOAL = "Classify with logistic regression"
IRIS = "sklearn:iris"


def rows(table: str = "checkpoints") -> dict[str, int]:
    """Rows by stage; the graph's own under an empty name."""
    sql = f"SELECT checkpoint_ns, COUNT(*) FROM {table} GROUP BY checkpoint_ns"
    with transaction("") as db:
        return {name.partition(":")[0]: count for name, count in db.execute(sql).fetchall()}


async def stopped_in(stage: str, turn: int, name: str) -> None:
    """A run that stops with its process in the middle of a stage."""
    seen = 0
    events = start(Request(goal=GOAL, data=IRIS, name=name), Settings(approvals="auto", dry_run=True))
    async with aclosing(events) as stream:  # type: ignore[type-var]  # an async generator, typed as an iterator
        async for event in stream:
            seen += event["event"] == "turn" and event["stage"] == stage
            if seen == turn:
                return
    raise AssertionError(f"{stage} took no {turn} turns")


async def test_a_run_that_waits_at_a_gate_waits_and_goes_on_as_before() -> None:
    waiting = await driven(start(Request(goal=GOAL, data=IRIS, name="waits"), Settings()))
    assert waiting.result["status"] == "waiting"
    shown, before = open_runs().get("waits").waiting, rows()
    done = await prune(["waits"])
    assert done.runs[0].visits == 2
    assert rows() == {"": 1}
    assert set(rows("writes")) <= {""}
    assert done.runs[0].checkpoints == sum(before.values()) - 1
    assert open_runs().get("waits").waiting == shown
    after = await driven(answer("waits", approve()))
    assert after.state.approvals[-1].gate == "approve_plan"
    assert after.state.dataset is not None


async def test_a_run_that_was_stopped_inside_a_stage_takes_the_same_next_step_as_unpruned() -> None:
    for name in ("plain", "pruned"):
        await stopped_in("plan", 2, name)
    before = await _transcript("pruned")  # each stops where its process was just then, so it is compared with itself
    await prune(["pruned"])
    assert await _transcript("pruned") == before
    taken = sum(kind == "ai" for kind, _ in before)
    assert taken
    plain, pruned = await driven(resume("plain")), await driven(resume("pruned"))
    turns = [{e["step"]: e["tools"] for e in d.events if e["event"] == "turn"} for d in (plain, pruned)]
    assert all(turns[0].get(step, tools) == tools for step, tools in turns[1].items())
    assert turns[1]
    assert pruned.state.plan == plain.state.plan
    assert pruned.state.steps == plain.state.steps == Ledger().total("pruned", "steps")


async def _transcript(name: str) -> list[tuple[str, Any]]:
    """What the stage under way has said and heard so far."""
    from trainwright.graph.checkpoint import open_checkpointer
    from trainwright.graph.reentry import config_of
    from trainwright.graph.workflow import build_graph

    async with open_checkpointer() as saver:
        config = config_of(open_runs().get(name).thread_id)
        snapshot = await build_graph(saver).aget_state(config, subgraphs=True)
    nested = snapshot.tasks[0].state
    assert nested is not None
    found = [(message.type, [c["name"] for c in getattr(message, "tool_calls", [])])
             for message in nested.values["transcript"]]  # fmt: skip
    assert len(found) > 2
    return found


async def test_what_a_dry_run_counts_is_what_goes_and_it_drops_nothing() -> None:
    await stopped_in("plan", 2, "run")
    before = rows()
    counted = await prune(dry_run=True)
    assert rows() == before
    done = await prune()
    assert done.runs == counted.runs
    assert sum(before.values()) - sum(rows().values()) == done.runs[0].checkpoints > 0
    assert counted.freed == 0
    again = await prune()
    assert again.runs[0].checkpoints == 0


async def test_the_file_becomes_shorter_and_an_ended_run_still_shows_itself() -> None:
    done = await driven(start(Request(goal=GOAL, data=IRIS, name="dry"), Settings(approvals="auto", dry_run=True)))
    pruned = await prune()
    assert pruned.freed > 0
    assert pruned.kept_long == ""
    assert await load_state("dry") == done.state
    assert (run_path("dry") / "report.html").is_file()


async def test_a_run_at_work_is_left_alone_and_one_by_its_side_is_not() -> None:
    await stopped_in("plan", 2, "busy")
    await stopped_in("plan", 2, "idle")
    with held("busy"):
        done = {one.run: one for one in (await prune()).runs}
    assert done["busy"].skipped == "it is at work"
    assert done["busy"].checkpoints == 0 < done["idle"].checkpoints


async def test_a_run_on_which_another_process_is_at_work_is_left_alone() -> None:
    await stopped_in("plan", 2, "driven")
    before = rows()
    code = "from trainwright.graph.lease import held\nwith held('driven'): print('held', flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    try:
        assert (await prune()).runs[0].skipped == "it is at work"
    finally:
        other.communicate("\n", timeout=20)
    assert rows() == before


async def test_only_runs_that_are_old_enough_are_looked_at() -> None:
    await stopped_in("plan", 2, "old")
    await stopped_in("plan", 2, "new")
    with transaction(SCHEMA) as db:
        before = (datetime.now(UTC) - timedelta(days=8)).isoformat(timespec="seconds")
        db.execute("UPDATE runs SET updated_at=? WHERE name='old'", (before,))
    assert [one.run for one in (await prune(older_than=7)).runs] == ["old"]
    assert (await prune(older_than=9)).runs == []


async def test_a_name_that_fits_no_run_drops_nothing() -> None:
    await stopped_in("plan", 2, "run")
    before = rows()
    with pytest.raises(RunNotFound):
        await prune(["run", "nosuch"])
    assert rows() == before


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    start_it = "import sys; from trainwright.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", start_it, *arguments], capture_output=True, text=True, env={**os.environ}, check=False
    )


async def test_the_command_says_what_it_did() -> None:
    assert "nothing to drop" in command("prune").stdout
    done = await driven(start(Request(goal=GOAL, data=IRIS, name="waits"), Settings()))
    assert done.state.status == Status.RUNNING
    counted = command("prune", "waits", "--dry-run")
    assert "would go" in counted.stdout
    told = json.loads(command("prune", "--json").stdout)
    assert (told["event"], told["dry_run"], told["runs"][0]["visits"]) == ("pruned", False, 2)
    assert "nothing to drop" in command("prune").stdout
    wrong = command("prune", "--older-than", "-1")
    assert (wrong.returncode, wrong.stderr.splitlines()[0]) == (2, "Error: -1 is no number of days.")
