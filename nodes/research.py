"""What `research` is: the tool of a stage, and the small stage that each of its helpers works in.

A helper can only read: its tools are those lookups that nobody is ever asked about, and the web under the policy, where
"ask" counts as refused since a helper has no person. It has no shell, no files, no servers' tools and no helpers of its
own. Nothing runs here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from trainwright.engineers.protocol import Stage
from trainwright.graph.errors import Refusal
from trainwright.tools.research import Report
from trainwright.tools.toolbox import Tool, Workbench

__all__ = ["NAME", "RESEARCH", "ResearchArguments", "helper_stage", "is_research", "together"]

NAME = "research"

Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1_000)]


class ResearchArguments(BaseModel):
    """What is to be found out."""

    model_config = ConfigDict(extra="forbid")

    questions: list[Question] = Field(min_length=1, max_length=6)
    context: str = Field("", max_length=4_000, description="what every helper must know")


def _run(_: Workbench, __: ResearchArguments) -> str:
    raise Refusal("research is done by its own node of the stage, and cannot be a part of another call")


RESEARCH = Tool(
    NAME,
    "Let helpers look things up, one a question, at once: papers, docs, data sets, models, code, web. Each knows only "
    "its question and the context. The answer: recipes and claims with sources.",
    ResearchArguments,
    _run,
)


def is_research(stage: Stage, call: Mapping[str, Any]) -> bool:
    """Whether a call goes to the node of that name: one that cannot be run is answered like any other such call."""
    if call["name"] != NAME or "malformed" in call or stage.tool(NAME) is not RESEARCH:
        return False
    try:
        ResearchArguments.model_validate(call["args"])
    except ValidationError:
        return False
    return True


def together(stage: Stage, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls of `research` behind the first one in an answer, which are not run."""
    return [call for call in calls if is_research(stage, call)][1:]


def _settled(_: Workbench, report: BaseModel) -> BaseModel:
    return report


@cache
def helper_stage() -> Stage:
    """The stage of a helper: the lookups, and a report that ends it."""
    from .lookups import LOOKUPS

    return Stage(name="research", field="report", finish=Report, settle=_settled, tools=tuple(LOOKUPS.values()))
