"""Data that are sound but that no recipe here serves: pairs of texts, forecasts, several labels a row, free text.

Each answer is a plain refusal that says what would help; treating such data as a table of independent rows with one
label would answer another question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainwright.graph.state import Modality

from .facts import Facts
from .messages import shown, shown_list

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["edge_list", "refusal_of", "text_pair", "unlabelled"]

END = re.compile(
    r"(?i)^((from|source|src|head|start|citing|to|target|dst|dest|destination|tail|end|cited)([_ ]?(node|vertex|id|paper))*"
    r"|(node|vertex|id|entity)[_ ]?[12ab]|[uv]|subject|object)$"
)
NUMBERED = re.compile(r"(?i)^(?P<stem>[a-z_. -]*?)[_. -]?(?P<number>[12ab])$")
PAIRS = (
    ("premise", "hypothesis"), ("question", "answer"), ("question", "passage"), ("question", "sentence"),
    ("question", "context"), ("query", "document"), ("query", "passage"), ("query", "answer"), ("claim", "evidence"),
    ("source", "target"), ("source", "translation"), ("anchor", "positive"), ("context", "response"),
    ("article", "summary"), ("headline", "body"), ("prompt", "response"), ("instruction", "output"),
)  # fmt: skip


def edge_list(facts: Mapping[str, Facts], frame: pd.DataFrame) -> tuple[Modality, str] | None:
    """The modality and the refusal where two columns of few name the ends of edges, with nodes in common."""
    ends = [name for name in facts if END.match(name.strip())]
    if len(ends) != 2 or len(facts) > 4 or any(facts[name].kind not in ("number", "category") for name in ends):
        return None
    first, second = (set(frame[name].dropna().unique()) for name in ends)
    if len(first & second) < 0.2 * min(len(first), len(second)) or min(len(first), len(second)) < 5:
        return None
    text = (
        f"These data are the edges of a graph ({shown_list(ends)} name the two ends of each). No recipe here works on "
    )
    text += "graphs. A table with one row a node, with its features and its label, could be used."
    return "graph", text


def unlabelled(facts: Mapping[str, Facts]) -> tuple[Modality, str] | None:
    """The modality and the refusal where every column is free text, so that nothing is a label."""
    texts = [name for name, fact in facts.items() if fact.kind == "text"]
    if not texts or len(texts) < len(facts):
        return None
    text = (
        f"Every column ({shown_list(texts)}) holds free text, and none a class or a number: writing or comparing texts "
    )
    text += (
        "needs a language model, and no recipe here trains one. A column with a label for each text could be predicted."
    )
    return ("text_pairs" if len(texts) == 2 and text_pair(facts) else "language_model"), text


def refusal_of(
    facts: Mapping[str, Facts], frame: pd.DataFrame, target: str, task: str, *, named: bool = True
) -> tuple[Modality, str] | None:
    """The modality and the refusal, or None where a recipe may serve.

    Args:
        facts: of the features and the target.
        frame: the training rows.
        target: the column that is predicted.
        task: classification or regression.
        named: whether the columns have names of their own.
    """
    features = {name: fact for name, fact in facts.items() if name != target}
    pair = text_pair(features, named=named)
    if pair:
        text = (
            f"Each row holds a pair of texts ({shown_list(pair)}) and the target {shown(target)} says how they belong "
        )
        text += "together. No recipe here compares texts, and reading both as one text would answer another question. "
        return "text_pairs", text + "A table of similarity features of each pair, with its label, could be used."
    if facts[target].kind == "text":
        text = f"The target {shown(target)} is free text: writing texts needs a language model, and no recipe here "
        return "language_model", text + "trains one. A column with a class or a number for each row could be predicted."
    if task == "classification" and (labels := _several_labels(frame[target])):
        text = (
            f"The target {shown(target)} holds several labels a row (such as {shown(labels)}): multi-label tasks have "
        )
        return "unknown", text + "no recipe here. A column with one class a row could be used."
    dates = [name for name, fact in features.items() if fact.kind == "date"]
    if task == "regression" and dates and len(dates) == len(features):
        text = f"{shown(target)} is a series over {shown(dates[0])} with nothing else to predict it from: that is "
        text += "forecasting, and no recipe here does that. A table with features known at each time (lags, calendar, "
        return "time_series", text + "weather) could be used."
    return None


def text_pair(features: Mapping[str, Facts], *, named: bool = True) -> list[str]:
    """Two text columns that are to be compared, by their names; or the only two columns, where there are no names."""
    texts = [name for name, fact in features.items() if fact.kind == "text"]
    wordy = [name for name, fact in features.items() if fact.kind in ("text", "category")]
    for i, first in enumerate(texts):
        for second in wordy:
            if named and first != second and _belong(first, second):
                return sorted((first, second))
        if not named and len(features) == 2 == len(texts) and i == 0:
            a, b = (features[name].words for name in texts)
            if 0.75 <= a / b <= 1.33:
                return texts
    return []


def _belong(first: str, second: str) -> bool:
    a, b = first.strip().lower(), second.strip().lower()
    if (a, b) in PAIRS or (b, a) in PAIRS:
        return True
    x, y = NUMBERED.match(a), NUMBERED.match(b)
    return bool(x and y and x["stem"] == y["stem"] and x["stem"] and x["number"] != y["number"])


def _several_labels(series: pd.Series[Any]) -> str:
    """An example of a cell with several labels, where cells are combinations of the same few labels."""
    if str(series.dtype) != "str":
        return ""
    cells = series.dropna().unique().tolist()
    for mark in ("|", ";", ","):
        joined = [cell for cell in cells if mark in cell]
        if len(cells) < 4 or len(joined) < 0.3 * len(cells):
            continue
        pieces = {piece.strip(" []'\"") for cell in cells for piece in cell.split(mark)}
        if len(pieces) < 0.7 * len(cells) and _recombined(joined, mark):
            return str(joined[0])
    return ""


def _recombined(cells: Sequence[str], mark: str) -> bool:
    """Whether most pieces occur in several different combinations."""
    counts: dict[str, int] = {}
    for cell in cells:
        for piece in {part.strip(" []'\"") for part in cell.split(mark)}:
            counts[piece] = counts.get(piece, 0) + 1
    return sum(count > 1 for count in counts.values()) >= 0.5 * len(counts)
