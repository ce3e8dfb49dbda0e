"""The paper pages of the Hugging Face Hub, through `huggingface_hub`: search, the papers of a day, what is linked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from trainwright.graph.errors import RemoteError
from trainwright.tools.lookup.hub import asking_the_hub
from trainwright.tools.lookup.names import is_arxiv_id
from trainwright.tools.lookup.values import line

from .asking import Asking
from .records import Item, Paper
from .values import address, authors_line, count, day_of

__all__ = ["HUB_NAME", "hub_info", "hub_items", "hub_list", "hub_text"]

HUB_NAME = "Hugging Face papers"
ABSTRACT = 300


def hub_list(what: str, path: str, ask: Callable[[Any], Iterable[Any]], asking: Asking) -> list[Paper]:
    """Papers that the Hub lists; if its answer is damaged in the middle, those before, and a note.

    Args:
        what: what is asked for, in messages.
        path: where, for the source.
        ask: asks the client.
    """
    found: list[Paper] = []
    try:
        with asking_the_hub(what) as hub:
            for info in ask(hub.api):
                paper = _paper(info)
                if paper is not None:
                    found.append(paper)
    except RemoteError as error:
        if not found:
            raise
        asking.note(f"{error.message} The papers before the damage are used.")
    asking.sources.append(hub.source(path, HUB_NAME))
    return found


def _paper(info: Any) -> Paper | None:
    arxiv = line(info.id, 40)
    if not is_arxiv_id(arxiv):
        return None
    return Paper(
        id=arxiv,
        title=line(info.title),
        authors=authors_line(line(author.name, 80) for author in info.authors or ()),
        date=day_of(info.published_at),
        abstract=line(info.summary, ABSTRACT),
        upvotes=count(info.upvotes),
        code=address(info.github_repo),
    )


def hub_info(arxiv: str, asking: Asking) -> Any:
    """What the Hub knows of a paper (`PaperInfo`).

    Raises:
        RemoteError: it does not know it, or does not answer.
    """
    with asking_the_hub(f"paper {arxiv}") as hub:
        info = hub.api.paper_info(arxiv)
        if info.id != arxiv:
            raise ValueError("another paper")
    asking.sources.append(hub.source(f"papers/{arxiv}", HUB_NAME))
    return info


def hub_text(arxiv: str, asking: Asking) -> str:
    """The paper as the Markdown that the Hub makes of arXiv's HTML; its page's own HTML where there is none.

    Raises:
        RemoteError: it does not know it, or does not answer.
    """
    with asking_the_hub(f"the text of paper {arxiv}") as hub:
        text = str(hub.api.read_paper(arxiv))
    asking.sources.append(hub.source(f"papers/{arxiv}.md", HUB_NAME))
    return text


def hub_items(kind: str, arxiv: str, limit: int, asking: Asking) -> list[Item]:
    """The repositories or collections of a kind that name a paper; the most used first, one more than `limit`.

    Raises:
        RemoteError: the Hub does not answer.
    """
    wanted, found = limit + 1, []
    with asking_the_hub(f"the {kind} of paper {arxiv}") as hub:
        if kind == "collections":
            entries = hub.api.list_collections(item=f"papers/{arxiv}", sort="upvotes", limit=wanted)
        else:
            ask = getattr(hub.api, f"list_{kind}")
            sort = "likes" if kind == "spaces" else "downloads"
            entries = ask(filter=f"arxiv:{arxiv}", sort=sort, limit=wanted)
        found = [_item(entry, kind) for entry in entries]
    asking.sources.append(hub.source(f"api/{kind}", f"Hugging Face {kind}"))
    return found


def _item(entry: Any, kind: str) -> Item:
    if kind == "collections":
        return Item(id=line(entry.slug, 200), title=line(entry.title, 120), likes=count(entry.upvotes))
    return Item(
        id=line(entry.id, 200),
        likes=count(entry.likes),
        downloads=count(getattr(entry, "downloads", None)),
        task=line(getattr(entry, "pipeline_tag", None), 60),
        gated=bool(getattr(entry, "gated", False)),
    )
