"""Is the first row of a grid a header? And what are the columns called?

The answer is `present`, `absent` or `unclear`; an unclear one is a question for a person, never a guess.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from trainwright.graph.state import Finding

from .delimited import NUMBER, Grid
from .messages import finding, shown_list

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["HEADER_WORDS", "Header", "column_names", "header_of"]

Header = Literal["present", "absent", "unclear"]

HEADER_WORDS = frozenset((
    "label", "labels", "class", "classes", "target", "y", "outcome", "text", "sentence", "sentences", "review",
    "reviews", "comment", "tweet", "message", "title", "body", "content", "document", "category", "sentiment",
    "intent", "name", "id", "index", "date", "split", "source", "question", "answer", "premise", "hypothesis",
    "description", "abstract", "author", "rating", "score", "species", "diagnosis", "emotion", "topic", "genre",
    "language", "lang", "headline", "query", "type", "gender", "sex", "age", "country", "city", "summary",
    "article",
))  # fmt: skip
MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL")
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")
PLAIN = re.compile(r"[^\W\d][\w .\-/()%#:&]{0,39}")
SAMPLE = 2_000


def header_of(grid: Grid) -> Header:
    """Whether the first row names the columns."""
    first = [cell.strip() for cell in grid.first]
    if first in ([str(i) for i in range(len(first))], [str(i + 1) for i in range(len(first))]) and len(first) > 3:
        return "present"
    bodies = [_body(column) for column in grid.columns]
    by_type = _by_type(first, bodies)
    return by_type if by_type is not None else _by_words(first, bodies)


def _body(column: pa.ChunkedArray) -> list[str]:
    return [cell.strip() for cell in column[1 : SAMPLE + 1].to_pylist()]


def _by_type(first: list[str], bodies: list[list[str]]) -> Header | None:
    """Judge by the columns of numbers and dates: does their first cell fit what stands below?"""
    names = values = 0
    for cell, body in zip(first, bodies, strict=True):
        if cell in MISSING or not body:
            continue
        for pattern in (NUMBER, DATE):
            if _share(pattern, body) >= 0.9:
                fits = pattern.fullmatch(cell) is not None
                values += fits
                names += not fits
                break
    if not names and not values:
        return None
    if not values:
        return "present"
    if not names:
        return "absent"
    numbers = [float(cell) for cell in first if NUMBER.fullmatch(cell)]
    steps = [b - a for a, b in pairwise(numbers)]
    return "present" if steps and all(step == 1 for step in steps) else "unclear"  # such as label,0,1,2 … or years


def _share(pattern: re.Pattern[str], cells: list[str]) -> float:
    given = [cell for cell in cells if cell not in MISSING]
    return sum(pattern.fullmatch(cell) is not None for cell in given) / len(given) if given else 0.0


def _by_words(first: list[str], bodies: list[list[str]]) -> Header:
    """Judge strings over strings: repeated values are rows, known words and never-repeated short ones are names."""
    if any(cell in bodies[i] and _repeats(bodies[i]) for i, cell in enumerate(first) if cell not in MISSING):
        return "absent"
    if len(set(first)) < len(first) or any(len(cell) > 40 or len(cell.split()) > 4 for cell in first):
        return "absent" if any(len(cell) > 40 for cell in first) else "unclear"
    if any(re.split(r"[_.]", cell.lower())[-1] in HEADER_WORDS for cell in first):
        return "present"
    plain = all(PLAIN.fullmatch(cell) for cell in first if cell)
    if plain and any(_repeats(body) and cell not in body for cell, body in zip(first, bodies, strict=True)):
        return "present"
    return "unclear"


def _repeats(body: list[str]) -> bool:
    return len(body) >= 10 and len(set(body)) * 5 <= len(body)


def column_names(cells: list[str] | None, width: int) -> tuple[list[str], list[Finding]]:
    """One name a column, none empty, none twice; `c0` … where there is no header."""
    if cells is None:
        return [f"c{i}" for i in range(width)], []
    names = [cell.strip().strip("\ufeff") or f"c{i}" for i, cell in enumerate(cells)]
    notes: list[Finding] = []
    if unnamed := [name for name, cell in zip(names, cells, strict=True) if not cell.strip()]:
        notes.append(finding("unnamed_columns", "info", f"Columns without a name are called {shown_list(unnamed)}."))
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        names = _distinct(names)
        text = f"Column names that occur twice were numbered: {shown_list(repeated)}."
        notes.append(finding("duplicate_column_names", "warning", text, repeated))
    return names, notes


def _distinct(names: list[str]) -> list[str]:
    taken: set[str] = set()
    out = []
    for name in names:
        unique, number = name, 2
        while unique in taken or (unique != name and unique in names):
            unique, number = f"{name}_{number}", number + 1
        taken.add(unique)
        out.append(unique)
    return out
