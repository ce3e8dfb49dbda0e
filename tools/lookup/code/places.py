"""Which repository, and where in it, somebody means: by name, or by the address of a page of GitHub or of the Hub.

Names and addresses come from models and from the world, so each part is checked before it becomes part of an address of
ours. Whether what is named exists is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import unquote, urlsplit

from trainwright.graph.errors import RequestError
from trainwright.tools.lookup.names import is_git_ref, is_github_repo, is_hub_id, is_repo_path

__all__ = ["Place", "check_path", "check_ref", "place_of"]

Kind = Literal["github", "model", "dataset", "space"]

KINDS: dict[str, Kind] = {"models": "model", "datasets": "dataset", "spaces": "space"}
GITHUB_PAGES = ("github.com", "www.github.com")
GITHUB_FILES = "raw.githubusercontent.com"
HUB_PAGES = ("huggingface.co", "www.huggingface.co", "hf.co")
VIEWS = ("blob", "raw", "tree", "blame", "edit", "resolve")
HINT = "Give owner/name, hf:owner/name, hf:datasets/owner/name, hf:spaces/owner/name, or the address of a page there."

_LINES = re.compile(r"L(\d{1,7})(?:C\d{1,5})?(?:-L?(\d{1,7})(?:C\d{1,5})?)?")


@dataclass(frozen=True)
class Place:
    """A repository, or a place in it.

    Attributes:
        kind: `github`, or what it is on the Hub.
        repo: owner/name; on the Hub the name alone for some old ones.
        ref: branch, tag or commit; empty for the default.
        path: in the repository; empty for its root.
        first, last: lines that an address points at, from 1; 0 where it points at none.
        tail: of an address, all that follows `blob/`: where a branch has slashes, more of it than `ref` is the branch.
    """

    kind: Kind
    repo: str
    ref: str = ""
    path: str = ""
    first: int = 0
    last: int = 0
    tail: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """As messages call the repository."""
        prefix = {"github": "", "model": "hf:", "dataset": "hf:datasets/", "space": "hf:spaces/"}[self.kind]
        return f"{prefix}{self.repo}"

    def readings(self) -> list[Place]:
        """The ways in which the address can be read, likeliest first: a branch of one part, of two, of three."""
        ways = [self]
        for count in range(2, min(len(self.tail), 4)):
            ref, path = "/".join(self.tail[:count]), "/".join(self.tail[count:])
            if is_git_ref(ref):
                ways.append(replace(self, ref=ref, path=path))
        return ways


def place_of(repo: str, path: str = "", ref: str = "") -> Place:
    """The place that is meant.

    Args:
        repo: owner/name; `hf:` and a name for the Hub; or an address, which may name path, branch and lines too.
        path: in the repository, where the address names none.
        ref: branch, tag or commit, likewise.

    Raises:
        RequestError: it names none, or holds what no repository, path or branch can be called.
    """
    text = repo.strip()
    if text.startswith("hf:"):
        place = _hub(text[3:].strip("/").split("/"), text)
    elif "://" in text or re.match(
        r"(?:www\.)?(?:github\.com|huggingface\.co|hf\.co|raw\.githubusercontent\.com)/", text
    ):
        place = _from_address(text if "://" in text else f"https://{text}")
    else:
        place = Place("github", _github(text.removesuffix(".git"), text))
    return replace(
        place,
        path=check_path(path) or place.path,
        ref=check_ref(ref) or place.ref,
        tail=() if path or ref else place.tail,
    )


def _github(name: str, shown: str) -> str:
    if not is_github_repo(name):
        raise RequestError(f"{shown[:200]!r} is no repository's name.", hint=HINT)
    return name


def _hub(parts: list[str], shown: str) -> Place:
    kind = KINDS.get(parts[0], "model")
    named = parts[1:] if parts[0] in KINDS else parts
    if not 1 <= len(named) <= 2 or not is_hub_id("/".join(named)):
        raise RequestError(f"{shown[:200]!r} is no repository's name.", hint=HINT)
    return Place(kind, "/".join(named))


def _from_address(address: str) -> Place:
    try:
        parts = urlsplit(address)
        odd = parts.scheme not in ("http", "https") or parts.port is not None or "@" in parts.netloc
        host = (parts.hostname or "").lower()
    except ValueError as error:
        raise RequestError(f"{address[:200]!r} is no address: {error}.", hint=HINT) from error
    pieces = [unquote(piece) for piece in parts.path.strip("/").split("/")]
    if odd or host not in (*GITHUB_PAGES, GITHUB_FILES, *HUB_PAGES):
        raise RequestError(f"{address[:200]!r} is no page of a repository on GitHub or the Hub.", hint=HINT)
    place, rest = _on_hub(pieces, address) if host in HUB_PAGES else _on_github(pieces, address)
    if host == GITHUB_FILES:
        tail = rest
    elif rest and rest[0] not in VIEWS:
        raise RequestError(f"{address[:200]!r} is a page of {place.shown}, and no file or folder of it.", hint=HINT)
    else:
        tail = rest[1:]
    if tail[:2] in (["refs", "heads"], ["refs", "tags"]):
        tail = tail[2:]
    if not tail:
        return place
    first, last = _lines(parts.fragment)
    return replace(
        place, ref=check_ref(tail[0]), path=check_path("/".join(tail[1:])), first=first, last=last, tail=tuple(tail)
    )


def _on_github(pieces: list[str], address: str) -> tuple[Place, list[str]]:
    return Place("github", _github("/".join(pieces[:2]).removesuffix(".git"), address)), pieces[2:]


def _on_hub(pieces: list[str], address: str) -> tuple[Place, list[str]]:
    """The repository ends where a view begins: an old one has no owner."""
    end = next(
        (number for number, piece in enumerate(pieces) if number and piece in (*VIEWS, "discussions")), len(pieces)
    )
    return _hub(pieces[:end], address), pieces[end:]


def _lines(fragment: str) -> tuple[int, int]:
    match = _LINES.fullmatch(fragment)
    if not match:
        return 0, 0
    first, last = int(match[1]), int(match[2] or match[1])
    return (first, last) if first <= last else (last, first)


def check_path(path: str) -> str:
    """A path in a repository, without slashes at its ends.

    Raises:
        RequestError: it can be none: too long, or with `..` or signs that no path has.
    """
    clean = path.strip().strip("/")
    if clean in ("", "."):
        return ""
    if not is_repo_path(clean):
        raise RequestError(
            f"{path[:200]!r} is no path in a repository.", hint="Give it from the root, such as src/a.py."
        )
    return clean


def check_ref(ref: str) -> str:
    """A branch, tag or commit; empty for the default.

    Raises:
        RequestError: it can be none.
    """
    clean = ref.strip()
    if clean and not is_git_ref(clean):
        raise RequestError(f"{ref[:200]!r} is no branch, tag or commit.")
    return clean
