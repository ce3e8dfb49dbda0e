"""arXiv's search and records, through the `arxiv` package (https://info.arxiv.org/help/api/user-manual.html).

How often arXiv may be asked is held by the HTTP client for the whole machine, not by the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import NotFound, RemoteError, RemoteUnavailable
from trainwright.tools.lookup.found import Source
from trainwright.tools.lookup.values import line
from trainwright.tools.papers.arxiv_source import ARXIV, arxiv_client, check_same

from .asking import Asking
from .records import Paper
from .values import authors_line, day_of

if TYPE_CHECKING:
    from trainwright.tools.http import Adapter

__all__ = ["arxiv_query", "arxiv_record", "arxiv_search"]

ABSTRACT = 300
_OPERATORS = re.compile(r"\b(?:ti|au|abs|co|jr|cat|rn|all):|\b(?:AND|OR|ANDNOT)\b")
_LITTLE = frozenset(
    ("a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with")
)  # fmt: skip


def arxiv_query(words: str, date_from: str = "", date_to: str = "", category: str = "") -> str:
    """A question in arXiv's own language.

    Args:
        words: all of them must occur; "several words" in quotation marks stand together; a question that is in arXiv's
            language already stays as it is.
        date_from, date_to: YYYY, YYYY-MM or YYYY-MM-DD of the first version; both days count.
        category: such as cs.CL, or cs for the whole archive.
    """
    if _OPERATORS.search(words):
        parts = [f"({words})"]
    else:
        phrases = [found[0] or found[1] for found in re.findall(r'"([^"]+)"|([^\s"]+)', words)]
        plain = [" ".join(re.findall(r"[\w.+-]+", phrase)).strip(".+-") for phrase in phrases]
        kept = [p for p in plain if p and p.lower() not in _LITTLE] or [p for p in plain if p]
        parts = [f'all:"{p}"' if re.search(r"[\s-]", p) else f"all:{p}" for p in kept] or [f"all:{words}"]
    if category:
        parts.append(f"cat:{category}" if "." in category else f"(cat:{category} OR cat:{category}.*)")
    if date_from or date_to:
        first, last = _moment(date_from or "1991", "0101", "0000"), _moment(date_to or "2199", "1231", "2359")
        parts.append(f"submittedDate:[{first} TO {last}]")
    return " AND ".join(parts)


def _moment(day: str, rest: str, time: str) -> str:
    digits = day.replace("-", "")
    return digits + rest[len(digits) - 4 :] + time


def arxiv_search(query: str, limit: int, by_date: bool, asking: Asking) -> list[Paper]:
    """Papers for a question in arXiv's language.

    Raises:
        RemoteError: arXiv does not answer, or does not understand.
    """
    import arxiv

    sort = arxiv.SortCriterion.SubmittedDate if by_date else arxiv.SortCriterion.Relevance
    search = arxiv.Search(query=query, max_results=limit, sort_by=sort)
    with _client("the search", limit) as (client, adapter):
        found = list(client.results(search))
    asking.sources.append(_source(adapter, ARXIV.address("api/query")))
    return [_paper(result) for result in found]


def arxiv_record(arxiv_id: str, asking: Asking) -> Any:
    """What arXiv says of a paper (`arxiv.Result`).

    Raises:
        NotFound: it has no such paper.
        RemoteError: it does not answer.
    """
    import arxiv

    with _client(f"arXiv:{arxiv_id}", 1) as (client, adapter):
        result = next(client.results(arxiv.Search(id_list=[arxiv_id], max_results=1)), None)
    if result is None or not result.title or result.title == "Error":
        raise NotFound(f"arXiv has no paper {arxiv_id}.", hint="Check the id, such as 1408.5882.")
    check_same(result, arxiv_id)
    asking.sources.append(_source(adapter, f"https://arxiv.org/abs/{arxiv_id}"))
    return result


def _source(adapter: Adapter, address: str) -> Source:
    answers = adapter.answers
    cached, stale = all(answer.cached for answer in answers), any(answer.stale for answer in answers)
    return Source(name=ARXIV.name, address=address, cached=cached, stale=stale)


@contextmanager
def _client(what: str, page: int) -> Iterator[tuple[Any, Adapter]]:
    """The package's client on our transport, with the adapter that knows what came; its errors become ours."""
    import arxiv
    import requests

    try:
        yield arxiv_client(page)
    except arxiv.HTTPError as error:
        if error.status == 404:
            raise NotFound(f"arXiv has nothing for {what}.", hint="Check the id, such as 1408.5882.") from error
        raise RemoteError(f"arXiv refuses {what} (HTTP {error.status}).", hint="Say it with other words.") from error
    except (arxiv.ArxivError, ValueError, AttributeError) as error:
        raise RemoteError(f"arXiv sent a malformed answer for {what}.", hint="Try again later.") from error
    except requests.RequestException as error:
        raise RemoteUnavailable(f"arXiv cannot be reached for {what}: {type(error).__name__}.") from error


def _paper(result: Any) -> Paper:
    return Paper(
        id=re.sub(r"v\d+$", "", line(result.get_short_id(), 40)),
        title=line(result.title),
        authors=authors_line(line(author.name, 80) for author in result.authors),
        date=day_of(result.published),
        abstract=line(result.summary, ABSTRACT),
        venue=line(result.journal_ref, 100),
    )
