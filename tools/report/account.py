"""What the report says in sentences: the verdict, what was left undone, how to repeat the run, how to go on.

Pure functions from the state of a run. They repeat what the state holds and judge nothing anew.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from trainwright.graph.state import Evaluation, State, Status

from .plots import figure

__all__ = ["VERDICTS", "go_on", "left_undone", "repeat", "score_sentence"]

VERDICTS = {
    "reproduced": "The paper's claim is reproduced",
    "better": "Better than the paper's claim",
    "worse": "Worse than the paper's claim",
    "not_comparable": "Not comparable with the paper's claim",
}
SETTINGS = 12
"""Settings of the paper that were not used and are named; the rest is counted."""


def score_sentence(result: Evaluation) -> str:
    """The score in one sentence, beside what a model that ignores its input gets."""
    value, trivial = result.value, result.baseline.value
    better = value > trivial if result.direction == "higher" else value < trivial
    beside = "better than" if better else "NO better than"
    return (
        f"{result.metric} {figure(value)} [{figure(result.low)}, {figure(result.high)}] on {result.n_test} withheld "
        f"rows, {beside} a model that ignores its input ({result.baseline.name}, {figure(trivial)})."
    )


def left_undone(state: State) -> list[str]:
    """What was refused, dropped, missed or not done, one line each."""
    lines = list(state.notes)
    lines += [
        f"{item.gate.replace('_', ' ')}: rejected by a {item.by}{f': {item.message}' if item.message else '.'}"
        for item in state.approvals
        if item.decision == "reject"
    ]
    if state.plan is not None and state.evaluation is None:
        lines.append("There is no score: the withheld labels were not used.")
    if state.evaluation is not None and state.evaluation.target_met is False:
        lines.append("The wanted score was not reached.")
    if state.evaluation is not None and state.publication is None:
        lines.append("The model was not published.")
    return lines + _of_the_paper(state)


def _of_the_paper(state: State) -> list[str]:
    """Settings and claims of the paper that the run made no use of."""
    if state.brief is None or state.plan is None:
        return []
    used = {item.name for item in state.plan.hyperparameters if item.source == "paper"}
    unused = [item for item in state.brief.hyperparameters if item.name not in used]
    lines = [
        f"The paper also states {item.name} = {item.value}{f' for {item.method}' if item.method else ''}"
        f"{f' (page {item.page})' if item.page else ''}; this was not used."
        for item in unused[:SETTINGS]
    ]
    if len(unused) > SETTINGS:
        lines.append(f"{len(unused) - SETTINGS} more settings of the paper were not used.")
    compared = state.evaluation is not None and state.evaluation.claim is not None
    others = len(state.brief.claims) - compared
    if others > 0 and state.evaluation is not None:
        lines.append(f"{others} {'other claim' if compared else 'claim'}{'s' * (others != 1)} found in the paper "
                     f"{'were' if others != 1 else 'was'} not compared with anything.")  # fmt: skip
    return lines


def repeat(state: State, folder: Path) -> list[tuple[str, str]]:
    """How to repeat the run: what a command does, and the command.

    Args:
        state: of the run.
        folder: the run's folder.
    """
    ways = []
    if state.publication is not None:
        script = Path(state.publication.location) / "reproduce.sh"
        ways.append(
            (
                "Split, training and score again, from the data alone; the data's fingerprint is checked:",
                f"{shlex.quote(str(script))} {shlex.quote(_source(state) or 'DATA')}",
            )
        )
    ways.append(("The whole run again, from the paper on:", _run_command(state)))
    if state.code is not None and state.dataset is not None:
        attempt = state.evaluation.attempt if state.evaluation is not None else state.attempt
        job = folder / "attempts" / str(attempt) / "job" / "code"
        train = (job if job.is_dir() else folder / "code") / "train.py"
        data = folder / state.dataset.folder
        seed = state.dataset.split.seed
        command = f"python {shlex.quote(str(train))} --data {shlex.quote(str(data))} --out OUT --seed {seed}"
        ways.append((f"The training alone, by hand (code at commit {state.code.commit[:12]}):", command))
    return ways


def _source(state: State) -> str:
    return state.request.data


def _run_command(state: State) -> str:
    """The command line that began the run; a text from standard input is named, not repeated."""
    request, settings = state.request, state.settings
    words = ["trainwright", "run"]
    if request.paper:
        words.append("-" if "\n" in request.paper else request.paper)
    flags = {"--data": request.data, "--goal": request.goal, "--target": request.target}
    flags |= {"--target-column": request.target_column, "--publish-to": request.publish_to}
    for flag, value in flags.items():
        words += [flag, value] if value else []
    if settings is not None:
        words += ["--seed", str(settings.seed)] if settings.seed else []
        words += ["--attempts", str(settings.attempts)]
    return shlex.join(words) + (" < ABSTRACT" if "\n" in request.paper else "")


def go_on(state: State) -> str:
    """The command that goes on with the run, or nothing where it has ended for good."""
    flags = {
        Status.STEP_LIMIT: f" --step-cap {max(1, state.steps) * 2}",
        Status.DEADLINE: " --max-hours H",
        Status.GAVE_UP: " --data DATA",
        Status.DRY_RUN: "",
        Status.FAILED: "",
        Status.BUDGET_LIMIT: "",
        Status.INTERRUPTED: "",
        Status.RUNNING: "",
    }
    return f"trainwright resume {state.run}{flags[state.status]}" if state.status in flags else ""
