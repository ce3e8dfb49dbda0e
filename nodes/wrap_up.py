"""Node `wrap_up`: always last. Settles the ledger's sums, writes the report and the result.

Whatever happened, this node leaves a final status, `report.html` and `result.json` in the run's folder, and the row
in the table of runs. It changes no artifact.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from trainwright.engineers.budget import settle_left
from trainwright.graph.amounts import HOUR, MICROS, RESOURCES
from trainwright.graph.ledger import Ledger
from trainwright.graph.limits import COMPUTE
from trainwright.graph.redaction import redact
from trainwright.graph.runs import open_runs
from trainwright.graph.state import NodeTime, State, Status

from .boundary import Here, Update
from .notices import notice_of_end, undelivered
from .think import write_json

log = logging.getLogger("trainwright")

__all__ = ["result_of", "spent_by", "wrap_up"]


MODEL = ("input_tokens", "cached_tokens", "output_tokens", "unpriced_tokens", "usd_micros")


def spent_by(run: str) -> dict[str, Any]:
    """What the run used: dollars, tokens, GPU-hours, and seconds at work; and what model calls used, by stage.

    Everything that says what a run used says this: each number is the sum of the ledger's entries. What is held for
    something under way counts. `usd` is None while nobody knows the price of some call, and never zero for it:
    `usd_known` is the known part, `usd_jobs` what of it was paid for machines.
    """
    table = Ledger().table(run)
    total = {name: sum(node.get(name, 0) for node in table.values()) for name in RESOURCES}
    known, jobs = total["usd_micros"], sum(table.get(node, {}).get("usd_micros", 0) for node in COMPUTE)
    return {
        "usd": None if total["unpriced_tokens"] else known / MICROS,
        "usd_known": known / MICROS,
        "usd_jobs": jobs / MICROS,
        "tokens": total["input_tokens"] + total["output_tokens"],
        "input_tokens": total["input_tokens"],
        "cached_tokens": total["cached_tokens"],
        "output_tokens": total["output_tokens"],
        "unpriced_tokens": total["unpriced_tokens"],
        "gpu_hours": total["gpu_milliseconds"] / HOUR,
        "seconds": round(total["milliseconds"] / 1000, 1),
        "by_stage": {
            node: {name: amounts.get(name, 0) for name in ("steps", *MODEL)}
            for node, amounts in table.items()
            if amounts.get("input_tokens") or amounts.get("output_tokens")
        },
    }


def result_of(
    state: State, spent: dict[str, Any], report: str, waiting: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The run's result as `--json` prints it."""
    return {
        "run": state.run,
        "status": str(state.status),
        "steps": state.steps,
        "evaluation": _evaluation(state),
        "model": state.publication.location if state.publication else None,
        "report": report or None,
        "spent": spent,
        "waiting": waiting,
        "reason": state.reason,
        "attempts": [a.model_dump(mode="json") for a in state.attempts],
    }


def _evaluation(state: State) -> dict[str, Any] | None:
    result = state.evaluation
    if result is None:
        return None
    claim = result.claim
    return {
        "metric": result.metric,
        "value": result.value,
        "low": result.low,
        "high": result.high,
        "n_test": result.n_test,
        "baseline": {"name": result.baseline.name, "value": result.baseline.value},
        "claim": None
        if claim is None
        else {"value": claim.value, "metric": claim.metric, "verdict": claim.verdict, "why": claim.why},
    }


def final_status(state: State) -> tuple[Status, str]:
    """The status with which the run ends, and the reason."""
    if state.status != Status.RUNNING:
        return state.status, state.reason
    if state.settings is not None and state.settings.dry_run and state.plan is not None:
        seconds = state.plan.seconds
        return Status.DRY_RUN, f"Dry run: the plan is made, training would take about {seconds:.0f} s."
    if state.settings is not None and state.steps > state.settings.step_cap:
        cap = state.settings.step_cap
        return Status.STEP_LIMIT, f"The step limit of {cap} was set below the {state.steps} steps already taken."
    return Status.FAILED, state.reason or "The run ended without a result."


T = TypeVar("T")


def _written(here: Here, write: Callable[[], T]) -> tuple[T | None, list[str]]:
    """What `write` gives; or nothing and a note: how a run ended must not depend on whether its report can be written."""
    try:
        return write(), []
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError) as error:
        log.error("%s: the report or the result could not be written", here.run, exc_info=error)
        note = f"The report or the result could not be written ({type(error).__name__}: {redact(str(error))[:300]})."
        here.emit("note", text=note)
        return None, [note]


def wrap_up(here: Here, state: State) -> Update:
    """Write the report and the result."""
    from trainwright.tools.report import build_report

    status, reason = final_status(state)
    # A killed call of a model is settled by the next one; after a run was handed to the built-in engineer, here.
    missed = settle_left(state.run)
    missed += [note for note in undelivered(state.run) if note not in state.notes]
    times = [
        NodeTime(node=name, seconds=amount / 1000)
        for name, amount in here.ledger.by_node(state.run, "milliseconds").items()
    ]
    notes = [*state.notes, *missed]
    final = state.model_copy(update={"status": status, "reason": reason, "times": times, "notes": notes})
    spent = spent_by(here.run)
    location = final.publication.location if final.publication else ""
    report, unwritten = _written(
        here, lambda: str(build_report(final, here.folder, spent=spent, model_location=location))
    )
    result = result_of(final, spent, report or "")
    missed += unwritten + _written(here, lambda: write_json(here.folder / "result.json", result))[1]
    open_runs().update(
        state.run,
        stage="wrap_up",
        status=str(status),
        steps=state.steps,
        reason=reason,
        waiting=None,
        result=json.loads(json.dumps(result)),
    )
    notice_of_end(state.run, status)
    return {"status": status, "reason": reason, "times": times if not state.times else [], "notes": missed}
