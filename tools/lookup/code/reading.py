"""One file of a repository, by lines; a notebook as Markdown, of a binary file the size.

A file on GitHub is asked for without a token at the host of its files, which costs nothing of the API's limit; what is
not public there is asked for through the API, with the token.
"""

from __future__ import annotations

from typing import Any

from trainwright.graph.errors import NotFound, RequestError
from trainwright.tools.http import Answer, fetch

from . import hub
from .github import GITHUB, RAW, has_token, quoted
from .notebooks import as_markdown
from .places import Place, place_of
from .records import FileFound, size_text
from .trees import no_such_path, tree_of

__all__ = ["read"]

SIZE = 8 * 2**20
"""Bytes of a file that are loaded."""

LINES, LINE, TEXT = 300, 4_000, 40_000
"""Lines that are shown when nobody says how many; characters of one line; characters in all."""

LFS = b"version https://git-lfs.github.com/spec/"


def read(repo: str, path: str = "", *, ref: str = "", first_line: int = 0, lines: int = 0) -> FileFound:
    """A file, or some of its lines.

    Args:
        repo: owner/name, a repository of the Hub (`hf:owner/name`), or the address of the file, whose lines count
            (`#L10-L20`).
        path: of the file, where the address does not name it.
        ref: branch, tag or commit.
        first_line: from 1.
        lines: how many; 300 when 0.

    Raises:
        RequestError: an argument is none, or the file has not so many lines.
        NotFound: there is no such repository, revision or file; similar names are said.
        Refusal: it belongs to data that the run is scored on.
        RemoteError: GitHub or the Hub refuses or is down.
    """
    place = place_of(repo, path, ref)
    if not place.path:
        raise RequestError(
            f"{place.shown} was named without a file.", hint="Give the path of a file; `tree` lists them."
        )
    place, answer = _loaded(place)
    found = FileFound(repo=place.shown, path=place.path, ref=place.ref, sources=[answer.source()])
    text = _text(answer, found)
    if text is not None:
        first = first_line or place.first or 1
        count = lines or (place.last - place.first + 1 if place.last and not first_line else LINES)
        _cut(text, first, min(count, 1_000), found)
    return found


def _loaded(place: Place) -> tuple[Place, Answer]:
    for way in place.readings():
        try:
            return way, _bytes(way)
        except NotFound:
            continue
    listing = tree_of(place)  # says so itself where the repository or the revision is not there
    entry = next((one for one in listing.entries if one.path == place.path), None)
    if entry is not None and entry.folder:
        below = [one.path for one in listing.entries if one.path.startswith(f"{place.path}/")]
        raise NotFound(f"{place.path} in {place.shown} is a folder.", hint=f"It holds {', '.join(below[:8])}.")
    raise no_such_path(place, [one.path for one in listing.entries if not one.folder])


def _bytes(place: Place) -> Answer:
    if place.kind != "github":
        return hub.read_bytes(place, SIZE)
    try:
        return fetch(
            f"{quoted(place.repo)}/{quoted(place.ref or 'HEAD')}/{quoted(place.path)}",
            service=RAW,
            limit=SIZE,
            cut=True,
        )
    except NotFound:
        if not has_token():
            raise
    headers = {"accept": "application/vnd.github.raw+json", "x-github-api-version": "2022-11-28"}
    params = {"ref": place.ref or None}
    answer = fetch(
        f"repos/{quoted(place.repo)}/contents/{quoted(place.path)}",
        service=GITHUB, params=params, headers=headers, limit=SIZE, cut=True,
    )  # fmt: skip
    if answer.media == "application/json" and _is_listing(answer):
        raise NotFound(f"{place.path} is a folder.")
    return answer


def _is_listing(answer: Answer) -> bool:
    """Whether it lists a folder: a file that is JSON comes under the raw type."""
    value: Any = answer.json() if answer.body.lstrip().startswith(b"[") else None
    return isinstance(value, list) and all(isinstance(one, dict) and "path" in one and "type" in one for one in value)


def _text(answer: Answer, found: FileFound) -> str | None:
    """The text of a file; None for a binary one."""
    stated = answer.headers.get("content-length", "")
    packed = answer.headers.get("content-encoding", "")
    found.size = None if answer.truncated else len(answer.body)
    if answer.truncated and stated.isdecimal() and packed in ("", "identity"):
        found.size = int(stated[:15])
    if b"\0" in answer.body[:8_000] and not answer.body.startswith((b"\xff\xfe", b"\xfe\xff")):
        found.kind = "binary"
        found.notes.append(f"The file is no text{f': {size_text(found.size)}' if found.size else ''}; it is not shown.")
        return None
    if answer.body.startswith(LFS) and len(answer.body) < 1_000:
        found.notes.append("The file itself lies in Git LFS: this is the pointer to it.")
    if answer.truncated:
        found.notes.append(f"Only the first {size_text(SIZE)} were loaded: lines are counted in them.")
    if found.path.lower().endswith(".ipynb"):
        notebook = None if answer.truncated else as_markdown(answer.body)
        if notebook is not None:
            found.kind = "notebook"
            return notebook
        found.notes.append("It cannot be read as a notebook, and is shown as it is.")
    return answer.text


def lines_of(text: str) -> list[str]:
    """The lines as GitHub and editors count them; `splitlines` also ends one at a form feed, and at some more signs."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def _cut(text: str, first: int, count: int, found: FileFound) -> None:
    every = lines_of(text)
    found.total_lines = len(every)
    if first > max(len(every), 1):
        raise RequestError(f"{found.path} has {len(every):,} lines, and none with the number {first:,}.")
    chosen: list[str] = []
    used = long = 0
    for line in every[first - 1 : first - 1 + count]:
        short = line if len(line) <= LINE else f"{line[:LINE]} … ({len(line) - LINE:,} characters more)"
        if chosen and used + len(short) > TEXT:
            break
        long += short != line
        used += len(short) + 1
        chosen.append(short)
    found.text = "\n".join(chosen)
    found.first_line, found.last_line = (first, first + len(chosen) - 1) if chosen else (0, 0)
    if long:
        found.notes.append(f"{long} line{'s are' if long > 1 else ' is'} longer than {LINE:,} characters and cut.")
    if found.last_line < len(every):
        found.notes.append(f"Lines {found.last_line + 1:,} to {len(every):,} follow: ask with first_line.")
