"""A paper's file as text, once: what was read lies in `parsed.json` and `paper.md` of the run's folder.

A file that was read by this version of the reader is not read again. Whether it is a paper at all is decided here.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from threading import Lock

from pydantic import ValidationError

from trainwright.graph.errors import PaperError

from .judging import check_paper
from .records import READER_VERSION, PaperSource, ParsedPaper, Section, Table

__all__ = ["parse_paper"]

_ONE_AT_A_TIME = Lock()
"""MuPDF must not be used by two threads at once, and two calls for one paper should read it once."""


def parse_paper(source: PaperSource, folder: Path) -> ParsedPaper:
    """The paper as text; read once and kept in `folder`.

    Raises:
        PaperError: the file cannot be read, or is no paper: the message names it.
    """
    with _ONE_AT_A_TIME:
        return _parse_once(source, folder)


def _parse_once(source: PaperSource, folder: Path) -> ParsedPaper:
    try:
        raw = source.path.read_bytes()
    except OSError as error:
        raise PaperError(
            f"The copy of {display_name(source)} is gone: {error.strerror}.", hint="Start the run again."
        ) from error
    digest = sha256(raw).hexdigest()
    kept = folder / "parsed.json"
    known = _known(kept, digest)
    if known is not None:
        return known
    paper = _read(source, raw)
    paper.sha256 = digest
    paper.arxiv_id = source.arxiv_id or paper.arxiv_id
    _check_title(paper, source)
    paper.markdown = as_markdown(paper)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "paper.md", paper.markdown)
    _write(kept, paper.model_dump_json())
    return paper


def display_name(source: PaperSource) -> str:
    """What messages call the paper: the file's name, the address, or the text."""
    if source.origin.startswith("text:"):
        return "The text"
    return source.origin if "://" in source.origin else Path(source.origin).name or source.origin


def _known(path: Path, digest: str) -> ParsedPaper | None:
    try:
        paper = ParsedPaper.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return paper if paper.sha256 == digest and paper.reader_version == READER_VERSION else None


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", errors="replace")
    part.replace(path)


def _read(source: PaperSource, raw: bytes) -> ParsedPaper:
    name = display_name(source)
    if source.kind == "pdf":
        from .pdf import parse_pdf

        paper = parse_pdf(source.path, name)
    else:
        from .markdown import parse_markdown, parse_text
        from .sources import decode

        text = decode(raw, name)
        paper = parse_markdown(text) if source.kind == "markdown" else parse_text(text)
    check_paper(paper, name)
    return paper


def _check_title(paper: ParsedPaper, source: PaperSource) -> None:
    """The archive's title beside the printed one: it fills a gap, and a difference is said."""
    if not source.title:
        return
    from .titles import letters_of

    if not paper.title:
        paper.title = source.title
    elif letters_of(paper.title) != letters_of(source.title):
        paper.warnings.append(f"arXiv calls this paper {source.title!r}; the file prints {paper.title!r}.")


def as_markdown(paper: ParsedPaper) -> str:
    """The whole paper as Markdown, tables included."""
    parts = [f"# {paper.title}"] if paper.title else []
    if paper.authors_line:
        parts.append(paper.authors_line)
    tables: dict[str, list[Table]] = {}
    for table in paper.tables:
        tables.setdefault(table.caption, []).append(table)
    texts: dict[int, list[str]] = {}
    for paragraph in paper.paragraphs:
        shown = [paragraph.text]
        if paragraph.text:
            shown += [table_as_markdown(table) for table in tables.pop(paragraph.text, ())]
        texts.setdefault(paragraph.section, []).extend(shown)
    parts += texts.get(-1, [])
    for index, section in enumerate(paper.sections):
        parts += [_heading(section), *texts.get(index, ())]
    for caption, left in tables.items():
        for table in left:
            parts += [caption, table_as_markdown(table)]
    if paper.references:
        if not any(re.match(r"references|bibliography", s.title, re.IGNORECASE) for s in paper.sections):
            parts.append("## References")
        parts.append("\n".join(f"- {reference}" for reference in paper.references))
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(section: Section) -> str:
    return f"{'#' * min(6, section.level + 1)} {f'{section.number} {section.title}'.strip()}"


def table_as_markdown(table: Table) -> str:
    """The table with pipes."""
    lines = [table.header, ["---"] * len(table.header), *table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
