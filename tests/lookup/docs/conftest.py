"""A stand-in for the Hub's documentation and GitHub's, and a network that leads nowhere else."""

from __future__ import annotations

import pytest

from tests.standin import StandIn


@pytest.fixture
def hub(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The stand-in, as the Hub and as GitHub."""
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    monkeypatch.setenv("TRAINWRIGHT_GITHUB_RAW_URL", standin.url)
    monkeypatch.setenv("HF_TOKEN", "hf_" + "s" * 34)
    return standin
