"""Papers by words: the Hub's paper pages, arXiv, Semantic Scholar, and the papers of a day.

Which source is asked depends on the filters, since not every source has every filter. One that does not answer is told
of, and the next one is asked; a filter that this one does not have is applied here where its answers allow it, and told
of as not applied otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from trainwright.graph.errors import RequestError
from trainwright.tools.lookup.values import items, mapping

from .asking import LIMIT, Asking, within
from .hub import HUB_NAME, hub_list
from .preprints import arxiv_query, arxiv_search
from .records import Paper, PapersFound
from .scholar import FIELDS, SCHOLAR, ask_scholar, paper_of

__all__ = ["search", "trending"]

STUDIES = {
    "cs": "Computer Science", "math": "Mathematics", "stat": "Mathematics", "physics": "Physics", "econ": "Economics",
    "q-bio": "Biology", "q-fin": "Economics", "eess": "Engineering", "astro-ph": "Physics", "cond-mat": "Physics",
    "gr-qc": "Physics", "hep-ex": "Physics", "hep-lat": "Physics", "hep-ph": "Physics", "hep-th": "Physics",
    "math-ph": "Physics", "nlin": "Physics", "nucl-ex": "Physics", "nucl-th": "Physics", "quant-ph": "Physics",
}  # fmt: skip
"""The field of study that Semantic Scholar knows for each archive of arXiv (https://arxiv.org/category_taxonomy)."""


@dataclass(frozen=True)
class _Wanted:
    query: str
    limit: int
    date_from: str
    date_to: str
    field: str
    min_citations: int
    sort: str

    @property
    def filtered(self) -> bool:
        return bool(self.date_from or self.date_to or self.field or self.min_citations or self.sort == "citations")

    @property
    def category(self) -> str:
        """The field as an archive or category of arXiv; empty where it is none."""
        if self.field.partition(".")[0].lower() in STUDIES:
            archive, dot, rest = self.field.partition(".")
            return archive.lower() + dot + rest
        return next((archive for archive, study in STUDIES.items() if study.lower() == self.field.lower()), "")

    @property
    def study(self) -> str:
        """The field as Semantic Scholar calls it."""
        return STUDIES.get(self.field.partition(".")[0].lower(), self.field)


def search(
    query: str,
    *,
    source: str = "",
    limit: int = 10,
    date_from: str = "",
    date_to: str = "",
    field: str = "",
    min_citations: int = 0,
    sort: str = "",
) -> PapersFound:
    """Papers for some words, best first.

    Args:
        query: words, at least 2 characters.
        source: `hub`, `arxiv`, `scholar`, `all`; empty for whichever fits the filters and answers.
        limit: 1 to 50.
        date_from, date_to: YYYY, YYYY-MM or YYYY-MM-DD; both count.
        field: a category of arXiv (cs.CL) or a field of study (Computer Science).
        min_citations: a paper has at least so many.
        sort: `date` or `citations`, most first; empty for relevance.

    Raises:
        RequestError: the query is too short.
        RemoteError: no source answers.
    """
    if len(query.strip()) < 2:
        raise RequestError("A query has at least 2 characters.")
    asking = Asking()
    wanted = _Wanted(
        " ".join(query.split()), within(limit, asking), date_from, date_to, field.strip(), min_citations, sort
    )
    papers: list[Paper] = []
    answered = False
    for name in _order(source, wanted):
        found = asking.ask(_source(name, wanted))
        if found is None:
            continue
        answered = True
        papers = _merged(papers, found)
        if source != "all" and (wanted.filtered or source or len(papers) >= wanted.limit):
            break
    if not answered:
        raise asking.failed(f"papers on {wanted.query!r}")
    if source == "all" or sort:
        papers = _sorted(papers, sort)
    return PapersFound(sources=asking.sources, notes=asking.notes, papers=papers[: wanted.limit])


def _order(source: str, wanted: _Wanted) -> tuple[str, ...]:
    if source and source != "all":
        return (source,)
    if wanted.filtered:
        return ("scholar", "arxiv", "hub")
    return ("arxiv", "scholar", "hub") if wanted.sort == "date" else ("hub", "arxiv", "scholar")


def _source(name: str, wanted: _Wanted) -> Callable[[Asking], list[Paper]]:
    ask = {"hub": _ask_hub, "arxiv": _ask_arxiv, "scholar": _ask_scholar}[name]
    return lambda asking: ask(wanted, asking)


def _ask_hub(wanted: _Wanted, asking: Asking) -> list[Paper]:
    limit = LIMIT if wanted.filtered or wanted.sort else wanted.limit
    found = hub_list(
        f"the search for {wanted.query!r}",
        "api/papers/search",
        lambda api: api.list_papers(query=wanted.query, limit=limit),
        asking,
    )
    _not_applied(
        HUB_NAME, asking, field=wanted.field, min_citations=wanted.min_citations, sort=wanted.sort == "citations"
    )
    return [paper for paper in found if _in_time(paper, wanted)]


def _ask_arxiv(wanted: _Wanted, asking: Asking) -> list[Paper]:
    question = arxiv_query(wanted.query, wanted.date_from, wanted.date_to, wanted.category)
    found = arxiv_search(question, wanted.limit, wanted.sort == "date", asking)
    missing = wanted.field if wanted.field and not wanted.category else ""
    _not_applied("arXiv", asking, field=missing, min_citations=wanted.min_citations, sort=wanted.sort == "citations")
    if wanted.category and wanted.category.lower() != wanted.field.lower():
        asking.note(f"arXiv: the field {wanted.field!r} was taken for its archive {wanted.category}.")
    return found


def _ask_scholar(wanted: _Wanted, asking: Asking) -> list[Paper]:
    orders = {"date": "publicationDate:desc", "citations": "citationCount:desc"}
    params = {
        "query": wanted.query,
        "fields": FIELDS,
        "publicationDateOrYear": f"{wanted.date_from}:{wanted.date_to}" if wanted.date_from or wanted.date_to else None,
        "fieldsOfStudy": wanted.study or None,
        "minCitationCount": wanted.min_citations or None,
    }
    if wanted.sort:
        value = ask_scholar("graph/v1/paper/search/bulk", asking, params={**params, "sort": orders[wanted.sort]})
    else:
        value = ask_scholar("graph/v1/paper/search", asking, params={**params, "limit": wanted.limit})
    if wanted.study.lower() != wanted.field.lower():
        asking.note(f"{SCHOLAR.name}: the field {wanted.field!r} was widened to {wanted.study!r}.")
    papers = (paper_of(one) for one in items(mapping(value).get("data")))
    return [paper for paper in papers if paper is not None][: wanted.limit]


def _not_applied(name: str, asking: Asking, **filters: object) -> None:
    words = {"field": "field", "min_citations": "min_citations", "sort": "sort by citations"}
    missing = [words[key] for key, value in filters.items() if value]
    if missing:
        asking.note(f"Not applied, since {name} cannot: {', '.join(missing)}.")


def _in_time(paper: Paper, wanted: _Wanted) -> bool:
    """Whether the paper's day lies between both dates, as far as each is given; one without a day does not."""
    first, last = wanted.date_from, wanted.date_to
    if not first and not last:
        return True
    return bool(paper.date) and paper.date[: len(first)] >= first and (not last or paper.date[: len(last)] <= last)


def _merged(known: list[Paper], more: list[Paper]) -> list[Paper]:
    """Both lists, each paper once: by its arXiv id or DOI, else by its title; what one lacks is taken from the other."""
    merged = {_key(paper): paper for paper in known}
    titles = {_letters(paper.title): key for key, paper in merged.items()}
    for paper in more:
        key = _key(paper)
        key = key if key in merged else titles.get(_letters(paper.title), key)
        if key in merged:
            missing = {n: v for n, v in paper.model_dump(exclude_defaults=True).items() if not getattr(merged[key], n)}
            merged[key] = merged[key].model_copy(update=missing)
        else:
            merged[key] = paper
            titles.setdefault(_letters(paper.title), key)
    return list(merged.values())


def _key(paper: Paper) -> str:
    return re.sub(r"v\d+$", "", paper.id.lower()) or _letters(paper.title)


def _letters(title: str) -> str:
    return re.sub(r"[\W_]+", "", title.lower())


def _sorted(papers: list[Paper], sort: str) -> list[Paper]:
    if sort == "date":
        return sorted(papers, key=lambda paper: paper.date, reverse=True)
    if sort == "citations":
        return sorted(papers, key=lambda paper: -1 if paper.citations is None else paper.citations, reverse=True)
    return papers


def trending(*, limit: int = 10, date: str = "") -> PapersFound:
    """The papers of a day on the Hub, those with the most votes first; without a date the ones that are trending now.

    Args:
        limit: 1 to 50.
        date: YYYY-MM-DD; or a month, YYYY-MM.

    Raises:
        RequestError: the date is neither.
        RemoteError: the Hub does not answer.
    """
    if date and len(date) < 7:
        raise RequestError("The papers of a whole year cannot be listed.", hint="Give YYYY-MM-DD or YYYY-MM.")
    asking = Asking()
    wanted = within(limit, asking)
    when = {"month" if len(date) == 7 else "date": date} if date else {"sort": "trending"}
    papers = hub_list(
        "the daily papers", "api/daily_papers", lambda api: api.list_daily_papers(limit=wanted, **when), asking
    )
    if date:
        papers = sorted(papers, key=lambda paper: paper.upvotes or 0, reverse=True)
    return PapersFound(sources=asking.sources, notes=asking.notes, papers=papers[:wanted])
