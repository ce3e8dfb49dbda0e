"""Finding things in a paper that was read: a section by name, a quote by its words."""

from __future__ import annotations

import re
import unicodedata

from .records import ParsedPaper, Section

__all__ = ["find_section", "quote_in", "row_quote"]

_QUOTE_SIGNS = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-"})
SHORTEST_QUOTE = 3
"""Letters and digits that a quote has at least."""


def find_section(parsed: ParsedPaper, name: str) -> Section | None:
    """The section of a number ("4.1"), a title ("Experiments"), both, or a part of a title ("setup"); or None.

    A whole title comes before a part of one, and an earlier section before a later one.
    """
    wanted = re.sub(r"(?i)^\s*(?:section|sec\.|appendix|§)\s*(?=\S)", "", name).strip().rstrip(".")
    if not wanted:
        return None
    number = re.match(r"(?:\d{1,2}|[A-Z])(?:\.\d{1,2})*(?=$|[.\s])", wanted)
    if number:
        match = next((s for s in parsed.sections if s.number.rstrip(".") == number[0]), None)
        rest = wanted[number.end() :].strip(" .")
        if match is not None and (not rest or _plain(rest) in _plain(match.title)):
            return match
        if match is None and not rest:
            return None
    plain = _plain(wanted)
    if not plain:
        return None
    titles = [(section, _plain(section.title)) for section in parsed.sections]
    for fits in (
        lambda title: title == plain,
        lambda title: title.rstrip("s") == plain.rstrip("s"),
        lambda title: f" {plain} " in f" {title} ",
        lambda title: plain in title,
        lambda title: set(plain.split()) <= set(title.split()),
    ):
        found = next((section for section, title in titles if fits(title)), None)
        if found is not None:
            return found
    return None


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def quote_in(parsed: ParsedPaper, quote: str) -> bool:
    """Whether the words of a quote stand in the paper in this order; white space, dashes and quote signs aside.

    References do not count: what they say is not what the paper says. A row of a table is quoted with its cells
    joined by ` | `.
    """
    bare = _bare(quote)
    if sum(c.isalnum() for c in bare) < SHORTEST_QUOTE:
        return False
    return bare in _everything(parsed)


def row_quote(cells: list[str]) -> str:
    """A row of a table as a quote: its filled cells, at most 400 characters."""
    text = ""
    for cell in cells:
        if not cell:
            continue
        longer = f"{text} | {cell}" if text else cell
        if len(longer) > 400:
            break
        text = longer
    return text[:400]


def _bare(text: str) -> str:
    return re.sub(r"[\s|]+", "", unicodedata.normalize("NFKC", text).translate(_QUOTE_SIGNS))


def _everything(parsed: ParsedPaper) -> str:
    if parsed._bare is None:
        parts = [parsed.title, parsed.abstract]
        parts += [f"{s.number} {s.title}" for s in parsed.sections]
        parts += [p.text for p in parsed.paragraphs]
        for table in parsed.tables:
            parts += [table.caption, " ".join(table.header), *(" ".join(row) for row in table.rows)]
        parsed._bare = "\n".join(_bare(part) for part in parts)
    return parsed._bare
