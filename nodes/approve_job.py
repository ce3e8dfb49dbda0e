"""Gate `approve_job`: the training job, with the very code that passed its test, and the preflight list.

Edited files are new code, which is tested again before it can be submitted; a rejection with feedback has the code
written again. A rule never submits a job whose preflight list has an open item.
"""

from __future__ import annotations

import hashlib
from typing import Any

from trainwright.graph.amounts import say
from trainwright.graph.errors import Refusal
from trainwright.graph.settings import run_path
from trainwright.graph.state import Check, Settings, State, Status
from trainwright.tools import code
from trainwright.tools.policy.actions import Action, Fact
from trainwright.tools.sandbox.limits import default_memory

from .card_parts import cost, payer, standing, terms
from .estimates import LEAST_SECONDS, MARGIN, job_estimate
from .gate import Gate
from .write_code import bundle_of

__all__ = ["GATE", "preflight"]

Card = dict[str, Any]


def preflight(state: State) -> list[Check]:
    """What must be true before a job is submitted; an item that is not blocks it.

    An approval binds to the texts, so they do not name what may differ between two visits: the limits of the run and
    of the machine.
    """
    plan, data, bundle, report = state.plan, state.dataset, state.code, state.sandbox
    assert plan is not None
    assert data is not None
    assert bundle is not None
    assert report is not None
    same = report.code_sha256 == bundle.sha256
    allowed = (state.settings or Settings()).max_hours * 3600
    memory = default_memory()
    return [
        Check(
            name="reference implementation",
            passed=bool(bundle.recipe or plan.recipe or plan.citations),
            detail=bundle.recipe or plan.recipe or f"{len(plan.citations)} passages cited",
        ),
        Check(name="data verified and frozen", passed=bool(data.fingerprint), detail=data.fingerprint[:16]),
        Check(name="smoke test passed", passed=report.passed, detail=f"{report.seconds:.1f} s, {report.isolation}"),
        Check(name="code is what was tested", passed=same, detail=bundle.sha256[:16]),
        _base_model(state),
        Check(
            name="time limit follows from the smoke test",
            passed=0 < report.estimated_seconds <= allowed,
            detail=f"{report.estimated_seconds:.0f} s expected",
        ),
        Check(
            name="memory suffices",
            passed=report.estimated_memory <= memory,
            detail=f"{report.estimated_memory / 2**30:.1f} GiB expected",
        ),
        Check(name="metrics are streamed", passed=_has(report.checks, "metrics"), detail="metrics.jsonl"),
        Check(name="model is saved", passed=_has(report.checks, "model"), detail="model/"),
    ]


def _base_model(state: State) -> Check:
    """The base model of the plan is the one that the code loads: its name stands in a script."""
    assert state.plan is not None
    wanted = state.plan.base_model
    if not wanted:
        return Check(name="base model as planned", passed=True, detail="none: trained from scratch")
    files = code.files_of(run_path(state.run) / "code")
    named = any(wanted.encode() in content for name, content in files.items() if name.endswith(".py"))
    return Check(name="base model as planned", passed=named, detail=wanted)


def _has(checks: list[Check], name: str) -> bool:
    return any(check.name == name and check.passed for check in checks)


def _job_card(state: State) -> Card:
    bundle, report = state.code, state.sandbox
    assert bundle is not None
    assert report is not None
    known, seconds = terms(state), _most_seconds(state)
    usd = known.usd_micros(seconds)
    gpus = f", {say('gpu_milliseconds', known.gpu_milliseconds(seconds))}" if known.gpus else ""
    return {
        "attempt": state.attempt,
        "action": "start the training job with this code, which passed its test in the sandbox",
        "where": f"{known.name} (local engine)",
        "pays": payer(state),
        "estimate": f"about {report.estimated_seconds:.0f} s, at most {seconds:.0f} s{gpus}, {cost(usd)}",
        "on_no": "no job is started: with feedback the code is written again, without it the run ends",
        "estimated_seconds": round(report.estimated_seconds, 1),
        "estimated_memory": report.estimated_memory,
        "usd": None if usd is None else usd / 1e6,
        "code": {
            "commit": bundle.commit,
            "sha256": bundle.sha256,
            "recipe": bundle.recipe,
            "unmodified": bundle.unmodified,
        },
        "change": bundle.change,
        "preflight": [check.model_dump() for check in preflight(state)],
    }


