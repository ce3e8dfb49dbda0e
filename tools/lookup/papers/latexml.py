"""The HTML that LaTeXML makes of a paper (arXiv's own pages, ar5iv) as a `ParsedPaper`: no pages, formulas as TeX.

Only what a reader of the page sees is taken. Pictures, navigation, and a table whose cells hold more than text are left
out or flattened. A page that is not of LaTeXML is no paper here, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from trainwright.graph.errors import PaperError
from trainwright.tools.papers.records import Paragraph, ParsedPaper, Section, Table

__all__ = ["VERSION", "parse_latexml"]

VERSION = 1
"""Counts the changes of this reader that change what it finds."""

MOST_CELLS = 4_000
"""Cells of a table; more are left out."""

WIDEST = 60
"""Columns of a table."""

_LEVELS = {"section": 1, "appendix": 1, "part": 1, "chapter": 1, "bibliography": 1, "subsection": 2, "subsubsection": 3}
_BLOCKS = (
    "ltx_p",
    "ltx_caption",
    "ltx_equation",
    "ltx_equationgroup",
    "ltx_tabular",
    "ltx_title",
    "ltx_listing",
    "ltx_float",
    "ltx_bibitem",
)
_SKIPPED = ("script", "style", "nav", "header", "footer", "button", "img", "svg", "noscript", "template", "annotation")
_SKIPPED_CLASSES = frozenset(
    ("ltx_page_header", "ltx_page_footer", "ltx_page_navbar", "ltx_TOC", "ltx_ERROR", "ltx_pagination", "ltx_picture",
     "ltx_role_endpage", "ltx_dates", "ltx_tag_note", "package-alerts")
)  # fmt: skip
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])", re.I
)
_NUMBER = re.compile(
    r"(?:Appendix|Section|Chapter|Part|§)?\s*((?:\d{1,3}|[A-Z]|[IVX]{1,6})(?:\.\d{1,3}|\.[IVX]{1,4})*)\.?", re.I
)
_TEX = (
    (re.compile(r"%\s*\n"), ""),
    (re.compile(r"\\(?:displaystyle|textstyle|left|right|big|Big|bigg|Bigg|limits|nolimits)(?![A-Za-z])"), ""),
    (
        re.compile(
            r"\\(?:text|textrm|textbf|textit|mathrm|mathbf|mathit|mathsf|bm|boldsymbol|operatorname)\s*\{([^{}]*)\}"
        ),
        r"\1",
    ),
    (re.compile(r"\\times(?![A-Za-z])"), "×"),
    (re.compile(r"\\pm(?![A-Za-z])"), "±"),
    (re.compile(r"\\(?:leq?|leqslant)(?![A-Za-z])"), "≤"),
    (re.compile(r"\\(?:geq?|geqslant)(?![A-Za-z])"), "≥"),
    (re.compile(r"\\approx(?![A-Za-z])"), "≈"),
    (re.compile(r"\\([%&#_$])"), r"\1"),
    (re.compile(r"\\[,;!:> ]|~"), " "),
    (re.compile(r"\s+"), " "),
)


def parse_latexml(raw: bytes, name: str) -> ParsedPaper:
    """The paper in a page of LaTeXML. `name` is what messages call it.

    Raises:
        PaperError: the page is not of LaTeXML, or holds no sections.
    """
    from lxml import html

    try:
        page = html.document_fromstring(
            raw, parser=html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
        )
    except (ValueError, AssertionError, html.etree.ParserError, html.etree.XMLSyntaxError) as error:
        raise PaperError(f"{name} is no page that can be read.") from error
    found = page.xpath("//*[contains(concat(' ', normalize-space(@class), ' '), ' ltx_document ')]")
    if not found:
        raise PaperError(f"{name} is a web page, but not the text of a paper.", hint="Give the PDF of the paper.")
    reader = _Reader()
    reader.walk(found[0])
    paper = reader.finish()
    if not paper.sections and sum(len(p.text) for p in paper.paragraphs) < 2_000:
        raise PaperError(f"{name} holds no text of the paper.", hint="Give the PDF of the paper.")
    return paper


class _Reader:
    """Walks over the page and collects."""

    def __init__(self) -> None:
        self.paper = ParsedPaper()
        self.levels: list[int] = []

    def walk(self, element: Any) -> None:
        """Take an element and what is inside, in order."""
        kind = _classes(element)
        if _left_out(element, kind):
            return
        if "ltx_title_document" in kind:
            self.paper.title = _flat(element)
        elif "ltx_authors" in kind:
            self.paper.authors_line = _flat(element)[:1_000]
        elif "ltx_abstract" in kind:
            self._abstract(element)
        elif "ltx_bibitem" in kind:
            self.paper.references.append(_flat(element)[:1_000])
        elif "ltx_title" in kind:
            self._heading(element, kind)
        elif kind & {"ltx_table", "ltx_figure", "ltx_float"} and element.tag == "figure":
            self._figure(element)
        elif kind & {"ltx_tabular"}:
            self._table(element, "")
        elif kind & {"ltx_p", "ltx_item", "ltx_equation", "ltx_equationgroup", "ltx_listing", "ltx_caption"}:
            self._text(_flat(element), "caption" if "ltx_caption" in kind else "body")
        elif not any(_classes(inner).intersection(_BLOCKS) for inner in element.iterdescendants(_elements())):
            self._text(_flat(element), "body")
        else:
            for inner in element:
                if isinstance(inner.tag, str):
                    self.walk(inner)

    def finish(self) -> ParsedPaper:
        """The paper, with the text of each section filled in."""
        texts: dict[int, list[str]] = {}
        for paragraph in self.paper.paragraphs:
            texts.setdefault(paragraph.section, []).append(paragraph.text)
        for index, section in enumerate(self.paper.sections):
            section.text = "\n\n".join(texts.get(index, ()))
        return self.paper

    def _abstract(self, element: Any) -> None:
        parts = [_flat(inner) for inner in element if isinstance(inner.tag, str) and "ltx_title" not in _classes(inner)]
        self.paper.abstract = "\n\n".join(part for part in parts if part)
        self.paper.sections.append(Section(title="Abstract"))
        self._text(self.paper.abstract, "body")

    def _heading(self, element: Any, kind: set[str]) -> None:
        """A heading of a section begins one; of a theorem or a paragraph it is text."""
        name = next((name for name in _LEVELS if f"ltx_title_{name}" in kind), "")
        if not name:
            self._text(_flat(element), "body")
            return
        tag = next((inner for inner in element if "ltx_tag" in _classes(inner)), None)
        printed = _flat(tag) if tag is not None else ""
        title = _flat(element)
        number = _NUMBER.fullmatch(printed.strip(" .:"))
        if number and title.startswith(printed):
            title = title[len(printed) :].strip(" .:")
        level = number[1].count(".") + 1 if number else _LEVELS[name]
        if title:
            section = Section(number=number[1] if number else "", title=title[:300], level=max(1, min(6, level)))
            self.paper.sections.append(section)

    def _figure(self, element: Any) -> None:
        """A floating table or picture: the caption, and what it holds of tables."""
        captions = [one for one in element.iterdescendants("figcaption") if not _left_out(one, _classes(one))]
        caption = _flat(captions[0]) if captions else ""
        for one in captions:
            self._text(_flat(one), "caption")
        for inner in element.iterdescendants(_elements()):
            kind = _classes(inner)
            if "ltx_tabular" in kind and not any("ltx_tabular" in _classes(above) for above in inner.iterancestors()):
                self._table(inner, caption)
            elif "ltx_listingline" in kind:
                self._text(_flat(inner), "body")

    def _table(self, element: Any, caption: str) -> None:
        rows = _rows(element)
        if caption and len(rows) >= 2 and len(rows[0]) >= 2:
            self.paper.tables.append(Table(caption=caption, header=rows[0], rows=rows[1:]))
        elif rows:  # without a caption nothing would say where it stands
            self._text("\n".join(" | ".join(row) for row in rows), "body")

    def _text(self, text: str, kind: str) -> None:
        if text:
            section = len(self.paper.sections) - 1
            self.paper.paragraphs.append(Paragraph.model_validate({"text": text, "section": section, "kind": kind}))


def _elements() -> Any:
    """What `iterdescendants` tells elements from comments by."""
    from lxml import etree

    return etree.Element


def _classes(element: Any) -> set[str]:
    return set((element.get("class") or "").split()) if isinstance(element.tag, str) else set()


def _left_out(element: Any, kind: set[str]) -> bool:
    if not isinstance(element.tag, str) or element.tag in _SKIPPED or kind & _SKIPPED_CLASSES:
        return True
    style = element.get("style") or ""
    return element.get("hidden") is not None or bool(style and _HIDDEN.search(style))


def _flat(element: Any) -> str:
    """The text of an element on one line."""
    return " ".join("".join(_pieces(element)).split())


def _pieces(element: Any) -> Iterator[str]:
    kind = _classes(element)
    if _left_out(element, kind):
        return
    if element.tag == "math":
        yield _tex(element)
        return
    if "ltx_note_mark" in kind or "ltx_tag_note" in kind:
        return
    note = "ltx_note_content" in kind
    if note:
        yield " ("
    spaced = kind & {"ltx_item", "ltx_tag", "ltx_bibblock"} or element.tag in ("br", "tr", "td", "th", "li", "p", "div")
    if spaced:
        yield " "
    yield element.text or ""
    for inner in element:
        if isinstance(inner.tag, str):
            yield from _pieces(inner)
        yield inner.tail or ""
    if note:
        yield ")"
    if spaced:
        yield " "


def _tex(element: Any) -> str:
    """A formula as its author wrote it, without what only concerns its looks."""
    text = str(element.get("alttext") or "") or "".join(
        inner.text or "" for inner in element.iterdescendants() if inner.tag in ("mi", "mn", "mo", "mtext")
    )
    for pattern, replacement in _TEX:
        text = pattern.sub(replacement, text)
    return text.strip()


def _rows(element: Any) -> list[list[str]]:
    """The cells of a table; one that spans several columns or rows stands in each of them. Header rows become one."""
    grid: list[list[str]] = []
    held: dict[int, tuple[int, str]] = {}
    heads = cells = 0
    for row in element.iterdescendants(_elements()):
        if "ltx_tr" not in _classes(row) or cells > MOST_CELLS or _table_of(row) is not element:
            continue
        line: list[str] = []
        own = [cell for cell in row if _classes(cell) & {"ltx_td", "ltx_th"}]
        for cell in own:
            _take_held(line, held)
            text, width, height = _flat(cell), _span(cell, "colspan"), _span(cell, "rowspan")
            for _ in range(min(width, WIDEST - len(line))):
                if height > 1:
                    held[len(line)] = (height - 1, text)
                line.append(text)
        _take_held(line, held)
        cells += len(line)
        if line and heads == len(grid) and _is_head(row, own):
            heads += 1
        if any(line):
            grid.append(line)
    width = max(map(len, grid), default=0)
    grid = [line + [""] * (width - len(line)) for line in grid]
    if heads < 2 or heads >= len(grid):
        return grid
    head = [" ".join(dict.fromkeys(line[i] for line in grid[:heads] if line[i])) for i in range(width)]
    return [head, *grid[heads:]]


def _table_of(row: Any) -> Any:
    """The innermost table that a row belongs to: cells often hold tables of their own, for the sake of line breaks."""
    return next((above for above in row.iterancestors() if "ltx_tabular" in _classes(above)), None)


def _is_head(row: Any, cells: list[Any]) -> bool:
    above = row.getparent()
    return (above is not None and "ltx_thead" in _classes(above)) or all("ltx_th" in _classes(cell) for cell in cells)


def _take_held(line: list[str], held: dict[int, tuple[int, str]]) -> None:
    """Put in what reaches down from the rows above at this place."""
    while len(line) in held and len(line) < WIDEST:
        left, text = held.pop(len(line))
        if left > 1:
            held[len(line)] = (left - 1, text)
        line.append(text)


def _span(cell: Any, name: str) -> int:
    value = cell.get(name) or "1"
    return max(1, min(int(value), WIDEST)) if value.isdigit() and len(value) < 4 else 1
