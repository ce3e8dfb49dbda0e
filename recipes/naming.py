"""Which recipe a method's name means, as papers and people write it.

The longest words win over shorter ones that they cover ("NB-SVM" is not "SVM"), then what is named first. A name that
speaks of another method (a convolutional network, a deep forest) is no match, however familiar its other words are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

from .values import plain

__all__ = ["Found", "find_method"]

Kind = Literal["name", "bare", "relative"]

OTHERS = re.compile(
    r"convolution|convnet|\bcnns?\b|\bdcnns?\b|\blstms?\b|\bbi ?lstm|\brnns?\b|\bgrus?\b|recurrent|recursive|transformer|"
    r"attention|\bw?[a-z]*bert\b|\broberta\b|\bgpt|\bllms?\b|auto ?encoder|adversarial|\bgans?\b|\bgraph|\bgcns?\b|"
    r"\bdtw\b|time warping|quantum|diffusion|deep forest|gc ?forest|isolation forest|rotation forest|survival|"
    r"kernel ridge|gaussian process|one class|least squares (?:svm|support)|\bls ?svm|twin|fuzzy|spiking|capsule|"
    r"\bresnet|\bvgg|\bdeep belief|boltzmann|ladder network|highway|memory network|word2vec|glove|embedding|federated|"
    r"bayesian (?:neural|logistic|linear|ridge)|monte carlo|\bmc dropout|dropout|maxout|distill|\bfew shot|semi supervised|"
    r"transductive|structured|latent dirichlet|multiple instance|multiple kernel|online|incremental|reservoir|"
    r"quantile|conditional|causal|oblique|soft decision|neural decision|neural tree|hoeffding"
)
"""Words of methods that no recipe has."""

REJECTED = re.compile(
    r"(?:\bnot?|\bthan|\binstead of|\bunlike|\bbeat(?:s|ing)?|\boutperform\w*|\bwithout|\bexcept|\bversus|\bvs\.?|\bover)"
    r"(?: (?:an?|the|any|using))*\s*$"
)
"""What stands before a method that is only compared with, or not wanted."""

QUALIFIERS = re.compile(
    r"\b(?:an?|the|our|own|plain|standard|simple|classical?|classic|baseline|tuned|default|classifiers?|regressors?|models?|"
    r"methods?|algorithms?|approach|learners?|with|using|on|over|and|of|for|from|in|by|features?|inputs?|raw|pixels?|"
    r"tf ?idf|bag of (?:words|n ?grams)|bow|n ?grams?|uni ?grams?|bi ?grams?|tri ?grams?|words?|char(?:acter)?s?|"
    r"sklearn|scikit|learn|libsvm|liblinear|trees?|estimators?|neighbou?rs?|uni|bi|\(|\))\b"
)
"""Words that do not change which method is meant."""

LONGEST_NAME = 7
"""Words; what has more is a sentence that names a method, not a name."""


class Named(Protocol):
    """What is needed of a recipe."""

    @property
    def name(self) -> str:
        """Stable name."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Patterns that always mean it."""
        ...

    @property
    def bare(self) -> Mapping[str, Sequence[str]]:
        """Patterns that mean it for one modality."""
        ...

    @property
    def relatives(self) -> Sequence[str]:
        """Patterns of methods to which it is the nearest."""
        ...


@dataclass(frozen=True)
class Found:
    """A method in a text.

    Attributes:
        words: those that name it.
        exact: the text says nothing more than that.
    """

    recipe: str
    words: str
    start: int
    kind: Kind
    exact: bool = True


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{text})(?![a-z0-9])")


def find_method(text: str, recipes: Sequence[Named], modality: str) -> Found | None:
    """The recipe that `text` means, or None.

    Args:
        text: a name such as `SVM (RBF kernel)`, or a sentence.
    """
    wanted = plain(text)
    name = len(wanted.split()) <= LONGEST_NAME
    if name and OTHERS.search(wanted):
        return None
    found: list[Found] = []
    for recipe in recipes:
        found += _all(wanted, recipe, modality)
    kept: list[Found] = []
    order: dict[Kind, int] = {"name": 0, "bare": 1, "relative": 2}
    for one in sorted(found, key=lambda f: (-len(f.words), order[f.kind], f.start)):
        if all(one.start >= k.start + len(k.words) or k.start >= one.start + len(one.words) for k in kept):
            kept.append(one)
    kept = [one for one in kept if not _spoken_against(wanted, one)]
    if not kept:
        return None
    best = min(kept, key=lambda f: f.start)
    exact = best.kind != "relative" and (not name or _says_no_more(wanted, best))
    return Found(best.recipe, best.words, best.start, best.kind, exact)


def _all(wanted: str, recipe: Named, modality: str) -> list[Found]:
    groups: list[tuple[Kind, Sequence[str]]] = [
        ("name", recipe.names),
        ("bare", recipe.bare.get(modality, ())),
        ("relative", recipe.relatives),
    ]
    return [
        Found(recipe.name, match.group(), match.start(), kind)
        for kind, patterns in groups
        for pattern in patterns
        for match in _pattern(pattern).finditer(wanted)
    ]


def _spoken_against(wanted: str, one: Found) -> bool:
    """Whether the words before it say that it is not wanted, or name another method as its kind."""
    before = wanted[max(0, one.start - 40) : one.start]
    return bool(REJECTED.search(before)) or bool(OTHERS.search(before.split(",")[-1].split(".")[-1][-24:] + one.words))


def _says_no_more(wanted: str, best: Found) -> bool:
    """Whether only settings and words without meaning are left beside the method's own."""
    rest = wanted[: best.start] + " " + wanted[best.start + len(best.words) :]
    rest = re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", rest)
    rest = re.sub(r"[\w.]*\s*=\s*[\w.+-]+", " ", rest)
    return not re.sub(r"[\d\W]+", "", QUALIFIERS.sub(" ", rest))
