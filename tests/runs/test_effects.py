"""A run whose publication may or may not have happened asks, and does what a person says."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

from trainwright.graph.driver import answer, resume
from trainwright.graph.effects import HAPPENED, NOT_HAPPENED, Journal
from trainwright.graph.errors import EffectAmbiguous
from trainwright.graph.settings import hub_path
from trainwright.graph.state import Decision, Decisions
from trainwright.tools.code import git
from trainwright.tools.hub import LocalHub

from .conftest import Driven, driven

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

GOAL = "Tell the wines apart with an RBF support vector machine with C=10 and gamma=0.05"

KILLED = """
import os, signal, sys
from trainwright.tools.hub import LocalHub
whole = LocalHub.publish
def publish(self, *given):
    if sys.argv[1] == "done":
        whole(self, *given)
    os.kill(os.getpid(), signal.SIGKILL)
LocalHub.publish = publish
from trainwright.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


class Down:
    """A hub that does not tell what was published under a key, until it is up again; what is on top it tells."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.down = True
        find, publish, before = LocalHub.find, LocalHub.publish, LocalHub.version_before

        def asked(hub: LocalHub, key: str, name: str) -> Any:
            if self.down:
                raise EffectAmbiguous("The hub does not answer.", key="unused")
            return find(hub, key, name)

        def published(hub: LocalHub, *given: Any) -> Any:
            self.down = False
            return publish(hub, *given)

        def on_top(hub: LocalHub, key: str, name: str) -> str:
            down, self.down = self.down, False
            try:
                return before(hub, key, name)
            finally:
                self.down = down

        patch.setattr(LocalHub, "find", asked)
        patch.setattr(LocalHub, "version_before", on_top)
        patch.setattr(LocalHub, "publish", published)


async def asking(window: str, patch: pytest.MonkeyPatch) -> tuple[Driven, Down]:
    """A run that was killed around its publication and asks what became of it."""
    asked = ("run", "--goal", GOAL, "--data", "sklearn:wine", "--approvals", "auto", "--name", "unsure", "--json")
    killed = subprocess.run([sys.executable, "-c", KILLED, window, *asked], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stdout[-2_000:]
    (effect,) = Journal().open("unsure")
    assert effect.kind == "publication"
    hub = Down(patch)
    run = await driven(resume("unsure"))
    waiting = run.result["waiting"]
    assert waiting["gate"] == "ask_person"
    assert waiting["card"]["options"] == [HAPPENED, NOT_HAPPENED]
    assert "The hub does not answer." in waiting["text"]
    return run, hub


def commits(run: Driven) -> list[str]:
    assert run.state.publication is not None
    return git(hub_path() / run.state.publication.name, "log", "--format=%H").split()


async def test_it_did_not_happen_and_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    await asking("begun", monkeypatch)
    wrong = await driven(answer("unsure", "perhaps"))
    assert "none of the answers" in wrong.result["waiting"]["problem"]
    done = await driven(answer("unsure", NOT_HAPPENED))
    assert done.result["status"] == "published", done.result["reason"]
    assert len(commits(done)) == 1
    (effect,) = [one for one in Journal().of_run("unsure") if one.kind == "publication"]
    assert effect.said is not None
    assert "a person" in effect.said
    assert effect.handle == commits(done)[0]


async def test_it_happened_and_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    _, hub = await asking("done", monkeypatch)
    named = await driven(answer("unsure", HAPPENED))
    assert "How is it named there?" in named.result["waiting"]["text"]
    assert named.result["waiting"]["card"]["options"] == []
    hub.down = False  # and by now it can tell: that counts more than the answer
    done = await driven(answer("unsure", "whatever"))
    assert done.result["status"] == "published", done.result["reason"]
    assert len(commits(done)) == 1


async def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    await asking("begun", monkeypatch)
    ended = await driven(answer("unsure", Decisions(decisions=[Decision(type="reject")])))
    assert ended.result["status"] == "rejected"
    assert Journal().open("unsure") != []
