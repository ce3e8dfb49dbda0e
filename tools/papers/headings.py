"""Which lines are headings, with their number, title and level.

A heading is set apart by its type (bold, larger, capitals, italics with a number), and its number must follow the one
before: so the first words of a list or a row of a table are none. Papers without numbers are read by type alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .pages import Line

__all__ = ["Heading", "Numbering", "is_references", "known_heading", "read_heading"]

_NUMBERED = re.compile(
    r"(?P<word>(?:Appendix|APPENDIX|Section)\s+)?(?P<number>\d{1,2}(?:\.\d{1,2}){0,4}|[A-Z](?:\.\d{1,2}){0,3}|[IVX]{1,5})"
    r"(?P<dot>[.:)]?|\s[-–—|])\s+(?P<title>[^\W\d_].*|\d-?D\b.*|\d+-\w.*|[“\"'(].*)"
)
_APPENDIX_ALONE = re.compile(r"(?:Appendix|APPENDIX)\s+(?P<number>[A-Z]|\d{1,2})[.:]?\s*(?P<title>.*)")
_KNOWN = {
    "abstract", "summary", "introduction", "background", "related work", "related works", "prior work",
    "previous work", "literature review", "preliminaries", "motivation", "method", "methods", "methodology",
    "materials and methods", "material and methods", "approach", "proposed method", "the model", "model",
    "experiments", "experiment", "experimental results", "experimental setup", "experiments and results", "evaluation",
    "results", "results and discussion", "discussion", "analysis", "limitations", "future work", "data", "dataset",
    "datasets", "conclusion", "conclusions", "conclusions and future work", "conclusion and future work",
    "discussion and conclusion", "discussion and conclusions", "acknowledgment", "acknowledgments", "acknowledgement",
    "acknowledgements", "references", "bibliography", "literature cited", "works cited", "appendix", "appendices",
    "supplementary material", "supplementary materials", "supporting information", "author contributions", "funding",
    "data availability", "code availability", "ethics statement", "broader impact", "competing interests",
    "reproducibility statement", "impact statement", "keywords", "contributions", "notation",
}  # fmt: skip
_REFERENCES = {"references", "bibliography", "literature cited", "works cited", "references and notes", "literature"}


@dataclass(frozen=True)
class Heading:
    """A heading; `rest` is running text that follows on the same line."""

    number: str
    title: str
    level: int
    rest: str = ""


@dataclass
class Numbering:
    """The numbers so far: what may come next."""

    top: int = 0
    letter: str = ""
    path: list[int] = field(default_factory=list)
    roman: bool = False
    count: int = 0

    def accepts(self, number: str) -> bool:
        """Whether this number can follow; it is remembered if so."""
        parts = number.split(".")
        head = parts[0]
        if head.isdigit():
            ok = self._accepts_digits([int(p) for p in parts])
        elif len(parts) == 1 and _roman(head) and (head != "I" or not self.top) and self._accepts_roman(head):
            ok = True
        else:
            ok = self._accepts_letter(head, [int(p) for p in parts[1:]])
        self.count += ok
        return ok

    def _accepts_digits(self, path: list[int]) -> bool:
        if self.roman and len(path) == 1:
            return False
        if len(path) == 1:
            if not (self.top < path[0] <= self.top + 2 and path[0] <= 40) and not (self.top == 0 and path[0] == 0):
                return False
            self.top = path[0]
        elif path[0] not in (self.top, self.top + 1) or not self._follows(path[1:]):
            return False
        else:
            self.top = path[0]
        self.path = path
        self.letter = ""
        return True

    def _accepts_roman(self, head: str) -> bool:
        value = _roman(head)
        if not self.top < value <= self.top + 2 or (self.top and not self.roman):
            return False
        self.roman, self.top, self.path, self.letter = True, value, [value], ""
        return True

    def _accepts_letter(self, head: str, rest: list[int]) -> bool:
        if not rest:
            expected = {"A"} if not self.letter else {self.letter, chr(ord(self.letter) + 1), chr(ord(self.letter) + 2)}
            if head not in expected or (head == self.letter):
                return False
        elif (head != self.letter and head != (chr(ord(self.letter) + 1) if self.letter else "A")) or (
            head == self.letter and not self._follows(rest)
        ):
            return False
        self.letter, self.path = head, [0, *rest]
        return True

    def _follows(self, rest: list[int]) -> bool:
        """Whether the lower part of a number is at most two behind the last one of its depth."""
        depth = len(rest)
        last = self.path[1 : depth + 1]
        if len(last) < depth:
            return (rest[-1] <= 2 and rest[: len(last)] == last) or (rest[:-1] == [] and rest[-1] <= 2) or rest[-1] == 1
        return rest[-1] > last[-1] and rest[-1] <= last[-1] + 2 if rest[:-1] == last[:-1] else rest[-1] <= 2


def _roman(text: str) -> int:
    values = {"I": 1, "V": 5, "X": 10}
    if not re.fullmatch(r"X{0,2}(?:IX|IV|V?I{0,3})", text) or not text:
        return 0
    numbers = [values[c] for c in text]
    return sum(-n if n < max(numbers[i:]) else n for i, n in enumerate(numbers))


def known_heading(text: str) -> bool:
    """Whether a text is a section title that papers of every field use."""
    return re.sub(r"[^a-z ]", "", text.lower()).strip() in _KNOWN


def is_references(title: str) -> bool:
    """Whether the title is that of the list of references."""
    return re.sub(r"[^a-z ]", "", title.lower()).strip() in _REFERENCES


def is_strong(line: Line, body: float) -> bool:
    """Whether a line is set apart by its type."""
    return line.bold > 0.6 or line.size > 1.08 * body or line.caps


def read_heading(line: Line, body: float, numbering: Numbering) -> Heading | None:
    """The heading that a line is, or None. `body` is the size of the running text in points."""
    text = line.text.strip()
    if len(text) > 160 or re.search(r"(?:\. ?){4,}\d*$", text):
        return None
    if (run_in := _run_in(line)) is not None:
        return run_in
    strong = is_strong(line, body)
    match = _NUMBERED.fullmatch(text)
    if match and not text.endswith((",", ";")) and _is_title(match["title"]):
        single = len(match["number"]) == 1 and match["number"].isalpha() and not match["word"]
        styled = strong if single and not match["dot"] else strong or line.italic > 0.6
        small = line.size < 0.85 * body
        if styled and not small and numbering.accepts(match["number"]):
            below_roman = numbering.roman and numbering.letter == match["number"]
            return Heading(match["number"], _tidy(match["title"]), match["number"].count(".") + 1 + below_roman)
    if strong and (alone := _APPENDIX_ALONE.fullmatch(text)) and numbering.accepts(alone["number"]):
        return Heading(alone["number"], _tidy(alone["title"]) or "Appendix", 1)
    plain = re.sub(r"^[\W\d]+", "", text)
    if known_heading(plain) and len(plain) < 50 and plain[:1].isupper():
        centred = line.x0 > line.left + 20 and line.x1 < line.right - 20
        if strong or centred or line.italic > 0.6:
            return Heading("", _tidy(plain), 1)
    return None


def _run_in(line: Line) -> Heading | None:
    """`Abstract—We present …`: heading and text on one line."""
    match = re.match(r"(Abstract|ABSTRACT)\s*(?:[-—–.:]|(?=\s[A-Z]))\s*(.*)", line.text)
    if match and match[2]:
        return Heading("", match[1], 1, match[2])
    lead = line.lead.rstrip(" .:—–-")
    if lead and len(lead) < 30 and lead[0].isupper() and known_heading(lead) and line.bold < 0.6:
        rest = line.text.removeprefix(line.lead).lstrip(" .:—–-")
        return Heading("", lead, 1, rest) if rest[:1].isupper() else None
    return None


def _is_title(title: str) -> bool:
    words = title.split()
    return (
        len(words) <= 18
        and (title[0].isupper() or not title[0].isalpha() or len(words) <= 8)
        and not (title.endswith(".") and len(words) > 10)
    )


def _tidy(title: str) -> str:
    return title.strip().rstrip(".:").strip()
