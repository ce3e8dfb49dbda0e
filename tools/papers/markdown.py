"""Markdown and plain text as a `ParsedPaper`: headings, paragraphs, pipe tables, references. No pages.

What a reader of the rendered text does not see (HTML comments, tags, front matter) is left out. Plain text has no
marks, so a heading there is a numbered or well-known title on a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .glyphs import clean, join_lines
from .headings import Numbering, is_references, known_heading
from .records import Paragraph, ParsedPaper, Section, Table
from .references import split_reference_text
from .table_cells import is_number
from .tables import CAPTION

__all__ = ["parse_markdown", "parse_text", "plain_markdown"]

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.+?)\s*#*\s*")
_NUMBER = re.compile(
    r"(?:(?:Appendix|Section)\s+)?(\d{1,2}(?:\.\d{1,2})*(?=[.:)\s])|(?:(?<=Appendix )[A-H]|[A-H](?=[.:)]))"
    r"(?:\.\d{1,2})*|[IVX]{1,5}(?=[.:)]))(?:[.:)]\s*|\s+)(?=\S)(.*)"
)
_DELIMITER = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_MATH = (
    (re.compile(r"\\times\b"), "×"),
    (re.compile(r"\\pm\b"), "±"),
    (re.compile(r"\\([%&#_$])"), r"\1"),
    (re.compile(r"\\(?:text|mathrm|mathbf|textbf|textit|emph)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\$\$?"), ""),
)


@dataclass
class _Block:
    """Lines between empty lines, or one heading, or one table."""

    kind: str
    lines: list[str]
    level: int = 0


def plain_markdown(text: str) -> str:
    """A piece of Markdown as a reader sees it: no emphasis marks, no addresses of links."""
    text = re.sub(r"!\[[^\]]{0,300}\]\([^)]{0,500}\)", "", text)
    text = re.sub(r"\[([^\]]{1,300})\]\([^)\s]{0,500}(?:\s+\"[^\"]{0,300}\")?\)", r"\1", text)
    text = re.sub(r"</?[a-zA-Z][^<>]{0,200}>", "", text)
    for pattern, replacement in _MATH:
        text = pattern.sub(replacement, text)
    text = re.sub(r"(?<![\w*])(\*{1,3})(?=\S)(.{1,500}?)(?<=\S)\1(?![\w*])", r"\2", text)
    text = re.sub(r"(?<![\w_])(_{1,3})(?=\S)(.{1,500}?)(?<=\S)\1(?![\w_])", r"\2", text)
    text = re.sub(r"`{1,3}([^`]{1,500})`{1,3}", r"\1", text)
    return clean(text)


def parse_markdown(text: str) -> ParsedPaper:
    """A Markdown text as a paper."""
    text = re.sub(r"<!--.*?(?:-->|\Z)", "", text.replace("\r\n", "\n").replace("\r", "\n"), flags=re.DOTALL)
    text = re.sub(r"<(script|style)\b.*?(?:</\1>|\Z)", "", text, flags=re.DOTALL | re.IGNORECASE)
    text, title = _front_matter(text)
    return _assemble(list(_markdown_blocks(text.split("\n"))), title)


def parse_text(text: str) -> ParsedPaper:
    """A plain text as a paper; a short first line followed by an empty one is its title."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n").split("\n")
    blocks = list(_text_blocks(lines))
    title = ""
    if len(blocks) > 1 and blocks[0].kind == "text" and _can_be_title(blocks[0].lines):
        title = plain_markdown(" ".join(blocks.pop(0).lines))
    return _assemble(blocks, title)


def _can_be_title(lines: Sequence[str]) -> bool:
    text = " ".join(lines).strip()
    return (
        len(lines) <= 3 and 8 <= len(text) <= 250 and not text.endswith((".", ",", ";", ":")) and len(text.split()) > 1
    )


def _front_matter(text: str) -> tuple[str, str]:
    match = re.match(r"\s*---\n(.*?)\n(?:---|\.\.\.)\n", text, re.DOTALL)
    if not match:
        return text, ""
    title = re.search(r"(?m)^title:\s*[\"']?(.*?)[\"']?\s*$", match[1])
    return text[match.end() :], plain_markdown(title[1]) if title else ""


