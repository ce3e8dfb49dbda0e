"""Where papers come from: files, texts, addresses and arXiv, the last two from a server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from trainwright.graph.errors import PaperError, RemoteError, RemoteUnavailable
from trainwright.tools.papers import fetch_paper, parse_paper
from trainwright.tools.papers.arxiv_source import arxiv_id_of

from .typesetter import TITLE, example_paper

ENTRY = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"
      xmlns:arxiv="http://arxiv.org/schemas/atom">
  <title>ArXiv Query</title><id>http://arxiv.org/api/x</id><updated>2024-01-01T00:00:00-05:00</updated>
  <opensearch:totalResults>{count}</opensearch:totalResults><opensearch:startIndex>0</opensearch:startIndex>
  <opensearch:itemsPerPage>{count}</opensearch:itemsPerPage>
  {entry}
</feed>"""
FOUND = """<entry><id>http://arxiv.org/abs/2101.00001v2</id><updated>2021-01-05T00:00:00Z</updated>
  <published>2021-01-01T00:00:00Z</published><title>{title}</title><summary>About forests.</summary>
  <author><name>Ada Example</name></author><link href="http://arxiv.org/abs/2101.00001v2" rel="alternate" type="text/html"/>
  <link title="pdf" href="http://arxiv.org/pdf/2101.00001v2" rel="related" type="application/pdf"/>
  <arxiv:primary_category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>
  <category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/></entry>"""


class Site(BaseHTTPRequestHandler):
    """A small arXiv, and pages that go wrong in each way."""

    pdf: ClassVar[bytes] = b""
    title: ClassVar[str] = TITLE
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer by the path."""
        parts = urlsplit(self.path)
        self.asked.append(parts.path)
        if parts.path == "/api/query":
            self._api(parse_qs(parts.query)["id_list"][0])
        elif parts.path in ("/pdf/2101.00001v2", "/files/paper.pdf"):
            self._send(200, self.pdf, "application/pdf")
        elif parts.path == "/moved":
            self._send(302, b"", location="/files/paper.pdf")
        elif parts.path == "/loop":
            self._send(302, b"", location="/loop")
        elif parts.path == "/page.pdf":
            self._send(200, b"<!DOCTYPE html><html>Please log in</html>", "text/html")
        elif parts.path == "/notes.md":
            self._send(
                200,
                b"# Notes\n\n## Abstract\n\nWe propose a method and report its accuracy on a data set of many rows.\n",
                "text/plain",
            )
        elif parts.path == "/huge":
            self._send(200, b"%PDF", length=500 * 2**20)
        elif parts.path.startswith("/status/"):
            self._send(int(parts.path.rsplit("/", 1)[1]), b"no")
        else:
            self._send(404, b"nothing here")

    def _api(self, wanted: str) -> None:
        if wanted.startswith("2101.00001"):
            text = ENTRY.format(count=1, entry=FOUND.format(title=self.title))
        elif wanted.startswith("2101.00200") and self.asked.count("/api/query") < 2:
            text = ENTRY.format(count=1, entry=FOUND.format(title=self.title))[:-200]
        elif wanted.startswith("2101.00503"):
            self._send(503, b"busy")
            return
        else:
            text = ENTRY.format(count=0, entry="")
        self._send(200, text.encode(), "application/atom+xml")

    def _send(self, status: int, body: bytes, kind: str = "text/plain", location: str = "", length: int = 0) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(length or len(body)))
        if location:
            self.send_header("location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the server; arXiv is looked for there, and no pause is made between tries."""
    Site.pdf = example_paper().save(tmp_path / "served.pdf").read_bytes()
    Site.title, Site.asked = TITLE, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("TRAINWRIGHT_ARXIV_URL", address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield address
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("1408.5882", "1408.5882"), ("1408.5882v2", "1408.5882v2"), ("arXiv:1408.5882", "1408.5882"),
        ("https://arxiv.org/abs/1408.5882", "1408.5882"), ("http://arxiv.org/pdf/1408.5882v2.pdf", "1408.5882v2"),
        ("https://www.arxiv.org/pdf/2101.00001", "2101.00001"), ("cs/0112017", "cs/0112017"),
        ("https://arxiv.org/abs/math.GT/0309136v1", "math.GT/0309136v1"), ("https://ar5iv.org/html/1408.5882", "1408.5882"),
        ("https://example.org/abs/1408.5882", ""), ("paper.pdf", ""), ("14085882", ""), ("https://arxiv.org/list/cs", ""),
    ],
)  # fmt: skip
def test_arxiv_ids(spec: str, found: str) -> None:
    assert arxiv_id_of(spec) == found


