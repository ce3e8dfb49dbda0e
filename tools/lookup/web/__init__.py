"""The web: search by the configured engine, and one page as Markdown.

    from trainwright.tools.lookup import web

    for hit in web.search("gradient boosting on tabular data", allowed_domains=["arxiv.org"]).hits:
        page = web.fetch(hit.url)

Nothing is crawled, no page is run, and no form is sent. The functions load what they need when they are called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainwright.tools.lookup.operations import Area, Operation

from . import arguments

if TYPE_CHECKING:
    from pydantic import BaseModel

    from trainwright.tools.lookup.found import Found

    from .acting import actions_of_fetch
    from .fetching import fetch
    from .searching import search

__all__ = ["AREA", "actions_of_fetch", "fetch", "search"]

_MODULES = {"search": "searching", "fetch": "fetching", "actions_of_fetch": "acting"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def _operation(name: str, takes: type[BaseModel], summary: str) -> Operation:
    def run(wanted: BaseModel) -> Found:
        found: Found = __getattr__(name)(**wanted.model_dump())
        return found

    return Operation(name, takes, run, summary)


AREA = Area(
    "web",
    "Search the web; fetch one page as Markdown.",
    (
        _operation("search", arguments.Search, "Pages for some words."),
        _operation("fetch", arguments.Fetch, "A page, PDF or text file at an address."),
    ),
)
"""The operations on the web."""
