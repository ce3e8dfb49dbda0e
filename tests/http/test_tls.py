"""Encrypted connections: to the address that was checked, and only to who the certificate names."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standin import StandIn, pretend_public
from trainwright.graph.errors import RemoteUnavailable
from trainwright.tools.http import fetch, network


@pytest.fixture
def encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stand-in that is encrypted, for www.example.org, by an authority that the client knows."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificate can be made here")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    name = ["-subj", "/CN=www.example.org", "-addext", "subjectAltName=DNS:www.example.org"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name, "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate, key)
    theirs = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(network, "_tls", lambda: theirs)
    monkeypatch.setattr(network, "_transports", {})
    with StandIn() as server:
        server._server.socket = ours.wrap_socket(server._server.socket, server_side=True)
        yield server
        for transport in network._transports.values():
            transport.close()


def test_who_the_certificate_names(encrypted: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_public(monkeypatch, {"www.example.org": encrypted, "other.example.org": encrypted})
    encrypted.route("GET", "/x", "encrypted")
    assert fetch("https://www.example.org/x").text == "encrypted"
    with pytest.raises(RemoteUnavailable, match=r"other\.example\.org cannot be reached .*certificate"):
        fetch("https://other.example.org/x")
    assert encrypted.paths == ["/x"]


def test_a_slow_answer_ends_in_time(encrypted: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading is cut into pieces, and goes on where it was: nothing of an encrypted stream is lost."""
    pretend_public(monkeypatch, {"www.example.org": encrypted})
    monkeypatch.setattr(network, "SLICE", 0.02)
    encrypted.route("GET", "/x", b"x" * 300_000)
    encrypted.fault("/x", "slow")
    with pytest.raises(RemoteUnavailable, match="did not answer in time"):
        fetch("https://www.example.org/x", seconds=0.3, tries=1)
    encrypted.release()
    assert fetch("https://www.example.org/x").body == b"x" * 300_000


def test_from_encrypted_to_open_is_not_followed(encrypted: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainwright.graph.errors import RemoteError

    pretend_public(monkeypatch, {"www.example.org": encrypted})
    encrypted.fault("/x", "redirect:http://www.example.org/y")
    with pytest.raises(RemoteError, match="not encrypted"):
        fetch("https://www.example.org/x")
    assert encrypted.paths == ["/x"]
