"""Running text, cut into sentences that know their page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .records import ParsedPaper

__all__ = ["Sentence", "sentences_of", "split_sentences", "window"]

_SHORT = (
    "et al", "e.g", "i.e", "cf", "vs", "fig", "figs", "eq", "eqs", "sec", "tab", "ref", "refs", "resp", "approx", "no",
    "dr", "mr", "ms", "prof", "st", "w.r.t", "etc", "viz", "al", "app", "ch", "vol", "pp", "max", "min", "avg", "acc",
)  # fmt: skip
_END = re.compile(r"(?<=[.!?])[\"”’')\]]*\s+(?=[\"“‘'(\[]?[A-Z0-9])")
SENTENCE_LIMIT = 1_500
"""Characters; what goes on for longer without a full stop is cut, so that no pattern runs for long."""

QUOTE_LIMIT = 400
"""Characters of a quote, as `Quote` has it."""


@dataclass(frozen=True)
class Sentence:
    """A sentence, its page, and where it stands.

    Attributes:
        section: index in `ParsedPaper.sections`, -1 before the first.
        paragraph: index in `ParsedPaper.paragraphs`.
    """

    text: str
    page: int | None
    section: int
    paragraph: int
    kind: str


def split_sentences(text: str) -> list[tuple[int, str]]:
    """The sentences of a paragraph with their offsets."""
    out: list[tuple[int, str]] = []
    start = 0
    for match in _END.finditer(text):
        before = text[start : match.start()].rstrip("\"”’')]")
        word = re.split(r"[\s(]", before.rstrip("."))[-1].lower()
        if word in _SHORT or before.endswith("et al.") or re.search(r"(?:^|[\s(])[A-Z]\.$", before):
            continue
        out.append((start, text[start : match.start()]))
        start = match.end()
    out.append((start, text[start:]))
    return [piece for offset, sentence in out if sentence.strip() for piece in _cut(offset, sentence)]


def _cut(offset: int, sentence: str) -> Iterator[tuple[int, str]]:
    while len(sentence) > SENTENCE_LIMIT:
        place = sentence.rfind(" ", 1, SENTENCE_LIMIT)
        place = place if place > 0 else SENTENCE_LIMIT
        yield offset, sentence[:place]
        offset, sentence = offset + place, sentence[place:]
    yield offset, sentence


def sentences_of(paper: ParsedPaper) -> Iterator[Sentence]:
    """Every sentence of the running text, captions and footnotes, in reading order."""
    for index, paragraph in enumerate(paper.paragraphs):
        for offset, text in split_sentences(paragraph.text):
            yield Sentence(text, paragraph.page_at(offset), paragraph.section, index, paragraph.kind)


def window(text: str, start: int, end: int, limit: int = QUOTE_LIMIT) -> str:
    """The text, or the words around `start:end` where it has more than `limit` characters."""
    if len(text) <= limit:
        return text.strip()
    room = max(0, limit - (end - start)) // 2
    low, high = max(0, start - room), min(len(text), end + room)
    while low > 0 and low < start and not text[low - 1].isspace():
        low += 1
    while high < len(text) and high > end and not text[high].isspace():
        high -= 1
    return text[low:high].strip()[:limit]
