"""Whether what a helper says was really read: its sources and quotes, held to the results of its own lookups.

A source counts if it is what was looked up, the address that was asked, or the name of a record in the result, and the
quote stands in that very record, word for word but for white space, letter case, and the escapes of JSON. What was
searched for names nothing, what a list says of others is theirs alone, and rows of data are their data set's whatever
they call themselves; so are files and columns, which can be called like any paper. The words in which a paper cites
another are its own. That a text speaks of another source does not make it that source, and an address that was asked is
no paper. Pure functions; nothing is looked up again.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from trainwright.graph.errors import RequestError
from trainwright.tools.lookup.papers.ids import paper_id
from trainwright.tools.papers.numbers import NUMBER, as_scalar, tidy_number

from .finding import Evidence, Recipe, Report, Statement

__all__ = ["LEAST", "Read", "held_to"]

LEAST = 12
"""Characters that a quote has at least: shorter ones stand anywhere."""

PROPER = ("id", "url", "address", "arxiv_id", "doi", "repo", "repository", "pdf", "html", "page", "link")
"""Fields of a record with its name in the world."""

PARTS = ("path", "name")
"""Fields that also name parts, such as files and columns, which anybody can call as he likes."""

ASKED = (*PROPER, "other", "train", "test")
"""Arguments that name what is looked up, besides `PARTS`; all others, such as a query, only say how."""

CITED = "references"
"""The field with what a paper cites: the words around it are that paper's own."""

ROWS = ("samples", "example")
"""Fields that hold rows of a data set: anything may stand in them, also names of others."""

ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
"""How JSON, as a helper is shown it, writes some characters."""

NUMBERS = re.compile(
    rf"(?P<sign>(?<![\w.])[-−–])?(?<![\w.])(?P<number>{NUMBER})(?!\w)(?:\s?(?P<percent>%|percent\b|\\%))?"
)
"""A number in a text; `c=10` has one, `v10` and `c10` have none."""

PLAIN = re.compile(r"(?P<sign>(?<![\w.])[-−–])?(?<![\w.])(?P<number>\d+(?:,\d+)*(?:\.\d*)?)(?!\w)")
"""The same without powers, so that both ends of `10-20` are read."""


class Read(NamedTuple):
    """One lookup that had an answer: what was asked for, and the answer as it came."""

    arguments: dict[str, Any]
    result: str


@dataclass(frozen=True)
class _Text:
    """A text, and what it is called.

    Attributes:
        words: of the text, as `_plain` leaves them.
        names: in the world, as `_name` writes them.
        parts: names that only a part has.
        addresses: by which it is known only as a whole.
    """

    words: str
    names: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    def called(self, name: str) -> bool:
        """Whether this is what a source is said to be, or, where that has a slash, lies in it."""
        wanted = _name(name)
        known = self.names | self.parts | self.addresses
        return (bool(wanted) and wanted in known) or (
            "/" in wanted and any(re.match(re.escape(wanted) + r"[/:?#@]", one) for one in self.names)
        )

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Its words."""
        return _words_in(self.words)

    @cached_property
    def numbers(self) -> Sequence[float]:
        """Its numbers."""
        return _numbers_in(self.words)


class _Texts:
    """Several texts, looked at as one where that makes no difference."""

    def __init__(self, texts: Sequence[_Text]) -> None:
        self.texts = texts
        self.words = "\n".join(text.words for text in texts)

    @cached_property
    def numbers(self) -> Sequence[float]:
        """The numbers of all of them."""
        return _sorted(number for text in self.texts for number in text.numbers)


def held_to(report: Report, read: Sequence[Read]) -> tuple[Report, list[str]]:
    """The report with only what has evidence that was read, and what has to be said about the rest."""
    made_of = [list(_texts(one)) for one in read]
    texts = [text for group in made_of for text in group]
    whole = [group[0] for group in made_of]
    everything = _Texts([*whole, *(_Text("\n".join(sorted(text.names | text.parts))) for text in texts)])
    claims = [claim for one in report.claims if (claim := _statement(one, texts))]
    made = [recipe for one in report.recipes if (recipe := _recipe(one, texts, everything))]
    recipes = [recipe for recipe, _ in made]
    counted = (
        (len(report.claims) - len(claims), "claim", "no source that the helper read says so"),
        (len(report.recipes) - len(recipes), "recipe", "no source that the helper read says so of that paper"),
        (sum(gone for _, gone in made), "recipe part", "nothing that was read of the paper says so"),
    )
    notes = [f"{n} {what}{'s' if n > 1 else ''} left out: {why}." for n, what, why in counted if n]
    status = report.status
    if status == "answered" and not claims and not recipes:
        status = "partial"
        notes.append("Nothing in this answer has a source that was read.")
    return report.model_copy(update={"claims": claims, "recipes": recipes, "status": status}), notes


def _statement(one: Statement, texts: Sequence[_Text]) -> Statement | None:
    kept = [e for e in one.evidence if _stands(e, texts)]
    return one.model_copy(update={"evidence": kept}) if kept else None


def _recipe(one: Recipe, texts: Sequence[_Text], everything: _Texts) -> tuple[Recipe, int] | None:
    """With its evidence that was read, without what nothing read says, and how much that was; nothing without evidence."""
    kept = [e for e in one.sources if _stands(e, texts)]
    paper = _name(one.paper)
    own = [text for text in texts if paper in text.names]
    quotes = [e.quote for e in kept if any(_quoted(e, text) for text in own)]
    if not quotes:
        return None
    of_paper = _Texts(own)
    parts: dict[str, Any] = {
        "title": one.title if _has_words(one.title, own) else "",
        "value": one.value if one.value is not None and any(_has_value(q, one.value) for q in quotes) else None,
        "dataset": one.dataset if _has_words(one.dataset, own) else "",
        "data": _said(one.data, everything),
        "method": _said(one.method, of_paper),
        "why": _said(one.why, of_paper),
        "hyperparameters": {n: v for n, v in one.hyperparameters.items() if _has_setting(n, v, of_paper)},
        "code": one.code if _mentioned(one.code, everything.words) else "",
        "year": one.year if one.year is not None and _has_words(str(one.year), own) else None,
        "citations": one.citations if one.citations is not None and _has_setting("", one.citations, of_paper) else None,
    }
    settings = len(one.hyperparameters) - len(parts["hyperparameters"])
    gone = sum(getattr(one, name) != value for name, value in parts.items() if name != "hyperparameters")
    return one.model_copy(update={**parts, "sources": kept}), settings + gone


def _said(prose: str, read: _Texts) -> str:
    """The sentences of a helper's own words, without those with a number, a name or an id that no text has."""
    sentences = re.split(r"(?<=[.;!?])\s+|\n+", prose.strip())
    kept = [one for one in sentences if all(_has_term(term, read) for term in _terms(one))]
    return prose if kept == sentences else " ".join(kept)


