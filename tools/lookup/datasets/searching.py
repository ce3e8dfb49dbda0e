"""Search of data sets, with the filters and the order that the Hub has."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from trainwright.tools.lookup.hub import asking_the_hub, licence_of

from .arguments import SearchArgs
from .hub import short_tags
from .report import Listed, Listing

__all__ = ["search"]

ORDERS = {"trending": "trending_score", "created": "created_at", "modified": "last_modified"}
FIELDS = ["downloads", "likes", "gated", "lastModified", "tags", "disabled", "private"]
SIZE = re.compile(
    r"(n<1K|1K<n<10K|10K<n<100K|100K<n<1M|1M<n<10M|10M<n<100M|100M<n<1B|1B<n<10B|10B<n<100B|100B<n<1T|n>1T)"
)


def search(wanted: SearchArgs) -> Listing:
    """See `trainwright.tools.lookup.datasets.search`."""
    notes = []
    filters = [f"{name}:{value}" for name, value in _tags(wanted) if value]
    if wanted.size and not SIZE.fullmatch(wanted.size):
        notes.append(f"{wanted.size[:40]!r} is no class of sizes on the Hub; such are 1K<n<10K, 10K<n<100K, 1M<n<10M.")
    with asking_the_hub("this search of data sets") as hub:
        found = hub.api.list_datasets(
            search=wanted.query or None,
            author=wanted.author or None,
            filter=filters or None,
            sort=ORDERS.get(wanted.sort, wanted.sort) or None,
            limit=wanted.limit,
            expand=FIELDS,
        )
        listed = [_listed(info) for info in islice(found, wanted.limit)]
    if not listed and filters:
        notes.append(f"Nothing fits with {', '.join(filters)}: leave out a filter, or check how the Hub calls it.")
    return Listing(datasets=listed, notes=notes, sources=[hub.source("api/datasets")])


def _tags(wanted: SearchArgs) -> tuple[tuple[str, str], ...]:
    return (
        ("task_categories", wanted.task),
        ("language", wanted.language),
        ("size_categories", wanted.size),
        ("license", wanted.licence),
    )


def _listed(info: Any) -> Listed:
    return Listed(
        id=str(info.id)[:200],
        downloads=int(info.downloads or 0),
        likes=int(info.likes or 0),
        licence=licence_of({}, info.tags),
        gated=str(info.gated) if info.gated else "",
        modified=str(info.last_modified or "")[:10],
        tags=list(short_tags(info.tags, 8)),
    )
