"""What names a paper, and what does not."""

from __future__ import annotations

import pytest

from trainwright.graph.errors import RequestError
from trainwright.tools.lookup.papers.ids import paper_id

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1706.03762", "arxiv", "1706.03762"),
        ("arXiv:1706.03762v5", "arxiv", "1706.03762v5"),
        ("cs/9901002", "arxiv", "cs/9901002"),
        ("https://arxiv.org/abs/1706.03762v2", "arxiv", "1706.03762v2"),
        ("https://arxiv.org/pdf/1706.03762.pdf", "arxiv", "1706.03762"),
        ("https://huggingface.co/papers/1706.03762", "arxiv", "1706.03762"),
        ("https://huggingface.co/papers/1706.03762.md", "arxiv", "1706.03762"),
        ("10.48550/arXiv.1706.03762", "arxiv", "1706.03762"),
        ("doi:10.18653/v1/N18-3011", "doi", "10.18653/v1/N18-3011"),
        ("https://doi.org/10.1371/journal.pone.0169411", "doi", "10.1371/journal.pone.0169411"),
        ("10.1002/(SICI)1097-0258(19980815)17:15", "doi", "10.1002/(SICI)1097-0258(19980815)17:15"),
        (SHA.upper(), "scholar", SHA),
        (f"https://www.semanticscholar.org/paper/Attention/{SHA}", "scholar", SHA),
        ("CorpusId:13756489", "corpus", "13756489"),
    ],
)
def test_names_of_papers(text: str, kind: str, value: str) -> None:
    found = paper_id(f" {text} ")
    assert (found.kind, found.value) == (kind, value)


@pytest.mark.parametrize(
    "text",
    [
        "", "attention", "1706", "10.1234/a b", "10.1234/../x", "10.1234/./x", "10.1234/x?y=1", "10.1234/x#y", "10.1234/%2e%2e",
        "https://example.org/paper.pdf", "file:///etc/passwd", "https://huggingface.co/papers/../x", "http://[::1", "arXiv:../..",
        "https://doi.org/evil", "javascript:1706.03762",
    ],
)  # fmt: skip
def test_no_names_of_papers(text: str) -> None:
    with pytest.raises(RequestError, match="names no paper"):
        paper_id(text)


def test_addresses_only_where_they_are_wanted() -> None:
    assert paper_id("https://example.org/paper.pdf", urls=True).kind == "url"
    for text in ("file:///etc/passwd", "ftp://example.org/x", "https://example.org/a b", "https://" + "a" * 3_000):
        with pytest.raises(RequestError):
            paper_id(text, urls=True)


def test_how_semantic_scholar_calls_them() -> None:
    assert paper_id("1706.03762v5").scholar == "ARXIV:1706.03762"
    assert paper_id("10.1002/(SICI)1").scholar_path == "DOI:10.1002/%28SICI%291"
    assert paper_id(SHA).scholar_path == SHA
