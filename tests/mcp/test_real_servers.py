"""Servers as they are published, each in its own environment (`make test` keeps them in build/mcp).

`time` is an older release, with the SDK of before the protocol's revision of 2026; `git` is a newer one. So both ways to
agree on a version are taken, over pipes and, with sessions, over HTTP.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.errors import RemoteError
from trainwright.graph.servers import McpServer
from trainwright.tools.servers import call_tool, close_all, list_tools

from .conftest import BUILT

BRIDGE = Path(__file__).with_name("bridge.py")


@pytest.fixture(autouse=True)
def built() -> None:
    """The servers are there; where they are not, the tests are skipped, and fail where `CI` says that all must run."""
    if not (BUILT / ".complete").exists():
        end = pytest.fail if os.environ.get("CI") else pytest.skip
        end("build/mcp is not there: `make build/mcp/.complete` sets it up")


def server(name: str, **more: Any) -> McpServer:
    return McpServer(command=str(BUILT / name / f"bin/mcp-server-{name}"), stages=[], **more)


def ask(name: str, one: McpServer, tool: str, **arguments: Any) -> str:
    listed = list_tools({name: one})[name]
    assert not listed.problem
    return call_tool(name, one, next(found for found in listed.tools if found.name == tool), arguments)


def test_time_with_the_older_protocol() -> None:
    one = server("time")
    listed = list_tools({"time": one})["time"]
    assert listed.protocol < "2026"
    assert [tool.name for tool in listed.tools] == ["get_current_time", "convert_time"]
    answer = json.loads(
        ask("time", one, "convert_time", source_timezone="Asia/Tokyo", time="12:00", target_timezone="Europe/Paris")
    )
    assert answer["time_difference"].startswith("-")
    with pytest.raises(RemoteError, match="answers get_current_time with an error"):
        ask("time", one, "get_current_time", timezone="Nowhere/Land")


def test_git_with_the_newer_protocol(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a.txt").write_text("a\n")
    one = server("git", args=["--repository", str(tmp_path)])
    assert list_tools({"git": one})["git"].protocol >= "2026"
    assert "a.txt" in ask("git", one, "git_status", repo_path=str(tmp_path))
    with pytest.raises(RemoteError):
        ask("git", one, "git_status", repo_path="/")
    with pytest.raises(RemoteError, match="do not fit"):
        ask("git", one, "git_status")


class Bridged:
    """The time server over HTTP."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        command = [str(BUILT / "time/bin/python"), str(BRIDGE), "mcp_server_time.server", str(self.port)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        assert self.process.stderr.readline() == f"{self.port}\n"

    def stop(self) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


@pytest.fixture
def bridged(built: None) -> Iterator[Bridged]:
    one = Bridged()
    yield one
    close_all()
    one.stop()


def test_time_over_http_with_sessions_that_end(bridged: Bridged) -> None:
    one = McpServer(url=f"http://127.0.0.1:{bridged.port}/mcp", stages=[])
    listed = list_tools({"time": one})["time"]
    assert listed.protocol < "2026"
    now = listed.tools[0]
    assert json.loads(call_tool("time", one, now, {"timezone": "UTC"}))["timezone"] == "UTC"
    bridged.stop()
    bridged.start()  # knows nothing of the session
    assert json.loads(call_tool("time", one, now, {"timezone": "UTC"}))["timezone"] == "UTC"
