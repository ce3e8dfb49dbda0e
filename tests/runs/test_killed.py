"""`kill -9` from outside at 8 random moments, also while a script runs, then resume: the same score, each effect once.

The moments that code can name are those of `test_killed_everywhere.py`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.effects import Journal
from trainwright.graph.ledger import Ledger
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import hub_path, run_path
from trainwright.tools.code import git

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

START = "import sys; from trainwright.cli.main import main; sys.exit(main())"
REQUEST = (
    *("--goal", "Tell the digits apart with an RBF support vector machine with C=10 and gamma=0.001"),
    *("--data", "sklearn:digits", "--approvals", "auto"),
)
KILLS = 4
"""Of each of the two runs."""


def command(arguments: tuple[str, ...], kill_after: tuple[int, float] | None) -> tuple[int, list[dict[str, Any]]]:
    """Run the command; exit code and events.

    With `kill_after` it is killed so many seconds after it has said so many lines, and in any case before its end:
    if it comes to its last node sooner, there.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", START, *arguments, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    events: list[dict[str, Any]] = []
    timer: threading.Timer | None = None
    for line in process.stdout:
        events.append(json.loads(line))
        if kill_after is None:
            continue
        if events[-1].get("node") == "wrap_up":
            process.kill()
        elif len(events) == kill_after[0]:
            timer = threading.Timer(kill_after[1], process.kill)
            timer.start()
    code = process.wait()
    errors = process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    if timer is not None:
        timer.cancel()
        timer.join()
    assert "Traceback" not in errors, errors
    return code, events


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> float:
    """The score of a run that nobody kills."""
    home = tmp_path_factory.mktemp("undisturbed")
    before = os.environ.get("TRAINWRIGHT_HOME")
    os.environ["TRAINWRIGHT_HOME"] = str(home)
    try:
        code, events = command(("run", *REQUEST), None)
    finally:
        if before is None:
            del os.environ["TRAINWRIGHT_HOME"]
        else:
            os.environ["TRAINWRIGHT_HOME"] = before
    assert code == 0, events[-1:]
    return float(events[-1]["evaluation"]["value"])


@pytest.mark.parametrize("seed", range(1))
def test_killed_at_random_moments_it_ends_as_if_never_killed(undisturbed: float, seed: int) -> None:
    chance = random.Random(seed)
    arguments: tuple[str, ...] = ("run", *REQUEST)
    killed = 0
    for _ in range(KILLS):
        code, events = command(arguments, (chance.randrange(1, 17), chance.random() * 0.7))
        assert code == -signal.SIGKILL, events[-1:]
        killed += 1
        arguments = ("resume", open_runs().list()[0].name)
    code, events = command(arguments, None)
    assert (code, killed) == (0, KILLS), events[-1:]
    result = events[-1]
    assert result["status"] == "published"
    assert result["evaluation"]["value"] == undisturbed
    check_once(result["run"], result)


def check_once(run: str, result: dict[str, Any]) -> None:
    """Each effect happened once, and what is left behind adds up."""
    attempts = run_path(run) / "attempts"
    jobs = [path.name for path in attempts.glob("*/job*")]
    assert jobs == ["job"] * len(list(attempts.iterdir()))
    effects = Journal().of_run(run)
    assert sorted(effect.kind for effect in effects) == ["job", "publication"]
    assert all(effect.handle for effect in effects)
    models = list(hub_path().iterdir())
    assert [path for path in models if (path / "README.md").is_file()] == [Path(result["model"])]
    assert len(git(Path(result["model"]), "log", "--format=%H").split()) == 1
    steps = Ledger().total(run, "steps")
    assert steps == result["steps"], "a turn that was taken again after a kill counts once"
    assert len(open_runs().list()) == 1
