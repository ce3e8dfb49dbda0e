"""`trainwright mcp` in the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Server, configure, program

COMMAND = """
import sys, typer
from trainwright.cli.servers import servers_app
sys.exit(typer.main.get_command(servers_app())(standalone_mode=False))
"""


def run(*args: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", COMMAND, *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(autouse=True)
def configured(piped: Server, tmp_path: Path) -> None:
    dead = program(tmp_path, "dead")
    dead.tell(fault="crash")
    configure(desk={**piped.entry, "stages": ["plan"]}, dead={**dead.entry, "stages": []})


def test_list_says_what_answers_and_what_does_not() -> None:
    said = run("list")
    assert said.returncode == 1
    assert "answers: 11 tools for plan; protocol 2026" in said.stdout
    assert "cannot be used: Connection closed; it wrote: the settings are missing" in said.stdout
    facts = json.loads(run("list", "--json").stdout)
    assert (facts["desk"]["answers"], facts["dead"]["answers"]) == (True, False)


def test_tools_shows_the_words_of_the_server() -> None:
    assert "desk says: Say a text back." in run("tools", "desk").stdout
    assert json.loads(run("tools", "desk", "--json").stdout)["tools"][0]["claims_read_only"] is True
    assert run("tools", "dead").returncode == 1


def test_call_prints_the_answer(piped: Server) -> None:
    said = run("call", "desk", "echo", '{"text": "hi"}')
    assert (said.returncode, said.stdout, said.stderr) == (0, "you said hi\n", "")
    assert json.loads(run("call", "desk", "echo", '{"text": "ho"}', "--json").stdout)["answer"] == "you said ho"
    assert [arguments for _, arguments in piped.calls()] == [{"text": "hi"}, {"text": "ho"}]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("call", "desk", "echo", "{"), "no JSON"),
        (("call", "desk", "echo", "[1]"), "no JSON object"),
        (("call", "desk", "nothing"), "has no tool 'nothing'"),
        (("call", "dead", "echo"), "cannot be used"),
        (("call", "desk", "fail"), "no such thing"),
        (("tools", "none"), "There is: desk, dead"),
    ],
)
def test_what_cannot_be_done_is_said(args: tuple[str, ...], said: str) -> None:
    found = run(*args)
    assert found.returncode != 0
    assert said in found.stderr
