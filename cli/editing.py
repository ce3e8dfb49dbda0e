"""`trainwright edit RUN`: what a card lets a person change, as files in their editor, and back as an edit.

Arguments are JSON in `arguments.json`; a text of several lines is a file of its own beside it, and so is every file of
a job's code. What comes back is held to the same checks as at the gate, and what differs is shown before it is handed
in. Nothing is answered when nothing changed, when it cannot be used, or when the editor failed. No gate is decided here.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import RequestError, TrainwrightError
from trainwright.graph.runs import RunRow
from trainwright.graph.settings import run_path

from .going_on import asked_of, hand_in, waiting_row
from .screen import Line, open_screen
from .words import line

if TYPE_CHECKING:
    from trainwright.graph.state import Decision

__all__ = ["Edited", "edit_run", "edited_action"]

ARGUMENTS = "arguments.json"
HINT = "Nothing was answered; `trainwright show {run}` shows what the run waits for."


@dataclass(frozen=True)
class Edited:
    """An edit: the action with its new arguments, the number of the action, and what differs in words."""

    action: dict[str, Any]
    number: int
    changes: list[str]


def edit_run(run: str, *, only: Sequence[int], as_json: bool) -> int:
    """Open what a run waits for in the editor, and go on with what comes back.

    Raises:
        RequestError: it waits for nothing that can be edited, no editor is there, or it failed; or what came back
            changes nothing or cannot be used. Nothing was answered.
    """
    row = waiting_row(run)
    found = edited_action(row, only)
    screen = open_screen(interactive=False)
    if not as_json:
        screen.show([Line(line(text, 400), label="changed") for text in found.changes])
    return hand_in(row, "edit", edited=found.action, only=[found.number], as_json=as_json)


def edited_action(row: RunRow, only: Sequence[int] = ()) -> Edited:
    """What a person makes of an action in their editor.

    Raises:
        RequestError: as `edit_run`.
    """
    hint = HINT.format(run=row.name)
    number = _number(row, only)
    name, before = _editable(row, number)
    with tempfile.TemporaryDirectory(prefix="trainwright-edit-") as place:
        folder = Path(place)
        names = _laid_out(folder, name, before)
        _open_editor([folder / one for one in names], hint)
        after = _read_back(folder, name, before, hint)
    changed = {key: value for key, value in after.items() if key not in before or before[key] != value}
    gone = [key for key in before if key not in after]
    if not changed and not gone:
        raise RequestError("The edit changes nothing.", hint=f"To agree to it, approve it. {hint}")
    arguments = after if name not in GATES else _changes_of(changed, gone, before, hint)
    action = {"name": name, "args": arguments}
    _check(row, number, action, hint)
    return Edited(action, number, _words(before, after))


GATES = ("approve_plan", "approve_job", "approve_publish")


def _number(row: RunRow, only: Sequence[int]) -> int:
    """The action that is edited: the one that `only` names, or the only one that is open."""
    asked = asked_of(row)
    left = asked.open if asked is not None else [1]
    if len(only) > 1 or (not only and len(left) != 1):
        raise RequestError(
            f"{row.name} waits for {len(left)} decisions: one is edited at a time.",
            hint=f"Say which: --only N; open: {', '.join(map(str, left))}.",
        )
    number = only[0] if only else left[0]
    if number not in left:
        raise RequestError(f"Action {number} of {row.name} is not open.", hint=HINT.format(run=row.name))
    return number


def _editable(row: RunRow, number: int) -> tuple[str, dict[str, Any]]:
    """The action's name, and the arguments that can be edited."""
    waiting = row.waiting or {}
    gate, card = str(waiting.get("gate", "")), waiting.get("card") or {}
    if gate == "approve_tools":
        call = card["calls"][number - 1]
        return str(call["name"]), dict(call["args"])
    if gate == "approve_job":
        from trainwright.tools import code

        files = code.files_of(run_path(row.name) / "code")
        return gate, {"files": {name: content.decode("utf-8", "replace") for name, content in files.items()}}
    if gate not in GATES:
        raise RequestError(
            f"{row.name} asks a question: there is nothing to edit.", hint=f"`trainwright answer {row.name} TEXT`."
        )
    from trainwright.nodes import approve

    names = next(one.editable for one in approve.GATES if one.name == gate)
    return gate, {name: card[name] for name in names if name in card}


