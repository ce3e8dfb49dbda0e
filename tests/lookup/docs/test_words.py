"""Questions as SQLite reads them, words in camel case, mistyped words, snippets."""

from __future__ import annotations

import sqlite3

from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.tools.lookup.docs.words import close_to, parts_in, snippet, terms_of, words_in


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_question_is_a_mistake_in_a_query(text: str) -> None:
    terms = terms_of(text)
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE VIRTUAL TABLE t USING fts5 (library, title, heading, body, parts, content = '')")
        for beginning in (False, True):
            for word in (" AND ", " OR "):
                query = word.join(term.query(beginning) for term in terms)
                if query:
                    database.execute(
                        "SELECT rowid FROM t WHERE t MATCH ?", (f"library : lib1 AND {{title heading}} : ({query})",)
                    ).fetchall()
    finally:
        database.close()


def test_names_are_looked_for_as_they_are_written() -> None:
    assert [term.query() for term in terms_of("push_to_hub trl.SFTConfig")] == [
        '"push to hub"', '("trl sftconfig" OR "trl sft config")',
    ]  # fmt: skip


def test_a_star_and_quotation_marks() -> None:
    assert [term.query() for term in terms_of('lora* "learning rate"')] == ['"lora"*', '"learning rate"']


def test_a_star_behind_two_letters_is_no_beginning() -> None:
    assert [term.query() for term in terms_of("tr*")] == ['"tr"']


def test_words_that_say_nothing_are_left_out_unless_there_are_no_others() -> None:
    assert [term.asked for term in terms_of("how to use the Trainer")] == ["Trainer"]
    assert [term.asked for term in terms_of("how to")] == ["how", "to"]


def test_parts_of_names() -> None:
    assert (
        parts_in("Use TrainingArguments, SFTConfig and push_to_hub. Hello TRL World") == "Training Arguments SFT Config"
    )


def test_mistyped_words_find_the_meant_one() -> None:
    known = ["trainer", "training", "gradient", "tokenizer", "alpha"]
    assert close_to("trainner", known)[0] == "trainer"
    assert close_to("alhpa", known) == ["alpha"]
    assert close_to("zzzz", known) == []


def test_words_of_a_text() -> None:
    assert {"learning", "learning_rate", "rate"} <= words_in("The learning_rate is 0.1")


def test_a_snippet_shows_where_the_terms_are() -> None:
    text = "start " * 200 + "here lora_alpha scales the adapter " + "end " * 200
    shown = snippet(text, terms_of("lora_alpha adapter"))
    assert "lora_alpha scales the adapter" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) <= 270


def test_a_short_text_is_its_own_snippet() -> None:
    assert snippet("a\n  b", terms_of("b")) == "a b"
