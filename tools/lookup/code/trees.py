"""The files of a repository: on GitHub by one request for the whole tree, on the Hub through its own client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from trainwright.graph.errors import NotFound
from trainwright.tools.lookup.found import Source
from trainwright.tools.lookup.names import is_repo_path

from . import hub
from .github import api, known, limit_note, malformed, missing, quoted
from .names import near_paths
from .places import Place, check_path, place_of
from .records import Entry, FilesFound

__all__ = ["Listing", "no_such_path", "tree", "tree_of"]

MOST = 100_000
"""Entries of a tree that are looked at; GitHub itself cuts there."""

LIMIT = 64 * 2**20
"""Bytes of a tree: GitHub writes some 300 for each entry."""


@dataclass
class Listing:
    """The entries of a repository, or of one folder where it is too large for one answer."""

    entries: list[Entry]
    ref: str = ""
    sources: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def tree(repo: str, *, path: str = "", ref: str = "", limit: int = 50) -> FilesFound:
    """The files below a path: all of them where they are few, else the folder's own entries with how much is in each.

    Args:
        repo: owner/name, a repository of the Hub (`hf:owner/name`), or an address.
        path: of a folder.
        ref: branch, tag or commit.
        limit: entries, at most 200.

    Raises:
        RequestError: an argument is none.
        NotFound: there is no such repository, revision or folder; similar names are said.
        RemoteError: GitHub or the Hub refuses or is down.
    """
    place, listing = _listed(place_of(repo, path, ref))
    below = [entry for entry in listing.entries if not place.path or _is_below(entry.path, place.path)]
    if place.path and not below:
        raise no_such_path(place, [entry.path for entry in listing.entries])
    files = [entry for entry in below if not entry.folder]
    shown = files if len(files) <= limit else _folded(below, place.path)
    notes = [*listing.notes]
    if len(shown) > limit:
        notes.append(f"{len(shown) - limit:,} of {len(shown):,} entries are left out.")
    return FilesFound(
        repo=place.shown, path=place.path, ref=listing.ref, total=len(files), entries=shown[:limit],
        sources=listing.sources, notes=notes,
    )  # fmt: skip


def _listed(place: Place) -> tuple[Place, Listing]:
    """The listing, for the first reading of an address that names a revision."""
    *ways, last = place.readings()
    for way in ways:
        try:
            return way, tree_of(way)
        except NotFound:
            continue
    if not ways:
        return last, tree_of(last)
    try:
        return last, tree_of(last)
    except NotFound:
        return place, tree_of(place)  # the error that the likeliest reading has


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _folded(entries: list[Entry], folder: str) -> list[Entry]:
    """The entries right in a folder; each folder with the number of its files."""
    start = len(folder) + 1 if folder else 0
    counts: dict[str, int] = {}
    own: list[Entry] = []
    for entry in entries:
        name, slash, _ = entry.path[start:].partition("/")
        if slash and not entry.folder:
            counts[name] = counts.get(name, 0) + 1
        elif not slash and name and not entry.folder:
            own.append(entry)
        elif not slash and name:
            counts.setdefault(name, 0)
    folders = [
        Entry(path=f"{folder}/{n}" if folder else n, folder=True, files=c or None) for n, c in sorted(counts.items())
    ]
    return [*folders, *own]


def no_such_path(place: Place, paths: list[str]) -> NotFound:
    """The error for a path that is not there, with those that may have been meant."""
    near = near_paths(paths, place.path)
    at = f" at {place.ref}" if place.ref else ""
    hint = f"There is {', '.join(near)}." if near else "List what there is with `tree`."
    return NotFound(f"{place.shown} has no {place.path}{at}.", hint=hint)


def tree_of(place: Place) -> Listing:
    """All entries of a repository.

    Raises:
        NotFound: there is no such repository or revision.
        RemoteError: GitHub or the Hub refuses or is down.
    """
    if place.kind != "github":
        entries, source, notes = hub.entries_of(place)
        return Listing(entries, place.ref, [source], notes)
    try:
        value, answer = api(
            f"repos/{quoted(place.repo)}/git/trees/{quote(place.ref or 'HEAD', safe='')}", {"recursive": 1}, limit=LIMIT
        )
    except NotFound as error:
        if "is empty" in error.message:
            raise NotFound(f"{place.repo} on GitHub is empty.", hint="Choose another one.") from error
        raise _why_missing(place) from error
    listed = value.get("tree") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        raise malformed(f"the tree of {place.repo}")
    listing = Listing(_entries(listed), place.ref, [answer.source()], [*filter(None, [limit_note(answer)])])
    if value.get("truncated") is True:
        _complete(place, listing)
    return listing


def _why_missing(place: Place) -> NotFound:
    if not place.ref:
        return missing(place.repo)
    try:
        known(place.repo)
    except NotFound as error:
        return error
    return NotFound(
        f"{place.repo} on GitHub has no branch, tag or commit {place.ref}.", hint="Leave it out for the default."
    )


def _entries(listed: list[Any]) -> list[Entry]:
    """What can be addressed; a submodule, which is another repository, is left out."""
    found: list[Entry] = []
    for item in listed[:MOST]:
        path, kind = (item.get("path"), item.get("type")) if isinstance(item, dict) else (None, None)
        if isinstance(path, str) and kind in ("blob", "tree", "file", "dir") and is_repo_path(path):
            size = item.get("size")
            folder = kind in ("tree", "dir")
            found.append(Entry(path=path, folder=folder, size=size if type(size) is int and not folder else None))
    return found


def _complete(place: Place, listing: Listing) -> None:
    """GitHub cut the tree: the folder that is meant is asked for by itself, one level deep."""
    if not place.path:
        listing.notes.append(
            f"The repository is too large for one answer: {len(listing.entries):,} entries of it are known."
        )
        return
    wanted = {"ref": place.ref} if place.ref else {}
    try:
        value, answer = api(f"repos/{quoted(place.repo)}/contents/{quoted(check_path(place.path))}", wanted)
    except NotFound as error:
        raise no_such_path(place, [entry.path for entry in listing.entries]) from error
    if isinstance(value, list):
        listing.entries = _entries(value)
        listing.sources.append(answer.source())
        listing.notes.append(
            "The repository is too large for one answer: this is the folder alone, without what is deeper."
        )
