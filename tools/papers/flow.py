"""From lines in reading order to the parts of a paper: title, sections, paragraphs, captions, references.

This module sees lines of every page at once. It drops running heads and page numbers, joins lines into paragraphs
across columns and pages, and keeps for each paragraph on which page which of its characters stand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .columns import SIDE
from .glyphs import join_lines
from .headings import Heading, Numbering, is_references, is_strong, read_heading
from .pages import Line, Page
from .records import Paragraph, Section
from .tables import CAPTION

__all__ = ["Flow", "caption_lines", "drop_running_heads", "read_flow"]

_FIGURE = re.compile(r"(?:Figure|FIGURE|Fig\.|FIG\.|Algorithm|Listing)\s?(?:[A-Z]?\.?\d+|[IVX]+)\s*[.:|]?")
_NOTE_MARK = re.compile(r"(?:\d{1,2}|[*†‡§∗⇤])\s?[A-Z(h“]")
_ENDS = (".", "!", "?", ":", "”", '."', ".)")


@dataclass
class Flow:
    """The parts of a paper in reading order."""

    sections: list[Section] = field(default_factory=list)
    paragraphs: list[Paragraph] = field(default_factory=list)
    references: list[Line] = field(default_factory=list)


def drop_running_heads(pages: Sequence[Page], lines: list[list[Line]]) -> list[list[Line]]:
    """The lines of each page without what repeats at its top and bottom, and without page numbers."""
    seen: Counter[str] = Counter()
    for page, own in zip(pages, lines, strict=True):
        seen.update({_shape(line.text) for line in own if _marginal(line, page)})
    needed = max(2, min(3, len(pages) // 2 + 1)) if len(pages) > 1 else 99
    return [
        [line for line in own if not (_marginal(line, page) and _is_running(line, page, seen, needed))]
        for page, own in zip(pages, lines, strict=True)
    ]


def _marginal(line: Line, page: Page) -> bool:
    return line.y1 < 0.115 * page.height or line.y0 > 0.9 * page.height


def _is_running(line: Line, page: Page, seen: Counter[str], needed: int) -> bool:
    if re.fullmatch(r"[-–—\s]*(?:page )?\d{1,5}(?: ?(?:of|/) ?\d{1,4})?[-–—\s]*|[ivx]{1,5}", line.text, re.I):
        return True
    return seen[_shape(line.text)] >= needed and not (line.page == 1 and line.size > 13)


def _shape(text: str) -> str:
    return re.sub(r"\d+", "0", text.lower()).strip()


def caption_lines(lines: Sequence[Line], start: int) -> int:
    """How many lines the caption that begins at `start` has."""
    first = lines[start]
    count = 1
    while start + count < len(lines) and count < 16:
        last, line = lines[start + count - 1], lines[start + count]
        gap = line.y0 - last.y1
        ended = last.text.endswith((".", "]", ")")) and last.x1 < first.right - 0.12 * (first.right - first.left)
        pitch = lines[start + 1].y0 - first.y0 if count > 1 else 0.0
        uneven = bool(pitch) and line.y0 - last.y0 > 1.25 * pitch
        apart = abs(line.size - first.size) > 0.4 or line.column != first.column or gap > 0.55 * first.height
        if apart or ended or uneven or line.y0 < last.y0 or CAPTION.match(line.text) or _FIGURE.match(line.text):
            break
        count += 1
    return count


def read_flow(pages: Sequence[Page], lines: Sequence[Sequence[Line]], body: float, skip: set[int]) -> Flow:
    """The parts of a paper.

    Args:
        pages: the pages.
        lines: of each page, in reading order, without tables and running heads.
        body: size of the running text in points.
        skip: `id` of lines that belong to the title and the authors.
    """
    reader = _Reader(body, Flow())
    every = [[line for line in own if id(line) not in skip] for own in lines]
    numbered = _is_numbered([line for own in every for line in own], body)
    for page, own in zip(pages, every, strict=True):
        reader.read(page, own, numbered)
    reader.close()
    return reader.flow


def _is_numbered(lines: Sequence[Line], body: float) -> bool:
    numbering = Numbering()
    for line in lines:
        if line.column != SIDE:
            read_heading(line, body, numbering)
    return numbering.count >= 3


class _Reader:
    """What has been read so far: the open paragraph and the section it belongs to."""

    def __init__(self, body: float, flow: Flow) -> None:
        self.body = body
        self.flow = flow
        self.numbering = Numbering()
        self.open: Paragraph | None = None
        self.last: Line | None = None
        self.in_references = False

    def read(self, page: Page, lines: Sequence[Line], numbered: bool) -> None:
        """The lines of one page."""
        index = 0
        while index < len(lines):
            line = lines[index]
            if CAPTION.match(line.text) or (_FIGURE.match(line.text) and self._begins_caption(line)):
                count = caption_lines(lines, index)
                self._add_caption(lines[index : index + count])
                index += count
                continue
            if self._is_note(line, page):
                count = self._note_length(lines, index, page)
                self._add_caption(lines[index : index + count], "footnote")
                index += count
                continue
            if line.column == SIDE:
                count = self._side_length(lines, index)
                self._add_caption(lines[index : index + count], "footnote")
                index += count
                continue
            heading = read_heading(line, self.body, self.numbering) or (None if numbered else self._by_type(line))
            if heading is not None:
                index += self._take_heading(heading, lines, index)
                continue
            self._take_text(line)
            index += 1

    def _begins_caption(self, line: Line) -> bool:
        match = _FIGURE.match(line.text)
        assert match is not None
        return match[0].rstrip()[-1:] in ".:|" or line.bold > 0.1 or line.text[match.end() :].strip()[:1].isupper()

    def _is_note(self, line: Line, page: Page) -> bool:
        small = line.size < 0.93 * self.body and line.y0 > 0.5 * page.height
        return small and not self.in_references and (line.superscript or bool(_NOTE_MARK.match(line.text)))

    def _note_length(self, lines: Sequence[Line], start: int, page: Page) -> int:
        count = 1
        while start + count < len(lines):
            line, last = lines[start + count], lines[start + count - 1]
            same = line.column == last.column and line.y0 > last.y0 and line.size < 0.93 * self.body
            if not same or line.y0 - last.y1 > line.height or self._is_note(line, page):
                break
            count += 1
        return count

    def _side_length(self, lines: Sequence[Line], start: int) -> int:
        """How many lines of small print beside the text belong together."""
        count = 1
        while (
            start + count < len(lines) and lines[start + count].y0 - lines[start + count - 1].y1 < lines[start].height
        ):
            count += 1
        return count

    def _by_type(self, line: Line) -> Heading | None:
        """In a paper without numbers: a short line that is larger, and bold or at the edge; or bold and alone."""
        text = line.text
        words = text.split()
        if not 1 <= len(words) <= 14 or not text[0].isupper() or text.endswith((".", ",", ";")) or self.in_references:
            return None
        if re.search(r"[=¼∑∏∫<>]|[ðÞ]", text) or any(len(w) == 1 and w not in "AI&" for w in words[1:]):
            return None
        if sum(c.isalpha() for c in text) < 0.6 * len(text.replace(" ", "")) or sum(c.isalpha() for c in text) < 4:
            return None
        if line.size > 1.12 * self.body and (line.bold > 0.6 or line.size > 1.25 * self.body):
            return Heading("", text, 1 if line.size > 1.4 * self.body else 2)
        if line.size > 1.15 * self.body and abs(line.x0 - line.left) < 0.3 * self.body and len(words) <= 10:
            return Heading("", text, 3)
        if line.bold > 0.9 and abs(line.size - self.body) < 0.12 * self.body:
            return Heading("", text, 3)
        return None

    def _take_heading(self, heading: Heading, lines: Sequence[Line], index: int) -> int:
        """Open the section; returns how many lines the heading has."""
        self._finish()
        first, count, title = lines[index], 1, heading.title
        while not heading.rest and index + count < len(lines) and count < 4:
            line, last = lines[index + count], lines[index + count - 1]
            alike = abs(line.size - first.size) < 0.3 and abs(line.bold - first.bold) < 0.3 and line.caps == first.caps
            beside = line.column == first.column and 0 <= line.y0 - last.y0 < 1.7 * first.height
            long = last.x1 > last.left + 0.6 * (last.right - last.left)
            if not (alike and beside and long and is_strong(line, self.body)):
                break
            if read_heading(line, self.body, Numbering()) is not None and re.match(r"[\dA-Z]+[. ]", line.text):
                break
            title = join_lines(title, line.text)
            count += 1
        self.in_references = is_references(heading.title)
        self.flow.sections.append(
            Section(number=heading.number, title=title, level=min(6, heading.level), page=first.page)
        )
        self.last = None
        if heading.rest:
            self._start(heading.rest, first)
        return count

    def _add_caption(self, lines: Sequence[Line], kind: str = "caption") -> None:
        text = ""
        for line in lines:
            text = join_lines(text, line.text)
        paragraph = Paragraph.model_validate(
            {"text": text, "page": lines[0].page, "section": len(self.flow.sections) - 1, "kind": kind}
        )
        self.flow.paragraphs.append(paragraph)

    def _take_text(self, line: Line) -> None:
        if self.in_references:
            self.flow.references.append(line)
            return
        if self._is_stray(line):
            return
        if self.open is None or self._breaks(line):
            self._finish()
            self._start(line.text, line)
            return
        joined = join_lines(self.open.text, line.text)
        if self.last is not None and line.page != self.last.page:
            self.open.breaks.append((max(0, len(joined) - len(line.text)), line.page))
        self.open.text = joined
        self.last = line

    def _is_stray(self, line: Line) -> bool:
        """Letters inside a figure: small, few, and none of the running text."""
        if re.search(r"[A-Za-z]{2}", line.text) is None and abs(line.size - self.body) > 0.08 * self.body:
            return True
        return (
            line.size < 0.88 * self.body
            and len(line.text.split()) <= 4
            and line.x1 - line.x0 < 0.5 * (line.right - line.left)
        )

    def _breaks(self, line: Line) -> bool:
        """Whether a line begins a paragraph."""
        last = self.last
        if last is None:
            return True
        indent = line.x0 - line.left
        indented = 0.7 * line.size < indent < 5 * line.size and last.x0 - last.left < 0.5 * line.size
        ended = (self.open is not None and self.open.text.endswith(_ENDS)) and last.x1 < last.right - line.size
        if line.page != last.page or line.column != last.column or line.y0 < last.y0 - 2:
            return (self.open is not None and self.open.text.endswith(_ENDS)) and (indented or ended)
        gap = line.y0 - last.y1
        far = gap > 0.75 * last.height
        other = abs(line.size - last.size) > 0.12 * self.body
        return (
            far
            or (indented and self.open is not None and self.open.text.endswith(_ENDS))
            or other
            or (ended and line.x0 - line.left < 0.5 * line.size and gap > 0.35 * last.height)
        )

    def _start(self, text: str, line: Line) -> None:
        self.open = Paragraph(text=text, page=line.page, section=len(self.flow.sections) - 1)
        self.last = line

    def _finish(self) -> None:
        if self.open is not None and self.open.text.strip():
            self.flow.paragraphs.append(self.open)
        self.open = None

    def close(self) -> None:
        """Put the last paragraph in place, and each paragraph's text into its section."""
        self._finish()
        texts: dict[int, list[str]] = {}
        for paragraph in self.flow.paragraphs:
            if paragraph.kind != "footnote":
                texts.setdefault(paragraph.section, []).append(paragraph.text)
        for index, section in enumerate(self.flow.sections):
            section.text = "\n\n".join(texts.get(index, ()))
