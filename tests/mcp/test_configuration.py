"""The section `[mcp]`: what it takes, what it refuses, and what of it is secret."""

from __future__ import annotations

from typing import Any

import pytest

from trainwright.graph.configuration import load_configuration
from trainwright.graph.errors import RequestError
from trainwright.graph.redaction import redact

from .conftest import configure


def test_a_server_is_read_with_its_defaults() -> None:
    configure(time={"command": "uvx", "args": ["mcp-server-time"], "stages": ["plan", "write_code"]})
    server = load_configuration().mcp.servers["time"]
    assert (server.tools, server.timeout_seconds, server.max_bytes) == (["*"], 30, 100_000)
    assert server.where == "uvx"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"command": "a"}, "mcp.servers.x.stages"),
        ({"stages": []}, "either a command or a url"),
        ({"command": "a", "url": "https://b.example", "stages": []}, "either a command or a url"),
        ({"url": "https://b.example", "args": ["a"], "stages": []}, "no args, env or cwd beside a url"),
        ({"command": "a", "headers": {"a": "b"}, "stages": []}, "no headers beside a command"),
        ({"url": "ftp://b.example", "stages": []}, "begins with https://"),
        ({"url": "https://me:pw@b.example", "stages": []}, "no name or password in its url"),
        ({"url": "http://[::1", "stages": []}, "begins with https://"),
        ({"url": "http://b.example:99999999/", "stages": []}, "begins with https://"),
        ({"url": "https://b.example", "headers": {"A": "b\nC: d"}, "stages": []}, "headers of one line"),
        ({"command": "a", "stages": ["publish"]}, "mcp.servers.x.stages"),
        ({"command": "a", "stages": [], "timeout_seconds": 0}, "timeout_seconds"),
        ({"command": "a", "stages": [], "timeout": 3}, "Did you mean timeout_seconds?"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named(entry: dict[str, Any], said: str) -> None:
    configure(x=entry)
    with pytest.raises(RequestError) as found:
        load_configuration()
    assert said in f"{found.value.message} {found.value.hint}"


def test_a_bad_name_is_refused() -> None:
    configure(**{'"A b"': {"command": "a", "stages": []}})
    with pytest.raises(RequestError, match=r"mcp\.servers"):
        load_configuration()


def test_a_header_is_a_secret_and_a_folder_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_KEY", "plain-looking-key-1")
    monkeypatch.setenv("DESK_HOME", "/srv/desk-of-all")
    monkeypatch.setenv("DESK_FOLDER", "plain-looking-key-5")
    headers = {"Authorization": "Bearer ${DESK_KEY}", "X-Other": "another-key-2"}
    configure(
        web={"url": "https://b.example/mcp?key=third-key-number-3", "headers": headers, "stages": []},
        folder={"url": "https://b.example/streamable/${DESK_FOLDER}/mcp", "stages": []},
        local={
            "command": "a",
            "env": {"KEY": "${DESK_KEY}", "AT": "${DESK_HOME}"},
            "cwd": "${DESK_HOME}",
            "stages": [],
        },
    )
    server = load_configuration().mcp.servers["web"]
    assert server.headers["Authorization"] == "Bearer plain-looking-key-1"
    assert server.where == "https://b.example"
    for secret in ("plain-looking-key-1", "another-key-2", "third-key-number-3", "plain-looking-key-5"):
        assert secret not in redact(f"it is {secret}.")
        assert secret not in repr(server)
    assert redact("streamable in /srv/desk-of-all") == "streamable in /srv/desk-of-all"


def test_a_refused_entry_does_not_show_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_KEY", "plain-looking-key-4")
    configure(web={"url": "https://b.example", "headers": {"A": ["${DESK_KEY}"]}, "stages": []})
    with pytest.raises(RequestError) as found:
        load_configuration()
    assert "plain-looking-key-4" not in found.value.message
