"""Folders and files that a hostile program left: measured, taken back, read and removed, with nothing followed."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainwright.tools.sandbox import clear_folder, json_rows, open_plain, plain_folder, read_plain
from trainwright.tools.sandbox.folders import DEPTH_LIMIT, HIDDEN, open_to_all, take_back, tree_size


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def deep(out: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with two thousand folders inside one another, further than any path reaches."""
    monkeypatch.chdir(out)
    for _ in range(2_000):
        Path("d").mkdir()
        os.chdir("d")
    Path("x").write_text("1")
    os.chdir("/")
    yield out
    clear_folder(out)


def test_size(out: Path) -> None:
    (out / "a").write_bytes(b"1" * 10_000)
    (out / "b").mkdir()
    (out / "b" / "c").write_bytes(b"1" * 10_000)
    (out / "link").symlink_to("/usr")
    size, files = tree_size(out)
    assert 20_000 <= size < 60_000
    assert files == 4


def test_what_is_too_deep_counts_as_hidden(deep: Path) -> None:
    assert tree_size(deep)[1] == HIDDEN


def test_a_depth_that_honest_programs_reach_is_allowed(out: Path) -> None:
    path = out.joinpath(*["d"] * (DEPTH_LIMIT - 2))
    path.mkdir(parents=True)
    assert tree_size(out) == (0, DEPTH_LIMIT - 2)


def test_long_names_that_make_a_path_too_long(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(out)
    for _ in range(20):
        Path("n" * 250).mkdir()
        os.chdir("n" * 250)
    os.chdir("/")
    assert tree_size(out)[1] == HIDDEN
    take_back(out, None)
    assert list(out.iterdir()) == []


@pytest.mark.timeout(30)
def test_clearing(deep: Path) -> None:
    (deep / "plain").write_text("1")
    (deep / "link").symlink_to("/etc")
    os.mkfifo(deep / "pipe")
    (deep / "cleared-1").mkdir()
    (deep / "cleared-1" / "inner").write_text("1")
    (deep / "closed").mkdir()
    (deep / "closed" / "x").write_text("1")
    (deep / "closed").chmod(0)
    clear_folder(deep)
    assert list(deep.iterdir()) == []
    assert Path("/etc").is_dir()


def test_clearing_follows_no_link(out: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("1")
    (out / "link").symlink_to(tmp_path / "mine")
    (out / "d").mkdir()
    (out / "d" / "link").symlink_to(tmp_path / "mine")
    clear_folder(out)
    clear_folder(tmp_path / "none")
    assert (tmp_path / "mine" / "x").exists()


def test_a_link_is_not_cleared(out: Path, tmp_path: Path) -> None:
    (out / "x").write_text("1")
    (tmp_path / "link").symlink_to(out)
    clear_folder(tmp_path / "link")
    assert (out / "x").exists()


def test_taking_back(out: Path) -> None:
    (out / "a").write_text("1")
    (out / "a").chmod(0o6777)
    (out / "d").mkdir()
    (out / "d" / "b").write_text("1")
    (out / "d" / "b").chmod(0)
    (out / "d").chmod(0)
    (out / "link").symlink_to("/etc/passwd")
    before = Path("/etc/passwd").stat().st_mode
    take_back(out, None)
    assert (out / "a").stat().st_mode & 0o7777 == 0o644
    assert (out / "d" / "b").read_text() == "1"
    assert Path("/etc/passwd").stat().st_mode == before


def test_opening_to_all_follows_no_link(out: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("1")
    secret.chmod(0o600)
    (out / "link").symlink_to(secret)
    (out / "a").write_text("1")
    (out / "a").chmod(0o600)
    out.chmod(0o700)
    open_to_all(out)
    assert secret.stat().st_mode & 0o777 == 0o600
    assert (out / "a").stat().st_mode & 0o777 == 0o644
    assert out.stat().st_mode & 0o777 == 0o755


def test_a_real_folder(out: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(out)
    (tmp_path / "file").write_text("1")
    assert plain_folder(out)
    assert not any(plain_folder(tmp_path / name) for name in ("link", "file", "none"))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("what", ["link", "pipe", "folder", "socket", "none"])
def test_what_is_no_plain_file_is_empty(out: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = out / "metrics.jsonl"
    if what == "link":
        path.symlink_to("/etc/passwd")
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "socket":
        monkeypatch.chdir(out)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    assert read_plain(path) == b""
    with pytest.raises(OSError):
        open_plain(path)


def test_a_plain_file_is_read_in_parts(out: Path) -> None:
    (out / "x").write_bytes(b"0123456789")
    assert read_plain(out / "x", 2, 3) == b"234"
    assert read_plain(out / "x", 20) == b""


def test_rows_that_are_objects() -> None:
    assert json_rows(b'{"a": 1}\n[1]\n\xff\n{"b"\n' + b"[" * 100_000 + b"\n" + b"9" * 5_000 + b'\n{"c": 2}') == [
        {"a": 1},
        {"c": 2},
    ]
