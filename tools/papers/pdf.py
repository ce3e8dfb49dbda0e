"""A PDF as a `ParsedPaper`, or a refusal that names the file and what can be done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainwright.graph.errors import PaperError

from .columns import Layout, find_layout, find_side, order_lines
from .cover import count_covers
from .flow import Flow, caption_lines, drop_running_heads, read_flow
from .glyphs import clean
from .pages import Line, Page, body_size, read_page
from .records import ParsedPaper, Table
from .references import split_references
from .tables import CAPTION, FoundTable, find_tables, vote_below
from .titles import FrontMatter, find_front, plausible_title

__all__ = ["PAGE_LIMIT", "parse_pdf"]

PAGE_LIMIT = 400
"""Pages; a longer file is a book."""

_ARXIV_STAMP = re.compile(r"arXiv:\s?(\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?)")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>]+[^\s\"<>.,;)]")
_DAMAGE = re.compile(r"zlib error|read error|premature|syntax error|Length incorrect|expected string|repairing")
"""What MuPDF says of a file whose content is broken, and not only its outline."""

_POSTER = 1_300_000.0
"""Square points; A3 has a million."""

_TEXT_PER_PAGE = 100
"""Characters; pages with less on average are pictures."""


def parse_pdf(file: Path | bytes, name: str) -> ParsedPaper:
    """The paper in a PDF file, or in the bytes of one. `name` is what messages call it.

    Raises:
        PaperError: it is encrypted, damaged, truncated, scanned, empty, too long or has no pages.
    """
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    pymupdf.TOOLS.reset_mupdf_warnings()
    document = _open(file, name)
    with document:
        pages, broken = _read_pages(document, name)
        metadata = clean(str((document.metadata or {}).get("title") or ""))
        damaged = bool(document.is_repaired or broken or _DAMAGE.search(pymupdf.TOOLS.mupdf_warnings()))
    covers = count_covers(pages)
    paper = _assemble(pages[covers:], len(pages), metadata, damaged)
    if covers:
        sheets = "its first page is a cover sheet" if covers == 1 else f"its first {covers} pages are cover sheets"
        paper.warnings.append(f"{name}: {sheets} of an archive; the paper behind is used.")
    if damaged:
        paper.warnings.append(_damage(name, broken, pages))
    if not paper.title:
        hint = f" The file's metadata call it {metadata!r}." if plausible_title(metadata) else ""
        paper.warnings.append(f"{name}: no title can be read on the first page.{hint}")
    return paper


def _open(file: Path | bytes, name: str) -> Any:
    import pymupdf

    try:
        raw = file if isinstance(file, bytes) else file.read_bytes()
        if not raw:
            raise ValueError("no bytes")  # MuPDF would begin a new file
        document = pymupdf.open(stream=raw, filetype="pdf")
    except (OSError, RuntimeError, ValueError) as error:
        raise PaperError(
            f"{name} is damaged: it cannot be opened as a PDF.",
            hint="Download it again, or give the paper as text or Markdown.",
        ) from error
    if document.needs_pass:
        document.close()
        raise PaperError(
            f"{name} is encrypted: it opens only with a password.",
            hint="Save a copy without a password (for example qpdf --decrypt --password=… IN OUT), and give that.",
        )
    if document.page_count == 0:
        document.close()
        raise PaperError(
            f"{name} has no pages: the file is damaged or was cut off.",
            hint="Download it again; it may have been cut off.",
        )
    if document.page_count > PAGE_LIMIT:
        count = document.page_count
        document.close()
        raise PaperError(
            f"{name} has {count} pages; at most {PAGE_LIMIT} are read.", hint="Give the paper or the chapter alone."
        )
    return document


def _read_pages(document: Any, name: str) -> tuple[list[Page], list[int]]:
    """The pages with text, and the numbers of those that could not be read.

    Raises:
        PaperError: no page can be read, or there is no text on them.
    """
    pages: list[Page] = []
    broken: list[int] = []
    for index in range(document.page_count):
        try:
            pages.append(read_page(document[index], index + 1))
        except (RuntimeError, ValueError, IndexError):
            broken.append(index + 1)
            pages.append(Page(index + 1, 612.0, 792.0))
    letters = sum(len(w.text) for page in pages for w in page.words)
    if letters < 40 or (letters < _TEXT_PER_PAGE * len(pages) and max(p.pictured for p in pages) > 0.5):
        _refuse_textless(document, pages, broken, name)
    return pages, broken


def _refuse_textless(document: Any, pages: Sequence[Page], broken: Sequence[int], name: str) -> None:
    import pymupdf

    if max(page.pictured for page in pages) > 0.5:
        raise PaperError(
            f"{name} is scanned: its pages are pictures, and it has no text layer.",
            hint="Recognise the text first, for example with ocrmypdf IN OUT, and give the result.",
        )
    if document.is_repaired or broken or _DAMAGE.search(pymupdf.TOOLS.mupdf_warnings()):
        raise PaperError(
            f"{name} is damaged or cut off: no text is left on its {len(pages)} page(s).", hint="Download it again."
        )
    if sum(page.hidden for page in pages):
        raise PaperError(
            f"{name} has no text that can be seen.", hint="Give the paper itself, as its publisher has it."
        )
    if any(page.drawn for page in pages):
        raise PaperError(
            f"{name} has no text: only drawings or pictures.",
            hint="If it is a scan, recognise its text first, for example with ocrmypdf IN OUT.",
        )
    raise PaperError(f"{name} is empty: there is no text on its {len(pages)} page(s).", hint="Give another file.")


def _damage(name: str, broken: Sequence[int], pages: Sequence[Page]) -> str:
    blank = [page.number for page in pages if not page.words]
    lost = sorted({*broken, *blank})
    where = f" Nothing could be read on page {', '.join(map(str, lost))}." if lost else ""
    return f"{name} is damaged: what is left was read, and text may be missing.{where} Download it again if you can."


def _assemble(pages: Sequence[Page], count: int, metadata: str, damaged: bool) -> ParsedPaper:
    body = body_size(pages)
    for page in pages:
        page.side = find_side(page, body)
    layout = find_layout(pages, body)
    lines = [order_lines(page, page.pieces, gutter) for page, gutter in zip(pages, layout.gutters, strict=True)]
    lines = drop_running_heads(pages, lines)
    tables = _tables(pages, lines, layout)
    # Where a page is lost, the first one that is left may be any: its largest line is no title.
    first = 0 if damaged else next((i for i, own in enumerate(lines) if own), 0)
    front = find_front(pages[first], lines[first], body, metadata)
    flow = read_flow(pages, lines, body, {id(line) for line in front.lines})
    paper = ParsedPaper(
        title=front.title,
        authors_line=front.authors,
        sections=flow.sections,
        paragraphs=flow.paragraphs,
        tables=tables,
        references=split_references(flow.references),
        pages=count,
    )
    paper.abstract = find_abstract(paper)
    _identify(paper, pages, front)
    _warn(paper, pages, flow)
    return paper


def _tables(pages: Sequence[Page], lines: list[list[Line]], layout: Layout) -> list[Table]:
    """The tables of all pages; their words are taken out of `lines`."""
    captions = [_captions(own) for own in lines]
    places = [x for x in zip(pages, captions, layout.gutters, strict=True) if x[1]]
    votes = sum(vote_below(page, own, gutter) for page, own, gutter in places)
    below = None if votes == 0 else votes > 0
    tables: list[Table] = []
    for page, own, gutter in places:
        found = find_tables(page, own, gutter, below)
        tables += [item.table for item in found]
        index = pages.index(page)
        lines[index] = _without(page, lines[index], found, gutter)
    return tables


def _captions(lines: Sequence[Line]) -> list[Sequence[Line]]:
    starts = [i for i, line in enumerate(lines) if CAPTION.match(line.text)]
    return [lines[i : i + caption_lines(lines, i)] for i in starts]


def _without(page: Page, lines: list[Line], found: Sequence[FoundTable], gutter: float | None) -> list[Line]:
    kept = [p for p in page.pieces if not any(item.box.holds((p.x0 + p.x1) / 2, (p.y0 + p.y1) / 2) for item in found)]
    texts = {(round(line.y0), line.text) for line in lines}
    ordered = order_lines(page, kept, gutter)
    heads = {(round(line.y0), line.text) for line in order_lines(page, page.pieces, gutter)} - texts
    return [line for line in ordered if (round(line.y0), line.text) not in heads]


def find_abstract(paper: ParsedPaper) -> str:
    """The abstract: the section of that name, or the long paragraph before the first heading.

    A summary with a number is the end of a paper; and where the title is lost, what comes first may be anything.
    """
    for section in paper.sections[:6]:
        title = section.title.lower()
        if title == "abstract" or (title == "summary" and not section.number):
            return section.text
    if not paper.title:
        return ""
    before = [p.text for p in paper.paragraphs if p.section == -1 and p.kind == "body" and len(p.text) > 300]
    return before[0] if before else ""


def _identify(paper: ParsedPaper, pages: Sequence[Page], front: FrontMatter) -> None:
    stamps = " ".join(stamp for page in pages[:1] for stamp in page.stamps)
    head = " ".join(w.text for page in pages[:2] for w in page.words)
    if stamp := _ARXIV_STAMP.search(stamps) or _ARXIV_STAMP.search(" ".join(line.text for line in front.lines)):
        paper.arxiv_id = stamp[1]
    if doi := _DOI.search(head):
        paper.doi = doi[0]


def _warn(paper: ParsedPaper, pages: Sequence[Page], flow: Flow) -> None:
    hidden = sum(page.hidden for page in pages)
    if hidden > 20:
        paper.warnings.append(f"{hidden} characters that nobody can see on the page were left out.")
    if any(page.recognised for page in pages):
        paper.warnings.append("The pages are scans with recognised text: words and numbers may be misread.")
    if len(pages) == 1 and pages[0].width * pages[0].height > _POSTER:
        paper.warnings.append("The file is one large page, perhaps a poster: the paper itself says more.")
    if not flow.sections:
        paper.warnings.append("No headings were found; the text is read as one section.")
