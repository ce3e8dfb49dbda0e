"""Names of things outside, checked before they become part of an address: whoever wrote them may have wished otherwise."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

__all__ = ["HUB_ID", "Revision", "is_arxiv_id", "is_git_ref", "is_github_repo", "is_hub_id", "is_repo_path"]

HUB_ID = r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,95}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
"""A repository of the Hugging Face Hub: owner/name, or the name alone of an old one. See `is_hub_id`."""

_ARXIV_ID = re.compile(r"(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d{1,3})?")
_GITHUB_REPO = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_GIT_REF = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/+-]{0,198}[A-Za-z0-9_+-])?")
_REPO_PATH = re.compile(r"[^\x00-\x1f\\]{1,400}")


def is_hub_id(text: str) -> bool:
    """Whether a text can be the name of a repository on the Hub; two dots in a row never are."""
    return bool(re.fullmatch(HUB_ID, text)) and ".." not in text and "--" not in text


def is_arxiv_id(text: str) -> bool:
    """Whether a text is an arXiv id, without "arXiv:", with its version or without."""
    return bool(_ARXIV_ID.fullmatch(text))


def is_github_repo(text: str) -> bool:
    """Whether a text is owner/name on GitHub; a name of dots alone would lead out of the owner's folder."""
    return bool(_GITHUB_REPO.fullmatch(text)) and not set(text.partition("/")[2]) <= {"."}


def is_git_ref(text: str) -> bool:
    """Whether a text can be a branch, tag or commit."""
    return bool(_GIT_REF.fullmatch(text)) and ".." not in text and "//" not in text


def is_repo_path(text: str) -> bool:
    """Whether a text can be the path of a file in a repository, from its root; nothing in it leads elsewhere.

    It is quoted before it becomes part of an address.
    """
    return bool(_REPO_PATH.fullmatch(text)) and not {"", ".", ".."} & set(text.split("/"))


def _revision(text: str) -> str:
    if text and not is_git_ref(text):
        raise ValueError("write a branch, a tag or a commit")
    return text


Revision = Annotated[str, AfterValidator(_revision)]
"""An argument that names a branch, tag or commit; empty for the default."""
