"""A local engine with a job's folder in a run's folder, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright.tools.jobs import JobSpec, LocalEngine
from trainwright.tools.sandbox import Limits

from .conformance import HEAD

__all__ = ["LocalBench"]


@dataclass
class LocalBench:
    """The local engine; `isolation` as in `JobSpec`."""

    root: Path
    isolation: str = "bubblewrap"
    engine: LocalEngine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = LocalEngine(self.root / "run" / "attempts" / "1" / "job")
        self.data = self.root / "run" / "data"
        self.data.mkdir(parents=True)
        (self.data / "train.txt").write_text("rows")

    @property
    def folder(self) -> Path:
        """The job's folder."""
        return self.engine.root

    def spec(self, source: str, key: str = "key", **limits: Any) -> JobSpec:
        """A job with that program."""
        code = self.root / "run" / "code" / key
        code.mkdir(parents=True, exist_ok=True)
        (code / "train.py").write_text(HEAD + source)
        given = {"wall_seconds": 60.0, "cpu_seconds": 60.0, "memory_bytes": 2**30, "processes": 64, **limits}
        return JobSpec(
            run="run",
            attempt=1,
            key=key,
            code=str(code),
            data=str(self.data),
            seed=7,
            isolation=self.isolation,
            mask=[str(self.root)],
            limits=Limits(**given),
        )

    def outputs(self, handle: str) -> Path:
        """What the job wrote."""
        return Path(handle) / "out"
