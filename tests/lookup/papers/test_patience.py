"""How long one lookup takes when every service hangs: each has a share of the time, and all together have an end."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.standin import StandIn
from trainwright.graph.errors import RemoteUnavailable
from trainwright.tools.http import LOOKUP_SECONDS
from trainwright.tools.lookup import papers
from trainwright.tools.lookup.papers import asking, describing, reading

ID = "2403.01234"


@pytest.fixture
def hanging(services: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """All services, none of which answers; every share is a hundredth of what it is."""
    services.fault("*", "slow", times=None)
    for module, name in (
        (asking.Asking.ask.__kwdefaults__, "seconds"),
        (describing, "KIND_SECONDS"),
        (reading, "PAGE_SECONDS"),
        (reading, "PDF_SECONDS"),
    ):
        if isinstance(module, dict):
            monkeypatch.setitem(module, name, module[name] / 100)
        else:
            monkeypatch.setattr(module, name, getattr(module, name) / 100)
    monkeypatch.setattr(reading, "seconds_left", lambda: 0.4)
    return services


@pytest.mark.parametrize(
    ("look_up", "asked"),
    [
        (lambda: papers.read(ID), 7),
        (lambda: papers.search("small forests"), 3),
        (lambda: papers.details(ID), 3),
        (lambda: papers.linked(ID), 5),
        (lambda: papers.citations(ID), 2),
    ],
)
def test_all_that_hang_are_given_up_one_after_the_other(
    hanging: StandIn, look_up: Callable[[], object], asked: int
) -> None:
    begun = time.monotonic()
    with pytest.raises(RemoteUnavailable, match="did not answer in time"):
        look_up()
    assert len({(request.path, tuple(request.query)) for request in hanging.requests}) == asked
    assert time.monotonic() - begun < 5


def test_the_shares_add_up_to_less_than_two_minutes() -> None:
    pages = 3 * reading.PAGE_SECONDS + reading.PDF_SECONDS + reading.ABSTRACT_SECONDS
    assert max(pages, 3 * asking.SHARE, 5 * describing.KIND_SECONDS, LOOKUP_SECONDS) <= LOOKUP_SECONDS < 120


def test_a_service_that_wants_to_be_asked_later_than_a_lookup_lasts_is_not_waited_for(
    services: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINWRIGHT_PAUSE_SCALE", "1")
    services.fault("*", "status:429", times=None, retry_after=50)
    begun = time.monotonic()
    with pytest.raises(RemoteUnavailable):
        papers.search("small forests")
    assert time.monotonic() - begun < 20
    assert len([path for path in services.paths if path.startswith(("/hub", "/arxiv", "/s2"))]) == 3
