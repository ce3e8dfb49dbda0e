"""PDFs: reading order, title, headings with pages, references, cover sheets."""

from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest

from .conftest import Read
from .typesetter import ABSTRACT, BOLD, LOREM, REFERENCES, TITLE, Typesetter, example_paper

SECTIONS = ["Abstract", "1 Introduction", "2 Method", "2.1 Margin splits", "3 Experiments", "3.1 Setup", "4 Conclusion",
            "References"]  # fmt: skip


@pytest.mark.parametrize("columns", [1, 2])
def test_a_paper_is_read_with_title_sections_pages_and_references(columns: int, tmp_path: Path, read: Read) -> None:
    paper = read(example_paper(columns).save(tmp_path / "paper.pdf"))
    assert paper.title == TITLE
    assert paper.authors_line == "Ada Example and Carl Sample"
    assert [f"{s.number} {s.title}".strip() for s in paper.sections] == SECTIONS
    assert paper.sections[0].page == 1
    assert paper.sections[-1].page == paper.pages == 2
    assert paper.abstract == ABSTRACT
    assert paper.references == REFERENCES
    assert paper.warnings == []


def test_levels_follow_the_numbers(tmp_path: Path, read: Read) -> None:
    paper = read(example_paper().save(tmp_path / "paper.pdf"))
    assert {s.number: s.level for s in paper.sections if s.number} == {
        "1": 1,
        "2": 1,
        "2.1": 2,
        "3": 1,
        "3.1": 2,
        "4": 1,
    }


