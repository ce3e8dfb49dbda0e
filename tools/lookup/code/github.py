"""GitHub: where it is, the token, how it is asked, and what its refusals mean.

Public repositories are read without a token, 60 requests an hour; with `GITHUB_TOKEN` or `GH_TOKEN` it is 5,000. The token
goes to the API alone. Answers are kept with their ETag, and asking whether they still hold costs nothing of the limit.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from trainwright.graph.errors import NotFound, RemoteError, RemoteUnavailable
from trainwright.tools.http import Answer, Service, fetch_json
from trainwright.tools.lookup.found import cut

from .records import Repo

__all__ = ["GITHUB", "RAW", "api", "has_token", "known", "limit_note", "missing", "quoted", "repo_of", "similar"]

VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")
HOUR = 3600.0
JSON = "application/vnd.github+json"
LIMIT = 8 * 2**20
"""Bytes of an answer, where the caller says nothing else."""

FEW = 5
"""So few requests are left that it is said."""


def github_token() -> str:
    """The person's token of GitHub; empty where there is none."""
    return next((value for name in VARIABLES if (value := os.environ.get(name, "").strip())), "")


def has_token() -> bool:
    """Whether there is one."""
    return bool(github_token())


GITHUB = Service("GitHub", "https://api.github.com", variable="TRAINWRIGHT_GITHUB_URL", age=HOUR, token=github_token)
RAW = Service("GitHub", "https://raw.githubusercontent.com", variable="TRAINWRIGHT_GITHUB_RAW_URL", age=HOUR)


def quoted(text: str) -> str:
    """A path for an address; its slashes stay."""
    return quote(text, safe="/")


def api(
    path: str, params: Mapping[str, Any] | None = None, accept: str = JSON, limit: int = LIMIT
) -> tuple[Any, Answer]:
    """What the API says.

    Raises:
        NotFound: there is no such thing, or it is private.
        TooLarge: the answer has more than `limit` bytes.
        RemoteUnavailable: it is down, or the limit of requests is reached: until when is said.
        RemoteError: it refuses the token or the query.
    """
    headers = {"accept": accept, "x-github-api-version": "2022-11-28"}
    try:
        value, answer = fetch_json(
            path, service=GITHUB, params=params, headers=headers, limit=limit, also=(401, 409, 422)
        )
    except RemoteUnavailable as error:
        if has_token() or "may be asked again" not in str(error):
            raise
        hint = f"{error.hint} With a token in GITHUB_TOKEN it answers 5,000 requests an hour, without one 60."
        raise RemoteUnavailable(error.message, hint=hint) from error
    if answer.status == 401:
        name = next((name for name in VARIABLES if os.environ.get(name, "").strip()), "")
        raise RemoteError(
            f"GitHub does not accept the token of {name}." if name else "GitHub asks for a token.",
            hint="Correct it, or take it out: what is public can be read without." if name else "Set GITHUB_TOKEN.",
        )
    if answer.status == 409:
        raise NotFound("The repository on GitHub is empty.", hint="Choose another one.")
    if answer.status == 422:
        reason = _reason(value)
        kind = NotFound if "do not exist" in reason else RemoteError
        raise kind(f"GitHub does not accept the query. It says: {reason!r}.", hint="Check names, or write it simpler.")
    return value, answer


def _reason(value: Any) -> str:
    """Why GitHub refuses a query: its own words, with those of the first error, which are the ones that help."""
    errors = value.get("errors") if isinstance(value, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    words = [_text(one, "message") for one in (value, first) if isinstance(one, dict)]
    return cut(": ".join(filter(None, words)), 300)


def malformed(what: str) -> RemoteError:
    """The error for an answer of another form."""
    return RemoteError(f"GitHub sent a malformed answer for {what}.", hint="Try again later.")


def limit_note(answer: Answer) -> str:
    """That few requests are left, and until when; empty where that is not so."""
    left, reset = answer.headers.get("x-ratelimit-remaining", ""), answer.headers.get("x-ratelimit-reset", "")
    if answer.cached or not left.isdecimal() or not reset.isdecimal() or int(left) > FEW:
        return ""
    when = time.strftime("%H:%M:%S", time.localtime(int(reset[:12])))
    return f"GitHub answers {left} more requests of this kind until {when}."


def repo_of(value: Any) -> Repo | None:
    """A repository as the API describes it; None where that is no description."""
    if not isinstance(value, dict) or not isinstance(value.get("full_name"), str):
        return None
    licence = value.get("license")
    return Repo(
        name=cut(value["full_name"], 140),
        description=cut(_text(value, "description"), 200),
        stars=_count(value, "stargazers_count"),
        forks=_count(value, "forks_count"),
        language=_text(value, "language")[:40],
        licence=_text(licence, "spdx_id")[:40] if isinstance(licence, dict) else "",
        created=_text(value, "created_at")[:10],
        updated=_text(value, "pushed_at")[:10],
        archived=value.get("archived") is True,
        fork=value.get("fork") is True,
    )


def _text(value: Mapping[str, Any], name: str) -> str:
    given = value.get(name)
    return " ".join(given.split()) if isinstance(given, str) else ""


def _count(value: Mapping[str, Any], name: str) -> int:
    given = value.get(name)
    return given if type(given) is int else 0


def known(repo: str) -> Repo:
    """The repository itself.

    Raises:
        NotFound: there is none of that name, or it is private; names like it are said.
        RemoteError: as `api`.
    """
    try:
        value, _ = api(f"repos/{quoted(repo)}")
    except NotFound as error:
        raise missing(repo) from error
    found = repo_of(value)
    if found is None:
        raise malformed(repo)
    return found


def missing(repo: str) -> NotFound:
    """The error for a repository that is not there, with those that have a like name."""
    near = similar(repo)
    hint = f"Similar names: {', '.join(near)}." if near else "Check owner and name."
    private = "" if has_token() else ", or it is private and needs a token"
    return NotFound(f"GitHub has no repository {repo}{private}.", hint=hint)


def similar(repo: str, most: int = 5) -> list[str]:
    """Names of repositories like this one: of the same owner first, then anybody's; none where GitHub does not say."""
    owner, _, name = repo.partition("/")
    words = " ".join(part for part in name.replace("_", "-").replace(".", "-").split("-") if part) or name
    found: list[str] = []
    for query in (f"{words} in:name user:{owner}", f"{words} in:name"):
        try:
            value, _ = api("search/repositories", {"q": query, "per_page": most})
        except RemoteError:  # an owner who does not exist is an error to GitHub; the names are only a help
            continue
        items = value.get("items") if isinstance(value, dict) else None
        repos = [repo_of(item) for item in items] if isinstance(items, list) else []
        found += [one.name for one in repos if one and one.name not in found]
    return found[:most]
