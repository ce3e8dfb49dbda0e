"""Connections: one pool for the services that a person configured, one for all other hosts, and each of them per proxy.

Each connection is made to an IP address that was looked up here, so that no second look-up can lead elsewhere, and each
reading and writing ends with the time of the whole request. No cookies, no log-ins of `.netrc`, no HTTP/2. httpx and
httpcore are imported with this module: import it inside functions.
"""

from __future__ import annotations

import atexit
import os
import socket
import ssl
import threading
import time
import typing
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from trainwright.graph.errors import RemoteError

from . import addresses
from .situation import check_stopped

__all__ = ["CONNECT_SECONDS", "IDLE_SECONDS", "dial", "proxy_for", "transport", "until"]

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 20.0
"""Seconds that a server may say nothing."""

SLICE = 0.5
"""Seconds after which a silent connection looks again whether it should stop."""

POOL = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=15.0)

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))
Options = Iterable[httpcore.SOCKET_OPTION]


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Everything inside the block ends at this time of `time.monotonic`, or raises a time-out."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def _left(timeout: float | None) -> float:
    left = _deadline.get() - time.monotonic()
    return max(min(left, IDLE_SECONDS if timeout is None else timeout), 0.001)


def dial(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
    """A connection to an IP address. Tests put another one in its place."""
    return httpcore.SyncBackend().connect_tcp(address, port, timeout=timeout)


class _Backend(httpcore.NetworkBackend):
    """Connects to the addresses of a host; where `public`, only if all of them are public."""

    def __init__(self, public: bool) -> None:
        self._public = public

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Options | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        end = time.monotonic() + _left(timeout)
        look_up = addresses.public_addresses if self._public else addresses.addresses_of
        trouble: Exception = httpcore.ConnectError("it has no address")
        for address in look_up(host, port, end - time.monotonic())[:4]:
            check_stopped()
            if (left := end - time.monotonic()) <= 0:
                raise httpcore.ConnectTimeout("no connection in time") from trouble
            try:
                return _Stream(dial(address, port, left))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble


class _Stream(httpcore.NetworkStream):
    """A connection that keeps to the time of the whole request, and lets go when somebody wants it to stop."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        end = time.monotonic() + _left(timeout)
        while True:
            check_stopped()
            try:
                return self._inner.read(max_bytes, min(max(end - time.monotonic(), 0.001), SLICE))
            except httpcore.ReadTimeout:
                if time.monotonic() >= end:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> typing.Any:
        return self._inner.get_extra_info(info)


class _Transport(httpx.HTTPTransport):
    """httpx's transport over connections of our own."""

    def __init__(self, public: bool, proxy: str) -> None:
        super().__init__(verify=_tls(), limits=POOL, proxy=proxy or None, trust_env=False)
        # httpx takes no network backend; its pool does. A proxy is the person's own choice: it may be private.
        self._pool._network_backend = _Backend(public and not proxy)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=True)  # SSL_CERT_FILE and SSL_CERT_DIR are honoured


_lock = threading.Lock()
_transports: dict[tuple[int, bool, str], httpx.BaseTransport] = {}


def transport(public: bool, proxy: str = "") -> httpx.BaseTransport:
    """The pool of this process: after a fork, the child makes its own and leaves its parent's connections alone."""
    key = (os.getpid(), public, proxy)
    with _lock:
        if key not in _transports:
            try:
                _transports[key] = _Transport(public, proxy)
            except (ImportError, ValueError) as error:
                raise RemoteError(
                    f"The proxy of the environment cannot be used: {error}", hint="Correct HTTP_PROXY or HTTPS_PROXY."
                ) from error
        return _transports[key]


@atexit.register
def _close() -> None:
    for (process, _, _), pool in _transports.items():
        if process == os.getpid():
            pool.close()


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)  # another thread of the parent may have held it


def _is_loopback(host: str) -> bool:
    found: IPv4Address | IPv6Address
    try:
        found = ip_address(host)
    except ValueError:
        try:
            found = IPv4Address(socket.inet_aton(host))  # as a resolver reads 127.1
        except OSError:
            return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def proxy_for(address: str) -> str:
    """The proxy that the environment names for an address; empty for none. This machine is asked without one."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if host == "localhost" or _is_loopback(host):
        return ""
    found = getproxies()
    proxy = found.get(parts.scheme) or found.get("all") or ""
    if not proxy or proxy_bypass(f"{host}:{parts.port}" if parts.port else host):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"
