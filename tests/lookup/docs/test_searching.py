"""Questions and their answers."""

from __future__ import annotations

import re
import zlib

import pytest

from tests.standin import Canned, StandIn
from trainwright.graph.errors import RemoteError, RequestError
from trainwright.tools.http import lookups
from trainwright.tools.lookup import docs
from trainwright.tools.lookup.docs import searching, store

from .written import Library, serve, written

TRAINER = """# Trainer

The Trainer trains a model.

## TrainingArguments[[demo.TrainingArguments]]

#### demo.TrainingArguments[[demo.TrainingArguments]]

```python
demo.TrainingArguments(output_dir: str, push_to_hub: bool = False, learning_rate: float = 5e-5)
```

**Parameters:**

push_to_hub (`bool`) : Whether to upload the model.

learning_rate (`float`) : The size of a step.
"""
LORA = (
    """# LoRA

## Scaling

The factor lora_alpha divides by the rank. A warmup helps the optimizer.

## Elsewhere

TrainingArguments are documented elsewhere, and push_to_hub too; see the trainer. """
    + "Filler text follows here. " * 60
)


@pytest.fixture
def library(hub: StandIn) -> Library:
    made = Library("demo", {"main/trainer": TRAINER, "lora": LORA, **written("demo", 40).pages})
    serve(hub, made)
    return made


def first(query: str, **options: str) -> tuple[str, str]:
    hit = docs.search(query, "demo", **options).hits[0]  # type: ignore[arg-type]
    return hit.page, hit.section


@pytest.mark.parametrize(
    ("query", "page", "section"),
    [
        ("TrainingArguments", "demo/main/trainer", "TrainingArguments"),
        ("training arguments", "demo/main/trainer", "TrainingArguments"),
        ("demo.TrainingArguments", "demo/main/trainer", "TrainingArguments"),
        ("TrainingArg*", "demo/main/trainer", "TrainingArguments"),
        ("TrainingArgum", "demo/main/trainer", "TrainingArguments"),
        ("lora_alpha", "demo/lora", "Scaling"),
        ("lora alpha", "demo/lora", "Scaling"),
        ('"divides by the rank"', "demo/lora", "Scaling"),
        ("how to use the warmup of the optimizer", "demo/lora", "Scaling"),
    ],
)
def test_names_words_beginnings_and_phrases_are_found(library: Library, query: str, page: str, section: str) -> None:
    found_page, found_section = first(query)
    assert found_page == page
    assert found_section.removeprefix("demo.") == section


def test_an_option_is_found_where_it_is_documented(library: Library) -> None:
    hits = docs.search("push_to_hub", "demo").hits
    assert {hit.page for hit in hits[:2]} == {"demo/main/trainer", "demo/lora"}
    assert all("push_to_hub" in hit.text for hit in hits)


def test_a_hit_has_its_address_with_the_anchor(library: Library, hub: StandIn) -> None:
    hit = docs.search("lora_alpha", "demo").hits[0]
    assert hit.address == f"{hub.url}/docs/demo/lora#scaling"
    assert "lora_alpha divides by the rank" in hit.text
    assert len(hit.text) <= 270


STREAM = """# Stream

Dataset streaming lets you work with a dataset without downloading it: rows are read as you go over it.

## Load in streaming mode

Set `streaming=True` in `load_dataset` to get an `IterableDataset`, and load a large data set in parts.

## Shuffle

A buffer of rows is filled and drawn from. A set of shards may be loaded in another order.
"""
LOAD = """# Load

A data set is loaded from the Hub, from local files or from memory. Load a data set with `load_dataset`, mode by mode.

## Local files

CSV, JSON and Parquet files load with `data_files`. The data set is kept on the disk.
"""
ADAPTERS = """# Adapters

An adapter trains a few weights; a set of layers is chosen by `target_modules`. Streaming data is not its matter.

## Merge an adapter

`merge_and_unload` adds the weights to the model, which loads as any other then.
"""


