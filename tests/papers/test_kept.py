"""A paper's file is read once: in the next run, in another process, under another name."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trainwright.graph.errors import PaperError
from trainwright.tools.lookup import papers
from trainwright.tools.papers import fetch_paper, parse_paper, pdf, reading

from .typesetter import TITLE, example_paper


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were really read."""
    names: list[str] = []
    real = pdf.parse_pdf

    def counted(file: Path | bytes, name: str) -> object:
        names.append(name)
        return real(file, name)

    monkeypatch.setattr(pdf, "parse_pdf", counted)
    return names


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(FILE)
    return path


FILE = bytes(example_paper().document.tobytes())


def test_two_runs_and_two_paths_read_it_once(tmp_path: Path, parses: list[str]) -> None:
    first = parse_paper(fetch_paper(str(write(tmp_path / "a.pdf")), tmp_path / "run1"), tmp_path / "run1")
    second = parse_paper(fetch_paper(str(write(tmp_path / "b.pdf")), tmp_path / "run2"), tmp_path / "run2")
    assert parses == ["a.pdf"]
    assert second == first
    assert (tmp_path / "run2" / "paper.md").read_text() == first.markdown
    assert papers.read_file(write(tmp_path / "c.pdf")).title == TITLE
    assert parses == ["a.pdf"]


def test_another_process_does_not_read_it_again(tmp_path: Path, parses: list[str]) -> None:
    path = write(tmp_path / "a.pdf")
    program = (
        "import sys; from trainwright.tools.lookup import papers; print(papers.read_file(sys.argv[1]).title); "
        "print('pymupdf' in sys.modules)"
    )
    for loaded in ("True", "False"):
        answer = subprocess.run(
            [sys.executable, "-c", program, str(path)], env=dict(os.environ), capture_output=True, text=True, check=True
        )
        assert answer.stdout.split("\n")[:2] == [TITLE, loaded]
    assert papers.read_file(path).title == TITLE
    assert parses == []


def test_threads_that_ask_for_the_same_file_read_it_once(tmp_path: Path, parses: list[str]) -> None:
    path = write(tmp_path / "a.pdf")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(papers.read_file, [path] * 8))
    assert {one.title for one in found} == {TITLE}
    assert parses == ["a.pdf"]


def test_other_bytes_and_another_version_of_the_reader_are_read(
    tmp_path: Path, parses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.pdf")
    papers.read_file(path)
    path.write_bytes(FILE + b"\n% more\n")
    papers.read_file(path)
    assert len(parses) == 2
    monkeypatch.setattr(reading, "READER_VERSION", reading.READER_VERSION + 1)
    papers.read_file(path)
    assert len(parses) == 3


def test_what_was_kept_says_the_name_of_the_file_at_hand(tmp_path: Path, parses: list[str]) -> None:
    broken = FILE[: len(FILE) - 200]  # the table of the file's objects is lost
    for name in ("first.pdf", "second.pdf"):
        (tmp_path / name).write_bytes(broken)
        warnings = papers.read_file(tmp_path / name).notes
        assert any(warning.startswith(name) for warning in warnings), warnings
    assert parses == ["first.pdf"]


def test_what_is_no_paper_is_refused_each_time(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("Buy milk.\n")
    for _ in range(2):
        with pytest.raises(PaperError, match=r"note\.txt"):
            papers.read_file(path)


def test_a_record_that_does_not_fit_is_read_anew(
    tmp_path: Path, parses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainwright.tools import http

    path = write(tmp_path / "a.pdf")
    monkeypatch.setattr(http, "kept", lambda *_: b'{"from": "another program"}')
    assert papers.read_file(path).title == TITLE
    assert parses == ["a.pdf"]
