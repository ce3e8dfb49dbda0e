"""The pages of a library, from whoever has them: in one file from the Hub, page by page from the Hub, or from GitHub.

Everything is asked for through the one HTTP client and without a token. Nothing is kept here: the index keeps the pages
with their tags, and `building` asks only for what has changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from trainwright.graph.errors import NotFound, RemoteError
from trainwright.tools.http import Answer, fetch

from .places import DOCS, GITHUB, Listed, is_page, page_of, root_of, source_of

__all__ = ["GitHub", "Hub", "Listing", "Origin", "Raw", "Whole", "listed_in", "whole"]

MOST_PAGES = 20_000
"""Pages of a library; more are not read."""

WHOLE = 128 * 2**20
"""Bytes of the documentation of a library in one file."""

PAGE = 8 * 2**20
LIST = 8 * 2**20
NEVER_KEPT = -1.0
"""The index keeps the pages itself."""

_LINK = re.compile(r"^- \[(.{0,300}?)\]\((\S{1,600})\)[ \t]*$", re.MULTILINE)
_BEGIN = re.compile(r"^### .*\n(\S{1,600}\.md)[ \t]*\n", re.MULTILINE)
_VERSION = re.compile(r"/(v\d+\.[\w.+-]{1,30}|main)/")


class Raw(NamedTuple):
    """A page as it came; `text` None where it is as the tag says."""

    path: str
    title: str
    text: str | None
    tag: str


class Listing(NamedTuple):
    """The list of a library's pages."""

    version: str
    pages: list[Listed]
    answer: Answer


class Whole(NamedTuple):
    """All pages of a library; `pages` None where they are as the tag says. `missing` are listed, but not in the file."""

    version: str
    pages: list[Raw] | None
    missing: list[Listed]
    tag: str
    answer: Answer


class Origin(Protocol):
    """Who has a list of pages, and each of them by itself."""

    name: str

    def listing(self, library: str) -> Listing: ...

    def page(self, library: str, page: Listed, tag: str) -> Raw: ...


def whole(library: str, tag: str) -> Whole:
    """Everything in one file, from the Hub.

    Raises:
        RemoteError: there is no such file, or it is none.
    """
    answer = _asked(f"{root_of(library)}/llms-full.txt", tag, WHOLE)
    if answer.status == 304:
        return Whole("", None, [], tag, answer)
    text = answer.text.replace("\r\n", "\n")
    first = _BEGIN.search(text)
    version, listed = listed_in(text[: first.start()] if first else text, library)
    pages = list(_split(text, library, {page.path: page.title for page in listed}))
    if not pages:
        raise RemoteError(f"{DOCS.name}: the documentation of {library} in one file holds no pages.")
    there = {page.path for page in pages}
    missing = [page for page in listed if page.path not in there]
    return Whole(version, pages[:MOST_PAGES], missing, _tag(answer), answer)


def _split(text: str, library: str, titles: dict[str, str]) -> Iterator[Raw]:
    """The pages: each begins with its title and, on the next line, an address that the list has."""
    begins = [
        (match, path)
        for match in _BEGIN.finditer(text)
        if (path := page_of(match[1], library)) and (path in titles or not titles)
    ]
    seen: set[str] = set()
    for index, (match, path) in enumerate(begins):
        end = begins[index + 1][0].start() if index + 1 < len(begins) else len(text)
        if path not in seen:
            seen.add(path)
            yield Raw(path, titles.get(path, ""), text[match.end() : end].strip(), "")


def listed_in(text: str, library: str) -> tuple[str, list[Listed]]:
    """Version and pages in an llms.txt; what is no page of the library is left out."""
    found: dict[str, Listed] = {}
    version = ""
    for match in _LINK.finditer(text):
        path = page_of(match[2], library)
        if path and path not in found and len(found) < MOST_PAGES:
            found[path] = Listed(path, " ".join(match[1].split()))
            pinned = _VERSION.search(match[2])
            version = version or (pinned[1] if pinned else "")
    return version, list(found.values())


class Hub:
    """The Hub, page by page."""

    name = DOCS.name

    def listing(self, library: str) -> Listing:
        answer = fetch(f"{root_of(library)}/llms.txt", service=DOCS, limit=LIST, age=3_600.0)
        version, pages = listed_in(answer.text, library)
        if not pages:
            raise RemoteError(f"{self.name}: the list of pages of {library} is empty, or no such list.")
        return Listing(version, pages, answer)

    def page(self, library: str, page: Listed, tag: str) -> Raw:
        answer = _asked(f"{root_of(library)}/{page.path}.md", tag, PAGE)
        if answer.status == 304:
            return Raw(page.path, page.title, None, tag)
        if answer.media == "text/html":
            raise NotFound(f"{self.name} has {library}/{page.path} as a web page, but not as Markdown.")
        return Raw(page.path, page.title, answer.text, _tag(answer))


class GitHub:
    """The sources of the pages on GitHub: without what the builder makes of docstrings."""

    name = GITHUB.name

    def listing(self, library: str) -> Listing:
        source = source_of(library)
        answer = fetch(f"{source.repository}/main/{source.folder}/_toctree.yml", service=GITHUB, limit=LIST)
        pages = list(_contents(_yaml(answer), 0))[:MOST_PAGES]
        if not pages:
            raise RemoteError(f"{self.name}: the contents of {library} name no pages.")
        return Listing("main", pages, answer)

    def page(self, library: str, page: Listed, tag: str) -> Raw:
        source = source_of(library)
        place = f"{source.repository}/main/{source.folder}/{page.path}"
        kinds = [tag.partition(":")[0]] if tag else ["md", "mdx"]
        for kind in kinds:
            try:
                answer = _asked(f"{place}.{kind}", tag.partition(":")[2], PAGE, github=True)
            except NotFound:
                if kind == kinds[-1]:
                    raise
                continue
            if answer.status == 304:
                return Raw(page.path, page.title, None, tag)
            return Raw(page.path, page.title, answer.text, f"{kind}:{_tag(answer)}")
        raise AssertionError("unreachable")


def _yaml(answer: Answer) -> Any:
    import yaml

    try:
        return yaml.load(answer.text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RemoteError(f"{GITHUB.name} sent a table of contents that cannot be read.") from error


def _contents(value: Any, depth: int) -> Iterator[Listed]:
    """Pages in the builder's table of contents: a tree of `local`, `title` and `sections`."""
    if not isinstance(value, list) or depth > 10:
        return
    for item in value:
        if isinstance(item, dict):
            path, title = item.get("local"), item.get("title")
            if isinstance(path, str) and is_page(path):
                yield Listed(path, " ".join(str(title or path).split())[:300])
            yield from _contents(item.get("sections"), depth + 1)


def _asked(path: str, tag: str, limit: int, github: bool = False) -> Answer:
    headers = {"if-none-match": tag} if tag else {}
    also: Iterable[int] = (304,) if tag else ()
    service = GITHUB if github else DOCS
    return fetch(path, service=service, headers=headers, limit=limit, age=NEVER_KEPT, seconds=120.0, also=list(also))


def _tag(answer: Answer) -> str:
    """The service's tag of an answer, if it is one that can be sent back."""
    tag = answer.headers.get("etag", "")
    return tag if len(tag) <= 200 and tag.isascii() and tag.isprintable() else ""
