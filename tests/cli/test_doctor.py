"""What `doctor` finds, and what it says mends it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainwright.cli import doctor, packages
from trainwright.cli.doctor import Finding, finding_lines, install_command
from trainwright.cli.main import main
from trainwright.cli.screen import open_screen
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import database_path


def only(monkeypatch: pytest.MonkeyPatch, *checks: object) -> None:
    """Leave the slow checks out."""
    monkeypatch.setattr(doctor, "CHECKS", checks)


def found(check: object) -> list[Finding]:
    assert callable(check)
    return list(check())


def test_here_runs_are_possible(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cheap = [check for check in doctor.CHECKS if check not in (doctor.check_packages, doctor.check_network)]
    only(monkeypatch, *cheap)
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "Runs are possible here." in shown
    for name in ("python", "git", "home", "disk", "database", "recipes", "example"):
        assert any(row.startswith("ok") and row.split()[1] == name for row in shown.splitlines()), name
    assert not database_path().exists(), "a doctor changes nothing"


def test_a_needed_thing_that_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    only(monkeypatch, doctor.check_programs)
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "problem git" in shown
    assert "mend: sudo apt-get install -y git" in shown
    assert "Runs are NOT possible here" in shown


def test_something_that_only_makes_it_weaker(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def weaker() -> Iterator[Finding]:
        yield Finding("isolation", False, "no user namespaces", needed=False, mend="sysctl -w x=1")

    only(monkeypatch, weaker)
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "note    isolation" in shown
    assert "mend: sysctl -w x=1" in shown


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def check_moon() -> Iterator[Finding]:
        raise ZeroDivisionError("no \x1b[31mmoon")

    only(monkeypatch, check_moon)
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "problem moon" in shown
    assert "could not be checked: ZeroDivisionError: no moon" in shown


def test_findings_as_json(monkeypatch: pytest.MonkeyPatch, own_home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "import sys; from trainwright.cli import doctor; from trainwright.cli.main import main; "
        "doctor.CHECKS = (doctor.check_python, doctor.check_home); sys.exit(main(['doctor', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    assert [row["name"] for row in rows] == ["python", "platform", "home", "disk"]
    assert all(set(row) == {"name", "ok", "detail", "needed", "mend"} for row in rows)


def test_a_home_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TRAINWRIGHT_HOME", str(tmp_path / "file" / "home"))
    first = found(doctor.check_home)[0]
    assert not first.ok
    assert "TRAINWRIGHT_HOME" in first.mend


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    disk = found(doctor.check_home)[1]
    assert (disk.ok, disk.needed) == (False, True)


def test_a_damaged_database_and_one_that_others_can_read() -> None:
    path = database_path()
    path.write_bytes(b"no database" * 900)
    (damaged,) = found(doctor.check_database)
    assert not damaged.ok
    assert damaged.mend == f"mv {path} {path}.damaged"
    path.unlink()
    open_runs().open("t", "one", "", {})
    path.chmod(0o644)
    whole, privacy = found(doctor.check_database)
    assert whole.ok
    assert "1 runs" in whole.detail
    assert (privacy.ok, privacy.mend) == (False, f"chmod 600 {path}")


def test_a_database_that_another_process_holds() -> None:
    open_runs().open("t", "one", "", {})
    holder = sqlite3.connect(database_path(), isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        (locked,) = found(doctor.check_database)
    finally:
        holder.close()
    assert not locked.ok
    assert locked.mend.startswith("fuser")


def test_packages_that_are_missing_old_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "requires", lambda _: ["rich>=999", "nosuch-thing>=1", "numpy>=1; extra == 'dev'"])
    shown = {item.name: item for item in packages.requirements_here()}
    assert set(shown) == {"rich", "nosuch-thing"}
    assert "but >=999 is needed" in shown["rich"].detail
    assert shown["nosuch-thing"].detail == "is not installed"
    assert packages.broken_imports(["rich", "packaging"]) == {}


def test_a_package_that_ends_the_interpreter_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text("import os; os._exit(9)")
    (tmp_path / "wrong.py").write_text("import nosuch_module")
    (tmp_path / "fine.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(packages, "_modules", lambda names: {name: name for name in names})
    broken = packages.broken_imports(["deadly", "wrong", "fine"])
    assert broken["deadly"] == "the interpreter ended with code 9"
    assert "nosuch_module" in broken["wrong"]
    assert "fine" not in broken


def test_our_own_package_is_installed_again_from_where_it_came() -> None:
    command = install_command("trainwright", again=True)
    assert "trainwright==" in command or os.sep in command.split()[-1]
    assert not command.endswith("'trainwright'"), "a name alone could be another's package"


def test_the_mark_says_how_bad_it_is() -> None:
    screen = open_screen(interactive=False)
    assert finding_lines(Finding("a", True, "fine"), screen)[0].role == ""
    assert finding_lines(Finding("a", False, "bad", mend="do it"), screen)[1].plain() == "        mend: do it"
    assert finding_lines(Finding("a", False, "weak", needed=False), screen)[0].role == "warn"
