"""Example scripts and notebooks of a repository, found by where they lie and what they are called. None is read."""

from __future__ import annotations

import re

from trainwright.tools.lookup.found import cut

from .names import ENOUGH, closeness, words_of
from .places import place_of
from .records import Entry, FilesFound
from .trees import tree_of

__all__ = ["examples", "weight"]

FOLDERS = {
    1.0: ("example", "examples", "sample", "samples", "demo", "demos", "notebook", "notebooks", "tutorial", "tutorials",
          "recipe", "recipes", "cookbook", "cookbooks", "quickstart", "getting_started", "howto"),
    0.8: ("script", "scripts", "training", "train", "finetune", "finetuning", "fine_tuning", "experiments", "experiment",
          "projects", "research", "guides", "guide", "case_studies", "playground", "lessons", "course", "courses"),
    0.5: ("docs", "doc", "bin", "cli", "tools", "benchmarks", "benchmark", "reproduce", "configs", "examples_tests"),
}  # fmt: skip
"""How much the name of a folder says that its files are examples."""

KINDS = {"ipynb": 1.0, "py": 1.0, "sh": 0.8, "yaml": 0.6, "yml": 0.6, "md": 0.5}
TEST = re.compile(
    r"(?:^|/)(?:tests?|__pycache__|node_modules|\.github)/|(?:^|/)(?:test_[^/]*|__init__|conftest|setup)\.py$"
)
LIKELY = re.compile(
    r"(?:^|/)(?:train|run|finetune|fine_tune|example|demo|main|quickstart)[^/]*\.(?:py|sh|ipynb)$", re.I
)
"""Scripts that are examples wherever they lie."""


def weight(path: str) -> float:
    """How much a path looks like an example, from 0 to 1."""
    kind = KINDS.get(path.rpartition(".")[2].lower(), 0.0)
    if not kind or TEST.search(path):
        return 0.0
    folders = [folder.lower().replace("-", "_") for folder in path.split("/")[:-1]]
    place = max((value for value, names in FOLDERS.items() for folder in folders if folder in names), default=0.0)
    return kind * max(place, 0.6 if LIKELY.search(path) else 0.0)


def examples(repo: str, *, keyword: str = "", limit: int = 10) -> FilesFound:
    """Example scripts and notebooks, best first.

    Args:
        repo: owner/name, a repository of the Hub (`hf:owner/name`), or an address, which may name branch and folder.
        keyword: words that the path should hold, or nearly hold.
        limit: at most 50.

    Raises:
        RequestError: it names no repository.
        NotFound: there is no such repository; similar ones are named.
        RemoteError: GitHub or the Hub refuses or is down.
    """
    place = place_of(repo)
    listing = tree_of(place)
    files = [entry for entry in listing.entries if not entry.folder and weight(entry.path) > 0]
    below = [entry for entry in files if not place.path or entry.path.startswith(f"{place.path}/")]
    scored = [(_score(entry.path, keyword), entry) for entry in below]
    fitting = sorted((one for one in scored if one[0] > 0), key=lambda one: (-one[0], _order(one[1].path)))
    notes = [*listing.notes]
    if keyword and below and not fitting:
        notes.append(f"Of {len(below):,} examples none has a name like {cut(keyword, 80)!r}.")
    return FilesFound(
        repo=place.shown, path=place.path, ref=listing.ref, total=len(fitting), sources=listing.sources, notes=notes,
        entries=[Entry(path=entry.path, size=entry.size) for _, entry in fitting[:limit]],
    )  # fmt: skip


def _score(path: str, keyword: str) -> float:
    if not keyword:
        return weight(path)
    near = closeness(path, keyword)
    if near < ENOUGH:
        return 0.0
    name = set(words_of(path.rpartition("/")[2]))
    return 2 * near + weight(path) + 0.5 * bool(name & set(words_of(keyword)))


def _order(path: str) -> tuple[int, str]:
    return path.count("/"), path.lower()
