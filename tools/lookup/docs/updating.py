"""Building and refreshing the index of the documentation on request."""

from __future__ import annotations

import time

from trainwright.graph.errors import NotCached, RemoteError
from trainwright.tools.http import is_offline
from trainwright.tools.http.situation import check_stopped, why_offline

from .building import Progress, build
from .file import with_index
from .places import library_name
from .reading import state_of
from .records import Updated
from .store import Index

__all__ = ["update"]


def update(library: str = "", *, progress: Progress = lambda *_: None) -> Updated:
    """Build the index of a library, or look at everything that is indexed again.

    Args:
        library: which; all that are indexed when empty.
        progress: is told a library, how many of its pages are done, and how many there are.

    Raises:
        RequestError: that is no library's name.
        NotCached: the program is offline.
        NotFound: nobody has documentation of that name.
        RemoteError: it cannot be had now, and nothing of it is there.
    """
    begun = time.monotonic()
    found = Updated()
    names = [library_name(library)] if library else with_index(_names, found.notes)
    if is_offline():
        raise NotCached(f"Documentation cannot be updated, since {why_offline()} was given.", hint="Leave it out.")
    if not names:
        found.notes.append("No library is indexed yet. Name one, such as transformers; `libraries` lists them.")
    for name in names:
        try:
            done = build(name, progress, force=True)
        except RemoteError as error:
            if library:
                raise
            check_stopped()
            found.notes.append(f"{name}: {error.message}")
            continue
        found.sources += done.sources
        found.notes += [note for note in done.notes if note not in found.notes]
        found.changed, found.same, found.gone = (
            found.changed + done.changed, found.same + done.same, found.gone + done.gone
        )  # fmt: skip
    with_index(lambda index: _tell(index, names, found), found.notes)
    found.seconds = round(time.monotonic() - begun, 1)
    return found


def _names(index: Index) -> list[str]:
    return [one.name for one in index.libraries() if one.pages or one.begun]


def _tell(index: Index, names: list[str], found: Updated) -> None:
    found.libraries = [state_of(one) for one in index.libraries() if one.name in names]
