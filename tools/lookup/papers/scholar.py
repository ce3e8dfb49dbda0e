"""Semantic Scholar: the graph of papers and its API (https://api.semanticscholar.org/api-docs/).

A key, if there is one, goes to this service alone. Every field of an answer may be missing or null.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trainwright.graph.errors import RemoteError
from trainwright.tools.http import Service, fetch_json
from trainwright.tools.http.service import DAY
from trainwright.tools.lookup.names import is_arxiv_id
from trainwright.tools.lookup.values import items, line, mapping

from .asking import Asking
from .records import Paper
from .values import authors_line, count, day_of

__all__ = ["FIELDS", "SCHOLAR", "ask_scholar", "paper_of"]

SCHOLAR = Service("Semantic Scholar", "https://api.semanticscholar.org", variable="TRAINWRIGHT_S2_URL", pause=1.0)

KEYS = ("S2_API_KEY", "SEMANTIC_SCHOLAR_API_KEY")
PAUSE_WITH_KEY = 0.1
SECONDS = 30.0
"""For one answer, all tries together."""

LARGEST = 32 * 2**20
"""Bytes of an answer: a bulk search gives a thousand papers at once."""

ABSTRACT = 300
FIELDS = "title,authors,year,publicationDate,venue,abstract,citationCount,influentialCitationCount,externalIds"


def ask_scholar(path: str, asking: Asking, *, json: Any = None, params: Mapping[str, Any] | None = None) -> Any:
    """What the API says, read as JSON; it is added to the sources.

    Args:
        path: of the API, with checked ids only.
        json: a body; the request is a POST then.
        params: the query.

    Raises:
        RemoteError: it did not answer with JSON.
    """
    key = next((os.environ[name].strip() for name in KEYS if os.environ.get(name, "").strip()), "")
    service = replace(SCHOLAR, pause=PAUSE_WITH_KEY) if key else SCHOLAR
    value, answer = fetch_json(
        path,
        service=service,
        method="GET" if json is None else "POST",
        json=json,
        params=params,
        headers={"x-api-key": key} if key else None,
        limit=LARGEST,
        seconds=SECONDS,
        age=DAY,
    )
    asking.sources.append(answer.source())
    if not isinstance(value, dict | list):
        raise RemoteError(f"{SCHOLAR.name} sent an answer of an unknown form.", hint="Try again later.")
    return value


def paper_of(value: Any) -> Paper | None:
    """A paper as the API describes it; None where it has neither a title nor an id."""
    known = mapping(value)
    names = mapping(known.get("externalIds"))
    arxiv, doi, own = line(names.get("ArXiv"), 40), line(names.get("DOI"), 220), line(known.get("paperId"), 60)
    number = names.get("CorpusId", known.get("corpusId"))
    corpus = f"CorpusId:{line(str(number), 20)}" if number is not None else ""
    paper_id = (arxiv if is_arxiv_id(arxiv) else "") or doi or own or corpus
    title = line(known.get("title"))
    if not title and not paper_id:
        return None
    return Paper(
        id=paper_id,
        title=title,
        authors=authors_line(line(author.get("name"), 80) for author in items(known.get("authors"))),
        date=day_of(known.get("publicationDate")) or day_of(known.get("year")),
        abstract=line(known.get("abstract"), ABSTRACT),
        venue=line(known.get("venue"), 100),
        citations=count(known.get("citationCount")),
        influential=count(known.get("influentialCitationCount")),
    )
