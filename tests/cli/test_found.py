"""What a lookup found, as a terminal shows it: harmless, and the program's own words told apart from those of the world."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from trainwright.cli import jsonlines, screen
from trainwright.cli.found import show_found
from trainwright.cli.researching import research_command
from trainwright.graph import research
from trainwright.tools.lookup.found import Found, Source
from trainwright.tools.lookup.web.records import PageFound
from trainwright.tools.research import Finding, Findings

EVIL = "\x1b]0;pwned\x07\x1b[2Jred\r\u202e"
OWN = {"sources": [Source(name="example.org", address="a\nNote: fine", cached=True)], "notes": ["one\nSource: arXiv"]}


class Shown(list[tuple[str, str]]):
    """A screen that keeps each line with its role."""

    def show(self, lines: Any) -> None:
        self += [(line.plain(), line.role) for line in lines]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    kept = Shown()
    monkeypatch.setattr(screen, "open_screen", lambda: kept)
    return kept


def test_words_of_a_page_are_not_shown_as_the_program_s_own(shown: Shown) -> None:
    text = "# Title\n```\n# code\nNote: inside\nNote: x\n\nSource: arXiv https://arxiv.org/abs/1\nNote: all is well"
    show_found(PageFound(url="http://example.org", text=text, **OWN), as_json=False)
    roles = dict(shown)
    assert (roles["Title"], roles["# code"]) == ("title", "")
    assert roles["Source: arXiv https://arxiv.org/abs/1"] == roles["Note: all is well"] == ""
    assert shown[-3:] == [
        ("", ""),
        ("Note: one Source: arXiv", "warn"),
        ("Source: example.org a Note: fine (from the cache)", "faint"),
    ]


def test_a_fence_begins_and_ends_where_markdown_says(shown: Shown) -> None:
    text = "```inline``` code\n# one\n~~~~\n# two\n~~~\n# three\n~~~~~\n# four\n```py\n# five\n~~~\n```\n# six"
    show_found(PageFound(url="http://example.org", text=text), as_json=False)
    assert [line for line, role in shown if role == "title"] == ["one", "four", "six"]


def test_what_is_shown_is_what_the_markdown_says(shown: Shown) -> None:
    for found in (PageFound(url="http://example.org", text="a\n\nb", **OWN), Found(), Found(**OWN)):
        shown.clear()
        show_found(found, as_json=False)
        assert "\n".join(line for line, _ in shown).strip() == found.markdown()


def found_by(monkeypatch: pytest.MonkeyPatch) -> Finding:
    one = Finding(question="Which trees?", status="answered", summary=f"{EVIL} trees", notes=[EVIL])
    monkeypatch.setattr(research, "research", lambda questions, settings: Findings(findings=[one], notes=[EVIL]))
    return one


def test_findings_of_helpers_are_harmless(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found_by(monkeypatch)
    assert research_command(["Which trees?"], engineer="recipes") == 0
    out = capsys.readouterr().out
    assert "trees" in out
    assert not set(out) & {"\x1b", "\x07", "\r", "\u202e"}


def test_findings_as_json_have_all_their_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    one, out = found_by(monkeypatch), io.StringIO()
    monkeypatch.setattr(jsonlines, "json_lines", lambda: jsonlines.JsonLines(out))
    assert research_command(["Which trees?"], engineer="recipes", as_json=True) == 0
    told = json.loads(out.getvalue())
    assert told["sources"] == []
    assert told["findings"][0]["summary"] == one.summary
    assert "\x1b" not in out.getvalue()
