"""The web: search by the configured engine, and one page as Markdown.

    from trainwright.tools.lookup import web

    for hit in web.search("gradient boosting on tabular data", allowed_domains=["arxiv.org"]).hits:
        page = web.fetch(hit.url)

Nothing is crawled, no page is run, and no form is sent. The functions load what they need when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainwright.tools.lookup.lazily import Functions
from trainwright.tools.lookup.operations import Area

from . import arguments

if TYPE_CHECKING:
    from .acting import actions_of_fetch
    from .fetching import fetch
    from .searching import search

__all__ = ["AREA", "actions_of_fetch", "fetch", "search"]

_functions = Functions(__name__, {"search": "searching", "fetch": "fetching", "actions_of_fetch": "acting"})
__getattr__ = _functions
_operation = _functions.operation


AREA = Area(
    "web",
    "Search the web; fetch one page as Markdown.",
    (
        _operation("search", arguments.Search, "Pages for some words."),
        _operation("fetch", arguments.Fetch, "A page, PDF or text file at an address."),
    ),
)
"""The operations on the web."""
