"""Documentation: of the Hub's libraries by search, page and section, and of what is installed where scripts run.

    from trainwright.tools.lookup import docs

    docs.search("packing", library="trl").hits[0].text
    docs.read("trl/sft_trainer", section="Packing").text
    docs.installed("sklearn.ensemble.RandomForestClassifier", keywords=["n_trees"]).keywords[0].close

The pages lie in an index on the disk that is built once and works offline. The functions load what they need when they are
called; no token is sent anywhere.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from trainwright.tools.lookup.lazily import Functions
from trainwright.tools.lookup.operations import Area

from . import arguments

if TYPE_CHECKING:
    from .installation import installed, installed_under
    from .reading import libraries, pages, read
    from .searching import search
    from .updating import update

__all__ = ["AREA", "installed", "installed_under", "libraries", "pages", "read", "search", "update"]

_functions = Functions(__name__, {
    "search": "searching", "pages": "reading", "read": "reading", "libraries": "reading", "update": "updating",
    "installed": "installation", "installed_under": "installation",
})  # fmt: skip
__getattr__ = _functions
_operation = _functions.operation


def _show(library: str, done: int, of: int) -> None:
    """How far an index is, on one line of the terminal; elsewhere nothing."""
    if not sys.stderr.isatty():
        return
    sys.stderr.write(f"\r{library}: {done:,} of {of:,} pages" + ("\n" if done >= of else ""))
    sys.stderr.flush()


AREA = Area(
    "docs",
    "Documentation: of the Hub's libraries, and what is installed here.",
    (
        _operation("search", arguments.Search, "Sections for some words or names."),
        _operation("pages", arguments.Pages, "The pages of a library."),
        _operation("read", arguments.Read, "A page, or one section of it."),
        _operation("libraries", arguments.Libraries, "Which libraries there are, and which are indexed."),
        _operation(
            "update",
            arguments.Update,
            "Build or refresh the index of one library, or of all.",
            engineers=False,  # so nothing is written over the screen of a run
            places=("library",),
            seconds=float("inf"),
            progress=_show,
        ),
        _operation(
            "installed", arguments.Installed, "Signature and docstring of something installed, and its keywords."
        ),
        _operation("installed_under", arguments.InstalledUnder, "The same, with another interpreter.", engineers=False),
    ),
)
"""The operations on documentation."""
