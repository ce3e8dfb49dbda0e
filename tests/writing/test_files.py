"""The code folder as an engineer sees it: nothing is written over unread, and nothing is ever half written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainwright.graph.errors import Refusal
from trainwright.tools import code
from trainwright.tools.writing import (
    edit_file,
    forget,
    list_files,
    read_file,
    read_kept,
    saw,
    seen,
    write_file,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder."""
    (tmp_path / "stages").mkdir()
    return tmp_path


def put(folder: Path, name: str, content: str | bytes) -> Path:
    """Somebody else writes a file."""
    path = folder / "code" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


class TestWriting:
    def test_a_new_file(self, folder: Path) -> None:
        written = write_file(folder, "train.py", "a = 1\n")
        assert (written.new, written.lines, written.characters) == (True, 1, 6)
        assert (folder / "code" / "train.py").read_text() == "a = 1\n"

    def test_a_file_that_was_written_counts_as_read(self, folder: Path) -> None:
        write_file(folder, "train.py", "a = 1\n")
        assert not write_file(folder, "train.py", "a = 2\n").new
        assert edit_file(folder, "train.py", "a = 2", "a = 3").count == 1
        edit_file(folder, "train.py", "a = 3", "a = 4")
        assert read_file(folder, "train.py").text == "a = 4\n"

    def test_a_file_that_was_not_read_is_refused(self, folder: Path) -> None:
        path = put(folder, "train.py", "a = 1\n")
        with pytest.raises(Refusal, match="not read yet") as caught:
            write_file(folder, "train.py", "a = 2\n")
        assert caught.value.hint == "Read it first."
        with pytest.raises(Refusal, match="not read yet"):
            edit_file(folder, "train.py", "a = 1", "a = 2")
        assert path.read_text() == "a = 1\n"

    def test_a_file_that_was_read_may_be_written(self, folder: Path) -> None:
        put(folder, "train.py", "a = 1\n")
        read_file(folder, "train.py")
        assert edit_file(folder, "train.py", "a = 1", "a = 2").line == 1
        write_file(folder, "train.py", "b\n")

    def test_a_file_that_changed_since_is_refused_until_it_is_read_again(self, folder: Path) -> None:
        write_file(folder, "train.py", "a = 1\n")
        path = put(folder, "train.py", "a = 5\n")
        for write in (lambda: write_file(folder, "train.py", "b"), lambda: edit_file(folder, "train.py", "a", "b")):
            with pytest.raises(Refusal, match="changed on disk since"):
                write()
        assert path.read_text() == "a = 5\n"
        read_file(folder, "train.py")
        assert write_file(folder, "train.py", "b\n").characters == 2

    def test_a_file_that_was_removed_is_a_new_one(self, folder: Path) -> None:
        write_file(folder, "a.py", "a\n")
        (folder / "code" / "a.py").unlink()
        assert write_file(folder, "a.py", "b\n").new

    def test_a_write_that_changes_nothing_needs_no_reading(self, folder: Path) -> None:
        """So that a call which is repeated after a kill is answered like the first one."""
        put(folder, "a.py", "a\n")
        write_file(folder, "a.py", "a\n")
        edit_file(folder, "a.py", "a", "b")

    def test_what_was_copied_for_the_engineer_counts_as_read(self, folder: Path) -> None:
        recipe = {"train.py": b"a\n", "predict.py": b"b\n"}
        code.write_files(folder / "code", recipe)
        saw(folder, recipe)
        edit_file(folder, "train.py", "a", "c")
        write_file(folder, "predict.py", "c")

    def test_a_recipe_that_somebody_else_copied_does_not(self, folder: Path) -> None:
        write_file(folder, "train.py", "mine\n")
        code.write_files(folder / "code", {"train.py": b"a\n"})
        with pytest.raises(Refusal, match="changed on disk"):
            edit_file(folder, "train.py", "a", "c")

    def test_a_new_attempt_knows_nothing(self, folder: Path) -> None:
        write_file(folder, "train.py", "a\n")
        forget(folder)
        forget(folder)
        with pytest.raises(Refusal, match="not read yet"):
            edit_file(folder, "train.py", "a", "c")

    @pytest.mark.parametrize("record", ["", "{", "[]", '{"train.py": 3}', '{"train.py": [1]}'])
    def test_a_damaged_record_means_that_nothing_is_known(self, folder: Path, record: str) -> None:
        write_file(folder, "train.py", "a\n")
        (folder / seen.PLACE).write_text(record)
        with pytest.raises(Refusal, match=r"read yet|changed on disk"):
            write_file(folder, "train.py", "b\n")
        read_file(folder, "train.py")
        write_file(folder, "train.py", "b\n")

    @pytest.mark.parametrize("name", ["", "../x.py", "a/b.py", "/etc/passwd", ".git", "-x", "a b.py", "x\n.py", "ü.py"])
    def test_only_plain_names(self, folder: Path, name: str) -> None:
        for call in (read_file, lambda f, n: write_file(f, n, "x"), lambda f, n: edit_file(f, n, "x", "y")):
            with pytest.raises(Refusal, match="plain file name") as caught:
                call(folder, name)
            assert "without a path" in caught.value.hint

    def test_the_largest_file(self, folder: Path) -> None:
        write_file(folder, "a.py", "x" * 200_000)
        with pytest.raises(Refusal, match="200,001 characters"):
            write_file(folder, "b.py", "x" * 200_001)
        with pytest.raises(Refusal, match="200,099 characters"):
            edit_file(folder, "a.py", "x" * 200_000, "y" * 200_099)
        assert list_files(folder) == {"a.py": 200_000}

    def test_the_most_files(self, folder: Path) -> None:
        saw(folder, {})
        for number in range(50):
            put(folder, f"f{number}.py", "x")
        with pytest.raises(Refusal, match="50 files"):
            write_file(folder, "one_more.py", "x")
        read_file(folder, "f1.py")
        write_file(folder, "f1.py", "y")

    @pytest.mark.parametrize("text", ["a\0b", "\ud800"])
    def test_what_is_no_text(self, folder: Path, text: str) -> None:
        with pytest.raises(Refusal, match="nothing was written"):
            write_file(folder, "a.py", text)
        assert list_files(folder) == {}

    def test_links_and_folders_are_not_followed(self, folder: Path, tmp_path: Path) -> None:
        outside = tmp_path / "labels.txt"
        outside.write_text("secret")
        (folder / "code").mkdir()
        (folder / "code" / "link.txt").symlink_to(outside)
        (folder / "code" / "dangling.txt").symlink_to(tmp_path / "none")
        (folder / "code" / "folder").mkdir()
        for name in ("link.txt", "dangling.txt", "folder"):
            with pytest.raises(Refusal, match="no plain file"):
                read_file(folder, name)
            with pytest.raises(Refusal, match="no plain file"):
                write_file(folder, name, "x")
        assert outside.read_text() == "secret"
        assert list_files(folder) == {}

    def test_the_code_can_be_committed_afterwards(self, folder: Path) -> None:
        write_file(folder, "train.py", "a\n")
        first = code.commit(folder / "code", "one")
        edit_file(folder, "train.py", "a", "b")
        assert code.commit(folder / "code", "two") != first
        assert code.files_of(folder / "code") == {"train.py": b"b\n"}

    def test_many_threads_lose_nothing(self, folder: Path) -> None:
        write_file(folder, "a.py", "".join(f"<{n}>\n" for n in range(20)))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: edit_file(folder, "a.py", f"<{n}>", f"[{n}]"), range(20)))
            list(pool.map(lambda n: write_file(folder, f"b{n}.py", "x"), range(20)))
        assert read_file(folder, "a.py").text == "".join(f"[{n}]\n" for n in range(20))
        for n in range(20):
            write_file(folder, f"b{n}.py", "y")


