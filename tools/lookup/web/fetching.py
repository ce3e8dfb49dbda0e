"""One page of the web, or a PDF or text file: fetched within limits, and read as Markdown in parts.

The address is anybody's: it must lead to the public internet, also after redirects (`trainwright.tools.http`), holds no
secret that is known here, and is not forbidden by the site. Text that a reader of the page would not see is left out. What
the page says is data, and nobody's instruction.
"""

from __future__ import annotations

import json
import os
import re
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from trainwright.graph.errors import Refusal, RemoteError, RequestError
from trainwright.graph.redaction import redact
from trainwright.tools.http import Answer, kept
from trainwright.tools.http import fetch as ask
from trainwright.tools.http.addresses import check_address
from trainwright.tools.http.service import shown
from trainwright.tools.lookup.found import part_of, parts_of

from .records import PageFound
from .robots import forbids

__all__ = ["PART", "fetch"]

PART = 12_000
"""Characters of a part."""

PAGE, PDF = 2 * 2**20, 32 * 2**20
"""Bytes that are loaded of a page and of a PDF."""

HTML = ("text/html", "application/xhtml+xml")
TEXT = re.compile(
    r"text/.+|application/(?:.+\+)?(?:json|xml|yaml|toml|x-yaml|x-ndjson|jsonl|javascript|x-sh|x-python|x-tex)"
)
UNSURE = ("", "application/octet-stream", "binary/octet-stream", "application/x-download")
HUB = ("huggingface.co", "hf.co")
NAMED = re.compile(r"datasets?[/=]([\w.-]+(?:/[\w.-]+)?)")
"""A data set in an address of the Hub: of its pages and its API, and of its viewer's API."""


def fetch(url: str, *, part: int = 1) -> PageFound:
    """A page as Markdown, a PDF as text, other text as it is.

    Args:
        url: http or https, of a public host.
        part: of a long text, from 1.

    Raises:
        RequestError: it is no address, holds a secret, or the text has no such part.
        Refusal: it leads to data that the run is scored on.
        NotFound: there is no such page.
        PaperError: it is a PDF that cannot be read.
        RemoteError: it leads to no public host, is forbidden by the site, refused, down, or no text.
    """
    address = _checked(url)
    if forbids(address):
        raise RemoteError(
            f"{urlsplit(address).hostname} asks programs to leave {shown(address)} alone (robots.txt); it was not asked.",
            hint="Open it in a browser, or take another source.",
        )
    answer = ask(address, limit=PAGE, cut=True, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    for place in (*answer.via, answer.url):  # the Hub gives files out under addresses that name no data set
        _guard(place)
    found = PageFound(url=shown(answer.url), media=answer.media, sources=[answer.source()])
    text = _text(answer, found)
    return _part(text, part, found)


def _checked(url: str) -> str:
    address = url.strip().partition("#")[0]
    if "://" not in address:
        raise RequestError(
            f"{address[:200]!r} is no address of a page.", hint="Write it whole: https://example.org/page."
        )
    check_address(address)
    if str(redact(address)) != address or str(redact(unquote(address))) != unquote(address):
        raise RequestError(f"The address {shown(address)} holds a secret; it was not asked.", hint="Take it out.")
    _guard(address)
    return address


def _guard(address: str) -> None:
    """Refuse the files of data that the run is scored on, where the address is one of the Hub and names them."""
    from trainwright.tools.lookup.datasets.withheld import any_on_the_hub, is_withheld_hub, names_withheld

    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    hubs = (*HUB, urlsplit(os.environ.get("HF_ENDPOINT", "")).hostname or HUB[0])
    if not any_on_the_hub() or not any(host == hub or host.endswith(f".{hub}") for hub in hubs):
        return
    text = unquote(unquote(f"{parts.path}?{parts.query}")).lower()
    named = [name for match in NAMED.findall(text) for name in (match, match.partition("/")[0])]
    if names_withheld(text) or is_withheld_hub(*named):
        raise Refusal(
            f"{shown(address)} belongs to data that this run is scored on; it is not shown.",
            hint="Look it up with `datasets inspect`, which shows what may be seen.",
        )


def _text(answer: Answer, found: PageFound) -> str:
    if answer.body.startswith(b"%PDF-") or answer.media == "application/pdf":
        return _pdf(answer, found)
    if answer.media in HTML or (answer.media in UNSURE and _looks_like_html(answer.body)):
        return _page(answer, found)
    binary = b"\0" in answer.body[:8_000] and not answer.body.startswith((b"\xff\xfe", b"\xfe\xff"))
    if binary or not (TEXT.fullmatch(answer.media) or answer.media in UNSURE):
        raise RemoteError(
            f"{found.url} is no text but {answer.media or 'something else'} and is not shown.",
            hint="Fetch a page, a PDF, or a text file.",
        )
    _note_cut(answer, found)
    return answer.text


def _looks_like_html(body: bytes) -> bool:
    return (
        re.match(rb"\s*(?:<!--.{0,1000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", body[:2_000], re.I | re.S)
        is not None
    )


def _note_cut(answer: Answer, found: PageFound) -> None:
    if answer.truncated:
        found.notes.append(f"Only the first {PAGE // 2**20} MiB were loaded: the end is missing.")


def _page(answer: Answer, found: PageFound) -> str:
    from .pages import VERSION, page_as_markdown

    def make() -> bytes:
        page = page_as_markdown(answer.text, answer.url)
        return json.dumps([page.title, page.text, *page.hidden, page.plain]).encode()

    _note_cut(answer, found)
    digest = sha256(f"{answer.url}\0{answer.headers.get('content-type', '')}\0".encode() + answer.body).hexdigest()
    found.title, text, pieces, characters, plain = json.loads(kept(f"web-page-{VERSION}", digest, make))
    if pieces:
        found.notes.append(
            f"Hidden text was left out: {pieces} piece{'s' if pieces > 1 else ''}, {characters:,} characters."
        )
    if plain:
        found.notes.append("The page is nested too deeply for Markdown: this is its plain text.")
    if not text:
        found.notes.append("The page shows no text without its scripts, or cannot be read.")
    return str(text)


def _pdf(answer: Answer, found: PageFound) -> str:
    from trainwright.tools.papers.pdf import parse_pdf
    from trainwright.tools.papers.reading import as_markdown, read_kept

    found.media = "application/pdf"
    if answer.truncated:
        answer = ask(answer.url, limit=PDF)
    # A PDF on the web need not be a paper, so nobody checks whether it is one.
    paper = read_kept(answer.body, "web-pdf", found.url, lambda: parse_pdf(answer.body, found.url))
    found.title = paper.title
    found.notes += paper.warnings[:5]
    return as_markdown(paper)


def _part(text: str, part: int, found: PageFound) -> PageFound:
    pieces = parts_of(text, PART)
    found.text = part_of(pieces, part, found.url)
    found.part, found.parts = part, len(pieces)
    if part < len(pieces):
        found.notes.append(f"Part {part} of {len(pieces)}: ask for part {part + 1} to read on.")
    return found
