"""The client of huggingface_hub on our transport: what `HfApi` asks inside `hub_session` is cached, limited, offline-able.

Outside of the block its client does what it did before, with the factory that a program may have set: uploads and
downloads of others are not touched. Inside, a GET goes through the cache and follows checked redirects; other methods
are sent once each time. A token that HfApi adds goes to the Hub's own origin alone. Async clients are left as they are.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpx

from .clients import answer_for, headers_back, headers_sent
from .service import Answer, Service, origin_of

__all__ = ["HubSession", "hub_session"]

LIMIT = 64 * 2**20
"""Bytes of one answer of the Hub."""

_BESIDE = "/api/agent-harnesses"
"""What the Hub's client asks once a day for the sake of its user agent: no part of what is looked up, nor of its time."""


@dataclass(frozen=True)
class HubSession:
    """What is asked inside of a block.

    Attributes:
        service: the Hub.
        answers: what came so far, in order, without the bodies: where it came from, and whether from the disk.
    """

    service: Service
    own: tuple[tuple[str, str, int], ...] = field(repr=False)
    answers: list[Answer] = field(default_factory=list, repr=False)


_session: ContextVar[HubSession | None] = ContextVar("hub_session", default=None)


@contextmanager
def hub_session(service: Service) -> Iterator[HubSession]:
    """Let the Hub's client ask through our transport inside the block. Threads and blocks may overlap.

    Args:
        service: the Hub that is asked.
    """
    from huggingface_hub import constants

    _install()
    own = tuple({origin_of(service.root), origin_of(os.environ.get("HF_ENDPOINT") or constants.ENDPOINT)})
    session = HubSession(service, own)
    token = _session.set(session)
    try:
        yield session
    finally:
        _session.reset(token)


class _Switch(httpx.BaseTransport):
    """Sends through ours inside of a session, and through the client's own otherwise."""

    def __init__(self, usual: httpx.BaseTransport) -> None:
        self.usual = usual

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        session = _session.get()
        return self.usual.handle_request(request) if session is None else _through_ours(request, session)

    def close(self) -> None:
        self.usual.close()


def _through_ours(request: httpx.Request, session: HubSession) -> httpx.Response:
    if request.url.path.endswith(_BESIDE):
        raise httpx.UnsupportedProtocol("not asked inside of a lookup")  # its client then does without
    address = str(request.url)
    own = origin_of(address) in session.own
    headers = headers_sent(request.headers.items())
    for name in ("x-amzn-trace-id", *(() if own else ("authorization", "cookie"))):
        headers.pop(name, None)
    reads = request.method == "GET" and "range" not in headers
    answer = answer_for(
        session.answers,
        method=request.method,
        address=address,
        headers=headers,
        body=request.read() or None,
        service=session.service,
        limit=LIMIT,
        age=session.service.age if reads else None,
        seconds=60.0,
        tries=3 if request.method in ("GET", "HEAD") else 1,
        own=session.own,
        follow=request.method == "GET",  # of a HEAD, HfApi reads the redirect itself
    )
    return httpx.Response(answer.status, headers=dict(headers_back(answer)), content=answer.body, request=request)


class _Factory:
    """Makes the clients that another factory makes, with the switch in them."""

    def __init__(self, usual: Callable[[], httpx.Client]) -> None:
        self.usual = usual

    def __call__(self) -> httpx.Client:
        client = self.usual()
        _divert(client)
        return client


_installing = threading.Lock()


def _install() -> None:
    """Put the switch into the client that there is, and into those that are made later.

    `set_client_factory` would close the client that other threads may be using, so its variables are set here.
    """
    from huggingface_hub.utils import _http

    with _installing, _http._CLIENT_LOCK:
        if not isinstance(_http._GLOBAL_CLIENT_FACTORY, _Factory):
            _http._GLOBAL_CLIENT_FACTORY = _Factory(_http._GLOBAL_CLIENT_FACTORY)
        if _http._GLOBAL_CLIENT is not None:
            _divert(_http._GLOBAL_CLIENT)


def _divert(client: httpx.Client) -> None:
    if not isinstance(client._transport, _Switch):
        client._transport = _Switch(client._transport)
        client.event_hooks = {
            **client.event_hooks,
            "request": [_unless_offline(hook) for hook in client.event_hooks.get("request", [])],
        }
    for pattern, transport in client._mounts.items():
        if transport is not None and not isinstance(transport, _Switch):
            client._mounts[pattern] = _Switch(transport)


def _unless_offline(hook: Callable[..., Any]) -> Callable[..., Any]:
    """The Hub's own hook refuses everything when HF_HUB_OFFLINE is set; inside a session the cache may answer."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    def called(request: httpx.Request) -> Any:
        try:
            return hook(request)
        except OfflineModeIsEnabled:
            if _session.get() is None:
                raise
            return None

    return called
