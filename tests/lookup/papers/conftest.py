"""Every test of the papers talks to the stand-in alone."""

from __future__ import annotations

import pytest

from tests.standin import StandIn

from .services import serve


@pytest.fixture(autouse=True)
def services(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The four services on one stand-in."""
    serve(standin, monkeypatch)
    return standin
