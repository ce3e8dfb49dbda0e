"""Search on the web, by the engine that the section `[web]` of the configuration names."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from trainwright.graph.errors import RequestError
from trainwright.tools.lookup.values import line

from .domains import domains_of, is_within
from .records import Hit, HitsFound

__all__ = ["search"]

TITLE, ADDRESS, SNIPPET = 200, 2_000, 400
MOST = 20
"""Results that an engine is asked for at most."""


def search(
    query: str, *, limit: int = 8, allowed_domains: Sequence[str] = (), blocked_domains: Sequence[str] = ()
) -> HitsFound:
    """Pages for some words.

    Args:
        query: at least two characters.
        limit: results, at most 20.
        allowed_domains: hosts; a result must have one of them, or a host below one.
        blocked_domains: hosts; a result must have none of them.

    Raises:
        RequestError: the query is too short, or the domains are none.
        RemoteError: the engine refuses, is down, or asks for a proof that a person searches.
    """
    words = query.strip()
    if len(words) < 2:
        raise RequestError(f"The query {words!r} is too short to be searched.", hint="Give at least two characters.")
    allowed = domains_of(allowed_domains, "allowed_domains")
    blocked = domains_of(blocked_domains, "blocked_domains")

    from trainwright.graph.configuration import load_configuration

    from .engines import engine_of

    engine = engine_of(load_configuration().web)
    sites = " OR ".join(f"site:{domain}" for domain in allowed)
    wanted = f"{words} ({sites})" if len(allowed) > 1 else f"{words} {sites}".strip()
    rows = engine.results(wanted, MOST if allowed or blocked else min(limit, MOST))
    hits = _hits(rows)
    kept = [hit for hit in hits if not is_within(hit.url, blocked) and (not allowed or is_within(hit.url, allowed))]
    notes = [*engine.notes]
    if left := len(hits) - len(kept):
        notes.append(f"{left} of {len(hits)} results were left out for their domain.")
    return HitsFound(hits=kept[: min(limit, MOST)], sources=engine.sources, notes=notes)


def _hits(rows: list[dict[str, str]]) -> list[Hit]:
    """The results that lead to a page, each address once."""
    found: dict[str, Hit] = {}
    for row in rows:
        url = row["link"].strip()
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= ADDRESS
        except ValueError:
            usable = False
        if usable:
            title = line(_untagged(row.get("title")), TITLE) or url
            found.setdefault(
                url.rstrip("/"), Hit(title=title, url=url, snippet=line(_untagged(row.get("snippet")), SNIPPET))
            )
    return list(found.values())


def _untagged(value: object) -> str:
    """A text without the tags that engines put around words that fit."""
    if not isinstance(value, str):
        return ""
    for tag in ("<strong>", "</strong>", "<b>", "</b>", "<em>", "</em>"):
        value = value.replace(tag, "")
    return value
