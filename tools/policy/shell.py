"""What a shell command would do, as actions that the policy judges. Nothing is run, and nothing is judged here."""

from __future__ import annotations

from pathlib import Path

from trainwright.graph.redaction import redact

from .actions import Action
from .places import Places
from .recording import Recording
from .scope import Scope
from .syntax import NotUnderstood

__all__ = ["actions_of_command"]


def actions_of_command(command: str, workspace: Path, disk: Path | None = None) -> list[Action]:
    """Each thing that a command would do; at least one.

    What cannot be followed for sure is an action with the effect `unknown`, which no shipped rule allows.

    Args:
        command: as bash would get it, of any length and content.
        workspace: the folder in which it would start, and which is the run's.
        disk: where its files are looked up, if the command sees them under another name, as in a sandbox.
    """
    from .walking import Walker

    places = Places.of(workspace, disk)
    note = Recording(places)
    try:
        _check_secret(note, command)
        Walker(places, note).source(command, frozenset([Scope(places.workspace)]))
    except NotUnderstood as error:
        note.actions.append(_unknown(f"the command is not understood: {error}"))
    except (RecursionError, MemoryError):
        note.actions.append(_unknown("the command is not understood: it is nested too deeply"))
    return note.actions or [
        Action("shell", {"effect": "read", "program": "shell"}, True, "does nothing", complete=True)
    ]


def _check_secret(note: Recording, command: str) -> None:
    """A token that stands in the command would be seen by every process, and by whoever it is sent to."""
    if redact(command) != command:
        note.act("secret", "shell", "holds what looks like a token or password", path="")


def _unknown(text: str) -> Action:
    return Action("shell", {"effect": "unknown", "program": ""}, False, text, complete=True)
