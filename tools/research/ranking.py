"""The order of recipes: what is evidenced, fits, and can be repeated stands first. A pure function."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .finding import Recipe

__all__ = ["ranked"]


def ranked(recipes: Sequence[Recipe], question: str) -> list[Recipe]:
    """The recipes, the best first; those that are equal in all of this stay in their order.

    In this order counts: a result (its number stands in a quote that was read), a data set that the question names, code,
    settings, how many quotes there are, the year, and citations.
    """
    words = set(_words(question))

    def key(one: Recipe) -> tuple[bool, bool, bool, bool, int, int, int]:
        named = _words(one.dataset)
        return (
            one.value is None,
            not (named and set(named) <= words),
            not one.code,
            not one.hyperparameters,
            -len(one.sources),
            -(one.year or 0),
            -(one.citations or 0),
        )

    return sorted(recipes, key=key)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())
