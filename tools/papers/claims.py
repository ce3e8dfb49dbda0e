"""What a claim is beside its numbers: whose it is, what it was scored on, and what the rest of the paper says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from trainwright.graph.state import Claim

from .vocabulary import methods_in

__all__ = ["CITED", "OWN", "Context", "RankedClaim", "is_own", "rank_of", "split_named", "tidy_method"]

CITED = re.compile(
    r"\[\d{1,3}(?:\s*[,–-]\s*\d{1,3})*\]|\(?\b[A-Z][\w'’-]+(?: et al\.?,?| (?:and|&) [A-Z][\w'’-]+,?),? ?\(?(?:19|20)\d\d[a-z]?\)?"
    r"|et al\.|\((?:[A-Z][\w'’-]+,? )?(?:19|20)\d\d[a-z]?\)"
)
OWN = re.compile(
    r"\b(?:ours?|this (?:paper|work|study)|proposed|our (?:method|model|approach|system|network))\b", re.IGNORECASE
)
_SPLITS = (
    (r"\b(\d{1,2})[- ]?fold(?: cross[- ]?validation| CV)?", "fold"),
    (r"\bleave[- ]one[- ](?:\w+[- ])?out\b", "leave-one-out"),
    (r"\bcross[- ]?validat|\bCV\b", "cross-validation"),
    (r"\b(?:validation|development|dev|val)\b(?: (?:sets?|accuracy|error|data))?", "validation"),
    (r"\btest(?:ing)?\b|\bhold-?out\b|\bheld[- ]out\b|\bnewstest", "test"),
    (r"\btrain(?:ing)?\b (?:accuracy|error|set accuracy|set error|loss|frame)", "train"),
)


@dataclass(frozen=True)
class Context:
    """What the rest of the paper says.

    Attributes:
        metric: the one that the paper speaks of, where there is only one kind; or nothing.
        dataset: the only data set of the paper, or nothing.
        own: names of the paper's own methods, in lower case.
        main: the method that the paper proposes or mainly uses, as it names it.
        datasets: every data set that the paper names.
        splits: data set in lower case to how it is scored.
        sections: section to the one data set that its title names.
        metrics: every metric that the paper names.
        classifies: the paper is about classification.
        about: caption (start of it) to the sentences that speak of the table.
    """

    metric: str = ""
    dataset: str = ""
    own: tuple[str, ...] = ()
    main: str = ""
    datasets: tuple[str, ...] = ()
    splits: dict[str, str] = field(default_factory=dict)
    sections: dict[int, str] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    classifies: bool = False
    about: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RankedClaim:
    """A claim and how much it is the paper's own: 0 own, 1 unmarked, 2 cited."""

    claim: Claim
    rank: int


def split_named(text: str) -> str:
    """What a phrase says results were scored on; empty if it says nothing."""
    for pattern, name in _SPLITS:
        match = re.search(pattern, text, re.IGNORECASE)
        if match:
            return f"{match[1]}-fold cross-validation" if name == "fold" else name
    return ""


def tidy_method(text: str) -> str:
    """A method's name without its citation and marks."""
    bare = CITED.sub("", text)
    bare = re.sub(r"\(\s*[,;]?\s*\)|\[\s*\]", "", bare)
    bare = re.sub(r"\s*\(\s*(?:ours?|this (?:paper|work)|proposed)\s*\)", "", bare, flags=re.IGNORECASE)
    bare = re.sub(r"^[+\s]*(?=[A-Za-z])|[\s*†‡§∗,;:]+$", "", bare) if not bare.startswith("+ ") else bare
    return re.sub(r"\s+", " ", bare).strip() or text.strip()


def rank_of(method: str, text: str, strong: bool, split: str, context: Context) -> int:
    if OWN.search(text):
        return 0
    if CITED.search(text):
        return 2
    return 0 if (strong or is_own(method, context)) and split != "train" else 1


def is_own(method: str, context: Context) -> bool:
    """Whether a name is that of a method of the paper's own, or of the family of its main one."""
    lower = method.lower()
    if any(lower == name or re.search(rf"(?<!\w){re.escape(name)}(?!\w)", lower) for name in context.own):
        return True
    main, named = methods_in(context.main), methods_in(method)
    if not main or not named or main[0].key != named[0].key or main[0].key == "neural network":
        return False
    return _kernel(context.main) in ("", _kernel(method)) or not _kernel(method)


def _kernel(text: str) -> str:
    match = re.search(r"(?i)\b(linear|poly)|\b(RBF|radial|Gaussian)", text)
    return "" if match is None else match[1].lower() if match[1] else "rbf"
