"""One request of ours, made ready: the full address, all headers, the body, and the limits. Nothing is sent here."""

from __future__ import annotations

import json as json_text
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from trainwright.graph.errors import RemoteError

from .service import Service

__all__ = ["LIMIT", "Call", "Params", "headers_and_body", "user_agent", "with_query"]

LIMIT = 8 * 2**20
"""Bytes of an answer, where the caller says nothing else."""

_WHOSE = ("authorization", "x-api-key", "x-subscription-token")

Params = Mapping[str, Any] | Collection[tuple[str, Any]]


@cache
def user_agent() -> str:
    """How this program names itself to services."""
    from importlib.metadata import version

    return f"trainwright/{version('trainwright')}"


@dataclass(frozen=True)
class Call:
    """One call of `fetch`, made ready: the full address, all headers, the body, and the limits."""

    method: str
    address: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    service: Service | None
    limit: int
    age: float | None
    seconds: float
    tries: int
    cut: bool
    to: Path | None
    also: Collection[int]
    own: tuple[tuple[str, str, int], ...]
    follow: bool = True

    @property
    def name(self) -> str:
        """The service, as messages call it; the host where there is none."""
        return self.service.name if self.service else (urlsplit(self.address).hostname or self.address)

    @property
    def allowance(self) -> str:
        """What the service's limit is counted for, as far as an address shows it: host, first part of the path, token."""
        parts = urlsplit(self.address)
        whose = "\0".join(self.headers.get(name, "") for name in _WHOSE)
        digest = sha256(whose.encode("utf-8", "replace")).hexdigest()[:12]
        return f"{digest} {parts.netloc} {parts.path.strip('/').partition('/')[0]}"

    @property
    def kept(self) -> bool:
        """Whether the answer may be kept: of a GET always, of a POST where the caller names an age."""
        return self.age is not None and self.age >= 0


def headers_and_body(
    address: str, service: Service | None, headers: Mapping[str, str] | None, json: Any, form: Mapping[str, Any] | None
) -> tuple[dict[str, str], bytes | None]:
    sent = {"user-agent": user_agent(), "accept": "*/*"}
    body: bytes | None = None
    if json is not None:
        body, sent["content-type"] = json_text.dumps(json).encode(), "application/json"
    elif form is not None:
        body, sent["content-type"] = urlencode(_given(form), doseq=True).encode(), "application/x-www-form-urlencoded"
    sent |= {name.lower(): str(value) for name, value in (headers or {}).items()}
    if service and service.token and service.owns(address) and "authorization" not in sent:
        sent |= _log_in(service, service.token())
    return sent, body


def _log_in(service: Service, token: str) -> dict[str, str]:
    if token and (not token.isascii() or not token.isprintable() or " " in token):
        raise RemoteError(f"The token for {service.name} is none: it holds a blank or an odd sign; nothing was sent.")
    return {"authorization": f"Bearer {token}"} if token else {}


def _given(params: Params) -> list[tuple[str, Any]]:
    items = params.items() if isinstance(params, Mapping) else params
    words = {True: "true", False: "false"}
    return [(name, words[value] if isinstance(value, bool) else value) for name, value in items if value is not None]


def with_query(address: str, params: Params | None) -> str:
    query = urlencode(_given(params), doseq=True) if params else ""
    address = address.partition("#")[0]
    return f"{address}{'&' if '?' in address else '?'}{query}" if query else address
