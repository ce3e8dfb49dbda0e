"""Where generated and downloaded code runs, and the only place where it does."""

from __future__ import annotations

from .bubblewrap import Capability, probe, run_sandboxed, run_trusted, sandbox_version
from .failures import classify_failure, classify_text
from .folders import clear_folder, plain_folder
from .interpreter import header_of, interpreter_for
from .limits import Limits, Mount, SandboxResult
from .outputs import json_rows, open_plain, read_plain

__all__ = [
    "Capability",
    "Limits",
    "Mount",
    "SandboxResult",
    "classify_failure",
    "classify_text",
    "clear_folder",
    "header_of",
    "interpreter_for",
    "json_rows",
    "open_plain",
    "plain_folder",
    "probe",
    "read_plain",
    "run_sandboxed",
    "run_trusted",
    "sandbox_version",
]
