"""One call of `research`: its questions go to helpers, so many at once, and their findings are its one answer.

The turns of its helpers are handed to the stage as a number; `think` alone counts them. The whole of the findings lies
in the run's folder, and the answer has as much of them as fits.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langgraph.types import Command, Overwrite, Send

from trainwright.graph.redaction import redact
from trainwright.graph.settings import home, run_path
from trainwright.graph.state import ResearchState, Settings
from trainwright.tools.research import Finding, Findings
from trainwright.tools.research.finding import KEPT

from .boundary import emit, failure, with_limits
from .research import ResearchArguments
from .research_limits import node_of, share, sums_of, turns_of
from .think import write_json

__all__ = ["answer", "dispatch", "failed", "not_sent"]

log = logging.getLogger("trainwright")


def dispatch(state: ResearchState, context: Settings | None) -> Command[Any]:
    """Send the next questions to helpers, or all that is found to `answer`."""
    settings = with_limits(state["settings"], context)
    wanted = ResearchArguments.model_validate(state["call"]["args"])
    first = state.get("begun", 0)
    numbers = range(first + 1, min(first + settings.research_parallel, len(wanted.questions)) + 1)
    if not numbers:
        return Command(goto="answer")
    run, stage = state["run"], state["stage"]
    if not first:
        emit("research", run, stage=stage, phase="start", questions=len(wanted.questions))
    sums, waiting = sums_of(run), len(wanted.questions) - first
    sends = []
    for number in numbers:
        node = node_of(stage, state["steps"], number)
        turns = share(sums, settings, node, waiting)
        question = wanted.questions[number - 1]
        most = min(turns, settings.research_turns)
        emit("helper", run, stage=stage, helper=number, phase="start", question=question[:300], turns=most)
        sends.append(
            Send(
                "helper",
                {
                    "run": run, "inputs": state["inputs"], "stage": stage, "settings": settings, "number": number,
                    "node": node, "question": question, "context": wanted.context, "share": turns,
                    "limit": state["limit"], "turns": 0, "seconds": 0.0, "transcript": [HumanMessage(question)],
                },
            )
        )  # fmt: skip
    return Command(goto=sends, update={"begun": numbers[-1]})


def answer(state: ResearchState) -> dict[str, Any]:
    """The one answer to the call."""
    run, call = state["run"], state["call"]
    reports = sorted(state.get("reports", []), key=lambda report: int(report["number"]))
    findings = [
        Finding.model_validate({k: v for k, v in report.items() if k != "number"}, context=KEPT) for report in reports
    ]
    name = f"research/{node_of(state['stage'], state['steps']).split('/', 1)[1].replace('/', '-')}findings.json"
    found = Findings(findings=findings, file=name, notes=_notes(findings))
    write_json(_folder(run, state["inputs"]) / name, found.model_dump(mode="json", exclude_defaults=True))
    turns = turns_of(sums_of(run), node_of(state["stage"], state["steps"]))
    statuses = [one.status for one in findings]
    content = found.bounded().model_dump_json(exclude_defaults=True)
    emit("research", run, stage=state["stage"], phase="end", turns=turns, statuses=statuses)
    message = ToolMessage(content, tool_call_id=call["id"], name=call["name"])
    remarks = list(dict.fromkeys(state.get("remarks", [])))
    return {"helped": turns, "transcript": [message], "remarks": Overwrite(remarks)}


def not_sent(state: ResearchState, error: Exception) -> Command[Any]:
    """Where helpers cannot be sent: what those before them have found is the answer, if there were any."""
    reports = state.get("reports", [])
    if not reports:
        return Command(goto="__end__", update=failed(state, error))
    log.error("unexpected error in research", exc_info=error)
    why = redact(f"No helper could be sent: {type(error).__name__}: {error}.")[:1_000]
    wanted = ResearchArguments.model_validate(state["call"]["args"]).questions
    left_out = [
        {"number": number, **Finding(question=question, status="failed", why=why).model_dump(mode="json")}
        for number, question in enumerate(wanted, 1)
        if number > state["begun"]
    ]
    return Command(goto="answer", update={"reports": left_out, "remarks": [why]})


def failed(state: ResearchState, error: Exception) -> dict[str, Any]:
    """The answer where even that went wrong: the engineer goes on without, and no turn is lost."""
    log.error("unexpected error in research", exc_info=error)
    text = failure(error, state["stage"]).get("reason", str(error))
    content = json.dumps({"error": f"The research failed: {text}", "hint": "Go on without it.", "kind": "research"})
    message = ToolMessage(content, tool_call_id=state["call"]["id"], name=state["call"]["name"], status="error")
    turns = turns_of(sums_of(state["run"]), node_of(state["stage"], state["steps"]))
    emit("research", state["run"], stage=state["stage"], phase="end", turns=turns, statuses=[])
    return {"helped": turns, "transcript": [message]}


def _notes(findings: list[Finding]) -> list[str]:
    failures = [one for one in findings if one.status == "failed"]
    if failures and len(failures) == len(findings):
        return ["No question could be answered; why stands at each. Go on with what is known, or ask otherwise."]
    return [f"{len(failures)} of {len(findings)} questions could not be answered."] if failures else []


def _folder(run: str, inputs: str) -> Path:
    return run_path(run) if inputs else home() / "research" / run
