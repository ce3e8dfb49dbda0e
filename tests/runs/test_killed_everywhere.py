"""`kill -9` at every edge of every node, and inside every effect: each run ends as if nobody had killed it.

`moments.py` finds the moments by itself, so a new node, event, table or effect is killed without a line here; a node
that no chain comes to makes a test fail that says so. Two chains die: one at every moment there is, with rules at the
gates, and one around questions and answers, with a person who answers by the command line. Beside each runs its like
in peace. In a third, two processes race to resume after each death.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.driver import load_state
from trainwright.graph.effects import Journal
from trainwright.graph.ledger import Ledger
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import run_path
from trainwright.graph.workflow import WAYS, graph
from trainwright.nodes.approve import GATES
from trainwright.nodes.wrap_up import spent_by
from trainwright.tools.code import git

from .chains import Chain, Ended, Lived

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EVERY = ["event", "checkpoint", "commit", "effect"]
WINES = ["--goal", "Tell the wines apart with an RBF support vector machine with C=10 and gamma=0.05"]
RULES = Chain(
    name="wines",
    begin=["run", *WINES, "--data", "sklearn:wine", "--approvals", "auto", "--name", "wines", "--json"],
    kinds=EVERY,
    quick=True,
)
PERSON = Chain(
    name="boxes",
    begin=[
        *("run", "--goal", "Which box?", "--data", "BOXES", "--target", "accuracy>=1.0", "--attempts", "2"),
        *("--name", "boxes", "--offline", "--json"),
    ],
    answers=["label_size"],
    kinds=EVERY,
    only=["approve_", "ask_person", "__interrupt__", "__resume__", "effect:", "plan/research"],
    quick=True,
    asking=True,
)
RACE = replace(
    RULES,
    races=[
        "event: turn plan",
        "checkpoint: after aput graph in front of approve_job, sandbox_test",
        "effect: job 1 done, no receipt",
        "effect: publication 1 intended",
    ],
)
CHAINS = {
    "rules in peace": replace(RULES, kinds=[]),
    "person in peace": replace(PERSON, kinds=[]),
    "rules": RULES,
    "person": PERSON,
    "race": RACE,
}
"""In the order in which they are lived: first the short ones, with which every other one is compared."""
LIVE = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
from tests.runs.dying import main
main(pathlib.Path(sys.argv[2]))
"""
STAGES = ("read_paper", "plan", "find_data", "write_code")


@dataclass(frozen=True)
class Outcome:
    """A chain that was lived, and what it left behind."""

    lived: Lived
    account: dict[str, Any]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Outcome]]:
    """`outcomes(name)`: what became of a chain; all of them are lived at once, two at a time."""
    folders = {name: tmp_path_factory.mktemp(name.replace(" ", "-")) for name in CHAINS}
    with ThreadPoolExecutor(2) as pool:
        living = {name: pool.submit(_lived, CHAINS[name], folder) for name, folder in folders.items()}
        found: dict[str, Outcome] = {}

        def outcome(name: str) -> Outcome:
            if name not in found:
                found[name] = Outcome(living[name].result(), _account(folders[name], CHAINS[name].name))
            return found[name]

        yield outcome


