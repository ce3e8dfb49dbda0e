"""The tool `shell`: isolated, its changes taken over, its output whole somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.graph.errors import Refusal, SandboxUnavailable
from trainwright.graph.settings import run_path
from trainwright.graph.state import Request, Settings
from trainwright.nodes.commands import SHELL, Command
from trainwright.tools import code
from trainwright.tools import shell as shells
from trainwright.tools.policy import load_policy
from trainwright.tools.sandbox import Capability, bubblewrap, probe
from trainwright.tools.shell import run_command
from trainwright.tools.toolbox import Workbench
from trainwright.tools.writing import files as writing

isolated = pytest.mark.skipif(not probe().available, reason="no sandbox here")


def never() -> bool:
    return False


@pytest.fixture
def run() -> Path:
    """A run with two files of code, committed, and data."""
    folder = run_path("r")
    code.write_files(folder / "code", {"a.txt": b"one\n", "b.txt": b"two\n"})
    code.commit(folder / "code", "first")
    (folder / "data").mkdir()
    (folder / "data" / "train.csv").write_text("x,y\n1,2\n")
    (folder / "withheld").mkdir()
    (folder / "withheld" / "labels.csv").write_text("secret\n")
    return folder


def ran(run: Path, command: str, seconds: float = 60) -> dict[str, object]:
    return run_command(run, run / "data", command, seconds, cancelled=never)


@isolated
def test_it_sees_code_and_data_and_says_how_it_ended(run: Path) -> None:
    found = ran(run, "cat a.txt /data/train.csv; pwd; echo bad >&2; exit 3")
    assert found["stdout"] == "one\nx,y\n1,2\n/code\n"
    assert found["stderr"] == "bad\n"
    assert found["exit_code"] == 3


@isolated
def test_it_has_no_network_no_home_no_history_and_cannot_write_the_data(run: Path) -> None:
    found = ran(
        run,
        "ls -d .git; echo x > /data/train.csv; ls $HOME; (echo > /dev/tcp/1.1.1.1/80) 2>/dev/null || echo offline; "
        f"cat {run}/withheld/labels.csv; python -c 'import os; print(sorted(os.environ))'",
    )
    assert "secret" not in str(found)
    assert "offline" in str(found["stdout"])
    assert "TRAINWRIGHT_HOME" not in str(found["stdout"])
    assert "Read-only file system" in str(found["stderr"])
    assert (run / "data" / "train.csv").read_text() == "x,y\n1,2\n"
    assert not any("git" in str(found[key]) for key in ("stdout",))


@isolated
def test_changes_come_back_and_must_be_read_before_they_are_written_over(run: Path) -> None:
    writing.read_file(run, "a.txt")
    commit = code.git(run / "code", "rev-parse", "HEAD")
    found = ran(run, "sed -i s/one/1/ a.txt; rm b.txt; echo new > c.py; mkdir out; echo x > out/big; ln -s / link")
    assert found["changed"] == ["a.txt", "c.py"]
    assert found["removed"] == ["b.txt"]
    assert found["not_taken_over"] == ["link"]
    assert writing.list_files(run) == {"a.txt": 2, "c.py": 4}
    with pytest.raises(Refusal, match="changed on disk"):
        writing.edit_file(run, "a.txt", "1", "2")
    assert writing.read_file(run, "a.txt").text == "1\n"
    assert code.git(run / "code", "rev-parse", "HEAD") == commit
    assert ran(run, "cat out/big; ls")["stdout"] == "x\na.txt\nc.py\nlink\nout\n"


@isolated
def test_what_can_be_no_code_stays_for_the_next_command_and_what_was_code_goes(run: Path) -> None:
    found = ran(run, "printf '\\377\\0' > best.pt; seq 1 200000 > log.txt; echo x > new.py")
    assert found["changed"] == ["new.py"]
    assert found["not_taken_over"] == ["best.pt", "log.txt"]
    (run / "code" / "new.py").unlink()
    again = ran(run, "ls; wc -l < log.txt")
    assert again["stdout"] == "a.txt\nb.txt\nbest.pt\nlog.txt\n200000\n"
    assert "not_taken_over" not in again


@isolated
def test_a_link_in_place_of_a_file_is_not_written_through(run: Path) -> None:
    (run / "other.txt").write_text("keep\n")
    place = shells.laid_out(run)
    (place / "a.txt").unlink()
    (place / "a.txt").symlink_to(run / "other.txt")
    assert shells.laid_out(run) == place
    assert (run / "other.txt").read_text() == "keep\n"
    assert (place / "a.txt").read_text() == "one\n"


@isolated
def test_a_command_that_is_stopped_changes_nothing(run: Path) -> None:
    found = ran(run, "echo new > a.txt; sleep 60", seconds=1)
    assert "longer than" in str(found["ended"])
    assert (run / "code" / "a.txt").read_text() == "one\n"


@isolated
def test_what_was_written_meanwhile_is_not_lost(run: Path) -> None:
    before = {"a.txt": b"one\n"}
    place = run / "stages" / "shell"
    place.mkdir(parents=True)
    (place / "a.txt").write_text("by the command\n")
    (run / "code" / "a.txt").write_text("by the engineer\n")
    found = shells._brought_back(run, place, before)
    assert found == {"not_taken_over": ["a.txt"]}
    assert (run / "code" / "a.txt").read_text() == "by the engineer\n"


@isolated
def test_long_output_is_cut_in_the_middle_and_kept_whole(run: Path) -> None:
    found = ran(run, "seq 1 20000")
    shown = str(found["stdout"])
    assert shown.startswith("1\n2\n")
    assert shown.endswith("19999\n20000\n")
    assert len(shown) < 26_000
    name = shown.partition("shows the whole: ")[2].partition(" ")[0]
    assert writing.read_kept(run, name, 10_000, 1).text == "10000\n"


def test_without_a_sandbox_nothing_runs(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "probe", lambda: Capability(False, "", "there is none", "install it"))
    with pytest.raises(SandboxUnavailable, match="there is none"):
        ran(run, "echo new > a.txt")
    assert (run / "code" / "a.txt").read_text() == "one\n"


@pytest.mark.parametrize(
    ("command", "decision"),
    [
        ("ls -la && python train.py --data /data", "allow"),
        ("pip install x", "ask"),
        ("rm -rf ~", "refuse"),
        ("python -c 'import torch; torch.save({}, \"x.pt\")'", "allow"),
        ("echo 'print(1)' > x.py; python x.py", "allow"),
        ("python -c 'x(' && rm -rf /", "refuse"),
    ],
)
def test_the_policy_reads_the_command(command: str, decision: str) -> None:
    bench = Workbench(run="r", stage="write_code", request=Request(goal="x", data="d.csv"), settings=Settings())
    assert SHELL.acts is not None
    actions = SHELL.acts(bench, Command(command=command))
    assert {action.facts["sandbox"] for action in actions} == {True}
    assert load_policy().judge(actions).decision == decision


def judged(command: str) -> str:
    bench = Workbench(run="r", stage="write_code", request=Request(goal="x", data="d.csv"), settings=Settings())
    assert SHELL.acts is not None
    return load_policy().judge(SHELL.acts(bench, Command(command=command))).decision


def test_the_policy_looks_up_what_lies_in_the_copy(run: Path) -> None:
    assert judged("python -m own") == "ask"
    (run / "code" / "own.py").write_text("print(1)\n")
    assert judged("python -m own") == "allow"
    folder = shells.laid_out(run) / "out"
    folder.mkdir()
    (folder / "inner").symlink_to("/code")
    (folder / "etc").symlink_to("/etc")
    (folder / "up").symlink_to("../../..")
    assert judged("echo x > out/inner/a.txt") == "allow"
    assert judged("echo x > out/etc/motd") == "ask"
    assert judged("echo x > /code/out/etc/motd") == "ask"
    assert judged("echo x > out/up/motd") == "ask"
    assert judged("rm out/e*/motd") == "ask"
    assert judged("echo x > /codex/a.txt") == "ask"
    assert judged("cat ../withheld/labels.csv") == "refuse"


def test_without_data_it_is_told_so() -> None:
    bench = Workbench(run="r", stage="write_code", request=Request(goal="x", data="d.csv"), settings=Settings())
    with pytest.raises(Refusal, match="no frozen data"):
        SHELL.run(bench, Command(command="ls"))