def _laid_out(folder: Path, name: str, arguments: Mapping[str, Any]) -> list[str]:
    """Write the arguments as files; their names, in the order in which the editor gets them."""
    if name == "approve_job":
        for file, text in arguments["files"].items():
            (folder / file).write_text(text, encoding="utf-8")
        return sorted(arguments["files"])
    apart = {key: value for key, value in arguments.items() if isinstance(value, str) and "\n" in value}
    rest = {key: value for key, value in arguments.items() if key not in apart}
    (folder / ARGUMENTS).write_text(json.dumps(rest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for number, text in enumerate(apart.values(), start=1):
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    return [ARGUMENTS, *(f"{number}.txt" for number in range(1, len(apart) + 1))]


def _open_editor(files: Sequence[Path], hint: str) -> None:
    """Let the person edit the files.

    Raises:
        RequestError: there is no editor, or it failed.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    if not command.strip():
        raise RequestError("No editor is named.", hint=f"Set EDITOR (or VISUAL), such as EDITOR=nano. {hint}")
    try:
        done = subprocess.run([*shlex.split(command), *map(str, files)], check=False)
    except (OSError, ValueError) as error:
        raise RequestError(f"The editor {command!r} could not be started: {error}.", hint=hint) from error
    if done.returncode:
        raise RequestError(f"The editor {command!r} ended with code {done.returncode}.", hint=hint)


def _read_back(folder: Path, name: str, before: Mapping[str, Any], hint: str) -> dict[str, Any]:
    """The arguments as they lie there now."""
    try:
        if name == "approve_job":
            return {"files": _files_back(folder, before["files"])}
        text = (folder / ARGUMENTS).read_text(encoding="utf-8")
        apart = [key for key, value in before.items() if isinstance(value, str) and "\n" in value]
        texts = {key: (folder / f"{number}.txt").read_text(encoding="utf-8") for number, key in enumerate(apart, 1)}
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"What the editor left cannot be read: {error}.", hint=hint) from error
    if not text.strip():
        raise RequestError(f"{ARGUMENTS} is empty.", hint=hint)
    try:
        rest = json.loads(text)
    except ValueError as error:
        raise RequestError(f"{ARGUMENTS} is no JSON: {error}.", hint=hint) from error
    if not isinstance(rest, dict):
        raise RequestError(f"{ARGUMENTS} holds no object with names and values.", hint=hint)
    return {**{key: rest.get(key, texts.get(key)) for key in before if key in rest or key in texts}, **rest, **texts}


def _files_back(folder: Path, before: Mapping[str, str]) -> dict[str, str]:
    """The code as it lies there now; files that an editor keeps for itself do not count."""
    found = {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(folder.iterdir())
        if path.is_file() and (path.name in before or (path.suffix == ".py" and not path.name.startswith(".")))
    }
    return {**before, **found}


def _changes_of(
    changed: Mapping[str, Any], gone: Sequence[str], before: Mapping[str, Any], hint: str
) -> dict[str, Any]:
    """The arguments of an edit at a gate of the process: only what differs, of files too."""
    if gone:
        raise RequestError(f"{', '.join(gone)} cannot be left out; give another value.", hint=hint)
    if "files" not in changed:
        return dict(changed)
    return {"files": {name: text for name, text in changed["files"].items() if before["files"].get(name) != text}}


def _check(row: RunRow, number: int, action: dict[str, Any], hint: str) -> None:
    """Hold the edit to what the gate will hold it to, before anything is answered.

    Raises:
        RequestError: it cannot be used.
    """
    from trainwright.graph.state import Decision

    decision = Decision(type="edit", edited_action=action)
    try:
        if action["name"] in GATES:
            _check_gate(row, decision)
        else:
            _check_call(row, number, decision)
    except TrainwrightError as error:
        raise RequestError(f"The edit cannot be used: {error.message}", hint=error.hint or hint) from error


def _check_gate(row: RunRow, decision: Decision) -> None:
    from trainwright.nodes import approve
    from trainwright.nodes.gate import edited

    from .showing import last_state

    gate = next(one for one in approve.GATES if one.name == (decision.edited_action or {})["name"])
    state = last_state(row.name)
    if state is not None:
        gate.check(state, edited(gate, (row.waiting or {}).get("card") or {}, decision))


def _check_call(row: RunRow, number: int, decision: Decision) -> None:
    from trainwright.nodes import find_data, plan, read_paper, write_code
    from trainwright.nodes.approve_tools import check_edit

    card = (row.waiting or {}).get("card") or {}
    stages = {one.STAGE.name: one.STAGE for one in (read_paper, plan, find_data, write_code)}
    stage, call = stages.get(card.get("stage", "")), card["calls"][number - 1]
    if stage is not None and stage.tool(call["name"]) is not None:
        check_edit(stage, call, decision, None)


def _words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs, a line each; of files how many lines."""
    if "files" in before and isinstance(before["files"], Mapping):
        return _file_words(before["files"], after["files"])
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    return [f"{name}: {_short(before.get(name))} → {_short(after.get(name))}" for name in names]


def _file_words(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    import difflib

    rows = []
    for name in (name for name in after if before.get(name) != after[name]):
        diff = list(difflib.unified_diff(before.get(name, "").splitlines(), after[name].splitlines(), lineterm="", n=0))
        added = sum(row.startswith("+") and not row.startswith("+++") for row in diff)
        removed = sum(row.startswith("-") and not row.startswith("---") for row in diff)
        rows.append(f"{name}: {added} lines added, {removed} removed")
    return rows


def _short(value: Any) -> str:
    return line("nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str), 160)