def _most_seconds(state: State) -> float:
    """Seconds that the job may take at most, if the limits leave as much."""
    assert state.sandbox is not None
    return max(LEAST_SECONDS, MARGIN * state.sandbox.estimated_seconds)


def _job_headline(state: State) -> str:
    assert state.sandbox is not None
    usd = terms(state).usd_micros(_most_seconds(state))
    return (
        f"Submit the training job of attempt {state.attempt} (about {state.sandbox.estimated_seconds:.0f} s, "
        f"{cost(usd)})?"
    )


def _job_action(state: State, card: Card) -> Action:
    known = terms(state)
    facts: dict[str, Fact] = {"place": "local", "flavor": "local", "network": False, "recipe": card["code"]["recipe"]}
    facts["gpu_hours"] = known.gpu_milliseconds(_most_seconds(state)) / 3_600_000
    if card["usd"] is not None:
        facts["usd"] = card["usd"]
    return Action("job", facts, text=f"{card['action']}: {card['estimate']}")


def _job_rule(state: State, card: Card) -> tuple[bool, str]:
    missing = [check["name"] for check in card["preflight"] if not check["passed"]]
    return (
        (False, f"Preflight not passed: {', '.join(missing)}.")
        if missing
        else (True, f"Preflight passed, {cost(terms(state).usd_micros(_most_seconds(state)))}.")
    )


def _job_more(state: State, card: Card, before: Card | None) -> Card:
    """The difference to the code of the last job that was approved; before there was one, to the version before."""
    folder, commit = run_path(state.run) / "code", card["code"]["commit"]
    if before is not None:
        old, since = before["code"]["commit"], "the job that was approved last"
    else:
        old = next((a.commit for a in reversed(state.attempts) if a.commit), "") or code.before(folder, commit)
        since = "the version before" if old else "nothing: all of it is new"
    return {"diff": code.diff(folder, old, commit), "since": since}


def _job_standing(state: State) -> Card:
    """What the job would hold of the limits at this moment, and what remains of them."""
    estimate = job_estimate(state, state.settings or Settings())
    tight = [row["limit"] for row in estimate["limits"] if not row["fits"]]
    fits = f" It does not fit into {', '.join(tight)}." if tight else ""
    return {"now": f"{estimate['text']}{fits}", **standing(state)}


def _edited_files(state: State, arguments: Card) -> dict[str, bytes]:
    """The files of an edit, if they are other code than what is shown; nothing is written."""
    assert state.code is not None
    files = _whole_texts(arguments["files"])
    code.check_file_names(files)
    code.dependencies(files)
    # Held to the bundle, not to the folder: after a kill the files lie there already.
    if all(state.code.files.get(name) == hashlib.sha256(content).hexdigest() for name, content in files.items()):
        raise Refusal("The edited files are what they were.", hint="To agree to the code that is shown, approve it.")
    return files


def _edit_job(state: State, arguments: Card) -> Card:
    """Edited files are new code: committed here, tested again before they can be submitted."""
    folder, files = run_path(state.run) / "code", _edited_files(state, arguments)
    code.write_files(folder, {**code.files_of(folder), **files})
    assert state.code is not None
    change = f"edited by a person: {', '.join(sorted(files))}"
    bundle = bundle_of(run_path(state.run), state.code.recipe, change, state.attempt)
    return {"code": bundle.model_copy(update={"edited": True}), "sandbox": None}


def _whole_texts(files: Any) -> dict[str, bytes]:
    if not isinstance(files, dict) or not files or not all(isinstance(text, str) for text in files.values()):
        raise Refusal("`files` is no dictionary from a file's name to its whole new text.")
    try:
        return {str(name): text.encode() for name, text in files.items()}
    except UnicodeEncodeError as error:
        raise Refusal("A file in `files` cannot be written as UTF-8.") from error


GATE = Gate(
    name="approve_job",
    card=_job_card,
    headline=_job_headline,
    action=_job_action,
    rule=_job_rule,
    check=_edited_files,
    on_edit=_edit_job,
    on_reject=lambda s: {"sandbox": None},
    editable=("files",),
    more=_job_more,
    standing=_job_standing,
    refused=Status.FAILED,
)
