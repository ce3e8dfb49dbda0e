"""Which addresses may be asked. What the world wrote must lead to the public internet, and to a web server there.

A name is looked up by `resolve`, and every address that it has must be public; `network` then connects to the very
address that was checked. Whether a page there is harmless is not known here.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from trainwright.graph.errors import RemoteError, RemoteUnavailable

from .service import shown

__all__ = ["PORTS", "check_address", "is_public", "public_addresses", "resolve"]

PORTS = (80, 443, 8080, 8443)
"""Ports on which web servers are asked at addresses that the world wrote. Other ports belong to other protocols, which
a request could be made to speak."""

_LOCAL = re.compile(
    r"(?:.*\.)?(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa|in-addr\.arpa|ip6\.arpa)"
)
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?", re.I)
_DOTTED = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet; so must be the IPv4 address that an IPv6 one stands for."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inside(ip) if isinstance(ip, IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    return ip.is_global and not any(ip.version == net.version and ip in net for net in _NOT_PUBLIC)


def _inside(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, or through a translator."""
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def check_address(address: str, *, own: bool = False) -> None:
    """Let pass what can be asked; nothing is looked up.

    Args:
        address: the whole address.
        own: it is one that a person configured: it may be on a private host, and on any port.

    Raises:
        RemoteError: it must not be asked.
    """
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise _refusal(address, f"is no address: {error}") from None
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise _refusal(address, "is no address of the web")
    if parts.username is not None or parts.password is not None:
        raise _refusal(address, "holds a log-in")
    if re.search(r"[\x00-\x20\x7f\\]", address):
        raise _refusal(address, "holds a blank or a control character")
    if own:
        return
    if port is not None and port not in PORTS:
        raise _refusal(address, f"is on port {port}, where no web server is looked for")
    _check_host(address, host)


def _check_host(address: str, host: str) -> None:
    name = host.rstrip(".")
    if ":" in name or _DOTTED.fullmatch(name):
        if not is_public(name):
            raise _refusal(address, "is no address of the public internet")
    elif _NUMBER.fullmatch(name):
        raise _refusal(address, "names its host by an odd number")
    elif "." not in name or _LOCAL.fullmatch(name):
        raise _refusal(address, "names a host of a private network")


def public_addresses(host: str, port: int, seconds: float) -> list[str]:
    """The IP addresses of a host, each of which is public.

    Raises:
        RemoteError: one is not.
        RemoteUnavailable: the name is not known, or nobody says so in time.
    """
    found = addresses_of(host, port, seconds)
    for address in found:
        if not is_public(address):
            raise _refusal(host, "leads to a private network")
    return found


def addresses_of(host: str, port: int, seconds: float) -> list[str]:
    """The IP addresses of a host, whichever they are; the system's look-up cannot be stopped, but is left behind."""
    with contextlib.suppress(ValueError):
        return [str(ip_address(host))]
    answer: list[list[str]] = []
    trouble: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            answer.append(resolve(host, port))
        except (OSError, UnicodeError) as error:
            trouble.append(error)

    thread = threading.Thread(target=look_up, name="look-up", daemon=True)
    thread.start()
    thread.join(max(seconds, 0.0))
    if answer and answer[0]:
        return answer[0]
    why = "has no address that is known" if trouble or answer else "could not be looked up in time"
    raise RemoteUnavailable(f"The host {shown(host)} {why}.", hint="Check the network and the address.")


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host, as the system knows them. Tests put another one in its place."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _refusal(address: str, why: str) -> RemoteError:
    return RemoteError(f"{shown(address)} {why}; it was not asked.", hint="Give the address of a public web page.")
