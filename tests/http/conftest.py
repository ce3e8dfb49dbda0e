"""What the tests of the client share."""

from __future__ import annotations

import pytest

from tests.standin import StandIn
from trainwright.tools.http import Service


@pytest.fixture
def service(standin: StandIn) -> Service:
    """The stand-in as a service without a pause and without a token."""
    return Service("Example", standin.url)
