"""Names of other machines: whether one lies on the public network, as far as its name tells. Nothing is looked up."""

from __future__ import annotations

import ipaddress
import re

__all__ = ["is_public", "plain_host"]

PRIVATE_ENDINGS = (
    ".local",
    ".localhost",
    ".internal",
    ".lan",
    ".home",
    ".corp",
    ".intranet",
    ".private",
    ".arpa",
    ".onion",
    ".test",
    ".invalid",
)
NAME = re.compile(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
REBINDING = re.compile(r"(^|\.)(nip\.io|sslip\.io|xip\.io|localtest\.me|lvh\.me|vcap\.me)$")
"""Public names that lead to any address that stands in them."""


def plain_host(host: str) -> str:
    """A host's name as it is compared: small letters, no port, no final dot."""
    bare = host.strip().lower()
    bare = re.sub(r":\d+$", "", bare) if bare.count(":") == 1 or bare.startswith("[") else bare
    return bare.strip("[]").rstrip(".")


def is_public(host: str) -> bool:
    """Whether a host lies on the public network: a full name, or an address that is routed there."""
    bare = plain_host(host)
    try:
        return ipaddress.ip_address(bare).is_global
    except ValueError:
        pass
    # A number that is no plain address (0x7f000001, 127.1) is one that some programs read as an address.
    return bool(NAME.fullmatch(bare)) and not bare.endswith(PRIVATE_ENDINGS) and not REBINDING.search(bare)