class TestReading:
    def test_lines_as_they_stand(self, folder: Path) -> None:
        put(folder, "a.py", "one\r\n\ttwo \n\x0cthree\u2028\nfour")
        text = read_file(folder, "a.py")
        assert text.text == "one\r\n\ttwo \n\x0cthree\u2028\nfour"
        assert (text.first_line, text.last_line, text.of) == (1, 4, 4)
        assert read_file(folder, "a.py", 2, 1).text == "\ttwo \n"

    def test_a_long_file_in_parts(self, folder: Path) -> None:
        put(folder, "a.txt", "".join(f"{n}\n" for n in range(1, 3_001)))
        first = read_file(folder, "a.txt")
        assert (first.first_line, first.last_line, first.of) == (1, 2_000, 3_000)
        assert read_file(folder, "a.txt", lines=9_999).last_line == 2_000
        last = read_file(folder, "a.txt", first.last_line + 1)
        assert (last.first_line, last.last_line) == (2_001, 3_000)
        assert last.text.startswith("2001\n")

    def test_a_long_line_is_cut(self, folder: Path) -> None:
        put(folder, "a.txt", "x" * 5_000 + "\r\nshort\n")
        text = read_file(folder, "a.txt").text
        assert text == "x" * 4_000 + "… 1000 characters of this line cut\r\nshort\n"

    def test_an_empty_file(self, folder: Path) -> None:
        put(folder, "a.txt", "")
        assert read_file(folder, "a.txt").model_dump() == {
            "name": "a.txt", "text": "", "first_line": 1, "last_line": 0, "of": 0,
        }  # fmt: skip

    @pytest.mark.parametrize(("first", "lines"), [(0, 1), (-1, 1), (3, 1), (1, 0)])
    def test_lines_that_are_not_there(self, folder: Path, first: int, lines: int) -> None:
        put(folder, "a.txt", "1\n2\n")
        with pytest.raises(Refusal):
            read_file(folder, "a.txt", first, lines)

    @pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0", b"a\0b", b"\xff\xfe"])
    def test_a_binary_file(self, folder: Path, content: bytes) -> None:
        put(folder, "a.png", content)
        with pytest.raises(Refusal, match=f"binary file of {len(content)} bytes"):
            read_file(folder, "a.png")

    def test_a_file_that_is_not_there(self, folder: Path) -> None:
        put(folder, "train.py", "x")
        with pytest.raises(Refusal, match="no file a") as caught:
            read_file(folder, "a.py")
        assert "train.py" in caught.value.hint

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        assert list_files(tmp_path) == {}
        with pytest.raises(Refusal, match="no file a"):
            edit_file(tmp_path, "a.py", "x", "y")

    def test_names_and_sizes(self, folder: Path) -> None:
        put(folder, "b.py", "äö")
        put(folder, "a.py", "")
        assert list_files(folder) == {"a.py": 0, "b.py": 4}


