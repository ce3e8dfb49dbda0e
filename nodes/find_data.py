"""Stage `find_data`: from the plan and the data to the frozen `Dataset`, whose test labels are withheld.

The engineer chooses; the split is made by plain code in the settle step, once, and never by the engineer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainwright.engineers.protocol import Stage
from trainwright.graph.errors import PlanContradicted
from trainwright.graph.state import Dataset
from trainwright.tools.datasets.choice import DataChoice
from trainwright.tools.toolbox import NoArguments, Tool, Workbench

from .lookups import LOOKUPS, some_of
from .plan import inspect_data
from .reading_on import READ_OUTPUT
from .research import RESEARCH

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["STAGE"]


def audit(bench: Workbench, nothing: NoArguments) -> BaseModel:
    """The audit of the data."""
    return inspect_data(bench, nothing)


def settle(bench: Workbench, choice: DataChoice) -> Dataset:
    """Freeze the split that was chosen.

    Raises:
        PlanContradicted: the choice does not fit the plan.
        DataError: the data cannot be divided so.
    """
    from trainwright.tools.datasets import freeze

    plan: Any = bench.plan
    if choice.task != plan.task:
        raise PlanContradicted(
            f"the plan is for {plan.task}, the choice for {choice.task}: contradict the plan instead"
        )
    if plan.target_column and choice.target != plan.target_column:
        raise PlanContradicted(
            f"the plan predicts {plan.target_column}, the choice {choice.target}: contradict the plan instead"
        )
    return freeze(
        bench.request.data,
        choice,
        bench.folder,
        seed=bench.settings.seed,
        metric=plan.metric,
        direction=plan.direction,
    )


STAGE = Stage(
    name="find_data",
    field="dataset",
    finish=DataChoice,
    settle=settle,
    tools=(
        Tool("inspect_data", "The audit of the data: columns, duplicates, leaks, splits.", NoArguments, audit),
        READ_OUTPUT,
        LOOKUPS["datasets"],
        some_of("papers", "search", "details", "read", "linked"),
        LOOKUPS["web"],
        RESEARCH,
    ),
)
