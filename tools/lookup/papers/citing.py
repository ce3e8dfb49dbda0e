"""The graph of citations, passages of texts, and recommendations: what Semantic Scholar alone knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainwright.graph.errors import RequestError
from trainwright.tools.lookup.values import items, line, mapping, texts

from .asking import Asking, within
from .ids import paper_id
from .records import Citation, CitationsFound, Paper, PapersFound, Snippet, SnippetsFound
from .scholar import FIELDS, SCHOLAR, ask_scholar, paper_of

__all__ = ["citations", "recommend", "snippets"]

EDGES = "contexts,intents,isInfluential"
LOOKED_AT = 200
"""Neighbours that are fetched, so that the influential ones among them can come first."""

CONTEXTS, CONTEXT = 2, 200
SNIPPET = 400
FORM = {"references": "citedPaper", "citations": "citingPaper"}


def citations(id: str, *, direction: str = "both", limit: int = 10) -> CitationsFound:  # noqa: A002
    """The papers that a paper cites and those that cite it: influential ones first, then the most cited.

    Args:
        id: an arXiv id, a DOI or an id of Semantic Scholar.
        direction: `references` (what it cites), `citations` (what cites it) or `both`.
        limit: of each direction, 1 to 50.

    Raises:
        RequestError: it names no paper.
        RemoteError: Semantic Scholar does not answer, or does not know it.
    """
    wanted, asking = paper_id(id), Asking()
    count = within(limit, asking)
    found = CitationsFound(id=wanted.bare)
    for name in ("references", "citations") if direction == "both" else (direction,):
        value = asking.ask(
            lambda a, name=name: ask_scholar(  # type: ignore[misc]
                f"graph/v1/paper/{wanted.scholar_path}/{name}",
                a,
                params={"fields": f"{EDGES},{FIELDS}", "limit": max(LOOKED_AT, count)},
            )
        )
        if value is not None:
            setattr(found, name, _neighbours(mapping(value), name, count, asking))
    if not asking.sources:
        raise asking.failed(f"the citations of {wanted}")
    return found.model_copy(update={"sources": asking.sources, "notes": asking.notes})


def _neighbours(value: Any, name: str, count: int, asking: Asking) -> list[Citation]:
    edges = [edge for one in items(value.get("data")) if (edge := _edge(one, FORM[name])) is not None]
    if value.get("data") is None:
        asking.note(f"{SCHOLAR.name} has no {name} of this paper, or may not show them.")
    edges.sort(key=lambda edge: (not edge.influential, -(edge.paper.citations or 0)))
    if value.get("next"):
        asking.note(f"There are more {name}: the first {len(edges)} that {SCHOLAR.name} gives were looked at.")
    if len(edges) > count:
        asking.note(f"{count} of these {len(edges)} {name} are shown.")
    return edges[:count]


def _edge(value: Any, key: str) -> Citation | None:
    paper = paper_of(value.get(key))
    if paper is None:
        return None
    return Citation(
        paper=paper.model_copy(update={"abstract": ""}),
        influential=value.get("isInfluential") is True,
        intents=texts(value.get("intents"), 5, 40),
        contexts=texts(value.get("contexts"), CONTEXTS, CONTEXT),
    )


def snippets(query: str, *, limit: int = 10, ids: Sequence[str] = ()) -> SnippetsFound:
    """Passages of papers' full texts that fit some words, best first.

    Args:
        query: words, at least 2 characters.
        limit: 1 to 50.
        ids: only of these papers.

    Raises:
        RequestError: the query is too short, or an id names no paper.
        RemoteError: Semantic Scholar does not answer.
    """
    if len(query.strip()) < 2:
        raise RequestError("A query has at least 2 characters.")
    asking = Asking()
    params = {
        "query": " ".join(query.split()),
        "limit": within(limit, asking),
        "paperIds": ",".join(paper_id(one).scholar for one in ids) or None,
    }
    value = mapping(ask_scholar("graph/v1/snippet/search", asking, params=params))
    found = [made for one in items(value.get("data")) if (made := _snippet(one)) is not None]
    known = _known_papers([one.paper.id for one in found], asking)
    for one in found:
        one.paper = known.get(one.paper.id, one.paper)
    return SnippetsFound(sources=asking.sources, notes=asking.notes, snippets=found)


def _snippet(value: Any) -> Snippet | None:
    about, said = mapping(value.get("paper")), mapping(value.get("snippet"))
    text = line(said.get("text"), SNIPPET)
    listed = about.get("authors")
    names = [mapping(name).get("name", name) for name in listed] if isinstance(listed, list) else []
    paper = paper_of({**about, "authors": [{"name": name} for name in names]})
    if not text or paper is None:
        return None
    return Snippet(
        paper=paper, text=text, section=line(said.get("section"), 120), kind=line(said.get("snippetKind"), 20)
    )


def _known_papers(ids: Sequence[str], asking: Asking) -> dict[str, Paper]:
    """Date, citations and arXiv id of the papers that passages come from, in one request."""
    wanted = list(dict.fromkeys(one for one in ids if one.startswith("CorpusId:")))
    if not wanted:
        return {}
    value = asking.ask(
        lambda a: ask_scholar(
            "graph/v1/paper/batch", a, json={"ids": wanted}, params={"fields": FIELDS.replace("abstract,", "")}
        )
    )
    papers = [paper_of(one) for one in value] if isinstance(value, list) else []
    return {one: paper for one, paper in zip(wanted, papers, strict=False) if paper is not None}


def recommend(ids: Sequence[str], *, negative_ids: Sequence[str] = (), limit: int = 10) -> PapersFound:
    """Papers like the given ones.

    Args:
        ids: papers that the wanted ones are like.
        negative_ids: papers that they are not like.
        limit: 1 to 50.

    Raises:
        RequestError: there are no ids, or one names no paper.
        RemoteError: Semantic Scholar does not answer.
    """
    liked, disliked = [paper_id(one) for one in ids], [paper_id(one) for one in negative_ids]
    if not liked:
        raise RequestError("Recommendations need at least one paper.", hint="Give ids.")
    asking = Asking()
    params = {"fields": FIELDS, "limit": within(limit, asking)}
    if len(liked) == 1 and not disliked:
        path = f"recommendations/v1/papers/forpaper/{liked[0].scholar_path}"
        value = ask_scholar(path, asking, params=params)
    else:
        body = {
            "positivePaperIds": [one.scholar for one in liked],
            "negativePaperIds": [one.scholar for one in disliked],
        }
        value = ask_scholar("recommendations/v1/papers/", asking, json=body, params=params)
    papers = [paper for one in items(mapping(value).get("recommendedPapers")) if (paper := paper_of(one)) is not None]
    return PapersFound(sources=asking.sources, notes=asking.notes, papers=papers[: int(str(params["limit"]))])
