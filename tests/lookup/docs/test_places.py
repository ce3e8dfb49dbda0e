"""Names and addresses of pages: nothing that comes from outside leads anywhere else."""

from __future__ import annotations

import pytest

from trainwright.graph.errors import RequestError
from trainwright.tools.lookup.docs.origins import listed_in
from trainwright.tools.lookup.docs.places import is_page, library_name, page_address, page_name, page_of, root_of


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("trl/sft_trainer", ("trl", "sft_trainer", "")),
        ("trl", ("trl", "index", "")),
        (
            "https://huggingface.co/docs/trl/v1.12.0/en/sft_trainer#trl.SFTConfig",
            ("trl", "sft_trainer", "trl.SFTConfig"),
        ),
        ("https://hf.co/docs/transformers/main_classes/trainer.md", ("transformers", "main_classes/trainer", "")),
        ("https://huggingface.co/docs/transformers/main/en/quicktour", ("transformers", "quicktour", "")),
        ("docs/datasets/en/loading", ("datasets", "loading", "")),
        ("https://huggingface.co/learn/agents-course/unit1/intro", ("agents-course", "unit1/intro", "")),
        ("huggingface.js/inference/README", ("huggingface.js", "inference/README", "")),
    ],
)
def test_pages_by_name_and_by_address(given: str, expected: tuple[str, str, str]) -> None:
    assert page_name(given) == expected


@pytest.mark.parametrize(
    "given",
    ["https://example.org/docs/trl/x", "https://huggingface.co/gpt2/raw/main/x", "trl/../../secret", "trl/%2e%2e/x",
     "../trl/x", "trl/a b", "trl//x", "file:///etc/passwd", "https://huggingface.co@example.org/docs/trl/x", "trl/" + "a/" * 20 + "b",
     "trl/x\n/y", "", "https://[x", "http://[::1/docs/trl/x", "https://huggingface.co\u2100/docs/trl/x"],
)  # fmt: skip
def test_other_pages_are_refused(given: str) -> None:
    with pytest.raises(RequestError):
        page_name(given)


@pytest.mark.parametrize("given", ["", "..", "a b", "trl?x=1", "https://example.org/docs/trl", "-x", "https://[x"])
def test_names_that_are_no_library(given: str) -> None:
    with pytest.raises(RequestError):
        library_name(given)


def test_the_address_of_a_library_names_it() -> None:
    assert library_name("https://huggingface.co/docs/trl") == "trl"
    assert library_name("TRL") == "trl"
    assert library_name("huggingface-hub") == "huggingface_hub"
    assert root_of("agents-course") == "learn/agents-course"


def test_a_list_gives_pages_of_its_library_alone() -> None:
    text = "\n".join(
        [
            "# Trl", "", "## Docs", "",
            "- [SFT](https://huggingface.co/docs/trl/v1.12.0/sft_trainer.md)",
            "- [SFT again](https://huggingface.co/docs/trl/v1.12.0/sft_trainer.md)",
            "- [German](https://huggingface.co/docs/trl/v1.12.0/de/sft_trainer.md)",
            "- [Folder v1](https://huggingface.co/docs/trl/v1/overview.md)",
            "- [Other library](https://huggingface.co/docs/peft/v1.0.0/lora.md)",
            "- [Elsewhere](https://example.org/docs/trl/../../x.md)",
            "- [No address](http://[x.md)",
            "- [No Markdown](https://huggingface.co/docs/trl/v1.12.0/dpo)",
        ]
    )  # fmt: skip
    version, pages = listed_in(text, "trl")
    assert version == "v1.12.0"
    assert [(page.path, page.title) for page in pages] == [("sft_trainer", "SFT"), ("v1/overview", "Folder v1")]


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert page_address("trl", "x", "trl.A") == "https://huggingface.co/docs/trl/x#trl.A"
    assert page_of("https://huggingface.co/docs/trl/main/x.md", "trl") == "x"
    assert page_of("http://[x.md", "trl") == ""
    assert not is_page("a/../b")
