"""Search of models, with the filters and the order that the Hub has."""

from __future__ import annotations

from itertools import islice
from typing import Any

from trainwright.tools.lookup.hub import asking_the_hub, licence_of
from trainwright.tools.lookup.values import line

from .arguments import SearchArgs, count_of
from .describing import dtype_counts
from .report import Listed, Listing
from .values import number

__all__ = ["search"]

ORDERS = {"trending": "trending_score", "created": "created_at", "modified": "last_modified"}
FIELDS = ["downloads", "likes", "gated", "lastModified", "tags", "pipeline_tag", "library_name", "safetensors"]


def search(wanted: SearchArgs) -> Listing:
    """See `trainwright.tools.lookup.models.search`."""
    most = count_of(wanted.parameters) if wanted.parameters else 0
    filters = [text for text in (wanted.library, wanted.licence and f"license:{wanted.licence}") if text]
    with asking_the_hub("this search of models") as hub:
        found = hub.api.list_models(
            search=wanted.query or None,
            author=wanted.author or None,
            filter=filters or None,
            pipeline_tag=wanted.task or None,
            num_parameters=f"max:{_unit(most)}" if most else None,
            sort=ORDERS.get(wanted.sort, wanted.sort) or None,
            limit=wanted.limit,
            expand=FIELDS,
        )
        listed = [_listed(info) for info in islice(found, wanted.limit)]
    kept = [one for one in listed if not most or one.parameters is None or one.parameters <= most]
    notes = _notes(wanted, filters, len(listed) - len(kept), any(one.parameters is None for one in kept))
    return Listing(
        models=kept, notes=notes if kept else [*notes, *_nothing(wanted, filters)], sources=[hub.source("api/models")]
    )


def _notes(wanted: SearchArgs, filters: list[str], larger: int, unknown: bool) -> list[str]:
    if not wanted.parameters:
        return []
    notes = (
        [f"{larger} of the Hub's answers have more than {wanted.parameters} parameters and were left out."]
        if larger
        else []
    )
    return [*notes, "Where no parameters are shown, the Hub does not know them."] if unknown else notes


def _nothing(wanted: SearchArgs, filters: list[str]) -> list[str]:
    given = [*filters, *(text for text in (wanted.task, wanted.author) if text)]
    return [f"Nothing fits with {', '.join(given)}: leave one out, or check how the Hub calls it."] if given else []


def _unit(count: int) -> str:
    """A count as the Hub's filter writes it; rounded up to a thousandth, so that nothing that fits is left out."""
    for unit, size in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= size:
            return f"{-(-count * 1000 // size) / 1000:g}{unit}"
    return str(count)


def _listed(info: Any) -> Listed:
    counts = dtype_counts(info)
    return Listed(
        id=line(str(info.id)),
        parameters=sum(counts.values()) or None,
        task=line(info.pipeline_tag, 60),
        library=line(info.library_name, 60),
        licence=licence_of({}, info.tags),
        gated=line(str(info.gated), 10) if info.gated else "",
        downloads=number(info.downloads) or 0,
        likes=number(info.likes) or 0,
        modified=str(info.last_modified or "")[:10],
    )
