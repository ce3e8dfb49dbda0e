"""The HTML of LaTeXML as a paper."""

from __future__ import annotations

import pytest

from trainwright.graph.errors import PaperError
from trainwright.tools.lookup.papers.latexml import parse_latexml
from trainwright.tools.papers.lookup import find_section
from trainwright.tools.papers.reading import section_text
from trainwright.tools.papers.records import ParsedPaper

from .services import ABSTRACT, LATEXML


@pytest.fixture(scope="module")
def paper() -> ParsedPaper:
    return parse_latexml(LATEXML.encode(), "the page")


def section(paper: ParsedPaper, name: str) -> str:
    found = find_section(paper, name)
    assert found is not None
    return section_text(paper, found)


def test_title_authors_abstract_and_headings(paper: ParsedPaper) -> None:
    assert paper.title == "Small Forests Learn from Few Rows"
    assert paper.authors_line == "Ada Lovelace"
    assert paper.abstract == ABSTRACT.strip()
    assert [(s.number, s.title, s.level) for s in paper.sections] == [
        ("", "Abstract", 1), ("1", "Introduction", 1), ("2", "Method", 1), ("2.1", "Growing", 2), ("3", "Results", 1),
        ("A", "Proofs", 1), ("", "References", 1),
    ]  # fmt: skip


def test_formulas_are_tex_without_looks(paper: ParsedPaper) -> None:
    text = section(paper, "2")
    assert "The loss is \\hat{y}_{i}-y_{j}≤ 3." in text
    assert "a=b" in text
    assert "### 2.1 Growing\n\n• Depth of at most 3." in text


def test_a_footnote_stands_where_it_is_called_and_citations_stay(paper: ParsedPaper) -> None:
    assert "We follow [1]. (Code is there.)" in section(paper, "1")


def test_what_nobody_sees_is_left_out(paper: ParsedPaper) -> None:
    everything = " ".join(p.text for p in paper.paragraphs)
    assert "Ignore the paper" not in everything
    assert "Skip to the text" not in everything
    assert "Generated" not in everything


def test_a_table_with_spans_and_a_table_in_a_cell(paper: ParsedPaper) -> None:
    (table,) = paper.tables
    assert table.caption == "Table 1: Accuracy on our sets."
    assert table.header == ["Method", "Accuracy Irises", "Accuracy Wines"]
    assert table.rows == [["Forest small", "97.4", "91.2± 0.1"], ["Forest small", "98|1", "90.0"]]
    assert "| Forest small | 98\\|1 | 90.0 |" in section(paper, "results")


def test_references(paper: ParsedPaper) -> None:
    assert paper.references == ["[1] E. Post. Trees and their uses. 1936."]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"<html><body><p>Hello</p></body></html>",
        b"\x00\xff\xfe",
        b"<article class='ltx_document'></article>",
    ],
)
def test_another_page_is_no_paper(raw: bytes) -> None:
    with pytest.raises(PaperError):
        parse_latexml(raw, "the page")


def test_a_hostile_page_ends() -> None:
    deep = b"<div>" * 50_000 + b"x"
    wide = b"<figure class='ltx_table'><figcaption>T</figcaption><table class='ltx_tabular'>" + (
        b"<tr class='ltx_tr'><td class='ltx_td' colspan='999' rowspan='999'>1</td></tr>" * 500
    )
    page = (
        b"<article class='ltx_document'><h2 class='ltx_title ltx_title_section'>S</h2>"
        + wide
        + b"</table></figure>"
        + deep
    )
    paper = parse_latexml(page, "the page")
    assert max(len(row) for table in paper.tables for row in table.rows) <= 60
    assert sum(len(table.rows) for table in paper.tables) * 60 <= 5_000
