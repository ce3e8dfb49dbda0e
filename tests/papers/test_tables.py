"""Tables without lines between their cells: found beside their captions, cut into columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.tools.papers import extract
from trainwright.tools.papers.table_cells import is_number

from .conftest import Read
from .typesetter import ABSTRACT, BOLD, LOREM, RESULTS, TITLE, Typesetter, example_paper


@pytest.mark.parametrize("rules", [False, True])
@pytest.mark.parametrize("below", [False, True])
def test_a_table_is_read_cell_by_cell(rules: bool, below: bool, tmp_path: Path, read: Read) -> None:
    paper = read(example_paper(1, rules, below).save(tmp_path / "paper.pdf"))
    assert len(paper.tables) == 1
    table = paper.tables[0]
    assert table.header == RESULTS[0]
    assert table.rows == RESULTS[1:]
    assert table.strong == [3]
    assert table.caption == "Table 1: Test accuracy (%) of all methods."


@pytest.mark.parametrize("below", [False, True])
def test_a_table_in_one_of_two_columns(below: bool, tmp_path: Path, read: Read) -> None:
    paper = read(example_paper(2, True, below).save(tmp_path / "paper.pdf"))
    assert [row[1:] for row in paper.tables[0].rows] == [row[1:] for row in RESULTS[1:]]


def test_words_of_a_table_are_no_running_text(tmp_path: Path, read: Read) -> None:
    paper = read(example_paper().save(tmp_path / "paper.pdf"))
    body = " ".join(p.text for p in paper.paragraphs if p.kind == "body")
    assert "96.5" not in body
    assert "96.5" in paper.markdown


def test_a_header_over_several_columns_is_given_to_each(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across(TITLE, 16, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph(ABSTRACT)
    sheet.heading("1 Experiments")
    sheet.paragraph("Table 1: Results of the experiments on two data sets.")
    y = sheet.y + 12
    sheet.page.insert_text((255, y), "MNIST", fontname="tiro", fontsize=10)
    sheet.page.insert_text((375, y), "CIFAR-10", fontname="tiro", fontsize=10)
    sheet.page.draw_line((230, y + 3), (320, y + 3), width=0.4)
    sheet.page.draw_line((350, y + 3), (440, y + 3), width=0.4)
    sheet.y = y
    sheet.table(
        [
            ["Method", "Acc.", "F1", "Acc.", "F1"],
            ["CNN", "99.1", "99.0", "81.2", "80.9"],
            ["MLP", "98.2", "98.1", "55.0", "54.1"],
        ],
        [170.0, 60.0, 60.0, 60.0, 60.0],
    )
    sheet.paragraph(LOREM * 3)
    table = read(sheet.save(tmp_path / "spanning.pdf")).tables[0]
    assert table.header == ["Method", "MNIST Acc.", "MNIST F1", "CIFAR-10 Acc.", "CIFAR-10 F1"]
    assert table.rows == [["CNN", "99.1", "99.0", "81.2", "80.9"], ["MLP", "98.2", "98.1", "55.0", "54.1"]]


def test_empty_cells_keep_their_columns(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across(TITLE, 16, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph(ABSTRACT)
    sheet.paragraph("Table 1: Accuracy of the experiments.")
    rows = [
        ["Model", "A1", "B2", "C3"],
        ["one", "90.1", "", "91.0"],
        ["two", "", "80.5", "92.0"],
        ["three", "88.0", "81.0", "-"],
    ]
    sheet.table(rows, [120.0, 70.0, 70.0, 70.0])
    sheet.paragraph(LOREM * 2)
    assert read(sheet.save(tmp_path / "gaps.pdf")).tables[0].rows == rows[1:]


def test_a_table_without_a_header_loses_no_row(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across(TITLE, 16, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph(ABSTRACT)
    sheet.paragraph("Table 1: Comparison of test accuracy on MNIST.")
    rows = [["Margin forest", "99.26%"], ["LeNet-5", "99.05%"], ["SVM (rbf kernel)", "98.60%"]]
    sheet.table(rows, [160.0, 60.0])
    sheet.paragraph(LOREM * 2)
    paper = read(sheet.save(tmp_path / "headless.pdf"))
    assert paper.tables[0].rows == rows
    claims = [(c.method, c.metric, c.dataset, c.value) for c in extract(paper).claims]
    assert ("SVM (rbf kernel)", "accuracy", "MNIST", 0.986) in claims


def test_prose_that_mentions_a_table_makes_none(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across(TITLE, 16, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph(ABSTRACT)
    sheet.paragraph("Table 1 of the earlier work shows another experiment. " + LOREM * 3)
    assert read(sheet.save(tmp_path / "prose.pdf")).tables == []


@pytest.mark.parametrize(
    "word", ["97.4", "97.4%", "−0.5", "1,234", ".93", "−", "0.95±0.04", "n/a", "1.2e-4", "91.2*", "(26.5)", "12/45"]
)
def test_values_of_cells(word: str) -> None:
    assert is_number(word)


@pytest.mark.parametrize("word", ["Method", "CNN-2", "et", "al.,", "k=3", "SST-1", "B2"])
def test_words_of_cells(word: str) -> None:
    assert not is_number(word)


@pytest.mark.parametrize("rules", [False, True])
def test_the_rows_of_a_table_of_words_are_no_header(rules: bool, tmp_path: Path, read: Read) -> None:
    """The first row whose values are plain numbers stands far below the header."""
    rows = [["Setting", "Range", "Kind"]]
    rows += [[f"setting {letter}", f"[{i}, {i + 9}]", "choice of words"] for i, letter in enumerate("abcdefgh")]
    rows += [["setting i", "12", "34"], ["setting j", "5.5", "6"]]
    sheet = Typesetter()
    sheet.across(TITLE, 16, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph(ABSTRACT)
    sheet.heading("1 Experiments")
    sheet.paragraph("Table 1: The space of all settings.")
    sheet.table(rows, [130.0, 130.0, 130.0], rules=rules)
    sheet.paragraph(LOREM * 3)
    (table,) = read(sheet.save(tmp_path / "paper.pdf")).tables
    assert table.header == rows[0]
    assert table.rows == rows[1:]