@pytest.mark.parametrize("spec", ["2101.00001", "arXiv:2101.00001v2", "https://arxiv.org/abs/2101.00001"])
def test_a_paper_of_arxiv(spec: str, site: str, tmp_path: Path) -> None:
    source = fetch_paper(spec, tmp_path / "run")
    assert (source.kind, source.arxiv_id, source.title, source.origin) == ("pdf", "2101.00001v2", TITLE, spec)
    paper = parse_paper(source, tmp_path / "run")
    assert (paper.title, paper.arxiv_id) == (TITLE, "2101.00001v2")
    assert paper.warnings == []


def test_the_same_paper_is_fetched_once(site: str, tmp_path: Path) -> None:
    first = fetch_paper("2101.00001", tmp_path / "run")
    asked = len(Site.asked)
    assert fetch_paper("2101.00001", tmp_path / "run") == first
    assert len(Site.asked) == asked


def test_another_title_than_arxivs_is_said(site: str, tmp_path: Path) -> None:
    Site.title = "Something Else Entirely"
    paper = parse_paper(fetch_paper("2101.00001", tmp_path / "run"), tmp_path / "run")
    assert paper.title == TITLE
    assert any("Something Else Entirely" in warning for warning in paper.warnings)


def test_half_a_feed_of_arxiv_does_not_say_that_there_is_no_paper(site: str, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="malformed"):
        fetch_paper("2101.00200", tmp_path / "run")
    with pytest.raises(PaperError, match="no paper"):  # and is not kept
        fetch_paper("2101.00200", tmp_path / "run")


def test_arxiv_has_no_such_paper(site: str, tmp_path: Path) -> None:
    with pytest.raises(PaperError, match=r"arXiv has no paper 9999\.99999"):
        fetch_paper("9999.99999", tmp_path / "run")


def test_arxiv_is_busy(site: str, tmp_path: Path) -> None:
    with pytest.raises(RemoteUnavailable, match="HTTP 503") as caught:
        fetch_paper("2101.00503", tmp_path / "run")
    assert caught.value.retryable
    assert Site.asked == ["/api/query"] * 3


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWRIGHT_ARXIV_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(RemoteUnavailable, match=r"arXiv cannot be reached at .*1408\.5882"):
        fetch_paper("1408.5882", tmp_path / "run")
    with pytest.raises(RemoteUnavailable, match="cannot be reached"):
        fetch_paper("http://127.0.0.1:9/paper.pdf", tmp_path / "run")


