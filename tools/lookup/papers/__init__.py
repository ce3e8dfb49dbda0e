"""Papers: search, details, text by section, citations, passages, recommendations, and what on the Hub is linked.

    from trainwright.tools.lookup import papers

    found = papers.search("convolutional networks for sentences", limit=5)
    papers.read(found.papers[0].id, section="3.1").text

Sources are the Hub's paper pages, arXiv and Semantic Scholar. Nothing here trusts what they say, nor judges it; the
functions load what they need when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainwright.tools.lookup.lazily import Functions
from trainwright.tools.lookup.operations import Area

from . import arguments

if TYPE_CHECKING:
    from .citing import citations, recommend, snippets
    from .describing import details, linked
    from .reading import read, read_file
    from .searching import search, trending

__all__ = [
    "AREA", "citations", "details", "linked", "read", "read_file", "recommend", "search", "snippets", "trending",
]  # fmt: skip

_functions = Functions(__name__, {
    "search": "searching", "trending": "searching", "details": "describing", "linked": "describing", "read": "reading",
    "read_file": "reading", "citations": "citing", "snippets": "citing", "recommend": "citing",
})  # fmt: skip
__getattr__ = _functions
_operation = _functions.operation


AREA = Area(
    "papers",
    "Research papers: find, read by section, follow citations.",
    (
        _operation("search", arguments.Search, "Papers for some words, with filters."),
        _operation("trending", arguments.Trending, "The papers of a day on the Hub."),
        _operation("details", arguments.Details, "All that is known of one paper."),
        _operation(
            "read", arguments.Read, "Its abstract and contents, or one section. For a person, ID may be a PDF's URL."
        ),
        _operation("read_file", arguments.File, "The same for a file of this machine.", engineers=False),
        _operation("citations", arguments.Citations, "What it cites, and what cites it."),
        _operation("snippets", arguments.Snippets, "Passages of full texts for some words."),
        _operation("recommend", arguments.Recommend, "Papers like the given ones."),
        _operation("linked", arguments.Linked, "Data sets, models, Spaces and collections of the Hub that name it."),
    ),
)
"""The operations on papers."""
