"""The lookups as tools of a stage: one an area, and all of them only read.

What an area can do is recorded in `trainwright.tools.lookup`; which stage is offered which is decided by the stages.
A page of the web is fetched under the policy, since its address can be anybody's; everything else asks services that
are fixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import inf
from typing import Any

from pydantic import BaseModel

from trainwright.graph.errors import Refusal, RequestError
from trainwright.tools.http import lookups
from trainwright.tools.http.service import shown
from trainwright.tools.lookup.areas import AREAS
from trainwright.tools.lookup.operations import Area, call, flat_arguments
from trainwright.tools.policy.actions import Action
from trainwright.tools.toolbox import Tool, Workbench

__all__ = ["LOOKUPS", "some_of"]

WEB = "web"
DATASETS = "datasets"
"""Its operations keep back themselves what is withheld, and show the rest of the run's own data."""

IDS = ("id", "ids", "negative_ids")
"""Arguments that name a thing at one of the fixed services."""


def _fetches(_: Workbench, wanted: Any) -> list[Action]:
    """What a call of `web` does: a search asks the configured engine, and a fetch asks whoever has the address."""
    from trainwright.tools.lookup.web import actions_of_fetch

    if wanted.operation == "fetch":
        return actions_of_fetch(wanted.url or "")
    return [Action("web_search", {}, reads=True, text=f"search the web for {(wanted.query or '')[:200]}")]


def _tool(area: Area) -> Tool:
    def run(bench: Workbench, wanted: BaseModel) -> str:
        _check_ids(wanted)
        if area.name != DATASETS:
            _check_open(wanted)
        with lookups(seconds=_seconds_left(bench)):
            return call(area, wanted).model_dump_json(exclude_defaults=True)

    return Tool(area.name, area.for_engineers(), flat_arguments(area), run, acts=_fetches if area.name == WEB else None)


def _seconds_left(bench: Workbench) -> float:
    """Of the run's time at work: no lookup of a run is longer, however long it may be by itself."""
    return max(1.0, bench.standing.seconds_left) if bench.standing else inf


def _check_ids(wanted: BaseModel) -> None:
    """Keep an id from leading to a host of the engineer's choice, which only `web` does, under the policy.

    Raises:
        Refusal: it is an address, and not that of a paper's page at one of the fixed services.
    """
    given = wanted.model_dump(exclude_unset=True)
    for text in _texts([given.get(name) for name in IDS]):
        if _leads_anywhere(text):
            raise Refusal(f"{shown(text)} is no id", hint="Where there is `web`, it fetches an address, also of a PDF.")


def _leads_anywhere(text: str) -> bool:
    from trainwright.tools.lookup.papers.ids import paper_id

    try:
        return paper_id(text, urls=True).kind == "url"
    except RequestError:
        return False


def _check_open(wanted: BaseModel) -> None:
    """Keep the ways closed that lead around the lookup of data sets to the rows on which this run is scored.

    Raises:
        Refusal: an argument leads to the run's own data.
    """
    from trainwright.tools.lookup.datasets.withheld import names_withheld

    if any(map(names_withheld, _texts(wanted.model_dump(exclude_unset=True)))):
        raise Refusal(
            "this leads to the run's own data, whose test rows nobody but the evaluation sees",
            hint="inspect_data and datasets show what may be seen of them; search with other words than their id.",
        )


def _texts(given: Any) -> Iterator[str]:
    """All texts in a value, however deep they lie."""
    if isinstance(given, str):
        yield given
    elif isinstance(given, Mapping | list | tuple):
        for one in given.values() if isinstance(given, Mapping) else given:
            yield from _texts(one)


def some_of(name: str, *operations: str) -> Tool:
    """A lookup with these operations alone, for a stage that has no room for what it does not need."""
    area = AREAS[name]
    return _tool(replace(area, operations=tuple(one for one in area.operations if one.name in operations)))


LOOKUPS = {name: _tool(area) for name, area in AREAS.items()}
"""Each lookup by the name of its area."""
