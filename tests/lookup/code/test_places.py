"""Which repository and which file are meant, and what is refused before anything is asked."""

from __future__ import annotations

import pytest

from trainwright.graph.errors import RequestError
from trainwright.tools.lookup.code.places import Place, place_of


@pytest.mark.parametrize(
    ("repo", "place"),
    [
        ("huggingface/trl", Place("github", "huggingface/trl")),
        ("https://github.com/huggingface/trl.git", Place("github", "huggingface/trl")),
        ("github.com/huggingface/trl/", Place("github", "huggingface/trl")),
        ("hf:gpt2", Place("model", "gpt2")),
        ("hf:models/openai/whisper", Place("model", "openai/whisper")),
        ("hf:datasets/stanfordnlp/sst2", Place("dataset", "stanfordnlp/sst2")),
        ("https://huggingface.co/spaces/acme/demo", Place("space", "acme/demo")),
        ("hf.co/acme/model", Place("model", "acme/model")),
    ],
)
def test_names_and_pages_of_repositories(repo: str, place: Place) -> None:
    assert place_of(repo) == place


@pytest.mark.parametrize(
    ("address", "ref", "path", "lines"),
    [
        ("https://github.com/a/b/blob/main/src/m%20n.py#L10-L20", "main", "src/m n.py", (10, 20)),
        ("https://github.com/a/b/blob/main/src/m.py?plain=1#L7", "main", "src/m.py", (7, 7)),
        ("https://github.com/a/b/blame/v1.2/m.py#L20C3-L10C4", "v1.2", "m.py", (10, 20)),
        ("https://github.com/a/b/raw/main/m.py", "main", "m.py", (0, 0)),
        ("https://github.com/a/b/raw/refs/heads/main/m.py", "main", "m.py", (0, 0)),
        ("https://github.com/a/b/blob/refs/tags/v1/m.py#L3", "v1", "m.py", (3, 3)),
        ("https://github.com/a/b/tree/main", "main", "", (0, 0)),
        ("https://raw.githubusercontent.com/a/b/main/m.py", "main", "m.py", (0, 0)),
        ("https://raw.githubusercontent.com/a/b/refs/heads/main/m.py", "main", "m.py", (0, 0)),
        ("https://huggingface.co/a/b/blob/main/config.json", "main", "config.json", (0, 0)),
        ("https://huggingface.co/datasets/a/b/resolve/main/README.md#L2", "main", "README.md", (2, 2)),
    ],
)
def test_addresses_of_files(address: str, ref: str, path: str, lines: tuple[int, int]) -> None:
    place = place_of(address)
    assert (place.repo, place.ref, place.path, (place.first, place.last)) == ("a/b", ref, path, lines)


def test_what_is_given_beside_an_address_counts() -> None:
    place = place_of("https://github.com/a/b/blob/main/x.py", "y.py", "v2")
    assert (place.path, place.ref, place.readings()) == ("y.py", "v2", [place])


def test_a_branch_with_slashes_is_one_of_the_readings() -> None:
    readings = place_of("https://github.com/a/b/blob/feature/x/src/m.py").readings()
    assert [(one.ref, one.path) for one in readings] == [
        ("feature", "x/src/m.py"), ("feature/x", "src/m.py"), ("feature/x/src", "m.py"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "repo",
    [
        "", "trl", "a/..", "../etc/passwd", "a/b/c", "-a/b", "a b/c", "a/b?x=1", "a/b#c", "hf:", "hf:../x", "hf:a/b/c",
        "https://github.com.evil.example/a/b", "https://evil.example/github.com/a/b", "https://github.com:8080/a/b",
        "https://me:pw@github.com/a/b", "ftp://github.com/a/b", "https://github.com/a/b/issues/3", "https://[::1/a/b",
        "https://github.com/a/b/blob/main/../../../c/d", "https://github.com/a/b/blob/main/%2e%2e/x", "https://github.com/a%2Fb/c",
        "https://github.com/a/b/blob/..%2Fx/y", "https://huggingface.co/a/b/discussions/1",
    ],
)  # fmt: skip
def test_what_is_no_repository_is_refused(repo: str) -> None:
    with pytest.raises(RequestError):
        place_of(repo)


@pytest.mark.parametrize(
    ("path", "ref"),
    [("../x", ""), ("a//b", ""), ("a\\b", ""), ("a\x00", ""), ("", "-x"), ("", "a..b"), ("", "a b"), ("", "/x")],
)
def test_paths_and_branches_that_can_be_none_are_refused(path: str, ref: str) -> None:
    with pytest.raises(RequestError):
        place_of("a/b", path, ref)