def _lived(chain: Chain, folder: Path) -> Lived:
    """The chain, lived in a process of its own."""
    begin = [str(_boxes(folder)) if word == "BOXES" else word for word in chain.begin]
    (folder / "chain.json").write_text(json.dumps(asdict(replace(chain, begin=begin))))
    own = {"TRAINWRIGHT_HOME": str(folder / "home"), "TRAINWRIGHT_CONFIG": str(folder / "config")}
    done = subprocess.run(
        [sys.executable, "-c", LIVE, str(Path(__file__).parents[2]), str(folder)],
        env={**os.environ, **own, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    told = json.loads((folder / "lived.json").read_text())
    return Lived([Ended(**end) for end in told["ends"]], told["visited"])


def _boxes(folder: Path) -> Path:
    """A table in which two columns could be what is predicted."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    x = random.normal(size=(240, 3))
    frame = pd.DataFrame(x, columns=["height", "width", "depth"])
    frame["label_colour"] = np.where(x[:, 0] + 0.3 * random.normal(size=240) > 0, "red", "blue")
    frame["label_size"] = np.where(x[:, 1] + 0.3 * random.normal(size=240) > 0, "large", "small")
    frame.to_csv(folder / "boxes.csv", index=False)
    return folder / "boxes.csv"


def _account(folder: Path, run: str) -> dict[str, Any]:
    """All that a run left behind, but for what depends on the clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAINWRIGHT_HOME", str(folder / "home"))
        return {**_from_state(run), **_from_books(run), **_from_disk(folder / "home", run)}


def _from_state(run: str) -> dict[str, Any]:
    state = asyncio.run(load_state(run))
    whole = state.model_dump(mode="json")
    names = ("status", "steps", "reason", "answers", "notes", "repairs", "attempt", "accepted", "evaluation", "carry")
    account = {name: whole[name] for name in names}
    account["approvals"] = [(a.gate, a.decision, a.by, a.message) for a in state.approvals]
    account["attempts"] = [{k: v for k, v in a.items() if k not in ("seconds", "commit")} for a in whole["attempts"]]
    assert state.code is not None
    assert state.dataset is not None
    assert state.publication is not None
    account["code"], account["split"] = state.code.sha256, state.dataset.fingerprint
    account["published"] = (state.publication.name, state.publication.files, state.publication.clean_score)
    return account


def _from_books(run: str) -> dict[str, Any]:
    row, table, spent = open_runs().get(run), Ledger().table(run), spent_by(run)
    assert row.result is not None
    exact = {
        node: {resource: amount for resource, amount in amounts.items() if resource != "milliseconds"}
        for node, amounts in table.items()
    }
    told = {name: amount for name, amount in row.result["spent"].items() if name != "seconds"}
    assert told == {name: amount for name, amount in spent.items() if name != "seconds"}, "the result says what is used"
    return {
        "row": (row.status, row.waiting, row.steps),
        "ledger": {node: amounts for node, amounts in exact.items() if amounts},
        "held": [str(entry) for entry in Ledger().open(run)],
        "effects": [(effect.kind, effect.attempt, effect.handle is not None) for effect in Journal().of_run(run)],
        "told": told,
        "runs": len(open_runs().list()),
    }


def _from_disk(home: Path, run: str) -> dict[str, Any]:
    hub, jobs = home / "hub", sorted(run_path(run).glob("attempts/*/job*"))
    clocked = ("README.md", "provenance.json")
    published = [p for p in sorted(hub.glob("*/**/*")) if p.is_file() and ".git" not in p.parts]
    return {
        "models": sorted(path.name for path in hub.iterdir() if path.is_dir()),
        "versions": git(hub / run, "rev-list", "--all", "--count").strip(),
        "changed on the hub": git(hub / run, "status", "--short"),
        "files": {str(p.relative_to(hub)): _sha(p) for p in published if p.name not in clocked},
        "jobs": [str(path.relative_to(run_path(run))) for path in jobs],
        "trained": [(path / "out" / "metrics.jsonl").read_text() for path in jobs],
        "code": git(run_path(run) / "code", "log", "--format=%s"),
        "changed code": git(run_path(run) / "code", "status", "--short"),
        "stages": sorted(path.name for path in (run_path(run) / "stages").iterdir()),
        "half-written": sorted(path.name for path in home.rglob("*.part")),
    }


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


KILLED = pytest.mark.parametrize("chain", ["rules", "person"])


@KILLED
def test_it_ends_as_if_nobody_had_killed_it(outcomes: Callable[[str], Outcome], chain: str) -> None:
    killed, peace = outcomes(chain), outcomes(f"{chain} in peace")
    last = next((end for end in reversed(killed.lived.ends) if end.died), None)
    assert last is not None
    assert killed.lived.ends[-1].code is not None, f"no process got past: {last.died}"
    for what, expected in peace.account.items():
        assert killed.account[what] == expected, what


@KILLED
def test_every_process_goes_on_where_another_one_died(outcomes: Callable[[str], Outcome], chain: str) -> None:
    """Whoever resumes is never told that it cannot: the run goes on, or shows what it waits for."""
    died = ""
    for number, end in enumerate(outcomes(chain).lived.ends):
        over = end.code == 2 and "has ended: published" in end.said
        asks = end.code == 2 and "waits for an answer" in end.said
        assert end.died or end.code in (0, 3) or over or asks, f"after the death at {died}, {end.command}: {end.said}"
        if asks:
            after = outcomes(chain).lived.ends[number + 1]
            assert after.died or after.code in (0, 3), f"after the death at {died}, {after.command}: {after.said}"
        assert not end.died.startswith("signal"), end
        died = end.died or died


@KILLED
def test_nothing_is_there_twice_at_any_moment(outcomes: Callable[[str], Outcome], chain: str) -> None:
    at_end = outcomes(f"{chain} in peace").lived.ends[-1].counts
    assert at_end["jobs"]
    assert at_end["commits"]
    died = ""
    for end in outcomes(chain).lived.ends:
        died = end.died or died
        assert all(end.counts[what] <= at_end[what] for what in at_end), f"{end.counts} after the death at {died}"


def test_every_node_is_come_to_and_left_by_a_death(outcomes: Callable[[str], Outcome]) -> None:
    """Over the graph as it is, stages with their inner nodes: whoever adds a node adds a chain that comes to it."""
    deaths = {death for chain in ("rules", "person") for death in outcomes(chain).lived.deaths}
    missing = [
        f"{when} {what}"
        for path in _nodes()
        for what in (_writes_of(path), _checkpoint_after(path))
        for when in ("before", "after")
        if not any(f"checkpoint: {when} {what}" in death for death in deaths)
    ]
    assert not missing, f"nobody died there: {missing}"


def _nodes() -> list[str]:
    """Every node of the picture, a stage's inner ones as stage/node."""
    stages = set(graph.get_graph().nodes) & set(STAGES)
    assert stages == set(STAGES)
    drawn = [name for name in graph.get_graph(xray=True).nodes if "__" not in name]
    inner = [name.replace(":", "/") for name in drawn]
    # Only in one stage a tool needs a person, and helpers are sent; it is the same code in each.
    once = tuple(f"{stage}/{node}" for stage in STAGES if stage != "plan" for node in ("approve_tools", "research"))
    return sorted(name for name in {*inner, *STAGES} if not name.startswith(once))


def _writes_of(path: str) -> str:
    stage, _, node = path.rpartition("/")
    return f"aput_writes {stage or 'graph'} of {'a call' if node == 'act' else node}"


def _checkpoint_after(path: str) -> str:
    """The checkpoint that takes in what a node wrote names the nodes that come next, and lets go of its own branch."""
    stage, _, node = path.rpartition("/")
    if node == "conclude":
        return f"aput {stage} in front of conclude"
    if node == "act":
        return f"aput {stage} in front of think"
    following = {"prepare": "prepare, think", "think": "think", "approve_tools": "approve_tools", "wrap_up": "wrap_up"}
    return f"aput {stage or 'graph'} in front of {following.get(node, '')}"


def test_the_gates_are_died_at_before_and_after_the_answer(outcomes: Callable[[str], Outcome]) -> None:
    deaths = outcomes("person").lived.deaths
    for gate in (*(gate.name for gate in GATES), "ask_person"):
        for words in ("__interrupt__", "__resume__"):
            for when in ("before", "after"):
                assert f"checkpoint: {when} aput_writes graph of {gate} {words}" in deaths
    assert {name for name in WAYS if name.startswith("approve_")} == {gate.name for gate in GATES}


def test_each_kind_of_effect_is_died_in_at_every_step(outcomes: Callable[[str], Outcome]) -> None:
    deaths = outcomes("rules").lived.deaths
    for kind, attempt, _ in outcomes("rules in peace").account["effects"]:
        inside = [death for death in deaths if death.startswith(f"effect: {kind} {attempt} ")]
        assert f"effect: {kind} {attempt} intended" in inside
        assert f"effect: {kind} {attempt} done, no receipt" in inside or kind == "publication"
        assert len(inside) >= 4, inside
    for table in ("effects.Journal", "ledger.Ledger", "runs.Runs", "think._record"):
        for when in ("before", "after"):
            assert any(f"commit: {when} {table}" in death for death in deaths), table


def test_each_question_is_answered_once(outcomes: Callable[[str], Outcome]) -> None:
    approvals = outcomes("person").account["approvals"]
    asked = [end for end in outcomes("person in peace").lived.ends if end.code == 3]
    assert [by for _, _, by, _ in approvals] == ["person"] * len(asked)
    gates = [gate for gate, *_ in approvals]
    assert set(gates) == {"approve_tools", "ask_person", *(gate.name for gate in GATES)}
    assert gates.count("approve_publish") == 1


def test_of_two_that_race_one_goes_on_and_one_is_told(outcomes: Callable[[str], Outcome]) -> None:
    ends = outcomes("race").lived.ends
    assert [end.died for end in ends] == [*RACE.races, ""]
    assert ends[-1].code == 0
    for end in ends[1:]:
        other = end.beside
        assert other is not None
        assert (other["died"], other["code"]) == ("", 2), other
        assert f"process {end.pid}" in other["said"], "it is told who holds the run"
    peace = outcomes("rules in peace").account
    for what, expected in peace.items():
        assert outcomes("race").account[what] == expected, what


def test_a_death_is_a_real_one(outcomes: Callable[[str], Outcome]) -> None:
    """The signal of the machine, not an exception that code of ours could catch."""
    killed = [end for end in outcomes("rules").lived.ends if end.died]
    assert len(killed) > 200
    assert len({end.died for end in killed}) == len(killed), "a new moment each time"
    assert {end.signal for end in killed} == {int(signal.SIGKILL)}
