"""Gate `approve_publish`: the name, the place, the score beside its baseline and the paper's claim, the files.

Another name is shown again, since an approval binds to its card; a rejection with feedback is a new attempt, which is
written down. A rule never publishes a model that misses the wanted score or does not beat the trivial baseline.
"""

from __future__ import annotations

from typing import Any

from trainwright.graph.effects import effect_key
from trainwright.graph.errors import PublicationError, Refusal
from trainwright.graph.settings import hub_path, run_path
from trainwright.graph.state import State
from trainwright.tools.hub import LocalHub, check_model_name, files_of_package
from trainwright.tools.policy.actions import Action, Fact

from .card_parts import changed, standing
from .gate import Gate

__all__ = ["GATE", "beats_baseline", "publication_name", "publication_payload"]

Card = dict[str, Any]


def publication_name(state: State) -> str:
    """Name under which the model is published."""
    return state.request.publish_to or state.run


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


def _publish_card(state: State) -> Card:
    result, data, plan = state.evaluation, state.dataset, state.plan
    assert result is not None
    assert data is not None
    assert plan is not None
    return {
        "name": publication_name(state),
        "action": "run the package once more in a clean place, and publish it if it scores the same",
        "where": "the local hub of this machine",
        "pays": "nobody: the local hub costs nothing",
        "estimate": "no cost; it leaves this machine only if you take it elsewhere",
        "on_no": "nothing is published: with feedback there is a new attempt, without it the run ends and the model "
        "stays in the run's folder",
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


def _publish_action(state: State, _: Card) -> Action:
    name = publication_name(state)
    facts: dict[str, Fact] = {"place": "local", "repository": name, "private": True, "usd": 0.0}
    return Action("publication", facts, text=f"publish the model as {name} in the local hub")


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


def _publish_more(_: State, card: Card, before: Card | None) -> Card:
    """Name and score beside those that were last agreed to."""
    return {"changed": changed(("name", "score"), before and _with_score(before), _with_score(card))}


def _with_score(card: Card) -> Card:
    result = card["evaluation"]
    return {"name": card["name"], "score": f"{result['metric']} {result['value']:.4f}"}


def _edited_name(_: State, arguments: Card) -> str:
    """Another name, if a model can have it."""
    name = arguments["name"]
    if not isinstance(name, str):
        raise Refusal("`name` is no text.", hint="Give the name of the model, name or owner/name.")
    check_model_name(name)
    LocalHub(hub_path()).check_free(name)
    return name


def _edit_publication(state: State, arguments: Card) -> Card:
    """Another name; the gate shows the card again with it, and that is what an approval binds to."""
    return {"request": state.request.model_copy(update={"publish_to": _edited_name(state, arguments)})}


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


GATE = Gate(
    name="approve_publish",
    card=_publish_card,
    headline=_publish_headline,
    action=_publish_action,
    rule=_publish_rule,
    check=_edited_name,
    on_edit=_edit_publication,
    on_reject=_back_to_plan,
    editable=("name",),
    more=_publish_more,
    standing=standing,
)
