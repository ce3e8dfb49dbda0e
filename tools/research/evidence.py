"""Whether what a helper says was really read: its sources and quotes, held to the results of its own lookups.

A source counts if it is what was looked up, who was asked, or the name of a record in the result, and the quote stands in
that very record, word for word but for white space and letter case. That a text speaks of another source does not make
it that source. Pure functions; nothing is looked up again.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .finding import Evidence, Recipe, Report, Statement

__all__ = ["LEAST", "Read", "held_to"]

LEAST = 12
"""Characters that a quote has at least: shorter ones stand anywhere."""

NAMES = (
    "id",
    "url",
    "address",
    "arxiv_id",
    "doi",
    "path",
    "repo",
    "repository",
    "pdf",
    "html",
    "code",
    "page",
    "link",
    "name",
)
"""Fields of a record that name it."""


class Read(NamedTuple):
    """One lookup that had an answer: what was asked for, and the answer as it came."""

    arguments: dict[str, Any]
    result: str


class _Text(NamedTuple):
    names: str
    words: str


def held_to(report: Report, read: Sequence[Read]) -> tuple[Report, list[str]]:
    """The report with only what has evidence that was read, and what has to be said about the rest."""
    texts = [text for one in read for text in _texts(one)]
    claims = [claim for one in report.claims if (claim := _statement(one, texts))]
    recipes = [recipe for one in report.recipes if (recipe := _recipe(one, texts))]
    dropped = {
        "claim": len(report.claims) - len(claims),
        "recipe": len(report.recipes) - len(recipes),
    }
    notes = [
        f"{count} {what}{'s' if count > 1 else ''} left out: no source that the helper read says so."
        for what, count in dropped.items()
        if count
    ]
    status = report.status
    if status == "answered" and not claims and not recipes:
        status = "partial"
        notes.append("Nothing in this answer has a source that was read.")
    return report.model_copy(update={"claims": claims, "recipes": recipes, "status": status}), notes


def _statement(one: Statement, texts: Sequence[_Text]) -> Statement | None:
    kept = [e for e in one.evidence if _stands(e, texts)]
    return one.model_copy(update={"evidence": kept}) if kept else None


def _recipe(one: Recipe, texts: Sequence[_Text]) -> Recipe | None:
    """With its evidence that was read; a number that none of its quotes has, or an address that nobody read, goes."""
    kept = [e for e in one.sources if _stands(e, texts)]
    if not kept:
        return None
    update: dict[str, Any] = {"sources": kept}
    if one.value is not None and not any(_has_number(e.quote, one.value) for e in kept):
        update["value"] = None
    if one.code and not any(_named(one.code, f"{text.names}\n{text.words}") for text in texts):
        update["code"] = ""
    return one.model_copy(update=update)


def _stands(one: Evidence, texts: Sequence[_Text]) -> bool:
    quote = _plain(one.quote)
    if len(quote) < LEAST or len(one.source.strip()) < 4:
        return False
    return any(quote in text.words and _named(one.source, text.names) for text in texts)


def _named(name: str, within: str) -> bool:
    """Whether an address or id stands there whole."""
    wanted = name.strip().lower()
    wanted = wanted.removeprefix("arxiv:").strip()
    return re.search(rf"(?<![\w./-]){re.escape(wanted)}(?![\w-]|\.\w)", within) is not None or (
        "/" not in wanted and re.search(rf"(?<![\w.-]){re.escape(wanted)}(?:v\d+)?(?![\w-]|\.\w)", within) is not None
    )


def _has_number(quote: str, value: float) -> bool:
    """Whether a quote has the number, also as percent of a fraction."""
    numbers = [float(found.replace(",", "")) for found in re.findall(r"-?\d[\d,]*\.?\d*", quote)]
    return any(abs(n - wanted) <= 1e-6 * max(1.0, abs(wanted)) for n in numbers for wanted in (value, 100 * value))


def _texts(one: Read) -> Iterator[_Text]:
    """The result as a whole, under what was looked up and who was asked, and each record in it under its own names."""
    try:
        parsed: Any = json.loads(one.result)
    except ValueError:
        parsed = one.result
    asked = [*_strings(one.arguments), *(_names(parsed) if isinstance(parsed, dict) else ())]
    if isinstance(parsed, dict):
        asked += [name for source in parsed.get("sources", ()) if isinstance(source, dict) for name in _names(source)]
    yield _made(asked, parsed)
    for record in _records(parsed):
        if names := [*_names(record), *(n for v in record.values() if isinstance(v, dict) for n in _names(v))]:
            yield _made(names, record)


def _made(names: Iterable[str], value: Any) -> _Text:
    return _Text("\n".join(names).lower(), _plain(" ".join(_strings(value))))


def _records(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in the lists of a result."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item
            yield from _records(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _records(item)


def _names(record: Mapping[str, Any]) -> list[str]:
    return [str(record[key]) for key in NAMES if isinstance(record.get(key), str) and record[key]]


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
