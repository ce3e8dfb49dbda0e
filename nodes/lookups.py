"""The lookups as tools of a stage: one an area, and all of them only read.

What an area can do is recorded in `trainwright.tools.lookup`; which stage is offered which is decided by the stages.
A page of the web is fetched under the policy, since its address can be anybody's; everything else asks services that
are fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from trainwright.graph.errors import Refusal
from trainwright.tools.lookup.areas import AREAS
from trainwright.tools.lookup.operations import Area, call, flat_arguments
from trainwright.tools.policy.actions import Action
from trainwright.tools.toolbox import Tool, Workbench

__all__ = ["LOOKUPS", "some_of"]

Acts = Callable[[Workbench, Any], list[Action]]


def _fetches(_: Workbench, wanted: Any) -> list[Action]:
    """What a call of `web` does: a search asks the configured engine, and a fetch asks whoever has the address."""
    from trainwright.tools.lookup.web import actions_of_fetch

    if wanted.operation == "fetch":
        return actions_of_fetch(wanted.url or "")
    return [Action("web_search", {}, reads=True, text=f"search the web for {(wanted.query or '')[:200]}")]


def _tool(area: Area, acts: Acts | None = None) -> Tool:
    def run(_: Workbench, wanted: BaseModel) -> str:
        _check_open(wanted)
        return call(area, wanted).model_dump_json(exclude_defaults=True)

    return Tool(area.name, area.for_engineers(), flat_arguments(area), run, acts=acts)


def _check_open(wanted: BaseModel) -> None:
    """Keep the ways closed that lead around the lookup of data sets to the rows on which this run is scored.

    Raises:
        Refusal: the address or the repository is that of the run's own data.
    """
    from trainwright.tools.lookup.datasets.withheld import names_withheld

    if any(names_withheld(str(getattr(wanted, name, None) or "")) for name in ("url", "repo")):
        raise Refusal(
            "this leads to the run's own data, whose test rows nobody but the evaluation sees",
            hint="inspect_data and datasets show what may be seen of them.",
        )


def some_of(name: str, *operations: str) -> Tool:
    """A lookup with these operations alone, for a stage that has no room for what it does not need."""
    area = AREAS[name]
    return _tool(replace(area, operations=tuple(one for one in area.operations if one.name in operations)))


LOOKUPS = {name: _tool(area, _fetches if name == "web" else None) for name, area in AREAS.items()}
"""Each lookup by the name of its area."""
