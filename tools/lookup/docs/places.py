"""Where the documentation of a library is: names and addresses, checked before anything is asked for.

The Hub serves each page as Markdown at `docs/LIBRARY/PAGE.md` (courses: `learn/…`), the list of a library's pages at
`docs/LIBRARY/llms.txt`, all of them in one file at `docs/LIBRARY/llms-full.txt`, and the list of libraries at `api/docs`;
see `write_llms_feeds` in https://github.com/huggingface/doc-builder. No token is sent to any of these. Where the Hub has
no such list, or is down, the sources of the pages on GitHub take its place. Nothing is fetched here.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from trainwright.graph.errors import RequestError
from trainwright.tools.http import Service

__all__ = [
    "DOCS", "GITHUB", "KNOWN", "Listed", "Source", "is_page", "library_name", "page_address", "page_name", "page_of",
    "root_of", "source_of",
]  # fmt: skip

DAY = 86_400.0
DOCS = Service("Hugging Face documentation", "https://huggingface.co", variable="HF_ENDPOINT", age=DAY)
GITHUB = Service(
    "GitHub (documentation sources)",
    "https://raw.githubusercontent.com",
    variable="TRAINWRIGHT_GITHUB_RAW_URL",
    age=DAY,
)

_LIBRARY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}(?:\.js)?")
_SEGMENT = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._+-]{0,120})")
_VERSION = re.compile(r"v\d+\.[\w.+-]{1,30}|main|stable")
_LANGUAGE = re.compile(r"[a-z]{2}(?:-[A-Za-z]{2,4})?")
DEEPEST = 8
"""Folders in the name of a page."""

KNOWN = (
    "accelerate", "autotrain", "bitsandbytes", "chat-ui", "dataset-viewer", "datasets", "diffusers", "evaluate", "hub",
    "huggingface.js", "huggingface_hub", "inference-endpoints", "inference-providers", "kernels", "leaderboards", "lerobot",
    "lighteval", "optimum", "optimum-intel", "optimum-neuron", "peft", "safetensors", "sentence-transformers", "setfit",
    "smolagents", "text-embeddings-inference", "text-generation-inference", "timm", "tokenizers", "trackio", "transformers",
    "transformers.js", "trl",
)  # fmt: skip
"""Libraries that the Hub documents, for where it cannot be asked which."""


class Source(NamedTuple):
    """Where a library keeps the sources of its pages on GitHub."""

    repository: str
    folder: str


class Listed(NamedTuple):
    """A page in the list of a library."""

    path: str
    title: str


_SOURCES = {
    "diffusers": Source("huggingface/diffusers", "docs/source/en"),
    "bitsandbytes": Source("bitsandbytes-foundation/bitsandbytes", "docs/source"),
    "hub": Source("huggingface/hub-docs", "docs/hub"),
    "huggingface_hub": Source("huggingface/huggingface_hub", "docs/source/en"),
    "setfit": Source("huggingface/setfit", "docs/source/en"),
    "smolagents": Source("huggingface/smolagents", "docs/source/en"),
    "text-embeddings-inference": Source("huggingface/text-embeddings-inference", "docs/source/en"),
    "timm": Source("huggingface/pytorch-image-models", "hfdocs/source"),
    "tokenizers": Source("huggingface/tokenizers", "docs/source-doc-builder"),
    "transformers": Source("huggingface/transformers", "docs/source/en"),
    "trackio": Source("gradio-app/trackio", "docs/source"),
}


def source_of(library: str) -> Source:
    """Where the sources are on GitHub; the usual place where nothing else is known."""
    return _SOURCES.get(library) or Source(f"huggingface/{library}", "docs/source")


def library_name(text: str) -> str:
    """A library's name, checked; the root of an address and "docs/NAME" will do.

    Raises:
        RequestError: it cannot be one.
    """
    name = text.strip().rstrip("/")
    name = (_inside(name)[0] if "/" in name else name).lower()
    if name not in KNOWN:  # the name of a package often has the other mark
        name = next((one for one in KNOWN if one.replace("-", "_") == name.replace("-", "_")), name)
    if not _LIBRARY.fullmatch(name):
        raise RequestError(
            f"{text[:80]!r} is no name of a library of the Hub's documentation.", hint="Such as trl or peft."
        )
    return name


def root_of(library: str) -> str:
    """The folder of a library on the Hub: courses and the cookbook have another one."""
    return f"{'learn' if library.endswith('course') or library == 'cookbook' else 'docs'}/{library}"


def is_page(path: str) -> bool:
    """Whether this can be the path of a page inside a library: nothing that leads elsewhere."""
    parts = path.split("/")
    return len(parts) <= DEEPEST and all(_SEGMENT.fullmatch(part) and ".." not in part for part in parts)


def page_name(text: str) -> tuple[str, str, str]:
    """Library, path and anchor of a page, given as library/path or as its address on the Hub.

    Raises:
        RequestError: it is neither.
    """
    library, path, anchor = _inside(text)
    if not (_LIBRARY.fullmatch(library) and is_page(path)):
        raise RequestError(
            f"{text[:120]!r} is no page of the Hub's documentation.",
            hint="Give library/page, such as trl/sft_trainer, or the page's address on the Hub.",
        )
    return library, path, anchor


def page_of(address: str, library: str) -> str:
    """The path of a page of this library in an address of the Hub, without version, language and ending; "" if none."""
    root = f"/{root_of(library)}/"
    path = unquote(_split(address)[1])
    if not (path.startswith(root) and path.endswith(".md")):
        return ""
    found = _without_version(path.removeprefix(root).removesuffix(".md"))
    return found if is_page(found) else ""


def page_address(library: str, path: str, anchor: str = "") -> str:
    """Where a person reads a page."""
    address = DOCS.address(f"{root_of(library)}/{path}")
    return f"{address}#{quote(anchor, safe='.()*~_-!')}" if anchor else address


def _inside(text: str) -> tuple[str, str, str]:
    """Library, path and anchor in an address or a name; whether they can be right is not judged."""
    given, _, anchor = text.strip().partition("#")
    if "://" in given:
        host, path = _split(given)
        if not (DOCS.owns(given) or host in ("huggingface.co", "hf.co")):
            raise RequestError(
                f"{text[:120]!r} is no address of the Hub's documentation; nothing was sent.",
                hint="Other pages are fetched by the lookup `web`.",
            )
        given = path.strip("/")
        if not given.startswith(("docs/", "learn/")):
            return "", "", ""
    parts = unquote(given).strip("/").split("/")
    if parts[0] in ("docs", "learn") and len(parts) > 1:
        parts = parts[1:]
    path = _without_version("/".join(parts[1:])).removesuffix(".md")
    return parts[0], path or "index", unquote(anchor)


def _split(address: str) -> tuple[str, str]:
    """Host and path of an address; both empty where it cannot be read as one."""
    try:
        parts = urlsplit(address)
        return parts.hostname or "", parts.path
    except ValueError:
        return "", ""


def _without_version(path: str) -> str:
    parts = path.split("/")
    if len(parts) > 1 and _VERSION.fullmatch(parts[0]):
        parts = parts[1:]
        if len(parts) > 1 and _LANGUAGE.fullmatch(parts[0]):
            parts = parts[1:]
    elif len(parts) > 1 and parts[0] == "en":
        parts = parts[1:]
    return "/".join(parts)
