"""What a stage is, and what an engineer is: someone who decides the next turn inside one.

A stage has one artifact. Its engineer answers each turn with tool calls; four verbs are understood in every stage:

- `finish` with the artifact (or the choice that the artifact is made from) ends the stage;
- `ask` puts a typed question to a person and ends the stage until it is answered;
- `contradict` says that what is known contradicts the plan, which is then made anew;
- `give_up` ends the run with a reason.

This module does not run anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from langchain_core.messages import AIMessage, AnyMessage
from pydantic import BaseModel, ConfigDict, Field

from trainwright.tools.toolbox import Tool, Workbench

__all__ = ["VERBS", "Ask", "Contradict", "Engineer", "GiveUp", "Stage", "StageName", "StopRequested", "verbs_of"]

StageName = Literal["read_paper", "plan", "find_data", "write_code", "research"]
"""The stages of the graph, and what a research helper does, which is a small stage of its own."""


class Ask(BaseModel):
    """A question to the person who runs this."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(
        min_length=1,
        max_length=60,
        pattern="^[^:]+$",  # with a colon in it, a key is the program's own: of a price, of credit
        description="What is asked, such as target_column.",
    )
    text: str = Field(min_length=1, max_length=2_000)
    options: list[str] = Field(
        default_factory=list, max_length=200, description="Allowed answers; empty for free text."
    )


class Contradict(BaseModel):
    """What is known contradicts the plan."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=2_000)


class GiveUp(BaseModel):
    """The work cannot be done."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=4_000, description="What is in the way, and what would help.")
    broken_input: bool = Field(False, description="The paper or the data themselves are unusable.")


VERBS: dict[str, type[BaseModel]] = {"ask": Ask, "contradict": Contradict, "give_up": GiveUp}
"""The verbs besides `finish`, whose schema is the stage's own."""


def verbs_of(stage: str) -> tuple[str, ...]:
    """The verbs besides `finish` that a stage allows: who asks needs a stage to come back to, who contradicts a plan."""
    allowed: dict[str, tuple[str, ...]] = {
        "plan": ("ask", "give_up"),
        "find_data": ("ask", "contradict", "give_up"),
        "research": (),  # a helper ends nothing but itself
    }
    return allowed.get(stage, ("give_up",))


@dataclass(frozen=True)
class Stage:
    """One stage of the process.

    Attributes:
        name: the node's name.
        field: where its artifact lies in the state.
        finish: schema of the arguments of `finish`.
        settle: checks a finish and makes the artifact of it; a `Refusal`, or another `TrainwrightError`, that
            it raises goes back to the engineer as the answer to its call; any other error is a failure of the program.
            Blocking; called in a thread.
        tools: what the engineer may call.
        begin: called once when the stage begins anew, not when it goes on; None for nothing.
        filled: fields of `finish` that the settle step fills in whatever they hold, so that a model need not see them.
    """

    name: StageName
    field: str
    finish: type[BaseModel]
    settle: Callable[[Workbench, Any], BaseModel]
    tools: tuple[Tool, ...]
    begin: Callable[[Workbench], None] | None = None
    filled: tuple[str, ...] = ()

    def tool(self, name: str) -> Tool | None:
        """The tool of that name, or None."""
        return next((tool for tool in self.tools if tool.name == name), None)


class StopRequested(Exception):
    """Somebody asked the run to stop while the engineer waited; the turn was not taken and is taken at the resume."""


class Engineer(Protocol):
    """Who decides inside a stage.

    An engineer that has an `answer_limit` (int) gets at most so many characters of a tool's answer; the whole of a
    longer one lies in the run's folder. An answer that was cut at its length says so by `response_metadata["cut"]`.
    """

    async def think(self, stage: Stage, bench: Workbench, transcript: Sequence[AnyMessage]) -> AIMessage:
        """The next turn: an answer with one or more tool calls.

        Raises:
            ModelError: the model behind it cannot go on; the run keeps the transcript and can be resumed.
            ContextTooSmall: the model cannot take the smallest request of the stage.
            StopRequested: the run is to stop, and this turn was not taken.
        """
        ...
