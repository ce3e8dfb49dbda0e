"""Data of which an engineer must not see more than the training rows: those on which the run it works for is scored.

Whoever calls a lookup for an engineer sets `withheld`; the lookups of data sets obey it. Terminal and programs leave it
empty. What is guarded is what lookups show of that repository or path; a copy of the data under another name is not
known to be one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from urllib.parse import unquote

__all__ = [
    "any_on_the_hub",
    "is_withheld_hub",
    "is_withheld_path",
    "names_of",
    "names_withheld",
    "training_only",
    "withheld",
]

withheld: ContextVar[frozenset[str]] = ContextVar("withheld", default=frozenset())
"""Names of repositories on the Hub, in lower case, without configuration and revision; and absolute paths."""

TRAINING = ("train", "training")
TEST = ("test", "testing")
"""Names of splits as a run takes them: see `trainwright.tools.datasets.hub_source`."""


def names_of(spec: str) -> frozenset[str]:
    """What stands for the data of a request: the repository that it names, or its path as it is written."""
    from trainwright.tools.datasets.hub_source import parse_hub

    hub = parse_hub(spec)
    return frozenset({hub.repo.lower()} if hub else {spec} if spec else ())


def is_withheld_hub(*names: str) -> bool:
    """Whether a data set of the Hub is withheld, given names that lead to it.

    Each name, also a withheld one, can be an old one of the same data set: the Hub is asked what it is called now.

    Raises:
        RemoteError: the Hub does not say what one of them is called, so that nobody knows.
    """
    held = {name for name in withheld.get() if _is_repository(name)}
    own = {name.lower() for name in names}
    if not held or own & held:
        return bool(held and own)
    now = {_now_called(name) for name in held}
    return any(_now_called(name) in now for name in own)


def any_on_the_hub() -> bool:
    """Whether a data set of the Hub is withheld."""
    return any(map(_is_repository, withheld.get()))


def _is_repository(name: str) -> bool:
    from trainwright.tools.lookup.names import is_hub_id

    return is_hub_id(name) and not Path(name).exists()


def _now_called(name: str) -> str:
    from trainwright.graph.errors import NotFound, RemoteError

    from .hub import describe

    try:
        return describe(name).id.lower()
    except NotFound:
        return name  # nothing else can lead to what does not exist
    except RemoteError as error:
        message = f"Whether this leads to the run's own data cannot be told: {error.message}"
        raise type(error)(message, hint=error.hint) from error


def names_withheld(address: str) -> bool:
    """Whether an address or the name of a repository leads to a withheld data set of the Hub, as far as its words tell."""
    words = address
    for _ in range(3):  # percent signs can be quoted themselves
        words = unquote(words)
    return any(
        "/" in name and re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", words.lower())
        for name in withheld.get()
        if _is_repository(name)
    )


def is_withheld_path(path: Path) -> bool:
    """Whether a file or folder is withheld, holds what is, lies in it, or is a part of it (`NAME_test.csv` of `NAME`)."""
    own = path.expanduser().resolve()
    for name in withheld.get():
        held = Path(name).expanduser().resolve()
        part = not held.exists() and own.parent == held.parent and own.name.startswith(held.name)
        if part or own.is_relative_to(held) or held.is_relative_to(own):
            return True
    return False


def training_only(splits: Mapping[str, Sequence[str]], config: str, split: str, revision: str = "") -> bool:
    """Whether values of a split of withheld data may be shown.

    They may if it is the training split of a configuration with a test split of its own, and every other configuration
    has one too: a run divides what has none itself, and then any row may be one that it is scored on. Of another
    revision nothing is known.

    Args:
        splits: configuration to its splits.
    """
    divided = [any(name.lower() in TEST for name in names) for names in splits.values()]
    return not revision and split.lower() in TRAINING and config in splits and bool(divided) and all(divided)
