"""Where training jobs run."""

from __future__ import annotations

from .engine import JobEngine, JobSpec, JobState, JobStatus
from .local import LocalEngine
from .terms import Terms

__all__ = ["JobEngine", "JobSpec", "JobState", "JobStatus", "LocalEngine", "Terms"]
