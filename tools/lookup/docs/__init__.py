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
from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainwright.tools.lookup.operations import Area, Operation

from . import arguments

if TYPE_CHECKING:
    from pydantic import BaseModel

    from trainwright.tools.lookup.found import Found

    from .installation import installed, installed_under
    from .reading import libraries, pages, read
    from .searching import search
    from .updating import update

__all__ = ["AREA", "installed", "installed_under", "libraries", "pages", "read", "search", "update"]

_MODULES = {
    "search": "searching", "pages": "reading", "read": "reading", "libraries": "reading", "update": "updating",
    "installed": "installation", "installed_under": "installation",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def _operation(name: str, takes: type[BaseModel], summary: str, *, engineers: bool = True) -> Operation:
    def run(wanted: BaseModel) -> Found:
        # `update` is for people alone, so nothing is written over the screen of a run.
        shown = {"progress": _show} if name == "update" and sys.stderr.isatty() else {}
        found: Found = __getattr__(name)(**wanted.model_dump(), **shown)
        return found

    return Operation(name, takes, run, summary, engineers)


def _show(library: str, done: int, of: int) -> None:
    """How far an index is, on one line of the terminal."""
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
            "update", arguments.Update, "Build or refresh the index of one library, or of all.", engineers=False
        ),
        _operation(
            "installed", arguments.Installed, "Signature and docstring of something installed, and its keywords."
        ),
        _operation("installed_under", arguments.InstalledUnder, "The same, with another interpreter.", engineers=False),
    ),
)
"""The operations on documentation."""
