"""What a stage's engineer may call: the record of a tool, and the workbench that it acts on.

A tool is a plain function from the workbench and its validated arguments to a JSON-able answer. It knows nothing of
graphs or messages; `nodes/act.py` turns a tool call into a call of `Tool.run` and its answer into a message. This
module holds the records and the loading of the workbench, and no tool of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trainwright.graph.settings import run_path
from trainwright.graph.state import (
    Approval,
    Attempt,
    CodeBundle,
    Dataset,
    Evaluation,
    JobRecord,
    PaperBrief,
    Request,
    SandboxReport,
    Settings,
    TrainingPlan,
)

from .policy.actions import Action

__all__ = ["NoArguments", "Standing", "Tool", "Workbench"]


class NoArguments(BaseModel):
    """A tool that takes nothing."""

    model_config = ConfigDict(extra="forbid")


class Standing(BaseModel):
    """What remains to the run at this turn; known anew each turn, never stored.

    Attributes:
        steps: engineer turns taken.
        step_cap: engineer turns that the run may take.
        seconds_left: of the time at work.
        tokens: used by model calls so far, in and out.
        tokens_left: tokens that model calls may still use.
        usd_micros: of the calls whose price is known, and of all else that was paid for.
        usd_micros_left: that model calls of this stage may still cost.
        gpu_seconds_left: of the GPU time of training jobs.
        unpriced_tokens: tokens of calls whose price nobody knows.
        near: limits of which little is left, in words.
    """

    steps: int = 0
    step_cap: int = 300
    seconds_left: float = 0.0
    tokens: int = 0
    tokens_left: int | None = None
    usd_micros: int = 0
    usd_micros_left: int | None = None
    gpu_seconds_left: float = 0.0
    unpriced_tokens: int = 0
    near: list[str] = Field(default_factory=list)


class Workbench(BaseModel):
    """What is known when a stage begins; it lies in the run's folder while the stage works."""

    run: str
    stage: str
    request: Request
    settings: Settings
    brief: PaperBrief | None = None
    plan: TrainingPlan | None = None
    dataset: Dataset | None = None
    code: CodeBundle | None = None
    sandbox: SandboxReport | None = None
    job: JobRecord | None = None
    evaluation: Evaluation | None = None
    attempt: int = 1
    attempts: list[Attempt] = Field(default_factory=list)
    repairs: int = 0
    feedback: str = ""
    answers: dict[str, str] = Field(default_factory=dict)
    approvals: list[Approval] = Field(default_factory=list)
    said: list[str] = Field(default_factory=list, description="What a person told the run in earlier stages.")
    standing: Standing | None = Field(None, exclude=True)

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return run_path(self.run)

    @property
    def node(self) -> str:
        """Under which name the ledger counts what is used."""
        return self.stage


@dataclass(frozen=True)
class Tool:
    """One thing that an engineer can do in a stage.

    Attributes:
        name: as the engineer calls it.
        description: one or two sentences for the engineer.
        arguments: the schema of the arguments; they are validated before `run` sees them.
        run: does it; returns a model, or plain JSON-able data. Blocking; called in a thread.
        acts: what a call would do, as the actions that the policy judges before it runs; None for a tool that only
            reads, of which nobody is ever asked. Pure, but for looking at the workbench.
        parameters: the JSON schema that a model is shown instead of that of `arguments`.
    """

    name: str
    description: str
    arguments: type[BaseModel]
    run: Callable[[Workbench, Any], BaseModel | dict[str, Any] | list[Any] | str]
    acts: Callable[[Workbench, Any], list[Action]] | None = None
    parameters: Mapping[str, Any] | None = field(default=None, compare=False)
