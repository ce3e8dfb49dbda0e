"""The local hub: published once under a key, found by it, and a kill at any moment leaves nothing or a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from trainwright.graph.effects import Journal
from trainwright.graph.errors import PublicationError
from trainwright.tools.code import git
from trainwright.tools.hub import LocalHub, check_model_name

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def hub(tmp_path: Path) -> LocalHub:
    return LocalHub(tmp_path / "hub")


def package(folder: Path, **files: str) -> Path:
    """A folder with these files; `model__x` lies in `model/x`."""
    for name, content in {"README.md": "card", **files}.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def commits(hub: LocalHub, name: str) -> int:
    return int(git(hub.root / name, "rev-list", "--count", "HEAD"))


def test_publish_and_find(hub: LocalHub, tmp_path: Path) -> None:
    done = hub.publish(KEY, package(tmp_path / "p", model__x="1"), "ann/flowers", "flowers: accuracy 0.9")
    assert done.files == ("README.md", "model/x")
    assert Path(done.location) == hub.root / "ann" / "flowers"
    assert (Path(done.location) / "model" / "x").read_text() == "1"
    assert git(Path(done.location), "status", "--porcelain") == ""
    assert git(Path(done.location), "rev-parse", "HEAD").strip() == done.revision
    assert hub.find(KEY, "ann/flowers") == done
    assert hub.find(OTHER, "ann/flowers") is None
    assert hub.find(KEY, "ann/other") is None
    assert hub.names() == ["ann/flowers"]


def test_the_same_key_is_published_once(hub: LocalHub, tmp_path: Path) -> None:
    files = package(tmp_path / "p")
    assert hub.publish(KEY, files, "flowers", "m") == hub.publish(KEY, files, "flowers", "m")
    assert commits(hub, "flowers") == 1


def test_a_second_version_is_a_commit_on_top(hub: LocalHub, tmp_path: Path) -> None:
    first = hub.publish(KEY, package(tmp_path / "p1", model__old="1"), "flowers", "one")
    second = hub.publish(OTHER, package(tmp_path / "p2", model__new="2"), "flowers", "two")
    assert second.files == ("README.md", "model/new")
    assert not (hub.root / "flowers" / "model" / "old").exists()
    assert hub.find(KEY, "flowers") == first, "the earlier one is still there"
    again = hub.publish(KEY, package(tmp_path / "p1"), "flowers", "one")
    assert (again, commits(hub, "flowers")) == (first, 2)
    assert (hub.root / "flowers" / "model" / "new").read_text() == "2"


def test_found_again_after_a_crash_between_intent_and_receipt(hub: LocalHub, tmp_path: Path) -> None:
    files, journal = package(tmp_path / "p"), Journal()

    def crash(key: str) -> str:
        hub.publish(key, files, "flowers", "m")
        raise KeyboardInterrupt

    def look_up(key: str) -> str | None:
        found = hub.find(key, "flowers")
        return found.revision if found else None

    payload = {"name": "flowers"}
    with pytest.raises(KeyboardInterrupt):
        journal.once("run", 1, "publication", payload, do=crash, look_up=look_up)
    revision = journal.once("run", 1, "publication", payload, do=crash, look_up=look_up)
    assert revision == git(hub.root / "flowers", "rev-parse", "HEAD").strip()
    assert commits(hub, "flowers") == 1


KILLED = """
import os, signal, sys
from pathlib import Path
import trainwright.tools.hub.local as local
count, at = 0, int(sys.argv[4])
def git(folder, *arguments, real=local.git):
    global count
    count += 1
    if count == at: os.kill(os.getpid(), signal.SIGKILL)
    answer = real(folder, *arguments)
    if count + 100 == at: os.kill(os.getpid(), signal.SIGKILL)
    return answer
