"""Cover sheets that archives put in front of a paper: ResearchGate, JSTOR, repositories of universities."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .pages import Page

__all__ = ["count_covers"]

_SIGNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"researchgate",
        r"see discussions, stats, and author profiles",
        r"all content following this page was uploaded by",
        r"\breads\b.{0,40}\bcitations\b|\bcitations\b.{0,40}\breads\b",
        r"\bjstor\b",
        r"stable url",
        r"your use of the jstor archive",
        r"terms and conditions of use",
        r"(?:institutional|research|digital|open) (?:access )?repository",
        r"(?:downloaded|available) (?:from|at):?\s*https?://",
        r"this is (?:an|the) (?:author|accepted|pre-?print|post-?print|open access)[\w -]{0,40}(?:version|manuscript|article)",
        r"(?:accepted|published|author'?s?) (?:manuscript|version)",
        r"citation (?:for published version|\(apa\)|of this)|please cite (?:this|the)|to cite this (?:article|version)",
        r"take ?down policy|general rights|copyright (?:and|&) (?:reuse|permission)",
        r"hal (?:id|archives|is a multi-disciplinary)|citeseerx|eprints|dspace|core\.ac\.uk|pure\b.{0,20}portal",
        r"view publication stats|link to (?:published|publication)|document (?:version|status)",
    )
)
_PAPER = re.compile(r"\b(?:abstract|introduction|keywords)\b", re.IGNORECASE)


def count_covers(pages: Sequence[Page]) -> int:
    """How many pages at the front are cover sheets; never all of them."""
    count = 0
    while count < min(2, len(pages) - 1) and _is_cover(pages[count]):
        count += 1
    return count


def _is_cover(page: Page) -> bool:
    text = " ".join(word.text for word in page.words)
    signs = sum(bool(sign.search(text)) for sign in _SIGNS)
    words = len(page.words)
    return (signs >= 3 and words < 700) or (signs >= 2 and words < 350 and not _PAPER.search(text))
