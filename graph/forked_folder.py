"""The folder of a fork: a copy of its parent's, as it was at the point where the fork begins.

What came later is left out (attempts, scores, a report), and so is what belongs to the parent's processes (locks,
heartbeats, a job that is not done). The code is set to its commit; inside `write_code`, where nothing is committed
before the end, it is written anew by the very calls that the engineer made. The copy is made beside the folder that it
becomes, so that a kill leaves nothing under the fork's name. This module reads nothing of the database.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage, messages_to_dict
from pydantic import ValidationError

from trainwright.nodes.think import write_json
from trainwright.nodes.write_code import STAGE as WRITE_CODE
from trainwright.tools import code
from trainwright.tools.toolbox import Workbench

from .errors import RequestError, TrainwrightError
from .settings import run_path
from .state import Settings, State

__all__ = ["CARRY", "copied_folder", "leave_transcript", "write_code_again"]

CARRY = "stages/{stage}-carry.json"
"""Where a stage looks for the transcript that it goes on with, as in `graph/stage.py`."""

NOT_COPIED = ("driver.lock", "driver.json", "driver.json.part", "result.json", "report.html", "trainwright.log")
OF_DATA = ("data", "withheld", "inputs")
OF_PROCESSES = ("lock", "heartbeat", "cancel")

AT_JOB = ("approve_job",)
AFTER_JOB = ("evaluate", "approve_publish")
WRITING = ("copy_recipe", "write_file", "edit_file", "remove_file", "read_file")
"""Tools of `write_code` that change files, and the one without which a file may not be changed."""


def copied_folder(parent: str, name: str, state: State, node: str, *, code_as_is: bool) -> Path:
    """Copy the folder of `parent` for a fork that begins at `node` with `state`; where it lies now.

    Args:
        parent: name of the run that is forked; nobody is at work on it.
        name: the fork's.
        state: the fork's.
        node: the node at which it begins.
        code_as_is: whether the code folder is copied as it stands, and not as it was committed.

    Raises:
        RequestError: the folder is gone, or cannot be copied.
    """
    source, target = run_path(parent), run_path(name).with_name(f".{name}.fork")
    if not source.is_dir():
        raise RequestError(f"{parent} was not forked: its folder {source} is gone.", hint="Put it back where it was.")
    shutil.rmtree(target, ignore_errors=True)
    try:
        shutil.copytree(source, target, symlinks=True, ignore=_left_out(source, state, node))
        _set_code(target / "code", state, code_as_is)
        _set_paths(target, source, run_path(name))
    except (OSError, shutil.Error, TrainwrightError) as error:
        shutil.rmtree(target, ignore_errors=True)
        raise RequestError(
            f"{parent} was not forked: its folder could not be copied ({_first(error)}).",
            hint=f"{source} must be readable, and its disk have room for a copy.",
        ) from error
    return target


def _first(error: Exception) -> str:
    reasons = error.args[0] if isinstance(error, shutil.Error) and error.args else None
    return str(reasons[0][-1] if isinstance(reasons, list) and reasons else error)[:300]


def _left_out(source: Path, state: State, node: str) -> Callable[[str, list[str]], set[str]]:
    """What `copytree` passes over."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        place = Path(folder)
        parts = place.relative_to(source).parts
        special = {n for n in names if not ((place / n).is_symlink() or (place / n).is_dir() or (place / n).is_file())}
        return special | {name for name in names if _later(parts, name, state, node)}

    return left_out


def _later(parts: tuple[str, ...], name: str, state: State, node: str) -> bool:
    """Whether an entry came after the fork's beginning, or belongs to a process of the parent."""
    if not parts:
        return name in NOT_COPIED or (state.dataset is None and name in OF_DATA)
    if parts[0] == "code":
        return parts[1:2] == (".git",) and name.endswith(".lock")
    if parts[0] != "attempts":
        return False
    if len(parts) == 1:
        return not name.isdigit() or not _attempt_stays(int(name), state, node)
    if len(parts) == 2 and node in AT_JOB and int(parts[1]) == state.attempt:
        return name not in ("sandbox", "code")
    if len(parts) == 2:
        return name.startswith(".") or (name == "evaluation" and node == "evaluate" and int(parts[1]) == state.attempt)
    return len(parts) == 3 and parts[2].startswith("job") and name in OF_PROCESSES


