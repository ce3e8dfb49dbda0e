"""A paper's file as text, once: what was read lies in `parsed.json` and `paper.md` of the run's folder.

A file that was read by this version of the reader is not read again: not in this run, nor in another one or by a lookup,
since what was read is kept in the cache of the disk too, by the digest of the file's bytes. Whether it is a paper at all
is decided here. Two processes that read the same new file at the same moment both read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import RLock

from pydantic import ValidationError

from trainwright.graph.errors import PaperError

from .judging import check_paper
from .records import READER_VERSION, PaperSource, ParsedPaper, Section, SourceKind, Table

__all__ = ["parse_paper", "read_kept", "read_once", "section_text"]

_ONE_AT_A_TIME = RLock()
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
    paper = read_once(raw, source.kind, display_name(source))
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


def read_once(raw: bytes, kind: SourceKind, name: str) -> ParsedPaper:
    """The paper in these bytes; read by this version of the reader at most once on this machine, while the cache lasts.

    Args:
        raw: the file.
        kind: what it is.
        name: what messages call it.

    Raises:
        PaperError: it cannot be read, or is no paper: the message names it.
    """

    def read() -> ParsedPaper:
        paper = _read(raw, kind, name)
        check_paper(paper, name)
        return paper

    return read_kept(raw, kind, name, read)


def read_kept(raw: bytes, kind: str, name: str, read: Callable[[], ParsedPaper]) -> ParsedPaper:
    """What `read` makes of these bytes, from the cache where this version of the reader has made it before."""
    from trainwright.tools.http import kept

    def make() -> bytes:
        paper = read()
        paper.sha256 = digest
        paper.warnings = [_NAME + w.removeprefix(name) if w.startswith(name) else w for w in paper.warnings]
        return paper.model_dump_json(exclude={"markdown"}, exclude_defaults=True).encode("utf-8", "replace")

    digest = sha256(raw).hexdigest()
    record = f"paper-{kind}-{READER_VERSION}"
    with _ONE_AT_A_TIME:
        try:
            paper = ParsedPaper.model_validate_json(kept(record, digest, make))
        except ValidationError:  # another program's record under our key: what is read now is right
            paper = ParsedPaper.model_validate_json(make())
    paper.warnings = [name + w.removeprefix(_NAME) if w.startswith(_NAME) else w for w in paper.warnings]
    return paper


_NAME = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for the file's name in what is kept, since another file with the same bytes has another name."""


def _read(raw: bytes, kind: SourceKind, name: str) -> ParsedPaper:
    if kind == "pdf":
        from .pdf import parse_pdf

        return parse_pdf(raw, name)
    from .markdown import parse_markdown, parse_text
    from .sources import decode

    text = decode(raw, name)
    return parse_markdown(text) if kind == "markdown" else parse_text(text)


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
    texts, tables = _with_tables(paper)
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


def section_text(paper: ParsedPaper, section: Section) -> str:
    """A section of the paper with its tables and its subsections, as Markdown without its own heading."""
    index = next(i for i, one in enumerate(paper.sections) if one is section)
    texts, _ = _with_tables(paper)
    parts = list(texts.get(index, ()))
    for number, inner in enumerate(paper.sections[index + 1 :], start=index + 1):
        if inner.level <= section.level:
            break
        parts += [_heading(inner), *texts.get(number, ())]
    return "\n\n".join(part for part in parts if part)


def _with_tables(paper: ParsedPaper) -> tuple[dict[int, list[str]], dict[str, list[Table]]]:
    """The paragraphs of each section, tables behind their captions; and the tables whose caption is no paragraph."""
    tables: dict[str, list[Table]] = {}
    for table in paper.tables:
        tables.setdefault(table.caption, []).append(table)
    texts: dict[int, list[str]] = {}
    for paragraph in paper.paragraphs:
        shown = [paragraph.text]
        if paragraph.text:
            shown += [table_as_markdown(table) for table in tables.pop(paragraph.text, ())]
        texts.setdefault(paragraph.section, []).extend(shown)
    return texts, tables


def _heading(section: Section) -> str:
    return f"{'#' * min(6, section.level + 1)} {f'{section.number} {section.title}'.strip()}"


def table_as_markdown(table: Table) -> str:
    """The table with pipes."""
    lines = [table.header, ["---"] * len(table.header), *table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
