"""A page of HTML as Markdown: what its reader sees of its main part, with headings, lists, tables, code and links.

Menus, headers and footers are left out where the page marks its main part, and hidden text always (`hidden`). Pictures
are replaced by their descriptions. Nothing is loaded from the network, and no script runs.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from .hidden import Hidden, drop_hidden

__all__ = ["VERSION", "Markdown", "page_as_markdown"]

VERSION = 2
"""Counted up when pages come out otherwise, since what was made of a page is kept."""

AROUND = ("nav", "header", "footer", "aside", "form")
MAIN = (
    "//main", "//*[@role='main']", "//article", "//*[@id='content' or @id='main' or @id='main-content' or @id='mw-content-text']",
)  # fmt: skip
ENOUGH = 0.25
"""Part of the page's text that its main part must hold at least; else it marks something else so."""

_LANGUAGE = re.compile(r"(?:language|lang|highlight|brush|sourceCode|source)[-: ]+([\w+#]{1,20})", re.IGNORECASE)
_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")


class Markdown(NamedTuple):
    """A page that was read.

    Attributes:
        title: as the page states it.
        text: Markdown.
        hidden: how much hidden text was left out.
        plain: whether it is too deeply nested for Markdown, and is plain text.
    """

    title: str
    text: str
    hidden: Hidden
    plain: bool = False


def page_as_markdown(page: str, address: str) -> Markdown:
    """The page as Markdown; empty where it shows no text.

    Args:
        page: the HTML.
        address: where it was found; links are made whole by it.
    """
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)
    try:
        root = html.document_fromstring(page.replace("\0", "").encode("utf-8", "replace") or b"<html/>", parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):  # nothing in it
        return Markdown("", "", Hidden(0, 0))
    title, base = _title(root), _base(root, address)
    hidden = drop_hidden(root)
    for formula in [*root.iter("math", "script")]:
        _set_formula(formula)
    main = _main(root)
    for element in [*main.iter(*AROUND)]:
        if element is not main and not (element.tag == "header" and _holds_heading(element)):
            element.drop_tree()
    _settle(main, base)
    try:
        text, plain = _converted(html.tostring(main, encoding="unicode", with_tail=False)), False
    except RecursionError:
        text, plain = "\n".join(line for piece in main.itertext() if (line := " ".join(piece.split()))), True
    return Markdown(title, _BLANK.sub("\n\n", text).strip(), hidden, plain)


def _title(root: Any) -> str:
    found = root.xpath("string(//head/title)") or root.xpath("string(//meta[@property='og:title']/@content)")
    return " ".join((str(found) or str(root.xpath("string(//h1)"))).split())[:300]


def _base(root: Any, address: str) -> str:
    stated = str(root.xpath("string(//base/@href)")).strip()
    try:
        return urljoin(address, stated) if stated else address
    except ValueError:
        return address


def _main(root: Any) -> Any:
    """The element that holds the page's own text."""
    body = root.find("body")
    whole = body if body is not None else root
    size = len(whole.text_content())
    for path in MAIN:
        found = root.xpath(path)
        best = max(found, key=lambda element: len(element.text_content()), default=None)
        if best is not None and len(best.text_content()) >= ENOUGH * size:
            several = path == "//article" and len(found) > 1  # a list of articles: their parent is the page
            return whole if several else best
    return whole


def _holds_heading(element: Any) -> bool:
    return (
        next(element.iter("h1"), None) is not None and next(element.iterancestors("article", "main"), None) is not None
    )


def _set_formula(element: Any) -> None:
    """Put the TeX source of a formula in its place, where the page has it."""
    if element.tag == "script":
        source, block = element.text or "", "mode=display" in str(element.get("type"))
    else:
        source = element.get("alttext") or str(
            element.xpath("string(.//*[local-name()='annotation'][contains(@encoding, 'tex')])")
        )
        block = element.get("display") == "block"
    source = " ".join(source.split())
    if not source:
        return
    mark, tail = ("$$" if block else "$"), element.tail
    element.clear()
    element.tag, element.text, element.tail = "span", f"{mark}{source}{mark}", tail


def _settle(main: Any, base: str) -> None:
    """Make links whole, drop those that lead to no page, and put descriptions in the place of pictures; bars in cells are marked."""
    for link in main.iter("a"):
        target = _whole(link.get("href") or "", base)
        link.attrib.clear()
        if target:
            link.set("href", target)
    for picture in [*main.iter("img")]:
        words = " ".join((picture.get("alt") or "").split())[:300]
        picture.tag, picture.text = "span", f"[picture: {words}]" if words else ""
        picture.attrib.clear()

    for cell in main.xpath(".//*[self::td or self::th][not(ancestor::td or ancestor::th)]"):
        for element in cell.iter():
            element.text = (element.text or "").replace("|", "\\|")
            if element is not cell:
                element.tail = (element.tail or "").replace("|", "\\|")


def _whole(href: str, base: str) -> str:
    try:
        full = urljoin(base, href.strip())
        usable = urlsplit(full).scheme in ("http", "https") and not href.startswith("#")
    except ValueError:
        return ""
    return full if usable and len(full) <= 1_000 and not re.search(r"[\s<>]", full) else ""


def _converted(markup: str) -> str:
    from bs4 import BeautifulSoup
    from markdownify import ATX, MarkdownConverter

    converter = MarkdownConverter(
        heading_style=ATX, bullets="-", code_language_callback=_language, escape_underscores=False,
        escape_asterisks=False, table_infer_header=True, autolinks=False,
    )  # fmt: skip
    return str(converter.convert_soup(BeautifulSoup(markup, "lxml")))


def _language(element: Any) -> str:
    """The language of a piece of code, as a class of it, of what is in it, or of what is around it says."""
    around = [element.code if element.code is not None else element, element, *islice(element.parents, 2)]
    for one in around:
        match = _LANGUAGE.search(" ".join(one.get("class") or []))
        if match:
            return str(match[1]).lower()
    return ""
