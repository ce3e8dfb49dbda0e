"""A site of the public internet, and the three search engines, each on a stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.standin import StandIn, pretend_public
from trainwright.graph.configuration import config_path

KEY = "BSA-very-secret-key-0123456789"


@pytest.fixture
def site(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """`example.org` and `other.example.org` on the public internet; any other name is unknown."""
    hosts = {
        "example.org": standin,
        "other.example.org": standin,
        "huggingface.co": standin,
        "datasets-server.huggingface.co": standin,
        "inside.example.org": "10.0.0.7",
    }
    pretend_public(monkeypatch, hosts)
    return standin


@pytest.fixture
def engine(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The stand-in in place of DuckDuckGo and Brave."""
    monkeypatch.setenv("TRAINWRIGHT_DUCKDUCKGO_URL", standin.url)
    monkeypatch.setenv("TRAINWRIGHT_BRAVE_URL", standin.url)
    return standin


def configure(text: str) -> Path:
    """Write the person's configuration."""
    path = config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