def _markdown_blocks(lines: Sequence[str]) -> Iterator[_Block]:
    held: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        heading = _HEADING.fullmatch(line)
        fence = re.match(r" {0,3}(```+|~~~+)", line)
        under = re.fullmatch(r" {0,3}(=+|-{3,})\s*", lines[index + 1]) if index + 1 < len(lines) else None
        table = (
            "|" in line
            and index + 1 < len(lines)
            and "|" in lines[index + 1]
            and _DELIMITER.fullmatch(lines[index + 1])
        )
        if not (line.strip() and not heading and not fence and not table) and held:
            yield _Block("text", held)
            held = []
        if heading:
            yield _Block("heading", [heading[2]], len(heading[1]))
        elif table:
            end = index + 2
            while end < len(lines) and "|" in lines[end] and lines[end].strip():
                end += 1
            yield _Block("table", [line, *lines[index + 2 : end]])
            index = end - 1
        elif fence:
            end = index + 1
            while end < len(lines) and not lines[end].strip().startswith(fence[1]):
                end += 1
            yield _Block("code", list(lines[index + 1 : end]))
            index = end
        elif under and line.strip() and not held:
            yield _Block("heading", [line.strip()], 1 if "=" in under[1] else 2)
            index += 1
        elif line.strip():
            if re.match(r"\s*(?:[-*+]|\d{1,3}[.)])\s+\S", line) and held:
                yield _Block("text", held)
                held = []
            held.append(re.sub(r"^\s*(?:[-*+]\s+|>\s?)", "", line))
        index += 1
    if held:
        yield _Block("text", held)


def _text_blocks(lines: Sequence[str]) -> Iterator[_Block]:
    numbering = Numbering()
    held: list[str] = []
    for index, line in enumerate(lines):
        alone = (index == 0 or not lines[index - 1].strip()) and line.strip()
        if alone and (level := _text_heading(line.strip(), numbering)):
            if held:
                yield _Block("text", held)
            held = []
            yield _Block("heading", [line.strip()], level)
        elif line.strip():
            held.append(line.strip())
        elif held:
            yield _Block("text", held)
            held = []
    if held:
        yield _Block("text", held)


def _aligned(lines: Sequence[str]) -> list[list[str]]:
    """Rows of cells that stand under each other in plain text, two or more blanks apart; empty if it is no table."""
    rows = [re.split(r"\s{2,}|\t+", line.strip()) for line in lines if not re.fullmatch(r"[\s\-=_+|]+", line)]
    width = len(rows[0]) if rows else 0
    if len(rows) < 2 or width < 2 or any(len(row) != width for row in rows):
        return []
    numbers = sum(is_number(cell) for row in rows[1:] for cell in row[1:])
    return rows if numbers * 2 >= (len(rows) - 1) * (width - 1) else []


def _text_heading(line: str, numbering: Numbering) -> int:
    """The level of the heading that a line of plain text is; 0 if it is none."""
    plain = re.sub(r"^[\W\d]+", "", line)
    if len(line) > 100 or (line.endswith((".", ",", ";")) and not known_heading(plain)):
        return 0
    match = _NUMBER.fullmatch(line)
    if match and match[2][:1].isupper() and len(match[2].split()) <= 14 and numbering.accepts(match[1]):
        return match[1].count(".") + 1
    return 1 if known_heading(plain) and plain[:1].isupper() else 0


def _assemble(blocks: Sequence[_Block], title: str) -> ParsedPaper:
    paper = ParsedPaper(title=title)
    headings = [b for b in blocks if b.kind == "heading"]
    top = min((b.level for b in headings), default=1)
    only_one = sum(b.level == top for b in headings) == 1
    references: list[str] = []
    in_references = False
    shift = top
    for index, block in enumerate(blocks):
        if block.kind == "heading":
            text = plain_markdown(block.lines[0])
            if (
                block is headings[0]
                and not title
                and only_one
                and top < 3
                and not known_heading(text)
                and len(headings) > 1
            ):
                paper.title, shift = text, min((b.level for b in headings[1:]), default=top)
                continue
            section = _section(text, block.level - shift + 1)
            in_references = is_references(section.title)
            paper.sections.append(section)
        elif in_references:
            references.append("\n".join(block.lines))
        elif block.kind == "text" and (found := _text_table(block, blocks, index)) is not None:
            if CAPTION.match(block.lines[0]):
                _add_text(paper, _Block("text", [block.lines[0]]))
            paper.tables.append(found)
        elif block.kind == "table":
            if (table := _table(block.lines, _caption(blocks, index))) is not None:
                paper.tables.append(table)
        else:
            _add_text(paper, block)
    if not paper.title and len(headings) == 1 and top == 1 and not known_heading(paper.sections[0].title):
        paper.title = paper.sections[0].title
    paper.references = split_reference_text("\n\n".join(references))
    _fill(paper)
    return paper


