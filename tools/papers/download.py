"""A paper's file from an address that a person gave, with limits on its size and its time.

The host may be a private one, since a person named it; where it redirects to must be public, or the same host.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from trainwright.graph.errors import NotCached, NotFound, PaperError, RemoteError, RemoteUnavailable, TooLarge
from trainwright.tools.http import Service, fetch

__all__ = ["DOWNLOAD_SECONDS", "SIZE_LIMIT", "download"]

SIZE_LIMIT = 64 * 2**20
"""Bytes of a paper's file."""

DOWNLOAD_SECONDS = 120.0
"""Seconds that a download may take as a whole."""

BY_HAND = "Open it in a browser, save the PDF, and give the file."


def download(address: str, target: Path, *, service: Service | None = None, age: float = 0.0) -> str:
    """Fetch `address` into `target`; returns the media type that the server states, in lower case.

    Args:
        service: who is asked; the address's own host when None.
        age: seconds for which a copy on the disk is used unasked. Without, the server is asked whether it has changed.

    Raises:
        PaperError: there is nothing at this address, or it is too large.
        RemoteUnavailable: the server is down, busy or too slow: trying later may help.
        NotCached: the program is offline, and there is no copy.
        RemoteError: the server refuses.
    """
    host = service or _host_of(address)
    try:
        answer = fetch(address, service=host, to=target, limit=SIZE_LIMIT, seconds=DOWNLOAD_SECONDS, age=age)
    except NotFound as error:
        raise PaperError(error.message, hint="Check the address.") from error
    except TooLarge as error:
        raise PaperError(error.message, hint="A paper has less: give the PDF of the paper.") from error
    except (RemoteUnavailable, NotCached):
        raise
    except RemoteError as error:
        raise RemoteError(error.message, hint=BY_HAND) from error
    return answer.media


def _host_of(address: str) -> Service:
    try:
        parts = urlsplit(address)
        place = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError as error:
        raise PaperError(f"{address[:300]} is no address: {error}.", hint="Give an http(s) URL.") from error
    if not place:
        raise PaperError(f"{address[:300]} is no address that can be fetched.", hint="Give an http(s) URL.")
    host = f"[{parts.hostname}]{place[len(parts.hostname or '') :]}" if ":" in (parts.hostname or "") else place
    return Service(host, f"{parts.scheme.lower()}://{host}")
