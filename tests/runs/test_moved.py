"""A run's folder that was moved, lost a part, or whose files were changed between stop and resume."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.driver import answer, load_state, resume, start
from trainwright.graph.errors import RequestError
from trainwright.graph.integrity import changes
from trainwright.graph.ledger import Ledger
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import home, run_path
from trainwright.graph.state import Request, Settings, State
from trainwright.tools.code import git

from .conftest import PAPER, approve, driven

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

GOAL = "Tell the wines apart with an RBF support vector machine with C=10 and gamma=0.05"


async def until(name: str, gate: str, paper: str = "") -> State:
    """A run that waits at that gate."""
    run = await driven(start(Request(goal=GOAL, data="sklearn:wine", paper=paper, name=name), Settings()))
    while run.result["waiting"]["gate"] != gate:
        run = await driven(answer(name, approve()))
    return run.state


@pytest.fixture(scope="module")
def at_gates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Homes with a run `moved` that waits: before its job, and before its publication. Tests work on copies."""
    import asyncio

    folder = tmp_path_factory.mktemp("gates")
    (folder / "paper.md").write_text(PAPER.replace("Iris", "wine"))
    homes = {gate: folder / gate for gate in ("approve_job", "approve_publish")}
    with pytest.MonkeyPatch.context() as patch:
        for gate, place in homes.items():
            patch.setenv("TRAINWRIGHT_HOME", str(place))
            asyncio.run(until("moved", gate, str(folder / "paper.md")))
    return homes


Copy = Callable[[str], Path]


