"""Lines of a text, as an engineer reads them: numbered from 1, as they stand, the longest ones cut."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from trainwright.graph.errors import Refusal

__all__ = ["LINE_CHARACTERS", "MAX_LINES", "Text", "lines_of", "split_lines"]

MAX_LINES = 2_000
"""That one call reads."""

LINE_CHARACTERS = 4_000
"""Of one line that is shown; the rest is cut."""


class Text(BaseModel):
    """Lines of a file as they stand.

    Attributes:
        first_line, last_line: of these lines, from 1; `last_line` is 0 for an empty file.
        of: lines of the file.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    text: str
    first_line: int
    last_line: int
    of: int


def split_lines(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one, as in editors and messages of Python."""
    lines = text.split("\n")
    ended = [line + "\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def lines_of(name: str, text: str, first: int, count: int) -> Text:
    """Up to `count` lines of a text from line `first` on, at most `MAX_LINES`.

    Raises:
        Refusal: there is no such line.
    """
    lines = split_lines(text)
    if first < 1 or count < 1:
        raise Refusal(f"Lines {first} and {count} more of {name} cannot be read.", hint="Lines are counted from 1.")
    if first > max(1, len(lines)):
        raise Refusal(f"{name} has {len(lines)} lines, and no line {first}.", hint="Begin at an earlier line.")
    shown = lines[first - 1 : first - 1 + min(count, MAX_LINES)]
    return Text(
        name=name,
        text="".join(map(_cut, shown)),
        first_line=first,
        last_line=first + len(shown) - 1 if lines else 0,
        of=len(lines),
    )


def _cut(line: str) -> str:
    body = line.rstrip("\r\n")
    if len(body) <= LINE_CHARACTERS:
        return line
    return f"{body[:LINE_CHARACTERS]}… {len(body) - LINE_CHARACTERS} characters of this line cut{line[len(body) :]}"