class TestKeptOutput:
    def test_is_read_on(self, folder: Path) -> None:
        (folder / "stages" / "write_code-1f.txt").write_text("1\n2\n3\n")
        assert read_kept(folder, "write_code-1f.txt", 2, 1).text == "2\n"
        assert read_kept(folder, "stages/write_code-1f.txt").of == 3

    def test_what_is_no_text_is_shown_as_well_as_it_can_be(self, folder: Path) -> None:
        (folder / "stages" / "a.txt").write_bytes(b"ok \xff\n")
        assert read_kept(folder, "a.txt").text == "ok �\n"

    @pytest.mark.parametrize("name", ["../request.txt", "a/b.txt", "write_code.json", ".txt", "", "/etc/hosts.txt"])
    def test_nothing_else_is(self, folder: Path, name: str) -> None:
        (folder / "request.txt").write_text("x")
        (folder / "stages" / "write_code.json").write_text("x")
        with pytest.raises(Refusal):
            read_kept(folder, name)

    def test_no_link_is_followed(self, folder: Path) -> None:
        (folder / "labels.txt").write_text("secret")
        (folder / "stages" / "a.txt").symlink_to(folder / "labels.txt")
        with pytest.raises(Refusal, match="no plain file"):
            read_kept(folder, "a.txt")

    def test_one_that_is_not_there(self, folder: Path) -> None:
        with pytest.raises(Refusal, match="no kept output a"):
            read_kept(folder, "a.txt")


class Killed(BaseException):
    """The process ended here."""


@given(
    old=st.text("ab\n", min_size=1, max_size=20),
    new=st.text("ab\n", max_size=20),
    step=st.integers(0, 8),
    exists=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_a_kill_at_any_step_leaves_the_old_or_the_new_content(
    tmp_path_factory: pytest.TempPathFactory, old: str, new: str, step: int, exists: bool
) -> None:
    folder = tmp_path_factory.mktemp("run")
    if exists:
        write_file(folder, "a.py", old)
    with pytest.MonkeyPatch.context() as patch:
        steps = iter(range(100))

        def dying(real: object) -> object:
            def call(*arguments: object) -> object:
                if next(steps) == step:
                    raise Killed
                return real(*arguments)  # type: ignore[operator]

            return call

        patch.setattr(os, "fsync", dying(os.fsync))
        patch.setattr(Path, "replace", dying(Path.replace))
        try:
            write_file(folder, "a.py", new)
            killed = False
        except Killed:
            killed = True
    path = folder / "code" / "a.py"
    content = path.read_text() if path.exists() else None
    assert content in ({old, new} if exists else {None, new})
    assert killed or content == new
    assert set(list_files(folder)) <= {"a.py"}, "nothing half written lies among the code"
    write_file(folder, "a.py", new + "more")  # whichever it is, the engineer knows it
    assert path.read_text() == new + "more"


def test_a_real_kill(folder: Path) -> None:
    """The process is killed in the midst of writing, again and again."""
    source = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from trainwright.tools.writing import write_file
        folder = Path(sys.argv[1])
        print("begun", flush=True)
        while True:
            for letter in "ab":
                write_file(folder, "big.py", letter * 190_000)
        """
    )
    for pause in (0.02, 0.05, 0.09):
        process = subprocess.Popen([sys.executable, "-c", source, str(folder)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        while not (folder / "code" / "big.py").exists():
            time.sleep(0.005)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert (folder / "code" / "big.py").read_text() in ("a" * 190_000, "b" * 190_000)
        assert list_files(folder) == {"big.py": 190_000}
        write_file(folder, "big.py", "c")
        (folder / "code" / "big.py").unlink()