@pytest.fixture
def copied(at_gates: dict[str, Path], own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """A copy of such a home, in another place, as the home of this test; the run's folder."""

    def copy(gate: str) -> Path:
        place = tmp_path / "another place"
        shutil.copytree(at_gates[gate], place, symlinks=True)
        monkeypatch.setenv("TRAINWRIGHT_HOME", str(place))
        return run_path("moved")

    return copy


@pytest.mark.parametrize("gate", ["approve_job", "approve_publish"])
async def test_a_home_that_was_moved_is_gone_on_with_in_its_new_place(gate: str, copied: Copy) -> None:
    """The old place is still there, and is not touched: what is read and written is the new one's."""
    copied(gate)
    run = await driven(answer("moved", approve()))
    while run.result["status"] == "waiting":
        run = await driven(answer("moved", approve()))
    assert run.result["status"] == "published", run.result["reason"]
    assert run.state.publication is not None
    assert Path(run.state.publication.location).is_relative_to(home())
    assert Path(run.result["report"]).is_relative_to(home())
    assert [path.name for path in (run_path("moved") / "attempts" / "1").glob("job*")] == ["job"]
    assert Ledger().open("moved") == []


def edit_parquet(path: Path, column: str) -> None:
    """Change one value of a table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[0], values[-1] = values[-1], values[0] if values[0] != values[-1] else values[1]
    number = table.column_names.index(column)
    pq.write_table(table.set_column(number, column, pa.array(values, table[column].type)), path)


def edit_labels(folder: Path) -> None:
    path = folder / "withheld" / "labels.parquet"
    import pyarrow.parquet as pq

    labels = pq.read_table(path)["label"].to_pylist()
    other = next(value for value in labels if value != labels[0])
    table = pq.read_table(path).to_pydict()
    table["label"][0] = other
    import pyarrow as pa

    pq.write_table(pa.table(table, schema=pq.read_table(path).schema), path)


def edit_training(folder: Path) -> None:
    edit_parquet(folder / "data" / "train.parquet", "proline")


def edit_commit(folder: Path) -> None:
    """Another history, in which the commit that was tested is not there."""
    shutil.rmtree(folder / "code" / ".git")
    git(folder / "code", "init", "--quiet")
    git(folder / "code", "add", "--all")
    git(folder / "code", "commit", "--quiet", "-m", "something else")


def edit_job_code(folder: Path) -> None:
    script = folder / "attempts" / "1" / "job" / "code" / "predict.py"
    script.write_text(script.read_text() + "\n# changed\n")


CHANGED: list[tuple[str, Callable[[Path], Any], str]] = [
    ("approve_job", edit_labels, r"withheld/labels.parquet"),
    ("approve_job", lambda f: (f / "withheld" / "labels.parquet").unlink(), r"withheld/labels.parquet.*cannot be read"),
    ("approve_job", lambda f: shutil.rmtree(f / "withheld"), r"record of the frozen data .* is missing"),
    ("approve_job", edit_training, r"data/train.parquet"),
    ("approve_job", lambda f: shutil.rmtree(f / "data"), r"data/train.parquet, data/validation.parquet"),
    ("approve_job", edit_commit, r"commit [0-9a-f]{12} of the code in code/ is missing or damaged"),
    ("approve_job", lambda f: shutil.rmtree(f / "code"), r"the code in code/ is missing or damaged"),
    ("approve_job", shutil.rmtree, r"its folder .* is gone"),
    ("approve_publish", lambda f: shutil.rmtree(f / "attempts" / "1" / "job"), r"attempts/1/job/out/model, is gone"),
    ("approve_publish", edit_job_code, r"attempts/1/job/code, was changed"),
    (
        "approve_publish",
        lambda f: (f / "attempts" / "1" / "attempt.json").unlink(),
        r"attempts/1/attempt.json, is gone",
    ),
]


@pytest.mark.parametrize(("gate", "change", "words"), CHANGED)
async def test_what_was_changed_is_named_and_nothing_is_done(
    gate: str, change: Callable[[Path], Any], words: str, copied: Copy
) -> None:
    folder = copied(gate)
    change(folder)
    with pytest.raises(RequestError, match=words) as error:
        await driven(answer("moved", approve()))
    assert "Nothing was done." in error.value.message
    assert str(folder) in error.value.hint
    assert open_runs().get("moved").status == "waiting"


async def test_put_back_it_goes_on(copied: Copy) -> None:
    folder = copied("approve_job")
    labels = (folder / "withheld" / "labels.parquet").read_bytes()
    edit_labels(folder)
    with pytest.raises(RequestError):
        await driven(answer("moved", approve()))
    (folder / "withheld" / "labels.parquet").write_bytes(labels)
    assert (await driven(answer("moved", approve()))).result["status"] == "waiting"


async def test_a_file_written_anew_with_the_same_values_is_no_change(copied: Copy) -> None:
    import pyarrow.parquet as pq

    folder = copied("approve_job")
    path = folder / "data" / "train.parquet"
    pq.write_table(pq.read_table(path), path, compression="gzip")
    assert changes(await load_state("moved"), folder) == []


async def test_the_copy_of_the_paper(copied: Copy) -> None:
    """What a person changes of the original does not matter: the run has a copy, and that one is looked at."""
    folder = copied("approve_job")
    state = (await load_state("moved")).model_copy(update={"plan": None})
    assert changes(state, folder) == []
    text = folder / "paper" / "paper.md"
    whole = text.read_text()
    text.write_text(whole + "more")
    assert changes(state, folder) == ["the text of the paper, paper/paper.md, was changed"]
    text.write_text(whole)
    source = Path(json.loads((folder / "paper" / "source.json").read_text())["path"]).name
    (folder / "paper" / source).write_text("another paper")
    assert [f"the copy of the paper, paper/{source}, was changed"] == changes(state, folder)
    shutil.rmtree(folder / "paper")
    assert "missing or damaged" in changes(state, folder)[0]


async def test_a_stage_in_the_middle_of_its_work(own_home: Path) -> None:
    events = start(Request(goal=GOAL, data="sklearn:wine", name="stage"), Settings())
    async for event in events:
        if event["event"] == "turn" and event["stage"] == "plan":
            break
    await events.aclose()  # type: ignore[attr-defined]
    inputs = run_path("stage") / "stages" / "plan-1-0.json"
    kept = inputs.read_text()
    inputs.unlink()
    with pytest.raises(RequestError, match=r"stages/plan-1-0.json, from which a stage goes on, is missing"):
        await driven(resume("stage"))
    inputs.write_text(kept)
    assert (await driven(resume("stage"))).result["status"] == "waiting"
