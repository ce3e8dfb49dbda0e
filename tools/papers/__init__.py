"""Papers: fetch, read, extract. See `sources`, `reading` and `facts`."""

from __future__ import annotations

from .facts import extract
from .lookup import find_section, quote_in
from .reading import parse_paper
from .records import PaperFacts, PaperSource, ParsedPaper, Section, Table
from .sources import fetch_paper

__all__ = [
    "PaperFacts",
    "PaperSource",
    "ParsedPaper",
    "Section",
    "Table",
    "extract",
    "fetch_paper",
    "find_section",
    "parse_paper",
    "quote_in",
]
