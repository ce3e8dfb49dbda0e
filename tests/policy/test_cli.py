"""`trainwright policy`: what it prints and how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trainwright.cli.main import main
from trainwright.tools.policy import policy_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["policy", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [("ls -la", 0, "allowed"), ("pip install x", 3, "a person must allow it"), ("rm -rf ~", 5, "refused")],
)
def test_a_command(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, code: int, words: str) -> None:
    found, out, _ = said(capsys, "check", "--workspace", str(tmp_path), command)
    assert found == code
    assert words in out


def test_words_after_a_double_dash_are_one_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = said(capsys, "check", "--workspace", str(tmp_path), "--", "rm", "-rf", "a b")
    assert code == 0
    assert "deletes a b" in out


def test_each_action_is_told_with_its_decision(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, out, _ = said(capsys, "check", "--workspace", str(tmp_path), "ls && pip install x && rm -rf ~")
    lines = [line.split() for line in out.splitlines() if line.startswith("  - ")]
    assert [line[1] for line in lines] == ["allow", "ask", "refuse"]


def test_another_action(capsys: pytest.CaptureFixture[str]) -> None:
    facts = ["--fact", "place=local", "--fact", "usd=0", "--fact", "approvals=auto"]
    assert said(capsys, "check", "--tool", "job", *facts)[0] == 0
    assert said(capsys, "check", "--tool", "job", *facts[:2])[0] == 3
    assert said(capsys, "check", "--tool", "mcp/x/y", "--reads")[0] == 0
    assert said(capsys, "check", "--tool", "shell", "--fact", "command=rm -rf ~")[0] == 5
    assert said(capsys, "check", "--tool", "fetch", "--fact", "host=10.0.0.1")[0] == 3


def test_a_file_of_commands_becomes_json_lines(tmp_path: Path) -> None:
    commands = tmp_path / "commands.txt"
    commands.write_text('ls\n\npip install x\n"cat <<EOF\\n$(rm -rf ~)\\nEOF"\n')
    program = "import sys; from trainwright.cli.main import main; sys.exit(main(sys.argv[1:]))"
    argv = [sys.executable, "-c", program, "policy", "check", "--file", str(commands), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["decision"] for line in lines] == ["allow", "ask", "refuse"]
    assert lines[2]["asked"] == "cat <<EOF\n$(rm -rf ~)\nEOF"
    assert lines[0]["actions"][0]["facts"]["effect"] == "read"
    assert done.returncode == 5


def test_show_lists_the_rules_in_order_with_their_file(capsys: pytest.CaptureFixture[str]) -> None:
    policy_path().parent.mkdir(parents=True, exist_ok=True)
    policy_path().write_text("[[rule]]\nname = 'mine'\ntool = 'job'\nwhen = { usd = '<=5' }\ndecision = 'allow'\n")
    code, out, _ = said(capsys, "show")
    assert code == 0
    assert out.index("mine") < out.index("reads: what only reads") < out.index("isolated code")
    assert str(policy_path()) in out.replace("\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", "ls", "--tool", "job"],
        ["check", "ls", "--fact", "a=b"],
        ["check", "--tool", "job", "--fact", "a"],
        ["check", "--file", "/nowhere"],
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, _, err = said(capsys, *arguments)
    assert code == 2
    assert err.startswith("Error: ")


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_broken_policy_is_said_and_judges_nothing(capsys: pytest.CaptureFixture[str], command: str) -> None:
    policy_path().parent.mkdir(parents=True, exist_ok=True)
    policy_path().write_text("[[rule]]\nname = 'r'\n")
    code, out, err = said(capsys, command, *(["ls"] if command == "check" else []))
    assert code == 2
    assert out == ""
    assert "decision" in err
    assert str(policy_path()) in err
