"""Whether a site wants its pages left alone by programs: its robots.txt (RFC 9309), kept for a day.

Read by the standard library: a rule counts for the beginning of a path, and `*` and `$` in one are letters. Where the file
cannot be had, nothing is forbidden by it. Directives that are not in the RFC, such as `noai`, are not looked at.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from trainwright.graph.errors import RemoteError
from trainwright.tools.http import fetch

__all__ = ["AGENT", "forbids"]

AGENT = "trainwright"
"""As robots.txt may call this program."""

SIZE = 512 * 1024
"""Bytes that are read; the RFC asks for 500 KiB at least."""


def forbids(address: str) -> bool:
    """Whether the site forbids this address to this program."""
    parts = urlsplit(address)
    if parts.path == "/robots.txt":
        return False
    try:
        answer = fetch(f"{parts.scheme}://{parts.netloc}/robots.txt", limit=SIZE, cut=True, tries=1, seconds=10.0)
    except RemoteError:
        return False
    rules = RobotFileParser()
    rules.parse(answer.text.splitlines())
    return not rules.can_fetch(AGENT, address)
