"""Domains that a search is kept to, or kept from: a host and all below it, whatever the case of the letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from trainwright.graph.errors import RequestError

__all__ = ["domains_of", "is_within"]

_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def domains_of(given: Sequence[str], name: str) -> list[str]:
    """The hosts that are named, each once: `https://DOCS.rs/` and `*.docs.rs` are docs.rs.

    Raises:
        RequestError: they are no list, or one is no domain.
    """
    if isinstance(given, str):
        raise RequestError(f"{name} is no list of domains: {given[:100]!r}.", hint=f'Write ["{given[:100]}"].')
    found: list[str] = []
    for text in given:
        host = _host(text) if isinstance(text, str) else ""
        if not _HOST.fullmatch(host):
            raise RequestError(f"{name}: {str(text)[:100]!r} is no domain.", hint="Write it as example.org.")
        if host not in found:
            found.append(host)
    return found


def _host(text: str) -> str:
    clean = text.strip().lower()
    try:
        host = urlsplit(clean if "://" in clean else f"//{clean}").hostname or ""
        return host.removeprefix("*.").rstrip(".").encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        return ""


def is_within(address: str, domains: Sequence[str]) -> bool:
    """Whether an address has one of the hosts, or one below it."""
    host = _host(address)
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
