"""Whether what a run relies on is still what it was when it stopped: its paper, its frozen data, its code, its results.

The state carries hashes, the run's folder the files. Before a run goes on they are compared, and one that differs is
named: nothing is scored on labels that changed, and no code is submitted that is not what was tested. Nodes that score
or submit look again for themselves. What a training left as its model has no hash: whether it is there is all that is
looked at. This module changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from langgraph.types import StateSnapshot
from pydantic import ValidationError

from trainwright.tools import code
from trainwright.tools.sandbox import plain_folder

from .errors import ContractError, DataError, RequestError
from .migrations import version_of
from .ownership import temporary_folder
from .runs import RunRow
from .settings import run_path
from .state import SCHEMA_VERSION, CodeBundle, Dataset, JobRecord, PaperBrief, State

__all__ = ["changes", "check_files", "state_of"]


def state_of(snapshot: StateSnapshot, row: RunRow) -> State | None:
    """The state of a snapshot in today's shape; None where no checkpoint was written yet.

    Raises:
        RequestError: an earlier release wrote it in a shape that cannot be read any more.
    """
    if not snapshot.values:
        return None
    try:
        state = State.model_validate(snapshot.values)
        if version_of(dict(snapshot.metadata or {})) < SCHEMA_VERSION:
            # What does not fit its class comes out of a checkpoint unchecked, so it is looked at once more.
            State.model_validate(state.model_dump(warnings=False))
    except ValidationError as error:
        first = error.errors()[0]
        what = ".".join(map(str, first["loc"])) or "it"
        raise RequestError(
            f"{row.name} was made by an earlier Trainwright, and this one cannot read its {what}: {first['msg']}. "
            "Nothing was done.",
            hint=f"Go on with the release that made it, or start a new run; its files are in {run_path(row.name)}.",
        ) from error
    return state


def check_files(snapshot: StateSnapshot, state: State) -> None:
    """Make sure that nothing was changed since the run stopped.

    Raises:
        RequestError: naming all that was.
    """
    folder = run_path(state.run)
    found = [*changes(state, folder), *_of_stages(snapshot, folder)]
    if not found:
        return
    raise RequestError(
        f"The files of {state.run} are not those with which it stopped: {'; '.join(found)}. Nothing was done.",
        hint=f"Put them back into {folder} and try again, or start a new run. "
        "Where a run has ended, `trainwright resume` with --data begins anew from data.",
    )


def changes(state: State, folder: Path) -> list[str]:
    """What was changed or is missing of what the rest of the run relies on, each in a few words."""
    if not (folder / "stages").is_dir():  # made with the run; whoever takes its lease makes no more than its folder
        return [f"its folder {folder} is gone"]
    found: list[str] = []
    if state.brief is not None and state.plan is None:
        found += _of_paper(state.brief, folder)
    if state.publication is not None:
        return found
    if state.dataset is not None:
        found += _of_data(state.dataset, folder)
    if state.code is not None:
        found += _of_code(state.code, folder)
    if state.job is not None:
        found += _of_job(state.job, folder)
    return [*found, *_of_attempts(state, folder)]


def _of_paper(brief: PaperBrief, folder: Path) -> Iterator[str]:
    if not brief.text_path:
        return
    try:
        name = Path(json.loads((folder / "paper" / "source.json").read_text(encoding="utf-8"))["path"]).name
        if hashlib.sha256((folder / "paper" / name).read_bytes()).hexdigest() != brief.sha256:
            yield f"the copy of the paper, paper/{name}, was changed"
        parsed = json.loads((folder / "paper" / "parsed.json").read_text(encoding="utf-8"))
        if (folder / brief.text_path).read_text(encoding="utf-8") != parsed["markdown"]:
            yield f"the text of the paper, {brief.text_path}, was changed"
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield f"the copy of the paper in paper/ is missing or damaged ({error})"


def _of_data(data: Dataset, folder: Path) -> Iterator[str]:
    from trainwright.tools.datasets import check_frozen

    try:
        check_frozen(folder, data)
    except DataError as error:
        yield error.message.rstrip(".")


def _of_code(bundle: CodeBundle, folder: Path) -> Iterator[str]:
    with temporary_folder("code") as place:
        try:
            code.checkout(folder / "code", bundle.commit, place)
        except (ContractError, OSError):
            yield f"the commit {bundle.commit[:12]} of the code in code/ is missing or damaged"
            return
        if code.bundle_sha256(code.files_of(place))[1] != bundle.sha256:
            yield f"the code in code/ at commit {bundle.commit[:12]} is not what was written"


def _of_job(job: JobRecord, folder: Path) -> Iterator[str]:
    """Of a job that has succeeded: what it ran, and what it left."""
    if job.state != "succeeded":
        return
    place = folder / "attempts" / str(job.attempt) / "job"
    about = f"attempts/{job.attempt}/job"
    if not plain_folder(place / "out" / "model"):
        yield f"the model that the job of attempt {job.attempt} trained, {about}/out/model, is gone"
    if not (place / "code").is_dir() or code.bundle_sha256(code.files_of(place / "code"))[1] != job.code_sha256:
        yield f"the code that the job of attempt {job.attempt} ran, {about}/code, was changed or is gone"


def _of_attempts(state: State, folder: Path) -> Iterator[str]:
    """What the earlier attempts left, from which the best one is taken."""
    for attempt in state.attempts:
        scored = attempt.validation is not None and not attempt.sent_back
        if scored and not (folder / "attempts" / str(attempt.number) / "attempt.json").is_file():
            yield f"the record of attempt {attempt.number}, attempts/{attempt.number}/attempt.json, is gone"


def _of_stages(snapshot: StateSnapshot, folder: Path) -> Iterator[str]:
    """What a stage in the middle of its work reads at each turn, or goes on from."""
    inside = [task.state for task in snapshot.tasks if isinstance(task.state, StateSnapshot)]
    needed = [snapshot.values.get("carry", ""), *(stage.values.get("inputs", "") for stage in inside)]
    for name in filter(None, needed):
        try:
            json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            yield f"{name}, from which a stage goes on, is missing or damaged"
