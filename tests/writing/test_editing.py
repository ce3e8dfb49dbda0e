"""`replace_once`: exact first, then the one place that fits; nothing else ever changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trainwright.graph.errors import Refusal
from trainwright.tools.writing import replace_once


class TestExact:
    def test_one_place(self) -> None:
        edit = replace_once("a = 1\nb = 2\n", "b = 2", "b = 3")
        assert (edit.text, edit.count, edit.line, edit.note) == ("a = 1\nb = 3\n", 1, 2, "")

    def test_several_places_are_named_by_their_lines(self) -> None:
        with pytest.raises(Refusal, match=r"3 times, at lines 1, 3, 4") as caught:
            replace_once("x\ny\nx\nx\n", "x", "z")
        assert "everywhere" in caught.value.hint

    def test_everywhere(self) -> None:
        edit = replace_once("x\ny\nx\n", "x", "zz", everywhere=True)
        assert (edit.text, edit.count, edit.line) == ("zz\ny\nzz\n", 2, 1)

    def test_places_that_overlap_are_two(self) -> None:
        with pytest.raises(Refusal, match="2 times"):
            replace_once("aaa", "aa", "b")

    def test_a_place_that_fits_exactly_wins_over_those_that_fit_roughly(self) -> None:
        edit = replace_once("  a \n  b\na\nb\n", "a\nb", "c")
        assert edit.text == "  a \n  b\nc\n"

    @pytest.mark.parametrize(
        ("old", "new", "says"), [("", "x", "empty"), ("x", "x", "the same"), ("\r\n", "\n", "same")]
    )
    def test_what_is_no_edit_is_refused(self, old: str, new: str, says: str) -> None:
        with pytest.raises(Refusal, match=says):
            replace_once("x\n", old, new)

    def test_thousands_of_places_are_not_counted_out(self) -> None:
        with pytest.raises(Refusal, match=r"at least 1,000 times.*and \d+ more"):
            replace_once("a" * 200_000, "a" * 100, "b")


class TestTrailingWhiteSpace:
    def test_is_ignored(self) -> None:
        edit = replace_once("foo \nbar", "foo\nbar", "new\ntext")
        assert (edit.text, edit.count) == ("new\ntext", 1)
        assert "trailing white space" in edit.note

    @pytest.mark.parametrize("text", ["foo\nbar", "foo\t\nbar"])
    def test_of_the_passage_is_ignored_too(self, text: str) -> None:
        assert replace_once(text, "foo  \nbar", "x").text == "x"

    def test_a_span_that_begins_and_ends_inside_lines(self) -> None:
        edit = replace_once("prefix foo bar   \nnext line tail\n", "foo bar\nnext", "NEW")
        assert edit.text == "prefix NEW line tail\n"

    def test_no_word_is_cut_in_two(self) -> None:
        with pytest.raises(Refusal, match="does not occur"):
            replace_once("if x: \n    y = 10\n", "if x:\n    y = 1", "pass")

    def test_blank_lines_with_white_space_in_them(self) -> None:
        edit = replace_once("a\n   \nb\n", "a\n\nb\n", "c\n")
        assert edit.text == "c\n"
        assert "trailing white space" in edit.note


class TestIndentation:
    def test_the_replacement_is_indented_like_the_place(self) -> None:
        text = "class A:\n    def f(self):\n        return 1\n\n    x = 2\n"
        edit = replace_once(
            text, "def f(self):\n    return 1\n", "def f(self):\n    if self:\n        return 2\n    return 3\n"
        )
        assert edit.text == (
            "class A:\n    def f(self):\n        if self:\n            return 2\n        return 3\n\n    x = 2\n"
        )
        assert edit.note == "ignored: indentation"

    def test_a_passage_with_more_of_it(self) -> None:
        edit = replace_once("def f():\n  a\n  b\n", "      a\n      b", "      a\n        c")
        assert edit.text == "def f():\n  a\n    c\n"

    def test_tabs_in_the_file(self) -> None:
        edit = replace_once("def f():\n\ta\n\tb\n", "    a\n    b", "    a\n\n    c")
        assert edit.text == "def f():\n\ta\n\n\tc\n"

    def test_tabs_before_what_the_passage_has(self) -> None:
        edit = replace_once("if x:\n\ta\n\t\tb\n", "a\n\tb\n", "a\n\tc\nd\n")
        assert edit.text == "if x:\n\ta\n\t\tc\n\td\n"

    def test_one_line(self) -> None:
        edit = replace_once("\tx = 1\n", "    x = 1", "    x = 2\n    y = 3")
        assert edit.text == "\tx = 2\n\ty = 3\n"

    @pytest.mark.parametrize("old", ["a\n  b", "  a\nb", "  a\n      b"])
    def test_uneven_differences_do_not_fit(self, old: str) -> None:
        text = "if x:\n    a\n    b\n"
        with pytest.raises(Refusal, match="not together or not with this indentation"):
            replace_once(text, old, "c")

    def test_several_places(self) -> None:
        with pytest.raises(Refusal, match=r"roughly in 2 places, at lines 2, 5"):
            replace_once("x:\n    a\n    b\ny:\n        a\n        b\n", "a\nb", "c")

    def test_several_places_are_refused_with_everywhere_too(self) -> None:
        with pytest.raises(Refusal, match="roughly in 2 places"):
            replace_once("x:\n    a\n    b\ny:\n        a\n        b\n", "a\nb", "c", everywhere=True)

    def test_a_replacement_that_would_leave_the_left_edge(self) -> None:
        with pytest.raises(Refusal, match="indented less"):
            replace_once("a\nb\n", "    a\n    b", "c\n    d")

    def test_a_passage_that_begins_with_a_line_end(self) -> None:
        edit = replace_once("x = [\n    1,\n    2,\n]\n", "\n1,\n2,", "\n1,\n3,")
        assert edit.text == "x = [\n    1,\n    3,\n]\n"


class TestLookAlikes:
    @pytest.mark.parametrize(
        ("text", "old"),
        [
            ("say(“hi”)\n", 'say("hi")'),
            ("it = ‘a’\n", "it = 'a'"),
            ("a – b — c\n", "a - b - c"),
            ("a\u00a0=\u202f1\n", "a = 1"),
            ("na\u200bme = 1\n", "name = 1"),
            ('say("hi")\n', "say(“hi”)"),
        ],
    )
    def test_are_ignored(self, text: str, old: str) -> None:
        edit = replace_once(f"before\n{text}after\n", old, "NEW")
        assert edit.text == "before\nNEW\nafter\n"
        assert edit.note == "ignored: look-alike characters"

    def test_outside_the_passage_they_stay(self) -> None:
        edit = replace_once("“a” “b” “c”\n", '"b"', "B")
        assert edit.text == "“a” B “c”\n"

    def test_a_byte_order_mark_stays(self) -> None:
        assert replace_once("\ufeffa \nb\n", "a\nb", "c").text == "\ufeffc\n"

    def test_everything_at_once(self) -> None:
        edit = replace_once("if x:\n    say(“hi”) \n    end\n", 'say("hi")\nend', "stop")
        assert edit.text == "if x:\n    stop\n"
        assert edit.note == "ignored: trailing white space, indentation, look-alike characters"


class TestLineEnds:
    def test_a_file_of_crlf_keeps_them(self) -> None:
        edit = replace_once("a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\nz\n")
        assert (edit.text, edit.note) == ("x\r\ny\r\nz\r\nc\r\n", "")

    def test_a_passage_of_crlf_for_a_file_of_lf(self) -> None:
        assert replace_once("a\nb\n", "a\r\nb", "x\r\ny").text == "x\ny\n"

    def test_mixed_ones_stay_outside_of_the_passage(self) -> None:
        assert replace_once("a\nb\r\nc\nd\r\n", "b\nc", "x\ny").text == "a\nx\r\ny\nd\r\n"

    def test_a_last_line_without_one(self) -> None:
        assert replace_once("a\r\nb", "b", "b\nc").text == "a\r\nb\r\nc"

    def test_tolerantly(self) -> None:
        assert replace_once("if x:\r\n    a \r\n    b\r\n", "a\nb", "c\nd").text == "if x:\r\n    c\r\n    d\r\n"

    def test_everywhere(self) -> None:
        assert replace_once("a\r\nb\r\na\r\n", "a\n", "c\nd\n", everywhere=True).text == "c\r\nd\r\nb\r\nc\r\nd\r\n"


class TestNotFound:
    def test_the_closest_line_is_shown(self) -> None:
        with pytest.raises(Refusal, match=r"at line 2, 'model = LogisticRegression\(C=1\)'") as caught:
            replace_once("import x\nmodel = LogisticRegression(C=1)\n", "model = LogisticRegresion(C=1)", "y")
        assert "Read the file again" in caught.value.hint

    def test_nothing_is_close(self) -> None:
        with pytest.raises(Refusal, match="Nothing resembles"):
            replace_once("import x\n", "zzzz()", "y")

    def test_an_edit_that_was_made_already(self) -> None:
        with pytest.raises(Refusal, match=r"new text stands at line 2 already"):
            replace_once("a\nb = 2\n", "b = 1", "b = 2")

    def test_white_space_alone_is_not_looked_for_roughly(self) -> None:
        with pytest.raises(Refusal, match="does not occur"):
            replace_once("a\n\t\nb", "   \n   ", "x")

    def test_what_would_change_nothing(self) -> None:
        with pytest.raises(Refusal, match="reads like the new text already"):
            replace_once("foo \nbar", "foo\nbar", "foo \nbar")


LETTERS = 'ab( \t“"–-\u200b'
LINES = st.lists(st.text(LETTERS, max_size=6), min_size=1, max_size=6)


@given(st.text("ab\n ", max_size=30), st.text("ab\n ", min_size=1, max_size=4), st.text("ab\n ", max_size=5))
def test_an_exact_edit_is_that_of_str_replace(text: str, old: str, new: str) -> None:
    assume(old != new)
    places = len(re.findall(f"(?={re.escape(old)})", text))
    assume(places)
    if places == 1:
        assert replace_once(text, old, new).text == text.replace(old, new)
    everywhere = replace_once(text, old, new, everywhere=True)
    assert (everywhere.text, everywhere.count) == (text.replace(old, new), text.count(old))


@given(st.data(), LINES, st.text("xyz\n ", max_size=8))
def test_a_rough_edit_changes_its_own_lines_only(data: st.DataObject, lines: list[str], new: str) -> None:
    first = data.draw(st.integers(0, len(lines) - 1))
    last = data.draw(st.integers(first, len(lines) - 1))
    old = "\n".join(data.draw(_blurred(line)) for line in lines[first : last + 1])
    text = "\n".join(lines)
    try:
        edit = replace_once(text, old, new)
    except Refusal:
        return
    at, count = edit.line - 1, old.count("\n") + 1
    after = edit.text.split("\n")
    assert after[:at] == lines[:at]
    rest = lines[at + count :]
    assert after[len(after) - len(rest) :] == rest
    assert edit.count == 1


@given(st.data(), LINES, st.text("xyz", min_size=1, max_size=3))
def test_text_outside_a_rough_match_stays(data: st.DataObject, lines: list[str], new: str) -> None:
    """What the lines hold besides the passage is still there, before and after the replacement."""
    core = "\n".join(["foo", *(f"  {line}".rstrip() for line in lines), "bar"])
    blurred = "\n".join(line + data.draw(st.sampled_from(["", " ", "\t "])) for line in core.split("\n")[:-1]) + "\nbar"
    edit = replace_once(f"top\nhead. {blurred} .tail\nend", core, new)
    assert edit.text == f"top\nhead. {new} .tail\nend"


def _blurred(line: str) -> st.SearchStrategy[str]:
    """The line as somebody remembers it."""
    plain = line.translate(str.maketrans({"“": '"', "–": "-", "\u200b": ""}))
    return st.sampled_from([line, line.rstrip(), line + " ", line.strip(), "  " + line, plain, plain.strip()])
