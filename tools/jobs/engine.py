"""What every job engine offers: submit under a key, find by key, follow, cancel.

The workflow knows engines by this protocol alone; `tests/jobs/conformance.py` holds any engine to it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from trainwright.graph.state import Settings
from trainwright.tools.sandbox import Limits

from .terms import Terms

__all__ = ["JobEngine", "JobSpec", "JobState", "JobStatus"]

JobState = Literal["submitted", "running", "succeeded", "failed", "cancelled", "lost"]


@dataclass(frozen=True)
class JobSpec:
    """A training job: everything its engine needs, JSON-able.

    Attributes:
        run, attempt, key: whose it is; the key is its identity.
        code: absolute folder with `train.py` and its siblings; copied before the start.
        data: absolute folder with the training and the validation part.
        seed: handed to `train.py`.
        isolation: `bubblewrap`, or `process` for a recipe's own unmodified script.
        mask: absolute paths that must not be seen.
        limits: of the whole process tree.
    """

    run: str
    attempt: int
    key: str
    code: str
    data: str
    seed: int
    isolation: str
    mask: list[str]
    limits: Limits

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> JobSpec:
        """The spec of plain data."""
        return cls(**{**values, "limits": Limits(**values["limits"])})


@dataclass(frozen=True)
class JobStatus:
    """How a job stands.

    Attributes:
        state: `submitted` before its first sign of life, `lost` when whoever ran it is gone without a result.
        seconds: since its start.
        heartbeat_age: seconds since the last sign of life.
    """

    state: JobState
    exit_code: int | None = None
    seconds: float = 0.0
    peak_memory: int = 0
    error_class: str = ""
    error_tail: str = ""
    heartbeat_age: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)


class JobEngine(Protocol):
    """Where training jobs run."""

    def terms(self, settings: Settings) -> Terms:
        """What an hour of a job costs, how it is billed, and how many GPUs it holds."""
        ...

    def submit(self, spec: JobSpec, key: str) -> str:
        """Start the job and return its handle; a key that is known starts nothing and returns the same handle."""
        ...

    def find(self, key: str) -> str | None:
        """The handle of the job with that key, or None if there is certainly none."""
        ...

    def restart(self, handle: str) -> None:
        """Start a lost job again under its key; nothing happens if it runs or has ended.

        Raises:
            JobError: it cannot be started again.
        """
        ...

    def status(self, handle: str) -> JobStatus:
        """How it stands."""
        ...

    def logs(self, handle: str, since: int) -> tuple[str, int]:
        """What it printed from byte `since` on, and where the next call goes on."""
        ...

    def metrics(self, handle: str, since: int) -> tuple[list[dict[str, Any]], int]:
        """Lines of its metrics stream from byte `since` on, and where the next call goes on."""
        ...

    def cancel(self, handle: str) -> None:
        """End it with its whole process tree; returns when it has ended."""
        ...
