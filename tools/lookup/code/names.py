"""How well names of files fit words: for examples, for a search without a token, and for a path that is not there."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache

__all__ = ["closeness", "near_paths", "rank_paths", "words_of"]

ENOUGH = 0.75
"""Closeness from which a name fits: one letter of five may differ."""


def words_of(text: str) -> list[str]:
    """The words of a name, in small letters: `examples/trainDPO_v2.py` has examples, train, dpo, v2, py."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text[:400])
    return [word.lower() for word in re.findall(r"[A-Za-z]+[0-9]*|[0-9]+", parted)]


def closeness(path: str, keyword: str) -> float:
    """How well a path fits some words, from 0 to 1: each word counts by the part of the path that is nearest to it."""
    wanted = words_of(keyword)
    if not wanted:
        return 0.0
    have, flat = words_of(path), path.lower()
    return sum(1.0 if word in flat else _nearest(word, have) for word in wanted) / len(wanted)


def _nearest(word: str, have: list[str]) -> float:
    near = (one for one in have if abs(len(one) - len(word)) <= len(word) // 2)  # the rest cannot be near enough
    return max((_likeness(one, word) for one in near), default=0.0)


@lru_cache(maxsize=2**16)
def _likeness(one: str, other: str) -> float:
    """From 0 to 1; kept, since the paths of a large repository share most of their words."""
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def rank_paths(paths: list[str], keyword: str) -> list[str]:
    """The paths that fit, best first; of equals the shorter ones first."""
    scored = [(closeness(path, keyword), path) for path in paths]
    fitting = [(score, path) for score, path in scored if score >= ENOUGH]
    return [path for _, path in sorted(fitting, key=lambda one: (-one[0], one[1].count("/"), len(one[1]), one[1]))]


def near_paths(paths: list[str], wanted: str, most: int = 5) -> list[str]:
    """Paths that a mistaken one may have meant: of the same name first, then alike ones."""
    name = wanted.rpartition("/")[2].lower()
    same = [path for path in paths if path.rpartition("/")[2].lower() == name]
    alike = difflib.get_close_matches(wanted, paths[:5_000], n=most, cutoff=0.6)
    return list(dict.fromkeys([*same, *alike]))[:most]
