"""Driving whole runs in this process, and small data files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.driver import load_state
from trainwright.graph.state import Decision, Decisions, State

PAPER = """# Kernel machines for small flowers

## Abstract

We study support vector machines with a radial basis function kernel on the Iris data set.

## 1 Experiments

We train an SVM with an RBF kernel with C = 10 and gamma = 0.1. On the Iris test set the SVM achieves an accuracy
of 96.7 %, while k-nearest neighbours reaches 94.0 %.

## References

Fisher (1936). The use of multiple measurements in taxonomic problems.
"""


class Driven:
    """The events of one invocation, and the state that it left."""

    def __init__(self, events: list[dict[str, Any]], state: State) -> None:
        self.events, self.state = events, state

    @property
    def result(self) -> dict[str, Any]:
        """The last event."""
        assert self.events[-1]["event"] == "result"
        return self.events[-1]

    def nodes(self) -> list[str]:
        """The nodes in the order in which they began."""
        return [e["node"] for e in self.events if e["event"] == "node" and e["phase"] == "start"]


async def driven(events: AsyncIterator[dict[str, Any]]) -> Driven:
    """Drive a run until it ends or waits."""
    seen = [event async for event in events]
    return Driven(seen, await load_state(seen[-1]["run"]))


def approve() -> Decisions:
    """Yes."""
    return Decisions(decisions=[Decision(type="approve")])


def reject(feedback: str = "") -> Decisions:
    """No, with or without feedback."""
    return Decisions(decisions=[Decision(type="reject", message=feedback)])


def edit(name: str, arguments: dict[str, Any]) -> Decisions:
    """Yes, but so."""
    return Decisions(decisions=[Decision(type="edit", edited_action={"name": name, "args": arguments})])


@pytest.fixture
def paper(tmp_path: Path) -> str:
    """A paper in Markdown with a claim and two settings."""
    path = tmp_path / "flowers.md"
    path.write_text(PAPER)
    return str(path)


@pytest.fixture
def two_targets(tmp_path: Path) -> str:
    """A table in which two columns could be what is predicted."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    x = random.normal(size=(240, 3))
    frame = pd.DataFrame(x, columns=["height", "width", "depth"])
    frame["label_colour"] = np.where(x[:, 0] + 0.3 * random.normal(size=240) > 0, "red", "blue")
    frame["label_size"] = np.where(x[:, 1] + 0.3 * random.normal(size=240) > 0, "large", "small")
    path = tmp_path / "boxes.csv"
    frame.to_csv(path, index=False)
    return str(path)
