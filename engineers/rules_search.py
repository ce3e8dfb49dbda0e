"""The built-in engineer where no data were given: it looks on the Hub for what fits, and asks the person.

What was found is named in the question and nothing of it is taken: which data a run uses is a person's decision. Where
nothing can be asked (no network, a service down), the question is asked all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trainwright.tools.lookup.names import is_arxiv_id, is_hub_id
from trainwright.tools.toolbox import Workbench

from .recipes import Answers, Call

__all__ = ["data_wanted"]

WHICH = "Which data? A file, a folder, sklearn:NAME, or a Hub data set owner/name."
NAMED = 5
"""Data sets that a question names at most."""


def data_wanted(bench: Workbench, answers: Answers) -> Call:
    """The next call on the way to the question which data are to be used."""
    asked = {*answers.good, *answers.bad}
    paper, words = _paper(bench), _words(bench)
    if paper and "papers" not in asked:
        wanted = {"operation": "linked", "id": paper, "kind": "datasets", "limit": NAMED}
        return Call("papers", wanted, "Which data sets belong to the paper?")
    if words and "datasets" not in asked and not list(_found(answers)):
        wanted = {"operation": "search", "query": words, "limit": NAMED}
        return Call("datasets", wanted, "Which data sets of the Hub may fit?")
    names = list(dict.fromkeys(_found(answers)))[:NAMED]
    if not names:
        return Call("ask", {"key": "data", "text": WHICH})
    text = f"{WHICH} On the Hub there are {', '.join(names)}: found by name, not looked into."
    return Call("ask", {"key": "data", "text": text}, "A person decides which data are used.")


def _paper(bench: Workbench) -> str:
    given = bench.brief.arxiv_id if bench.brief else ""
    return given if is_arxiv_id(given) else ""


def _words(bench: Workbench) -> str:
    """What to search for: the first data set that the paper names, else the goal."""
    named = next(iter(bench.brief.datasets), "") if bench.brief else ""
    words = " ".join((named or bench.request.goal).split())[:80]
    return words if len(words) > 1 else ""


def _found(answers: Answers) -> Iterator[str]:
    """Names of data sets in the answers; what is no name of the Hub is left out."""
    for tool in ("papers", "datasets"):
        good = answers.good.get(tool)
        items: Any = good.get("datasets", []) if isinstance(good, dict) else []
        for item in items if isinstance(items, list) else []:
            name = item.get("id") if isinstance(item, dict) else None
            if isinstance(name, str) and "/" in name and is_hub_id(name):
                yield name
