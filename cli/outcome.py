"""How a run ended and what to do next, as lines: the same after `run` and in `show`.

Pure functions from a result (`nodes/wrap_up.py` makes it) to lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .cards import evaluation_lines, how_to_answer
from .screen import Line
from .words import clean, dollars, duration, line, node_title, number, status_title, tokens_and_dollars

__all__ = ["ENDED_WELL", "attempt_lines", "jobs_use", "next_lines", "result_lines", "stage_lines", "status_line"]

ENDED_WELL = ("published", "dry_run")
_HEADS = {
    "published": "Published",
    "dry_run": "Dry run: planned, nothing trained",
    "failed": "Failed",
    "gave_up": "Gave up",
    "waiting": "Waits for you",
    "step_limit": "Stopped at the step limit",
    "budget_limit": "Stopped at the budget",
    "deadline": "Stopped at the time limit",
    "rejected": "Rejected",
    "interrupted": "Interrupted",
    "running": "At work",
}


def status_line(run: str, status: str) -> Line:
    """The first line about a run: what became of it."""
    role = "good" if status in ENDED_WELL else "warn" if status in ("waiting", "interrupted", "running") else "bad"
    return Line(f"{_HEADS.get(status, status_title(status))}: {line(run, 80)}", role)  # type: ignore[arg-type]


def result_lines(result: Mapping[str, Any]) -> list[Line]:
    """Status, reason, score, where things lie, what was spent, how to go on."""
    run, status = str(result.get("run", "")), str(result.get("status", ""))
    lines = [status_line(run, status)]
    if result.get("reason") and status not in ("published", "dry_run", "waiting", "interrupted"):
        lines.append(Line(clean(result["reason"])[:3_000], indent=2))
    lines += evaluation_lines(result.get("evaluation") or {})
    if len(result.get("attempts") or []) > 1:
        lines += attempt_lines(result["attempts"])
    lines += [Line(line(result[key], 1_000), label=key) for key in ("model", "report") if result.get(key)]
    spent = result.get("spent") or {}
    if spent:
        steps = result.get("steps", 0)
        cost = "".join(
            f", {part}" for part in [model_use(spent) if spent.get("tokens") else "", *jobs_use(spent)] if part
        )
        lines.append(
            Line(f"{duration(spent.get('seconds', 0.0))} of work, {steps} steps{cost}", "faint", label="spent")
        )
    return lines + next_lines(run, status, result.get("waiting"), str(result.get("hint") or ""))


def jobs_use(spent: Mapping[str, Any]) -> list[str]:
    """What jobs and sandboxes cost, and their GPU-hours; nothing where they were free and had none."""
    gpu, usd = spent.get("gpu_hours") or 0, spent.get("usd_jobs") or 0
    return [*([f"{gpu:.2f} GPU-hours"] if gpu else []), *([f"{dollars(usd)} for jobs"] if usd else [])]


def model_use(spent: Mapping[str, Any]) -> str:
    """Tokens and dollars of a model, of a result's `spent` or of one of its stages."""
    known = spent["usd_known"] - spent.get("usd_jobs", 0) if "usd_known" in spent else spent.get("usd_micros", 0) / 1e6
    tokens = spent["tokens"] if "tokens" in spent else spent.get("input_tokens", 0) + spent.get("output_tokens", 0)
    return tokens_and_dollars(tokens, known, not spent.get("unpriced_tokens"))


def stage_lines(spent: Mapping[str, Any]) -> list[Line]:
    """What the model used in each stage, and jobs that cost; nothing where no model was asked and all was free."""
    stages: Mapping[str, Any] = spent.get("by_stage") or {}
    total = [*([model_use(spent)] if stages else []), *jobs_use(spent)]
    lines = [Line(", ".join(total), label="used")] if total else []
    return lines + [
        Line(f"{node_title(stage)}: {used.get('steps', 0)} steps, {model_use(used)}", "faint", indent=2)
        for stage, used in stages.items()
    ]


def attempt_lines(attempts: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Every attempt with its change, its validation score and what was thought of it."""
    if not attempts:
        return []
    lines = [Line("", label="attempts")]
    for item in attempts:
        score = item.get("validation")
        metric = line(item.get("metric") or "score", 40)
        measured = "no score" if score is None else f"validation {metric} {number(score)}"
        parts = [line(item.get("method") or item.get("recipe") or "", 80), measured, duration(item.get("seconds", 0.0))]
        text = f"{item.get('number', '?')}  {', '.join(part for part in parts if part)}: {line(item.get('verdict', ''), 120)}"
        lines.append(Line(text, indent=2))
        if item.get("change"):
            lines.append(Line(f"change: {line(item['change'], 300)}", "faint", indent=5))
    return lines


def next_lines(run: str, status: str, waiting: Mapping[str, Any] | None, hint: str = "") -> list[Line]:
    """What the person can do next."""
    if status == "waiting":
        shown = waiting or {}
        done = shown.get("answered") or {}
        left = [number for number in range(1, int(shown.get("actions") or 1) + 1) if str(number) not in done]
        return [Line("", label="to go on"), *how_to_answer(run, str(shown.get("gate", "")), left)]
    commands = {
        "interrupted": (f"trainwright resume {run}",),
        "step_limit": (f"trainwright resume {run}",),
        "deadline": (f"trainwright resume {run}",),
        "budget_limit": (f"trainwright resume {run}",),
        "dry_run": (f"trainwright resume {run}",),
        "failed": (f"trainwright resume {run}",),
        "gave_up": (f"trainwright resume {run} --data DATA",),
    }.get(status, ())
    lines = [Line(clean(hint)[:1_000], indent=2)] if hint else []
    notes = {
        "dry_run": "trains for real",
        "failed": "tries again from there; --data DATA takes other data",
        "gave_up": "tries other data",
        **dict.fromkeys(("budget_limit", "step_limit", "deadline"), "with the flag that the reason names"),
    }
    about = f"  ({notes[status]})" if status in notes else ""
    return lines + [Line(f"{command}{about}", label="to go on") for command in commands]
