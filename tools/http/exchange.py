"""One request and its answer: redirects followed by hand and checked, bytes counted as they come. No retry, no cache.

httpx is imported with this module: import it inside functions.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urljoin

import httpx

from trainwright.graph.errors import RemoteError, TooLarge

from . import network
from .addresses import check_address, public_addresses
from .service import can_be_sent, origin_of, shown

__all__ = ["MAX_REDIRECTS", "Reply", "Request", "exchange"]

MAX_REDIRECTS = 5
CHUNK = 2**16
_MOVED = (301, 302, 303, 307, 308)
_WHOLE = (200, 206)
"""Statuses whose body is what was asked for; of every other one only the beginning is read, for its message."""
_SECRET_HEADERS = ("authorization", "cookie", "proxy-authorization", "x-api-key", "x-subscription-token")


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        own: origins that a person configured; every other one must be public.
        limit: bytes of the decompressed body.
        cut: keep the first `limit` bytes of a body that has more, and do not refuse it.
        deadline: when it must be done, by `time.monotonic`.
        to: a file that takes the body.
        follow: follow redirects; otherwise the answer that names one comes back as it is.
    """

    method: str
    address: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    own: tuple[tuple[str, str, int], ...]
    limit: int
    cut: bool
    deadline: float
    to: Path | None = None
    follow: bool = True


