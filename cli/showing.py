"""`trainwright show RUN`: all that is known of one run, from its row, its last checkpoint and its result."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.engineers import BUILT_IN
from trainwright.graph.errors import TrainwrightError
from trainwright.graph.runs import RunRow, open_runs
from trainwright.graph.settings import run_path
from trainwright.graph.tellings import of_run

from .cards import evaluation_lines, gate_title, waiting_lines
from .going_on import effective_status
from .listing import row_object
from .logs import start_log
from .outcome import attempt_lines, next_lines, stage_lines, status_line
from .screen import Line, open_screen
from .words import age, clean, duration, line, node_title, number

if TYPE_CHECKING:
    from trainwright.graph.state import Dataset, State

__all__ = ["last_state", "plan_card", "show_run", "state_lines"]

FINDINGS = 12
"""Findings of the audit that are shown before it says how many more there are."""


def show_run(run: str, *, as_json: bool, full: bool = False) -> int:
    """Print one run; of what it waits for the whole, if `full`.

    Raises:
        RunNotFound: none, or more than one, has that name.
    """
    row = open_runs().resolve(run)
    start_log(stderr=as_json)
    state = last_state(row.name)
    if as_json:
        from .jsonlines import json_lines

        json_lines().write(_object(row, state))
        return 0
    screen = open_screen(interactive=False)
    status = effective_status(row)
    lines = [status_line(row.name, status), *_row_lines(row)]
    if state is not None:
        lines += state_lines(state, finished=row.result is not None)
    lines += [Line(f"{age(said.at)}: {line(said.text, 600)}", label="told") for said in of_run(row.name)]
    lines += stage_lines(_spent(row))
    lines += [Line(place, label=name) for name, place in _places(row, state).items() if place]
    screen.show(lines)
    if status == "waiting" and row.waiting is not None:
        gate = str(row.waiting.get("gate", ""))
        screen.card(gate_title(gate), waiting_lines({**row.waiting, "run": row.name}, full=full))
        if gate != "ask_person" and row.waiting.get("text"):
            screen.show([Line(line(row.waiting["text"], 600), "title")])
    screen.show(next_lines(row.name, status, row.waiting))
    return 0


def _spent(row: RunRow) -> dict[str, Any]:
    """What the run used so far: of one that is at work too."""
    from trainwright.nodes.wrap_up import spent_by

    return spent_by(row.name)


def last_state(run: str) -> State | None:
    """The last checkpoint, or None where a run was killed before its first one."""
    from trainwright.graph import driver

    try:
        return asyncio.run(driver.load_state(run))
    except TrainwrightError:
        return None


def plan_card(state: State) -> dict[str, Any]:
    """The plan as its gate shows it, for a run that has not come to the gate."""
    assert state.plan is not None
    paper = state.brief.title if state.brief is not None else ""
    plan = state.plan.model_dump(mode="json")
    return {"attempt": state.attempt, "paper": paper, "data": state.request.data, **plan}


def _row_lines(row: RunRow) -> list[Line]:
    lines = [
        Line(line(getattr(row, name), 600), label=name)
        for name in ("goal", "paper", "data")
        if getattr(row, name) and getattr(row, name).strip()
    ]
    if (engineer := (row.settings or {}).get("engineer", BUILT_IN)) != BUILT_IN:
        lines.append(Line(line(engineer, 200), label="engineer"))
    seconds = ((row.result or {}).get("spent") or {}).get("seconds")
    spent = f", {duration(seconds)} of work" if seconds is not None else ""
    from trainwright.graph.forking import origin_of

    if (origin := origin_of(row.name)) is not None:
        lines.append(Line(f"{origin.parent}, at step {origin.step} ({node_title(origin.node)})", label="forked from"))
    lines.append(Line(f"begun {age(row.created_at)}, changed {age(row.updated_at)}, {row.steps} steps{spent}", "faint"))
    if row.reason:
        lines.append(Line(clean(row.reason)[:3_000], label="why"))
    return lines


def state_lines(state: State, *, finished: bool) -> list[Line]:
    """What was decided and measured.

    Args:
        state: the last checkpoint.
        finished: whether the run has ended, so that a missing score is worth a word.
    """
    lines: list[Line] = []
    if state.brief is not None and state.brief.title:
        found = f"{len(state.brief.claims)} claims, {len(state.brief.hyperparameters)} settings"
        lines.append(Line(f"{line(state.brief.title, 200)} ({found})", label="read"))
    if state.plan is not None:
        lines.append(Line(line(state.plan.approach, 1_200), label="plan"))
        lines += [Line(f"- {line(reason, 500)}", "faint", indent=2) for reason in state.plan.reasons]
    if state.dataset is not None:
        lines += _dataset_lines(state.dataset)
    for done in state.approvals:
        words = {"approve": "approved", "reject": "rejected", "edit": "edited", "respond": "answered"}
        rule = f" {line(done.rule, 60)}" if done.rule else ""
        by = f"by rule{rule}" if done.by == "rule" else "by a person"
        said = f": {line(done.message, 300)}" if done.message else ""
        lines.append(Line(f"{words[done.decision]} {by}, {age(done.at)}{said}", label=node_title(done.gate)))
    lines += attempt_lines([item.model_dump() for item in state.attempts])
    if state.job is not None and state.job.metrics:
        shown = ", ".join(f"{line(name, 40)} {number(value)}" for name, value in list(state.job.metrics.items())[:8])
        lines.append(Line(f"{state.job.state}, {shown}", label="job"))
    if state.evaluation is not None:
        lines += evaluation_lines(state.evaluation.model_dump())
    elif finished and state.plan is not None:
        lines.append(Line("none: the withheld labels were not used", "faint", label="score"))
    lines += [Line(line(note, 500), "faint", label="note") for note in state.notes]
    return lines


def _dataset_lines(data: Dataset) -> list[Line]:
    split = data.split
    counts = f"{split.train} to train, {split.validation} to validate, {split.test} withheld ({split.kind})"
    lines = [Line(f"{line(data.name, 120)}, {data.rows} rows: {counts}", label="data set")]
    shown = sorted(data.findings, key=lambda finding: ("error", "warning", "info").index(finding.severity))
    lines += [
        Line(line(item.message, 400), "" if item.severity == "info" else "warn", label=item.severity, indent=2)
        for item in shown[:FINDINGS]
    ]
    if len(shown) > FINDINGS:
        lines.append(Line(f"... and {len(shown) - FINDINGS} more findings, in the report", "faint", indent=2))
    return lines


def _places(row: RunRow, state: State | None) -> dict[str, str]:
    """Where things lie; what is not there is empty."""
    result = row.result or {}
    published = state.publication.location if state is not None and state.publication is not None else ""
    folder = run_path(row.name)
    report = folder / "report.html"
    return {
        "model": str(result.get("model") or published or ""),
        "report": str(result.get("report") or (report if report.is_file() else "")),
        "folder": str(folder) if Path(folder).is_dir() else "",
    }


def _object(row: RunRow, state: State | None) -> dict[str, Any]:
    """One run for programs: the row, the artifacts, the places, and the commands that go on."""
    status = effective_status(row)
    known = state.model_dump(mode="json") if state is not None else {}
    parts = (
        "settings",
        "brief",
        "plan",
        "dataset",
        "job",
        "evaluation",
        "publication",
        "attempts",
        "approvals",
        "notes",
    )
    following = [item.text for item in next_lines(row.name, status, row.waiting) if item.text]
    from trainwright.graph.forking import origin_of

    origin = origin_of(row.name)
    told = [{"text": said.text, "at": said.at} for said in of_run(row.name)]
    return {
        **row_object(row),
        **{part: known.get(part) for part in parts},
        **_places(row, state),
        "told": told,
        "forked_from": None if origin is None else {"run": origin.parent, "step": origin.step, "node": origin.node},
        "spent": _spent(row),
        "next": following,
    }
