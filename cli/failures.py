"""What a person sees when a command fails: one line, what to do, an exit code. Never a traceback.

Errors that we raise on purpose say themselves what happened. One that nobody foresaw is named in a line, and its
traceback goes to the log; `TRAINWRIGHT_DEBUG=1` prints it as well.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from trainwright.graph.errors import RequestError, TrainwrightError

__all__ = ["BROKEN_PIPE", "guarded", "say"]

BROKEN_PIPE = 141
"""Exit code when nobody reads the output any more: 128 and the number of SIGPIPE, as shells report it."""

INTERRUPTED = 130


def guarded(command: Callable[..., int]) -> Callable[..., int]:
    """A command whose every failure is a line and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> int:
        as_json = bool(kwargs.get("as_json"))
        try:
            code = command(*args, **kwargs)
            sys.stdout.flush()
            return code
        except BrokenPipeError:
            _close_output()
            return BROKEN_PIPE
        except KeyboardInterrupt:
            say("Stopped.")
            return INTERRUPTED
        except (typer.Exit, typer.Abort):
            raise
        except RequestError as error:
            return _fail(error.message, error.hint, 2, as_json)
        except TrainwrightError as error:
            return _fail(error.message, error.hint, 1, as_json)
        except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a person
            return _unexpected(error, as_json)

    return run


def say(message: str, hint: str = "") -> None:
    """A line on standard error, and a second one with what to do."""
    from .words import clean

    for text in filter(None, (" ".join(clean(message).split()), " ".join(clean(hint).split()))):
        sys.stderr.write(
            text.encode(sys.stderr.encoding or "ascii", "replace").decode(sys.stderr.encoding or "ascii") + "\n"
        )
    sys.stderr.flush()


def _fail(message: str, hint: str, code: int, as_json: bool) -> int:
    from trainwright.graph.redaction import redact

    message, hint = redact((message, hint))  # an address with a password is often what is wrong; screens are copied
    say(f"Error: {message}", hint)
    if as_json:
        from .jsonlines import json_lines

        json_lines().write({"event": "error", "message": message, "hint": hint, "exit_code": code})
    return code


def _unexpected(error: Exception, as_json: bool) -> int:
    import logging

    from .logs import log_path, log_started, start_log

    if not log_started():
        start_log()
    logging.getLogger("trainwright").error("unexpected error", exc_info=error)
    if os.environ.get("TRAINWRIGHT_DEBUG"):
        import traceback

        traceback.print_exception(error)
    path = log_path()
    hint = (
        f"The whole of it is in {path}."
        if path
        else "The log could not be written; TRAINWRIGHT_DEBUG=1 shows the whole of it."
    )
    return _fail(f"unexpected {type(error).__name__}: {str(error)[:400] or 'no message'}", hint, 1, as_json)


def _close_output() -> None:
    """Let the interpreter's last flush of standard output go nowhere instead of complaining."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
