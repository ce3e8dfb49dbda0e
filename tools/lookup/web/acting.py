"""What fetching a page does, as facts for the approval policy. Nothing is judged here, and nothing is asked."""

from __future__ import annotations

from urllib.parse import urlsplit

from trainwright.tools.http.service import shown
from trainwright.tools.policy.actions import Action

__all__ = ["actions_of_fetch"]


def actions_of_fetch(url: str) -> list[Action]:
    """One request for an address; what follows from it (`public`, `plain`) the policy finds out itself."""
    address = url.strip()
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        host = ""
    text = f"ask {host or 'an unknown host'} for the page {shown(address)}"
    return [Action("fetch", {"url": address, "host": host, "method": "GET"}, reads=False, text=text)]
