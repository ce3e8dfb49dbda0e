"""What the Hub says of a model, and its small files. All on the one HTTP client; nothing is loaded and nothing is run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from trainwright.graph.errors import RemoteError, RequestError
from trainwright.tools.http import fetch
from trainwright.tools.lookup.found import Source
from trainwright.tools.lookup.hub import HUB, asking_the_hub
from trainwright.tools.lookup.names import is_git_ref, is_hub_id

__all__ = ["json_file", "model_info", "text_file"]

FILE_LIMIT = 16 * 2**20
"""Bytes of a file that is read; a tokenizer's settings with many added words have some megabytes."""


def model_info(id: str, revision: str = "") -> tuple[Any, Source]:  # noqa: A002 - as all areas call it
    """The Hub's record of a model with its files, and where it comes from.

    Raises:
        RequestError: that is no name of a model, or of a revision.
        NotFound: there is no such model or revision.
        RemoteError: the Hub cannot be asked, or refuses.
    """
    if not is_hub_id(id):
        raise RequestError(f"{id[:100]!r} is no name of a model.", hint="Write owner/name.")
    if revision and not is_git_ref(revision):
        raise RequestError(f"{revision[:100]!r} is no revision.", hint="Write a branch, a tag or a commit.")
    with asking_the_hub(f"model {id}{f' at {revision}' if revision else ''}") as hub:
        info = hub.api.model_info(id, revision=revision or None, files_metadata=True)
        if not is_hub_id(str(info.id)):
            raise ValueError("an id that is none")
    return info, hub.source(f"api/models/{info.id}")


def text_file(id: str, revision: str, name: str) -> str:  # noqa: A002 - as above
    """The text of a small file of a model.

    Raises:
        NotFound: it is not there.
        RemoteError: it is closed, too large, or cannot be had.
    """
    address = HUB.address(f"{quote(id)}/resolve/{quote(revision or 'main', safe='')}/{quote(name)}")
    return fetch(address, service=HUB, limit=FILE_LIMIT).text


def json_file(id: str, revision: str, name: str) -> Mapping[str, Any]:  # noqa: A002 - as above
    """The object in a JSON file of a model.

    Raises:
        NotFound: it is not there.
        RemoteError: it is closed, too large, no JSON, or no object.
    """
    import json

    try:
        value = json.loads(text_file(id, revision, name))
    except (ValueError, RecursionError) as error:
        raise RemoteError(f"{name} of {id} is no JSON.") from error
    if not isinstance(value, dict):
        raise RemoteError(f"{name} of {id} holds no object.")
    return value
