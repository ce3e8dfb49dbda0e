"""A paper's text, by section: the Hub's Markdown, then arXiv's HTML, then the PDF; an address, or a file.

What is read is read once, and kept by the digest of its bytes. Where no full text can be had, the abstract is given with
the address of the PDF, and what was tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from trainwright.graph.errors import NotFound, PaperError, RemoteError
from trainwright.tools.http import Service, fetch, seconds_left
from trainwright.tools.lookup.found import Source, cut, part_of, parts_of
from trainwright.tools.lookup.names import is_arxiv_id
from trainwright.tools.lookup.values import line, mapping
from trainwright.tools.papers.arxiv_source import ARXIV, PDF_AGE
from trainwright.tools.papers.download import SIZE_LIMIT
from trainwright.tools.papers.lookup import find_section
from trainwright.tools.papers.reading import read_kept, read_once, section_text
from trainwright.tools.papers.records import ParsedPaper, Section
from trainwright.tools.papers.sources import kind_of_bytes, read_file_bytes

from .asking import Asking
from .hub import hub_info, hub_text
from .ids import PaperId, paper_id
from .preprints import arxiv_record
from .records import Part, Reading
from .scholar import ask_scholar
from .values import address

__all__ = ["PART", "read", "read_file"]

PART = 8_000
"""Characters of a section that one answer holds."""

PREVIEW, ABSTRACT, SECTIONS = 200, 3_000, 80
HTML_LIMIT = 24 * 2**20
"""Bytes of a page: formulas make the HTML of a long paper large."""

PAGE_SECONDS, PDF_SECONDS, ABSTRACT_SECONDS = 20.0, 20.0, 25.0
"""For one page, all tries and waits together; for the PDF at least; and what is left for the abstract."""

ARXIV_PAGES = Service("arXiv", "https://arxiv.org", variable="TRAINWRIGHT_ARXIV_URL", pause=3.0)
AR5IV = Service("ar5iv", "https://ar5iv.labs.arxiv.org", variable="TRAINWRIGHT_AR5IV_URL", pause=1.0)

Text = tuple[ParsedPaper, str]
"""A paper that was read, and the form that it was read in."""


def read(id: str, *, section: str = "", part: int = 1) -> Reading:  # noqa: A002  # as the argument is called
    """A paper: its abstract and table of contents; or one of its sections.

    Args:
        id: an arXiv id (its version counts), a DOI, an id of Semantic Scholar, or the address of a PDF.
        section: a number, a title or a part of one; with its subsections.
        part: which piece of a long section, from 1.

    Raises:
        RequestError: it names no paper, or the section has no such part.
        PaperError: what is at the address is no paper.
        NotFound: nobody knows the paper.
        RemoteError: nobody answers.
    """
    wanted, asking = paper_id(id, urls=True), Asking()
    if wanted.kind == "url":
        return _shown(
            _from_address(wanted.value, asking), Reading(id=wanted.value, pdf=wanted.value), asking, section, part
        )
    arxiv, pdf = (wanted, "") if wanted.kind == "arxiv" else _elsewhere(wanted, asking)
    if arxiv is not None:
        found = Reading(id=arxiv.value, pdf=f"https://arxiv.org/pdf/{arxiv.value}")
        text = _from_arxiv(arxiv, asking)
    else:
        found = Reading(id=wanted.value, pdf=pdf)
        text = (
            asking.ask(partial(_as_answer, partial(_from_address, pdf)), seconds=seconds_left() - ABSTRACT_SECONDS)
            if pdf
            else None
        )
    if text is not None:
        return _shown(text, found, asking, section, part)
    return _abstract_alone(found, wanted if arxiv is None else arxiv, asking)


def read_file(path: str | Path, *, section: str = "", part: int = 1) -> Reading:
    """The same for a PDF, Markdown or text file of this machine; for people and programs, not for engineers.

    Raises:
        PaperError: there is no such file, or it is no paper.
        RequestError: the section has no such part.
    """
    raw, kind, name = read_file_bytes(str(path))
    asking = Asking()
    asking.sources.append(Source(name="file", address=str(path)))
    form = {"pdf": "PDF", "markdown": "Markdown", "text": "text"}[kind]
    return _shown((read_once(raw, kind, name), form), Reading(id=name), asking, section, part)


def _from_arxiv(wanted: PaperId, asking: Asking) -> Text | None:
    """The first form of the paper that can be read, None where none can."""
    ways: list[Callable[[Asking], Text]] = [
        partial(_html, ARXIV_PAGES, wanted.value),
        partial(_html, AR5IV, wanted.bare),
    ]
    if wanted.value == wanted.bare:  # the Hub has one version, and does not say which
        ways.insert(0, partial(_hub, wanted.bare))
    for way in ways:
        text = asking.ask(way, quiet=True, seconds=PAGE_SECONDS)
        if text is not None:
            return text
    seconds = max(seconds_left() - ABSTRACT_SECONDS, PDF_SECONDS)
    return asking.ask(partial(_pdf, wanted.value), quiet=True, seconds=seconds)


def _hub(arxiv: str, asking: Asking) -> Text:
    count = len(asking.sources)
    text = hub_text(arxiv, asking)
    body = text.partition("Markdown Content:")[2] or text
    title = re.match(r"Title: (.+)", text)
    name = f"the Hub's Markdown of {arxiv}"

    def parse() -> ParsedPaper:
        from trainwright.tools.papers.markdown import parse_markdown

        paper = parse_markdown(body)
        paper.title = paper.title or (line(title[1]) if title else "")
        return paper

    markup = re.match(r"\s*<(?:!doctype|html)", body, re.IGNORECASE)
    paper = None if markup else read_kept(text.encode("utf-8", "replace"), "hub", name, parse)
    if paper is None or len(paper.sections) < 3 or sum(len(p.text) for p in paper.paragraphs) < 2_000:
        del asking.sources[count:]
        raise NotFound(f"The Hub has no full text of {arxiv}.")
    return paper, "Markdown"


def _html(service: Service, arxiv: str, asking: Asking) -> Text:
    from .latexml import VERSION, parse_latexml

    answer = fetch(f"html/{arxiv}", service=service, limit=HTML_LIMIT)
    name = f"{service.name}'s HTML of {arxiv}"
    try:
        paper = read_kept(answer.body, f"latexml-{VERSION}", name, partial(parse_latexml, answer.body, name))
    except PaperError as error:  # a page that says that there is no HTML
        raise NotFound(error.message) from error
    asking.sources.append(answer.source())
    return paper, "HTML"


def _pdf(arxiv: str, asking: Asking) -> Text:
    return _as_answer(partial(_pdf_of, ARXIV.address(f"pdf/{arxiv}"), ARXIV, f"the PDF of {arxiv}"), asking)


def _pdf_of(place: str, service: Service | None, name: str, asking: Asking) -> Text:
    age = PDF_AGE if service is not None else None
    answer = fetch(place, service=service, limit=SIZE_LIMIT, seconds=120.0, age=age)
    paper = read_once(answer.body, kind_of_bytes(answer.body, name, Path(place.partition("?")[0]).suffix), name)
    asking.sources.append(answer.source())
    return paper, "PDF" if paper.pages else "text"


def _from_address(place: str, asking: Asking) -> Text:
    """The paper at an address that anybody may have written: only public hosts are asked."""
    return _pdf_of(place, None, place, asking)


def _as_answer(way: Callable[[Asking], Text], asking: Asking) -> Text:
    """A file that cannot be read is for a paper with several sources no more than one that does not answer."""
    try:
        return way(asking)
    except PaperError as error:
        raise RemoteError(error.message, hint=error.hint) from error


def _elsewhere(wanted: PaperId, asking: Asking) -> tuple[PaperId | None, str]:
    """The arXiv id of a paper, or the address of a free PDF, as Semantic Scholar knows them."""
    path = f"graph/v1/paper/{wanted.scholar_path}"
    graph = mapping(asking.ask(lambda a: ask_scholar(path, a, params={"fields": "externalIds,openAccessPdf"})))
    arxiv = line(mapping(graph.get("externalIds")).get("ArXiv"), 40)
    if is_arxiv_id(arxiv):
        return PaperId("arxiv", arxiv), ""
    return None, address(mapping(graph.get("openAccessPdf")).get("url"))


def _abstract_alone(found: Reading, wanted: PaperId, asking: Asking) -> Reading:
    """Title and abstract, and what was tried for the rest.

    Raises:
        RemoteError: not even the abstract is known.
    """
    tried = asking.told
    known: Any = None
    if wanted.kind == "arxiv":
        known = asking.ask(partial(arxiv_record, wanted.value), quiet=True, seconds=seconds_left() / 2)
        known = known or asking.ask(partial(hub_info, wanted.bare), quiet=True, seconds=seconds_left() / 2)
        title, abstract = (line(known.title), line(known.summary, ABSTRACT)) if known is not None else ("", "")
    if known is None:
        path = f"graph/v1/paper/{wanted.scholar_path}"
        known = asking.ask(lambda a: ask_scholar(path, a, params={"fields": "title,abstract"}), quiet=True)
        title, abstract = line(mapping(known).get("title")), line(mapping(known).get("abstract"), ABSTRACT)
    if not title and not abstract:
        raise asking.failed(str(wanted))
    why = f"No full text could be read, so this is the abstract alone. {tried or 'Nobody names a place where it is.'}"
    notes = [why, *(note for note in asking.notes if note not in why)]
    return found.model_copy(update={"title": title, "abstract": abstract, "sources": asking.sources, "notes": notes})


def _shown(text: Text, found: Reading, asking: Asking, name: str, part: int) -> Reading:
    """The table of contents, or the section that was asked for."""
    paper, form = text
    found.title, found.form, found.pages = line(paper.title), form, paper.pages or None
    for warning in paper.warnings:
        asking.note(warning)
    if not name:
        found.abstract = cut(paper.abstract, ABSTRACT)
        found.contents = _contents(paper, asking)
    else:
        _put_section(found, paper, name, part, asking)
    return found.model_copy(update={"sources": asking.sources, "notes": asking.notes})


def _contents(paper: ParsedPaper, asking: Asking) -> list[Part]:
    if len(paper.sections) > SECTIONS:
        asking.note(f"The first {SECTIONS} of {len(paper.sections)} sections are listed.")
    if not paper.sections and paper.paragraphs:
        whole = _whole(paper)
        return [Part(section=whole.title, characters=len(whole.text), preview=line(whole.text, PREVIEW))]
    return [
        Part(
            section=_name(s), characters=len(s.text), preview=line(s.text[: 2 * PREVIEW], PREVIEW).partition(" … (")[0]
        )
        for s in paper.sections[:SECTIONS]
    ]


def _put_section(found: Reading, paper: ParsedPaper, name: str, part: int, asking: Asking) -> None:
    if not paper.sections:
        chosen = _whole(paper)
        text = chosen.text
    else:
        section = find_section(paper, name)
        if section is None:
            found.contents = [Part(section=_name(one)) for one in paper.sections[:SECTIONS]]
            asking.note(f"There is no section {name[:80]!r}; `contents` lists those that there are.")
            return
        chosen, text = section, section_text(paper, section)
    parts = parts_of(text, PART)
    found.section, found.text = _name(chosen), part_of(parts, part, _name(chosen))
    if len(parts) > 1:
        found.part, found.parts = part, len(parts)
        left = sum(map(len, parts[part:]))
        if left > 0:
            asking.note(f"{left:,} characters of this section follow: part {part + 1} of {len(parts)} goes on.")


def _whole(paper: ParsedPaper) -> Section:
    """The text of a paper in which no headings were found."""
    return Section(title="Text", text="\n\n".join(p.text for p in paper.paragraphs))


def _name(section: Section) -> str:
    return f"{section.number} {section.title}".strip()
