"""Sections by name, quotes by their words."""

from __future__ import annotations

import pytest

from trainwright.tools.papers import ParsedPaper, Section, Table, find_section, quote_in
from trainwright.tools.papers.records import Paragraph

PAPER = ParsedPaper(
    title="A Paper",
    abstract="We report an accuracy of 97.4 %.",
    sections=[
        Section(number="4", title="Experiments"),
        Section(number="4.1", title="Setup"),
        Section(number="A", title="Proofs of Everything"),
        Section(number="", title="Conclusion"),
    ],
    paragraphs=[Paragraph(text="It’s the “best” of all — by far, with λ = 0.1.")],
    tables=[Table(header=["Method", "Acc."], rows=[["SVM (ours)", "97.4"]], caption="Table 1: Accuracy.")],
    references=["[1] Somebody. Accuracy of 99.9%. 2001."],
)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("4", "4"), ("experiments", "4"), ("setup", "4.1"), ("4.1", "4.1"), ("4.", "4"), ("Section 4.1", "4.1"),
        ("§4", "4"), ("4.1 Setup", "4.1"), ("SETUP", "4.1"), ("experiment", "4"), ("Appendix A", "A"), ("proofs", "A"),
    ],
)  # fmt: skip
def test_a_section_is_found(name: str, number: str) -> None:
    section = find_section(PAPER, name)
    assert section is not None
    assert section.number == number


@pytest.mark.parametrize("name", ["5", "4.2", "B", "", "  ", "results", "..."])
def test_what_is_not_there_is_not_found(name: str) -> None:
    assert find_section(PAPER, name) is None


def test_conclusions_are_found_by_either_name() -> None:
    section = find_section(PAPER, "Conclusions")
    assert section is not None
    assert section.title == "Conclusion"


@pytest.mark.parametrize(
    "quote",
    ["accuracy of 97.4 %", "accuracy  of\n97.4%", 'It\'s the "best" of all', "of all - by far", "SVM (ours) | 97.4",
     "Table 1: Accuracy.", "λ = 0.1"],
)  # fmt: skip
def test_a_quote_stands_in_the_paper(quote: str) -> None:
    assert quote_in(PAPER, quote)


@pytest.mark.parametrize("quote", ["", " ", "97.5 %", "ACCURACY OF 97.4", "Accuracy of 99.9%", "97.4 SVM", ".", "1"])
def test_what_does_not_stand_there_is_no_quote(quote: str) -> None:
    assert not quote_in(PAPER, quote)
