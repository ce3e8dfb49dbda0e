"""The log: a file of the run, or of the home folder while there is no run. Warnings of libraries go there too.

On the screen of a person a log would only be in the way; with `--json` it also goes to standard error. No secret goes
into either: not in a message, not in a traceback.
"""

from __future__ import annotations

import logging
import os
import sys
from io import TextIOWrapper
from pathlib import Path

from trainwright.graph.redaction import redact
from trainwright.graph.settings import home

from .words import line

__all__ = ["LOG_NAME", "end_log", "log_path", "log_started", "start_log"]

LOG_NAME = "trainwright.log"
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class PrivateFile(logging.FileHandler):
    """A log file that only its owner can read; it and its folder are made with the first line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; where the file cannot be opened, nothing is written and nothing is raised."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        return open(descriptor, "a", encoding="utf-8", errors="replace")  # noqa: PTH123 - a descriptor, not a path


class WithoutSecrets(logging.Formatter):
    """A record with its arguments and its traceback, without secrets.

    Not a filter: in Python 3.11 one could only change the record itself, which other handlers get too.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The clean text."""
        return str(redact(super().format(record)))


class OneLine(logging.Formatter):
    """A record on one harmless line; its traceback is in the file."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return f"{record.levelname.lower()}: {line(redact(record.getMessage()), 1_000)}"


def start_log(folder: Path | None = None, *, stderr: bool = False) -> None:
    """Send the log of this process to `folder`, or to the home folder; what was set before ends.

    Args:
        folder: the run's folder; None while there is no run.
        stderr: whether warnings also go to standard error.
    """
    logging.raiseExceptions = False  # a log that cannot be written must not spoil the screen
    end_log()
    root = logging.getLogger()
    handlers: list[logging.Handler] = [PrivateFile((folder or home()) / LOG_NAME, delay=True)]
    if stderr:
        stream = logging.StreamHandler(sys.stderr)
        stream.name = "stderr"
        stream.setFormatter(OneLine())
        handlers.append(stream)
    handlers[0].setFormatter(WithoutSecrets(_FORMAT))
    for handler in handlers:
        handler.setLevel(logging.WARNING)
        root.addHandler(handler)
    logging.captureWarnings(True)


def log_started() -> bool:
    """Whether this process has a log, with or without a line in it."""
    return any(isinstance(handler, PrivateFile) for handler in logging.getLogger().handlers)


def end_log() -> None:
    """Close the log and let warnings go where they went before."""
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, PrivateFile) or handler.name == "stderr"]:
        root.removeHandler(old)
        old.close()
    logging.captureWarnings(False)


def log_path() -> Path | None:
    """The log file, if there is one by now."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, PrivateFile) and Path(handler.baseFilename).is_file():
            return Path(handler.baseFilename)
    return None
