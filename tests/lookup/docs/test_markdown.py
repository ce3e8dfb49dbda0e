"""Pages made plain, and their sections."""

from __future__ import annotations

import time

import pytest

from trainwright.tools.lookup.docs.markdown import LARGEST, clean, plain, sections_of

HUB = """# SFT Trainer

Intro.

## Quick start

```python
# not a heading
## nor this
x = "<Tip>"
```

### Inner `code` and [link](other#there)

Text.

## SFTConfig[[trl.SFTConfig]]

#### trl.SFTConfig[[trl.SFTConfig]]

~~~
``` # still code
# still code
~~~

## Quick start

Again.
"""

MDX = """<!--Copyright 2024
# no heading -->
<script lang="ts">
import Tip from "x"
# no heading
</script>

# Title

<Tip warning={true}>

Mind `<pad>` and `<Tip>` in code, a < b, &lt;s&gt;.

</Tip>

<hfoptions id="install">
<hfoption id="uv">

Run it.

</hfoption>
</hfoptions>

<div class="docstring border-l-2">
<docstring><name>class demo.Thing</name><anchor>demo.Thing</anchor><source>https://x</source>
<parameters>[{"name": "size", "val": ": int = 3"}, {"name": "**kwargs", "val": ""}]</parameters>
<paramsdesc>- **size** (`int`) -- how large.</paramsdesc><rettype>`Thing`</rettype></docstring>
What it is.
</div>

[[autodoc]] demo.Other
"""


def test_a_page_falls_into_sections_with_their_anchors() -> None:
    text = clean(HUB)
    found = [(s.level, s.heading, s.above, s.anchor) for s in sections_of(text, "fallback")]
    assert found == [
        (1, "SFT Trainer", "", "sft-trainer"),
        (2, "Quick start", "SFT Trainer", "quick-start"),
        (3, "Inner code and link", "SFT Trainer > Quick start", "inner-code-and-link"),
        (2, "SFTConfig", "SFT Trainer", "trl.SFTConfig"),
        (4, "trl.SFTConfig", "SFT Trainer > SFTConfig", "trl.SFTConfig"),
        (2, "Quick start", "SFT Trainer", "quick-start-1"),
    ]


def test_sections_cover_the_page_without_a_gap() -> None:
    text = clean(HUB)
    sections = sections_of(text)
    assert "".join(text[s.start : s.end] for s in sections) == text


def test_code_stays_as_it_is() -> None:
    assert '```python\n# not a heading\n## nor this\nx = "<Tip>"\n```' in clean(HUB)


def test_what_the_builder_adds_is_taken_away() -> None:
    text = clean(MDX)
    assert text.startswith("# Title")
    assert "Copyright" not in text
    assert "import Tip" not in text
    assert "hfoption" not in text
    assert "\n**uv**\n" in text
    assert "Mind `<pad>` and `<Tip>` in code, a < b, <s>." in text


def test_a_rendered_docstring_becomes_a_section_with_its_signature() -> None:
    text = clean(MDX)
    assert "#### demo.Thing[[demo.Thing]]" in text
    assert "demo.Thing(size: int = 3, **kwargs)" in text
    assert "**Parameters:**" in text
    assert "What it is." in text
    assert [s.anchor for s in sections_of(text)] == ["title", "demo.Thing"]


def test_a_reference_that_is_not_rendered_is_said_to_be_missing() -> None:
    assert "(Reference of `demo.Other`: not part of this source.)" in clean(MDX)


def test_text_before_the_first_heading_belongs_to_the_title() -> None:
    sections = sections_of(clean("Some text.\n\n## Later\n\nMore.\n"), "The title")
    assert [(s.heading, s.level) for s in sections] == [("The title", 1), ("Later", 2)]


def test_an_empty_page_has_one_section() -> None:
    assert [s.heading for s in sections_of(clean(""), "Nothing")] == ["Nothing"]


def test_a_huge_page_is_cut_and_says_so() -> None:
    text = clean("# T\n\n" + "word " * (LARGEST // 5 + 100))
    assert len(text) < LARGEST + 200
    assert "which were left out" in text


@pytest.mark.parametrize(
    "nasty",
    ["<!--" * 200_000, "<docstring>" * 100_000, "`" * 1_000_000, "<Tip " * 200_000, "[[" * 300_000, "# [" + "[](" * 200_000,
     "<script></script>" * 60_000, "#" * 1_000_000, "<!-- -->" * 120_000, "```\n" * 200_000],
    ids=["comments", "docstrings", "ticks", "tags", "anchors", "links", "scripts", "hashes", "pairs", "fences"],
)  # fmt: skip
def test_pages_made_to_be_slow_are_not(nasty: str) -> None:
    begun = time.process_time()
    sections_of(clean(nasty))
    assert time.process_time() - begun < 5


def test_headings_lose_their_marks() -> None:
    assert plain("**Bold** `code_name` and [a link](https://x/y_(z)) __init__") == "Bold code_name and a link init"
