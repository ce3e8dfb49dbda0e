"""Papers of arXiv, by id or URL, through its public API (https://info.arxiv.org/help/api/user-manual.html)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trainwright.graph.errors import PaperError, RemoteError, RemoteUnavailable

from .download import download

__all__ = ["ArxivEntry", "arxiv_id_of", "fetch_arxiv"]

BASE = "https://export.arxiv.org"
"""arXiv's host for programs; `TRAINWRIGHT_ARXIV_URL` names another one, such as a mirror."""

PAUSE_SECONDS = 3.0
"""arXiv asks programs to wait this long between two requests."""

RETRIES = 2
TIMEOUT_SECONDS = 20.0
_ID = re.compile(r"(?:arxiv:\s*)?(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(v\d+)?", re.IGNORECASE)
_PATH = re.compile(r"/(?:abs|pdf|html|format|src|e-print|ps)/(?P<id>.+?)(?:\.pdf)?/?", re.IGNORECASE)
_HOSTS = ("arxiv.org", "www.arxiv.org", "export.arxiv.org", "browse.arxiv.org", "ar5iv.org", "ar5iv.labs.arxiv.org")


@dataclass(frozen=True)
class ArxivEntry:
    """What arXiv says of a paper; the id with its version."""

    arxiv_id: str
    title: str


def arxiv_id_of(spec: str) -> str:
    """The arXiv id that an id or URL names, with its version if it has one; empty if it names none."""
    spec = spec.strip()
    if match := _ID.fullmatch(spec):
        return match[1] + (match[2] or "")
    parts = urlsplit(spec)
    if parts.scheme in ("http", "https") and (parts.hostname or "").lower() in _HOSTS:
        path = _PATH.fullmatch(parts.path)
        if path and (match := _ID.fullmatch(path["id"])):
            return match[1] + (match[2] or "")
    return ""


def fetch_arxiv(arxiv_id: str, target: Path) -> ArxivEntry:
    """Download the PDF of a paper into `target`.

    Raises:
        PaperError: arXiv has no such paper, or no PDF of it.
        RemoteUnavailable: arXiv cannot be reached or is busy.
        RemoteError: arXiv refuses.
    """
    base = os.environ.get("TRAINWRIGHT_ARXIV_URL", BASE).rstrip("/")
    entry = _look_up(arxiv_id, base)
    download(f"{base}/pdf/{entry.arxiv_id}", target)
    return entry


def _look_up(arxiv_id: str, base: str) -> ArxivEntry:
    import arxiv
    import requests

    client = arxiv.Client(page_size=1, delay_seconds=PAUSE_SECONDS, num_retries=RETRIES)
    client.query_url_format = base + "/api/query?{}"
    _limit_time(client)
    try:
        result = next(client.results(arxiv.Search(id_list=[arxiv_id], max_results=1)), None)
    except arxiv.HTTPError as error:
        raise _refusal(arxiv_id, error.status) from error
    except (requests.RequestException, arxiv.ArxivError, OSError) as error:
        raise RemoteUnavailable(
            f"arXiv cannot be reached for {arxiv_id}: {type(error).__name__}.",
            hint="Check the network, or download the paper and give the PDF.",
        ) from error
    if result is None or not result.title or result.title == "Error":
        raise PaperError(f"arXiv has no paper {arxiv_id}.", hint="Check the id, such as 1408.5882.")
    return ArxivEntry(str(result.get_short_id()), " ".join(str(result.title).split()))


def _limit_time(client: Any) -> None:
    """The package's client waits for an answer without end; its session gets a time-out here."""
    from requests.adapters import HTTPAdapter

    class Timed(HTTPAdapter):
        def send(self, request: Any, *args: Any, **options: Any) -> Any:
            options["timeout"] = TIMEOUT_SECONDS
            return super().send(request, *args, **options)

    for scheme in ("https://", "http://"):
        client._session.mount(scheme, Timed())


def _refusal(arxiv_id: str, status: int) -> PaperError | RemoteError:
    if status in (400, 404):
        return PaperError(f"arXiv has no paper {arxiv_id} (HTTP {status}).", hint="Check the id, such as 1408.5882.")
    if status in (429, 500, 502, 503, 504):
        return RemoteUnavailable(f"arXiv is down or busy (HTTP {status}).", hint="Try again in a few minutes.")
    return RemoteError(f"arXiv refuses the request for {arxiv_id} (HTTP {status}).", hint="Give the PDF itself.")
