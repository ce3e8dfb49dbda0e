"""Libraries, lists of pages, pages by section."""

from __future__ import annotations

import pytest

from tests.standin import Canned, StandIn
from trainwright.graph.errors import NotCached, NotFound, RequestError
from trainwright.tools.http import lookups
from trainwright.tools.lookup import docs

from .written import Library, serve, written

PAGE = """# SFT Trainer

Intro.

## Quick start

Begin.

### Install

Do.

## SFTConfig[[trl.SFTConfig]]

#### trl.SFTConfig[[trl.SFTConfig]]

Options.

## Tail

End.
"""


@pytest.fixture
def page(hub: StandIn) -> Library:
    made = Library("trl", {"sft_trainer": PAGE, "long": "# Long\n\n" + "A paragraph of words.\n\n" * 1000})
    serve(hub, made)
    return made


def test_one_page_is_read_without_an_index(page: Library, hub: StandIn) -> None:
    found = docs.read("trl/sft_trainer")
    assert hub.paths == ["/docs/trl/sft_trainer.md"]
    assert found.title == "SFT Trainer"
    assert found.text == PAGE.strip()
    assert [(entry.section, entry.level) for entry in found.sections] == [
        ("SFT Trainer", 1), ("Quick start", 2), ("Install", 3), ("SFTConfig", 2), ("trl.SFTConfig", 4), ("Tail", 2),
    ]  # fmt: skip
    with lookups(offline=True):
        assert docs.read("trl/sft_trainer").text == found.text


@pytest.mark.parametrize(
    "wanted",
    ["Quick start", "quick START", "quick-start", "#quick-start", "quick", "ick sta", "SFT Trainer > Quick start"],
)
def test_a_section_comes_with_those_below_it(page: Library, wanted: str) -> None:
    found = docs.read("trl/sft_trainer", wanted)
    assert found.text == "## Quick start\n\nBegin.\n\n### Install\n\nDo."
    assert found.address.endswith("/docs/trl/sft_trainer#quick-start")


@pytest.mark.parametrize("wanted", ["trl.SFTConfig", "SFTConfig", "sftconfig"])
def test_a_section_by_the_name_of_a_class(page: Library, wanted: str) -> None:
    assert "Options." in docs.read("trl/sft_trainer", wanted).text


def test_an_address_with_an_anchor_names_the_section(page: Library) -> None:
    assert docs.read("https://huggingface.co/docs/trl/main/en/sft_trainer#tail").text == "## Tail\n\nEnd."


def test_a_section_that_is_not_there_lists_those_that_are(page: Library) -> None:
    with pytest.raises(NotFound, match="no section 'Nothing'") as caught:
        docs.read("trl/sft_trainer", "Nothing")
    assert "Quick start, Install, SFTConfig" in caught.value.hint


def test_long_pages_come_in_parts_that_make_the_whole(page: Library) -> None:
    first = docs.read("trl/long")
    assert first.parts == 3
    texts = [docs.read("trl/long", part=n).text for n in (1, 2, 3)]
    assert all(len(text) <= 8_000 for text in texts)
    assert "\n\n".join(texts) == page.pages["long"].strip()
    with pytest.raises(RequestError, match="no part 4"):
        docs.read("trl/long", part=4)


def test_an_indexed_page_is_read_from_the_index(page: Library, hub: StandIn) -> None:
    docs.update("trl")
    asked = len(hub.requests)
    found = docs.read("trl/sft_trainer", "Tail")
    assert found.text == "## Tail\n\nEnd."
    assert found.version == "v1.2.0"
    assert found.sources[0].cached
    assert len(hub.requests) == asked


def test_a_page_that_is_not_there(page: Library, hub: StandIn) -> None:
    with pytest.raises(NotFound, match="no page trl/nothing"):
        docs.read("trl/nothing")
    hub.route("GET", "/docs/trl/web.md", Canned("<html>", media="text/html"))
    with pytest.raises(NotFound, match="as a web page"):
        docs.read("trl/web")
    with lookups(offline=True), pytest.raises(NotCached):
        docs.read("trl/never")


def test_a_page_that_leads_to_a_private_place_is_not_read(page: Library, hub: StandIn) -> None:
    hub.fault("/docs/trl/sft_trainer.md", "redirect:http://169.254.169.254/latest", times=None)
    with pytest.raises(Exception, match=r"(?i)not public|private|address"):
        docs.read("trl/sft_trainer")


def test_other_addresses_are_refused_before_anything_is_sent(hub: StandIn) -> None:
    with pytest.raises(RequestError, match="nothing was sent"):
        docs.read("https://example.org/docs/trl/sft_trainer")
    assert hub.requests == []


def test_the_list_of_pages_needs_no_index(hub: StandIn) -> None:
    serve(hub, written("demo", 130))
    first = docs.pages("demo")
    assert hub.paths == ["/docs/demo/llms.txt"]
    assert (first.total, first.parts, len(first.pages), first.version) == (130, 3, 60, "v1.2.0")
    assert first.pages[0].page == "demo/guides/page_00000"
    assert len(docs.pages("demo", 3).pages) == 10
    with pytest.raises(RequestError):
        docs.pages("demo", 4)
    docs.update("demo")
    assert docs.pages("demo").pages == first.pages


def test_libraries_from_the_hub(hub: StandIn) -> None:
    hub.route(
        "GET", "/api/docs",
        [
            {"id": "trl", "url": "/docs/trl", "category": "Training"},
            {"id": "agents-course", "url": "/learn/agents-course", "category": "Courses"},
            {"id": "demo", "url": "/docs/demo", "category": "Demo"},
            {"id": "../x", "url": "https://example.org"}, "odd",
        ],
    )  # fmt: skip
    serve(hub, written("demo", 3))
    docs.update("demo")
    found = docs.libraries()
    assert found.others == ["agents-course", "trl"]
    assert [(one.name, one.about, one.pages) for one in found.indexed] == [("demo", "Demo", 3)]
    assert "| demo | v1.2.0 | 3 | 0.0 days |" in found.markdown()


@pytest.mark.parametrize("answer", [Canned([]), Canned({"error": "x"}), Canned(b"", status=503), Canned(b"<html>")])
def test_libraries_without_the_hub_are_those_that_are_known(hub: StandIn, answer: Canned) -> None:
    hub.route("GET", "/api/docs", answer)
    found = docs.libraries()
    assert {"transformers", "trl", "peft", "datasets"} <= set(found.others)
    assert any("built-in list" in note for note in found.notes)


def test_what_a_person_reads(page: Library) -> None:
    text = docs.read("trl/sft_trainer").markdown()
    assert "# SFT Trainer" in text
    assert "  - Quick start (" in text
    assert "Source: Hugging Face documentation" in text
    assert "| page | title |" in docs.pages("trl").markdown()
    assert "## trl/sft_trainer: Quick start > Install" in docs.search("install", "trl").markdown()
    assert "pages new or changed" in docs.update("trl").markdown()