local.git = git
local.LocalHub(Path(sys.argv[1])).publish(sys.argv[3], Path(sys.argv[2]), "flowers", "m")
"""


@pytest.mark.parametrize("before", [False, True], ids=["new", "on top"])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 101, 102, 103, 104])
def test_killed_at_any_line_and_called_again(hub: LocalHub, tmp_path: Path, before: bool, at: int) -> None:
    if before:
        hub.publish(OTHER, package(tmp_path / "p0", model__old="0"), "flowers", "zero")
    files = package(tmp_path / "p", model__x="1")
    argv = [sys.executable, "-c", textwrap.dedent(KILLED), str(hub.root), str(files), KEY, str(at)]
    done = subprocess.run(argv, check=False, env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    again = hub.publish(KEY, files, "flowers", "m")
    assert again.files == ("README.md", "model/x")
    assert commits(hub, "flowers") == (2 if before else 1)
    assert git(hub.root / "flowers", "status", "--porcelain") == ""
    assert sorted(p.name for p in hub.root.iterdir() if not p.name.startswith(".flowers.lock")) == ["flowers"]


@pytest.mark.parametrize("lock", ["index.lock", "HEAD.lock", "refs/heads/main.lock"])
def test_locks_that_a_killed_git_left(hub: LocalHub, tmp_path: Path, lock: str) -> None:
    hub.publish(KEY, package(tmp_path / "p"), "flowers", "one")
    (hub.root / "flowers" / ".git" / lock).touch()
    assert hub.publish(OTHER, package(tmp_path / "p2", more="1"), "flowers", "two").files == ("README.md", "more")


def test_a_damaged_worktree_is_put_right(hub: LocalHub, tmp_path: Path) -> None:
    """Killed while the files of a later version were being replaced."""
    hub.publish(KEY, package(tmp_path / "p", model__x="1"), "flowers", "one")
    (hub.root / "flowers" / "README.md").unlink()
    done = hub.publish(KEY, tmp_path / "p", "flowers", "one")
    assert (Path(done.location) / "README.md").read_text() == "card"


def test_many_who_publish_at_once(hub: LocalHub, tmp_path: Path) -> None:
    files = package(tmp_path / "p")
    program = (
        "import sys; from pathlib import Path; from trainwright.tools.hub import LocalHub\n"
        "print(LocalHub(Path(sys.argv[1])).publish(sys.argv[3], Path(sys.argv[2]), 'flowers', 'm').revision)"
    )
    argv = [sys.executable, "-c", program, str(hub.root), str(files), KEY]
    many = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    revisions = {process.communicate(timeout=60)[0].strip() for process in many}
    assert len(revisions) == 1
    assert commits(hub, "flowers") == 1


def test_a_model_whose_name_looks_unfinished_is_not_touched(hub: LocalHub, tmp_path: Path) -> None:
    hub.publish(KEY, package(tmp_path / "p"), "flowers.part", "m")
    hub.publish(OTHER, package(tmp_path / "p2"), "flowers", "m")
    assert hub.names() == ["flowers", "flowers.part"]
    assert hub.find(KEY, "flowers.part") is not None


def test_no_model_inside_another(hub: LocalHub, tmp_path: Path) -> None:
    hub.publish(KEY, package(tmp_path / "p"), "flowers", "m")
    with pytest.raises(PublicationError, match="inside the published model"):
        hub.publish(OTHER, package(tmp_path / "p"), "flowers/roses", "m")
    hub.publish(KEY, package(tmp_path / "p"), "ann/roses", "m")
    with pytest.raises(PublicationError, match="no published model"):
        hub.publish(OTHER, package(tmp_path / "p"), "ann", "m")
    assert hub.names() == ["ann/roses", "flowers"]


def test_a_folder_that_is_something_else_is_left_alone(hub: LocalHub, tmp_path: Path) -> None:
    (hub.root / "flowers").mkdir(parents=True)
    (hub.root / "flowers" / "mine").write_text("1")
    with pytest.raises(PublicationError, match="no published model"):
        hub.publish(KEY, package(tmp_path / "p"), "flowers", "m")
    assert (hub.root / "flowers" / "mine").read_text() == "1"


def test_links_are_refused(hub: LocalHub, tmp_path: Path) -> None:
    files = package(tmp_path / "p")
    (files / "link").symlink_to("/etc/passwd")
    with pytest.raises(PublicationError, match="link"):
        hub.publish(KEY, files, "flowers", "m")
    assert hub.names() == []


def test_what_git_would_ignore_is_published(hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person's own git configuration does not matter."""
    (tmp_path / "ignore").write_text("*.json\n")
    (tmp_path / "config").write_text(f"[core]\n excludesFile = {tmp_path / 'ignore'}\n autocrlf = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    files = package(tmp_path / "p")
    (files / "a.json").write_bytes(b"1\r\n")
    done = hub.publish(KEY, files, "flowers", "m")
    assert done.files == ("README.md", "a.json")
    assert git(Path(done.location), "cat-file", "blob", "HEAD:a.json") == "1\r\n"


def test_names_of_any_language(hub: LocalHub, tmp_path: Path) -> None:
    done = hub.publish(KEY, package(tmp_path / "p", **{"grüße.txt": "1", "日本": "2"}), "flowers", "m")
    assert set(done.files) == {"README.md", "grüße.txt", "日本"}


@pytest.mark.parametrize("name", ["flowers", "ann/flowers", "a", "A.b-c_d", "0x", "x" * 95])
def test_names(name: str) -> None:
    check_model_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "/", "a/", "/a", "a/b/c", "..", "../a", "a/..", "a..b", ".a", "-a", "_a", "a.git", "a.", "a-", "a b", "a\n",
     "a;b", "~", "$HOME", "x" * 200, "é", "a\x00", "a/.git", "con/.."],
)  # fmt: skip
def test_names_that_cannot_be(hub: LocalHub, tmp_path: Path, name: str) -> None:
    with pytest.raises(PublicationError, match="cannot name a model"):
        check_model_name(name)
    with pytest.raises(PublicationError, match="cannot name a model"):
        hub.publish(KEY, package(tmp_path / "p"), name, "m")
    assert not hub.root.exists()
