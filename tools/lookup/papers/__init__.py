"""Papers: search, details, text by section, citations, passages, recommendations, and what on the Hub is linked.

    from trainwright.tools.lookup import papers

    found = papers.search("convolutional networks for sentences", limit=5)
    papers.read(found.papers[0].id, section="3.1").text

Sources are the Hub's paper pages, arXiv and Semantic Scholar. Nothing here trusts what they say, nor judges it; the
functions load what they need when they are called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainwright.tools.lookup.operations import Area, Operation

from . import arguments

if TYPE_CHECKING:
    from pydantic import BaseModel

    from trainwright.tools.lookup.found import Found

    from .citing import citations, recommend, snippets
    from .describing import details, linked
    from .reading import read, read_file
    from .searching import search, trending

__all__ = [
    "AREA", "citations", "details", "linked", "read", "read_file", "recommend", "search", "snippets", "trending",
]  # fmt: skip

_MODULES = {
    "search": "searching", "trending": "searching", "details": "describing", "linked": "describing", "read": "reading",
    "read_file": "reading", "citations": "citing", "snippets": "citing", "recommend": "citing",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def _operation(name: str, takes: type[BaseModel], summary: str, *, engineers: bool = True) -> Operation:
    def run(wanted: BaseModel) -> Found:
        found: Found = __getattr__(name)(**wanted.model_dump())
        return found

    return Operation(name, takes, run, summary, engineers)


AREA = Area(
    "papers",
    "Research papers: find, read by section, follow citations.",
    (
        _operation("search", arguments.Search, "Papers for some words, with filters."),
        _operation("trending", arguments.Trending, "The papers of a day on the Hub."),
        _operation("details", arguments.Details, "All that is known of one paper."),
        _operation("read", arguments.Read, "Its abstract and contents, or one section."),
        _operation("read_file", arguments.File, "The same for a file of this machine.", engineers=False),
        _operation("citations", arguments.Citations, "What it cites, and what cites it."),
        _operation("snippets", arguments.Snippets, "Passages of full texts for some words."),
        _operation("recommend", arguments.Recommend, "Papers like the given ones."),
        _operation("linked", arguments.Linked, "Data sets, models, Spaces and collections of the Hub that name it."),
    ),
)
"""The operations on papers."""
