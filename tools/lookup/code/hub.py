"""Repositories of the Hugging Face Hub as code: their files and one file. Only what is read is asked for."""

from __future__ import annotations

from itertools import islice
from typing import Any
from urllib.parse import quote

from trainwright.graph.errors import Refusal
from trainwright.tools.http import Answer, fetch
from trainwright.tools.lookup.found import Source
from trainwright.tools.lookup.hub import HUB, asking_the_hub
from trainwright.tools.lookup.names import is_repo_path

from .places import Place
from .records import Entry

__all__ = ["entries_of", "guard", "read_bytes"]

HINT = "Check owner and name; a data set is hf:datasets/owner/name, a Space hf:spaces/owner/name."
MOST = 10_000
"""Entries of a repository that are listed."""

SHOWN = ("readme.md", ".gitattributes")
"""Files of withheld data that an engineer may read: they hold no rows."""


def guard(place: Place) -> None:
    """Refuse files of a data set that the run is scored on, whoever asks for them.

    Raises:
        Refusal: it is one of them.
        RemoteError: the Hub cannot be asked whether it is.
    """
    from trainwright.tools.lookup.datasets.withheld import is_withheld_hub

    if place.kind == "dataset" and place.path.lower() not in SHOWN and is_withheld_hub(place.repo):
        raise Refusal(
            f"{place.shown} holds the rows that this run is scored on; its files are not shown.",
            hint="Its card is: README.md. The training rows lie in the workspace.",
        )


def entries_of(place: Place) -> tuple[list[Entry], Source, list[str]]:
    """All files and folders.

    Raises:
        NotFound: there is no such repository or revision, or it is private.
        RemoteError: the Hub refuses, is down, or sent what is no listing.
    """
    kind = {"model": "model", "dataset": "data set", "space": "Space"}[place.kind]
    at = f" at {place.ref}" if place.ref else ""
    with asking_the_hub(f"{kind} {place.repo}{at}", HINT) as hub:
        listed = hub.api.list_repo_tree(place.repo, recursive=True, revision=place.ref or None, repo_type=place.kind)
        entries = [_entry(item) for item in islice(listed, MOST)]
    notes = [f"The first {MOST:,} entries of the repository are known."] if len(entries) == MOST else []
    return [entry for entry in entries if entry is not None], hub.source(), notes


def _entry(item: Any) -> Entry | None:
    path = str(item.path)
    if not is_repo_path(path):
        return None
    size = getattr(item, "size", None)
    return Entry(path=path, folder=not hasattr(item, "size"), size=size if type(size) is int else None)


def read_bytes(place: Place, limit: int) -> Answer:
    """The beginning of a file.

    Raises:
        Refusal: it belongs to data that are withheld.
        NotFound: there is no such file.
        RemoteError: the Hub refuses or is down.
    """
    guard(place)
    prefix = {"model": "", "dataset": "datasets/", "space": "spaces/"}[place.kind]
    path = f"{prefix}{quote(place.repo)}/resolve/{quote(place.ref or 'main', safe='')}/{quote(place.path)}"
    return fetch(path, service=HUB, limit=limit, cut=True)
