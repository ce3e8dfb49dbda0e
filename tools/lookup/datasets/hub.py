"""What the Hub itself says of a data set: licence, gate, files, card. All through the client of huggingface_hub.

A data set that is gated is described all the same: only its files are closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from trainwright.tools.http import fetch
from trainwright.tools.lookup.found import Source, cut
from trainwright.tools.lookup.hub import HUB, asking_the_hub, licence_of
from trainwright.tools.lookup.names import is_hub_id, is_repo_path

__all__ = ["Description", "card_text", "describe", "file_address", "short_tags"]

CARD = 600
SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Description:
    """A data set, as the Hub describes it.

    Attributes:
        id: as the Hub calls it now.
        sha: the commit of the revision that was asked for.
        gated: `auto`, `manual`, or empty.
        card: what the card states as data; from outside, so of any form.
        files: path and size in bytes (-1: unknown), in the Hub's order; paths that cannot be addressed are left out.
    """

    id: str
    sha: str
    source: Source
    licence: str = ""
    gated: str = ""
    private: bool = False
    downloads: int = 0
    likes: int = 0
    modified: str = ""
    tags: tuple[str, ...] = ()
    card: dict[str, Any] = field(default_factory=dict)
    files: tuple[tuple[str, int], ...] = ()

    @property
    def page(self) -> str:
        """The page of the data set for a person."""
        return f"{HUB.root}/datasets/{self.id}"


def describe(id: str, revision: str = "") -> Description:  # noqa: A002 - as all areas call it
    """What the Hub says of a data set.

    Raises:
        NotFound: there is no such data set or revision.
        RemoteError: the Hub cannot be asked, or refuses.
    """
    with asking_the_hub(f"data set {id}{f' at {revision}' if revision else ''}") as hub:
        info = hub.api.dataset_info(id, revision=revision or None, files_metadata=True)
        card = info.card_data.to_dict() if info.card_data else {}
        own = str(info.id)
        if not is_hub_id(own):
            raise ValueError("an id that is none")
        files = [(str(one.rfilename), one.size if type(one.size) is int else -1) for one in info.siblings or []]
        return Description(
            id=own,
            sha=info.sha if SHA.fullmatch(str(info.sha)) else "",
            source=hub.source(f"api/datasets/{own}"),
            licence=licence_of(card, info.tags),
            gated=str(info.gated) if info.gated else "",
            private=bool(info.private),
            downloads=int(info.downloads or 0),
            likes=int(info.likes or 0),
            modified=str(info.last_modified or "")[:10],
            tags=short_tags(info.tags),
            card=card,
            files=tuple((path, size) for path, size in files if is_repo_path(path)),
        )


def short_tags(tags: Any, most: int = 12) -> tuple[str, ...]:
    """The tags that say something of the content; the licence has a field of its own."""
    left = ("license:", "region:", "arxiv:", "doi:", "library:", "format:", "base_model:")
    return tuple(str(tag)[:60] for tag in tags or [] if not str(tag).startswith(left))[:most]


def file_address(id: str, revision: str, path: str) -> str:  # noqa: A002 - as all areas call it
    """Where a file of a data set lies."""
    return f"{HUB.root}/datasets/{quote(id)}/resolve/{quote(revision, safe='')}/{quote(path)}"


def card_text(found: Description) -> str:
    """The beginning of the card's text, without its header, pictures and comments; empty where there is none.

    Raises:
        RemoteError: it cannot be read.
    """
    if not any(path == "README.md" for path, _ in found.files):
        return ""
    answer = fetch(file_address(found.id, found.sha or "main", "README.md"), service=HUB, limit=2**19, cut=True)
    text = re.sub(r"\A﻿?---\s*\n.*?\n---\s*\n", "", answer.text, flags=re.S)
    text = re.sub(r"<!--.*?-->|!\[[^\]\n]*\]\([^)\n]*\)|<[^>\n]{1,300}>", "", text, flags=re.S)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return cut("\n".join(line for line in lines if line and not re.fullmatch(r"[-=|:* ]+", line)), CARD)
