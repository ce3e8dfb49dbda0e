"""What a person or a model calls a paper: an arXiv id, a DOI, a number of Semantic Scholar, or an address of one of them.

An id is checked here before it becomes a part of an address. Nothing is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit

from trainwright.graph.errors import RequestError
from trainwright.tools.lookup.names import is_arxiv_id
from trainwright.tools.papers.arxiv_source import arxiv_id_of

__all__ = ["PaperId", "paper_id"]

_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(?P<id>.+)", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>?#%\\]{1,200}")
_SCHOLAR = re.compile(r"[0-9a-f]{40}")
_CORPUS = re.compile(r"(?:corpusid:)?(\d{5,12})", re.IGNORECASE)
_ARXIV_HOSTS = ("arxiv.org", "www.arxiv.org", "export.arxiv.org", "ar5iv.org", "ar5iv.labs.arxiv.org", "alphaxiv.org")


@dataclass(frozen=True)
class PaperId:
    """A paper by one of its names.

    Attributes:
        kind: which name it is; `url` is an address that may be a paper's own file.
        value: an arXiv id with the version that was given, a DOI, 40 hexadecimal digits, a number, or an address.
    """

    kind: Literal["arxiv", "doi", "scholar", "corpus", "url"]
    value: str

    @property
    def bare(self) -> str:
        """The arXiv id without its version; the value itself for other kinds."""
        return re.sub(r"v\d+$", "", self.value) if self.kind == "arxiv" else self.value

    @property
    def scholar(self) -> str:
        """What Semantic Scholar's API calls it."""
        prefix = {"arxiv": "ARXIV:", "doi": "DOI:", "corpus": "CorpusId:"}.get(self.kind, "")
        return prefix + self.bare

    @property
    def scholar_path(self) -> str:
        """The same as a part of an address; the slashes of a DOI stay, as the API wants them."""
        return quote(self.scholar, safe=":/")

    def __str__(self) -> str:
        return {"arxiv": "arXiv:", "doi": "doi:", "corpus": "CorpusId:"}.get(self.kind, "") + self.value


def paper_id(text: str, *, urls: bool = False) -> PaperId:
    """The paper that a text names.

    Args:
        text: an id, or the address of a page about the paper.
        urls: whether any other http(s) address will do.

    Raises:
        RequestError: it names no paper.
    """
    text = text.strip()
    found = _of_id(text) or _of_address(text)
    if found is not None:
        return found
    if urls and _parts(text) is not None and not re.search(r"\s", text) and len(text) <= 2_000:
        return PaperId("url", text)
    raise RequestError(
        f"{text[:120]!r} names no paper.",
        hint="Give an arXiv id (1706.03762), a DOI (10.18653/v1/N18-3011), or an id of Semantic Scholar.",
    )


def _of_id(text: str) -> PaperId | None:
    bare = re.sub(r"^(?:arxiv|doi)\s*:\s*", "", text, flags=re.IGNORECASE)
    if is_arxiv_id(bare):
        return PaperId("arxiv", bare)
    if (doi := _ARXIV_DOI.fullmatch(bare)) and is_arxiv_id(doi["id"]):
        return PaperId("arxiv", doi["id"])
    if _DOI.fullmatch(bare) and not any(set(part) <= {"."} for part in bare.split("/")):
        return PaperId("doi", bare)
    if _SCHOLAR.fullmatch(text.lower()):
        return PaperId("scholar", text.lower())
    corpus = _CORPUS.fullmatch(text)
    return PaperId("corpus", corpus[1]) if corpus else None


def _of_address(text: str) -> PaperId | None:
    """The paper whose page an address is; one of an unknown site is none."""
    parts = _parts(text)
    if parts is None:
        return None
    if arxiv := arxiv_id_of(text):
        return PaperId("arxiv", arxiv)
    host, path = (parts.hostname or "").lower().removeprefix("www."), unquote(parts.path).strip("/")
    last = path.rpartition("/")[2]
    if host in ("huggingface.co", "hf.co") and path.startswith("papers/"):
        return _only("arxiv", last.removesuffix(".md"))
    if host in _ARXIV_HOSTS:
        return _only("arxiv", last.removesuffix(".pdf"))
    if host in ("doi.org", "dx.doi.org"):
        return _of_id(path)
    if host == "semanticscholar.org":
        return _only("scholar", last)
    return None


def _parts(text: str) -> SplitResult | None:
    """The parts of an http(s) address, None for anything else."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def _only(kind: str, text: str) -> PaperId | None:
    found = _of_id(text)
    return found if found is not None and found.kind == kind else None
