"""The node `publish`, on a run that was approved: stopped in its clean run, and gone on with."""

from __future__ import annotations

import shutil

import pytest

from trainwright.graph.effects import Journal
from trainwright.graph.routing import after_publish
from trainwright.graph.settings import hub_path, run_path
from trainwright.graph.state import Approval, Settings, State, Status
from trainwright.nodes.approve import GATES
from trainwright.nodes.boundary import Here
from trainwright.nodes.gate import card_sha256
from trainwright.nodes.publish import publish

from .conftest import Run


@pytest.fixture
def approved(run: Run, monkeypatch: pytest.MonkeyPatch) -> State:
    """The run's state after its last gate; nobody watches its events."""
    monkeypatch.setattr("trainwright.graph.events.get_stream_writer", lambda: lambda event: None)
    shutil.copytree(run.folder, run_path(run.state.run))
    gate = next(gate for gate in GATES if gate.name == "approve_publish")
    shown = card_sha256(gate.card(run.state))
    given = Approval(gate="approve_publish", decision="approve", by="person", shown_sha256=shown)
    return run.state.model_copy(update={"approvals": [given], "status": Status.RUNNING})


def test_a_run_that_is_stopped_in_the_clean_run_comes_back_to_it(run: Run, approved: State) -> None:
    stopping = True
    here = Here(approved.run, run.folder, Settings(), lambda: stopping)
    assert publish(here, approved) == {}
    assert after_publish(approved) == "publish"
    assert Journal().of_run(approved.run) == []
    assert not hub_path().exists()
    stopping = False
    update = publish(here, approved)
    assert update["status"] == Status.PUBLISHED
    assert after_publish(approved.model_copy(update=update)) == "wrap_up"
    assert [effect.kind for effect in Journal().of_run(approved.run)] == ["publication"]


def test_a_name_that_something_else_has_leads_back_to_the_gate(run: Run, approved: State) -> None:
    (hub_path() / approved.run).mkdir(parents=True)
    gate = next(gate for gate in GATES if gate.name == "approve_publish")
    given = approved.approvals[-1].model_copy(update={"shown_sha256": card_sha256(gate.card(approved))})
    update = publish(
        Here(approved.run, run.folder, Settings(), lambda: False), approved.model_copy(update={"approvals": [given]})
    )
    assert (update["status"], update["stopped_at"]) == (Status.FAILED, "approve_publish")
    assert "is no published model" in update["reason"]


def test_the_card_lists_what_is_published_and_says_the_same_after_it(run: Run, approved: State) -> None:
    gate = next(gate for gate in GATES if gate.name == "approve_publish")
    before = gate.card(approved)
    update = publish(Here(approved.run, run.folder, Settings(), lambda: False), approved)
    published = update["publication"].files
    assert before["files"] == sorted({f"{file.split('/')[0]}/" if "/" in file else file for file in published})
    assert {"requirements.txt", ".eval_results/", "predict.py"} <= set(before["files"])
    assert gate.card(approved) == before, "a publication that is gone on with after a kill is still the approved one"
