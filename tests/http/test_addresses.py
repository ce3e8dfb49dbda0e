"""Which addresses may be asked: the public internet's, however they are written and wherever their name leads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.standin import StandIn, pretend_public
from trainwright.graph.errors import RemoteError, RemoteUnavailable
from trainwright.tools.http import addresses, fetch, network

PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1",
    "2001:db8::1", "2002:a00:1::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.215.14", "100.63.0.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "64:ff9b::101:101",
          "::ffff:1.1.1.1", "2002:101:101::1"]  # fmt: skip
REFUSED = [
    "file:///etc/passwd", "ftp://example.org/x", "gopher://example.org/", "javascript:alert(1)", "//example.org/x",
    "example.org/x", "http://", "http:///x", "http://user@example.org/", "http://user:pw@example.org/",
    "http://:pw@example.org/", "http://example.org:22/", "http://example.org:25/x", "http://example.org:6379/",
    "http://example.org:0/", "http://example.org:99999/", "http://localhost/", "http://LOCALHOST./", "http://a.localhost/",
    "http://printer.local/", "http://db.internal/", "http://metadata.google.internal/", "http://router/", "http://nas.lan/",
    "http://x.home.arpa/", "http://2130706433/", "http://017700000001/", "http://0x7f000001/", "http://0x7f.1/",
    "http://127.1/", "http://127.0.0.1./", "http://010.0.0.1/", "http://1.1.1.1.1/", "http://[::1]/", "http://[::ffff:7f00:1]/",
    "http://exa mple.org/", "http://example.org/a b", "http://example.org\\@127.0.0.1/", "http://example.org/\r\nx: y",
    "http://[::1/", "http://a.b:x/",
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_is_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is known and no connection made, unless a test says so."""
    pretend_public(monkeypatch, {})


@pytest.fixture
def page(standin: StandIn) -> StandIn:
    standin.route("GET", "/x", "a page")
    return standin


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize("text", ["", "example.org", "1.1.1", "1.1.1.1.1", "0x1.1.1.1"])
def test_what_is_no_ip_address_is_not_public(text: str) -> None:
    assert not addresses.is_public(text)


@pytest.mark.parametrize("address", REFUSED)
def test_refused_unasked(address: str) -> None:
    with pytest.raises(RemoteError, match="it was not asked") as caught:
        fetch(address)
    assert type(caught.value) is RemoteError
    assert "pw@" not in str(caught.value)


@pytest.mark.parametrize(
    "ip", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"]
)
def test_a_name_that_leads_to_a_private_network(ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_public(monkeypatch, {"rebinding.example.org": ip})
    with pytest.raises(RemoteError, match=r"rebinding\.example\.org leads to a private network; it was not asked"):
        fetch("http://rebinding.example.org/x")


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "resolve", lambda host, port: ["93.184.215.14", "10.0.0.1"])
    with pytest.raises(RemoteError, match="private network"):
        fetch("http://both.example.org/x")


@pytest.mark.parametrize("host", ["１２７.0.0.1", "127。0。0。1", "ⓛocalhost", "①②⑦.0.0.1"])
def test_hosts_in_letters_that_become_others(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "resolve", lambda name, port: ["127.0.0.1"])
    with pytest.raises(RemoteError):
        fetch(f"http://{host}/x")


def test_a_public_page(page: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_public(monkeypatch, {"www.example.org": page})
    answer = fetch("http://www.example.org/x#part")
    assert (answer.text, answer.service, answer.url) == ("a page", "www.example.org", "http://www.example.org/x")
    assert page.requests[0].headers["host"] == "www.example.org"


def test_the_connection_goes_to_the_address_that_was_checked(page: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name whose second look-up leads elsewhere: there is no second look-up."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    dialled: list[str] = []
    real = network.httpcore.SyncBackend().connect_tcp

    def dial(address: str, port: int, timeout: float) -> object:
        dialled.append(address)
        return real("127.0.0.1", page.port, timeout)

    monkeypatch.setattr(addresses, "resolve", lambda host, port: next(answers))
    monkeypatch.setattr(network, "dial", dial)
    assert fetch("http://rebinding.example.org:8080/x").text == "a page"
    assert dialled == ["93.184.215.14"]


def test_the_next_address_is_tried_where_one_does_not_answer(page: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = network.httpcore.SyncBackend()
    monkeypatch.setattr(addresses, "resolve", lambda host, port: ["93.184.215.14", "93.184.215.15"])
    monkeypatch.setattr(
        network,
        "dial",
        lambda address, port, timeout: backend.connect_tcp(
            "127.0.0.1", page.port if address.endswith("15") else 9, timeout
        ),
    )
    assert fetch("http://two.example.org:8443/x").text == "a page"


def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RemoteUnavailable, match=r"nowhere\.example\.org has no address that is known"):
        fetch("http://nowhere.example.org/x")


def test_a_look_up_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    ended = threading.Event()
    monkeypatch.setattr(addresses, "resolve", lambda host, port: [str(ended.wait(10))])
    with pytest.raises(RemoteUnavailable, match="could not be looked up in time"):
        fetch("http://slow.example.org/x", seconds=0.2)
    ended.set()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A proxy that the environment names."""
    with StandIn() as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "no_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", server.url)
        yield server


def test_through_a_proxy(proxy: StandIn, page: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_public(monkeypatch, {"www.example.org": page})
    proxy.route("GET", "*", "through the proxy")
    assert fetch("http://www.example.org/x").text == "through the proxy"
    assert page.requests == []
    monkeypatch.setenv("no_proxy", "example.org")
    assert fetch("http://www.example.org/x", age=-1).text == "a page"


def test_a_proxy_does_not_open_private_hosts(proxy: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_public(monkeypatch, {"rebinding.example.org": "10.0.0.1"})
    for address in ("http://rebinding.example.org/x", "http://10.0.0.1/x"):
        with pytest.raises(RemoteError, match="was not asked"):
            fetch(address)
    assert proxy.requests == []


def test_this_machine_is_asked_without_a_proxy(proxy: StandIn, page: StandIn) -> None:
    from trainwright.tools.http import Service

    assert fetch("x", service=Service("Example", page.url)).text == "a page"
    assert proxy.requests == []


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:80", "127.1.2.3", "[::1]", "[0:0:0:0:0:0:0:1]:80", "127.1", "[::ffff:127.0.0.1]"]
)
def test_every_address_of_this_machine_is_asked_without_one(host: str, proxy: StandIn) -> None:
    from trainwright.tools.http.network import proxy_for

    assert proxy_for(f"http://{host}/x") == ""
    assert proxy_for(f"http://127.{host.strip('[]').split(':')[0] or 'a'}.example.org/x") == proxy.url


def test_a_proxy_that_is_none(monkeypatch: pytest.MonkeyPatch, proxy: StandIn, page: StandIn) -> None:
    pretend_public(monkeypatch, {"www.example.org": page})
    monkeypatch.setenv("http_proxy", "strange://proxy.example.org")
    with pytest.raises(RemoteError, match="proxy of the environment cannot be used"):
        fetch("http://www.example.org/x")
