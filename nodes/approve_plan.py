"""Gate `approve_plan`: what is trained, on which data, towards which score.

An edited plan is held to what every plan is held to; a rejection with feedback makes the plan anew.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from trainwright.graph.errors import Refusal
from trainwright.graph.state import Settings, State, TrainingPlan
from trainwright.tools.policy.actions import Action, Fact
from trainwright.tools.toolbox import Workbench

from . import plan as planning
from .card_parts import PLACE, changed, cost, payer, standing
from .estimates import most_for_plan
from .gate import Gate

__all__ = ["GATE"]

Card = dict[str, Any]


def _plan_card(state: State) -> Card:
    plan = state.plan
    assert plan is not None
    brief = state.brief
    return {
        "attempt": state.attempt,
        "paper": brief.title if brief else "",
        "data": state.request.data,
        "action": "prepare the data and write the code of this plan; the training job is asked about when it is ready",
        "where": PLACE,
        "pays": payer(state),
        "estimate": f"training of about {plan.seconds:.0f} s on {plan.hardware}, {cost(_usd(state))}",
        "on_no": "nothing is trained: with feedback the plan is made anew, without it the run ends",
        **plan.model_dump(mode="json"),
    }


def _usd(state: State) -> int | None:
    return most_for_plan(state, state.settings or Settings())


def _plan_headline(state: State) -> str:
    plan = state.plan
    assert plan is not None
    return f"Train {plan.method or plan.recipe} for {plan.metric}, about {plan.seconds:.0f} s on {plan.hardware}?"


def _plan_action(state: State, _: Card) -> Action:
    plan = state.plan
    assert plan is not None
    facts: dict[str, Fact] = {
        "place": "local",
        "hardware": plan.hardware,
        "attempt": state.attempt,
    }
    if (usd := _usd(state)) is not None:  # an unknown price is no fact, and no rule that names one allows
        facts["usd"] = usd / 1e6
    return Action("plan", {**facts, "data": state.request.data}, text=f"go on with the plan: {plan.approach}")


def _plan_rule(state: State, _: Card) -> tuple[bool, str]:
    assert state.plan is not None
    return True, f"Local work, {cost(_usd(state))}."


def _plan_more(_: State, card: Card, before: Card | None) -> Card:
    return {"changed": changed(tuple(TrainingPlan.model_fields), before, card)}


def _edited_plan(state: State, arguments: Card) -> TrainingPlan:
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
    return planning.settle(bench, plan)


GATE = Gate(
    name="approve_plan",
    card=_plan_card,
    headline=_plan_headline,
    action=_plan_action,
    rule=_plan_rule,
    check=_edited_plan,
    on_edit=lambda s, arguments: {"plan": _edited_plan(s, arguments)},
    on_reject=lambda s: {},
    editable=tuple(TrainingPlan.model_fields),
    more=_plan_more,
    standing=standing,
    edit_agrees=True,
)