def _attempt_stays(number: int, state: State, node: str) -> bool:
    return number < state.attempt or (number == state.attempt and node in (*AT_JOB, *AFTER_JOB))


def _set_code(folder: Path, state: State, as_is: bool) -> None:
    """Set the code to the last commit that the fork knows of; remove it if it knows of none."""
    if as_is or not folder.is_dir():
        return
    commit = state.code.commit if state.code else next((a.commit for a in reversed(state.attempts) if a.commit), "")
    if not commit:
        shutil.rmtree(folder)
        return
    code.git(folder, "reset", "--quiet", "--hard", commit)
    code.git(folder, "clean", "--quiet", "--force", "-d", "-x")


def _set_paths(copy: Path, old: Path, new: Path) -> None:
    """The records of attempts name the folder of their job by its whole path."""
    for path in copy.glob("attempts/*/attempt.json"):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(kept.get("job"), dict):
            kept["job"]["handle"] = str(kept["job"].get("handle", "")).replace(str(old), str(new), 1)
        write_json(path, kept)


def leave_transcript(copy: Path, stage: str, transcript: Sequence[AnyMessage], old: str, new: str) -> str:
    """Leave the transcript where its stage takes it up; the path, relative to the run's folder.

    Args:
        copy: where the fork's folder lies now.
        stage: whose transcript it is.
        transcript: up to where the fork begins.
        old, new: names of parent and fork; paths in the texts that lie in the one's folder are made the other's.
    """
    text = json.dumps(messages_to_dict(list(transcript)), ensure_ascii=False)
    inside = (
        json.dumps(str(run_path(old)), ensure_ascii=False)[1:-1],
        json.dumps(str(run_path(new)), ensure_ascii=False)[1:-1],
    )
    for end in ("/", " ", '\\"', "'"):
        text = text.replace(inside[0] + end, inside[1] + end)
    carry = CARRY.format(stage=stage)
    write_json(copy / carry, json.loads(text))
    return carry


def write_code_again(name: str, state: State, transcript: Sequence[AnyMessage]) -> None:
    """Make the changes to the code folder that the engineer had made by the end of `transcript`.

    Raises:
        RequestError: a call that worked then does not work now.
    """
    known: dict[str, Any] = {
        field: getattr(state, field)
        for field in Workbench.model_fields
        if field in State.model_fields and field != "run"
    }
    bench = Workbench(**{**known, "run": name, "stage": "write_code", "settings": state.settings or Settings()})
    if WRITE_CODE.begin is not None:
        WRITE_CODE.begin(bench)
    for call in _calls_that_worked(transcript):
        tool = WRITE_CODE.tool(call["name"])
        assert tool is not None, "of WRITING"
        try:
            tool.run(bench, tool.arguments.model_validate(call["args"]))
        except (TrainwrightError, ValidationError, OSError) as error:
            raise RequestError(
                f"The code as it was at that step cannot be written again: {call['name']} failed ({str(error)[:300]}).",
                hint="Fork where the run stands, or at the last step of an earlier stage.",
            ) from error


def _calls_that_worked(transcript: Iterable[AnyMessage]) -> list[dict[str, Any]]:
    """The writing calls whose answers are no errors, in the order in which they were answered."""
    made: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    for message in transcript:
        if isinstance(message, AIMessage):
            made |= {str(call["id"]): call for call in message.tool_calls if call["name"] in WRITING}
        elif isinstance(message, ToolMessage) and message.status == "success" and message.tool_call_id in made:
            found.append(made.pop(message.tool_call_id))
    return found
