"""The three gates of the process: `approve_plan`, `approve_job`, `approve_publish`.

Each shows what a person needs to decide, and knows what a rejection or an edit leads to. With `--approvals auto` a
rule answers; it never publishes a model that misses the wanted score or does not beat the trivial baseline, and never
submits a job whose preflight list has an open item.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from trainwright.graph.effects import effect_key
from trainwright.graph.errors import PublicationError, Refusal
from trainwright.graph.settings import hub_path, run_path
from trainwright.graph.state import Check, Settings, State, Status, TrainingPlan
from trainwright.tools import code
from trainwright.tools.hub import LocalHub, check_model_name, files_of_package
from trainwright.tools.sandbox.limits import default_memory
from trainwright.tools.toolbox import Workbench

from . import plan as planning
from .gate import Gate
from .write_code import bundle_of

__all__ = ["GATES", "preflight", "publication_name", "publication_payload"]

Card = dict[str, Any]


def publication_name(state: State) -> str:
    """Name under which the model is published."""
    return state.request.publish_to or state.run


def _plan_card(state: State) -> Card:
    plan = state.plan
    assert plan is not None
    brief = state.brief
    return {
        "attempt": state.attempt,
        "paper": brief.title if brief else "",
        "data": state.request.data,
        **plan.model_dump(mode="json"),
    }


def _plan_headline(state: State) -> str:
    plan = state.plan
    assert plan is not None
    return f"Train {plan.method or plan.recipe} for {plan.metric}, about {plan.seconds:.0f} s on {plan.hardware}?"


def _edit_plan(state: State, arguments: Card) -> Card:
    """An edited plan is held to what every plan is held to."""
    assert state.plan is not None
    try:
        plan = TrainingPlan.model_validate({**state.plan.model_dump(), **arguments})
    except ValidationError as error:
        first = error.errors()[0]
        raise Refusal(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
    known = {
        name: getattr(state, name)
        for name in Workbench.model_fields
        if name not in ("stage", "settings", "standing", "said")
    }
    bench = Workbench(stage="plan", settings=state.settings or Settings(), **known)
    return {"plan": planning.settle(bench, plan)}


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
    folder = run_path(state.run) / "code"
    # Since the last attempt; in the first one since the version before (a repair, an edit), if there was one.
    previous = next((a.commit for a in reversed(state.attempts) if a.commit), "") or code.before(folder, bundle.commit)
    return {
        "attempt": state.attempt,
        "where": "this machine (local engine)",
        "estimated_seconds": round(report.estimated_seconds, 1),
        "estimated_memory": report.estimated_memory,
        "usd": 0,
        "code": {
            "commit": bundle.commit,
            "sha256": bundle.sha256,
            "recipe": bundle.recipe,
            "unmodified": bundle.unmodified,
        },
        "change": bundle.change,
        "preflight": [check.model_dump() for check in preflight(state)],
        "diff": code.diff(folder, previous, bundle.commit),
    }


def _job_headline(state: State) -> str:
    assert state.sandbox is not None
    return (
        f"Submit the training job of attempt {state.attempt} (about {state.sandbox.estimated_seconds:.0f} s, no cost)?"
    )


def _job_rule(state: State, card: Card) -> tuple[bool, str]:
    missing = [check["name"] for check in card["preflight"] if not check["passed"]]
    return (False, f"Preflight not passed: {', '.join(missing)}.") if missing else (True, "Preflight passed, no cost.")


def _edit_job(state: State, arguments: Card) -> Card:
    """Edited files are new code: committed here, tested again before they can be submitted."""
    folder = run_path(state.run) / "code"
    present = code.files_of(folder)
    files = _whole_texts(arguments["files"])
    code.check_file_names(files)
    code.dependencies(files)
    if all(present.get(name) == content for name, content in files.items()):
        raise Refusal("The edited files are what they were.", hint="To agree to the code that is shown, approve it.")
    code.write_files(folder, {**present, **files})
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


def _publish_card(state: State) -> Card:
    result, data, plan = state.evaluation, state.dataset, state.plan
    assert result is not None
    assert data is not None
    assert plan is not None
    return {
        "name": publication_name(state),
        "where": "the local hub of this machine",
        "on_the_hub": _on_the_hub(state),
        "evaluation": result.model_dump(mode="json"),
        "beats_baseline": beats_baseline(state),
        "method": plan.method or plan.recipe,
        "data": {
            "name": data.name,
            "licence": data.licence,
            "revision": data.revision[:16],
            "fingerprint": data.fingerprint,
        },
        "files": files_of_package(run_path(state.run), result.attempt),
        "attempts": len(state.attempts),
    }


def publication_payload(state: State) -> Card:
    """What makes a publication this one and no other; its key in the journal follows from it."""
    result = state.evaluation
    assert result is not None
    return {
        "name": publication_name(state),
        "predictions": result.predictions_sha256,
        "attempt": result.attempt,
        "code": state.code and state.code.sha256,
    }


def _on_the_hub(state: State) -> str:
    """What happens under that name. An approval binds to it, so it says the same after the publication as before."""
    name, hub, payload = publication_name(state), LocalHub(hub_path()), publication_payload(state)
    try:
        hub.check_free(name)
    except PublicationError as error:
        return f"it cannot go there: {error}"
    before = hub.version_before(effect_key(state.run, payload["attempt"], "publication", payload), name)
    if not before:
        return "a new model"
    return f"a new version of the model {name}, which is there already; its version {before[:12]} stays in the history"


def beats_baseline(state: State) -> bool:
    """Whether the score is better than that of a model that ignores its input."""
    result = state.evaluation
    assert result is not None
    better, trivial = result.value, result.baseline.value
    return better > trivial if result.direction == "higher" else better < trivial


def _publish_headline(state: State) -> str:
    result = state.evaluation
    assert result is not None
    target = {True: " The wanted score is reached.", False: " The wanted score is NOT reached.", None: ""}[
        result.target_met
    ]
    return (
        f"Publish {publication_name(state)}: {result.metric} {result.value:.4f} "
        f"[{result.low:.4f}, {result.high:.4f}], baseline {result.baseline.value:.4f}?{target}"
    )


def _publish_rule(state: State, _: Card) -> tuple[bool, str]:
    result = state.evaluation
    assert result is not None
    scored = f"{result.metric} {result.value:.4f} on {result.n_test} withheld rows"
    if result.target_met is False:
        return (
            False,
            f"Not published: {scored} misses the wanted score after {len(state.attempts)} attempts. The model is kept.",
        )
    if not beats_baseline(state):
        trivial = f"{result.baseline.name} gets {result.baseline.value:.4f}"
        return False, f"Not published: {scored} is no better than a model that ignores its input ({trivial})."
    return True, f"{scored} beats the trivial baseline of {result.baseline.value:.4f}."


def _edit_publication(state: State, arguments: Card) -> Card:
    """Another name; the gate shows the card again with it, and that is what an approval binds to."""
    name = arguments["name"]
    if not isinstance(name, str):
        raise Refusal("`name` is no text.", hint="Give the name of the model, name or owner/name.")
    check_model_name(name)
    LocalHub(hub_path()).check_free(name)
    return {"request": state.request.model_copy(update={"publish_to": name})}


def _back_to_plan(state: State) -> Card:
    """A new attempt after the withheld labels were used: allowed to a person, and written down."""
    note = f"A person sent attempt {state.accepted} back knowing its withheld score; later scores are not untouched."
    sent_back = [
        a.model_copy(update={"verdict": "sent back by a person", "sent_back": True})
        if a.number == state.accepted
        else a
        for a in state.attempts
    ]
    return {
        "attempts": sent_back,
        "attempt": state.attempt + 1,
        "accepted": None,
        "repairs": 0,
        "code": None,
        "sandbox": None,
        "job": None,
        "evaluation": None,
        "notes": [note],
    }


def _nothing(_: State) -> Card:
    return {}


GATES = (
    Gate(
        "approve_plan",
        _plan_card,
        _plan_headline,
        lambda s, c: (True, "Local work at no cost."),
        _edit_plan,
        _nothing,
        tuple(TrainingPlan.model_fields),
    ),
    Gate(
        "approve_job",
        _job_card,
        _job_headline,
        _job_rule,
        _edit_job,
        lambda s: {"sandbox": None},
        ("files",),
        Status.FAILED,
    ),
    Gate(
        "approve_publish", _publish_card, _publish_headline, _publish_rule, _edit_publication, _back_to_plan, ("name",)
    ),
)