@pytest.mark.parametrize("ranked", [searching.RANKED, 2])
@pytest.mark.parametrize(
    ("query", "page", "section"),
    [
        ("how do I load a data set in streaming mode", "demo/stream", "Load in streaming mode"),
        ("streaming a large dataset", "demo/stream", "Load in streaming mode"),
        ("load csv from local files", "demo/load", "Local files"),
        ("how can I merge the adapter with the model", "demo/adapters", "Merge an adapter"),
        ("shuffle a streaming dataset", "demo/stream", "Shuffle"),
    ],
)
def test_questions_in_words_lead_to_the_section_that_answers_them(
    hub: StandIn, monkeypatch: pytest.MonkeyPatch, ranked: int, query: str, page: str, section: str
) -> None:
    """Also where the words are in more sections than are ranked by their text."""
    monkeypatch.setattr(searching, "RANKED", ranked)
    pages = {"load": LOAD, "stream": STREAM, "adapters": ADAPTERS, **written("demo", 40).pages}
    serve(hub, Library("demo", pages))
    assert first(query) == (page, section)


def test_headings_weigh_more_than_text(library: Library) -> None:
    library.pages["a"] = "# Nothing\n\n" + "quokka " * 3
    library.pages["b"] = "# Page\n\n## The quokka\n\nSomething about an animal that hops.\n"
    assert first("quokka") == ("demo/b", "The quokka")


def test_building_first_is_told_with_its_source(library: Library) -> None:
    found = docs.search("lora_alpha", "demo")
    assert any("was not indexed yet: 42 pages" in note for note in found.notes)
    assert "llms-full.txt" in found.sources[0].address
    assert docs.search("lora_alpha", "demo").notes == []


def test_a_mistyped_word_gets_close_ones(library: Library) -> None:
    found = docs.search("lora_alhpa", "demo")
    assert [(one.word, one.close) for one in found.unknown] == [("lora_alhpa", ["lora_alpha"])]
    assert "did you mean lora_alpha" in found.markdown()


def test_where_no_section_has_all_words_that_is_said(library: Library) -> None:
    found = docs.search("lora_alpha learning_rate", "demo")
    assert any("No section has all of these words" in note for note in found.notes)
    assert {hit.page for hit in found.hits[:2]} == {"demo/lora", "demo/main/trainer"}


def test_a_library_is_searched_alone_or_with_all_others(library: Library, hub: StandIn) -> None:
    serve(hub, Library("other", {"x": "# Other\n\nlora_alpha here too.\n"}))
    docs.update("demo")
    docs.update("other")
    assert {hit.page for hit in docs.search("lora_alpha").hits} == {"demo/lora", "other/x"}
    assert {hit.page for hit in docs.search("lora_alpha", "other").hits} == {"other/x"}
    assert "demo v1.2.0, other v1.2.0" in docs.search("lora_alpha").sources[0].address


def test_no_page_fills_the_answer_alone(library: Library) -> None:
    library.pages["many"] = "# Many\n\n" + "".join(f"## Part {n}\n\nThe quokka number {n}.\n\n" for n in range(20))
    library.pages["one"] = "# One\n\nA quokka, far away from the others, in a long text. " + "word " * 300
    hits = docs.search("quokka", "demo", 5).hits
    assert len(hits) == 5
    assert "demo/one" in {hit.page for hit in hits}


def test_more_than_fifty_are_not_given_and_that_is_said(library: Library) -> None:
    found = docs.search("the", "demo", 500)
    assert len(found.hits) == 50
    assert "At most 50" in found.notes[0]


@pytest.mark.parametrize(
    "query", ['"', "' OR 1=1 --", "AND OR NOT", "a:b^c", "{title} : x", "(((", "\ud800", "💥", "--", "* *"]
)
def test_strange_questions_are_answered(library: Library, query: str) -> None:
    found = docs.search(query, "demo")
    assert found.hits or any("no word in that" in note or "No section has any" in note for note in found.notes)
    words = re.findall(r"[^\W_]+", query.lower())
    for hit in found.hits:
        text = library.pages[hit.page.removeprefix("demo/")].lower()
        assert any(word in re.findall(r"[^\W_]+", text) for word in words), "a hit has something of what was asked"
        assert hit.section.lower() in text


def test_the_number_of_a_library_is_no_word(library: Library) -> None:
    docs.update("demo")
    for query in ("lib1", "lib*"):
        found = docs.search(query, "demo")
        assert found.hits == []
        assert found.notes


