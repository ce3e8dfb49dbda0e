"""Which column a paper says that it predicts: "we predict whether a passenger survived", "the response is `income`".

Only a column that exists can be named, and only in a sentence that speaks of predicting; what follows "from", "with" or
"using" are inputs and methods. The answer fills a field of the plan, with its words, and a person sees it at the gate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Stated", "stated_target"]

LONGEST = 200_000
"""Characters of a paper that are looked at: what it predicts is said early."""

SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`“\"])|\n{2,}")
AIM = re.compile(
    r"(?i)\b(?:predict(?:s|ed|ing|ion of)?|classif(?:y|ies|ying)|estimat(?:e|es|ing)|forecast(?:s|ing)?|model(?:s|led|ling)?"
    r"|explain(?:s|ed|ing)?|regress(?:es|ed)?|(?:response|target|dependent|outcome|predicted) (?:variable|column|attribute|is)"
    r"|(?:target|response|outcome|label)(?=:))\b"
)
PASSIVE = re.compile(
    r"(?i)\b(?:is|are|was|were|to be) (?:predicted|classified|the (?:target|response|outcome|label))\b"
)
INPUTS = re.compile(r"(?i)\s(?:from|using|based on|given|with|by means of|by)\s")
PLAIN = 3
"""Letters that a name needs to count without quotes or brackets around it: `y` and `id` stand in any text."""


class Stated(NamedTuple):
    """A column, and the words that name it (at most 160 characters)."""

    column: str
    words: str


def stated_target(text: str, columns: Sequence[str]) -> Stated | None:
    """The one column that a text says is predicted, or None where it names none or several alike."""
    points: dict[str, int] = {}
    words: dict[str, str] = {}
    for sentence in SENTENCE.split(text[:LONGEST]):
        for region in _regions(" ".join(sentence.split())):
            for column in columns:
                value = _mention(column, region)
                points[column] = points.get(column, 0) + value
                if value and column not in words:
                    words[column] = region[:160].strip()
    ranked = sorted(((n, name) for name, n in points.items() if n), reverse=True)
    if not ranked or (len(ranked) > 1 and ranked[0][0] < 2 * ranked[1][0]):
        return None
    return Stated(ranked[0][1], words[ranked[0][1]])


def _regions(sentence: str) -> list[str]:
    """The parts of a sentence that say what is predicted."""
    found = []
    if (aim := AIM.search(sentence)) is not None:
        rest = sentence[aim.start() :]
        stop = INPUTS.search(rest, aim.end() - aim.start())
        found.append(rest[: stop.start()] if stop else rest)
    elif (passive := PASSIVE.search(sentence)) is not None:
        found.append(sentence[: passive.end()])
    return found


def _mention(column: str, region: str) -> int:
    """3 for a name that is marked as one (quotes, brackets, "variable X"), 1 for its plain words, else 0."""
    name = re.escape(column.strip())
    if not name:
        return 0
    marked = (
        rf"[`\"'“‘]{name}[`\"'”’]|\({name}\s*[):,=]|(?i:\b(?:variable|column|attribute)s?(?: is| are|:)?) {name}(?!\w)"
    )
    if re.search(marked, region):
        return 3
    plain = " ".join(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)))
    if len(plain) < PLAIN:
        return 0
    return int(bool(re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", region, re.IGNORECASE)))