def _terms(sentence: str) -> Iterator[str]:
    """What cannot be said in other words: numbers, ids, and names, which have a capital letter behind the beginning."""
    for place, token in enumerate(re.split(r"(?:[\s;:=(){}\[\]\"“”]|,(?!\d))+", sentence.lstrip())):
        term = token.strip(".!?'’‘*`")
        if re.search(r"\d|\w/\w", term) or re.search(r"[A-Z]", term[0 if place else 1 :]):
            yield term


def _has_term(term: str, read: _Texts) -> bool:
    plain = _plain(term)
    numbers = _numbers_in(plain)
    if numbers and not re.search(r"[^\W\d_]", re.sub(r"(?i)e[-+−]?\d|times|cdot", "", term)):
        return any(_has_size(read.numbers, one) for one in numbers)
    return plain.removesuffix("s") in read.words or _has_words(term, read.texts)


def _has_setting(name: str, value: str | float | bool, read: _Texts) -> bool:
    """Whether the value stands in a text; of a switch, which no text spells as a value, its name."""
    if isinstance(value, bool):
        return _has_words(name, read.texts)
    number = value if isinstance(value, int | float) else as_scalar(value)
    if number is None:
        return _has_words(value, read.texts) if isinstance(value, str) else False
    return _has_size(read.numbers, number)


def _has_value(quote: str, value: float) -> bool:
    """Whether a quote has the number, also as percent of a fraction."""
    numbers = _numbers_in(_plain(quote))
    return _has(numbers, value) or _has(numbers, 100 * value)


def _has_words(words: str, texts: Sequence[_Text]) -> bool:
    """Whether there are words, and all of them stand in one of the texts."""
    wanted = _words_in(_plain(words))
    return bool(wanted) and any(wanted <= text.vocabulary for text in texts)


def _words_in(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.replace("_", " ")))


def _numbers_in(text: str) -> Sequence[float]:
    """The numbers of a text as papers print them, those with a percent sign also as fractions; the least first."""
    found = {_signed(match, float(match["number"].replace(",", ""))) for match in PLAIN.finditer(text)}
    for match in NUMBERS.finditer(text.replace("\\times", "×").replace("\\cdot", "×")):
        if (value := tidy_number(match["number"])) is not None:
            signed = _signed(match, value)
            found |= {signed, signed / 100} if match["percent"] else {signed}
    return _sorted(found)


def _signed(found: re.Match[str], value: float) -> float:
    return -value if found["sign"] else value


def _sorted(numbers: Iterable[float]) -> Sequence[float]:
    return sorted({number for number in numbers if math.isfinite(number)})


def _has(numbers: Sequence[float], wanted: float) -> bool:
    """Whether one of the numbers, the least first, is the wanted one: if the nearest are not, none is."""
    place = bisect_left(numbers, wanted)
    return any(_equal(number, wanted) for number in numbers[max(0, place - 1) : place + 1])


