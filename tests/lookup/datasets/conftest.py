"""The two services, and an environment that leads to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.standin import StandIn

from .services import Services


@pytest.fixture
def services(standin: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Services:
    """The Hub and its viewer, without a token."""
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    monkeypatch.setenv("TRAINWRIGHT_DATASETS_SERVER_URL", f"{standin.url}/viewer")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    return Services(standin)
