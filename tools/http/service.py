"""What is known of an outside service, and what it answered. No request is made here."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from trainwright.graph.errors import RemoteError
from trainwright.graph.redaction import redact

__all__ = ["DAY", "Answer", "Service", "Source", "can_be_sent", "origin_of", "shown", "without_secrets"]

DAY = 86_400.0

_PORTS = {"http": 80, "https": 443}
_QUERY = re.compile(
    r"([?&;](?:[^=&;#?]{0,80}[_.-])?(?:api|access|auth)?"
    r"(?:token|key|secret|signature|password|passwd|credential|credentials|sig|policy))=[^&;#]+",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(://)[^/?#@\s]*@")
_META = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)


class Source(BaseModel):
    """Who said it.

    Attributes:
        name: the service, such as arXiv.
        address: where it was asked.
        cached: whether the answer lay in the cache.
        stale: whether it is older than it should be, because the service could not be asked.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    address: str = ""
    cached: bool = False
    stale: bool = False


@dataclass(frozen=True)
class Service:
    """One outside service: where it is, how often it may be asked, which token is its own.

    Attributes:
        name: as messages call it: "arXiv".
        base: its address: "https://api.github.com".
        variable: the environment's variable that names another base.
        pause: seconds between two requests of this machine, all processes together.
        age: seconds for which a cached answer is fresh.
        token: gives its own token, read when it is needed. It is sent as a Bearer to the origin of the base alone.
    """

    name: str
    base: str
    variable: str = ""
    pause: float = 0.0
    age: float = DAY
    token: Callable[[], str] | None = field(default=None, repr=False)

    @property
    def root(self) -> str:
        """The base that counts: the environment's, else the built-in one; without a slash at its end."""
        return (os.environ.get(self.variable, "") if self.variable else "").rstrip("/") or self.base.rstrip("/")

    def address(self, path: str) -> str:
        """The full address of a path of this service; an address that is full already stays as it is."""
        return path if "://" in path.partition("?")[0] else f"{self.root}/{path.lstrip('/')}"

    def owns(self, address: str) -> bool:
        """Whether an address has the origin of this service's base."""
        return origin_of(address) == origin_of(self.root)


@dataclass(frozen=True)
class Answer:
    """What a service answered.

    Attributes:
        url: the address that answered in the end, after redirects.
        status: the HTTP status.
        headers: names in lower case; cookies are left out.
        body: the bytes, decompressed; empty where they were written to a file.
        fetched: when they came, or were last said to be unchanged, in seconds since 1970.
        cached: they come from the disk.
        stale: they come from the disk, are older than asked for, and could not be compared with the service's.
        truncated: the body went on after the limit.
        service: the name of the service, or of the host.
        via: the addresses that were asked before `url`, each of which redirected; without secrets where from the disk.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    fetched: float
    cached: bool = False
    stale: bool = False
    truncated: bool = False
    service: str = ""
    via: tuple[str, ...] = ()

    @property
    def media(self) -> str:
        """The media type that is stated, in lower case, such as `text/html`; empty where none is."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text: by its byte order mark, else as the header says, else as the page says, else UTF-8.

        What cannot be read in that encoding becomes the replacement character.
        """
        for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
            if self.body.startswith(mark):
                return self.body.decode(encoding, "replace")
        stated = _CHARSET.search(self.headers.get("content-type", ""))
        page = _META.search(self.body[:4096])
        name = stated[1] if stated else page[1].decode("ascii") if page else "utf-8"
        try:
            return self.body.decode(name, "replace")
        except (LookupError, UnicodeError):  # no such encoding, or one that is none of text
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body read as JSON.

        Raises:
            RemoteError: it is no JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise RemoteError(
                f"{self.service or 'The server'} sent a malformed answer for {shown(self.url)}: it is no JSON.",
                hint="Try again later; if it stays so, the service has changed or is damaged.",
            ) from error

    def source(self) -> Source:
        """The answer as a source of what was found."""
        return Source(name=self.service, address=shown(self.url), cached=self.cached, stale=self.stale)


def can_be_sent(value: str) -> bool:
    """Whether a header can have this value; an empty one has nothing to say."""
    return bool(value) and value.isascii() and value.isprintable() and value == value.strip()


def origin_of(address: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address; ("", "", 0) where it has none that can be read."""
    try:
        parts = urlsplit(address)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".").lower()
        return (scheme, host, parts.port or _PORTS.get(scheme, 0)) if scheme and host else ("", "", 0)
    except ValueError:
        return ("", "", 0)


def without_secrets(address: str) -> str:
    """An address as it may be kept: no log-in, and no value of a query that may be a secret."""
    return str(redact(_QUERY.sub(r"\1=[redacted]", _LOGIN.sub(r"\1", address))))


def shown(address: str) -> str:
    """An address as a message shows it: without secrets, on one line, and not too long."""
    text = "".join(c if c.isprintable() else "?" for c in without_secrets(address))
    return text if len(text) <= 300 else text[:299] + "…"