def _section(text: str, level: int) -> Section:
    match = _NUMBER.fullmatch(text)
    if match and match[2]:
        return Section(number=match[1], title=match[2].strip(), level=min(6, match[1].count(".") + 1))
    return Section(title=text, level=max(1, min(6, level)))


def _add_text(paper: ParsedPaper, block: _Block) -> None:
    text = ""
    for line in block.lines:
        text = join_lines(text, clean(line))
    text = plain_markdown(text) if block.kind == "text" else clean(text)
    run_in = re.match(r"(?:Abstract|ABSTRACT)\s*[-—–.:]\s*(?=\S)", text)
    if run_in and len(paper.sections) < 2:
        paper.sections.append(Section(title="Abstract"))
        text = text[run_in.end() :]
    if text:
        kind = "caption" if CAPTION.match(text) or re.match(r"(?:Figure|Fig\.)\s?\d+\s*[.:]", text) else "body"
        paper.paragraphs.append(
            Paragraph.model_validate({"text": text, "section": len(paper.sections) - 1, "kind": kind})
        )


def _fill(paper: ParsedPaper) -> None:
    texts: dict[int, list[str]] = {}
    for paragraph in paper.paragraphs:
        texts.setdefault(paragraph.section, []).append(paragraph.text)
    for index, section in enumerate(paper.sections):
        section.text = "\n\n".join(texts.get(index, ()))
    named = next((s.text for s in paper.sections[:4] if s.title.lower() in ("abstract", "summary")), "")
    before = [p.text for p in paper.paragraphs if p.section == -1 and len(p.text) > 150]
    paper.abstract = named or (before[0] if before else "")
    if not paper.abstract and not paper.sections and paper.paragraphs:
        paper.abstract = "\n\n".join(p.text for p in paper.paragraphs)[:3_000]


def _caption(blocks: Sequence[_Block], index: int) -> str:
    """The caption before or after a table, else what leads to it."""
    near = [blocks[i] for i in (index - 1, index + 1) if 0 <= i < len(blocks) and blocks[i].kind == "text"]
    texts = [plain_markdown(" ".join(block.lines)) for block in near]
    return next((text for text in texts if CAPTION.match(text)), "")


def _table(lines: Sequence[str], caption: str) -> Table | None:
    raw = [_split(line) for line in lines]
    width = len(raw[0])
    rows = [[*row, *[""] * width][:width] for row in raw[1:]]
    strong = [i for i, row in enumerate(rows) if re.fullmatch(r"\*\*.+\*\*|__.+__", row[0].strip())]
    cells = [[plain_markdown(cell) for cell in row] for row in rows]
    if not cells or width < 2:
        return None
    return Table(caption=caption, header=[plain_markdown(c) for c in raw[0]], rows=cells, strong=strong)


def _text_table(block: _Block, blocks: Sequence[_Block], index: int) -> Table | None:
    """The table that a block of plain text is, with or without its caption on the first line."""
    first = 1 if CAPTION.match(block.lines[0]) and len(block.lines) > 2 else 0
    rows = _aligned(block.lines[first:])
    if not rows:
        return None
    caption = clean(block.lines[0]) if first else _caption(blocks, index)
    return Table(
        caption=caption, header=[clean(c) for c in rows[0]], rows=[[clean(c) for c in row] for row in rows[1:]]
    )


def _split(line: str) -> list[str]:
    inner = line.strip()
    inner = inner[1:] if inner.startswith("|") else inner
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner)]
