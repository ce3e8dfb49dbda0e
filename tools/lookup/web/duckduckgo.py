"""The results on the page that DuckDuckGo gives to browsers without scripts. Nothing is asked here."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

__all__ = ["Page", "read_results"]

BASE = "https://html.duckduckgo.com/html/"
GENERIC = 8
"""Links that are taken at most from a page without results as they are known here."""


class Page(NamedTuple):
    """What is on a page.

    Attributes:
        results: `title`, `href` and `body` of each, as the package `ddgs` calls them.
        known: whether the page has the form that is known here; else the results are any links that lead elsewhere.
        refused: whether it asks for a proof that a person searches.
    """

    results: list[dict[str, str]]
    known: bool
    refused: bool


def read_results(page: bytes) -> Page:
    """The results of a page."""
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)
    try:
        root = html.document_fromstring(page, parser=parser)
    except etree.LxmlError:  # nothing in it
        return Page([], False, False)
    refused = bool(root.xpath("//form[@id='challenge-form'] | //*[contains(@class, 'anomaly-modal')]"))
    links = root.xpath("//a[contains(concat(' ', normalize-space(@class), ' '), ' result__a ')]")
    nothing = bool(root.xpath("//*[contains(concat(' ', normalize-space(@class), ' '), ' no-results ')]"))
    if links or nothing:
        return Page(_unique([_result(link) for link in links]), True, False)
    found = [] if refused else [_result(link) for link in root.xpath("//a[@href]")]
    return Page(_unique(found)[:GENERIC], False, refused)


def _result(link: Any) -> dict[str, str]:
    box = next(link.iterancestors("div", "tr"), None)
    while box is not None and "result" not in box.get("class", "").split():
        box = next(box.iterancestors("div"), None)
    found = (
        box.xpath(".//*[contains(concat(' ', normalize-space(@class), ' '), ' result__snippet ')]")
        if box is not None
        else []
    )
    advert = box is not None and "result--ad" in box.get("class", "").split()
    return {
        "title": _words(link.text_content()),
        "href": "" if advert else _target(link.get("href", "")),
        "body": _words(found[0].text_content()) if found else "",
    }


def _words(text: str) -> str:
    return " ".join(text.split())


def _target(href: str) -> str:
    """Where a link leads: the engine's own redirect (`/l/?uddg=…`) is undone, its adverts and pages lead nowhere."""
    try:
        full = urljoin(BASE, href.strip())
        parts = urlsplit(full)
        if _is_own(parts.hostname or "") and parts.path.rstrip("/") == "/l":
            full = parse_qs(parts.query).get("uddg", [""])[0]
            parts = urlsplit(full)
        usable = parts.scheme in ("http", "https") and parts.hostname and not _is_own(parts.hostname)
    except ValueError:
        return ""
    return full if usable else ""


def _is_own(host: str) -> bool:
    return host == "duckduckgo.com" or host.endswith(".duckduckgo.com")


def _unique(results: list[dict[str, str]]) -> list[dict[str, str]]:
    """Those that lead somewhere and have a title, each address once."""
    found: dict[str, dict[str, str]] = {}
    for one in results:
        if one["href"] and one["title"]:
            found.setdefault(one["href"].rstrip("/"), one)
    return list(found.values())
