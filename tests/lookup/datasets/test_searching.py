"""Search: the Hub's own filters and order, and what comes back."""

from __future__ import annotations

import pytest

from trainwright.graph.errors import RemoteUnavailable
from trainwright.tools.lookup import datasets

from .services import Repository, Services

TAGS = ["license:mit", "region:us", "language:de", "task_categories:text-classification", "size_categories:1K<n<10K"]


def test_filters_are_the_hub_s_own(services: Services) -> None:
    services.add(Repository("a/reviews", tags=TAGS, gated="auto"))
    services.add(Repository("a/others", tags=["license:mit"]))
    found = datasets.search(
        "reviews",
        task="text-classification",
        language="de",
        size="1K<n<10K",
        licence="mit",
        author="a",
        sort="modified",
        limit=5,
    )
    (asked,) = services.asked("/api/datasets")
    assert asked.query["search"] == ["reviews"]
    assert sorted(asked.query["filter"]) == sorted(TAGS[:1] + TAGS[2:])
    assert (asked.query["author"], asked.query["sort"], asked.query["limit"]) == (["a"], ["lastModified"], ["5"])
    (one,) = found.datasets
    assert (one.id, one.downloads, one.likes, one.licence, one.gated, one.modified) == (
        "a/reviews",
        1234,
        56,
        "mit",
        "auto",
        "2026-05-04",
    )
    assert one.tags == TAGS[2:]
    assert "| a/reviews | 1,234 | 56 | mit | auto | 2026-05-04 |" in found.markdown()


def test_nothing_found_and_a_size_that_is_none_are_told(services: Services) -> None:
    found = datasets.search("x", size="huge")
    assert not found.datasets
    assert any("no class of sizes" in note for note in found.notes)
    assert any("size_categories:huge" in note for note in found.notes)
    assert "Nothing was found." in found.markdown()


def test_at_most_so_many(services: Services) -> None:
    for i in range(20):
        services.add(Repository(f"a/n{i}"))
    assert len(datasets.search("n").datasets) == 10
    assert len(datasets.search("n", limit=3).datasets) == 3


def test_the_hub_is_down(services: Services) -> None:
    services.standin.fault("/api/datasets", "status:503", None)
    with pytest.raises(RemoteUnavailable):
        datasets.search("x")
