"""Offline: the disk alone, whatever its age; no look-up and no connection; and it is said what is missing."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.standin import StandIn
from trainwright.graph.errors import NotCached
from trainwright.tools.http import Adapter, Service, fetch, hub_session, is_offline, lookups


@contextmanager
def no_sockets() -> Iterator[None]:
    """Any look-up of a name, and any connection, fails the test."""

    def forbidden(*args: object, **_: object) -> None:
        raise AssertionError(f"the network was used: {args}")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, forbidden)
        for name in ("getaddrinfo", "gethostbyname", "create_connection"):
            patch.setattr(socket, name, forbidden)
        yield


@pytest.fixture(params=["block", "TRAINWRIGHT_OFFLINE", "HF_HUB_OFFLINE"])
def way(request: pytest.FixtureRequest) -> str:
    """How it was asked for."""
    return str(request.param)


@contextmanager
def offline(way: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, no_sockets():
        if way == "block":
            with lookups(offline=True):
                yield
        else:
            patch.setenv(way, "1")
            yield


def test_from_the_disk(standin: StandIn, service: Service, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.route("GET", "/x", "one")
    fetch("x", service=service)
    with offline(way):
        assert is_offline()
        answer = fetch("x", service=service)
        assert (answer.text, answer.cached, answer.stale) == ("one", True, False)
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 20 * 86_400)
        assert fetch("x", service=service).stale
    assert not is_offline()
    assert len(standin.requests) == 1


def test_what_is_missing_is_said(standin: StandIn, service: Service, way: str) -> None:
    option = "--offline" if way == "block" else f"{way}=1"
    with offline(way), pytest.raises(NotCached, match="is not on the disk, and nothing was sent") as caught:
        fetch("papers/1", service=service)
    for part in ("Example", f"{standin.url}/papers/1", option, "Ask once without it"):
        assert part in str(caught.value)
    assert not caught.value.retryable


@pytest.mark.parametrize("address", ["http://www.example.org/x", "http://10.0.0.1/x", "http://no-such-host.example/x"])
def test_no_name_is_looked_up(address: str) -> None:
    with offline("block"), pytest.raises(NotCached, match="nothing was sent"):
        fetch(address)


def test_what_is_never_kept_is_missing(service: Service) -> None:
    with offline("block"):
        with pytest.raises(NotCached):
            fetch("x", service=service, method="POST", json={})
        with pytest.raises(NotCached):
            fetch("x", service=service, age=-1)


def test_a_block_inside_cannot_undo_it() -> None:
    with lookups(offline=True), lookups(offline=False):
        assert is_offline()


async def test_tasks_and_threads_inherit_it(service: Service) -> None:
    with lookups(offline=True):
        assert await asyncio.to_thread(is_offline)
        assert await asyncio.gather(asyncio.to_thread(is_offline)) == [True]


def test_the_hubs_client(standin: StandIn, way: str) -> None:
    from huggingface_hub import HfApi

    standin.route("GET", "/api/models/a/b", {"id": "a/b", "tags": [], "siblings": []})
    hub = Service("the Hub", standin.url)
    api = HfApi(endpoint=standin.url, token=False)
    with hub_session(hub):
        assert api.model_info("a/b").id == "a/b"
        with offline(way):
            assert api.model_info("a/b").id == "a/b"
            with pytest.raises(NotCached, match="api/models/c/d"):
                api.model_info("c/d")


def test_the_hubs_client_when_it_was_told_before_it_was_imported(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """huggingface_hub reads HF_HUB_OFFLINE once, and then refuses before it asks."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import OfflineModeIsEnabled

    standin.route("GET", "/api/models/a/b", {"id": "a/b", "tags": [], "siblings": []})
    api = HfApi(endpoint=standin.url, token=False)
    with hub_session(Service("the Hub", standin.url)):
        api.model_info("a/b")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with no_sockets():
        with hub_session(Service("the Hub", standin.url)):
            assert api.model_info("a/b").id == "a/b"
        with pytest.raises(OfflineModeIsEnabled):
            api.model_info("a/b")


def test_packages_that_use_requests(standin: StandIn, service: Service, way: str) -> None:
    import requests

    standin.route("GET", "/x", {"a": 1})
    with requests.Session() as session:
        session.mount("http://", Adapter(service))
        session.get(f"{standin.url}/x", timeout=5)
        with offline(way):
            assert session.get(f"{standin.url}/x", timeout=5).json() == {"a": 1}
            with pytest.raises(NotCached):
                session.get(f"{standin.url}/y", timeout=5)


def test_a_paper_of_arxiv(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainwright.tools.papers.arxiv_source import fetch_arxiv

    monkeypatch.setenv("TRAINWRIGHT_ARXIV_URL", standin.url)
    with offline("block"), pytest.raises(NotCached, match=r"arXiv: .*2101\.00001.* is not on the disk"):
        fetch_arxiv("2101.00001", pytest.importorskip("pathlib").Path("never-written.pdf"))
