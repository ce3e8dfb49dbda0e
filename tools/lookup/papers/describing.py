"""All that the Hub, arXiv and Semantic Scholar know of one paper; and what on the Hub is linked to it."""

from __future__ import annotations

from typing import Any

from trainwright.graph.errors import NotFound
from trainwright.tools.lookup.found import cut
from trainwright.tools.lookup.names import is_arxiv_id
from trainwright.tools.lookup.values import items, line, mapping, texts

from .asking import Asking, within
from .hub import hub_info, hub_items
from .ids import PaperId, paper_id
from .preprints import arxiv_record
from .records import DetailsFound, LinkedFound
from .scholar import FIELDS, ask_scholar
from .values import address, count, day_of

__all__ = ["details", "linked"]

MORE = f"{FIELDS},referenceCount,fieldsOfStudy,s2FieldsOfStudy,openAccessPdf,tldr"
ABSTRACT, AUTHORS = 3_000, 20
KINDS = ("datasets", "models", "spaces", "collections")
KIND_SECONDS = 18.0
"""For what is asked about each kind of thing that is linked."""


def details(id: str) -> DetailsFound:  # noqa: A002  # as the argument of the operation is called
    """What is known of a paper: Semantic Scholar's, arXiv's and the Hub's knowledge together.

    Args:
        id: an arXiv id, a DOI, an id of Semantic Scholar, or the address of a page of theirs.

    Raises:
        RequestError: it names no paper.
        NotFound: nobody knows it.
        RemoteError: nobody answers.
    """
    wanted, asking = paper_id(id), Asking()
    found = DetailsFound(id=wanted.bare)
    graph = asking.ask(
        lambda a: ask_scholar(f"graph/v1/paper/{wanted.scholar_path}", a, params={"fields": MORE}), quiet=True
    )
    if graph is not None:
        _add_graph(found, mapping(graph))
    if wanted.kind == "arxiv":
        found.arxiv_id = wanted.bare
    if found.arxiv_id:
        record = asking.ask(
            lambda a: arxiv_record(wanted.value if wanted.kind == "arxiv" else found.arxiv_id, a), quiet=True
        )
        if record is not None:
            _add_arxiv(found, record)
        info = asking.ask(lambda a: hub_info(found.arxiv_id, a), quiet=True)
        if info is not None:
            _add_hub(found, info)
    if not found.title:
        raise asking.failed(str(wanted))
    if len(found.authors) > AUTHORS:
        found.authors = [*found.authors[:AUTHORS], f"and {len(found.authors) - AUTHORS} more"]
    found.abstract = cut(found.abstract, ABSTRACT)
    return found.model_copy(update={"sources": asking.sources, "notes": asking.notes})


def _add_graph(found: DetailsFound, graph: Any) -> None:
    names = mapping(graph.get("externalIds"))
    arxiv = line(names.get("ArXiv"), 40)
    found.arxiv_id = arxiv if is_arxiv_id(arxiv) else ""
    found.doi = line(names.get("DOI"), 220)
    found.scholar_id = line(graph.get("paperId"), 60)
    found.title = line(graph.get("title"))
    found.authors = [name for author in items(graph.get("authors")) if (name := line(author.get("name"), 80))]
    found.abstract = line(graph.get("abstract"), 10_000)
    found.published = day_of(graph.get("publicationDate")) or day_of(graph.get("year"))
    studies = [study.get("category") for study in items(graph.get("s2FieldsOfStudy"))]
    found.fields = list(dict.fromkeys(texts(graph.get("fieldsOfStudy"), 10, 60) + texts(studies, 10, 60)))
    found.venue = line(graph.get("venue"), 150)
    found.citations, found.influential = count(graph.get("citationCount")), count(graph.get("influentialCitationCount"))
    found.references = count(graph.get("referenceCount"))
    found.summary = line(mapping(graph.get("tldr")).get("text"), 500)
    found.pdf = address(mapping(graph.get("openAccessPdf")).get("url"))


def _add_arxiv(found: DetailsFound, record: Any) -> None:
    """arXiv is right about its own papers; the rest is filled in."""
    found.title = line(record.title) or found.title
    found.authors = [name for author in record.authors if (name := line(author.name, 80))] or found.authors
    found.abstract = line(record.summary, 10_000) or found.abstract
    found.published, found.updated = day_of(record.published), day_of(record.updated)
    found.categories = texts([record.primary_category, *record.categories], 10, 40)
    found.comment = line(record.comment)
    found.venue = found.venue or line(record.journal_ref, 150)
    found.doi = found.doi or line(record.doi, 220)
    found.pdf = f"https://arxiv.org/pdf/{found.arxiv_id}"
    found.html = f"https://arxiv.org/html/{found.arxiv_id}"


def _add_hub(found: DetailsFound, info: Any) -> None:
    found.title = found.title or line(info.title)
    found.authors = found.authors or [name for author in info.authors or () if (name := line(author.name, 80))]
    found.abstract = found.abstract or line(info.summary, 10_000)
    found.published = found.published or day_of(info.published_at)
    found.upvotes, found.code_stars = count(info.upvotes), count(info.github_stars)
    found.code, found.project = address(info.github_repo), address(info.project_page)
    found.summary = found.summary or line(info.ai_summary, 500)
    found.keywords = texts(info.ai_keywords, 12, 60)


def linked(id: str, *, kind: str = "all", limit: int = 10) -> LinkedFound:  # noqa: A002
    """The data sets, models, Spaces and collections of the Hub that name a paper, and its code.

    Args:
        id: an arXiv id, or an id or address from which it can be told.
        kind: one of these kinds, or `all`.
        limit: of each kind, 1 to 50.

    Raises:
        RequestError: it names no paper of arXiv.
        RemoteError: the Hub does not answer.
    """
    asking = Asking()
    wanted = within(limit, asking)
    found = LinkedFound(id=_arxiv_of(paper_id(id), asking))
    info = asking.ask(lambda a: hub_info(found.id, a), quiet=True, seconds=KIND_SECONDS)
    if info is not None:
        found.code, found.code_stars = address(info.github_repo), count(info.github_stars)
        found.project = address(info.project_page)
    answered = info is not None
    for name in KINDS if kind == "all" else (kind,):
        listed = asking.ask(
            lambda a, name=name: hub_items(name, found.id, wanted, a),  # type: ignore[misc]
            seconds=KIND_SECONDS,
        )
        if listed is None:
            continue
        answered = True
        if len(listed) > wanted:
            asking.note(f"There are more than {wanted} {name}.")
        setattr(found, name, listed[:wanted])
    if not answered:
        raise asking.failed(f"what is linked to arXiv:{found.id}")
    return found.model_copy(update={"sources": asking.sources, "notes": asking.notes})


def _arxiv_of(wanted: PaperId, asking: Asking) -> str:
    """The arXiv id of a paper, by which the Hub knows it."""
    if wanted.kind == "arxiv":
        return wanted.bare
    graph = ask_scholar(f"graph/v1/paper/{wanted.scholar_path}", asking, params={"fields": "externalIds"})
    arxiv = line(mapping(mapping(graph).get("externalIds")).get("ArXiv"), 40)
    if not is_arxiv_id(arxiv):
        raise NotFound(f"{wanted} is not on arXiv, and the Hub knows papers by their arXiv id.")
    return arxiv