def test_words_that_everything_has_are_ranked_in_headings_first(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainwright.tools.lookup.docs.searching.RANKED", 5)
    for n in range(10):
        library.pages[f"plain{n}"] = f"# Page {n}\n\nThe quokka, the quokka and the quokka.\n"
    library.pages["zeta"] = "# Zeta\n\n## The quokka\n\nAn animal that hops.\n"
    found = docs.search("quokka", "demo", 4)
    assert (found.hits[0].page, found.hits[0].section) == ("demo/zeta", "The quokka")
    assert len(found.hits) == 4, "sections with it in the text alone come after"
    for n in range(10):
        library.pages[f"headed{n}"] = f"# Page\n\n## A quokka {n}\n\nText.\n"
    docs.update("demo")
    assert all("quokka" in hit.section for hit in docs.search("quokka", "demo", 4).hits)


def test_beyond_what_is_ranked_headings_with_some_of_the_words_come_before_those_with_none(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "RANKED", 5)
    for n in range(10):
        library.pages[f"plain{n}"] = f"# Page {n}\n\nThe quokka has a theremin.\n"
    library.pages["zeta"] = "# Zeta\n\n## The quokka\n\nIt plays the theremin.\n"
    found = docs.search("quokka theremin", "demo", 4)
    assert (found.hits[0].page, found.hits[0].section) == ("demo/zeta", "The quokka")
    assert len(found.hits) == 4
    assert any("titles and headings alone were ranked" in note for note in found.notes)
    shown = docs.search("quokka", "demo", 1)  # all that is shown has the word in a heading
    assert shown.notes == ["More than 5 sections have these words, so that titles and headings alone were ranked."]


def test_more_headings_than_are_ranked_are_told(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "RANKED", 5)
    monkeypatch.setattr(searching, "HEADED", 8)
    for n in range(10):
        library.pages[f"headed{n}"] = f"# Page {n}\n\n## The quokka\n\nText.\n"
    found = docs.search("quokka", "demo", 4)
    assert all(hit.section == "The quokka" for hit in found.hits)
    assert any("More than 8 sections have such headings" in note for note in found.notes)


def test_words_beyond_the_first_eight_are_left_out_and_that_is_said(library: Library) -> None:
    found = docs.search("one two three four five six seven push_to_hub nine ten", "demo")
    assert any("first 8 words" in note and "'push_to_hub'" in note for note in found.notes)


def test_words_are_suggested_for_a_few_unknown_ones(library: Library) -> None:
    found = docs.search("optimizre learnign traniner lora_alhpa uploda", "demo")
    assert 0 < len(found.unknown) <= 3


def test_a_page_is_unpacked_once_for_all_its_sections(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.pages["many"] = "# Many\n\n" + "".join(f"## Part {n}\n\nThe quokka number {n}.\n\n" for n in range(40))
    docs.update("demo")
    read: list[bytes] = []
    monkeypatch.setattr(store, "_unpacked", lambda text: read.append(text) or zlib.decompress(text).decode())
    hits = docs.search("quokka", "demo").hits
    assert (len(hits), {hit.page for hit in hits}) == (10, {"demo/many"})
    assert len(read) == 1


def test_without_an_index_the_hubs_own_search_is_asked(hub: StandIn) -> None:
    hub.route(
        "GET", "/api/docs/search",
        [
            {"text": "Set <b>packing</b>\n to True.", "product": "trl", "heading1": "SFT", "heading2": "Packing",
             "source_page_url": "https://huggingface.co/docs/trl/main/en/sft_trainer#packing", "source_page_title": "SFT"},
            {"text": "No address", "source_page_url": "https://[x"},
            {"text": "A course of another kind", "source_page_url": "https://example.org/x"},
            "odd",
        ],
    )  # fmt: skip
    found = docs.search("packing")
    assert hub.requests[-1].query == {"q": ["packing"]}
    assert [(hit.page, hit.section, hit.above) for hit in found.hits] == [("trl/sft_trainer", "Packing", "SFT")]
    assert found.hits[0].address == f"{hub.url}/docs/trl/sft_trainer#packing"
    assert any("Hub's own search" in note for note in found.notes)


@pytest.mark.parametrize("answer", [Canned(b"{", media="application/json"), Canned(b"", status=500)])
def test_without_an_index_and_without_the_hub_that_is_said(hub: StandIn, answer: Canned) -> None:
    hub.route("GET", "/api/docs/search", answer)
    with pytest.raises(RemoteError, match="No documentation is indexed yet"):
        docs.search("packing")
    with lookups(offline=True), pytest.raises(RemoteError, match="No documentation is indexed yet"):
        docs.search("packing")


def test_a_name_that_is_none_is_refused_before_anything_is_asked(hub: StandIn) -> None:
    with pytest.raises(RequestError):
        docs.search("x", "../secret")
    assert hub.requests == []
