"""Markdown and plain text: the same parts, without pages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.tools.papers import ParsedPaper, extract, quote_in
from trainwright.tools.papers.lookup import row_quote
from trainwright.tools.papers.markdown import parse_markdown, parse_text, plain_markdown

from .conftest import Read

PAPER = """---
author: Ada Example
---
# Margin Forests

*Ada Example, Carl Sample*

## Abstract

We propose **Margin Forests** for classification, see [the code](https://example.org/code).

## 1 Introduction

Text with `code`, a formula $C = 10$ and an image ![plot](plot.png).

## 2 Experiments

### 2.1 Setup

- batch size of 32
- learning rate of 0.01

Table 1: Test accuracy (%).

| Method | Letter | Adult |
|:-------|-------:|-------|
| Random forest | 96.5 | 85.5 |
| **Margin Forest** | **97.4** | 86.9 |

```python
print("no heading")
# not a heading
```

Conclusion
----------

It works.

## References

[1] L. Breiman. Random forests. Machine Learning, 2001.

[2] C. Cortes and V. Vapnik. Support-vector networks. 1995.
"""


def test_the_parts_of_a_markdown_paper() -> None:
    paper = parse_markdown(PAPER)
    assert paper.title == "Margin Forests"
    assert [(s.number, s.title, s.level) for s in paper.sections] == [
        ("", "Abstract", 1),
        ("1", "Introduction", 1),
        ("2", "Experiments", 1),
        ("2.1", "Setup", 2),
        ("", "Conclusion", 1),
        ("", "References", 1),
    ]
    assert paper.abstract == "We propose Margin Forests for classification, see the code."
    assert len(paper.references) == 2
    table = paper.tables[0]
    assert table.header == ["Method", "Letter", "Adult"]
    assert table.rows == [["Random forest", "96.5", "85.5"], ["Margin Forest", "97.4", "86.9"]]
    assert table.strong == [1]
    assert table.caption == "Table 1: Test accuracy (%)."
    assert paper.sections[1].text == "Text with code, a formula C = 10 and an image ."
    assert all(s.page is None for s in paper.sections)


def test_plain_text_with_numbered_headings() -> None:
    paper = parse_text(
        "A Study of Small Tables\n\nAda Example\n\nAbstract\n\nWe study tables.\n\n1. Introduction\n\nSome text that is\n"
        "broken over lines.\n\n2. Results\n\nTable 1: Accuracy\nMethod          Letter   Adult\nRandom forest   96.5     85.5\n"
        "SVM             97.0     85.1\n\nReferences\n\n[1] L. Breiman. Random forests. 2001.\n[2] Cortes and Vapnik. 1995.\n"
    )
    assert paper.title == "A Study of Small Tables"
    assert [f"{s.number} {s.title}".strip() for s in paper.sections] == [
        "Abstract",
        "1 Introduction",
        "2 Results",
        "References",
    ]
    assert paper.sections[1].text == "Some text that is broken over lines."
    assert paper.tables[0].rows == [["Random forest", "96.5", "85.5"], ["SVM", "97.0", "85.1"]]
    assert paper.tables[0].caption == "Table 1: Accuracy"
    assert len(paper.references) == 2


def test_an_abstract_alone_is_a_paper(read: Read) -> None:
    text = (
        "We study the classification of small tables. A support vector machine with C = 10 reaches an accuracy of "
        "97.4% on the Letter data set.\n"
    )
    paper = read(text)
    assert paper.title == ""
    assert paper.abstract == text.strip()
    assert paper.pages == 0


def test_an_abstract_on_one_line_is_no_path(read: Read) -> None:
    text = "We study the classification of small tables by experiments: " + "a data set of many words " * 10
    assert read(text).abstract.startswith("We study")


def test_a_text_in_another_encoding_is_read(tmp_path, read: Read) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "latin.txt"
    path.write_bytes(
        "Étude\n\nWe propose a naïve method and evaluate its accuracy on a data set of experiments with many rows, and then some more words follow here.".encode(
            "cp1252"
        )
    )
    assert "naïve method" in read(path).paragraphs[-1].text


def test_emphasis_and_links_are_not_words() -> None:
    assert plain_markdown("**bold** _it_ [text](http://x.y) `code` a_b_c 2*3*4") == "bold it text code a_b_c 2*3*4"


CELL = st.text(st.characters(categories=["L", "N"], max_codepoint=0x24F), min_size=1, max_size=8)


@settings(deadline=None)
@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=2, max_size=6))
def test_pipe_tables_come_back_as_they_were(rows: list[list[str]]) -> None:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    paper = parse_markdown("\n".join(["# Paper", "", lines[0], "|---|---|---|", *lines[1:], ""]))
    assert [paper.tables[0].header, *paper.tables[0].rows] == rows
    for row in rows[1:]:
        assert quote_in(paper, row_quote(row))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_no_text_breaks_the_readers(text: str) -> None:
    for parse in (parse_markdown, parse_text):
        paper = parse(text)
        assert ParsedPaper.model_validate_json(paper.model_dump_json()) == paper
        assert all(len(row) == len(table.header) for table in paper.tables for row in table.rows)


WORDS = st.sampled_from(
    ["accuracy", "of", "97.4%", "on", "MNIST", "the", "SVM", "C", "=", "10", "we", "propose", "(ours)", "et al.", "0.5", "dropout",
     "learning rate", "500", "trees", "RMSE", "±", "test", "Table 1", ".", ",", "error", "1.2", "[3]", "10−3", "data set", "k", "%"]
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(WORDS, max_size=60), st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=2, max_size=4))
def test_whatever_is_said_every_fact_has_its_words(words: list[str], rows: list[list[str]]) -> None:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    table = "\n".join([lines[0], "|---|---|---|", *lines[1:]])
    paper = parse_markdown(f"# A Paper on Tables\n\n{' '.join(words)}\n\nTable 1: Test accuracy.\n\n{table}\n")
    facts = extract(paper)
    for item in [*facts.claims, *facts.hyperparameters]:
        assert quote_in(paper, item.quote)
    shares = ("accuracy", "error_rate")
    assert all(-1 <= claim.value <= 1 for claim in facts.claims if claim.metric in shares)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta"]), min_size=1, max_size=6))
def test_headings_keep_their_order(words: list[str]) -> None:
    text = "\n\n".join(f"## {number} {word.title()}\n\nText." for number, word in enumerate(words, 1))
    paper = parse_markdown(text)
    assert [(s.number, s.title) for s in paper.sections] == [(str(n), w.title()) for n, w in enumerate(words, 1)]
