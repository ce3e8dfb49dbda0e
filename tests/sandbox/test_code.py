"""The code of a run: commits, its identity, names, headers, and what a kill in the middle leaves."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest

from trainwright.graph.errors import ContractError
from trainwright.tools import code

ONE = {"train.py": b"print(1)\n", "data.bin": bytes(range(256))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "code"


def committed(folder: Path, files: dict[str, bytes], message: str = "m") -> str:
    code.write_files(folder, files)
    return code.commit(folder, message)


def test_what_was_committed_comes_back_byte_for_byte(folder: Path, tmp_path: Path) -> None:
    first = committed(folder, ONE)
    second = committed(folder, {"train.py": b"print(2)\r\n"})
    code.checkout(folder, first, tmp_path / "a")
    assert code.files_of(tmp_path / "a") == ONE
    code.checkout(folder, second, tmp_path / "a")
    assert code.files_of(tmp_path / "a") == {"train.py": b"print(2)\r\n"}, "what the commit has not is removed"
    assert "print(2)" in code.diff(folder, first, second)


def test_the_same_files_are_the_same_commit(folder: Path) -> None:
    assert committed(folder, ONE) == committed(folder, ONE)


def test_the_identity_is_that_of_names_and_bytes() -> None:
    digests, total = code.bundle_sha256(ONE)
    assert code.bundle_sha256(dict(reversed(ONE.items()))) == (digests, total)
    assert code.bundle_sha256({**ONE, "train.py": b"print(1) \n"})[1] != total
    assert code.bundle_sha256({"main.py": ONE["train.py"], "data.bin": ONE["data.bin"]})[1] != total


@pytest.mark.parametrize(
    "name", ["../x.py", "a/b.py", ".git", ".gitattributes", "", "-x", "a b", "a\nb", "é.py", "x" * 200]
)
def test_names_that_are_not_plain(folder: Path, name: str) -> None:
    with pytest.raises(ContractError) as caught:
        code.write_files(folder, {name: b""})
    assert caught.value.kind == "file_name"
    assert not folder.exists()


@pytest.mark.parametrize("lock", ["index.lock", "HEAD.lock", "refs/heads/main.lock"])
def test_a_lock_that_a_killed_git_left(folder: Path, lock: str) -> None:
    first = committed(folder, ONE)
    (folder / ".git" / lock).touch()
    assert committed(folder, {"train.py": b"2"}) != first


@pytest.mark.parametrize("ends", [True, False])
def test_a_git_that_lost_its_parent_holds_the_repository(
    folder: Path, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is waited for; what it leaves for good is removed, and the command is run again."""
    committed(folder, ONE)
    lock, waits = folder / ".git" / "config.lock", []
    lock.touch()

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if ends and len(waits) == 2:
            lock.unlink()

    passing = itertools.count()
    monkeypatch.setattr(code.time, "sleep", wait)
    monkeypatch.setattr(code.time, "monotonic", lambda: 0.5 * next(passing))
    code.git(folder, "config", "trainwright.test", "1")
    assert code.git(folder, "config", "trainwright.test") == "1\n"
    assert len(waits) == (2 if ends else int(code.LOCK_SECONDS / 0.5) - 1)
    assert not lock.exists()


def test_a_repository_that_is_half_made(folder: Path) -> None:
    (folder / ".git").mkdir(parents=True)
    assert len(committed(folder, ONE)) == 40


def test_a_link_in_the_folder_is_not_written_through(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (tmp_path / "mine").write_text("mine")
    (folder / "other.py").symlink_to(tmp_path / "mine")
    committed(folder, ONE)
    assert not (folder / "other.py").exists()
    assert (tmp_path / "mine").read_text() == "mine"


def test_configuration_and_hooks_of_the_person_are_not_used(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    (tmp_path / "config").write_text(f"[core]\nhooksPath = {hooks}\n[commit]\ngpgsign = true\n[user]\nname = Ann\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_WORK_TREE", "/nowhere")
    committed(folder, ONE)
    assert not (tmp_path / "ran").exists()
    assert "Trainwright" in code.git(folder, "log", "-1", "--format=%an")


def test_a_commit_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    committed(folder, ONE)
    with pytest.raises(ContractError) as caught:
        code.checkout(folder, "0" * 40, tmp_path / "a")
    assert caught.value.kind == "git"


def test_no_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ContractError, match="not installed") as caught:
        code.git(folder, "status")
    assert caught.value.kind == "no_git"


def test_dependencies_of_all_scripts() -> None:
    def script(*needs: str) -> bytes:
        return f"# /// script\n# dependencies = {list(needs)}\n# ///\n".encode()

    files = {
        "train.py": script("numpy", "pandas"),
        "predict.py": script("numpy"),
        "notes.txt": script("torch"),
        "a.py": b"",
    }
    assert code.dependencies(files) == ["numpy", "pandas"]
    assert code.dependencies({"a.py": script("x").replace(b"\n", b"\r\n")}) == ["x"]


@pytest.mark.parametrize("value", ["'numpy'", "[1]", "{a = 1}", "[", "3"])
def test_dependencies_of_another_type_are_named(value: str) -> None:
    with pytest.raises(ContractError) as caught:
        code.dependencies({"a.py": f"# /// script\n# dependencies = {value}\n# ///\n".encode()})
    assert caught.value.kind == "header"


def test_nothing_of_the_bundle_runs(folder: Path, tmp_path: Path) -> None:
    evil = f"import os; os.mkdir({str(tmp_path / 'ran')!r})"
    commit = committed(folder, {"conftest.py": evil.encode(), "setup.py": evil.encode()})
    code.checkout(folder, commit, tmp_path / "a")
    code.dependencies(code.files_of(tmp_path / "a"))
    assert not (tmp_path / "ran").exists()
    assert subprocess.run(["ls", str(tmp_path)], capture_output=True, check=True).stdout.split() == [b"a", b"code"]