@pytest.mark.parametrize(("path", "times"), [("/status/503", 3), ("/status/403", 1), ("/absent", 1)])
def test_only_what_is_retryable_is_tried_again(
    path: str, times: int, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask() -> int:
        before = len(Site.asked)
        with pytest.raises((RemoteError, PaperError)):
            fetch_paper(site + path, tmp_path / "run")
        return len(Site.asked) - before

    assert ask() == times
    monkeypatch.setattr(RemoteUnavailable, "retryable", False)
    assert ask() == 1


@pytest.mark.parametrize("path", ["/files/paper.pdf", "/moved"])
def test_a_pdf_at_an_address(path: str, site: str, tmp_path: Path) -> None:
    source = fetch_paper(site + path, tmp_path / "run")
    assert (source.kind, source.path.name) == ("pdf", "source.pdf")
    assert parse_paper(source, tmp_path / "run").title == TITLE


def test_markdown_at_an_address(site: str, tmp_path: Path) -> None:
    assert fetch_paper(f"{site}/notes.md", tmp_path / "run").kind == "markdown"


@pytest.mark.parametrize(
    ("path", "error", "what"),
    [
        ("/absent", PaperError, "nothing at .*HTTP 404"),
        ("/page.pdf", PaperError, "web page"),
        ("/huge", PaperError, "more than 64 MiB"),
        ("/status/403", RemoteError, "refuses .*HTTP 403"),
        ("/status/500", RemoteUnavailable, "down or busy .HTTP 500"),
        ("/status/429", RemoteUnavailable, "down or busy .HTTP 429"),
        ("/loop", RemoteError, "redirects without end"),
    ],
)
def test_addresses_that_go_wrong(path: str, error: type[Exception], what: str, site: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=what):
        fetch_paper(site + path, tmp_path / "run")
    assert [p.name for p in (tmp_path / "run").iterdir()] == []


def test_a_slow_server_is_given_up(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.tools.papers.download.DOWNLOAD_SECONDS", -1.0)
    with pytest.raises(RemoteUnavailable, match=r"did not answer in time|the time for this lookup is over"):
        fetch_paper(f"{site}/files/paper.pdf", tmp_path / "run")


def test_a_file_is_copied_and_the_copy_kept(tmp_path: Path) -> None:
    path = example_paper().save(tmp_path / "mine.pdf")
    source = fetch_paper(str(path), tmp_path / "run")
    path.unlink()
    again = fetch_paper(str(path), tmp_path / "run")
    assert again == source
    assert parse_paper(again, tmp_path / "run").title == TITLE


def test_another_paper_in_the_same_folder_is_fetched_anew(tmp_path: Path) -> None:
    fetch_paper(str(example_paper().save(tmp_path / "mine.pdf")), tmp_path / "run")
    text = "We propose a method, and its accuracy on a data set is the subject of this experiment.\nIt has two lines.\n"
    source = fetch_paper(text, tmp_path / "run")
    assert source.kind == "text"
    assert parse_paper(source, tmp_path / "run").title == ""


def test_a_paper_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    source = fetch_paper(str(example_paper().save(tmp_path / "mine.pdf")), folder)
    first = parse_paper(source, folder)
    assert (folder / "paper.md").read_text().startswith(f"# {TITLE}")
    monkeypatch.setattr("trainwright.tools.papers.pdf.parse_pdf", None)
    assert parse_paper(source, folder) == first


def test_a_damaged_note_or_an_older_reader_is_read_anew(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    source = fetch_paper(str(example_paper().save(tmp_path / "mine.pdf")), folder)
    first = parse_paper(source, folder)
    for text in ("{", first.model_copy(update={"reader_version": 0, "title": "Old"}).model_dump_json()):
        (folder / "parsed.json").write_text(text)
        assert parse_paper(source, folder).title == TITLE


def test_a_copy_that_is_gone_is_said(tmp_path: Path) -> None:
    source = fetch_paper(str(example_paper().save(tmp_path / "mine.pdf")), tmp_path / "run")
    source.path.unlink()
    with pytest.raises(PaperError, match=r"The copy of mine\.pdf is gone"):
        parse_paper(source, tmp_path / "run")


def test_two_calls_at_once_read_a_paper_once(tmp_path: Path) -> None:
    path = str(example_paper().save(tmp_path / "mine.pdf"))
    folder = tmp_path / "run"
    with ThreadPoolExecutor(4) as pool:
        papers = list(pool.map(lambda _: parse_paper(fetch_paper(path, folder), folder), range(8)))
    assert {paper.title for paper in papers} == {TITLE}
    assert sorted(p.name for p in folder.iterdir()) == ["paper.md", "parsed.json", "source.json", "source.pdf"]
