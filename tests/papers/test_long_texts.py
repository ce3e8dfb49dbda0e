"""Texts that are long and strange: no pattern runs without end on them.

The limit is an alarm far above what the reading takes, not a measurement.
"""

from __future__ import annotations

import pytest

from trainwright.tools.papers import extract
from trainwright.tools.papers.markdown import parse_markdown, parse_text

LONG = {
    "digits": "1 " * 20_000,
    "commas": "1," * 20_000,
    "brackets": "(" * 30_000,
    "links": "[a](" * 10_000,
    "metrics": "accuracy of " * 6_000,
    "citations": "Smith and " * 6_000,
    "capitals": "A B C D " * 6_000,
    "pipes": "|" * 20_000 + "\n|---|---|\n",
    "headings": "# x\n" * 4_000,
    "captions": "Table 1: x\n" * 2_000,
    "hyphens": "a-" * 20_000,
    "powers": "10−" * 10_000,
    "kernels": "support vector machine with a " * 3_000,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", LONG)
def test_strange_texts_are_read_in_time(name: str) -> None:
    for parse in (parse_markdown, parse_text):
        facts = extract(parse(LONG[name]))
        assert facts.claims == []