def test_two_columns_are_read_one_after_the_other(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter(columns=2)
    sheet.across("Orders of Reading in Neural Networks", 16, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph("We study the order of reading in an experiment. " + LOREM)
    sheet.heading("1 Introduction")
    for number in range(40):
        sheet.paragraph(f"Sentence number {number} of this experiment stands here and is a little longer than a line.")
    paper = read(sheet.save(tmp_path / "order.pdf"))
    text = " ".join(p.text for p in paper.paragraphs)
    places = [text.index(f"Sentence number {number} of") for number in range(40)]
    assert places == sorted(places)


BESIDE = """Citation: Example A (2020) Margin Forests
for the Classification of Small Tables
Received: July 11, 2019
Accepted: December 17, 2019
Data Availability: all files are at a
public place of the library
Funding: the authors received no funds
for this work
Competing Interests: none exist"""


def test_small_print_beside_the_text_comes_last_on_its_page_and_begins_no_section(tmp_path: Path, read: Read) -> None:
    """As PLOS and MDPI set their first page: what stands there shares the heights of headings and lines."""
    sheet = Typesetter()
    sheet.lefts, sheet.width = [200.0], 360.0
    sheet.line(TITLE, BOLD, 13)
    sheet.heading("Abstract")
    for number, line in enumerate(BESIDE.splitlines()):
        sheet.page.insert_text((36, sheet.y - 5 + 12 * number), line, fontname="tiro", fontsize=7.5)
    sheet.paragraph(ABSTRACT)
    sheet.heading("Introduction")
    sheet.paragraph(LOREM * 4)
    sheet.line("Larger words without bold", size=12.5)
    sheet.paragraph(LOREM * 8)
    sheet.heading("Results")
    sheet.paragraph(LOREM)
    paper = read(sheet.save(tmp_path / "beside.pdf"))
    assert paper.title == TITLE
    assert [s.title for s in paper.sections] == ["Abstract", "Introduction", "Larger words without bold", "Results"]
    assert paper.abstract == ABSTRACT
    assert paper.sections[1].text == (LOREM * 4).strip()
    assert "Funding: the authors received no funds for this work" in " ".join(p.text for p in paper.paragraphs)


def test_a_summary_with_a_number_is_no_abstract(tmp_path: Path, read: Read) -> None:
    first = "This experiment is about forests, and the method is told in the first words of the paper. " + LOREM * 2
    sheet = Typesetter()
    sheet.across(TITLE, 16, BOLD)
    sheet.paragraph(first)
    for heading in ("1 Introduction", "2 Method", "3 Results", "4 Summary"):
        sheet.heading(heading)
        sheet.paragraph(LOREM * 2)
    assert read(sheet.save(tmp_path / "summary.pdf")).abstract == first.strip()


def test_a_paragraph_across_a_page_knows_both_pages(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across(TITLE, 16, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph(ABSTRACT)
    sheet.heading("1 Introduction")
    sheet.y = 680
    sheet.paragraph("We begin here, and go on with more words. " + LOREM * 3 + "The method ends on the second page.")
    paper = read(sheet.save(tmp_path / "long.pdf"))
    paragraph = next(p for p in paper.paragraphs if p.text.startswith("We begin here"))
    assert paragraph.page_at(0) == 1
    assert paragraph.page_at(paragraph.text.index("ends on the second")) == 2


def test_words_cut_at_the_end_of_a_line_are_made_whole(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across(TITLE, 16, BOLD)
    sheet.heading("Abstract")
    for line in (
        "We propose a method for classifi-",
        "cation with self-",
        "supervised pre-training in our experiments",
        "on a data set of images and show the accuracy.",
    ):
        sheet.line(line)
    paper = read(sheet.save(tmp_path / "cut.pdf"))
    assert "classification with self-supervised" in paper.abstract


def test_running_heads_and_page_numbers_are_no_text(tmp_path: Path, read: Read) -> None:
    sheet = example_paper()
    for number in range(4):
        sheet.heading(f"{5 + number} Another experiment")
        sheet.paragraph(LOREM * 12)
    for number, page in enumerate(sheet.document):
        page.insert_text((72, 40), "Margin Forests in a Journal", fontsize=8)
        page.insert_text((300, 770), str(number + 1), fontsize=9)
    paper = read(sheet.save(tmp_path / "heads.pdf"))
    text = "\n".join(p.text for p in paper.paragraphs)
    assert "in a Journal" not in text
    assert not [p for p in paper.paragraphs if p.text.strip().isdigit()]


def test_a_list_is_no_heading(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across(TITLE, 16, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph(ABSTRACT)
    sheet.heading("1 Introduction")
    sheet.paragraph("We make these contributions:")
    for item in ("1. A method for small tables", "2. Experiments on public data", "3. An analysis of its errors"):
        sheet.line(item)
    sheet.heading("2 Method")
    sheet.paragraph(LOREM)
    paper = read(sheet.save(tmp_path / "list.pdf"))
    assert [s.number for s in paper.sections if s.number] == ["1", "2"]


def test_appendices_go_on_after_the_references(tmp_path: Path, read: Read) -> None:
    sheet = example_paper()
    sheet.heading("A Details of the experiments")
    sheet.paragraph("The appendix says more. " + LOREM)
    sheet.heading("A.1 Search")
    sheet.paragraph(LOREM)
    paper = read(sheet.save(tmp_path / "appendix.pdf"))
    assert [(s.number, s.title) for s in paper.sections[-2:]] == [
        ("A", "Details of the experiments"),
        ("A.1", "Search"),
    ]
    assert paper.references == REFERENCES


def test_a_title_is_never_made_up(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.paragraph(ABSTRACT)
    sheet.paragraph(LOREM * 4)
    sheet.document.set_metadata({"title": "What the file's metadata say"})
    paper = read(sheet.save(tmp_path / "plain.pdf"))
    assert paper.title == ""
    assert any("no title" in w and "What the file's metadata say" in w for w in paper.warnings)


def test_metadata_decide_the_spelling_of_a_title_in_capitals(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across(TITLE.upper(), 14, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph(ABSTRACT)
    sheet.document.set_metadata({"title": TITLE})
    assert read(sheet.save(tmp_path / "capitals.pdf")).title == TITLE


@pytest.mark.parametrize("wrong", ["Microsoft Word - draft3.docx", "untitled", "An altogether different matter"])
def test_metadata_that_the_page_does_not_print_are_not_believed(wrong: str, tmp_path: Path, read: Read) -> None:
    sheet = example_paper()
    sheet.document.set_metadata({"title": wrong})
    assert read(sheet.save(tmp_path / "paper.pdf")).title == TITLE


def test_a_cover_sheet_is_skipped_and_said(tmp_path: Path, read: Read) -> None:
    cover = Typesetter()
    cover.across("See discussions, stats, and author profiles for this publication", 9)
    cover.across("A Title That the Repository Printed in Large Type", 22, BOLD)
    cover.paragraph("Article in the institutional repository. CITATIONS 12 READS 345. View publication stats.")
    cover.paragraph("All content following this page was uploaded by Ada Example on 1 May 2020. ResearchGate.")
    cover.document.insert_pdf(example_paper().document)
    paper = read(cover.save(tmp_path / "covered.pdf"))
    assert paper.title == TITLE
    assert paper.pages == 3
    assert paper.sections[0].page == 2
    assert any("covered.pdf" in w and "cover sheet" in w for w in paper.warnings)


def test_arxiv_stamp_and_doi_are_read(tmp_path: Path, read: Read) -> None:
    sheet = example_paper()
    page = sheet.document[0]
    page.insert_text((30, 500), "arXiv:2101.00001v2 [cs.LG] 5 Jan 2021", fontsize=14, rotate=90)
    page.insert_text((72, 775), "https://doi.org/10.1234/abc.5678", fontsize=8)
    paper = read(sheet.save(tmp_path / "stamped.pdf"))
    assert (paper.arxiv_id, paper.doi) == ("2101.00001v2", "10.1234/abc.5678")
    assert "arXiv:2101" not in " ".join(p.text for p in paper.paragraphs)


def test_one_large_page_is_said_to_be_no_paper_of_the_usual_kind(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across(TITLE, 16, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph(ABSTRACT)
    sheet.page.set_mediabox(pymupdf.Rect(0, 0, 2384, 3370))
    paper = read(sheet.save(tmp_path / "poster.pdf"))
    assert any("poster" in warning for warning in paper.warnings)
