"""Building `report.html` from the state of a run: verdict first, then evidence, then how it was made.

Works for every status, also where most of the state is empty. Everything is escaped by the template engine; no link
in the file leads to a resource that would be loaded. This module computes nothing that the state does not say.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from trainwright.graph.state import State, Status

from .account import VERDICTS, go_on, left_undone, repeat, score_sentence
from .plots import Mark, bars, figure, score_plot

__all__ = ["build_report", "headline"]

WORDS = {
    Status.PUBLISHED: ("Published", "good"),
    Status.DRY_RUN: ("Dry run: the plan is made", "good"),
    Status.FAILED: ("Failed", "bad"),
    Status.GAVE_UP: ("Given up", "bad"),
    Status.WAITING: ("Waiting for a person", "open"),
    Status.RUNNING: ("At work", "open"),
    Status.STEP_LIMIT: ("Stopped: step limit", "open"),
    Status.BUDGET_LIMIT: ("Stopped: budget", "open"),
    Status.DEADLINE: ("Stopped: time limit", "open"),
    Status.REJECTED: ("Rejected by a person", "bad"),
    Status.INTERRUPTED: ("Stopped; can be resumed", "open"),
}


def headline(state: State) -> tuple[str, str]:
    """What is said first, and its colour class."""
    return WORDS[state.status]


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trainwright.tools.report", "."),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = short
    environment.filters["figure"] = figure
    return environment.get_template("report.html.j2")


def harmless(value: Any) -> Any:
    """Outside text without control and direction characters, which could hide or turn what is read."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return "".join("\N{REPLACEMENT CHARACTER}" if _obeyed(character) else character for character in value)


def _obeyed(character: str) -> bool:
    if character in "\n\t\r" or " " <= character <= "~":
        return False
    if character in "\u200c\u200d\u00ad":  # joiners of scripts and emoji, the soft hyphen
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")


def short(value: Any, limit: int = 600) -> str:
    """A text cut to a readable length."""
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def build_report(state: State, run_dir: Path, *, spent: dict[str, Any], model_location: str) -> Path:
    """Write `run_dir`/report.html, whole or not at all; its path.

    Args:
        state: of the run, with its final status.
        run_dir: the run's folder.
        spent: usd, tokens, gpu_hours, seconds.
        model_location: where the published model lies; empty if none does.
    """
    from markupsafe import Markup

    words, colour = headline(state)
    text: str = _template().render(
        state=state,
        words=words,
        colour=colour,
        verdicts=VERDICTS,
        sentence=score_sentence(state.evaluation) if state.evaluation is not None else "",
        score=Markup(harmless(_plot(state))),  # noqa: S704 - made by plots.py, which escapes what it is given
        times=Markup(bars([(t.node.replace("_", " "), t.seconds) for t in state.times])),  # noqa: S704
        undone=left_undone(state),
        repeat=repeat(state, run_dir),
        go_on=go_on(state),
        spent=spent,
        model=model_location,
        folder=str(run_dir),
    )
    path = run_dir / "report.html"
    temporary = path.with_name("report.html.part")
    temporary.write_text(text, encoding="utf-8", errors="replace")
    temporary.replace(path)
    return path


def _plot(state: State) -> str:
    """The score beside baseline, claim and wanted score, where they are of the same metric."""
    result = state.evaluation
    if result is None:
        return ""
    marks = [Mark(result.metric, result.value, "score"), Mark("baseline", result.baseline.value, "baseline")]
    if result.claim is not None and result.claim.metric == result.metric:
        marks.append(Mark("claim of the paper", result.claim.value, "claim"))
    target = state.plan.target if state.plan is not None else None
    if target is not None and target.metric == result.metric:
        marks.append(Mark("wanted", target.value, "target"))
    return score_plot(marks, (result.low, result.high))
