"""The stand-in server over both transports, and the real servers that `make` keeps in build/mcp."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.servers import McpServer
from trainwright.graph.settings import config_folder
from trainwright.tools.servers import close_all

SCRIPT = Path(__file__).with_name("server.py")
BUILT = Path(__file__).parents[2] / "build/mcp"


@dataclass
class Server:
    """A stand-in server: its entry in the configuration, and what it is told."""

    entry: dict[str, Any]
    state: Path

    def tell(self, **told: Any) -> None:
        """Change what it does from its next request on."""
        before = json.loads(self.state.read_text()) if self.state.exists() else {}
        self.state.write_text(json.dumps({**before, **told}))

    def calls(self) -> list[Any]:
        """The calls that it got."""
        path = self.state.with_suffix(".calls")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def headers(self) -> list[dict[str, str]]:
        """The headers of all requests that it got."""
        path = self.state.with_suffix(".headers")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def configured(self, **more: Any) -> McpServer:
        """The entry, with further keys."""
        return McpServer.model_validate({**self.entry, "stages": ["read_paper"], "timeout_seconds": 20, **more})


def program(folder: Path, name: str = "state") -> Server:
    """A server over its pipes."""
    state = folder / f"{name}.json"
    return Server({"command": sys.executable, "args": [str(SCRIPT), "pipes", str(state)]}, state)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No connection outlives its test."""
    yield
    close_all()


@pytest.fixture
def piped(tmp_path: Path) -> Server:
    """The stand-in over its pipes."""
    return program(tmp_path)


class Served:
    """The stand-in over HTTP, which can be stopped and started again at the same port."""

    def __init__(self, folder: Path, **told: Any) -> None:
        self.state = folder / "http.json"
        self.server = Server({}, self.state)
        self.server.tell(**told)
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Start it; at the port that it had, if it had one."""
        self.stop()
        command = [sys.executable, str(SCRIPT), "http", str(self.state)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline())
        self.server.tell(port=port)
        self.server.entry = {"url": f"http://127.0.0.1:{port}/mcp"}

    def stop(self) -> None:
        """Kill it."""
        if self.process is None:
            return
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The stand-in over HTTP."""
    one = Served(tmp_path)
    yield one
    close_all()
    one.stop()


def configure(**servers: dict[str, Any]) -> None:
    """Write the configuration file with these servers."""
    rows = []
    for name, entry in servers.items():
        rows.append(f"[mcp.servers.{name}]")
        rows += [f"{key} = {_toml(value)}" for key, value in entry.items()]
    config_folder().mkdir(parents=True, exist_ok=True)
    (config_folder() / "config.toml").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)