def _has_size(numbers: Sequence[float], wanted: float) -> bool:
    """The same whatever the sign: what looks like one is often a dash."""
    return _has(numbers, wanted) or _has(numbers, -wanted)


def _stands(one: Evidence, texts: Sequence[_Text]) -> bool:
    return any(text.called(one.source) and _quoted(one, text) for text in texts)


def _quoted(one: Evidence, text: _Text) -> bool:
    forms = {_plain(one.quote), _plain(ESCAPE.sub(_unescaped, one.quote))}
    return any(len(quote) >= LEAST and quote in text.words for quote in forms)


def _unescaped(found: re.Match[str]) -> str:
    return (
        chr(int(found[1], 16))
        if found[1]
        else {"n": "\n", "t": "\t", "r": "\r", "b": " ", "f": " "}.get(found[2], found[2])
    )


def _name(text: str) -> str:
    """A name as names are compared: of a paper its bare id, also where it is an address on a host of papers."""
    try:
        return paper_id(text).bare.lower()
    except RequestError:
        return text.strip().lower().rstrip("/")


def _mentioned(name: str, text: str) -> bool:
    """Whether an address or id stands in a text whole; what has no slash, also at the end of an address."""
    wanted = re.escape(name.strip().lower())
    if "/" in wanted:
        return re.search(rf"(?<![\w./-]){wanted}(?![\w-]|\.\w)", text) is not None
    return bool(wanted) and re.search(rf"(?<![\w.-]){wanted}(?![\w/-]|\.\w)", text) is not None


def _equal(one: float, other: float) -> bool:
    return math.isfinite(one) and math.isfinite(other) and abs(one - other) <= 1e-6 * max(abs(one), abs(other))


def _texts(one: Read) -> Iterator[_Text]:
    """The result under what was looked up, without what is another's in it; each record under its own names; and all of
    it under the address that was asked."""
    try:
        parsed: Any = json.loads(one.result)
    except (ValueError, RecursionError):
        parsed = one.result
    top = parsed if isinstance(parsed, dict) else {}
    sources = top.get("sources")
    asked = [
        s["address"] for s in (sources if isinstance(sources, list) else []) if isinstance(s, dict) and s.get("address")
    ]
    yield _Text(_plain(" ".join(_strings(parsed))), addresses=frozenset(_name(str(name)) for name in asked))
    yield _made([one.arguments, top], ASKED, _own(parsed))
    for record in _records(parsed):
        named = [record, *(value for value in record.values() if isinstance(value, dict))]
        if any(_names(part, (*PROPER, *PARTS)) for part in named):
            yield _made(named, PROPER, _own(record))


def _made(named: Sequence[Mapping[str, Any]], fields: Sequence[str], value: Any) -> _Text:
    """A text that is called what these records say."""
    names = [name for record in named for name in _names(record, fields)]
    # What stands behind the question mark of an address is a part of it, and no name.
    names += [re.split(r"[?#]", name)[0] for name in names if "://" in name]
    parts = [name for record in named for name in _names(record, PARTS) if not _is_of_the_world(name)]
    return _Text(
        _plain(" ".join(_strings(value))),
        frozenset(map(_name, names)) - {""},
        frozenset(name.lower() for name in parts),
    )


def _is_of_the_world(name: str) -> bool:
    """Whether it is the name of a paper, or an address: whoever calls a file so does not make it that."""
    try:
        paper_id(name, urls=True)
    except RequestError:
        return False
    return True


def _own(value: Any) -> Any:
    """A result or record without the records below it that are somebody else's."""
    if isinstance(value, list):
        return [_own(item) for item in value if not (isinstance(item, dict) and _is_another(item))]
    if isinstance(value, dict):
        return {
            key: item if key in ROWS else _own(_around(item) if key == CITED else item) for key, item in value.items()
        }
    return value


def _around(cited: Any) -> Any:
    """What a paper says of those that it cites, without them."""
    if not isinstance(cited, list):
        return cited
    return [{k: v for k, v in item.items() if k != "paper"} if isinstance(item, dict) else item for item in cited]


def _within(cited: Any) -> Any:
    """Those alone that a paper cites."""
    if not isinstance(cited, list):
        return cited
    return [item.get("paper", item) if isinstance(item, dict) else item for item in cited]


def _is_another(record: Mapping[str, Any]) -> bool:
    """Whether a record has a name of its own in the world; that of a column, or a file's path, is a part's."""
    parts = [record, *(value for value in record.values() if isinstance(value, dict))]
    return any(_names(part, PROPER) or "/" in str(part.get("name", "")) for part in parts)


def _records(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in the lists of a result."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item
            yield from _records(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ROWS:
                yield from _records(_within(item) if key == CITED else item)


def _names(record: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    return [str(record[key]) for key in fields if isinstance(record.get(key), str) and record[key]]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif value is not None:
        yield str(value)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())
