"""Papers of arXiv, by id or URL, through its public API (https://info.arxiv.org/help/api/user-manual.html)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trainwright.graph.errors import PaperError, RemoteError, RemoteUnavailable
from trainwright.tools.http import Service

from .download import download

if TYPE_CHECKING:
    from trainwright.tools.http import Adapter

__all__ = ["ARXIV", "ArxivEntry", "arxiv_client", "arxiv_id_of", "check_same", "fetch_arxiv"]

ARXIV = Service("arXiv", "https://export.arxiv.org", variable="TRAINWRIGHT_ARXIV_URL", pause=3.0)
"""arXiv's host for programs, which it asks to wait three seconds between two requests."""

PDF_AGE = 30 * 86_400.0
"""Seconds for which a PDF on the disk is used unasked: a version of a paper never changes."""

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
    entry = _look_up(arxiv_id)
    download(ARXIV.address(f"pdf/{entry.arxiv_id}"), target, service=ARXIV, age=PDF_AGE)
    return entry


def _look_up(arxiv_id: str) -> ArxivEntry:
    import arxiv
    import requests

    client, _ = arxiv_client(1)
    try:
        result = next(client.results(arxiv.Search(id_list=[arxiv_id], max_results=1)), None)
    except arxiv.HTTPError as error:
        raise _refusal(arxiv_id, error.status) from error
    except (requests.RequestException, arxiv.ArxivError, OSError) as error:
        raise RemoteUnavailable(
            f"arXiv did not answer as it should for {arxiv_id}: {type(error).__name__}.",
            hint="Try again later, or download the paper and give the PDF.",
        ) from error
    if result is None or not result.title or result.title == "Error":
        raise PaperError(f"arXiv has no paper {arxiv_id}.", hint="Check the id, such as 1408.5882.")
    check_same(result, arxiv_id)
    return ArxivEntry(str(result.get_short_id()), " ".join(str(result.title).split()))


def check_same(result: Any, arxiv_id: str) -> None:
    """Whether an entry is of the paper that was asked for.

    Raises:
        RemoteError: it is of another one.
    """
    bare = (re.sub(r"v\d+$|\.[a-z]{2}(?=/)", "", one.lower()) for one in (str(result.get_short_id()), arxiv_id))
    if len({*bare}) > 1:
        raise RemoteError(f"arXiv answered about another paper than {arxiv_id}.", hint="Try again later.")


def arxiv_client(page: int) -> tuple[Any, Adapter]:
    """The package's client on our transport, which holds pauses, tries and time-outs; and the adapter, which knows what came.

    Args:
        page: entries that are asked for at once.
    """
    import arxiv

    from trainwright.tools.http import Adapter

    client, adapter = arxiv.Client(page_size=page, delay_seconds=0, num_retries=0), Adapter(ARXIV)
    client.query_url_format = ARXIV.address("api/query?{}")
    client._session.hooks["response"].append(_whole_feed)
    for scheme in ("https://", "http://"):
        client._session.mount(scheme, adapter)
    return client, adapter


def _whole_feed(response: Any, *_: Any, **__: Any) -> None:
    """Refuse half a feed, in which the package would find nothing at all."""
    from lxml import etree

    if response.status_code != 200:
        return
    try:
        root = etree.fromstring(response.content, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        root = None
    if root is None or not str(root.tag).endswith("}feed"):
        from trainwright.tools.http import cache_of
        from trainwright.tools.http.service import without_secrets

        cache_of().forget_address(without_secrets(response.url)[:2000])
        raise RemoteError("arXiv sent a malformed answer: it is no whole feed.", hint="Try again later.")


def _refusal(arxiv_id: str, status: int) -> PaperError | RemoteError:
    if status in (400, 404):
        return PaperError(f"arXiv has no paper {arxiv_id} (HTTP {status}).", hint="Check the id, such as 1408.5882.")
    return RemoteError(f"arXiv refuses the request for {arxiv_id} (HTTP {status}).", hint="Give the PDF itself.")