@dataclass(frozen=True)
class Reply:
    """What was answered; headers with names in lower case, `via` as `Answer` has it."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    size: int
    truncated: bool
    via: tuple[str, ...] = ()


def exchange(request: Request) -> Reply:
    """Ask, and follow where it leads.

    Raises:
        RemoteError: an address must not be asked, the answer is too large, or it redirects without end.
        httpx.TransportError: the network or the server failed.
    """
    via: list[str] = []
    for _ in range(MAX_REDIRECTS + 1):
        reply = _once(request)
        where = reply.headers.get("location", "")
        if reply.status not in _MOVED or not where or not request.follow:
            return replace(reply, via=tuple(via))
        via.append(request.address)
        request = _redirected(request, reply.status, where)
    raise RemoteError(f"{shown(request.address)} redirects without end; it was given up.", hint="Check the address.")


def _redirected(request: Request, status: int, where: str) -> Request:
    try:
        target = urljoin(request.address, where).partition("#")[0]
        old, new = origin_of(request.address), origin_of(target)
    except ValueError as error:
        raise RemoteError(f"{shown(request.address)} redirects to what is no address.") from error
    if old[0] == "https" and new[0] != "https":
        raise RemoteError(
            f"{shown(request.address)} redirects to {shown(target)}, which is not encrypted; it was not asked."
        )
    headers = request.headers
    if new != old:
        headers = {name: value for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}
        # Where it began on a private host of the person's own, it may stay there, and nowhere else in private.
        check_address(target, own=new in request.own)
    if status == 303 or (status in (301, 302) and request.method == "POST"):
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
        method = "HEAD" if request.method == "HEAD" else "GET"
        return replace(request, method=method, address=target, headers=headers, body=None)
    return replace(request, address=target, headers=headers)


def _once(request: Request) -> Reply:
    own = origin_of(request.address) in request.own
    check_address(request.address, own=own)
    proxy = network.proxy_for(request.address)
    if proxy and not own:
        # The proxy looks the name up again: this check is the best that can be done from here.
        _, host, port = origin_of(request.address)
        public_addresses(host, port, request.deadline - time.monotonic())
    timeouts = {"connect": network.CONNECT_SECONDS, "read": network.IDLE_SECONDS}
    timeouts |= {"write": network.IDLE_SECONDS, "pool": network.IDLE_SECONDS}
    if odd := next((name for name, value in request.headers.items() if value and not can_be_sent(value)), ""):
        raise RemoteError(  # its value may be a secret
            f"{shown(request.address)} was not asked: what the header {odd} would say holds a sign that none can hold.",
            hint="Correct the key or the token, where it is one.",
        )
    asked = httpx.Request(
        request.method,
        _url(request.address),
        headers={**request.headers, "accept-encoding": "gzip, deflate"},
        content=request.body,
        extensions={"timeout": timeouts},
    )
    with network.until(request.deadline):
        answer = network.transport(not own, proxy).handle_request(asked)
        try:
            return _read(request, answer)
        finally:
            answer.close()


def _url(address: str) -> httpx.URL:
    try:
        return httpx.URL(address)
    except (httpx.InvalidURL, ValueError) as error:
        raise RemoteError(f"{shown(address)} is no address: {error}.", hint="Check the address.") from error


def _read(request: Request, answer: httpx.Response) -> Reply:
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() != "set-cookie"}
    limit = request.limit if answer.status_code in _WHOLE else min(request.limit, CHUNK)
    cut = request.cut or answer.status_code not in _WHOLE
    stated = headers.get("content-length", "")
    if stated.isdecimal() and int(stated[:18]) > limit and not cut and request.method != "HEAD":
        raise _too_large(request)
    size, truncated, kept = 0, False, []
    to = request.to if answer.status_code == 200 else None
    with to.open("wb") if to else _Nothing() as file:
        for chunk in _decoded(answer.iter_raw(CHUNK), headers.get("content-encoding", ""), request.address):
            if time.monotonic() > request.deadline:
                raise httpx.ReadTimeout("it took too long as a whole")
            room = limit - size
            size += min(len(chunk), room)
            if to:
                file.write(chunk[:room])
            else:
                kept.append(chunk[:room])
            if len(chunk) > room:
                if not cut:
                    raise _too_large(request)
                truncated = True
                break
    return Reply(request.address, answer.status_code, headers, b"".join(kept), size, truncated)


class _Nothing:
    """Stands for the file where there is none."""

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def write(self, _: bytes) -> int:
        raise AssertionError("there is no file")


def _too_large(request: Request) -> TooLarge:
    size = f"{request.limit / 2**20:.0f} MiB" if request.limit >= 2**20 else f"{request.limit} bytes"
    return TooLarge(f"{shown(request.address)} has more than {size}; it was given up.", hint="Ask for less of it.")


def _decoded(chunks: Iterator[bytes], encoding: str, address: str) -> Iterator[bytes]:
    """The chunks decompressed, none of them larger than `CHUNK`, however small it was made."""
    names = [name.strip().lower() for name in encoding.split(",") if name.strip().lower() not in ("", "identity")]
    if not names:
        yield from chunks
    elif len(names) == 1 and names[0] in ("gzip", "x-gzip", "deflate"):
        try:
            yield from _inflated(chunks)
        except zlib.error as error:
            raise httpx.DecodingError(f"its compression is damaged: {error}") from error
    else:
        raise RemoteError(f"{shown(address)} is compressed in a way that was not asked for ({encoding[:40]}).")


def _inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    stream, ended = None, False
    for chunk in chunks:
        data = chunk
        while data:
            if stream is None and ended and data[:1] != b"\x1f":
                return  # some servers fill up what is complete
            if stream is None:
                stream = zlib.decompressobj(_window(data))
            yield stream.decompress(data, CHUNK)
            data = stream.unconsumed_tail
            if stream.eof:
                data, stream, ended = stream.unused_data, None, True  # a gzip file may hold several streams
    if stream is not None:
        yield stream.flush()
        if not stream.eof:
            raise zlib.error("it ends too early")


def _window(data: bytes) -> int:
    """gzip and zlib tell themselves apart; some servers call bare deflate by the same name."""
    if data[:1] == b"\x1f" or (len(data) > 1 and data[0] & 15 == 8 and (data[0] * 256 + data[1]) % 31 == 0):
        return 32 + zlib.MAX_WBITS
    return -zlib.MAX_WBITS
