"""Node `publish`: the package is built, scored once more in a clean place, and published once.

Nothing is published whose clean run gives another score. The publication goes through the journal.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from trainwright.graph.effects import effect_key
from trainwright.graph.errors import PublicationError
from trainwright.graph.settings import hub_path
from trainwright.graph.state import Publication, State, Status
from trainwright.tools.contract import Scripts, masked_paths, predict_limits
from trainwright.tools.hub import LocalHub, build_package, clean_score
from trainwright.tools.sandbox import SandboxResult

from .approve import GATES, publication_name, publication_payload
from .boundary import Here, Update
from .evaluate import Stopped
from .gate import card_sha256

__all__ = ["publish"]


def publish(here: Here, state: State) -> Update:
    """Publish the model."""
    result, data = state.evaluation, state.dataset
    assert result is not None
    assert data is not None
    problem = _unapproved(state)
    if problem:
        return {"status": Status.FAILED, "reason": problem, "stopped_at": "approve_publish"}
    package = here.folder / "package"
    shutil.rmtree(package, ignore_errors=True)
    name = publication_name(state)
    build_package(state, here.folder, package, name)
    here.emit("progress", node="publish", text="running the package in a clean place", fraction=0.4)
    trusted = state.code is not None and state.code.unmodified

    def predict(folder: Path, inputs: Path, out: Path) -> SandboxResult:
        scripts = Scripts(folder, trusted, masked_paths(state.request.data), here.stopping)
        limits = predict_limits(data.split.test, len(data.classes))
        result = scripts.predict(folder / "model", inputs, out, limits)
        if result.ended == "cancelled":
            raise Stopped
        return result

    hub = LocalHub(hub_path())
    try:
        hub.check_free(name)
        score = clean_score(package, here.folder, state, predict)
    except Stopped:
        return {}
    except PublicationError as error:
        return {"status": Status.FAILED, "reason": f"Not published: {error}", "stopped_at": "approve_publish"}
    payload = publication_payload(state)
    message = f"{name}: {result.metric} {result.value:.4f}"
    revision = here.journal.once(
        state.run,
        result.attempt,
        "publication",
        payload,
        do=lambda key: hub.publish(key, package, name, message).revision,
        look_up=lambda key: found.revision if (found := hub.find(key, name)) else None,
        answers=state.answers,
    )
    key = effect_key(state.run, result.attempt, "publication", payload)
    there = hub.find(key, name)
    if there is None:
        raise PublicationError(
            f"{name} was published as {revision[:12]}, and is no longer at {hub.root}; it was not published again.",
            hint="Put its folder back, and resume the run.",
        )
    publication = Publication(
        key=key, name=name, location=there.location, revision=revision, files=list(there.files), clean_score=score
    )
    return {"publication": publication, "status": Status.PUBLISHED, "reason": f"Published as {name}."}


def _unapproved(state: State) -> str:
    """Why the last approval is not one of exactly this publication; empty if it is."""
    gate = next(gate for gate in GATES if gate.name == "approve_publish")
    given = next((a for a in reversed(state.approvals) if a.gate == "approve_publish"), None)
    if given is not None and given.decision == "approve" and given.shown_sha256 == card_sha256(gate.card(state)):
        return ""
    return (
        "Nothing was published: what was approved is not what would be published. "
        f"`trainwright resume {state.run}` shows it again."
    )
