"""Addresses of pages: whether one says no more than where the page is, or may carry something out. Nothing is asked."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus, urlsplit

from trainwright.graph.redaction import redact

from .hosts import plain_host

__all__ = ["is_plain"]

LONGEST, LONGEST_QUERY = 300, 120
"""Characters of an address, and of its query."""

LONGEST_RUN, MOST_LABELS = 32, 6
"""Characters of one word in it, and parts of its host: data would be packed into longer or more of them."""

MIXED_RUN = 20
"""Characters from which a word with several digits is taken for packed data."""

_RUN = re.compile(r"[A-Za-z0-9+=]+")


def is_plain(url: str) -> bool:
    """Whether an address holds nothing but a readable path, and at most a short query.

    What stands behind `#` is not sent, and not looked at. A few words can carry something too: that cannot be told.
    """
    address = url.strip().partition("#")[0]
    try:
        parts = urlsplit(address)
        host, login = plain_host(parts.hostname or ""), parts.username is not None or parts.password is not None
    except ValueError:
        return False
    query = unquote_plus(parts.query)
    text = unquote_plus(unquote_plus(f"{parts.path}?{parts.query}"))
    if login or not host or len(address) > LONGEST or len(query) > LONGEST_QUERY or host.count(".") >= MOST_LABELS:
        return False
    if str(redact(address)) != address or str(redact(text)) != text:
        return False
    return not any(_is_packed(run) for run in _RUN.findall(f"{host}/{text}"))


def _is_packed(run: str) -> bool:
    """Whether a word looks like encoded data and like no name."""
    if len(run) > LONGEST_RUN:
        return True
    digits, capitals = sum(c.isdigit() for c in run), sum(c.isupper() for c in run)
    small = len(run) - digits - capitals
    return len(run) >= MIXED_RUN and (digits >= 5 or (digits >= 3 and min(capitals, small) >= 3))
