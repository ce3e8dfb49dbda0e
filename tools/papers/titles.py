"""The title of a paper, from the type of its first page, checked against the file's metadata; never made up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .glyphs import join_lines
from .headings import known_heading
from .pages import Line, Page

__all__ = ["FrontMatter", "find_front", "letters_of", "plausible_title"]

_NO_TITLE = re.compile(
    r"(?i)arxiv:|published (?:as|in)|under review|preprint|proceedings|journal of|workshop|conference|vol(?:ume|\.)?\s?\d"
    r"|doi:|https?://|www\.|©|copyright|research article|open access|^review$|^article$|^letter$|^insight|received|issn"
    r"|accepted|submitted to|technical report|transactions on|^\W*\d+\W*$"
)
_JUNK = re.compile(
    r"(?i)untitled|microsoft word|\.(?:docx?|tex|pdf|dvi|indd)\b|^title$|^paper$|^manuscript|arxiv:|^doi:"
)


@dataclass(frozen=True)
class FrontMatter:
    """What stands above the abstract.

    Attributes:
        title: as printed; empty when it cannot be told.
        authors: the line below it.
        lines: the lines of both, which are no running text.
    """

    title: str
    authors: str
    lines: tuple[Line, ...]


def letters_of(text: str) -> str:
    """Only the letters and digits, in lower case: for comparing titles."""
    return re.sub(r"[\W_]+", "", text.lower())


def plausible_title(text: str) -> bool:
    """Whether a file's metadata could hold a title at all."""
    return 8 <= len(letters_of(text)) <= 300 and not _JUNK.search(text) and len(text.split()) >= 2


def find_front(page: Page, lines: Sequence[Line], body: float, metadata: str) -> FrontMatter:
    """Title and authors of the page on which the paper begins.

    Args:
        page: that page.
        lines: its lines in reading order.
        body: size of the running text in points.
        metadata: title that the file's metadata state; used only where the page prints the same words.
    """
    end = next((i for i, line in enumerate(lines) if _begins_text(line)), len(lines))
    top = [line for line in lines[:end] if line.y0 < 0.6 * page.height]
    group = _like(top, metadata) if plausible_title(metadata) else []
    group = group or _largest(top, body, page.height)
    if not group:
        return FrontMatter("", "", ())
    title = ""
    for line in group:
        title = join_lines(title, line.text)
    title = re.sub(r"(?<=[\w?!)])\s*[∗*†‡§⇤]+$", "", title).strip()
    if plausible_title(metadata) and letters_of(metadata) == letters_of(title) and title.isupper():
        title = metadata.strip()
    last = max(lines.index(line) for line in group)
    below = [line for line in lines[last + 1 : end] if line.y0 < 0.7 * page.height]
    authors = below[0].text if below else ""
    front = list(lines[: last + 1]) + [line for line in below if _is_front(line, below, body)]
    return FrontMatter(title, authors, tuple(front))


def _begins_text(line: Line) -> bool:
    plain = re.sub(r"^[\W\d]+", "", line.text)
    if re.match(r"(?:Abstract|ABSTRACT|A B S T R A C T|Summary)\b", plain):
        return True
    return known_heading(plain) and (line.bold > 0.5 or line.caps or line.text[0].isdigit())


def _is_front(line: Line, below: Sequence[Line], body: float) -> bool:
    """Authors and addresses: everything above the abstract, but long paragraphs of running text."""
    long = [x for x in below if x.x1 - x.x0 > 0.85 * (x.right - x.left) and abs(x.size - body) < 0.06 * body]
    return len(long) < 4 or line.y1 < long[0].y0


def _like(top: Sequence[Line], metadata: str) -> list[Line]:
    """The lines that together print what the metadata say."""
    wanted = letters_of(metadata)
    for start in range(len(top)):
        text, group = "", []
        for line in top[start : start + 6]:
            text += letters_of(line.text)
            group.append(line)
            if text == wanted:
                return group
            if not wanted.startswith(text):
                break
    return []


def _largest(top: Sequence[Line], body: float, height: float) -> list[Line]:
    """The lines in the largest type that can be a title."""
    for size in sorted({round(line.size, 1) for line in top}, reverse=True):
        seeds = [i for i, line in enumerate(top) if abs(line.size - size) < 0.3 and not _NO_TITLE.search(line.text)]
        if not seeds:
            continue
        group = [top[seeds[0]]]
        for line in top[seeds[0] + 1 :]:
            near = line.y0 - group[-1].y1 < 1.1 * group[-1].height and line.y0 > group[-1].y0
            alike = abs(line.size - size) < 0.06 * size and abs(line.bold - group[0].bold) < 0.5
            if not alike or line.caps != group[0].caps or not near or len(group) == 6:
                break
            group.append(line)
        words = " ".join(line.text for line in group).split()
        letters = len(letters_of("".join(words)))
        if re.match(r"\d{1,2}(?:\.\d{1,2})*\.? [A-Z][a-z]", " ".join(words)) and group[0].y0 > 0.2 * height:
            continue  # the heading of a section on a page whose top is lost
        set_apart = size > 1.12 * body or all(line.bold > 0.6 for line in group) or all(line.caps for line in group)
        if set_apart and letters >= 8 and 2 <= len(words) <= 40:
            return group
        if size <= body:
            break
    return []
