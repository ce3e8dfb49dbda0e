"""Search on GitHub: code, and repositories.

GitHub searches code only for those who send a token. Without one, names of files and repositories are searched, and the
answer says so.
"""

from __future__ import annotations

import re
from typing import Any

from trainwright.graph.errors import NotFound, RequestError
from trainwright.tools.http import Answer
from trainwright.tools.lookup.found import cut

from .arguments import Sort
from .github import api, has_token, limit_note, malformed, quoted, repo_of
from .names import rank_paths
from .places import place_of
from .records import Hit, HitsFound, Repo, ReposFound
from .trees import tree_of

__all__ = ["repos", "search"]

FRAGMENT, FRAGMENTS = 600, 3
OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
LANGUAGE = re.compile(r"[\w+#. '()*/-]{1,40}")
MATCHES = "application/vnd.github.text-match+json"
UNSEARCHED = "GitHub searches code only with a token (GITHUB_TOKEN), and there is none"


def search(query: str, *, language: str = "", repo: str = "", owner: str = "", limit: int = 10) -> HitsFound:
    """Files that hold some words.

    Args:
        query: words, or a phrase in quotation marks.
        language: such as Python.
        repo: owner/name, to search in it alone.
        owner: a person or organisation, to search in theirs alone.
        limit: files, at most 50.

    Raises:
        RequestError: an argument is none.
        RemoteError: GitHub refuses, is down, or its limit is reached.
    """
    where = place_of(repo) if repo else None
    if where and where.kind != "github":
        raise RequestError(f"Code of {where.shown} cannot be searched.", hint="List its files with `tree`.")
    filters = [f"repo:{where.repo}"] if where else []
    filters += _filters(owner if not where else "", language)
    if not has_token():
        return _by_name(query, where.repo if where else "", filters, limit)
    wanted = {"q": " ".join([query, *filters]), "per_page": min(limit, 50)}
    value, answer = api("search/code", wanted, MATCHES)
    items = _items(value, "code search")
    found = HitsFound(total=_total(value), sources=[answer.source()], notes=_notes(value, answer))
    found.hits = [hit for item in items[:limit] if (hit := _hit(item)) is not None]
    return found


def _hit(item: Any) -> Hit | None:
    repo = repo_of(item.get("repository")) if isinstance(item, dict) else None
    if repo is None or not isinstance(item.get("path"), str):
        return None
    matches = item.get("text_matches")
    fragments = [
        cut(match["fragment"].strip("\n"), FRAGMENT)
        for match in (matches if isinstance(matches, list) else [])
        if isinstance(match, dict) and isinstance(match.get("fragment"), str) and match.get("property") == "content"
    ]
    url = item.get("html_url")
    return Hit(
        repo=repo.name, path=cut(item["path"], 300), url=url[:500] if isinstance(url, str) else "",
        fragments=fragments[:FRAGMENTS],
    )  # fmt: skip


def _by_name(query: str, repo: str, filters: list[str], limit: int) -> HitsFound:
    """What can be said without a token."""
    found = HitsFound()
    if repo:
        listing = tree_of(place_of(repo))
        files = [entry.path for entry in listing.entries if not entry.folder]
        paths = rank_paths(files, query)
        found.hits = [Hit(repo=repo, path=path) for path in paths[:limit]]
        found.sources, found.total = listing.sources, len(paths)
        found.notes = [f"{UNSEARCHED}: these are files of {repo} whose names fit.", *listing.notes]
        if filters[1:]:
            found.notes.append("The language was not looked at.")
        return found
    plain = " ".join(re.findall(r"[\w.+#-]+", query))
    value, answer = api("search/repositories", {"q": " ".join([plain, *filters]), "per_page": min(limit, 50)})
    found.repos = _repos(value, limit)
    found.sources, found.total = [answer.source()], _total(value)
    found.notes = [f"{UNSEARCHED}: these are repositories for the words.", *_notes(value, answer)]
    return found


def repos(query: str = "", *, owner: str = "", language: str = "", sort: Sort = "", limit: int = 10) -> ReposFound:
    """Repositories for some words, or those of an owner; GitHub sorts all of them before it cuts the list.

    Args:
        query: words.
        owner: a person or organisation.
        language: such as Python.
        sort: by stars, forks, last push, or creation, highest or latest first; by fit, when empty. By creation only for
            an owner alone: GitHub's search does not sort so.
        limit: at most 50.

    Raises:
        RequestError: neither words nor an owner, or an argument is none.
        NotFound: there is no such owner.
        RemoteError: GitHub refuses, is down, or its limit is reached.
    """
    filters = _filters(owner, language)
    if not query.strip() and not owner:
        raise RequestError("Neither words nor an owner were given to find repositories by.")
    if sort == "created":
        return _by_creation(query, owner, language, limit)
    sorting = {"sort": sort or "stars", "order": "desc"} if sort or not query.strip() else {}
    wanted = {"q": " ".join([query.strip(), *filters]).strip(), "per_page": min(limit, 50), **sorting}
    value, answer = api("search/repositories", wanted)
    found = ReposFound(total=_total(value), repos=_repos(value, limit), sources=[answer.source()])
    found.notes = _notes(value, answer)
    return found


def _by_creation(query: str, owner: str, language: str, limit: int) -> ReposFound:
    if not owner or query.strip() or language:
        raise RequestError("GitHub sorts by creation only all repositories of an owner.", hint="Give `owner` alone.")
    wanted = {"sort": "created", "direction": "desc", "per_page": min(limit, 50), "type": "owner"}
    try:
        value, answer = api(f"users/{quoted(owner)}/repos", wanted)
    except NotFound as error:
        raise NotFound(f"GitHub has no person or organisation {owner}.", hint="Check the name.") from error
    if not isinstance(value, list):
        raise malformed(f"the repositories of {owner}")
    listed = [one for item in value[:limit] if (one := repo_of(item))]
    return ReposFound(
        total=len(listed) if len(value) < limit else 0,
        repos=listed,
        sources=[answer.source()],
        notes=[*filter(None, [limit_note(answer)])],
    )


def _filters(owner: str, language: str) -> list[str]:
    if owner and not OWNER.fullmatch(owner):
        raise RequestError(f"{owner[:100]!r} is no owner on GitHub.", hint="Give the name of a person or organisation.")
    if language and not LANGUAGE.fullmatch(language):
        raise RequestError(f"{language[:100]!r} is no programming language.")
    quote = '"' if " " in language else ""
    return [*([f"user:{owner}"] if owner else []), *([f"language:{quote}{language}{quote}"] if language else [])]


def _items(value: Any, what: str) -> list[Any]:
    items = value.get("items") if isinstance(value, dict) else None
    if not isinstance(items, list):
        raise malformed(what)
    return items


def _repos(value: Any, limit: int) -> list[Repo]:
    return [one for item in _items(value, "repository search")[:limit] if (one := repo_of(item))]


def _total(value: Any) -> int:
    total = value.get("total_count") if isinstance(value, dict) else None
    return total if type(total) is int else 0


def _notes(value: Any, answer: Answer) -> list[str]:
    half = "GitHub gave up the search before it had seen everything." if value.get("incomplete_results") is True else ""
    return [note for note in (half, limit_note(answer)) if note]
