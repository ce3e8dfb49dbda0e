"""The styles of different publishers: Roman numbers, run-in abstracts, wide tables, headings without numbers."""

from __future__ import annotations

from pathlib import Path

from trainwright.tools.papers import extract

from .conftest import Read
from .typesetter import BOLD, LOREM, REFERENCES, Typesetter


def test_roman_numbers_and_a_run_in_abstract(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter(2)
    sheet.across("Gradient Boosted Margins for Tabular Data", 20)
    sheet.across("A. Example, B. Sample, and C. Test", 11)
    sheet.line("Abstract-We study gradient boosting on tabular data.", BOLD, 9)
    sheet.paragraph("It reaches 86.9% accuracy on the Adult data set with 300 trees.", 9)
    sheet.y += 8
    sheet.line("I. INTRODUCTION", indent=60)
    sheet.paragraph(LOREM * 4)
    sheet.line("II. RELATED WORK", indent=60)
    sheet.line("A. Boosting", "tiit")
    sheet.paragraph(LOREM * 2)
    sheet.line("III. EXPERIMENTS", indent=60)
    sheet.paragraph(LOREM)
    sheet._next_column()
    sheet.line("TABLE I", indent=90, size=8)
    sheet.line("TEST ACCURACY (%) ON THREE DATA SETS", indent=30, size=8)
    rows = [["Method", "Adult", "Letter"], ["Random forest", "85.5", "96.5"], ["Ours", "86.9", "97.0"]]
    sheet.table(rows, [95, 42, 42], rules=True)
    sheet.paragraph("Table I lists the results. " + LOREM * 2)
    sheet.line("REFERENCES", indent=60)
    for reference in REFERENCES:
        sheet.paragraph(reference, 8)
    paper = read(sheet.save(tmp_path / "roman.pdf"))
    assert paper.title == "Gradient Boosted Margins for Tabular Data"
    assert paper.abstract.startswith("We study gradient boosting on tabular data. It reaches")
    assert [(s.number, s.level) for s in paper.sections] == [
        ("", 1), ("I", 1), ("II", 1), ("A", 2), ("III", 1), ("", 1),
    ]  # fmt: skip
    assert paper.tables[0].caption == "TABLE I TEST ACCURACY (%) ON THREE DATA SETS"
    assert paper.tables[0].rows == rows[1:]
    assert len(paper.references) == 3
    facts = extract(paper)
    first = facts.claims[0]
    assert (first.method, first.metric, first.dataset, first.value) == ("gradient boosting", "accuracy", "Adult", 0.869)


def test_a_table_over_both_columns(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter(2)
    sheet.across("Kernel Machines Revisited", 17, BOLD)
    sheet.across("Ann Author", 11)
    sheet.heading("Abstract")
    sheet.paragraph("We revisit the SVM with a Gaussian kernel on several data sets and report its error.")
    sheet.heading("1. Introduction")
    sheet.paragraph(LOREM * 6)
    sheet.heading("2. Experiments")
    sheet.paragraph(LOREM * 14)
    sheet.new_page()
    rows = [
        ["Data set", "n", "SVM (RBF)", "SVM (linear)", "k-NN", "Random forest"],
        ["Letter", "20000", "2.42", "22.8", "4.35", "3.50"],
        ["USPS", "9298", "4.9", "8.1", "5.6", "6.3"],
        ["Adult", "48842", "14.9", "15.2", "17.0", "14.9"],
    ]
    sheet.table(rows, [100, 70, 85, 85, 60, 70])
    sheet.across(
        "Table 1: Test error (%) of the methods on three data sets; n is the number of examples that there are.", 9
    )
    sheet.paragraph(LOREM * 12)
    paper = read(sheet.save(tmp_path / "wide.pdf"))
    assert [[table.header, *table.rows] for table in paper.tables] == [rows]
    claims = {(c.method, c.dataset): c.value for c in extract(paper).claims}
    assert claims["SVM (RBF)", "Letter"] == 0.0242
    assert claims["Random forest", "Adult"] == 0.149
    assert ("n", "Letter") not in claims


def test_headings_without_numbers(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across("Predicting House Prices from Few Features", 18, BOLD)
    sheet.across("Ann Author", 11, gap=14)
    names = ["Abstract", "Introduction", "Materials and Methods", "The houses of the study", "Results", "Discussion"]
    for name in names:
        sheet.heading(name)
        sheet.paragraph("We predict house prices with random forests and measure the RMSE. " + LOREM)
    sheet.heading("References")
    sheet.paragraph("Breiman, L. (2001). Random forests. Machine Learning 45, 5-32.")
    sheet.paragraph(
        "Pace, R. K. and Barry, R. (1997). Sparse spatial autoregressions. Statistics and Probability 33, 291-297."
    )
    paper = read(sheet.save(tmp_path / "plain.pdf"))
    assert [s.title for s in paper.sections] == [*names, "References"]
    assert len(paper.references) == 2


def test_a_footnote_is_set_apart(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across("A Study of Notes", 18, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph("We study notes in the experiments of papers on classification.")
    sheet.heading("1 Introduction")
    sheet.paragraph(LOREM * 8)
    sheet.y = 690
    sheet.line("1 This note says where the data are.", size=7.5)
    paper = read(sheet.save(tmp_path / "notes.pdf"))
    assert [p.text for p in paper.paragraphs if p.kind == "footnote"] == ["1 This note says where the data are."]
    assert "This note" not in paper.sections[-1].text


def test_figures_have_captions_and_their_letters_are_no_text(tmp_path: Path, read: Read) -> None:
    sheet = Typesetter()
    sheet.across("A Study of Figures", 18, BOLD)
    sheet.heading("Abstract")
    sheet.paragraph("We study figures in the experiments of papers on classification.")
    sheet.heading("1 Introduction")
    sheet.paragraph(LOREM * 2)
    for word in ("0.2", "0.4", "epochs"):
        sheet.line(word, size=6, indent=40)
    sheet.y += 6
    sheet.line("Figure 1: Accuracy over epochs, for two methods.", size=9)
    sheet.y += 8
    sheet.paragraph(LOREM * 2)
    paper = read(sheet.save(tmp_path / "figures.pdf"))
    assert [p.text for p in paper.paragraphs if p.kind == "caption"] == [
        "Figure 1: Accuracy over epochs, for two methods."
    ]
    assert "0.4" not in " ".join(p.text for p in paper.paragraphs)
