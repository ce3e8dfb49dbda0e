"""Names of things outside, checked before they become part of an address: whoever wrote them may have wished otherwise."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

__all__ = [
    "ArxivId", "GitHubRepo", "GitRef", "HubId", "RepoPath", "is_arxiv_id", "is_github_repo", "is_hub_id",
]  # fmt: skip

HUB_ID = r"^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,95}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,95}$"
ARXIV_ID = r"^(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d{1,3})?$"
GITHUB_REPO = r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}$"
GIT_REF = r"^[A-Za-z0-9](?:[A-Za-z0-9._/+-]{0,198}[A-Za-z0-9_+-])?$"
REPO_PATH = r"^[^\x00-\x1f\\]{1,400}$"

HubId = Annotated[str, StringConstraints(pattern=HUB_ID)]
"""A repository of the Hugging Face Hub: owner/name, or the name alone of an old one."""

ArxivId = Annotated[str, StringConstraints(pattern=ARXIV_ID)]
"""An arXiv id without "arXiv:", with its version or without."""

GitHubRepo = Annotated[str, StringConstraints(pattern=GITHUB_REPO)]
"""owner/name on GitHub."""

GitRef = Annotated[str, StringConstraints(pattern=GIT_REF)]
"""A branch, tag or commit."""

RepoPath = Annotated[str, StringConstraints(pattern=REPO_PATH)]
"""The path of a file in a repository; it is quoted before it becomes part of an address."""


def is_hub_id(text: str) -> bool:
    """Whether a text can be the name of a repository on the Hub; two dots in a row never are."""
    return bool(re.fullmatch(HUB_ID.strip("^$"), text)) and ".." not in text and "--" not in text


def is_arxiv_id(text: str) -> bool:
    """Whether a text is an arXiv id."""
    return bool(re.fullmatch(ARXIV_ID.strip("^$"), text))


def is_github_repo(text: str) -> bool:
    """Whether a text is owner/name on GitHub; a name of dots alone would lead out of the owner's folder."""
    return bool(re.fullmatch(GITHUB_REPO.strip("^$"), text)) and not set(text.partition("/")[2]) <= {"."}
